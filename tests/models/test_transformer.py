"""A Transformer's options: what does not fit, what a search keeps, what a step leaves out."""

import pytest
import torch

from pipeline.models.dropout import Dropout, ExampleKeys, example_keys, site
from pipeline.models.positions import Learned
from pipeline.models.seam import Chance
from pipeline.models.settings import ModelSettings
from pipeline.models.transformer_decoder import TransformerDecoderSettings
from pipeline.models.transformer_encoder import TransformerEncoderSettings
from pipeline.models.weights import fill
from pipeline.problems import Problem
from pipeline.settings import parse

MODERN = "transformer, modern"
LEARNED = "transformer, norms last"
DROPPED = Chance(5, 9)  # the step leaves out the encoder's first block, and that alone


def settings(*, part="encoder", width=8, **options):
    values = {
        "width": width,
        "front": {"kind": "ids"},
        "encoder": {"kind": "transformer", "heads": 2},
        "decoder": {"kind": "transformer", "heads": 2},
        "generator": {"kind": "softmax"},
    }
    values[part] = {**values[part], **options}
    return parse(ModelSettings, values, "params.yaml")


@pytest.mark.parametrize("part", ["encoder", "decoder"])
@pytest.mark.parametrize(
    ("options", "where", "what", "remedy"),
    [
        (
            {"heads": 3},
            "heads",
            "3 heads do not divide the width 8",
            "choose one of 1, 2, 4, 8",
        ),
        (
            {"heads": 4, "key_value_heads": 3},
            "key_value_heads",
            "3 heads of keys and values do not divide 4 heads",
            "choose one of 1, 2, 4",
        ),
        (
            {"heads": 8, "positions": "rotary"},
            "positions",
            "rotary needs heads of an even width, not 1",
            "change heads or model.width",
        ),
        (
            {"positions": "learned"},
            "max_positions",
            "learned positions need the longest length that occurs",
            "set it to encoding's limit and 1 for EOS",
        ),
        (
            {"max_positions": 9},
            "max_positions",
            "sinusoidal positions have no limit",
            "remove it, or set positions: learned",
        ),
    ],
)
def test_options_that_do_not_fit_are_problems(part, options, where, what, remedy):
    with pytest.raises(Problem) as caught:
        settings(part=part, **options)
    assert caught.value.where == f"params.yaml, model.{part}.{where}"
    assert caught.value.what == what
    assert caught.value.remedy == remedy


def test_an_odd_width_is_a_problem_of_sines_and_cosines_alone():
    with pytest.raises(Problem) as caught:
        settings(width=7, heads=1)
    assert caught.value.where == "params.yaml, model.width"
    assert caught.value.remedy == "set an even one, or model.encoder.positions: learned"
    TransformerEncoderSettings(heads=1, positions="learned", max_positions=9).check(7)


def test_misspelt_options_are_problems_that_name_what_there_is():
    with pytest.raises(Problem, match="'sinusoidal', 'learned' or 'rotary'"):
        settings(positions="absolute")
    with pytest.raises(Problem, match="did you mean 'key_value_heads'"):
        settings(key_value_head=1)


def test_learned_positions_alone_have_a_longest():
    assert TransformerEncoderSettings().longest() is None
    assert TransformerDecoderSettings(positions="rotary").longest() is None
    learned = TransformerDecoderSettings(positions="learned", max_positions=9)
    assert learned.longest() == 9


def test_a_sequence_past_the_learned_positions_is_a_problem(tiny):
    model = tiny.model_of(LEARNED)
    long, short = [4] * 64 + [3], [4, 3]
    with pytest.raises(Problem) as caught:
        model.read(tiny.batch([(short, []), (long, [])]), None)
    assert caught.value.what == "a sequence is longer than the 64 learned positions"
    assert caught.value.where == "params.yaml, model.encoder.max_positions"
    assert caught.value.value == 65
    with pytest.raises(Problem, match=r"model\.decoder\.max_positions"):
        model.losses(tiny.batch([(short, [5] * 64)]), None)
    model.losses(tiny.batch([(long[1:], [5] * 63)]), None)


def test_a_search_past_the_learned_positions_is_a_problem(tiny):
    model = tiny.model_of(LEARNED)
    state = model.encode(tiny.batch([([4, 3], [])]))
    for _ in range(64):
        _, _, state = model.advance(torch.tensor([[5]]), state)
    with pytest.raises(Problem, match="a sequence is longer than the 64 learned positions"):
        model.advance(torch.tensor([[5]]), state)


def test_learned_positions_start_as_strong_as_sines_and_cosines():
    positions = Learned("encoder", 500, 64)
    fill(positions, 1)
    assert float(positions.weight.detach().square().mean()) == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize(("shared", "groups"), [(None, 4), (2, 2), (1, 1)])
def test_a_search_keeps_the_heads_of_keys_and_values_alone(tiny, shared, groups):
    options = {**tiny.TRANSFORMER, "heads": 4, "key_value_heads": shared}
    model = tiny.model_of("transformer", decoder=options)
    state = model.encode(tiny.batch([([4, 5, 3], []), ([6, 3], [])]))
    layers, two, sources, heads, _, head_width = state.cache.columns.shape
    assert (layers, two, sources, heads, head_width) == (2, 2, 2, groups, 2)
    assert state.fixed["keys 1"].shape == (2, shared or 4, 2, 3)
    assert state.fixed["values 0"].shape == (2, shared or 4, 3, 2)


def test_swiglu_has_as_many_weights_with_two_thirds_of_the_channels():
    plain = TransformerEncoderSettings(layers=1, feedforward=1536).make_network(256)
    gated = TransformerEncoderSettings(feedforward=1024, activation="swiglu").make_network(256)
    matrices = [
        sum(p.numel() for p in network.parameters() if p.dim() == 2) for network in (plain, gated)
    ]
    assert matrices[0] == matrices[1]


def layer(rate, name="encoder.blocks.0.layer_drop"):
    dropout = Dropout(rate)
    dropout.number = site(name)
    return dropout


def keys(seed, step, count=2):
    return example_keys(Chance(seed, step), torch.arange(count))


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_layers_are_left_out_at_the_stated_rate_by_seed_step_and_layer(rate):
    ones = [layer(rate), layer(rate, "encoder.blocks.1.layer_drop")]
    drawn = torch.tensor(
        [
            [[one.leaves_out(keys(seed, step)) for step in range(500)] for one in ones]
            for seed in (1, 2)
        ]
    ).double()
    deviation = (rate * (1 - rate) / 500) ** 0.5
    assert float((drawn.mean(2) - rate).abs().max()) < 4 * deviation
    for one, other in [(drawn[0, 0], drawn[0, 1]), (drawn[0, 0], drawn[1, 0])]:
        assert abs(float(torch.corrcoef(torch.stack([one, other]))[0, 1])) < 4 / 500**0.5


def test_all_examples_of_a_step_share_what_is_left_out_and_evaluation_leaves_nothing_out():
    one = layer(0.5)
    for step in range(20):
        asked = {one.leaves_out(keys(1, step, count)) for count in (0, 1, 7)}
        assert len(asked) == 1
    assert not layer(0.9).leaves_out(None)
    assert not layer(0.0).leaves_out(keys(1, 1))


def slopes(tiny, model, batches):
    """Gradients by name, where there are any."""
    total = sum(tiny.loss(model, batch, DROPPED) for batch in batches)
    names = [name for name, _ in model.named_parameters()]
    found = torch.autograd.grad(total, list(model.parameters()), allow_unused=True)
    return {name: value for name, value in zip(names, found, strict=True) if value is not None}


def test_a_step_without_a_block_is_a_step_of_a_smaller_model_however_it_is_cut(tiny):
    model, pairs = tiny.model_of(MODERN), tiny.examples(4)
    together = slopes(tiny, model, [tiny.batch(pairs)])
    missing = {name for name, _ in model.named_parameters()} - together.keys()
    assert {name.rsplit("blocks.0.", 1)[0] for name in missing} == {"encoder."}
    apart = [tiny.batch([pair], [i]) for i, pair in enumerate(pairs)]
    assert tiny.largest(together, slopes(tiny, model, apart)) < 1e-9
    vectors = model.front(tiny.batch(pairs).source, model.table("source"), None)
    del model.encoder.stack[0]
    examples = ExampleKeys(torch.arange(4), DROPPED)
    smaller = model.encoder(vectors, examples).states
    whole = tiny.model_of(MODERN).encoder(vectors, examples).states
    assert torch.equal(smaller, whole)


def test_the_decoders_last_block_always_brings_its_attention(tiny):
    options = {**tiny.MODERN, "layer_drop": 0.999}
    model = tiny.model_of(MODERN, decoder=options)
    batch = tiny.batch(tiny.examples(3))
    memory = model.read(batch, Chance(1, 1))
    step = model.teach(batch, memory, Chance(1, 1), attention=True)
    assert step.attention is not None
    assert model.decoder._kept(keys(1, 1)) == [model.decoder.blocks[-1]]
    assert model.decoder._kept(None) == model.decoder.blocks
