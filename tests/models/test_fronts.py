"""Front ends whose sources are numbers: the seam holds for sources that are no ids."""

import pytest
import torch

from pipeline.batches.batch import Batch, Ragged
from pipeline.models import FRONTS
from pipeline.problems import Problem
from pipeline.settings import parse

FIELDS = {
    "frames": {"features": 3},
    "pixels": {"height": 7, "colours": 3, "channels": 4},
    "patches": {"height": 6, "colours": 3, "patch": 3},
}
SHAPES = {"frames": (3,), "pixels": (7, 3), "patches": (6, 3)}
VECTORS = {  # of sources of 9, 2 and 5 positions
    "frames": (3, 1, 2),
    "pixels": (3, 1, 2),
    "patches": (6, 2, 4),
}
TARGETS = [[4, 5, 6], [7], []]
KINDS = pytest.mark.parametrize("kind", sorted(FIELDS))


def model_of(tiny, kind, parts="transformer", **changes):
    front = {"kind": kind, **FIELDS[kind]}
    model = tiny.model_of(parts, front=front, embeddings="target", **changes)
    for name in ("read", "counts"):
        del model.__dict__[name]  # it is shown its own sources
    return model


def batch_of(tiny, kind, index=(0, 1, 2), *, seed=0):
    """Sources of mixed lengths; each is the same wherever it lies."""
    lengths = [(9, 2, 5)[i] for i in index]
    draws = [torch.Generator().manual_seed(seed + i) for i in index]
    rows = [torch.randn(n, *SHAPES[kind], generator=g) for n, g in zip(lengths, draws, strict=True)]
    ids = tiny.batch([([3], TARGETS[i]) for i in index], index)
    return Batch(Ragged(torch.cat(rows), tuple(lengths)), ids.prefix, ids.target, ids.index)


@KINDS
def test_numbers_need_no_table_and_have_no_ids(tiny, kind):
    model = model_of(tiny, kind)
    assert list(model.tables) == ["target"]
    memory = model.read(batch_of(tiny, kind), None)
    assert memory.layout.lengths == VECTORS[kind] == model.front.lengths((9, 2, 5))
    assert memory.states.dtype == torch.float64
    assert memory.ids is None


@KINDS
@pytest.mark.parametrize("parts", ["gru", "transformer"])
def test_whatever_lies_beside_a_source_changes_no_loss_and_no_gradient(tiny, kind, parts):
    model = model_of(tiny, kind, parts, ctc={"weight": 0.3})
    together = tiny.gradients(model, [batch_of(tiny, kind)])
    apart = tiny.gradients(model, [batch_of(tiny, kind, (i,)) for i in (2, 0, 1)])
    assert together[0] == pytest.approx(apart[0], abs=1e-9)
    assert tiny.largest(together[1], apart[1]) < 1e-9


@KINDS
def test_all_of_a_source_is_seen_and_nothing_of_another(tiny, kind):
    model = model_of(tiny, kind)
    batch = batch_of(tiny, kind)
    values = batch.source.values.double().requires_grad_()
    vectors = model.front(Ragged(values, batch.source.lengths), None, None)
    first = vectors.values[: VECTORS[kind][0]].square().sum()
    (slope,) = torch.autograd.grad(first, values)
    assert float(slope[:9].abs().flatten(1).sum(1).min()) > 0
    assert float(slope[9:].abs().max()) == 0


@KINDS
def test_stepping_is_the_forced_pass(tiny, kind):
    model = model_of(tiny, kind)
    batch = batch_of(tiny, kind, (0,))
    flat, _ = tiny.log_probs(model, batch)
    state = model.encode(batch)
    assert "source ids" not in state.fixed
    for place, number in enumerate([2, 4, 5, 6]):
        log_probs, _, state = model.advance(torch.tensor([[number]]), state)
        assert tiny.largest(log_probs[0, 0], flat[place]) < 1e-9


@KINDS
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_vectors_have_the_precision_of_the_model_whatever_the_sources_have(tiny, kind, precision):
    model = model_of(tiny, kind, precision=precision)
    batch = batch_of(tiny, kind)
    whole = Ragged((batch.source.values * 50).to(torch.uint8), batch.source.lengths)
    memory = model.read(Batch(whole, batch.prefix, batch.target, batch.index), None)
    assert memory.states.dtype == {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]


@KINDS
def test_sources_of_another_shape_are_a_problem_before_anything_is_computed(tiny, kind):
    model = model_of(tiny, kind)
    ids = tiny.batch([([4, 3], [5])])
    with pytest.raises(Problem, match="the front end takes positions of shape") as caught:
        model.losses(ids, None)
    assert caught.value.where == "params.yaml, model.front"
    assert caught.value.value == "sources with positions of shape ()"
    with pytest.raises(Problem, match=r"takes positions of shape \(\)"):
        tiny.model_of("gru").losses(batch_of(tiny, kind), None)


@KINDS
def test_a_table_cannot_be_tied_to_sources_that_are_no_ids(tiny, kind):
    with pytest.raises(
        Problem, match="embeddings: tied needs a front end that reads ids"
    ) as caught:
        tiny.model_of("gru", front={"kind": kind})
    assert caught.value.where == "params.yaml, model.embeddings"
    assert caught.value.remedy == "set model.embeddings: target"


@KINDS
def test_nothing_is_copied_from_sources_that_are_no_ids(tiny, kind):
    with pytest.raises(Problem, match="copying needs an id of the source at each state") as caught:
        tiny.model_of("gru, copying", front={"kind": kind}, embeddings="target")
    assert caught.value.where == "params.yaml, model.generator"
    assert "model.front.kind: ids" in caught.value.remedy


def test_patches_that_do_not_divide_the_height_are_a_problem():
    with pytest.raises(Problem, match="patches of 5 pixels do not divide the height 32"):
        parse(FRONTS["patches"], {"patch": 5}, "params.yaml")
