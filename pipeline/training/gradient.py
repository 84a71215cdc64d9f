"""The group's gradient: one flat vector that all parameters' gradients are views of.

Zero-filled before a step, so that an empty share contributes zeros; added to by every slot; summed
over the workers in one reduction, which also carries what all workers must agree on.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn import Parameter

from pipeline.training.team import Team


class Gradient:
    """Gradients of `parameters` in one vector, followed by `extras` numbers that are summed too."""

    def __init__(self, parameters: Iterable[Parameter], extras: int) -> None:
        self._parameters = list(parameters)
        first = self._parameters[0]
        kinds = {(p.dtype, p.device) for p in self._parameters}
        assert len(kinds) == 1, f"parameters of one type on one device: {kinds}"
        self.length = sum(p.numel() for p in self._parameters)
        self._whole = torch.zeros(self.length + extras, dtype=first.dtype, device=first.device)
        self.flat = self._whole[: self.length]
        self.extras = self._whole[self.length :]

    def clear(self) -> None:
        """Zeros; every parameter's `grad` is a view from here on."""
        self._whole.zero_()
        begin = 0
        for parameter in self._parameters:
            end = begin + parameter.numel()
            parameter.grad = self._whole[begin:end].view_as(parameter)
            begin = end

    def reduce(self, team: Team) -> Sequence[float]:
        """Sum over the workers; the extras and the norm of the rest as numbers.

        This is the one time in a step that the host waits for its device.
        """
        self._check_views()
        team.sum_(self._whole)
        return torch.cat([self.extras, self.norm()[None]]).tolist()

    def _check_views(self) -> None:
        """Autograd adds in place; a gradient that was replaced would be lost without a word."""
        first, last = self._parameters[0].grad, self._parameters[-1].grad
        assert first is not None and last is not None
        assert first.data_ptr() == self._whole.data_ptr(), "the first gradient was replaced"
        end = last.data_ptr() + last.numel() * last.element_size()
        assert end == self.extras.data_ptr(), "the last gradient was replaced"

    def norm(self) -> Tensor:
        """The Euclidean norm of the whole gradient; infinite or NaN where it is not finite."""
        return torch.linalg.vector_norm(self.flat)

    def clip(self, norm: float, limit: float | None) -> None:
        """Scale to norm `limit` where it is longer."""
        if limit is not None and norm > limit:
            self.flat.mul_(limit / norm)
