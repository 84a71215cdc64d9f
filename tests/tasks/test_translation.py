import sys

import pytest

from pipeline.records import Row
from pipeline.rows import row_batch
from pipeline.tasks import TASKS

ROW = Row("c:1", "c", "train", "c:1", "Ein  Hund", "A dog", ("A dog", "One dog"), "de", "en")


@pytest.mark.parametrize("name", sorted(TASKS))
def test_every_task_gives_texts_for_each_row_and_opens_with_an_example(name):
    examples = TASKS[name]().examples(row_batch([ROW, ROW]))
    assert examples.schema.names == ["source", "target"]
    assert examples.num_rows == 2
    assert "Example:" in sys.modules[TASKS[name].__module__].__doc__


def test_a_translation_is_the_row_itself():
    assert TASKS["translation"]().examples(row_batch([ROW])).to_pylist() == [
        {"source": "Ein  Hund", "target": "A dog"}
    ]
