"""The seam holds: a model that nobody foresaw trains, decodes and resumes with no change in
training, search or batching.

Its generator copies from the source, its encoder has a second loss of its own (connectionist
temporal classification) with a count of its own, and it is searched with a coverage penalty, alone
and as one of an ensemble of two.
"""

from itertools import pairwise
from types import MappingProxyType
from typing import ClassVar

import pytest
import torch
from torch import nn
from torch.nn import functional

from pipeline.decoding.beam import Beam
from pipeline.decoding.decode import decode
from pipeline.decoding.ensemble import Ensemble
from pipeline.models import GENERATORS
from pipeline.models.layout import Layout
from pipeline.models.linear import Linear
from pipeline.models.parts import Generator, GeneratorSettings
from pipeline.models.weights import fill

BLANK = 0


class Copying(GeneratorSettings):
    """Write an id of the vocabulary, or copy one."""

    needs_attention: ClassVar[bool] = True
    copies: ClassVar[bool] = True

    def build(self, width, vocabulary):
        return CopyingGenerator(width)


class CopyingGenerator(Generator):
    weights = MappingProxyType({"copying": 1.0})
    needs_attention = True

    def __init__(self, width):
        super().__init__()
        self.gate = Linear(width, 1)

    def counts(self, batch):
        return {"copying": sum(batch.target.lengths)}

    def score(self, step, targets, memory, table):
        sources = Layout(targets.lengths, targets.values.device).sequence
        ids = memory.layout.pad(memory.ids)[sources]
        log_probs = self._log_probs(step, ids, table)
        return {"copying": -log_probs.gather(1, targets.values[:, None]).sum()}

    def log_probs(self, step, ids, table):
        return self._log_probs(step, ids.expand_as(step.attention), table)

    def _log_probs(self, step, ids, table):
        written = torch.softmax(step.output @ table.weight.T, -1)
        copied = torch.zeros_like(written).scatter_add(-1, ids, step.attention)
        share = torch.sigmoid(self.gate(step.output))
        return (share * written + (1 - share) * copied).clamp_min(1e-30).log()


def frames_needed(target):
    """CTC needs a frame for each label, and one more between two equal ones."""
    return len(target) + sum(a == b for a, b in pairwise(target))


class WithCtc(nn.Module):
    """A model and a second term over its memory, which some examples cannot use."""

    def __init__(self, model):
        super().__init__()
        self.inner = model
        self.labels = Linear(model.settings.width, model.target_vocabulary)
        fill(self.labels.double(), 9)
        self.vocabulary = model.vocabulary
        self.encode, self.advance = model.encode, model.advance

    @property
    def weights(self):
        return {**self.inner.weights, "ctc": 0.3}

    def usable(self, batch):
        bodies = [
            target[:-1].tolist() for target in batch.target.values.split(batch.target.lengths)
        ]
        fits = [
            frames_needed(body) <= frames
            for body, frames in zip(bodies, batch.source.lengths, strict=True)
        ]
        return [n for n, fit in enumerate(fits) if fit], bodies

    def counts(self, batch):
        return {**self.inner.counts(batch), "ctc": len(self.usable(batch)[0])}

    def losses(self, batch, chance):
        memory = self.inner.read(batch, chance)
        step = self.inner.teach(batch, memory, chance, attention=True)
        table = self.inner.table("output")
        terms = self.inner.generator.score(step, batch.target, memory, table)
        return {**terms, "ctc": self.ctc(batch, memory)}

    def ctc(self, batch, memory):
        rows, bodies = self.usable(batch)
        frames = memory.layout.pad(self.labels(memory.states).log_softmax(-1)).transpose(0, 1)
        total = frames.new_zeros(())
        for row in rows:
            labels = torch.tensor(bodies[row])[None]
            lengths = (batch.source.lengths[row],), (len(bodies[row]),)
            one = frames[:, row : row + 1]
            total = total + functional.ctc_loss(one, labels, *lengths, BLANK, reduction="sum")
        return total


@pytest.fixture
def build(engine, monkeypatch):
    """Build the model of a seed; its generator joins the table by one line."""
    monkeypatch.setitem(GENERATORS, "copying", Copying)

    def build(kind, seed=3):
        model = engine.tiny_model(kind, seed=seed)
        values = {**model.settings.model_dump(), "generator": {"kind": "copying"}}
        settings = engine.parse(engine.ModelSettings, values, "tests")
        vocabularies = (engine.VOCABULARY, engine.VOCABULARY)
        inner = engine.build(settings, *vocabularies, shared=True, precision="fp64", seed=seed)
        return WithCtc(inner)

    return build


@pytest.fixture
def examples(engine, tmp_path):
    return engine.write_examples(tmp_path / "examples", rows=40, longest=5)


KINDS = ["transformer", "gru"]


@pytest.mark.parametrize("kind", KINDS)
def test_it_trains_the_same_however_it_is_cut(engine, build, examples, tmp_path, kind):
    settings = engine.training(steps=8, validate_every_steps=8)
    whole, outcome = engine.run(
        tmp_path / "whole", examples, settings, model=build(kind), slot_cost=10**6
    )
    cut, _ = engine.run(tmp_path / "cut", examples, settings, model=build(kind), slot_cost=15)
    assert outcome.finished
    assert engine.largest_difference(engine.weights(whole), engine.weights(cut)) < 1e-10
    start = engine.weights(build(kind))
    assert all(
        float((value - start[name]).abs().max()) > 1e-4
        for name, value in engine.weights(whole).items()
    )


def test_its_terms_have_counts_of_their_own(engine, build, tmp_path):
    examples = engine.write_examples(tmp_path / "more", rows=60, longest=5, seed=4)
    rows = engine.np.arange(60)
    counts = build("gru").counts(examples.batch(rows, rows))
    assert counts["copying"] == int(examples.target_lengths.sum()) + 60
    assert 0 < counts["ctc"] < 60


@pytest.mark.parametrize("kind", KINDS)
def test_it_resumes_to_the_bit(engine, build, examples, tmp_path, kind):
    settings = engine.training(steps=8, validate_every_steps=4, checkpoint_every_steps=2)
    undisturbed, _ = engine.run(tmp_path / "one", examples, settings, model=build(kind))
    _, stopped = engine.run(tmp_path / "two", examples, settings, model=build(kind), stop_at=5)
    assert not stopped.finished
    resumed, outcome = engine.run(
        tmp_path / "two", examples, settings, model=build(kind, seed=8), fresh=False
    )
    assert outcome.finished
    assert engine.largest_difference(engine.weights(undisturbed), engine.weights(resumed)) == 0


@pytest.mark.parametrize("combination_rule", ["arithmetic", "geometric"])
def test_it_decodes_alone_and_in_an_ensemble_with_a_coverage_penalty(
    engine, build, examples, combination_rule
):
    members = [build("transformer", 1), build("gru", 2)]
    sources, _ = examples.ids(engine.np.arange(7))
    search = Beam(beam_size=3, coverage_penalty=0.4)
    ensemble = Ensemble(members, combination_rule)
    for model in (members[0], ensemble):
        found = decode(model, sources, search, n_best=2, batch_sentences=3)
        assert [len(n_best) for n_best in found] == [2] * 7
        for source, n_best in zip(sources, found, strict=True):
            for one in n_best:
                assert one.log_probability == pytest.approx(forced(engine, model, source, one))


def forced(engine, model, source, found):
    """The log-probability of a hypothesis, stepped through by hand."""
    batch = engine.batch_of([source], None, engine.np.array([0]))
    state, total = model.encode(batch), 0.0
    for before, after in pairwise([2, *found.ids, 3]):
        log_probs, _, state = model.advance(torch.tensor([[before]]), state)
        total += float(log_probs[0, 0, after])
    return total


def test_its_score_in_search_is_its_loss_in_training(engine, build, examples):
    model = build("gru")
    sources, _ = examples.ids(engine.np.arange(5))
    for source, (best,) in zip(sources, decode(model, sources, Beam(beam_size=2)), strict=True):
        target = engine.np.array(best.ids, engine.np.int32)
        batch = engine.batch_of([source], [target], engine.np.array([0]))
        loss = float(model.inner.losses(batch, None)["copying"].detach())
        assert best.log_probability == pytest.approx(-loss, abs=1e-9)


def test_it_learns_to_copy_by_copying(engine, build, examples, tmp_path):
    settings = engine.training(steps=30, validate_every_steps=30)
    before = build("transformer")
    loss = engine.Loss(examples)
    with torch.no_grad():
        start = loss(before)["loss"]
    _, outcome = engine.run(tmp_path / "run", examples, settings, model=before)
    assert outcome.scores["loss"] < 0.8 * start
