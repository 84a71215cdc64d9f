"""Tasks: what a row becomes, source and target."""

from pipeline.tasks.task import Task
from pipeline.tasks.translation import Translation

TASKS: dict[str, type[Task]] = {
    "translation": Translation,
}
