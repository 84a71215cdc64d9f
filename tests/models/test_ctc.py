"""The loss on the encoder: which examples it can use, and what it leaves alone."""

import pytest
import torch

from pipeline.batches.batch import Ragged
from pipeline.models.ctc import states_needed
from pipeline.problems import Problem

COPYING = "transformer, copying, ctc"


def targets(*rows):
    """Targets with EOS."""
    values = [number for row in rows for number in (*row, 3)]
    return Ragged(torch.tensor(values), tuple(len(row) + 1 for row in rows))


def test_a_label_needs_a_state_and_two_equal_ones_a_blank_between_them():
    rows = ([7, 7, 5], [], [], [4, 4, 4], [5], [5], [5, 6, 5])
    assert states_needed(targets(*rows)).tolist() == [4, 0, 0, 5, 1, 1, 3]


def test_its_count_is_the_examples_that_fit(tiny):
    model = tiny.model_of(COPYING)
    pairs = [([4, 3], [5, 6, 7]), ([4, 5, 3], [5, 6, 7]), ([4, 5, 3], [5, 5, 7]), ([3], [])]
    counts = [model.counts(tiny.batch([pair]))["ctc"] for pair in pairs]
    assert counts == [0, 1, 0, 1]
    assert model.counts(tiny.batch(pairs)) == {"cross_entropy": 13, "coverage": 13, "ctc": 2}


def test_what_does_not_fit_adds_neither_loss_nor_gradient(tiny):
    model = tiny.model_of(COPYING)
    fits, too_long = ([4, 5, 3], [5, 6, 7]), ([4, 3], [5, 5, 6])
    both = model.losses(tiny.batch([fits, too_long]), None)["ctc"]
    alone = model.losses(tiny.batch([fits]), None)["ctc"]
    assert float(both.detach()) == pytest.approx(float(alone.detach()), abs=1e-9)
    assert float(alone.detach()) > 0
    model.losses(tiny.batch([too_long]), None)["ctc"].backward()
    slopes = [p.grad for p in model.parameters() if p.grad is not None]
    assert slopes
    assert all(float(slope.abs().max()) == 0 for slope in slopes)


def test_it_shapes_the_encoder_and_nothing_behind_it(tiny):
    model = tiny.model_of(COPYING)
    model.losses(tiny.batch(tiny.examples(4)), tiny.CHANCE)["ctc"].backward()
    moved = {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None}
    assert moved == {"encoder", "ctc", "tables"}


def test_a_model_without_it_has_neither_term_nor_weights(tiny):
    model = tiny.model_of("gru")
    assert model.ctc is None
    assert model.weights.keys() == {"cross_entropy"}
    assert not [name for name, _ in model.named_parameters() if name.startswith("ctc")]


def test_a_weight_of_nothing_is_a_problem(tiny):
    with pytest.raises(Problem, match=r"ctc\.weight"):
        tiny.model_of("gru", ctc={"weight": 0})


def test_many_sources_are_taken_chunk_by_chunk(tiny, monkeypatch):
    import pipeline.models.ctc as ctc

    model, batch = tiny.model_of(COPYING), tiny.batch(tiny.examples(7))
    whole = tiny.gradients(model, [batch])
    monkeypatch.setattr(ctc, "CHUNK", 2 * 7 * tiny.VOCABULARY)
    parts = tiny.gradients(model, [batch])
    assert parts[0] == pytest.approx(whole[0], abs=1e-9)
    assert tiny.largest(parts[1], whole[1]) < 1e-12
