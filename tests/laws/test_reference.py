"""Law: each layer and loss = torch's own, or a closed formula, on fixed numbers."""

import pytest
import torch
from reference import close, random
from torch.nn import functional

import pipeline.models.dropout as dropout
import pipeline.models.softmax as softmax


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


@pytest.mark.parametrize("count", [1, 4001])
def test_in_bf16_the_loss_is_scaled_before_it_is_rounded(count):
    outputs, weight = random(7, 5).bfloat16().requires_grad_(), random(9, 5).float()
    loss = softmax.CrossEntropy.apply(outputs, weight, torch.tensor([3, 8, 1, 0, 4, 4, 2]), 0.1)
    (whole,) = torch.autograd.grad(loss, outputs, retain_graph=True)
    (scaled,) = torch.autograd.grad(loss * (1 / count), outputs)
    assert torch.equal(scaled, (whole.float() * (1 / count)).bfloat16())


@pytest.mark.parametrize("held", [2, 7])
def test_in_bf16_the_gradients_hardly_depend_on_how_many_logits_are_held(monkeypatch, held):
    monkeypatch.setattr(softmax, "CHUNK", 2)
    monkeypatch.setattr(softmax, "HELD", held)
    exact = random(7, 5).requires_grad_(), random(9, 5, seed=1).float().requires_grad_()
    narrow = exact[0].detach().bfloat16().requires_grad_(), exact[1]
    targets = torch.tensor([3, 8, 1, 0, 4, 4, 2])
    ours, theirs = (
        torch.autograd.grad(softmax.CrossEntropy.apply(*leaves, targets, 0.1), leaves)
        for leaves in (narrow, (exact[0], exact[1].double()))
    )
    for found, expected in zip(ours, theirs, strict=True):
        assert torch.allclose(found.double(), expected.double(), rtol=0.02, atol=0.02)


def test_the_hash_of_a_key_is_murmurhash3s_finaliser():
    def finalised(key):
        for constant in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
            key = ((key ^ (key >> 33)) * constant) % 2**64
        return key ^ (key >> 33)

    keys = [0, 1, 2**40 + 7, 2**63 - 1, -1, -(2**63)]
    found = dropout.mix(torch.tensor(keys)).tolist()
    assert [value % 2**64 for value in found] == [finalised(key % 2**64) for key in keys]
