"""The model: front end, encoder, decoder and generator joined, and the tables of vectors they use.

Example: `Model.losses` of a batch with 24 target positions gives {"cross_entropy": 61.3}, a sum in
nats, and `Model.counts` gives {"cross_entropy": 24}. Training divides; search calls `encode` once
and `advance` once a step.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pipeline.batches.batch import Batch, Ragged
from pipeline.models.ctc import CTCLoss
from pipeline.models.dropout import Dropout, example_keys, site
from pipeline.models.layout import Layout
from pipeline.models.misfits import check_shape, check_vocabularies
from pipeline.models.rows import rows_of
from pipeline.models.seam import Chance, Memory, Step
from pipeline.models.settings import ModelSettings
from pipeline.models.state import DecoderState
from pipeline.models.table import Role, Table, Tables
from pipeline.models.weights import fill

Precision = Literal["fp32", "bf16", "fp64"]
COMPUTE = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp64": torch.float64}

SOURCE_IDS = "source ids"  # what a state keeps for a generator that copies


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
        self.target_vocabulary = self.vocabulary = target_vocabulary
        self.shared = shared
        self.precision: Precision = precision
        self.tables = self._tables()  # first of all: what a backward comes to last
        self.front = settings.front.build(settings.width)
        self.encoder = settings.encoder.build(settings.width)
        self.decoder = settings.decoder.build(settings.width)
        self.generator = settings.generator.build(settings.width, target_vocabulary)
        self.ctc = settings.ctc and CTCLoss(settings.ctc, settings.width, target_vocabulary)
        self.source_dropout = Dropout(settings.source_word_dropout)
        self.target_dropout = Dropout(settings.target_word_dropout)
        self._name_sites()
        if precision == "fp64":
            self.double()

    def _tables(self) -> Tables:
        """Sources that are no ids have no table."""
        own = self.settings
        return Tables(
            own.embeddings,
            source=self.source_vocabulary if own.front.reads_ids else None,
            target=self.target_vocabulary,
            width=own.width,
            scale=own.width**0.5 if own.scaled_embeddings else 1.0,
            dtype=COMPUTE[self.precision],
        )

    def _name_sites(self) -> None:
        """Give every dropout the number of its place."""
        numbers: set[int] = set()
        for name, module in self._dropouts():
            module.number = site(name)
            assert module.number not in numbers, f"two sites of one number: {name}"
            numbers.add(module.number)

    def _dropouts(self) -> Iterator[tuple[str, Dropout]]:
        return ((name, m) for name, m in self.named_modules() if isinstance(m, Dropout))

    @property
    def drops(self) -> bool:
        """Whether anything is dropped in training."""
        return any(dropout.rate > 0 for _, dropout in self._dropouts())

    def table(self, role: Role) -> Table:
        """The table that serves as source or target embedding, or as output matrix."""
        return self.tables.of(role)

    @property
    def weights(self) -> Mapping[str, float]:
        """The weight of each term of the loss."""
        own = self.generator.weights
        return own if self.ctc is None else {**own, **self.ctc.weights}

    def counts(self, batch: Batch) -> Mapping[str, int]:
        """What each term's sum is divided by."""
        own = self.generator.counts(batch)
        if self.ctc is None:
            return own
        return {**own, **self.ctc.counts(batch, self.front.lengths(batch.source.lengths))}

    def losses(self, batch: Batch, chance: Chance | None) -> Mapping[str, Float[Tensor, ""]]:
        """The sum of each term, in nats."""
        return self.score(batch, *self.passed(batch, chance))

    def passed(self, batch: Batch, chance: Chance | None) -> tuple[Memory, Step]:
        """A pass over a batch: the memory, and the outputs at all positions of the prefixes."""
        memory = self.read(batch, chance)
        attention = self.settings.generator.needs_attention
        return memory, self.teach(batch, memory, chance, attention=attention)

    def score(self, batch: Batch, memory: Memory, step: Step) -> Mapping[str, Float[Tensor, ""]]:
        """The sum of each term over what a pass gave."""
        assert batch.target is not None
        own = self.generator.score(step, batch.target, memory, self.table("output"))
        return own if self.ctc is None else {**own, **self.ctc.score(memory, batch.target)}

    def log_probs(
        self, batch: Batch, memory: Memory, step: Step, part: slice
    ) -> Float[Tensor, "chunk vocabulary"]:
        """Log-probabilities of the next id at some of the flat positions that a pass gave."""
        assert batch.prefix is not None
        ids = None
        if self.settings.generator.copies:
            assert memory.ids is not None
            layout = Layout(batch.prefix.lengths, memory.ids.device)
            ids = memory.layout.pad(memory.ids)[layout.sequence[part]]
        attention = None if step.attention is None else step.attention[part]
        return self.generator.log_probs(
            Step(step.output[part], attention), ids, self.table("output")
        )

    def read(self, batch: Batch, chance: Chance | None) -> Memory:
        """The memory of the sources."""
        examples = example_keys(chance, batch.index)
        table = self.table("source") if self.settings.front.reads_ids else None
        vectors = self.front(self._taken(batch.source), table, examples)
        kept = self.source_dropout.words(vectors.values, examples, vectors.layout)
        return self.encoder(replace(vectors, values=kept), examples)

    def _taken(self, source: Ragged) -> Ragged:
        """Ids as they are; other numbers in the type that the model computes in."""
        check_shape(self.settings.front, tuple(source.values.shape[1:]))
        if self.settings.front.reads_ids:
            return source
        return replace(source, values=source.values.to(COMPUTE[self.precision]))

    def teach(
        self, batch: Batch, memory: Memory, chance: Chance | None, *, attention: bool = False
    ) -> Step:
        """Outputs at all positions of the prefixes (teacher forcing)."""
        assert batch.prefix is not None
        layout = Layout(batch.prefix.lengths, batch.prefix.values.device)
        examples = example_keys(chance, batch.index)
        prefixes = self.table("target")(batch.prefix.values)
        prefixes = self.target_dropout.words(prefixes, examples, layout)
        return self.decoder(prefixes, layout, memory, examples, attention=attention)

    @torch.no_grad()
    def encode(
        self, batch: Batch, *, attention: bool = False, steady: bool = False
    ) -> DecoderState:
        """The state before the first id, one hypothesis a source (the options: seam.py)."""
        memory = self.read(batch, None)
        state = self.decoder.start(memory)
        state.attention = attention or self.settings.generator.needs_attention
        state.steady = steady
        state.cache = state.cache and replace(state.cache, steady=steady)
        if self.settings.generator.copies:
            assert memory.ids is not None
            state.fixed[SOURCE_IDS] = memory.layout.pad(memory.ids)[:, None]
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
        rows, table = rows_of(ids, steady=state.steady), self.table("output")
        step, after = self.decoder.step(self.table("target")(rows.gather(ids)), state, rows)
        copied = after.fixed.get(SOURCE_IDS)
        if copied is not None:
            copied = rows.gather(copied.expand(-1, ids.shape[1], -1))
        log_probs = rows.spread(self.generator.log_probs(step, copied, table))
        if step.attention is None:
            return log_probs, None, after
        return log_probs, rows.spread(step.attention.to(table.weight.dtype)), after


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
    if not (shared and source_vocabulary == target_vocabulary):
        check_vocabularies(settings.generator, settings.embeddings)
    model = Model(
        settings, source_vocabulary, target_vocabulary, shared=shared, precision=precision
    )
    fill(model, seed)
    return model
