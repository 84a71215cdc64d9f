"""Law: masks have the stated rate and differ by step, example, site and pass; evaluation draws
nothing; reseeding the global generator changes nothing."""

import pytest
import torch

import pipeline.models.dropout as dropout
from pipeline.models.layout import Layout
from pipeline.models.scaled_dot import Attend
from pipeline.models.seam import Chance

CPU = torch.device("cpu")


def mask(*, seed=1, step=1, index=(0,), site=3, lengths=None, channels=64, rate=0.3):
    """The masks of a site: [positions, channels]."""
    layout = Layout(lengths or (5,) * len(index), CPU)
    examples = dropout.example_keys(Chance(seed, step), torch.tensor(index))
    keys = dropout.salted(dropout.position_keys(examples, layout), site)
    return dropout.kept(keys, channels, rate, torch.float64)


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.3, 0.5, 0.9])
def test_masks_have_the_stated_rate_in_every_channel(rate):
    drawn = mask(index=range(400), lengths=(10,) * 400, channels=128, rate=rate)
    deviation = (rate * (1 - rate)) ** 0.5
    assert abs(float(1 - drawn.mean()) - rate) < 5 * deviation / drawn.numel() ** 0.5
    by_channel = (1 - drawn).mean(0)
    assert float((by_channel - rate).abs().max()) < 5 * deviation / len(drawn) ** 0.5
    by_row = (1 - drawn).mean(1)
    assert float((by_row - rate).abs().max()) < 6 * deviation / drawn.shape[1] ** 0.5 + 1e-3


def correlation(ours, theirs):
    """Of two masks, in units of what chance would give."""
    ours, theirs = ours - ours.mean(), theirs - theirs.mean()
    return float((ours * theirs).mean() / (ours.std() * theirs.std())) * ours.numel() ** 0.5


def test_masks_differ_by_seed_step_example_site_and_position():
    many = {"index": range(200), "lengths": (5,) * 200}
    first = mask(**many)
    for other in (
        mask(seed=2, **many),
        mask(step=2, **many),
        mask(site=4, **many),
        mask(index=range(200, 400), lengths=(5,) * 200),
        mask(index=range(1, 201), lengths=(5,) * 200),
    ):
        assert abs(correlation(first, other)) < 5
    assert abs(correlation(first[:-1], first[1:])) < 5  # neighbouring positions
    assert abs(correlation(first[:, :-1], first[:, 1:])) < 5  # neighbouring channels


def keys_of(rows):
    """A key for each of many positions."""
    layout = Layout((5,) * (rows // 5), CPU)
    examples = dropout.example_keys(Chance(1, 1), torch.arange(layout.count))
    return dropout.position_keys(examples, layout)


def test_two_places_of_a_model_drop_other_channels_of_the_same_positions():
    one, other = dropout.Dropout(0.3), dropout.Dropout(0.3)
    one.number, other.number = dropout.site("encoder.dropout"), dropout.site("decoder.dropout")
    first, second = (layer.mask(keys_of(1000), 64, torch.float64) for layer in (one, other))
    assert abs(correlation(first, second)) < 5
    vectors = torch.ones(1000, 64, dtype=torch.float64)
    dropped = [(layer(vectors, keys_of(1000)) > 0).double() for layer in (one, other)]
    assert torch.equal(dropped[0], first)
    assert torch.equal(dropped[1], second)


def test_the_heads_of_one_attention_drop_other_probabilities():
    attend = Attend(width=16, heads=4, dropout=0.3)
    masks = (attend._mask(keys_of(1000).view(40, 25), 25, torch.float64) > 0).double()
    for head in range(4):
        for other in range(head):
            assert abs(correlation(masks[:, head], masks[:, other])) < 5


def test_no_two_channels_are_dropped_together():
    drawn = mask(index=range(2000), lengths=(2,) * 2000, channels=96)
    centred = (drawn - drawn.mean(0)) / drawn.std(0)
    together = (centred.T @ centred) / len(drawn) ** 0.5
    together.fill_diagonal_(0)
    assert float(together.abs().max()) < 6


def test_no_two_positions_of_many_share_a_mask():
    drawn = mask(index=range(1000), lengths=(5,) * 1000)
    assert len(torch.unique(drawn, dim=0)) == 5000
    assert len(torch.unique(drawn[:, ::2], dim=0)) > 4990
    assert len(torch.unique(drawn[:, 1::2], dim=0)) > 4990


def test_a_mask_belongs_to_the_example_not_to_the_batch():
    together = mask(index=(4, 9), lengths=(2, 5))
    alone = mask(index=(9,), lengths=(5,))
    assert torch.equal(together[2:], alone)
    assert torch.equal(mask(index=(9,), lengths=(3,)), alone[:3])
    assert torch.equal(mask(index=(9,), channels=7), alone[:, :7])


def test_large_seeds_and_steps_make_masks_of_their_own():
    drawn = [mask(seed=seed, step=step) for seed in (0, 2**32, 2**63 - 1) for step in (1, 2**40)]
    assert len(torch.unique(torch.stack(drawn), dim=0)) == 6


def test_masks_are_the_same_in_every_precision():
    keys = dropout.mix(torch.arange(40))
    wide = dropout.kept(keys, 33, 0.25, torch.float64)
    for dtype in (torch.float32, torch.bfloat16):
        narrow = dropout.kept(keys, 33, 0.25, dtype)
        assert narrow.dtype == dtype
        assert torch.equal(narrow.double(), wide)


def test_what_stays_is_scaled_so_that_the_mean_stays():
    layer = dropout.Dropout(0.25)
    keys = dropout.mix(torch.arange(5000))
    vectors = torch.full((5000, 16), 2.0, dtype=torch.float64)
    dropped = layer(vectors, keys)
    assert sorted(set(dropped.flatten().tolist())) == [0.0, pytest.approx(2 / 0.75, abs=1e-12)]
    assert float(dropped.mean()) == pytest.approx(2.0, abs=0.02)
    assert torch.equal(layer.add(vectors, vectors, keys), vectors + dropped)


def test_steps_draw_differently_and_evaluation_draws_nothing(tiny, combination):
    model = tiny.model_of(combination)
    batch = tiny.batch(tiny.examples(3))
    drawn = [float(tiny.loss(model, batch, Chance(1, step)).detach()) for step in (1, 2, 3)]
    assert len(set(drawn)) == 3
    bare = tiny.MODELS[combination]
    never = tiny.model_of(
        combination,
        encoder=tiny.without_dropout(bare["encoder"]),
        decoder=tiny.without_dropout(bare["decoder"]),
        source_word_dropout=0.0,
        target_word_dropout=0.0,
    )
    evaluated = float(tiny.loss(model, batch, None).detach())
    assert evaluated == float(tiny.loss(never, batch, tiny.CHANCE).detach())
    assert evaluated not in drawn


@pytest.mark.parametrize("turn", [0, 1])
def test_both_passes_over_a_batch_draw_their_own(tiny, combination, turn):
    model, batch = tiny.model_of(combination), tiny.batch(tiny.examples(3))
    first = float(tiny.loss(model, batch, Chance(1, 2)).detach())
    other = float(tiny.loss(model, batch, Chance(1, 2, turn=turn)).detach())
    assert (first == other) == (turn == 0)


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.3, 1.0])
def test_draws_have_the_stated_rate(rate):
    keys = dropout.mix(torch.arange(40_000))
    share = float(dropout.drawn(keys, rate).double().mean())
    assert abs(share - rate) <= 5 * (rate * (1 - rate) / len(keys)) ** 0.5


def test_words_are_dropped_whole_at_the_stated_rate():
    layer, layout = dropout.Dropout(0.25), Layout((10,) * 400, CPU)
    keys = dropout.example_keys(Chance(1, 1), torch.arange(400))
    vectors = torch.full((4000, 8), 3.0, dtype=torch.float64)
    dropped = layer.words(vectors, keys, layout)
    assert torch.equal(dropped.amin(1), dropped.amax(1))
    assert sorted(set(dropped[:, 0].tolist())) == [0.0, pytest.approx(4.0, abs=1e-12)]
    share = float((dropped[:, 0] == 0).double().mean())
    assert abs(share - 0.25) < 5 * (0.25 * 0.75 / 4000) ** 0.5
    assert layer.words(vectors, None, layout) is vectors


def test_no_generator_is_read(tiny, combination):
    torch.manual_seed(1)
    model = tiny.model_of(combination)
    batch = tiny.batch(tiny.examples(3))
    before = torch.get_rng_state()
    first = tiny.gradients(model, [batch])
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    again = tiny.gradients(tiny.model_of(combination), [batch])
    assert first[0] == again[0]
    assert all(torch.equal(first[1][name], again[1][name]) for name in first[1])


def test_each_site_draws_its_own(tiny, combination):
    model = tiny.model_of(combination)
    numbers = [m.number for m in model.modules() if isinstance(m, dropout.Dropout)]
    assert len(numbers) > 4
    assert len(set(numbers)) == len(numbers)
