"""Memory: what is told where it is short, and what is a shortage. The law is in test_additivity."""

import pytest
import torch

from pipeline.problems import Problem
from pipeline.training.memory import DoesNotFitError, ShortageError, fitted, is_shortage, slot
from pipeline.training.progress import read


@pytest.fixture(scope="module")
def examples(engine, tmp_path_factory):
    return engine.write_examples(tmp_path_factory.mktemp("examples"))


def test_a_shortage_is_told_once_and_counted(engine, examples, tmp_path):
    model = engine.Short(engine.tiny_model(), most=60)
    engine.run(tmp_path, examples, engine.training(), model=model, slot_cost=10**6)
    told = [record for record in read(tmp_path) if "memory was short" in record.note]
    assert [record.step for record in told] == [1]
    counts = [record.values["cut_slots"] for record in read(tmp_path) if record.kind == "train"]
    assert counts[0] >= 1
    assert counts[-1] == model.refused


def test_an_example_that_does_not_fit_alone_is_named(engine, examples, tmp_path):
    longest = int((examples.source_lengths + examples.target_lengths).max())
    model = engine.Short(engine.tiny_model(), most=longest)  # and the EOS of the target
    with pytest.raises(Problem, match="memory is short for a single example: CUDA") as caught:
        engine.run(tmp_path, examples, engine.training(steps=30), model=model, slot_cost=10**6)
    name, _, lengths = caught.value.value.partition(", ")
    row = int(name.removeprefix("r:"))
    source, target = examples.source_lengths[row], examples.target_lengths[row]
    assert source + target == longest
    assert lengths == f"of {source} source and {target + 1} target ids"


def test_parts_of_a_batch_keep_examples_and_their_places(engine, examples):
    rows, places = torch.arange(5).numpy(), torch.tensor([7, 1, 4, 9, 2]).numpy()
    whole = examples.batch(rows, places)
    first, other = whole.split([2, 3])
    assert (first.count, other.count) == (2, 3)
    assert torch.cat([first.index, other.index]).tolist() == places.tolist()
    for side in ("source", "prefix", "target"):
        parts = [getattr(half, side) for half in (first, other)]
        assert parts[0].lengths + parts[1].lengths == getattr(whole, side).lengths
        assert torch.equal(torch.cat([part.values for part in parts]), getattr(whole, side).values)


def test_what_torch_says_of_a_real_shortage_is_one():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**55)
    assert is_shortage(caught.value)
    assert is_shortage(torch.OutOfMemoryError("CUDA out of memory"))
    assert not is_shortage(RuntimeError("expected scalar type Float"))


def test_another_error_stays_what_it_is():
    with pytest.raises(RuntimeError, match="a bug"), slot(3):
        raise RuntimeError("a bug")


def test_a_share_is_begun_again_from_its_first_slot(engine, examples):
    """What a slot that failed had added is nobody's."""
    batch, seen = examples.batch(*[torch.arange(3).numpy()] * 2), []

    def work(slots):
        seen.append([slot.count for slot in slots])
        for number, one in enumerate(slots):
            if one.count > 1:
                raise ShortageError(number, "short")
        return {}

    assert fitted([batch.split([1, 2])[0], batch], work) == ({}, 2)
    assert seen == [[1, 3], [1, 1, 2], [1, 1, 1, 1]]
    with pytest.raises(DoesNotFitError) as caught:
        fitted([batch.split([2, 1])[1]], lambda slots: work([batch]))
    assert caught.value.place == 2
