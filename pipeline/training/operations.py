"""Operations: what a step multiplies and adds, counted once, then known for any group.

Whatever the model, what it computes on a slot is a linear function of a few sums over the slot's
lengths: real positions for linear maps and recurrences, pairs of positions for attention. So a few
slots of one to three short examples, with torch's counter of matrix products around them, tell the
nine factors of that function; for a Transformer of width D, its layers' products of queries and
keys are 12 D operations a pair, for example. A multiply-add is two operations. What is drawn
(layers left out, predictions in prefixes) is counted as in the first step.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from pipeline.batches.batch import EOS, UNKNOWN, Batch
from pipeline.batches.collate import batch_of
from pipeline.batches.padding import Extent, padding
from pipeline.models.fused import unfused
from pipeline.models.seam import Chance
from pipeline.training.weights import Learner

# Lengths of sources and targets, EOS counted, in each slot: sums that no two factors share.
SLOTS: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((1,), (1,)),
    ((2,), (1,)),
    ((1,), (2,)),
    ((3,), (1,)),
    ((1,), (3,)),
    ((2,), (2,)),
    ((3,), (3,)),
    ((2, 2), (1, 1)),
    ((3, 1), (2, 2)),
    ((2, 2), (3, 1)),
    ((1, 3), (1, 2)),
    ((2, 2, 1), (1, 2, 2)),
)


@dataclass(frozen=True, slots=True)
class Operations:
    """Calling it with a group's sums gives the operations of its step, forward and backward."""

    factors: tuple[int, ...]  # of each sum of an Extent

    def __call__(self, extent: Extent) -> int:
        """Those of the products; what works on single numbers is not among them."""
        return sum(
            factor * held for factor, held in zip(self.factors, astuple(extent), strict=True)
        )


def operations_of(learner: Learner, device: torch.device) -> Operations:
    """Those of a learner on its device. Its gradients are None afterwards.

    Where it is spread over workers, all of them call this.
    """
    counted = [_counted(learner, _batch(*lengths).to(device)) for lengths in SLOTS]
    sums = [astuple(_extent(*lengths)) for lengths in SLOTS]
    solved: NDArray[np.float64] = np.linalg.lstsq(np.array(sums, float), np.array(counted, float))[
        0
    ]
    return Operations(tuple(round(factor) for factor in solved.tolist()))


def _extent(sources: Sequence[int], targets: Sequence[int]) -> Extent:
    slot = np.arange(len(sources))
    return padding(np.array(sources), np.array(targets), [slot]).made


def _batch(sources: Sequence[int], targets: Sequence[int]) -> Batch:
    """Ids that every vocabulary has."""
    source = [np.array([*[UNKNOWN] * (length - 1), EOS], np.int32) for length in sources]
    target = [np.full(length - 1, UNKNOWN, np.int32) for length in targets]
    return batch_of(source, target, np.arange(len(sources)))


class _Counter(TorchDispatchMode):
    """Adds up the operations of every product. torch's own counter also keeps them by module, which
    takes many times as long."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here: to keep torch's compiler out, it would be imported, which takes
        longer than all the rest of a worker's start."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula:
            self.total += formula(*args, **(kwargs or {}), out_val=result)
        return result


def _counted(learner: Learner, batch: Batch) -> int:
    with unfused(), _Counter() as counter:  # a fused kernel makes some of it twice
        torch.stack([*learner.losses(batch, Chance(seed=1, step=1)).values()]).sum().backward()
    for _, parameter in learner.named_parameters():
        parameter.grad = None
    return counter.total
