"""The compiler: what a step compiles is compiled before the first one.

The compiler looks at the first sizes that it sees when it chooses in which order to add up. So that
a run that goes on comes to the same bits as one that was never stopped, it always sees those of the
run's very first slot.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Literal

import torch
from torch import Tensor

from pipeline.batches.batch import Batch
from pipeline.batches.plan import Position
from pipeline.models.compiled import compiling
from pipeline.models.seam import Chance
from pipeline.problems import Problem
from pipeline.training.loop import Course
from pipeline.training.memory import DoesNotFitError, fitted
from pipeline.training.step import backward
from pipeline.training.weights import Learner

Setting = bool | Literal["auto"]  # auto: on a GPU, if the compiler works there


@contextmanager
def compiled_steps(
    setting: Setting,
    learner: Learner,
    course: Course,
    device: torch.device,
    *,
    report: Callable[[str], object],
) -> Generator[None]:
    """Steps are compiled meanwhile, where the setting says so.

    A Problem where the compiler fails, with `auto` a report: then they are not.
    """
    with ExitStack() as stack:
        if wanted(setting, device):
            stack.enter_context(compiling())
            try:
                compile_step(learner, course, device)
            except Exception as error:  # a compiler's errors have no type in common
                if setting is True:
                    raise _problem(error) from error
                stack.close()
                report(f"training is not compiled: {_line(error)}")
        yield


def wanted(setting: Setting, device: torch.device) -> bool:
    """Whether the compiler is tried.

    Not of its own accord on a CPU: there products are most of a step, dropout is cheap already, and
    every start would wait for g++ for a minute or more.
    """
    return setting is True or (setting == "auto" and device.type == "cuda")


def compile_step(learner: Learner, course: Course, device: torch.device) -> None:
    """Compile what a step needs; no weight changes, and no gradient is left."""
    first = next(course.shares(Position(), 0, 1)).batches(device)[0]

    def work(slots: Sequence[Batch]) -> dict[str, Tensor]:
        return backward(learner, slots, learner.counts(first), Chance(0, 0))

    with suppress(DoesNotFitError):  # the step will say what does not fit
        fitted([first], work)
    for _, parameter in learner.named_parameters():
        parameter.grad = None


def _problem(error: Exception) -> Problem:
    return Problem(
        "torch.compile fails",
        where="machine.yaml, compile",
        value=_line(error),
        remedy="set `false`, or install a compiler that knows this processor (on CPU g++)",
    )


def _line(error: Exception) -> str:
    """The first line that says something."""
    lines = (line.strip() for line in str(error).splitlines())
    return next((line for line in lines if line), type(error).__name__)
