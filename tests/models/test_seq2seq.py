import pytest
import torch

from pipeline.models.chunked import Chunked
from pipeline.models.recurrence import Unrolled
from pipeline.models.seq2seq import Model, build
from pipeline.models.settings import ModelSettings
from pipeline.models.softmax import CrossEntropy
from pipeline.problems import Problem
from pipeline.settings import parse


def section(**changes):
    values = {
        "width": 8,
        "front": {"kind": "ids"},
        "encoder": {"kind": "transformer", "layers": 1, "heads": 2, "feedforward": 8},
        "decoder": {"kind": "transformer", "layers": 1, "heads": 2, "feedforward": 8},
        "generator": {"kind": "softmax"},
    }
    return {**values, **changes}


def settings(**changes):
    return parse(ModelSettings, section(**changes), "params.yaml")


def built(**changes):
    return build(settings(**changes), 9, 9, shared=True, precision="fp64", seed=1)


def test_heads_that_do_not_divide_the_width_are_a_problem():
    decoder = {"kind": "transformer", "heads": 3}
    with pytest.raises(Problem, match=r"decoder\.heads: 3 heads do not divide the width 8"):
        settings(decoder=decoder)


def test_an_odd_width_is_a_problem_of_a_transformer_alone():
    encoder = {"kind": "transformer", "heads": 1}
    with pytest.raises(Problem, match="width: 7 is odd; a transformer needs an even width"):
        settings(width=7, encoder=encoder)
    gru = {"kind": "gru", "units": 4}
    assert settings(width=7, encoder=gru, decoder=gru).width == 7


@pytest.mark.parametrize("part", ["front", "encoder", "decoder", "generator"])
def test_an_unknown_part_is_a_problem_that_names_the_nearest(part):
    nearest = {"front": "ids", "generator": "softmax"}.get(part, "transformer")
    with pytest.raises(Problem) as caught:
        settings(**{part: {"kind": f"{nearest}s"}})
    assert caught.value.where == f"params.yaml, {part}"
    assert f"did you mean '{nearest}'?" in str(caught.value)


def test_a_misspelt_field_of_a_part_is_a_problem():
    with pytest.raises(Problem, match="laiers"):
        settings(encoder={"kind": "gru", "laiers": 2})


def test_tied_embeddings_need_shared_pieces():
    with pytest.raises(Problem, match="one table for source and target needs shared pieces"):
        build(settings(), 9, 9, shared=False, precision="fp32", seed=1)
    target = settings(embeddings="target")
    model = build(target, 7, 9, shared=False, precision="fp32", seed=1)
    assert [model.table(role).weight.shape[0] for role in ("source", "target", "output")] == [
        7,
        9,
        9,
    ]


@pytest.mark.parametrize(
    ("embeddings", "names"),
    [
        ("tied", ["shared"]),
        ("target", ["source", "target"]),
        ("separate", ["source", "target", "output"]),
    ],
)
def test_embeddings_say_how_many_tables_there_are(embeddings, names):
    model = built(embeddings=embeddings)
    assert list(model.tables) == names
    tables = [name for name in model.state_dict() if name.startswith("tables.")]
    assert tables == [f"tables.{name}.weight" for name in names]


@pytest.mark.parametrize("scaled", [True, False])
def test_scaled_embeddings_are_the_tables_rows_times_the_root_of_the_width(scaled):
    model = built(scaled_embeddings=scaled)
    table = model.table("source")
    factor = 8**0.5 if scaled else 1.0
    assert torch.equal(table(torch.tensor([5])), table.weight[5:6] * factor)


@pytest.mark.attends
@pytest.mark.parametrize(
    ("precision", "weights", "vectors"),
    [
        ("fp32", torch.float32, torch.float32),
        ("bf16", torch.float32, torch.bfloat16),
        ("fp64", torch.float64, torch.float64),
    ],
)
def test_precision_is_that_of_the_vectors_and_weights_stay_masters(
    tiny, combination, precision, weights, vectors
):
    model = tiny.model_of(combination, precision=precision)
    batch = tiny.batch(tiny.examples(3))
    memory = model.read(batch, tiny.CHANCE)
    step = model.teach(batch, memory, tiny.CHANCE)
    assert {parameter.dtype for parameter in model.parameters()} == {weights}
    assert memory.states.dtype == step.output.dtype == vectors
    losses = model.losses(batch, tiny.CHANCE)
    assert {loss.dtype for loss in losses.values()} == {weights}
    sum(losses.values()).backward()
    assert {parameter.grad.dtype for parameter in model.parameters()} == {weights}
    state = model.encode(batch, attention=True)
    log_probs, attention, _ = model.advance(torch.full((3, 1), 2), state)
    assert log_probs.dtype == attention.dtype == weights


@pytest.mark.parametrize("off", [torch.no_grad, torch.inference_mode])
def test_where_gradients_are_off_none_is_computed(tiny, combination, monkeypatch, off):
    """The loss's own gradient is the larger half of its work, and validation needs none."""
    asked = []
    for function in (CrossEntropy, Chunked, Unrolled):
        monkeypatch.setattr(function, "forward", staticmethod(noting(function.forward, asked)))
    model, batch = tiny.model_of(combination), tiny.batch(tiny.examples(3))
    with off():
        model.losses(batch, None)
    assert asked
    assert not any(asked)
    asked.clear()
    model.losses(batch, None)
    assert all(asked)


def noting(forward, asked):
    def noted(ctx, *inputs):
        asked.append(any(ctx.needs_input_grad))
        return forward(ctx, *inputs)

    return noted


def test_a_part_starts_the_same_in_whatever_model_it_stands():
    one, other = built(), built(decoder={"kind": "gru", "units": 4})
    ours, theirs = dict(one.encoder.named_parameters()), dict(other.encoder.named_parameters())
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert isinstance(one, Model)
