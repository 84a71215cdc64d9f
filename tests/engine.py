"""What tests of the engine share: tiny examples, tiny models, a team of threads, and a worker.

As a script it is teams over gloo, one after the other: `python tests/engine.py WORKERS FOLDER …`
forks the workers of each pair, which train the model of `FOLDER`; the first of them writes its
weights to `FOLDER/weights-WORKERS`.
"""

import os
import shutil
import signal
import sys
import threading
import traceback
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import tiny
import torch
import torch.distributed as dist
from torch import nn

import pipeline.training.gradient as gradients
from pipeline.batches.collate import batch_of, open_examples  # noqa: F401
from pipeline.batches.plan import Position
from pipeline.models.seq2seq import build  # noqa: F401
from pipeline.models.settings import ModelSettings  # noqa: F401
from pipeline.settings import parse
from pipeline.shards.schema import EXAMPLES, variants_of
from pipeline.shards.write import write_shards
from pipeline.training.checkpoint import save_weights
from pipeline.training.fit import fit
from pipeline.training.lease import this_process
from pipeline.training.loop import course_of
from pipeline.training.run import Place
from pipeline.training.settings import Training
from pipeline.training.team import Team
from pipeline.workspace import die_with_parent

VOCABULARY = 13


def write_examples(folder, *, rows=60, longest=7, block_rows=4, seed=1, variants=0):
    """Shards of random sources whose targets are their reversal; returns the examples.

    A variant of an example is its source and target with the last id once more, so many times.
    """
    for number in range(variants + 1):
        place = variants_of(folder) / str(number) if number else folder
        write_shards_of(place, rows, longest, block_rows, seed, again=number)
    return open_examples(folder)


def write_shards_of(folder, rows, longest, block_rows, seed, *, again):
    """One folder of shards."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, longest + 1, rows)
    bodies = [random.integers(4, VOCABULARY, length).tolist() for length in lengths]
    bodies = [body + body[-1:] * again for body in bodies]
    columns = [
        pa.array([f"r:{i}" for i in range(rows)]),
        pa.array([[*body, 3] for body in bodies], pa.list_(pa.int32())),
        pa.array([body[::-1] for body in bodies], pa.list_(pa.int32())),
    ]
    batch = pa.RecordBatch.from_arrays(columns, schema=EXAMPLES)
    write_shards(folder, [batch], shard_rows=20, block_rows=block_rows, pieces_digest="p")


def tiny_model(name="transformer", *, precision="fp64", dropout=0.2, seed=3):
    """The combination of that name in tests/tiny.py, with a few hundred weights."""
    parts = {
        part: tiny.one_layer(tiny.MODELS[name][part], dropout) for part in ("encoder", "decoder")
    }
    return tiny.model_of(name, precision=precision, seed=seed, vocabulary=VOCABULARY, **parts)


class TwoTerms(nn.Module):
    """A model with a second term that only sources of three ids and more can use."""

    def __init__(self, model):
        super().__init__()
        self.inner = model
        self.gate = nn.Parameter(torch.full_like(model.table("output").weight[0].detach(), 0.5))

    @property
    def weights(self):
        return {**self.inner.weights, "long": 0.3}

    def counts(self, batch):
        long = sum(length >= 4 for length in batch.source.lengths)
        return {**self.inner.counts(batch), "long": long}

    def losses(self, batch, chance):
        table = self.inner.table("output").weight
        ends = torch.tensor(batch.source.lengths).cumsum(0)
        last = batch.source.values[ends - 2]
        long = torch.tensor([length >= 4 for length in batch.source.lengths])
        term = ((table[last] * self.gate).sum(1) ** 2)[long].sum()
        return {**self.inner.losses(batch, chance), "long": term}


class Recorder(nn.Module):
    """A model that notes the pairs of every step: index, source and target of each."""

    def __init__(self, model):
        super().__init__()
        self.inner = model
        self.seen = {}

    @property
    def weights(self):
        return self.inner.weights

    def counts(self, batch):
        return self.inner.counts(batch)

    def losses(self, batch, chance):
        if chance is not None:
            sides = [side.values.split(side.lengths) for side in (batch.source, batch.target)]
            pairs = [(a.tolist(), b.tolist()) for a, b in zip(*sides, strict=True)]
            found = zip(batch.index.tolist(), pairs, strict=True)
            self.seen.setdefault(chance.step, []).extend(found)
        return self.inner.losses(batch, chance)


class Poisoned:
    """A model that some sources are too much for: what each adds to the loss of a step.

    The gradient stays what it is, so that a step that is taken all the same shows.
    """

    def __init__(self, model, poison):
        self.inner, self.poison = model, poison  # source ids → loss
        self.weights, self.counts = model.weights, model.counts

    def named_parameters(self):
        return self.inner.named_parameters()

    def losses(self, batch, chance):
        losses = dict(self.inner.losses(batch, chance))
        if chance is not None:
            sources = batch.source.values.split(list(batch.source.lengths))
            added = sum(self.poison.get(tuple(ids.tolist()), 0.0) for ids in sources)
            losses["cross_entropy"] = losses["cross_entropy"] + added
        return losses


class Short:
    """A model that finds no memory for slots of more than so many positions.

    It says so in the backward pass, which comes last to what was made first: by then the gradient
    of the slot has been added.
    """

    def __init__(self, model, most):
        self.inner, self.most, self.refused = model, most, 0
        self.weights, self.counts = model.weights, model.counts

    def named_parameters(self):
        return self.inner.named_parameters()

    def losses(self, batch, chance):
        positions = sum(batch.source.lengths) + sum(batch.target.lengths)
        if chance is None or positions <= self.most:
            return self.inner.losses(batch, chance)
        self.refused += 1
        refusal = Refusing.apply(next(iter(self.named_parameters()))[1].sum())
        losses = dict(self.inner.losses(batch, chance))
        return {**losses, "cross_entropy": losses["cross_entropy"] + 0 * refusal}


class Refusing(torch.autograd.Function):
    """Its backward pass finds no memory."""

    @staticmethod
    def forward(context, value):
        return value.clone()

    @staticmethod
    def backward(context, slope):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def poison_of(examples, settings, losses):
    """A poison in the longest example of groups: number of the group, from 1 → loss."""
    walk = course_of(examples, settings, 40).plan.walk(Position())
    groups = {number: next(walk)[1] for number in range(1, max(losses) + 1)}
    poison = {}
    for number, loss in losses.items():
        rows = groups[number]
        row = rows[np.argmax(examples.source_lengths[rows])]
        poison[tuple(examples.ids(np.array([row]))[0][0].tolist())] = loss
    return poison


def training(**changes):
    """Settings of a short run."""
    values = {
        "steps": 12,
        "tokens_per_step": 40,
        "schedule": {"kind": "linear", "peak_rate": 0.02, "warmup_steps": 3},
        "optimizer": {"kind": "adamw", "weight_decay": 0.01},
        "validate_every_steps": 4,
        "checkpoint_every_steps": 5,
        "best_by": "loss",
        **changes,
    }
    return parse(Training, values, "tests")


def place(folder, *, slot_cost=40, stop_at=None, checkpoint_seconds=1e9):
    """Where a run is made; with `stop_at`, it is asked to stop at that question."""
    asked = iter(range(1, 1_000_000))
    return Place(
        folder, this_process(), slot_cost, checkpoint_seconds, lambda: next(asked) == stop_at
    )


class Loss:
    """A validation: the mean loss over the first examples, in batches of a fixed make-up."""

    def __init__(self, examples):
        rows = np.arange(min(10, examples.count))
        self.batch = examples.batch(rows, rows)

    def __call__(self, model):
        total = sum(float(loss) for loss in model.losses(self.batch, None).values())
        return {"loss": total / sum(self.batch.target.lengths)}


def run(folder, examples, settings, *, model=None, team=None, fresh=True, **where):
    """Fit a model; it, and what came of it."""
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    model = model or tiny_model()
    outcome = fit(
        model, examples, settings, place(folder, **where), validate=Loss(examples), team=team
    )
    return model, outcome


def weights(model):
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def largest_difference(ours, theirs):
    assert ours.keys() == theirs.keys()
    return max(float((ours[name] - theirs[name]).abs().max()) for name in ours)


class Threads:
    """A team whose workers are threads of this process: sums and values over a barrier."""

    def __init__(self, count):
        self.count = count
        self.barrier = threading.Barrier(count, timeout=60)
        self.slots = [None] * count

    def worker(self, rank):
        return ThreadWorker(self, rank)

    def run(self, work):
        """Call `work(team)` in every thread; the results by rank."""
        results, errors = [None] * self.count, []

        def body(rank):
            try:
                results[rank] = work(self.worker(rank))
            except BaseException as error:
                errors.append(error)
                self.barrier.abort()

        threads = [threading.Thread(target=body, args=(rank,)) for rank in range(self.count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise next(e for e in errors if not isinstance(e, threading.BrokenBarrierError))
        return results


class ThreadWorker:
    """What `Team` promises, in a thread."""

    def __init__(self, threads, rank):
        self.threads, self.rank, self.count = threads, rank, threads.count
        self.device = torch.device("cpu")

    def gather(self, value):
        self.threads.slots[self.rank] = value
        self.threads.barrier.wait()
        values = list(self.threads.slots)
        self.threads.barrier.wait()
        return values

    def tell(self, value):
        return self.gather(value)[0]

    def share(self, tensors):
        return {name: tensor.clone() for name, tensor in self.gather(tensors)[0].items()}

    def sum_(self, tensor):
        total = torch.stack(self.gather(tensor.clone())).sum(0)
        tensor.copy_(total)

    def start_sum(self, tensor):
        self.sum_(tensor)
        return bool

    def together(self):
        return nullcontext()


def main(rank, workers, folder):
    torch.set_num_threads(1)
    gradients.BUCKET_BYTES = 1000  # so that sums begin while the last slot is worked on
    if workers > 1:
        address = f"file://{folder}/meeting-{workers}"
        dist.init_process_group("gloo", init_method=address, rank=rank, world_size=workers)
    examples = open_examples(folder / "examples")
    settings = training(steps=30, validate_every_steps=15)
    team = Team(rank, workers)
    model, _ = run(folder / f"run-{workers}", examples, settings, team=team, fresh=False)
    if rank == 0:
        save_weights(folder / f"weights-{workers}", weights(model))
    if workers > 1:
        dist.destroy_process_group()


def together(workers, work):
    """Call `work(rank)` in each worker, a fork of this process, to the end; none is left where one
    fails."""
    running = {forked(rank, work) for rank in range(workers)}
    try:
        while running:
            ended, status = os.wait()
            running.discard(ended)
            if status:
                raise SystemExit(f"a worker of {workers} failed")
    finally:
        for worker in running:
            os.kill(worker, signal.SIGKILL)


def forked(rank, work):
    """Start a worker; its process id."""
    parent, process = os.getpid(), os.fork()
    if process:
        return process
    try:
        die_with_parent(parent)
        work(rank)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    import torch._dynamo  # what an optimizer imports in its first step: once, not in every worker

    for workers, folder in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
        together(int(workers), partial(main, workers=int(workers), folder=Path(folder)))
