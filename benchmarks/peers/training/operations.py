"""Multiply-adds of a Transformer's training step: those that are needed, and those that are made.

Linear maps and the loss are counted by positions, attention by pairs of positions; forward, and
twice as much backward. A system that lays positions side by side without padding still pads inside
attention.
"""

from dataclasses import dataclass
from typing import Any

Lengths = list[int]
Batch = tuple[Lengths, Lengths]  # of sources and targets, EOS counted


@dataclass(frozen=True)
class Model:
    """What the number of operations depends on."""

    layers: int
    width: int
    feedforward: int
    vocabulary: int

    def operations(self, source: int, target: int, inside: tuple[int, int, int]) -> int:
        """Of so many positions, and pairs source–source, target–source and target–target."""
        square, network = self.width**2, 2 * self.width * self.feedforward
        encoder = self.layers * (4 * square + network) + self.layers * 2 * square  # cross keys
        decoder = self.layers * (6 * square + network) + self.width * self.vocabulary
        attention = self.layers * 2 * self.width * sum(inside)
        return 2 * 3 * (source * encoder + target * decoder + attention)

    def needed(self, batch: Batch) -> int:
        """Operations on real positions."""
        pairs = list(zip(*batch, strict=True))
        inside = (
            sum(source**2 for source, _ in pairs),
            sum(source * target for source, target in pairs),
            sum(target**2 for _, target in pairs),
        )
        return self.operations(sum(batch[0]), sum(batch[1]), inside)

    def made(self, batch: Batch, *, flat: bool) -> int:
        """Operations of the batch as it lies in memory; `flat`: padded inside attention alone."""
        count, source, target = len(batch[0]), max(batch[0]), max(batch[1])
        inside = (count * source**2, count * source * target, count * target**2)
        if flat:
            return self.operations(sum(batch[0]), sum(batch[1]), inside)
        return self.operations(count * source, count * target, inside)


def model_of(shape: dict[str, Any], vocabulary: int) -> Model:
    return Model(shape["layers"], shape["width"], shape["feedforward"], vocabulary)
