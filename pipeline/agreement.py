"""What one section of params.yaml asks of another: told before a stage runs, not when it is met.

    pieces, encoding, model, decoding ─► a Problem, or nothing

A section alone is checked where it is parsed, and shards, piece models and weights where they are
read; but a stage reads its own sections only, and the last one should not undo the work of all.
"""

from pathlib import Path
from typing import Annotated

from pydantic import SerializeAsAny

from pipeline.choose import chosen
from pipeline.decoding.automata import START
from pipeline.decoding.constraints import Lengths
from pipeline.decoding.decode import Decoding
from pipeline.models.settings import ModelSettings
from pipeline.pieces import TRAINERS
from pipeline.pieces.pieces import Pieces
from pipeline.pieces.trainer import Trainer
from pipeline.problems import Problem
from pipeline.settings import Settings
from pipeline.shards.encoding import Encoding

STAGES = frozenset({"pieces", "encode", "train", "decode"})  # which read the sections


class Sections(Settings):
    """The sections of params.yaml that a model, its data and its search have to agree on."""

    pieces: Annotated[SerializeAsAny[Trainer], chosen(TRAINERS)]
    encoding: Encoding
    model: ModelSettings
    decoding: Decoding


def check_sections(sections: Sections) -> None:
    """Raise a Problem where the sections do not go together, whatever the data."""
    model, limits = sections.model, sections.encoding
    model.check_pieces(shared=sections.pieces.shared)
    source, target = limits.max_source_pieces, limits.max_target_pieces
    model.check_lengths(source=source, target=target, told="encoding allows")
    search = sections.decoding.search
    most = Lengths(search.max_length_ratio, search.max_length_extra).longest(source)
    _check_written(
        model,
        most,
        f"decoding.search may write {most} ids of a source of {source}",
        "lower decoding.search.max_length_ratio, or encoding.max_source_pieces",
    )
    _check_coverage(model, sections.decoding)


def check_allowed(sections: Sections, pieces: Path) -> None:
    """Raise a Problem where these pieces cannot spell what `decoding.allowed` says."""
    allowed = sections.decoding.automaton(Pieces.read(pieces))
    if allowed is not None:
        least = int(allowed.distances[START])
        what = f"the shortest output of decoding.allowed has {least} ids"
        _check_written(sections.model, least, what, "allow shorter ones")


def _check_written(model: ModelSettings, ids: int, what: str, remedy: str) -> None:
    """A decoder reads BOS and all but the last of the ids that it writes."""
    longest = model.decoder.longest()
    if longest is not None and ids > longest:
        raise Problem(
            f"{what}, more than the {longest} positions that the decoder takes",
            where="params.yaml, model.decoder.max_positions",
            value=longest,
            remedy=f"raise it to {ids}, or {remedy}",
        )


def _check_coverage(model: ModelSettings, decoding: Decoding) -> None:
    penalty = decoding.search.formula().coverage_penalty
    if penalty and not model.decoder.attends:
        raise Problem(
            "a coverage penalty needs attention, and this decoder has none",
            where="params.yaml, decoding.search.coverage_penalty",
            value=penalty,
            remedy="set it to 0, or model.decoder.attention.kind: additive",
        )
