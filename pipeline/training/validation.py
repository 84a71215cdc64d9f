"""Validation: the loss over held-out examples and a score of what greedy search makes of them.

The work is spread over the team in batches that do not depend on how many workers there are; sums
and texts are put together in the order of the batches, so that any number of workers find the same.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any, Protocol

import numpy as np

from pipeline.batches.collate import Examples
from pipeline.decoding.decode import decode, length_batches
from pipeline.decoding.greedy import Greedy
from pipeline.models.seam import Searchable
from pipeline.training.team import Team
from pipeline.training.weights import Learner

Ids = Sequence[int]
GREEDY = Greedy(max_length_ratio=2.0, max_length_extra=10)


def within(most_positions: int | None, longest_source: int) -> Greedy:
    """The greedy search of validations, for a decoder that takes so many positions (None: any)."""
    limit = int(GREEDY.max_length_ratio * longest_source) + GREEDY.max_length_extra
    if most_positions is None or limit <= most_positions:
        return GREEDY
    return Greedy(max_length_ratio=0.0, max_length_extra=most_positions)


class Validated(Learner, Searchable, Protocol):
    """A model that can be trained and searched."""


class StoppedError(Exception):
    """A validation was cut short, on every worker, by the wish to stop."""


@dataclass(frozen=True, slots=True)
class Validation:
    """Calling it with a model gives `loss` (nats per count, weighted) and a metric by its name."""

    examples: Examples
    team: Team
    batch_sentences: int
    texts: Callable[[Sequence[Ids]], list[str]]  # target ids → texts
    score: Callable[[Sequence[str], Sequence[str]], float]  # hypotheses, references → score
    metric: str = "bleu"  # the score's name
    search: Greedy = GREEDY
    stop: Callable[[], bool] = bool  # asked before every batch, on every worker

    def __call__(self, model: Validated) -> Mapping[str, float]:
        """The scores, the same on every worker; StoppedError where one is asked to stop."""
        lengths = self.examples.source_lengths.tolist()
        batches = list(length_batches(lengths, self.batch_sentences))
        mine = range(self.team.rank, len(batches), self.team.count)
        done: list[dict[str, Any]] | None = []
        for number in mine:
            if self.stop():
                done = None
                break
            done.append(self._batch(model, number, batches[number]))
        everyone = self.team.gather(done)
        if None in everyone:
            raise StoppedError
        parts = sorted(chain.from_iterable(everyone), key=itemgetter("number"))
        hypotheses = {row: text for part in parts for row, text in part["texts"]}
        targets = self.examples.ids(np.arange(self.examples.count))[1]
        references = self.texts([ids.tolist() for ids in targets])
        ordered = [hypotheses[row] for row in range(self.examples.count)]
        return {"loss": _loss(model, parts), self.metric: self.score(ordered, references)}

    def _batch(self, model: Validated, number: int, rows: list[int]) -> dict[str, Any]:
        """What one batch adds: sums and counts of each term, and its texts by row."""
        numbers, device = np.array(rows), self.team.device
        batch = self.examples.batch(numbers, np.arange(len(rows))).to(device)
        losses = {term: float(loss) for term, loss in model.losses(batch, None).items()}
        sources = [ids.tolist() for ids in self.examples.ids(numbers)[0]]
        found = decode(model, sources, self.search, batch_sentences=len(rows), device=device)
        texts = self.texts([best[0].ids for best in found])
        return {
            "number": number,
            "losses": losses,
            "counts": dict(model.counts(batch)),
            "texts": list(zip(rows, texts, strict=True)),
        }


def _loss(model: Validated, parts: list[dict[str, Any]]) -> float:
    """The weighted sum of the terms, each the mean over the whole set."""
    total = 0.0
    for term, weight in model.weights.items():
        count = sum(part["counts"].get(term, 0) for part in parts)
        if count:
            loss = math.fsum(part["losses"].get(term, 0.0) for part in parts)
            total += weight * loss / count
    return total
