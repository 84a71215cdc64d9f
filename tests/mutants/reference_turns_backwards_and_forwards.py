"""A rotary position whose second channel is turned the other way."""

import torch

import pipeline.models.positions as positions

LAW = "reference"
TEST = "tests/laws/test_reference_of_transformer.py::test_rotary_positions_turn_points_of_the_plane"
WHY = "A sign is lost, so that lengths change and scores depend on more than distances."


def mutate(monkeypatch):
    def turned(heads, turns):
        first, second = heads.chunk(2, dim=-1)
        cos, sin = turns
        return torch.cat([first * cos - second * sin, second * cos - first * sin], -1)

    monkeypatch.setattr(positions, "turned", turned)
