"""Law: stepping with a state = the teacher-forced pass; also after `select` in any order."""

import pytest
import torch

from pipeline.batches.batch import BOS, EOS


@pytest.fixture
def model(tiny, combination):
    return tiny.model_of(combination)


def forced(tiny, model, source, prefix):
    """The teacher-forced log-probabilities and attention after the last id of a prefix."""
    flat, attention = tiny.log_probs(model, tiny.batch([(source, prefix)]))
    return flat[-1], attention[-1]


def check(tiny, model, sources, prefixes, log_probs, attention):
    for n, row in enumerate(prefixes):
        for k, prefix in enumerate(row):
            if EOS in prefix:  # an empty place
                continue
            expected, looked = forced(tiny, model, sources[n], prefix)
            assert tiny.largest(log_probs[n, k], expected) < 1e-9
            if not model.settings.decoder.attends:
                assert attention is None
                continue
            assert tiny.largest(attention[n, k, : len(sources[n])], looked) < 1e-9
            assert float(attention[n, k, len(sources[n]) :].sum()) == 0


def test_one_step_is_the_forced_pass(tiny, model):
    sources = [[4, 5, 6, 3], [7, 3]]
    state = model.encode(tiny.batch([(source, []) for source in sources]), attention=True)
    ids = torch.full((2, 1), BOS)
    log_probs, attention, state = model.advance(ids, state)
    check(tiny, model, sources, [[[]], [[]]], log_probs, attention)
    log_probs, attention, _ = model.advance(torch.tensor([[5], [6]]), state)
    check(tiny, model, sources, [[[5]], [[6]]], log_probs, attention)


@pytest.mark.parametrize("seed", [0, 1])
def test_any_walk_of_selections_is_the_forced_pass(tiny, model, seed):
    draw = torch.Generator().manual_seed(seed)
    sources = [source for source, _ in tiny.examples(4, seed=seed)]
    state = model.encode(tiny.batch([(source, []) for source in sources]), attention=True)
    prefixes = [[[]] for _ in sources]
    ids = torch.full((4, 1), BOS)
    for step in range(20):
        log_probs, attention, state = model.advance(ids, state)
        if step % 3 == 0:
            check(tiny, model, sources, prefixes, log_probs, attention)
        kept = None
        if step in (2, 5, 9):  # a source leaves, the others change places
            kept = torch.randperm(len(sources), generator=draw)[:-1]
            sources = [sources[n] for n in kept]
            prefixes = [prefixes[n] for n in kept]
        width = int(torch.randint(1, 4, (), generator=draw))
        beams = torch.randint(len(prefixes[0]), (len(sources), width), generator=draw)
        ids = torch.randint(4, tiny.VOCABULARY, beams.shape, generator=draw)
        state = state.select(kept, beams)
        prefixes = [
            [[*row[int(b)], int(i)] for b, i in zip(beams[n], ids[n], strict=True)]
            for n, row in enumerate(prefixes)
        ]


def test_empty_places_change_nothing_in_the_others(tiny, model):
    sources = [source for source, _ in tiny.examples(3, seed=5)]
    state = model.encode(tiny.batch([(source, []) for source in sources]), attention=True)
    _, _, state = model.advance(torch.full((3, 1), BOS), state)
    prefixes = [[[]] for _ in sources]
    walk = [
        ([[0, 0, 0], [0, 0, 0], [0, 0, 0]], [[4, 5, EOS], [6, EOS, EOS], [EOS, EOS, 7]]),
        ([[1, 0, 1], [0, 0, 0], [2, 2, 2]], [[8, EOS, 9], [EOS, 4, 5], [EOS, 6, EOS]]),
        ([[2, 0, 2], [2, 1, 2], [1, 1, 1]], [[4, 5, 6], [7, 8, 9], [4, 5, 6]]),
    ]
    for beams, ids in walk:
        state = state.select(None, torch.tensor(beams))
        log_probs, attention, state = model.advance(torch.tensor(ids), state)
        prefixes = [
            [[*row[beam], id] for beam, id in zip(*step, strict=True)]
            for row, *step in zip(prefixes, beams, ids, strict=True)
        ]
        assert log_probs.isfinite().all()
        check(tiny, model, sources, prefixes, log_probs, attention)


def test_a_state_without_selections_grows_past_its_first_room(tiny, model):
    source, target = [4, 5, 6, 3], [4 + i % 7 for i in range(40)]
    state = model.encode(tiny.batch([(source, [])]))
    flat, _ = tiny.log_probs(model, tiny.batch([(source, target)]))
    for place, number in enumerate([BOS, *target]):
        log_probs, attention, state = model.advance(torch.tensor([[number]]), state)
        assert (attention is None) is not model.settings.generator.needs_attention
        assert tiny.largest(log_probs[0, 0], flat[place]) < 1e-9


def test_a_state_is_used_once(tiny, model):
    state = model.encode(tiny.batch([([4, 3], [])]))
    model.advance(torch.tensor([[BOS]]), state)
    with pytest.raises(AssertionError, match="a state was used twice"):
        model.advance(torch.tensor([[BOS]]), state)
    with pytest.raises(AssertionError, match="a state was used twice"):
        state.select(None, torch.tensor([[0]]))


def test_keeping_all_sources_moves_nothing_fixed(tiny, model):
    state = model.encode(tiny.batch([([4, 3], []), ([5, 6, 3], [])]))
    _, _, state = model.advance(torch.full((2, 1), BOS), state)
    before = dict(state.fixed)
    after = state.select(None, torch.tensor([[0, 0], [0, 0]]))
    assert all(after.fixed[name] is value for name, value in before.items())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_in_lower_precision_stepping_differs_by_no_more_than_rounding(tiny, combination, precision):
    rough = tiny.model_of(combination, precision=precision)
    source, target = [4, 5, 6, 3], [5, 6, 7, 8]
    batch = tiny.batch([(source, target)])
    flat, _ = tiny.log_probs(rough, batch)
    true, _ = tiny.log_probs(tiny.exact(rough), batch)
    noise = tiny.largest(flat, true)
    assert noise > 0
    state = rough.encode(tiny.batch([(source, [])]))
    for place, number in enumerate([BOS, *target]):
        log_probs, _, state = rough.advance(torch.tensor([[number]]), state)
        assert tiny.largest(log_probs[0, 0], flat[place]) <= 4 * noise
