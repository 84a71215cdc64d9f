"""Settled weights: the same products, made faster."""

import copy
import pickle

import pytest
import torch
from torch.nn import functional

import pipeline.models.products as products_module
from pipeline.decoding.beam import Beam
from pipeline.decoding.decode import decode
from pipeline.models.linear import Linear
from pipeline.models.products import Products
from pipeline.models.weights import fill, settle

TOLERANCES = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 0.02}


@pytest.fixture
def layer():
    layer = Linear(16, 24, 8, bias=True, starts=(0.5, -1.0))
    fill(layer, 3)
    return layer


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("shape", [(1, 16), (40, 16), (3, 5, 16)])
@pytest.mark.parametrize("biased", [True, False])
def test_a_settled_product_is_the_product(layer, dtype, shape, biased):
    vectors = torch.randn(shape, generator=torch.Generator().manual_seed(1)).to(dtype)
    bias = layer.bias if biased else None
    products = Products()
    products.settled = True
    with torch.no_grad():
        cast = None if bias is None else bias.to(dtype)
        expected = functional.linear(vectors, layer.weight.to(dtype), cast)
        for _ in range(2):
            found = products.of(vectors, layer.weight, bias)
            assert (found.dtype, found.shape) == (dtype, expected.shape)
            assert float((found - expected).abs().max()) <= TOLERANCES[dtype]


def test_a_processor_without_bf16_multiplies_the_same_rounded_numbers(layer, monkeypatch):
    monkeypatch.setattr(products_module, "has_bf16", lambda: False)
    settle(layer)
    vectors = torch.randn(40, 16, generator=torch.Generator().manual_seed(1)).bfloat16()
    with torch.no_grad():
        found = [layer(vectors) for _ in range(2)]
        wide = (x.bfloat16().double() for x in (vectors, layer.weight, layer.bias))
        expected = functional.linear(*wide)
    for one in found:
        assert one.dtype == torch.bfloat16
        rounded_once = expected.abs() * 2**-8 + 1e-6
        assert ((one.double() - expected).abs() <= rounded_once).all()


def test_rows_that_lie_apart_are_read_where_they_are(layer):
    settle(layer)
    wide = torch.randn(6, 4, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        apart = layer(wide.transpose(0, 1)[:, :, :16])
        together = layer(wide.transpose(0, 1)[:, :, :16].contiguous())
    assert torch.equal(apart, together)


def test_a_layer_that_is_not_settled_follows_its_weights(layer):
    vectors = torch.ones(2, 16)
    before = layer(vectors)
    with torch.no_grad():
        layer.weight.add_(1.0)
    assert float((layer(vectors) - before).detach().min()) > 15


def test_a_settled_layer_still_learns(layer):
    settle(layer)
    with torch.no_grad():
        layer(torch.ones(2, 16))
    layer(torch.ones(2, 16)).sum().backward()
    assert layer.weight.grad is not None
    assert torch.equal(layer.weight.grad, torch.full((32, 16), 2.0))


def test_a_settled_layer_can_be_copied_and_sent(layer):
    settle(layer)
    vectors = torch.randn(4, 16)
    assert layer.products.ready(vectors) is None
    with torch.inference_mode():
        expected = layer(vectors)
        for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
            assert torch.equal(twin(vectors), expected)


@pytest.mark.parametrize("name", ["transformer", "transformer, modern", "gru, copying", "lstm"])
@pytest.mark.parametrize("precision", ["fp64", "fp32"])
def test_a_search_finds_the_same_with_settled_weights(tiny, name, precision):
    sources = [source for source, _ in tiny.examples(6)]
    model = tiny.model_of(name, precision=precision)
    before = decode(model, sources, Beam(beam_size=3), n_best=2)
    settle(model)
    after = decode(model, sources, Beam(beam_size=3), n_best=2)
    assert [[one.ids for one in n_best] for n_best in after] == [
        [one.ids for one in n_best] for n_best in before
    ]
    assert after[0][0].log_probability == pytest.approx(before[0][0].log_probability, abs=1e-4)
