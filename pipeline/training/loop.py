"""The loop: a generator of steps. Whoever exhausts it decides when to validate, save and stop."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import torch

from pipeline.ahead import ahead
from pipeline.batches.collate import Examples, Pairs
from pipeline.batches.padding import padding
from pipeline.batches.plan import Plan, Position, Rows
from pipeline.batches.share import Share, Supply
from pipeline.batches.slots import deal
from pipeline.models.seam import Chance
from pipeline.problems import Problem
from pipeline.training.memory import DoesNotFitError, ShortageError
from pipeline.training.settings import Training
from pipeline.training.step import Hands, Step, take

TOKENS_AT_ONCE = 2**20  # target tokens whose ids are read together: what memory holds of a window


@dataclass(frozen=True, slots=True)
class Course:
    """What steps are taken on: the examples, their plan, and how this machine cuts a group."""

    examples: Examples
    plan: Plan
    slot_cost: int

    def shares(self, start: Position, rank: int, workers: int) -> Iterator[Share]:
        """Endlessly, from `start` on: this worker's share of each group."""
        epoch, most = start.epoch, max(1, TOKENS_AT_ONCE // self.plan.tokens_per_step)
        for run in _runs(self.plan.walk(start), most):
            rows = np.concatenate([group for _, group in run])
            pairs = self.examples.pairs(self.examples.shown(rows, seed=self.plan.seed, epoch=epoch))
            begin = 0
            for position, group in run:
                end = begin + len(group)
                yield self._share(pairs[begin:end], position, rank, workers)
                begin = end
            epoch = run[-1][0].epoch  # of the next group

    def _share(self, group: Pairs, position: Position, rank: int, workers: int) -> Share:
        sources, prefixes = group.source.lengths, group.target.lengths + 1
        shares = deal(sources, prefixes, workers=workers, slot_cost=self.slot_cost)
        own = np.concatenate([np.zeros(0, np.int64), *shares[rank]])
        return Share(
            group[own].batch(own),
            tuple(len(slot) for slot in shares[rank]),
            max(map(len, shares)),
            int(prefixes.sum()),
            padding(sources, prefixes, [slot for share in shares for slot in share]),
            position,
        )

    def names(self, position: Position) -> list[str]:
        """The ids (corpus and position) of the examples of the group that follows `position`."""
        _, rows = next(self.plan.walk(position))
        return self.examples.shards.names(rows)

    def too_large(self, position: Position, error: DoesNotFitError) -> Problem:
        """The Problem of an example of the group that follows `position`."""
        return Problem(
            f"memory is short for a single example: {error.reason}",
            where=str(self.examples.shards.folder),
            value=f"{self.names(position)[error.place]}, of {error.source} source and "
            f"{error.target} target ids",
            remedy="lower max_source_pieces and max_target_pieces in params.yaml, encoding, "
            "or give each worker more memory (machine.yaml, workers)",
        )

    def too_costly(self, error: ShortageError) -> Problem:
        """The Problem of a slot that cannot be cut, since every worker takes as many."""
        return Problem(
            f"memory is short for a slot: {error.reason}",
            where="machine.yaml, slot_cost",
            value=self.slot_cost,
            remedy="lower it: where shard_model is true, no slot is cut in two",
        )


def _runs(
    walk: Iterator[tuple[Position, Rows]], most: int
) -> Iterator[list[tuple[Position, Rows]]]:
    """Consecutive groups of one window, up to `most` at a time."""
    run: list[tuple[Position, Rows]] = []
    for position, group in walk:
        run.append((position, group))
        if len(run) == most or position.group == 0:
            yield run
            run = []


def course_of(examples: Examples, settings: Training, slot_cost: int) -> Course:
    """The course over `examples` that the settings' seed and group size give."""
    shards = examples.shards
    plan = Plan(
        shards.blocks,
        shards.sums()[1] + shards.blocks,
        lambda blocks: shards.lengths(blocks)[1] + 1,
        seed=settings.seed,
        tokens_per_step=settings.tokens_per_step,
    )
    return Course(examples, plan, slot_cost)


def steps(
    hands: Hands,
    course: Course,
    settings: Training,
    *,
    start: Position,
    done: int,
    rate_factor: float,
    stop: Callable[[], bool],
) -> Iterator[tuple[Step, Position]]:
    """Steps `done` + 1 to the last, each with the position that follows it."""
    team, rate = hands.team, settings.schedule.rate
    before, shares = start, course.shares(start, team.rank, team.count)
    shares = islice(shares, settings.steps - done)
    with closing(early(shares, team.device)) as supply:
        for number in range(done + 1, settings.steps + 1):
            share, waited = _timed(supply)
            batches, chance = share.batches(team.device), Chance(settings.seed, number)
            at = rate(number, settings.steps) * rate_factor
            more = {"tokens": share.tokens, "idle": hands.holding.idle(len(batches), share.most)}
            try:
                step = take(hands, batches, chance, rate=at, stop=stop(), **more)
            except DoesNotFitError as error:
                raise course.too_large(before, error) from error
            except ShortageError as error:
                raise course.too_costly(error) from error
            before = share.position
            yield replace(step, supply=Supply(waited, share.padding)), share.position


def early(shares: Iterator[Share], device: torch.device) -> Generator[Share]:
    """The same shares; for a GPU each is made, and pinned, while the step before it computes.

    On a CPU a worker's thread has a core of its own, and one more would only take turns with it.
    """
    if device.type == "cuda":
        yield from ahead(share.pinned() for share in shares)
    else:
        yield from shares


def _timed(shares: Iterator[Share]) -> tuple[Share, float]:
    """The next share, and the seconds that it took to come."""
    began = time.perf_counter()
    return next(shares), time.perf_counter() - began
