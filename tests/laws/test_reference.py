"""Law: each layer and loss = torch's own, or a closed formula, on fixed numbers."""

import pytest
import torch
from torch import nn
from torch.nn import functional

import pipeline.models.additive as additive
import pipeline.models.dropout as dropout
import pipeline.models.gru as gru
import pipeline.models.multihead as multihead
import pipeline.models.softmax as softmax
from pipeline.models.gru_encoder import GRUEncoderSettings, GRULayer
from pipeline.models.layout import Layout
from pipeline.models.packed import Packing
from pipeline.models.weights import fill

CPU = torch.device("cpu")
SOURCE = Layout((3, 5, 1), CPU)


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def filled(module):
    """With random weights, biases and norms too."""
    fill(module.double(), 1)
    for number, parameter in enumerate(module.parameters()):
        parameter.data += 0.1 * random(*parameter.shape, seed=number)
    return module


def close(ours, theirs, tolerance=1e-9):
    assert ours.shape == theirs.shape
    assert float((ours - theirs).detach().abs().max()) < tolerance


def torch_gru(layer):
    """torch's own bidirectional layer with our weights."""
    theirs = nn.GRU(7, 6, batch_first=True, bidirectional=True).double()
    for suffix, ours in (("", layer.forwards), ("_reverse", layer.backwards)):
        values = {
            "weight_ih_l0": ours.inputs.weight,
            "bias_ih_l0": ours.inputs.bias,
            "weight_hh_l0": ours.weight,
            "bias_hh_l0": torch.cat([torch.zeros(12, dtype=torch.float64), ours.bias]),
        }
        for name, value in values.items():
            getattr(theirs, name + suffix).data = value.detach().clone()
    return theirs


def test_a_bidirectional_gru_and_its_gradients():
    layer = filled(GRULayer(GRUEncoderSettings(units=6), 7))
    theirs = torch_gru(layer)
    vectors = random(SOURCE.positions, 7).requires_grad_()
    states, ends = layer(vectors, None, (Packing(SOURCE), Packing(SOURCE, backward=True)))
    packed = nn.utils.rnn.pack_padded_sequence(
        SOURCE.pad(vectors), SOURCE.lengths, batch_first=True, enforce_sorted=False
    )
    outputs, last = theirs(packed)
    padded, _ = nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True)
    close(states, padded[SOURCE.mask])
    close(ends, torch.cat([last[0], last[1]], 1))
    slope = random(*states.shape, seed=3)
    pairs = [
        (vectors, vectors),
        (layer.forwards.weight, theirs.weight_hh_l0),
        (layer.backwards.weight, theirs.weight_hh_l0_reverse),
        (layer.forwards.inputs.weight, theirs.weight_ih_l0),
        (layer.backwards.inputs.bias, theirs.bias_ih_l0_reverse),
    ]
    found = torch.autograd.grad((states * slope).sum(), [ours for ours, _ in pairs])
    loss = (padded[SOURCE.mask] * slope).sum()
    for ours, expected in zip(found, torch.autograd.grad(loss, [t for _, t in pairs]), strict=True):
        close(ours, expected)


def test_one_step_of_a_gru_is_torchs_cell():
    layer = filled(gru.Recurrence(7, 6))
    theirs = nn.GRUCell(7, 6).double()
    theirs.weight_ih.data, theirs.bias_ih.data = layer.inputs.weight.data, layer.inputs.bias.data
    theirs.weight_hh.data = layer.weight.data
    theirs.bias_hh.data = torch.cat([torch.zeros(12, dtype=torch.float64), layer.bias.data])
    vectors, state = random(4, 7), random(4, 6, seed=1)
    close(layer.step(vectors, state), theirs(vectors, state))


def test_gradients_of_a_recurrence_reach_its_start():
    layer, packing = filled(gru.Recurrence(7, 6)), Packing(SOURCE)
    vectors, start = random(SOURCE.positions, 7), random(3, 6, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda s: layer(vectors, s, packing), (start,))


@pytest.mark.parametrize("chunk", [1, 10**6])
def test_additive_attention_and_its_gradients(monkeypatch, chunk):
    monkeypatch.setattr(additive, "CHUNK", chunk)
    attention = filled(additive.AdditiveAttention(6, 8, 5))
    states, queries = random(SOURCE.positions, 8), random(3, 4, 6, seed=1).requires_grad_()
    bias = multihead.bias_of(SOURCE.mask, torch.float64)[:, None]
    context, weights = attention(queries, attention.keys(states, SOURCE), SOURCE.pad(states), bias)
    sums = attention.query(queries)[:, :, None] + attention.keys(states, SOURCE)[:, None]
    expected = torch.softmax(torch.tanh(sums) @ attention.energy + bias, -1)
    close(weights, expected)
    close(context, expected @ SOURCE.pad(states))
    wanted = [queries, *attention.parameters()]
    slope = random(*weights.shape, seed=2)
    found = torch.autograd.grad((weights * slope).sum(), wanted)
    for ours, theirs in zip(
        found, torch.autograd.grad((expected * slope).sum(), wanted), strict=True
    ):
        close(ours, theirs)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("chunk", [2, 512])
def test_the_loss_and_its_gradients(monkeypatch, smoothing, chunk):
    monkeypatch.setattr(softmax, "CHUNK", chunk)
    outputs, weight = random(7, 5).requires_grad_(), random(9, 5, seed=1).requires_grad_()
    targets = torch.tensor([3, 8, 1, 0, 4, 4, 2])
    found = softmax.CrossEntropy.apply(outputs, weight, targets, smoothing)
    expected = functional.cross_entropy(
        outputs @ weight.T, targets, reduction="sum", label_smoothing=smoothing
    )
    close(found, expected)
    ours = torch.autograd.grad(0.7 * found, [outputs, weight])
    theirs = torch.autograd.grad(0.7 * expected, [outputs, weight])
    close(ours[0], theirs[0])
    close(ours[1], theirs[1])


def test_the_loss_of_certain_outputs_is_finite():
    outputs = torch.tensor([[1000.0, -1000.0]])
    weight = torch.eye(2)
    loss = softmax.CrossEntropy.apply(outputs, weight, torch.tensor([1]), 0.0)
    assert float(loss) == 2000.0


def test_the_hash_of_a_key_is_murmurhash3s_finaliser():
    def finalised(key):
        for constant in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
            key = ((key ^ (key >> 33)) * constant) % 2**64
        return key ^ (key >> 33)

    keys = [0, 1, 2**40 + 7, 2**63 - 1, -1, -(2**63)]
    found = dropout.mix(torch.tensor(keys)).tolist()
    assert [value % 2**64 for value in found] == [finalised(key % 2**64) for key in keys]
