"""Parts that do not go together, each found before anything is computed: what, where, remedy."""

from typing import Any

from pipeline.models.parts import DecoderSettings, EncoderSettings, FrontSettings, GeneratorSettings
from pipeline.models.table import Embeddings
from pipeline.problems import Problem


def check_parts(
    front: FrontSettings,
    decoder: DecoderSettings,
    generator: GeneratorSettings,
    embeddings: Embeddings,
) -> None:
    """Raise a Problem where a part needs what another does not give."""
    if embeddings == "tied" and not front.reads_ids:
        raise _problem(
            "embeddings",
            "embeddings: tied needs a front end that reads ids",
            embeddings,
            "set model.embeddings: target",
        )
    if generator.copies and not front.reads_ids:
        raise _problem(
            "generator",
            "copying needs an id of the source at each state, and this front end has none",
            front,
            "set model.generator.kind: softmax, or model.front.kind: ids",
        )
    if generator.needs_attention and not decoder.attends:
        raise _problem(
            "generator",
            "this generator needs attention, and the decoder has none",
            decoder,
            "set model.generator.kind: softmax, or model.decoder.attention.kind: additive",
        )


def check_lengths(
    width: int,
    front: FrontSettings,
    encoder: EncoderSettings,
    decoder: DecoderSettings,
    *,
    source: int,
    target: int,
    told: str,
) -> None:
    """Raise a Problem where the longest source or target (bare) is more than a part can take."""
    states = front.build(width).lengths((source,))[0]
    for key, part, length in (("encoder", encoder, states), ("decoder", decoder, target + 1)):
        longest = part.longest()
        if longest is not None and length > longest:
            raise _problem(
                key,
                f"{told} sequences longer than the {longest} positions that the {key} takes",
                length,
                f"raise model.{key}.max_positions to {length} at least, or lower "
                f"encoding.max_{'source' if key == 'encoder' else 'target'}_pieces",
            )


def check_shape(front: FrontSettings, shape: tuple[int, ...]) -> None:
    """Raise a Problem where the positions of a source are not what the front end takes."""
    if shape != front.shape():
        raise _problem(
            "front",
            f"the front end takes positions of shape {front.shape()}",
            f"sources with positions of shape {shape}",
            "choose the front end, and its sizes, that belong to the sources",
        )


def check_vocabularies(generator: GeneratorSettings, embeddings: Embeddings) -> None:
    """Raise a Problem where one vocabulary of both sides is needed; there are two."""
    if embeddings == "tied":
        raise _problem(
            "embeddings",
            "one table for source and target needs shared pieces",
            embeddings,
            "set pieces.shared: true, or model.embeddings: target",
        )
    if generator.copies:
        raise _problem(
            "generator",
            "copying ids of the source needs shared pieces",
            generator,
            "set pieces.shared: true, or model.generator.kind: softmax",
        )


def _problem(key: str, what: str, value: Any, remedy: str) -> Problem:
    return Problem(what, where=f"params.yaml, model.{key}", value=value, remedy=remedy)
