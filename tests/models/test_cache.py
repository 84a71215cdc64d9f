"""The cache of self-attention: columns that nobody looks at are used again."""

import torch

from pipeline.models.cache import STRIDE, no_columns


def step(cache, number):
    """One step, whose keys hold the step's number, and values half of it."""
    cache = cache.grown()
    sources, beams, _ = cache.bias.shape
    numbers = torch.full((sources * beams, 6), float(number))
    for layer in range(2):
        cache.fill(layer, numbers, numbers / 2)
    return cache


def seen(cache, layer, source, beam):
    """The numbers that a hypothesis looks at, in order."""
    keys, values = (one[source, :, cache.bias[source, beam] == 0] for one in cache.of(layer))
    assert torch.equal(values * 2, keys)
    assert (keys == keys[:1, :, :1]).all()
    return sorted(keys[0, :, 0].tolist())


def walk(steps, beams, steady=False):
    """Hypotheses that all go on from the first one, every step."""
    like = torch.zeros(1)
    cache = no_columns(like, layers=2, sources=2, groups=3, width=2, steady=steady)
    for number in range(steps):
        cache = step(cache, number)
        cache = cache.select(None, torch.zeros(2, beams, dtype=torch.int64))
    return cache


def test_every_hypothesis_looks_at_what_it_said():
    cache = walk(40, beams=3)
    for source in range(2):
        for beam in range(3):
            assert seen(cache, 1, source, beam) == list(range(40))


def test_there_are_little_more_columns_than_steps_and_hypotheses():
    assert walk(40, beams=3).width <= 40 + 3 + STRIDE


def test_steady_the_width_follows_from_the_steps_alone():
    cache = walk(40, beams=3, steady=True)
    assert cache.used == 1 + 39 * 3
    assert cache.width == 128
    assert seen(cache, 1, source=1, beam=2) == list(range(40))


def test_sources_and_hypotheses_that_leave_take_their_columns_along():
    cache = step(walk(5, beams=2), 5)
    kept = cache.select(torch.tensor([1]), torch.tensor([[1, 0, 1]]))
    assert len(kept.of(0)[0]) == 1
    assert [seen(kept, 0, 0, beam) for beam in range(3)] == [[0, 1, 2, 3, 4, 5]] * 3
    own = (kept.bias[0] == 0).int().tolist()
    assert own[0] == own[2] != own[1]


def test_when_a_source_leaves_the_last_one_alone_is_copied():
    cache = step(walk(3, beams=1), 3)
    cache.columns[:, :, 1] += 10
    before = cache.columns.clone()
    kept = cache.select(torch.tensor([1]), torch.tensor([[0]]))
    assert kept.columns.data_ptr() == cache.columns.data_ptr()
    assert torch.equal(kept.columns[:, :, 1], before[:, :, 1])
    assert torch.equal(kept.of(0)[0], before[0, 0, 1:, :, : kept.width])


def test_what_nobody_wrote_has_no_weight_that_counts():
    """A masked column's value times a weight of 0 is added: it must be a number."""
    assert walk(3, beams=3).columns.isfinite().all()


def test_room_that_is_new_is_empty_and_what_was_there_stays():
    cache = walk(3, beams=3)
    room = cache.columns.shape[4]
    torch.use_deterministic_algorithms(True)  # which fills fresh memory with NaN
    try:
        wider = cache._with_room(room + 1)
    finally:
        torch.use_deterministic_algorithms(False)
    assert torch.equal(wider[:, :, :, :, :room], cache.columns[:, :, : len(cache.bias)])
    assert not wider[:, :, :, :, room:].any()
    assert wider.shape[4] > room
