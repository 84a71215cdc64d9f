"""The score of given targets: what a search would have given them, had it found them."""

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from pipeline.batches.batch import BOS, EOS, Batch, Ragged
from pipeline.decoding.coverage import no_coverage
from pipeline.decoding.decode import Ids, length_batches, source_batch
from pipeline.decoding.found import Found
from pipeline.decoding.normalisation import Formula, Normalisation, Sum
from pipeline.models.seam import Searchable

SUM = Sum()


def score(
    model: Searchable,
    sources: Sequence[Ids],
    targets: Sequence[Ids],
    formula: Formula,
    *,
    batch_sentences: int = 64,
) -> list[Found]:
    """The score of each source's (with EOS) target (without), in the order given."""
    found: dict[int, Found] = {}
    for rows in length_batches(list(map(len, targets)), batch_sentences):
        batch = source_batch([sources[row] for row in rows])
        ends = source_batch([[*targets[row], EOS] for row in rows]).source
        scored = score_targets(
            model,
            Batch(batch.source, None, ends, batch.index),
            normalisation=formula.normalisation,
            coverage_penalty=formula.coverage_penalty,
        )
        found |= zip(rows, scored, strict=True)
    return [found[row] for row in range(len(sources))]


@torch.inference_mode()
def score_targets(
    model: Searchable,
    batch: Batch,
    *,
    normalisation: Normalisation = SUM,
    coverage_penalty: float = 0.0,
) -> list[Found]:
    """Each source's own target (ids and EOS) as a found hypothesis. The batch has targets."""
    assert batch.target is not None, "targets are what is scored"
    targets, lengths = _padded(batch.target), batch.target.device_lengths()
    state = model.encode(batch, attention=coverage_penalty > 0)
    coverage = no_coverage(batch.source.lengths, targets)
    totals = torch.zeros(batch.count, 1, dtype=torch.float64, device=targets.device)
    ids = torch.full_like(targets[:, :1], BOS)
    for step in range(targets.shape[1]):
        log_probs, attention, state = model.advance(ids, state)
        ids = targets[:, step : step + 1]
        real = (step < lengths)[:, None]
        totals += log_probs.gather(2, ids[:, :, None])[:, :, 0].where(real, 0.0)
        if coverage_penalty:
            coverage = coverage.add(_while_real(attention, real))
    scores = normalisation.score(totals, lengths[:, None])
    if coverage_penalty:
        scores = scores + coverage_penalty * coverage.penalty()
    return _records(batch.target, totals[:, 0].tolist(), scores[:, 0].tolist())


def _while_real(attention: Tensor | None, real: Tensor) -> Tensor | None:
    """Attention of hypotheses that have not ended yet, 0 behind an end."""
    return None if attention is None else attention.where(real[:, :, None], 0.0)


def _padded(target: Ragged) -> Int[Tensor, "sources longest"]:
    """Targets side by side, EOS behind each one's end."""
    rows = target.values.split(target.lengths)
    return torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True, padding_value=EOS)


def _records(target: Ragged, totals: list[float], scores: list[float]) -> list[Found]:
    ids = [row.tolist() for row in target.values.split(target.lengths)]
    return [
        Found(tuple(one[:-1]), score, total, len(one))
        for one, score, total in zip(ids, scores, totals, strict=True)
    ]
