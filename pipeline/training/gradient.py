"""The group's gradient: one flat vector that all parameters' gradients are views of.

Zero-filled before a step, so that an empty share contributes zeros; added to by every slot; summed
over the workers once a step, together with what all workers must agree on.

The sum is cut into buckets, and begun while the last slot's backward still works on others (Li et
al. 2020, arXiv 2006.15704). Parameters lie in the order in which a backward comes to them, and a
bucket leaves when the last slot has added to all of it and all before it have left: every worker
begins the same sums in the same order, whatever its share is. One that has no slot, or that left
layers out of this step, begins the rest afterwards. The last bucket carries what is to be agreed
on, which is known when all slots are done; a model that fills no more than one is summed at once.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import accumulate, pairwise

import torch
from torch import Tensor
from torch.nn import Parameter

from pipeline.training.team import Team

BUCKET_BYTES = 25 * 2**20  # less waits for the network more often, more leaves later


class Gradient:
    """Gradients of `parameters` in one vector, followed by `extras` numbers that are summed too."""

    def __init__(self, parameters: Iterable[Parameter], extras: int) -> None:
        self._parameters = list(parameters)
        first = self._parameters[0]
        kinds = {(p.dtype, p.device) for p in self._parameters}
        assert len(kinds) == 1, f"parameters of one type on one device: {kinds}"
        places = [0, *accumulate(p.numel() for p in self._parameters)]
        self.length = places[-1]
        self._whole = torch.zeros(self.length + extras, dtype=first.dtype, device=first.device)
        self.flat = self._whole[: self.length]
        self.extras = self._whole[self.length :]
        self._views = [
            self._whole[begin:end].view_as(parameter)
            for parameter, (begin, end) in zip(self._parameters, pairwise(places), strict=True)
        ]
        cuts = _cuts(places, BUCKET_BYTES // first.element_size())
        self._buckets = [range(*ends) for ends in pairwise(cuts)]  # of numbers of parameters
        self._ends = [*(places[cut] for cut in cuts[:-1]), len(self._whole)]
        self._left = 0  # how many buckets have left in this step …
        self._waits: list[Callable[[], object]] = []  # … and what waits for each

    def clear(self) -> None:
        """Zeros; every parameter's `grad` is a view from here on.

        Where memory is short and the share is begun again, buckets may have left. They hold the
        gradient of the whole share, which another cut changes by no more than rounding: they stay
        what they are, and what is made for them a second time goes nowhere.
        """
        self._whole[self._ends[self._left] :].zero_()
        first = self._buckets[self._left].start
        for number, (parameter, view) in enumerate(self._pairs()):
            parameter.grad = None if number < first else view

    def _pairs(self) -> Iterable[tuple[Parameter, Tensor]]:
        return zip(self._parameters, self._views, strict=True)

    @contextmanager
    def leaving(self, team: Team) -> Generator[None]:
        """Around a share's last slot: buckets leave as soon as its backward has added to them.

        A parameter's hook is called once in a backward, however often the slot uses the parameter:
        autograd adds up all that comes to a leaf before it passes that on.
        """
        missing = [len(bucket) for bucket in self._buckets]

        def added(number: int, _: Tensor) -> None:
            missing[number] -= 1
            while self._left < len(self._buckets) - 1 and not missing[self._left]:
                self._leave(team)

        numbers = range(self._left, len(self._buckets) - 1 if team.count > 1 else 0)
        hooks = [
            self._parameters[place].register_post_accumulate_grad_hook(partial(added, number))
            for number in numbers
            for place in self._buckets[number]
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _leave(self, team: Team) -> None:
        begin, end = self._ends[self._left : self._left + 2]
        self._left += 1
        self._waits.append(team.start_sum(self._whole[begin:end]))

    def reduce(self, team: Team) -> Sequence[float]:
        """Sum what has not left yet, too, and wait for all; the extras and the norm of the rest as
        numbers.

        This is the one time in a step that the host waits for its device.
        """
        self._check_views()
        while self._left < len(self._buckets):
            self._leave(team)
        for wait in self._waits:
            wait()
        self._left, self._waits = 0, []
        for parameter, view in self._pairs():
            parameter.grad = view
        return torch.cat([self.extras, self.norm()[None]]).tolist()

    def _check_views(self) -> None:
        """Autograd adds in place; a gradient that was replaced would be lost without a word."""
        for parameter, view in list(self._pairs())[self._buckets[self._left].start :]:
            assert parameter.grad is view, "a gradient was replaced"

    def norm(self) -> Tensor:
        """The Euclidean norm of the whole gradient; infinite or NaN where it is not finite."""
        return torch.linalg.vector_norm(self.flat)

    def clip(self, norm: float, limit: float | None) -> None:
        """Scale to norm `limit` where it is longer."""
        if limit is not None and norm > limit:
            self.flat.mul_(limit / norm)


def _cuts(places: Sequence[int], most: int) -> list[int]:
    """Where buckets of at most so many numbers begin and end; a larger parameter is one alone."""
    cuts = [0]
    for number, (begin, end) in enumerate(pairwise(places)):
        if end - places[cuts[-1]] > most and begin > places[cuts[-1]]:
            cuts.append(number)
    return [*cuts, len(places) - 1]
