"""The model: front end, encoder, decoder and generator joined, and the tables of vectors they use.

Example: `Model.losses` of a batch with 24 target positions gives {"cross_entropy": 61.3}, a sum in
nats, and `Model.counts` gives {"cross_entropy": 24}. Training divides; search calls `encode` once
and `advance` once a step.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

import torch
from jaxtyping import Float, Int
from pydantic import Field, model_validator
from torch import Tensor, nn

from pipeline.batches.batch import Batch
from pipeline.choose import chosen
from pipeline.models import DECODERS, ENCODERS, FRONTS, GENERATORS
from pipeline.models.dropout import Dropout, example_keys, site
from pipeline.models.layout import Layout
from pipeline.models.parts import DecoderSettings, EncoderSettings, FrontSettings, GeneratorSettings
from pipeline.models.seam import Chance, Memory, Step
from pipeline.models.state import DecoderState
from pipeline.models.table import Table
from pipeline.models.weights import fill
from pipeline.problems import Problem
from pipeline.settings import Settings

Precision = Literal["fp32", "bf16", "fp64"]
COMPUTE = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp64": torch.float64}

# Which table of vectors serves which role.
TABLES: dict[str, dict[str, str]] = {
    "separate": {"source": "source", "target": "target", "output": "output"},
    "target": {"source": "source", "target": "target", "output": "target"},
    "tied": {"source": "shared", "target": "shared", "output": "shared"},
}


class ModelSettings(Settings):
    """The section `model` of params.yaml."""

    width: int = Field(256, ge=2)
    """Channels of a vector at every position."""
    front: Annotated[FrontSettings, chosen(FRONTS)]
    """What turns sources into vectors."""
    encoder: Annotated[EncoderSettings, chosen(ENCODERS)]
    """What turns vectors into a memory."""
    decoder: Annotated[DecoderSettings, chosen(DECODERS)]
    """What writes the target."""
    generator: Annotated[GeneratorSettings, chosen(GENERATORS)]
    """What turns the decoder's outputs into probabilities and a loss."""
    embeddings: Literal["separate", "target", "tied"] = "tied"
    """Tables of vectors: three; one for target and output; one for all (needs shared pieces)."""
    scaled_embeddings: bool = True
    """Multiply embeddings by the square root of the width: channels start with variance 1."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self.encoder.check(self.width)
        self.decoder.check(self.width)
        if self.embeddings == "tied" and not self.front.reads_ids:
            raise ValueError("embeddings: tied needs a front end that reads ids")
        return self


class Model(nn.Module):
    """Trainable and searchable. It computes in `precision`; its weights are float32 at least."""

    def __init__(
        self,
        settings: ModelSettings,
        source_vocabulary: int,
        target_vocabulary: int,
        *,
        shared: bool,
        precision: Precision,
    ) -> None:
        super().__init__()
        self.settings = settings
        self.source_vocabulary = source_vocabulary
        self.target_vocabulary = target_vocabulary
        self.shared = shared
        self.precision: Precision = precision
        self.front = settings.front.build(settings.width)
        self.encoder = settings.encoder.build(settings.width)
        self.decoder = settings.decoder.build(settings.width)
        self.generator = settings.generator.build(settings.width, target_vocabulary)
        self.tables = nn.ModuleDict(self._tables())
        self._name_sites()
        if precision == "fp64":
            self.double()

    def _tables(self) -> dict[str, Table]:
        """One table for each name of the chosen row of TABLES; sources without ids need none."""
        scale = self.settings.width**0.5 if self.settings.scaled_embeddings else 1.0
        rows = {"source": self.source_vocabulary}
        names = dict.fromkeys(TABLES[self.settings.embeddings].values())
        if not self.settings.front.reads_ids:
            del names["source"]
        return {
            name: Table(
                rows.get(name, self.target_vocabulary),
                self.settings.width,
                scale=scale,
                dtype=COMPUTE[self.precision],
            )
            for name in names
        }

    def _name_sites(self) -> None:
        """Give every dropout the number of its place."""
        numbers: set[int] = set()
        for name, module in self.named_modules():
            if isinstance(module, Dropout):
                module.number = site(name)
                assert module.number not in numbers, f"two sites of one number: {name}"
                numbers.add(module.number)

    def table(self, role: Literal["source", "target", "output"]) -> Table:
        """The table that serves as source or target embedding, or as output matrix."""
        table = self.tables[TABLES[self.settings.embeddings][role]]
        assert isinstance(table, Table)
        return table

    @property
    def vocabulary(self) -> int:
        """How many target ids there are."""
        return self.target_vocabulary

    @property
    def weights(self) -> Mapping[str, float]:
        """The weight of each term of the loss."""
        return self.generator.weights

    def counts(self, batch: Batch) -> Mapping[str, int]:
        """What each term's sum is divided by."""
        return self.generator.counts(batch)

    def losses(self, batch: Batch, chance: Chance | None) -> Mapping[str, Float[Tensor, ""]]:
        """The sum of each term, in nats."""
        assert batch.target is not None
        memory = self.read(batch, chance)
        step = self.teach(batch, memory, chance, attention=self.generator.needs_attention)
        return self.generator.score(step, batch.target, memory, self.table("output"))

    def read(self, batch: Batch, chance: Chance | None) -> Memory:
        """The memory of the sources."""
        examples = example_keys(chance, batch.index)
        table = self.table("source") if self.settings.front.reads_ids else None
        vectors = self.front(batch.source, table, examples)
        return self.encoder(vectors, examples)

    def teach(
        self, batch: Batch, memory: Memory, chance: Chance | None, *, attention: bool = False
    ) -> Step:
        """Outputs at all positions of the prefixes (teacher forcing)."""
        assert batch.prefix is not None
        layout = Layout(batch.prefix.lengths, batch.prefix.values.device)
        prefixes = self.table("target")(batch.prefix.values)
        examples = example_keys(chance, batch.index)
        return self.decoder(prefixes, layout, memory, examples, attention=attention)

    @torch.no_grad()
    def encode(self, batch: Batch, *, attention: bool = False) -> DecoderState:
        """The state before the first id; `attention`: `advance` gives it."""
        memory = self.read(batch, None)
        state = self.decoder.start(memory)
        state.attention = attention or self.generator.needs_attention
        if memory.ids is not None:
            state.fixed["source ids"] = memory.layout.pad(memory.ids)
        return state

    @torch.no_grad()
    def advance(
        self, ids: Int[Tensor, "sources beams"], state: DecoderState
    ) -> tuple[
        Float[Tensor, "sources beams vocabulary"],
        Float[Tensor, "sources beams longest"] | None,
        DecoderState,
    ]:
        """Feed one id to every hypothesis: log-probabilities of the next, attention if asked."""
        step, after = self.decoder.step(self.table("target")(ids), state)
        table = self.table("output")
        log_probs = self.generator.log_probs(step, after, table)
        attention = None if step.attention is None else step.attention.to(table.weight.dtype)
        return log_probs, attention, after


def build(
    settings: ModelSettings,
    source_vocabulary: int,
    target_vocabulary: int,
    *,
    shared: bool,
    precision: Precision,
    seed: int,
) -> Model:
    """A model with weights drawn from (seed, name). `shared`: both sides have the same pieces."""
    if settings.embeddings == "tied" and not (shared and source_vocabulary == target_vocabulary):
        raise Problem(
            "one table for source and target needs shared pieces",
            where="params.yaml, model.embeddings",
            value="tied",
            remedy="set pieces.shared: true, or model.embeddings: target",
        )
    model = Model(
        settings, source_vocabulary, target_vocabulary, shared=shared, precision=precision
    )
    fill(model, seed)
    return model
