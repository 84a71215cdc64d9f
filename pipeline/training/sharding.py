"""Sharding: a model that no worker can hold with all that training it takes (FSDP2).

Each worker has a part of every weight, and of its moments and moving average; a block's whole
weights are gathered when a slot comes to it and let go behind it (Rajbhandari et al. 2020, ZeRO-3;
Zhao et al. 2023, arXiv 2304.11277). Gradients are summed, not averaged, and go to whose part they
are. What is asked of all workers has to be asked by all of them, in the same order: so every worker
takes as many slots as the one with most, by empty ones whose loss counts nothing.

The whole model is validated and kept: a copy on the host, which goes to the device meanwhile.
"""

import math
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import deepcopy
from typing import cast

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, Shard
from torch.nn import Parameter

from pipeline.batches.batch import Batch
from pipeline.models.block import Block
from pipeline.models.lesson import Lesson
from pipeline.models.seam import Chance
from pipeline.models.seq2seq import Model
from pipeline.training.holding import GroupGradient, Holding, Tensors
from pipeline.training.moving_average import PREFIX, MovingAverage
from pipeline.training.team import Team
from pipeline.training.weights import set_weights, weights_of


class _Root(nn.Module):
    """Whatever a lesson asks of a model is asked within this module, which gathers what belongs to
    no block."""

    def __init__(self, lesson: Lesson) -> None:
        super().__init__()
        self.model, self._lesson = lesson.model, lesson

    def forward(self, batch: Batch, chance: Chance | None) -> Mapping[str, Tensor]:
        return dict(self._lesson.losses(batch, chance))


class Sharded:
    """A lesson whose model's weights are spread over the team."""

    def __init__(self, lesson: Lesson, mesh: DeviceMesh) -> None:
        self._lesson, self._root = lesson, _Root(lesson)
        for module in self._root.modules():
            if isinstance(module, Block):
                fully_shard(module, mesh=mesh)
        fully_shard(self._root, mesh=mesh)
        for module in self._root.modules():
            if isinstance(module, FSDPModule):
                module.set_gradient_divide_factor(1.0)
                module.set_force_sum_reduction_for_comms(True)

    def named_parameters(self) -> list[tuple[str, Parameter]]:
        """The model's; each is a tensor of the team."""
        return list(self._lesson.named_parameters())

    @property
    def weights(self) -> Mapping[str, float]:
        """The lesson's."""
        return self._lesson.weights

    def counts(self, batch: Batch) -> Mapping[str, int]:
        """The lesson's."""
        return self._lesson.counts(batch)

    def losses(self, batch: Batch, chance: Chance | None) -> Mapping[str, Tensor]:
        """The lesson's; all workers call it as often."""
        return self._root(batch, chance)


class Shards(Holding):
    """Each worker has a part; `model` is the whole, on the host, with the weights to begin with."""

    def __init__(self, model: Model, lesson: Lesson, team: Team) -> None:
        """`lesson` tells what else there is than the model; its own model is not touched."""
        self.alone = False
        self._model, self._team = model.cpu(), team
        self._mesh = init_device_mesh(team.device.type, (team.count,))
        spread = Lesson(deepcopy(model).to(team.device), lesson.scheduled_sampling, lesson.r_drop)
        self.learner = Sharded(spread, self._mesh)
        self._spread = {
            name: cast(DTensor, parameter) for name, parameter in self.learner.named_parameters()
        }
        self.parameters = {
            name: Parameter(tensor.to_local().detach()) for name, tensor in self._spread.items()
        }

    def gradient(self, extras: int) -> GroupGradient:
        """That of this worker's parts."""
        return PartGradient(self._spread, self.parameters, extras)

    def idle(self, own: int, most: int) -> int:
        """All take as many."""
        return most - own

    def agreed(self, wish: bool, team: Team) -> bool:
        """All do it, or none."""
        return bool(team.tell(wish))

    def whole(self, tensors: Tensors) -> dict[str, Tensor]:
        """Gathered one after the other, and laid on the host."""
        return {name: self._gathered(name, tensor) for name, tensor in tensors.items()}

    def _gathered(self, name: str, tensor: Tensor) -> Tensor:
        like = self._spread.get(_parameter(name))
        if like is None:
            return tensor
        made = DTensor.from_local(
            tensor, self._mesh, [Shard(0)], run_check=False, shape=like.shape, stride=like.stride()
        )
        return made.full_tensor().cpu()

    def parts(self, tensors: Tensors) -> dict[str, Tensor]:
        """Rows of each."""
        return {name: self._part(name, tensor) for name, tensor in tensors.items()}

    def _part(self, name: str, tensor: Tensor) -> Tensor:
        if _parameter(name) not in self._spread:
            return tensor
        rows = tensor.chunk(self._team.count)
        return rows[self._team.rank] if self._team.rank < len(rows) else tensor[:0]

    @torch.no_grad()
    def set_weights(self, weights: Tensors, *, where: str = "", remedy: str = "") -> None:
        """Into the whole, and of that this worker's part."""
        set_weights(self._model, weights, where=where, remedy=remedy)
        for name, part in self.parts(weights).items():
            self.parameters[name].copy_(part)

    @contextmanager
    def shown(self, average: MovingAverage | None) -> Generator[Tensors]:
        """The whole model is on the device."""
        own = average.state() if average else {}
        parts = {name: own.get(f"{PREFIX}{name}", p) for name, p in self.parameters.items()}
        set_weights(self._model, self.whole({n: part.detach() for n, part in parts.items()}))
        self._model.to(self._team.device)
        try:
            yield weights_of(self._model)
        finally:
            self._model.cpu()


def _parameter(name: str) -> str:
    return name.rsplit("/", 1)[-1]


class PartGradient:
    """The gradients of this worker's parts of all parameters, each a tensor of its own."""

    def __init__(
        self, spread: Mapping[str, DTensor], parameters: Mapping[str, Parameter], extras: int
    ) -> None:
        self._spread, self._parameters = spread, parameters
        first = next(iter(parameters.values()))
        self.extras = torch.zeros(extras, dtype=first.dtype, device=first.device)

    def clear(self) -> None:
        """None: a slot's backward makes the first."""
        self.extras.zero_()
        for tensor in self._spread.values():
            tensor.grad = None

    def leaving(self, team: Team) -> AbstractContextManager[None]:
        """Nothing is left to begin: each block's gradient leaves in each slot."""
        return nullcontext()

    def reduce(self, team: Team) -> Sequence[float]:
        """The gradients are summed by now: what is left are extras, and squares of the parts."""
        for name, parameter in self._parameters.items():
            gradient = cast(DTensor | None, self._spread[name].grad)
            local = None if gradient is None else gradient.to_local()
            parameter.grad = torch.zeros_like(parameter) if local is None else local
        squares = torch.stack([torch.linalg.vector_norm(one) for one in self._gradients()])
        told = torch.cat([self.extras, squares.square().sum()[None]])
        team.sum_(told)
        *numbers, square = told.tolist()
        return [*numbers, math.sqrt(square)]

    def _gradients(self) -> list[Tensor]:
        return [p.grad for p in self._parameters.values() if p.grad is not None]

    def clip(self, norm: float, limit: float | None) -> None:
        """Scale to norm `limit` where it is longer."""
        if limit is not None and norm > limit:
            for gradient in self._gradients():
                gradient.mul_(limit / norm)
