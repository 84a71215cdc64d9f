"""The predictor: texts in, hypotheses out. It, and all that it imports, is in every package.

Example: `Predictor.read(folder).predict(["Ein Hund läuft."])` gives
`[(Hypothesis("A dog runs.", -0.1, -0.4, 4),)]`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from pipeline.decoding.beam import Beam
from pipeline.decoding.decode import Decoding, decode
from pipeline.decoding.scoring import score
from pipeline.decoding.texts import hypotheses, hypothesis
from pipeline.files import read_json
from pipeline.models.seam import Searchable
from pipeline.models.stored import read_model
from pipeline.pieces.pieces import Pieces
from pipeline.problems import Problem
from pipeline.records import Hypothesis
from pipeline.settings import parse

DECODING = "decoding.json"


class Predictor:
    """A model, its pieces and its decoding settings."""

    def __init__(
        self, model: Searchable, pieces: Pieces, decoding: Decoding, max_source_pieces: int
    ) -> None:
        self._model = model
        self._pieces = pieces
        self._decoding = decoding
        self._max_source_pieces = max_source_pieces
        self._allowed = decoding.automaton(pieces)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The predictor of a package's folder `model`."""
        facts: dict[str, Any] = read_json(folder / DECODING)
        decoding = parse(Decoding, facts["decoding"], str(folder / DECODING))
        model = read_model(folder, precision=decoding.precision)
        return cls(model, Pieces.read(folder / "pieces"), decoding, facts["max_source_pieces"])

    def predict(
        self,
        texts: Sequence[str],
        *,
        n_best: int | None = None,
        beam_size: int | None = None,
        batch_sentences: int = 64,
    ) -> list[tuple[Hypothesis, ...]]:
        """The hypotheses of each text, best first, in the order given.

        `n_best` and `beam_size` stand in for the stored settings. A source that is longer than
        sources were in training is cut as they were.
        """
        _check_texts(texts)
        decoding = _changed(self._decoding, n_best, beam_size)
        sources = [self._cut(ids) for ids in self._pieces.encode_source(texts)]
        found = decode(
            self._model,
            sources,
            decoding.search,
            n_best=decoding.n_best,
            batch_sentences=batch_sentences,
            allowed=self._allowed,
            batch_invariant=decoding.batch_invariant,
        )
        return hypotheses(self._pieces, found, str(decoding.search.formula()))

    def score(
        self, texts: Sequence[str], targets: Sequence[str], *, batch_sentences: int = 64
    ) -> list[Hypothesis]:
        """Each target as a hypothesis of the text at its place: what a search would have given it.

        The pieces spell a target in their own way, whatever else could spell it.
        """
        _check_texts(texts)
        _check_texts(targets)
        if len(texts) != len(targets):
            raise Problem(f"{len(texts)} texts need as many targets", value=len(targets))
        formula = self._decoding.search.formula()
        sources = [self._cut(ids) for ids in self._pieces.encode_source(texts)]
        ids = self._pieces.encode_target(targets)
        found = score(self._model, sources, ids, formula, batch_sentences=batch_sentences)
        return [
            hypothesis(text, one, str(formula)) for text, one in zip(targets, found, strict=True)
        ]

    def _cut(self, ids: list[int]) -> list[int]:
        most = self._max_source_pieces
        return ids if len(ids) <= most else [*ids[: most - 1], ids[-1]]


def _check_texts(texts: Sequence[str]) -> None:
    if isinstance(texts, str):
        raise Problem("expected a list of texts", value=texts, remedy="put it in a list")
    for number, text in enumerate(texts):
        where = f"input {number}"
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise Problem("expected text", where=where, value=text)
        try:
            text.encode()
        except UnicodeEncodeError:
            remedy = "half of a surrogate pair stands alone: mend the text where it comes from"
            raise Problem("no valid text", where=where, value=text, remedy=remedy) from None


def _changed(decoding: Decoding, n_best: int | None, beam_size: int | None) -> Decoding:
    """The stored settings, changed where asked for, and checked as those of params.yaml are."""
    fields: dict[str, Any] = decoding.model_dump()
    if n_best is not None:
        fields["n_best"] = n_best
    if beam_size is not None and beam_size != decoding.search.most():
        kept = {key: fields["search"][key] for key in Beam.model_fields if key in fields["search"]}
        fields["search"] = {**kept, "kind": "beam", "beam_size": beam_size}
    return parse(Decoding, fields, "parameters of predict")
