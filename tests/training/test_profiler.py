"""The profiler: what it finds, and how that is told."""

import gzip
import json

import pytest

from pipeline.training.loop import course_of
from pipeline.training.profiler import Item, Profile, profiled
from pipeline.training.team import Team


@pytest.fixture(scope="module")
def examples(engine, tmp_path_factory):
    return engine.write_examples(tmp_path_factory.mktemp("examples"))


def test_the_time_of_five_steps_is_found_and_a_trace_is_written(engine, examples, tmp_path):
    settings, model = engine.training(steps=3), engine.tiny_model()
    course = course_of(examples, settings, 40)
    found = profiled(model, course, settings, Team(), tmp_path / "trace.json.gz")
    assert found.steps == 5
    assert found.tokens > 100
    assert "aten::bmm" in {item.name for item in found.items if item.is_product}
    times = [item.seconds for item in found.items]
    assert times == sorted(times, reverse=True)
    assert 0 < sum(times) <= found.seconds
    events = json.loads(gzip.decompress((tmp_path / "trace.json.gz").read_bytes()))["traceEvents"]
    assert {item.name for item in found.items} <= {event["name"] for event in events}


def test_the_ten_heaviest_are_told_and_what_the_rest_comes_to():
    products = (Item("aten::mm", 6.0, 20), Item("aten::bmm", 1.0, 10))
    small = tuple(Item(f"aten::small{number}", 0.1, 5) for number in range(10))
    lines = list(Profile(5, 20_000, 10.0, (*products, *small)).lines())
    assert lines == [
        "5 steps of 4,000 target tokens, 2,000.0 ms each",
        "  share    ms a step  calls a step  item",
        "   60.0%     1,200.0             4  aten::mm",
        "   10.0%       200.0             2  aten::bmm",
        *(f"    1.0%        20.0             1  aten::small{number}" for number in range(8)),
        "    2.0%        40.0                2 others",
        "   20.0%       400.0                between operations",
        "products of matrices: 70.0% of the time",
    ]
