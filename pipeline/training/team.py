"""The team: the workers that take a step together, and the few things that they say to each other.

Everything that crosses between workers goes through here, as tensors. Values travel as JSON, never
as pickles. A team of one needs no process group.
"""

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

DTYPES = {
    str(dtype): dtype
    for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.int64, torch.int32)
}  # of what a checkpoint holds


class LostWorkerError(ConnectionError):
    """A worker no longer answers: nothing is wrong with this one, and a new team may go on."""


@dataclass(frozen=True, slots=True)
class Team:
    """This worker's `rank` among `count` workers, and the device that it computes on."""

    rank: int = 0
    count: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def sum_(self, tensor: Tensor) -> None:
        """Replace `tensor` by its sum over the workers: the same bits on each."""
        if self.count > 1:
            with self.together():
                dist.all_reduce(tensor)

    def start_sum(self, tensor: Tensor) -> Callable[[], object]:
        """Begin the same, and give what waits for its end; until then `tensor` is the team's.

        All workers begin the same sums in the same order.
        """
        if self.count == 1:
            return bool
        with self.together():
            work = dist.all_reduce(tensor, async_op=True)
        assert work is not None
        return partial(self._waited, work)

    def _waited(self, work: dist.Work) -> None:
        with self.together():
            work.wait()

    def gather(self, value: Any) -> list[Any]:
        """Every worker's JSON value, by rank, on every worker."""
        if self.count == 1:
            return [value]
        content = np.frombuffer(json.dumps(value).encode(), np.uint8).copy()
        lengths = self._gather(torch.tensor([len(content)], device=self.device))
        longest = max(int(length) for length in lengths)
        padded = torch.zeros(longest, dtype=torch.uint8, device=self.device)
        padded[: len(content)] = torch.from_numpy(content)
        parts = self._gather(padded)
        pairs = zip(parts, lengths, strict=True)
        return [json.loads(bytes(part[: int(end)].cpu().numpy())) for part, end in pairs]

    def tell(self, value: Any) -> Any:
        """The JSON value of rank 0, on every worker."""
        return self.gather(value if self.rank == 0 else None)[0]

    def share(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The tensors of rank 0, to the bit, on every worker; in its host's memory."""
        if self.count == 1:
            return dict(tensors)
        kinds = self.tell({name: [str(t.dtype), list(t.shape)] for name, t in tensors.items()})
        found: dict[str, Tensor] = {}
        for name, (kind, shape) in kinds.items():
            given = tensors[name] if self.rank == 0 else torch.empty(shape, dtype=DTYPES[kind])
            tensor = given.to(self.device).contiguous()
            with self.together():
                dist.broadcast(tensor, src=0)
            found[name] = tensor.cpu()
        return found

    def _gather(self, tensor: Tensor) -> list[Tensor]:
        parts = [torch.empty_like(tensor) for _ in range(self.count)]
        with self.together():
            dist.all_gather(parts, tensor)
        return parts

    @contextmanager
    def together(self) -> Generator[None]:
        """What is done with the others: LostWorkerError where one of them does not answer."""
        try:
            yield
        except RuntimeError as error:
            if not _is_of_the_network(error):
                raise
            raise LostWorkerError(
                f"worker {self.rank} of {self.count} lost its team: {error}"
            ) from error


def _is_of_the_network(error: RuntimeError) -> bool:
    """NCCL's errors have a type of their own; gloo's only name the file that they come from."""
    return isinstance(error, dist.DistError) or "/gloo/transport/" in str(error)
