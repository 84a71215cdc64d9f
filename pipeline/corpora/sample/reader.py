"""The built-in corpus: sentences made from the Unicode CLDR and a small grammar; it needs no files.

Example row: `Row("sample:1", "sample", "train", "simple|Nina|read|novel", "Nina liest den Roman.",
"Nina reads the novel.", ("Nina reads the novel.",), "de", "en")`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from pipeline.arrow import RecordBatch
from pipeline.choose import nearest
from pipeline.corpora.corpus import Corpus
from pipeline.corpora.sample.generate import Drawn, generate
from pipeline.corpora.sample.grammars import LANGUAGES
from pipeline.records import SPLITS, Row, Split
from pipeline.rows import row_batch

BATCH_ROWS = 4096


class Sample(Corpus):
    """Pairs made from the seed: train, valid and test; test combines what train has seen apart."""

    pairs: int = Field(20_000, ge=1)
    """Pairs in train."""
    valid_share: float = Field(0.02, ge=0, le=1)
    """Pairs in valid, as a share of those in train."""
    test_share: float = Field(0.04, ge=0, le=1)
    """Pairs in test, as a share of those in train."""
    held_out_percent: int = Field(3, ge=1, le=50)
    """Combinations of template and slots that only valid and test may hold."""
    seed: int = 1
    """Another seed is another corpus."""

    @model_validator(mode="after")
    def _know_languages(self) -> Self:
        for code in (self.source_language, self.target_language):
            if code not in LANGUAGES:
                raise ValueError(f"the sample has no '{code}': {nearest(code, LANGUAGES)}")
        if self.source_language == self.target_language:
            raise ValueError("source_language and target_language are the same")
        return self

    def files(self, folder: Path) -> tuple[Path, ...]:
        """None: the corpus is made, not read."""
        return ()

    def batches(self, folder: Path) -> Iterator[RecordBatch]:
        """All rows: train, valid, test."""
        parts = generate(
            (self.source_language, self.target_language),
            pairs=self.pairs,
            valid=round(self.pairs * self.valid_share),
            test=round(self.pairs * self.test_share),
            held_out_percent=self.held_out_percent,
            seed=self.seed,
        )
        rows = self._rows(parts)
        for first in range(0, len(rows), BATCH_ROWS):
            yield row_batch(rows[first : first + BATCH_ROWS])

    def _rows(self, parts: tuple[list[Drawn], list[Drawn], list[Drawn]]) -> Sequence[Row]:
        placed: list[tuple[Split, Drawn]] = [
            (split, drawn) for split, part in zip(SPLITS, parts, strict=True) for drawn in part
        ]
        return [
            Row(
                id=f"{self.name}:{position}",
                corpus=self.name,
                split=split,
                group=drawn.combination,
                source=drawn.source,
                target=drawn.target,
                references=(drawn.target,),
                source_language=self.source_language,
                target_language=self.target_language,
            )
            for position, (split, drawn) in enumerate(placed, start=1)
        ]
