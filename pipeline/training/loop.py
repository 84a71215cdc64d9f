"""The loop: a generator of steps. Whoever exhausts it decides when to validate, save and stop."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipeline.batches.batch import Batch
from pipeline.batches.collate import Examples
from pipeline.batches.plan import Plan, Position, Rows
from pipeline.batches.slots import deal
from pipeline.models.seam import Chance
from pipeline.training.settings import Training
from pipeline.training.step import Hands, Step, take


@dataclass(frozen=True, slots=True)
class Course:
    """What steps are taken on: the examples, their plan, and how this machine cuts a group."""

    examples: Examples
    plan: Plan
    slot_cost: int

    def share(self, rows: Rows, rank: int, workers: int) -> list[Batch]:
        """This worker's slots of a group, as batches."""
        sources, targets = self.examples.source_lengths[rows], self.examples.target_lengths[rows]
        shares = deal(sources, targets + 1, workers=workers, slot_cost=self.slot_cost)
        return [self.examples.batch(rows[places], places) for places in shares[rank]]


def course_of(examples: Examples, settings: Training, slot_cost: int) -> Course:
    """The course over `examples` that the settings' seed and group size give."""
    tokens = examples.target_lengths[: examples.count].astype("int64") + 1
    blocks = examples.shards.blocks
    plan = Plan(tokens, blocks, seed=settings.seed, tokens_per_step=settings.tokens_per_step)
    return Course(examples, plan, slot_cost)


def steps(
    hands: Hands,
    course: Course,
    settings: Training,
    *,
    start: Position,
    done: int,
    stop: Callable[[], bool],
) -> Iterator[tuple[Step, Position]]:
    """Steps `done` + 1 to the last, each with the position that follows it."""
    team, rate = hands.team, settings.schedule.rate
    groups, epoch = course.plan.walk(start), start.epoch
    for number in range(done + 1, settings.steps + 1):
        position, rows = next(groups)
        rows = course.examples.shown(rows, seed=settings.seed, epoch=epoch)
        epoch = position.epoch  # of the next group
        share = [batch.to(team.device) for batch in course.share(rows, team.rank, team.count)]
        tokens = int(course.examples.target_lengths[rows].sum(dtype="int64")) + len(rows)
        chance = Chance(settings.seed, number)
        at = rate(number, settings.steps)
        yield take(hands, share, chance, rate=at, tokens=tokens, stop=stop()), position
