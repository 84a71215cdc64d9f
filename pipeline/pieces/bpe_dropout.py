"""BPE-dropout (Provilkov et al. 2020, arXiv 1910.13267): merges that are left out now and then.

Example: ▁unrelated, whose merges all done give ▁unrelated, may stay ▁un related or ▁un rel ated.
Without dropout these are SentencePiece's own merges: always the earliest learned of those that are
possible, the leftmost first. No piece reaches past a space, so words are cut one by one.
"""

import re
from collections.abc import Mapping
from itertools import groupby, pairwise
from random import Random
from typing import Any

from pydantic import Field

from pipeline.pieces.sampler import Sampler, Segmenter, has_n_best
from pipeline.problems import Problem

SPACE = "\u2581"
UNKNOWN = 1


class BpeDropout(Sampler):
    """Merges of byte-pair pieces, each possible one left out with a probability."""

    rate: float = Field(0.1, ge=0, lt=1)
    """The probability with which a possible merge is passed over when the next one is chosen."""

    def segmenter(self, processor: Any) -> Segmenter:
        """Needs byte-pair pieces."""
        if has_n_best(processor):
            raise Problem(
                "unigram pieces have no merges that could be left out",
                where="params.yaml, encoding.subword_regularisation.kind",
                value="bpe_dropout",
                remedy="set it to n_best, or pieces.kind: bpe",
            )
        scores = _scores(processor)
        whole = sorted((piece for piece, score in scores.items() if score == 0), key=len)
        parts = re.compile("|".join([*map(re.escape, reversed(whole)), "."]), re.DOTALL)
        words = re.compile(f"{SPACE}[^{SPACE}]*")

        def segment(text: str, random: Random) -> list[int]:
            spaced = (SPACE + text).replace(" ", SPACE) if text else ""
            found = [
                _numbers(processor, scores, piece)
                for word in words.findall(spaced)
                for piece in merged(parts.findall(word), scores, self.rate, random)
            ]
            return _joined([number for numbers in found for number in numbers])

        return segment


def merged(parts: list[str], scores: Mapping[str, float], rate: float, random: Random) -> list[str]:
    """A word's parts, merged until nothing is left to merge or all of it is passed over."""
    while True:
        possible = [
            (-scores[left + right], place)
            for place, (left, right) in enumerate(pairwise(parts))
            if left + right in scores and random.random() >= rate
        ]
        if not possible:
            return parts
        _, place = min(possible)
        parts[place : place + 2] = [parts[place] + parts[place + 1]]


def _scores(processor: Any) -> dict[str, float]:
    """The pieces that text is made of, the earliest learned highest; 0: never left out.

    These are the user's symbols, and the first piece of all, which does no harm.
    """
    return {
        processor.id_to_piece(number): processor.get_score(number)
        for number in range(processor.get_piece_size())
        if not processor.is_byte(number)
        and not processor.is_control(number)
        and not processor.is_unknown(number)
    }


def _numbers(processor: Any, scores: Mapping[str, float], piece: str) -> list[int]:
    """The piece's id; what is none is spelt in bytes, which are unknown where there are none."""
    if piece in scores:
        return [processor.piece_to_id(piece)]
    return [processor.piece_to_id(f"<0x{byte:02X}>") for byte in piece.encode()]


def _joined(ids: list[int]) -> list[int]:
    """Unknown ids side by side are one, as SentencePiece has it."""
    return [
        number
        for known, numbers in groupby(ids, key=lambda number: number != UNKNOWN)
        for number in (numbers if known else [UNKNOWN])
    ]
