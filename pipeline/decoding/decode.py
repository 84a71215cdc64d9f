"""Decode any number of sources: sorted by length into batches, given back in the order they came.

Batches depend on the sources and `batch_sentences` alone, so that whoever spreads them over
processes gets the same results from any number of them.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, Self

import torch
from pydantic import Field, SerializeAsAny, model_validator

from pipeline.batches.batch import Batch, Ragged
from pipeline.choose import chosen
from pipeline.decoding import SEARCHES
from pipeline.decoding.allowed import AnyAllowed, Speller
from pipeline.decoding.automata import Automaton
from pipeline.decoding.beam import Beam
from pipeline.decoding.found import Found
from pipeline.decoding.invariant import Invariant, level_batches
from pipeline.decoding.search import Search
from pipeline.models.seam import Searchable
from pipeline.settings import Settings

Ids = Sequence[int]


class Decoding(Settings):
    """The section `decoding`: which search, how many hypotheses, in which precision."""

    search: Annotated[SerializeAsAny[Search], chosen(SEARCHES)] = Beam()
    """{kind: beam, diverse_beam, greedy or sampling, its fields…}."""
    allowed: AnyAllowed | None = None
    """What a hypothesis may be at all: {kind: texts or grammar, its fields…}; null: anything."""
    n_best: int = Field(default=1, ge=1)
    """Hypotheses kept for each source, best first."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Precision of the model's products; scores are summed in float64."""
    batch_invariant: bool = False
    """Give a source the same result to the last bit in any batch, for more work."""

    alignments: int = Field(default=4, ge=0)
    """Rows of each test set, the first ones, whose attention is drawn in the report: that of the
    best hypothesis, where the decoder has any. A package does not depend on it."""

    @model_validator(mode="after")
    def _n_best_has_places(self) -> Self:
        if self.n_best > self.search.most():
            raise ValueError(f"n_best is {self.n_best}, but the search finds {self.search.most()}")
        return self

    def automaton(self, pieces: Speller) -> Automaton | None:
        """What is allowed, spelled in these pieces."""
        return None if self.allowed is None else self.allowed.automaton(pieces)


def decode(
    model: Searchable,
    sources: Sequence[Ids],
    search: Search,
    *,
    n_best: int = 1,
    batch_sentences: int = 64,
    device: torch.device | str = "cpu",
    prefixes: Sequence[Ids] | None = None,
    allowed: Automaton | None = None,
    batch_invariant: bool = False,
) -> list[list[Found]]:
    """The n-best of each source (ids with EOS) in the order given. `model` lies on `device`."""
    found: list[list[Found]] = [[] for _ in sources]
    if batch_invariant:
        model = Invariant(model, search.most())
    for rows in batches(list(map(len, sources)), batch_sentences, batch_invariant):
        starts = None if prefixes is None else [prefixes[row] for row in rows]
        batch = source_batch([sources[row] for row in rows]).to(device)
        with torch.inference_mode():
            results = search.find(model, batch, n_best=n_best, prefixes=starts, allowed=allowed)
        for row, result in zip(rows, results, strict=True):
            found[row] = result
    return found


def batches(lengths: Sequence[int], sentences: int, invariant: bool) -> Iterator[list[int]]:
    """Rows in batches, whose lengths are similar, or equal where nothing may depend on them."""
    return level_batches(lengths, sentences) if invariant else length_batches(lengths, sentences)


def length_batches(lengths: Sequence[int], batch_sentences: int) -> Iterator[list[int]]:
    """Rows in batches of similar lengths, longest first: too little memory shows at once."""
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    for start in range(0, len(order), batch_sentences):
        yield order[start : start + batch_sentences]


def source_batch(sources: Sequence[Ids]) -> Batch:
    """A batch of sources without targets, on the CPU."""
    values = torch.tensor([id for source in sources for id in source], dtype=torch.int64)
    return Batch(
        source=Ragged(values, tuple(map(len, sources))),
        prefix=None,
        target=None,
        index=torch.arange(len(sources)),
    )
