"""Parts that do not go together, each found before anything is computed: what, where, remedy."""

from typing import Any

from pipeline.models.parts import DecoderSettings, FrontSettings, GeneratorSettings
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
            "set model.generator.kind: softmax, or give the decoder attention",
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
