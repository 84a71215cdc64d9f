"""Memory: a slot that does not fit is cut in two, and the worker's share is begun again.

By the laws this is the same step, up to rounding. Nothing is remembered of it: the next step begins
with the cut that the machine's settings give, so how a share is cut depends on nothing but these
and on what fits.
"""

import gc
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from pipeline.batches.batch import Batch

UNTYPED = (  # of torch's plain errors, those that say so
    "DefaultCPUAllocator: can't allocate memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
)


class DoesNotFitError(Exception):
    """A single example for which memory is short; `place` is its place in the group."""

    def __init__(self, example: Batch, reason: str) -> None:
        super().__init__(reason)
        self.place, self.reason = int(example.index[0]), reason
        self.source = example.source.longest
        self.target = example.target.longest if example.target else 0


class ShortageError(Exception):
    """Memory was short for slot `number` of a share."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(number, reason)
        self.number, self.reason = number, reason


@contextmanager
def slot(number: int) -> Generator[None]:
    """Work on slot `number` of a share: ShortageError where memory is short for it."""
    try:
        yield
    except Exception as error:
        if not is_shortage(error):
            raise
        raise ShortageError(number, str(error)) from None


def is_shortage(error: BaseException) -> bool:
    """Does an error say that memory is short, on a GPU or here?"""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in UNTYPED)
    )


def fitted(
    share: Sequence[Batch], work: Callable[[Sequence[Batch]], dict[str, Tensor]]
) -> tuple[dict[str, Tensor], int]:
    """What `work` makes of a share, and how often a slot of it had to be cut.

    `work` begins from nothing each time, and raises ShortageError for a slot.
    """
    slots, cuts = list(share), 0
    while True:
        try:
            return work(slots), cuts
        except ShortageError as error:
            number, reason = error.number, error.reason
        # Here, where no traceback holds what the slot had allocated.
        _release()
        count = slots[number].count
        if count == 1:
            raise DoesNotFitError(slots[number], reason)
        slots[number : number + 1] = slots[number].split([count // 2, count - count // 2])
        cuts += 1


def _release() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
