"""The laws of score, search and batch once more, for both models instead of tables."""

import math

import pytest
import torch

from pipeline.batches.batch import Batch, Ragged
from pipeline.decoding.beam import Beam
from pipeline.decoding.decode import decode
from pipeline.decoding.ensemble import Ensemble
from pipeline.decoding.greedy import Greedy
from pipeline.decoding.normalisation import GNMT, Mean, Sum
from pipeline.decoding.scoring import score_targets
from pipeline.models.seq2seq import ModelSettings, build

V = 11
SOURCES = [[4, 5, 3], [6, 3], [5, 5, 6, 4, 10, 9, 3], [4, 3], [7, 8, 8, 3], [3]]
PREFIXES = [[5], [], [1, 8, 8], [4, 4], [6], [10, 9]]
ADDITIVE = {"kind": "additive", "attention_units": 5}
GRU = {"kind": "gru", "layers": 1, "units": 6, "dropout": 0.3}
TRANSFORMER = {
    "kind": "transformer", "layers": 2, "heads": 2, "feedforward": 12, "dropout": 0.3,
}  # fmt: skip
DECODERS = {"transformer": TRANSFORMER, "gru": {**GRU, "attention": ADDITIVE}}
KINDS = ("transformer", "gru")
BOTH = pytest.mark.parametrize("kind", KINDS)


def tiny(kind, *, precision="fp64", seed=1):
    """A model with opinions: its weights are larger than at the start of a training."""
    settings = ModelSettings(
        width=8,
        front={"kind": "ids"},
        encoder={"transformer": TRANSFORMER, "gru": GRU}[kind],
        decoder=DECODERS[kind],
        generator={"kind": "softmax", "label_smoothing": 0.0},
        embeddings="tied",
    )
    model = build(settings, V, V, shared=True, precision=precision, seed=seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.7)
    return model


def taught(model, source, ids):
    """The teacher-forced Step of a target (EOS included) and its log-probabilities [T, V]."""
    flat = lambda one: Ragged(torch.tensor(one), (len(one),))  # noqa: E731
    batch = Batch(flat(source), flat([2, *ids[:-1]]), flat(ids), torch.tensor([0]))
    step = model.teach(batch, model.read(batch, None), None, attention=True)
    logits = (step.output @ model.table("output").weight.to(step.output.dtype).T).double()
    return batch, step, logits.log_softmax(-1)


def forced_sum(model, source, ids):
    batch, _, _ = taught(model, source, ids)
    return -model.losses(batch, None)["cross_entropy"].item()


def close(value, expected):
    assert math.isclose(value, expected, rel_tol=0, abs_tol=1e-9), (value, expected)


@BOTH
@pytest.mark.parametrize("prefixes", [None, PREFIXES])
def test_the_score_of_a_found_hypothesis_is_minus_the_loss_of_its_text(kind, prefixes):
    model = tiny(kind)
    results = decode(model, SOURCES, Beam(beam_size=4), n_best=4, prefixes=prefixes)
    for row, (source, found) in enumerate(zip(SOURCES, results, strict=True)):
        assert len({one.ids for one in found}) == 4
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
        for one in found:
            if prefixes is not None:
                assert list(one.ids[: len(prefixes[row])]) == prefixes[row]
            total = forced_sum(model, source, [*one.ids, 3])
            close(one.log_probability, total)
            close(one.score, total / one.length)


@BOTH
def test_a_coverage_penalty_is_that_of_the_forced_attention(kind):
    model = tiny(kind)
    search = Beam(beam_size=3, coverage_penalty=0.7, normalisation=GNMT())
    for source, found in zip(SOURCES, decode(model, SOURCES, search, n_best=3), strict=True):
        for one in found:
            _, step, log_probs = taught(model, source, [*one.ids, 3])
            looked = step.attention.reshape(-1, len(source)).sum(0).double().clamp(1e-9, 1.0)
            total = log_probs.gather(1, torch.tensor([[*one.ids, 3]]).T).sum().item()
            close(one.log_probability, total)
            penalty = 0.7 * looked.log().sum().item()
            close(one.score, total / ((5 + one.length) / 6) ** 0.6 + penalty)


def test_the_score_of_an_ensemble_is_forced_under_the_mean_of_probabilities():
    models = [tiny("transformer"), tiny("gru", seed=2)]
    results = decode(Ensemble(models), SOURCES, Beam(beam_size=3), n_best=3)
    for source, found in zip(SOURCES, results, strict=True):
        for one in found:
            ids = [*one.ids, 3]
            mixed = sum(taught(model, source, ids)[2].exp() for model in models) / 2
            assert (mixed.sum(-1) - 1).abs().max() < 1e-9
            close(one.log_probability, mixed.log().gather(1, torch.tensor([ids]).T).sum().item())


@BOTH
def test_beam_with_places_for_everything_is_enumeration(markov, kind):
    model, source, limit = tiny(kind), [4, 9, 3], 3
    targets = list(markov.every_target(V, limit))
    expected = sorted((forced_sum(model, source, ids) / len(ids), ids) for ids in targets)[::-1]
    search = Beam(beam_size=len(targets), max_length_ratio=0, max_length_extra=limit)
    (found,) = decode(model, [source], search, n_best=len(targets))
    assert [(*one.ids, 3) for one in found] == [ids for _, ids in expected]
    for one, (score, _) in zip(found, expected, strict=True):
        close(one.score, score)


@BOTH
@pytest.mark.parametrize("places", [1, 2, 4])
def test_search_is_plain_beam_search(markov, kind, places):
    model = tiny(kind, seed=5)
    search = Beam(beam_size=places, max_length_ratio=0, max_length_extra=7)
    for source, found in zip(
        SOURCES[:4], decode(model, SOURCES[:4], search, n_best=places), strict=True
    ):
        following = lambda ids, s=source: taught(model, s, [*ids, 3])[2][-1].tolist()  # noqa: E731
        ended = markov.plain_beam(following, places, 7)
        expected = sorted(ended, key=lambda one: -one[1] / len(one[0]))
        assert [(*one.ids, 3) for one in found] == [ids for ids, _ in expected]


@BOTH
def test_beam_of_one_is_greedy(kind):
    model = tiny(kind)
    beams = decode(model, SOURCES, Beam(beam_size=1, normalisation=Sum()))
    assert beams == decode(model, SOURCES, Greedy())


@BOTH
@pytest.mark.parametrize("precision", ["fp64", "fp32", "bf16"])
def test_company_does_not_change_what_a_source_gets(kind, precision):
    """In float64 to 1e-9; in production's precisions up to rounding, which may swap ids in bf16."""
    model = tiny(kind, precision=precision)
    tolerance = {"fp64": 1e-9, "fp32": 1e-4, "bf16": 0.15}[precision]
    search = Beam(beam_size=3, coverage_penalty=0.2)
    together = decode(model, SOURCES, search, n_best=3)
    order = [4, 2, 0, 5, 1, 3]
    for batch_sentences in (1, 2):
        again = decode(
            model,
            [SOURCES[row] for row in order],
            search,
            n_best=3,
            batch_sentences=batch_sentences,
        )
        for row, found in zip(order, again, strict=True):
            if precision != "bf16":
                assert [one.ids for one in found] == [one.ids for one in together[row]]
            assert found[0].score == pytest.approx(together[row][0].score, abs=tolerance)


@BOTH
@pytest.mark.parametrize(("precision", "noise"), [("fp32", 1e-4), ("bf16", 0.1)])
def test_scores_in_productions_precisions_are_those_of_the_forced_pass(kind, precision, noise):
    """Noise: what the forced pass itself differs by from float64, in nats a token."""
    model = tiny(kind, precision=precision)
    for source, found in zip(SOURCES, decode(model, SOURCES, Beam(), n_best=2), strict=True):
        for one in found:
            total = forced_sum(model, source, [*one.ids, 3])
            assert abs(one.log_probability - total) <= noise * one.length


@BOTH
def test_given_targets_get_minus_their_loss(kind):
    model = tiny(kind)
    targets = [[4, 5], [], [8, 8, 8, 8], [6], [5, 7, 4], [10]]
    flat = lambda lists: torch.tensor([id for one in lists for id in one])  # noqa: E731
    ragged = lambda lists: Ragged(flat(lists), tuple(map(len, lists)))  # noqa: E731
    ends = [[*target, 3] for target in targets]
    batch = Batch(
        ragged(SOURCES), ragged([[2, *t] for t in targets]), ragged(ends), torch.arange(6)
    )
    scored = score_targets(model, batch, normalisation=Mean())
    for source, ids, one in zip(SOURCES, ends, scored, strict=True):
        close(one.log_probability, forced_sum(model, source, ids))
        close(one.score, one.log_probability / len(ids))
