"""The recipe of the base Transformer says what Vaswani et al. 2017 say, number by number."""

import pytest
import torch

from pipeline.decoding.constraints import Lengths
from pipeline.decoding.decode import Decoding
from pipeline.models.seq2seq import Model
from pipeline.models.settings import ModelSettings
from pipeline.settings import Settings, load
from pipeline.training.settings import Training

WIDTH, INSIDE, LAYERS, PIECES = 512, 2048, 6, 37_000


class Sections(Settings):
    model: ModelSettings
    training: Training
    decoding: Decoding
    pieces: dict


@pytest.fixture(scope="module")
def recipe(root):
    return load(Sections, root / "recipes/transformer-base-en-de.yaml")


def test_its_parameters_are_those_of_the_closed_formula(recipe):
    """The paper's table says 65 million, of about 37,000 pieces; biases and norms are ours."""
    square = WIDTH * WIDTH
    attention = 4 * square + 4 * WIDTH  # query, key, value, output
    network = 2 * WIDTH * INSIDE + INSIDE + WIDTH
    norm = 2 * WIDTH
    encoder = LAYERS * (attention + network + 2 * norm)
    decoder = LAYERS * (2 * attention + network + 3 * norm)
    assert recipe.pieces["vocabulary"] == PIECES
    with torch.device("meta"):
        model = Model(recipe.model, PIECES, PIECES, shared=True, precision="fp32")
    count = sum(parameter.numel() for parameter in model.parameters())
    assert count == encoder + decoder + PIECES * WIDTH == 63_082_496
    assert encoder + decoder == 44_138_496
    assert count == pytest.approx(65e6, rel=0.03)


def test_its_options_are_the_papers(recipe):
    for part in (recipe.model.encoder, recipe.model.decoder):
        assert (part.layers, part.heads, part.feedforward) == (LAYERS, 8, INSIDE)
        assert (part.norm_first, part.norm, part.activation) == (False, "layer", "relu")
        assert (part.positions, part.key_value_heads, part.layer_drop) == ("sinusoidal", None, 0)
        assert (part.dropout, part.attention_dropout, part.feedforward_dropout) == (0.1, 0, 0)
    assert (recipe.model.embeddings, recipe.model.scaled_embeddings) == ("tied", True)
    assert recipe.model.generator.label_smoothing == 0.1
    optimizer = recipe.training.optimizer
    assert (optimizer.betas, optimizer.epsilon) == ((0.9, 0.98), 1e-9)
    assert (optimizer.weight_decay, optimizer.clip_norm) == (0, None)  # Adam, as it was then
    assert (recipe.training.steps, recipe.training.average_best) == (100_000, 5)


@pytest.mark.parametrize("step", [1, 2, 3_999, 4_000, 4_001, 50_000, 100_000])
def test_its_learning_rate_is_the_papers_formula(recipe, step):
    published = WIDTH**-0.5 * min(step**-0.5, step * 4000**-1.5)
    assert recipe.training.schedule.rate(step, 100_000) == pytest.approx(published, rel=1e-12)


def test_its_search_is_the_papers(recipe):
    search = recipe.decoding.search
    assert search.beam_size == 4
    assert str(search.formula()) == "s / ((5 + n) / 6)^0.6, EOS counts in n"
    lengths = Lengths(search.max_length_ratio, search.max_length_extra)
    assert lengths.longest(20 + 1) == 20 + 50 + 1  # EOS on either side
