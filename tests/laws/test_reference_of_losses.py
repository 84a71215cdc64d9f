"""Law: the losses beside the softmax = torch's own or a closed formula, gradients included."""

import itertools
import math

import pytest
import torch
from reference import close, random
from torch.nn import functional

import pipeline.models.pointer as pointer
from pipeline.batches.batch import Ragged
from pipeline.models.chunked import chunked
from pipeline.models.ctc import CTC, CTCLoss
from pipeline.models.layout import Layout
from pipeline.models.pointer import Pointer, coverage_loss, mixture
from pipeline.models.seam import Memory, Step
from pipeline.models.table import Table
from pipeline.models.weights import fill

CPU = torch.device("cpu")
WIDTH, VOCABULARY = 5, 7
SOURCES = ([4, 5, 4, 3], [6, 3], [4, 4, 4, 4, 5, 3])
TARGETS = ([4, 6, 3], [3], [5, 5, 4, 6, 3])


def ragged(rows):
    return Ragged(torch.tensor(list(itertools.chain(*rows))), tuple(map(len, rows)))


def memory_of(sources=SOURCES, seed=0):
    """Random states for sources of ids."""
    ids = ragged(sources)
    states = random(len(ids.values), WIDTH, seed=seed).requires_grad_()
    layout = Layout(ids.lengths, CPU)
    return Memory(states, layout, random(len(sources), WIDTH), ids.values)


@pytest.fixture
def parts():
    """A generator, its table, and a decoder's step over the targets."""
    generator = Pointer(coverage=0.5).build(WIDTH, VOCABULARY).double()
    table = Table(VOCABULARY, WIDTH, scale=1.0, dtype=torch.float64).double()
    fill(generator, 1)
    fill(table, 2)
    positions, longest = sum(map(len, TARGETS)), max(map(len, SOURCES))
    scores = random(positions, longest, seed=3)
    sequence = Layout(tuple(map(len, TARGETS)), CPU).sequence
    mask = memory_of().layout.mask[sequence]
    attention = scores.masked_fill(~mask, float("-inf")).softmax(-1).requires_grad_()
    return generator, table, Step(random(positions, WIDTH, seed=4).requires_grad_(), attention)


def written_out(generator, table, step):
    """p of every id at every position, as the paper writes it."""
    gates = torch.sigmoid(generator.gate(step.output))[:, 0]
    softmax = torch.softmax(step.output @ table.weight.T, -1)
    position, rows = 0, []
    for source, target in zip(SOURCES, TARGETS, strict=True):
        for _ in target:
            held = [
                sum(step.attention[position, i] * (one == v) for i, one in enumerate(source))
                for v in range(VOCABULARY)
            ]
            gate = gates[position]
            rows.append(gate * softmax[position] + (1 - gate) * torch.stack(held))
            position += 1
    return torch.stack(rows)


@pytest.mark.parametrize("chunk", [512, 4])
def test_copying_is_the_papers_mixture(parts, monkeypatch, chunk):
    monkeypatch.setattr(pointer, "CHUNK", chunk)
    generator, table, step = parts
    targets = ragged(TARGETS)
    found = generator.score(step, targets, memory_of(), table)["cross_entropy"]
    expected = -written_out(*parts).gather(1, targets.values[:, None]).log().sum()
    close(found, expected)
    leaves = [step.output, step.attention, table.weight, *generator.parameters()]
    ours = torch.autograd.grad(0.7 * found, leaves)
    theirs = torch.autograd.grad(0.7 * expected, leaves)
    for one, other in zip(ours, theirs, strict=True):
        close(one, other)


def test_log_probabilities_of_copying_are_those_of_the_mixture(parts):
    generator, table, step = parts
    layout, memory = Layout(tuple(map(len, TARGETS)), CPU), memory_of()
    ids = memory.layout.pad(memory.ids)[layout.sequence]
    close(generator.log_probs(step, ids, table).exp(), written_out(*parts))


def test_the_coverage_loss_is_what_is_attended_to_again(parts):
    _, _, step = parts
    rows = step.attention.split([len(target) for target in TARGETS])
    expected = sum(
        torch.minimum(row[t], row[:t].sum(0)).sum() for row in rows for t in range(1, len(row))
    )
    found = coverage_loss(step.attention, Layout(tuple(map(len, TARGETS)), CPU))
    close(found, expected)
    (ours,), (theirs,) = (torch.autograd.grad(one, step.attention) for one in (found, expected))
    real = memory_of().layout.mask[Layout(tuple(map(len, TARGETS)), CPU).sequence]
    close(ours[real], theirs[real])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_mixture_loses_no_probability_and_no_slope(dtype):
    """Written with 1e-60 and copied with 0; and both ways at the gate's ends."""
    written = torch.tensor([-140.0, -140.0, -1.0], dtype=dtype, requires_grad=True)
    copied = torch.tensor([0.0, 0.5, 1.0], dtype=dtype, requires_grad=True)
    gate = torch.tensor([0.0, -100.0, 100.0], dtype=dtype, requires_grad=True)
    found = mixture(written, copied, gate)
    expected = [-140 - math.log(2), math.log(0.5), -1.0]
    assert found.tolist() == pytest.approx(expected, rel=1e-6)
    found.sum().backward()
    assert written.grad.tolist() == pytest.approx([1.0, 0.0, 1.0], abs=1e-6)
    assert copied.grad.tolist() == pytest.approx([0.0, 2.0, 0.0], abs=1e-6)
    assert torch.isfinite(gate.grad).all()


def ctc_of(memory, rows):
    """The loss with random weights, and the logits that it stands for."""
    loss = CTCLoss(CTC(), WIDTH, VOCABULARY).double()
    fill(loss, 6)
    targets = ragged([[*row, 3] for row in rows])
    return loss, loss.score(memory, targets)["ctc"], loss.labels(memory.states).log_softmax(-1)


def test_ctc_is_torchs_over_each_example_alone():
    memory, rows = memory_of(), ([6, 6, 4], [5, 5], [4, 5, 4, 4, 6])  # the second does not fit
    loss, found, log_probs = ctc_of(memory, rows)
    expected = 0
    for part, row in zip(log_probs.split(memory.layout.lengths), rows, strict=True):
        if row != [5, 5]:
            lengths = torch.tensor([len(part)]), torch.tensor([len(row)])
            expected += functional.ctc_loss(
                part[:, None], torch.tensor([row]), *lengths, reduction="sum"
            )
    close(found, expected)
    leaves = [memory.states, *loss.parameters()]
    for one, other in zip(
        torch.autograd.grad(0.7 * found, leaves),
        torch.autograd.grad(0.7 * expected, leaves),
        strict=True,
    ):
        close(one, other)


@pytest.mark.parametrize("row", [[], [4], [4, 5], [4, 4]])
def test_ctc_is_minus_the_log_of_all_ways_to_say_the_labels(row):
    memory = memory_of(([4, 5, 4, 3],))
    _, found, log_probs = ctc_of(memory, [row])
    total, log_probs = 0.0, log_probs.tolist()
    for path in itertools.product(range(VOCABULARY), repeat=4):
        said = [label for label, _ in itertools.groupby(path) if label != 0]
        if said == row:
            total += math.exp(sum(log_probs[t][v] for t, v in enumerate(path)))
    assert float(found.detach()) == pytest.approx(-math.log(total), abs=1e-9)


@pytest.mark.parametrize("chunk", [1, 2, 5, 9])
def test_a_sum_in_chunks_is_the_sum(chunk):
    rows = [random(5, 3).requires_grad_(), random(5, seed=1).requires_grad_()]
    weights = [random(3, 4, seed=2).requires_grad_(), random(4, seed=3).requires_grad_()]
    given = random(5, 4, seed=4)

    def loss(part, vectors, numbers, matrix, bias):
        values = torch.tanh(vectors @ matrix + bias) * given[part]
        return (values.sum(1) * numbers).sum()

    found, expected = chunked(loss, chunk, rows, weights), loss(slice(None), *rows, *weights)
    close(found, expected)
    leaves = [*rows, *weights]
    for one, other in zip(
        torch.autograd.grad(2 * found, leaves),
        torch.autograd.grad(2 * expected, leaves),
        strict=True,
    ):
        close(one, other)
    with torch.no_grad():
        close(chunked(loss, chunk, rows, weights), expected)
