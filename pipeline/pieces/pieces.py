"""Pieces at work: a folder of piece models, and the normaliser that goes with them.

Example: `encode_source(["Ein  Hund"])` normalises to "Ein Hund" and gives `[[57, 212, 3]]`.
"""

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Self, cast

import sentencepiece

from pipeline.arrow import Array
from pipeline.files import digest, read_json, read_manifest, write_bytes, write_json, write_manifest
from pipeline.normalise import Normaliser
from pipeline.pieces.escape import SPACE, escape, unescape
from pipeline.pieces.ids import BOS, EOS, PAD
from pipeline.pieces.sampler import Draw, Sampler
from pipeline.problems import Problem
from pipeline.settings import parse

_FACTS = "pieces.json"


class Pieces:
    """Text to ids and back, for sources and for targets."""

    def __init__(self, models: tuple[bytes, ...], normaliser: Normaliser) -> None:
        processors = [_load(model) for model in models]
        self._source, self._target = processors[0], processors[-1]
        self.normaliser = normaliser
        self.shared = len(models) == 1
        self.source_vocabulary: int = self._source.get_piece_size()
        self.target_vocabulary: int = self._target.get_piece_size()
        hashes = [hashlib.sha256(model).hexdigest() for model in models]
        self.digest = digest({"models": hashes, "normaliser": normaliser.model_dump()})

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The pieces of a folder; a Problem where a file is missing, cut or altered."""
        read_manifest(folder)
        facts: dict[str, Any] = read_json(folder / _FACTS)
        normaliser = parse(Normaliser, facts["normaliser"], str(folder / _FACTS))
        return cls(tuple((folder / name).read_bytes() for name in facts["models"]), normaliser)

    def encode_source(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each source, normalised, EOS at the end."""
        return [[*ids, EOS] for ids in self._of_texts(self._source, texts)]

    def encode_target(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each target, normalised, neither BOS nor EOS."""
        return self._of_texts(self._target, texts)

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Texts of target ids. What follows EOS, PAD and BOS say nothing."""
        return _decode(self._target, ids)

    def decode_source(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Texts of source ids."""
        return _decode(self._source, ids)

    def source_ids(self, texts: Array) -> list[list[int]]:
        """`encode_source` of an Arrow array of texts."""
        normal = self.normaliser.array(texts).to_pylist()
        return [[*ids, EOS] for ids in _encode(self._source, normal)]

    def target_ids(self, texts: Array) -> list[list[int]]:
        """`encode_target` of an Arrow array of texts."""
        return _encode(self._target, self.normaliser.array(texts).to_pylist())

    def drawn_source_ids(self, texts: Array, rows: Sequence[str], draw: Draw) -> list[list[int]]:
        """As `source_ids`, but segmented as drawn for the rows of these ids."""
        randoms = [draw.random(row, "source") for row in rows]
        return [[*ids, EOS] for ids in self._drawn(self._source, texts, randoms, draw)]

    def drawn_target_ids(self, texts: Array, rows: Sequence[str], draw: Draw) -> list[list[int]]:
        """As `target_ids`, but segmented as drawn for the rows of these ids."""
        randoms = [draw.random(row, "target") for row in rows]
        return self._drawn(self._target, texts, randoms, draw)

    def check_sampler(self, sampler: Sampler) -> None:
        """A Problem where it cannot draw with these pieces."""
        sampler.segmenter(self._source)

    def _drawn(
        self, processor: Any, texts: Array, randoms: list[Random], draw: Draw
    ) -> list[list[int]]:
        segment = draw.sampler.segmenter(processor)
        normal = map(escape, self.normaliser.array(texts).to_pylist())
        return [segment(text, random) for text, random in zip(normal, randoms, strict=True)]

    def _of_texts(self, processor: Any, texts: Sequence[str]) -> list[list[int]]:
        try:
            "".join(texts).encode()
        except UnicodeEncodeError as error:
            raise Problem(
                "no valid text: half of a surrogate pair stands alone",
                value=ascii(error.object[max(error.start - 20, 0) : error.end + 20]),
                remedy="mend the text where it comes from",
            ) from None
        return _encode(processor, [self.normaliser.text(text) for text in texts])


def write_pieces(folder: Path, models: tuple[bytes, ...], normaliser: Normaliser) -> None:
    """One model (joint) or two (source, target), the facts, and the manifest last."""
    pieces = Pieces(models, normaliser)
    names = ("joint.model",) if pieces.shared else ("source.model", "target.model")
    for name, model in zip(names, models, strict=True):
        write_bytes(folder / name, model)
    facts = {
        "digest": pieces.digest,
        "models": names,
        "normaliser": normaliser.model_dump(),
        "shared": pieces.shared,
        "source_vocabulary": pieces.source_vocabulary,
        "target_vocabulary": pieces.target_vocabulary,
    }
    write_json(folder / _FACTS, facts)
    write_manifest(folder)


def _load(model: bytes) -> Any:
    try:
        return sentencepiece.SentencePieceProcessor(model_proto=model)
    except RuntimeError as error:
        raise Problem(f"no valid SentencePiece model: {error}") from None


def _encode(processor: Any, normal: Sequence[str]) -> list[list[int]]:
    escaped = [escape(text) for text in normal]
    return cast(list[list[int]], processor.encode(escaped, out_type=int, num_threads=1))


def _decode(processor: Any, ids: Sequence[Sequence[int]]) -> list[str]:
    spoken = [_spoken(each) for each in ids]
    texts = processor.decode(spoken) if spoken else []
    return [
        unescape(_spaced(text, bool(each) and processor.is_byte(each[0])))
        for text, each in zip(texts, spoken, strict=True)
    ]


def _spaced(text: str, starts_in_bytes: bool) -> str:
    """The text with its spaces: where words are spelt in bytes, the sign of a space is, too.

    The first word's space is SentencePiece's own, and is none of the text.
    """
    if SPACE not in text:
        return text
    return (text.removeprefix(SPACE) if starts_in_bytes else text).replace(SPACE, " ")


def _spoken(ids: Sequence[int]) -> list[int]:
    plain = [int(i) for i in ids]
    end = plain.index(EOS) if EOS in plain else sys.maxsize
    return [i for i in plain[:end] if i not in (PAD, BOS)]
