"""Norms of gradients by layer and by distance in time."""

import pytest
import torch

from pipeline.models.gradient_norms import gradient_norms, layer_of


def test_layers_are_named_by_their_number_or_their_module():
    assert layer_of("encoder.layers.0.attention.weight") == "encoder.layers.0"
    assert layer_of("tables.shared.weight") == "tables.shared"
    assert layer_of("decoder.output.bias") == "decoder.output"


def test_by_layer_they_are_those_of_the_mean_loss(tiny, combination):
    model, batch = tiny.model_of(combination), tiny.batch(tiny.examples(4))
    norms = gradient_norms(model, batch)
    losses, counts = model.losses(batch, None), model.counts(batch)
    sum(model.weights[term] * losses[term] / counts[term] for term in losses).backward()
    squares = {}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            square = float((parameter.grad**2).sum())
            squares[layer_of(name)] = squares.get(layer_of(name), 0.0) + square
    assert {f"gradient_of_{layer}" for layer in squares} <= norms.keys()
    for layer, square in squares.items():
        assert norms[f"gradient_of_{layer}"] == pytest.approx(square**0.5, rel=1e-9, abs=1e-12)


def vanilla(tiny, scale):
    """A recurrent model without attention or dropout whose recurrent weights are a rotation."""
    named = "rnn, reversed to a fixed context"
    parts = {p: tiny.without_dropout(tiny.MODELS[named][p]) for p in ("encoder", "decoder")}
    parts["encoder"]["reversed"] = False
    model = tiny.model_of(named, **parts)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.split(".")[0] in ("encoder", "decoder") and parameter.ndim == 2:
                parameter *= scale
    return model


def test_a_recurrence_of_small_weights_vanishes_over_time(tiny):
    batch = tiny.batch([([*range(4, 11), *range(4, 11), 3], [*range(4, 11), *range(4, 11)])] * 2)
    norms = gradient_norms(vanilla(tiny, 0.5), batch)
    for side in ("source", "prefix"):
        near, far = norms[f"gradient_{side}_back_1"], norms[f"gradient_{side}_back_8"]
        assert 0 < far < near / 20
    assert "gradient_source_back_16" not in norms


def test_an_example_shorter_than_a_distance_has_no_part_in_its_mean(tiny):
    model = tiny.model_of("gru")
    long, short = ([4, 5, 6, 7, 3], [6, 7, 8, 9]), ([4, 3], [6])
    alone, both = (gradient_norms(model, tiny.batch(pairs)) for pairs in ([long], [long, short]))
    ratio = both["gradient_prefix_back_4"] / alone["gradient_prefix_back_4"]
    assert ratio == pytest.approx(1 / 2, rel=1e-9)  # of a mean over two examples


def test_nothing_is_left_behind(tiny):
    model, batch = tiny.model_of("transformer"), tiny.batch(tiny.examples(3))
    before = float(tiny.loss(model, batch).detach())
    with torch.no_grad():
        first = gradient_norms(model, batch)
    assert gradient_norms(model, batch) == first
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not model.encoder._forward_pre_hooks and not model.decoder._forward_pre_hooks
    assert float(tiny.loss(model, batch).detach()) == before
