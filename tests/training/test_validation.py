"""Validation: exact, and the same for any number of workers."""

import pytest
import torch

from pipeline.training.team import Team
from pipeline.training.validation import GREEDY, Validation, within


@pytest.fixture(scope="module")
def examples(engine, tmp_path_factory):
    return engine.write_examples(tmp_path_factory.mktemp("examples"), rows=23)


def texts(ids):
    return [" ".join(map(str, sequence)) for sequence in ids]


def share_equal(hypotheses, references):
    """A stand-in for BLEU that sees order: where each hypothesis stands among equal ones."""
    assert all(isinstance(text, str) for text in hypotheses)
    pairs = enumerate(zip(hypotheses, references, strict=True))
    return sum(i * len(h) + len(r) / 7 for i, (h, r) in pairs)


def validation(examples, team, batch_sentences=4):
    return Validation(examples, team, batch_sentences, texts, share_equal)


def test_the_loss_is_the_mean_over_all_target_ids(engine, examples):
    model = engine.tiny_model()
    rows = torch.arange(examples.count).numpy()
    batch = examples.batch(rows, rows)
    with torch.no_grad():
        (expected,) = model.losses(batch, None).values()
        found = validation(examples, Team())(model)["loss"]
    assert found == pytest.approx(float(expected) / sum(batch.target.lengths), rel=1e-12)


def test_its_search_stays_within_the_positions_that_a_decoder_takes():
    assert within(None, 300) is GREEDY
    assert within(30, 10) is GREEDY  # which writes 2 · 10 + 10 ids at most
    short = within(29, 10)
    assert (short.max_length_ratio, short.max_length_extra) == (0, 29)


@pytest.mark.parametrize("workers", [2, 3, 9])
def test_any_number_of_workers_finds_the_same_to_the_bit(engine, examples, workers):
    with torch.no_grad():
        alone = validation(examples, Team())(engine.tiny_model())

    def work(team):
        with torch.no_grad():
            return validation(examples, team)(engine.tiny_model())

    assert engine.Threads(workers).run(work) == [alone] * workers


def test_references_are_the_stored_targets_in_order(engine, examples):
    seen = []

    def keep(hypotheses, references):
        seen.append(references)
        return 0.0

    with torch.no_grad():
        Validation(examples, Team(), 5, texts, keep)(engine.tiny_model())
    targets = examples.ids(torch.arange(examples.count).numpy())[1]
    assert seen == [texts(ids.tolist() for ids in targets)]
