"""A front end whose sources are frames of numbers, two of which become one vector: the seam holds
for sources that are no ids."""

from typing import ClassVar

import pytest
import torch
from torch import nn

from pipeline.batches.batch import Batch, Ragged
from pipeline.models import FRONTS
from pipeline.models.layout import Layout
from pipeline.models.linear import Linear
from pipeline.models.parts import FrontEnd, FrontSettings
from pipeline.models.seam import Vectors
from pipeline.problems import Problem

CHANNELS = 3


class Frames(FrontSettings):
    reads_ids: ClassVar[bool] = False

    def build(self, width):
        return FramesFrontEnd(width)


class FramesFrontEnd(FrontEnd):
    def __init__(self, width):
        super().__init__()
        self.project = Linear(2 * CHANNELS, width)

    def forward(self, source, table, examples):
        assert table is None
        frames = [nn.functional.pad(f, (0, 0, 0, len(f) % 2)) for f in self.split(source)]
        halves = [f.reshape(-1, 2 * CHANNELS) for f in frames]
        layout = Layout(tuple(map(len, halves)), source.values.device)
        return Vectors(self.project(torch.cat(halves)), layout, None)

    def split(self, source):
        return source.values.split(source.lengths)


@pytest.fixture
def frames(monkeypatch):
    monkeypatch.setitem(FRONTS, "frames", Frames)
    return {"front": {"kind": "frames"}, "embeddings": "target"}


def frames_batch(tiny, lengths=(5, 2), index=(0, 1)):
    pairs = [([3], [4, 5, 6]), ([3], [7])]
    rows = [torch.randn(n, CHANNELS, generator=torch.Generator().manual_seed(n)) for n in lengths]
    ids = tiny.batch([pairs[i] for i in index], index)
    source = Ragged(torch.cat(rows).double(), tuple(lengths))
    return Batch(source, ids.prefix, ids.target, ids.index)


def test_frames_need_no_table_and_have_no_ids(tiny, frames, combination):
    model = tiny.model_of(combination, **frames)
    assert list(model.tables) == ["target"]
    memory = model.read(frames_batch(tiny), None)
    assert memory.layout.lengths == (3, 1)
    assert memory.ids is None


def test_frames_keep_the_laws_of_padding_and_cache(tiny, frames, combination):
    model = tiny.model_of(combination, **frames)
    together = tiny.gradients(model, [frames_batch(tiny)])
    parts = [frames_batch(tiny, (5,), (0,)), frames_batch(tiny, (2,), (1,))]
    apart = tiny.gradients(model, parts)
    assert together[0] == pytest.approx(apart[0], abs=1e-9)
    assert tiny.largest(together[1], apart[1]) < 1e-9
    flat, _ = tiny.log_probs(model, parts[0])
    state = model.encode(parts[0])
    assert "source ids" not in state.fixed
    for place, number in enumerate([2, 4, 5, 6]):
        log_probs, _, state = model.advance(torch.tensor([[number]]), state)
        assert tiny.largest(log_probs[0, 0], flat[place]) < 1e-9


def test_a_table_cannot_be_tied_to_sources_that_are_no_ids(tiny, frames):
    with pytest.raises(Problem, match="embeddings: tied needs a front end that reads ids"):
        tiny.model_of("gru", front=frames["front"], embeddings="tied")
