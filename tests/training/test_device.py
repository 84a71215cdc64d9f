"""How often a step waits for its device: once, at its end.

Until then the host only says what is to be computed, so that the device always has work waiting. It
has to wait once: whether a step is taken is decided from the reduced loss and norm, and told to
people; where it waited in each slot, a GPU would stand idle while the host gets ahead again.

Nothing is computed here: on the device `meta` tensors have shapes and no numbers, every operation
is seen, and what would need a number of the device is a wait. So are copies to the device that are
not said to be `non_blocking`: the host stays until all that was asked for before is done. What has
a shape that only the device knows (`nonzero`, picking by a mask) fails here by itself.
"""

import traceback
from pathlib import Path

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from pipeline.models.seam import Chance
from pipeline.training.moving_average import MovingAverage
from pipeline.training.step import hands_of, take
from pipeline.training.team import Team

META = torch.device("meta")
NAMES = ("transformer", "transformer, modern", "gru, copying")  # of CTC torch knows no shapes


class Made(TorchFunctionMode):
    """Notes tensors that are made on the device from the host's numbers: copies that wait."""

    def __init__(self, waits):
        self.waits = waits

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function in (torch.tensor, torch.as_tensor) and kwargs.get("device") == META:
            self.waits.append(f"made at {place()}")
        return function(*args, **kwargs)


class Waits(TorchDispatchMode):
    """Notes every operation that waits for the device, and where it was asked for."""

    def __init__(self):
        super().__init__()
        self.waits, self.operations = [], set()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = operation.overloadpacket.__name__
        self.operations.add(name)
        if name == "_local_scalar_dense" and args[0].device == META:
            self.waits.append(f"read at {place()}")
            return 1
        if name == "_to_copy":
            before, after = args[0].device, torch.device(kwargs.get("device") or args[0].device)
            if before == META != after:
                self.waits.append(f"brought at {place()}")
                return torch.ones(args[0].shape, dtype=args[0].dtype)
            if before != after and not kwargs.get("non_blocking"):
                self.waits.append(f"sent at {place()}")
        return operation(*args, **kwargs)


def place():
    """The last line of the pipeline that is being run."""
    frames = [each for each in traceback.extract_stack() if "/pipeline/" in each.filename]
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else "this test"


def waits_of_a_step(engine, tiny, model):
    """Where a step of two slots waits, and the operations that it is made of."""
    settings = engine.training(optimizer={"kind": "adamw", "clip_norm": 1.0})
    parameters = dict(model.to(META).named_parameters())
    optimizer, average = settings.optimizer.build(parameters), MovingAverage(0.5, parameters)
    hands = hands_of(model, optimizer, Team(device=META), 1.0, average=average)
    share = tiny.batch(tiny.examples(6)).to(META).split([4, 2])
    log = Waits()
    with torch.autograd.set_multithreading_enabled(False), Made(log.waits), log:
        step = take(hands, share, Chance(1, 2), rate=0.1, tokens=20, stop=False)
    assert step.taken
    assert {"_fused_adamw_", "linalg_vector_norm"} <= log.operations
    return log.waits, log.operations


@pytest.mark.parametrize("name", NAMES)
def test_a_step_waits_for_its_device_once(engine, tiny, name):
    waits, _ = waits_of_a_step(engine, tiny, tiny.model_of(name, precision="bf16"))
    assert len(waits) == 1, waits
    assert waits[0].startswith("brought at gradient.py")


@pytest.mark.parametrize("name", ["transformer", "transformer, modern"])
def test_attention_in_bf16_is_the_fused_kernels(engine, tiny, name):
    parts = {
        part: {**tiny.MODELS[name][part], "attention_dropout": 0.0}
        for part in ("encoder", "decoder")
    }
    model = tiny.model_of(name, precision="bf16", width=16, **parts)
    waits, operations = waits_of_a_step(engine, tiny, model)
    assert len(waits) == 1, waits
    assert {"_varlen_attn", "_varlen_attn_backward"} <= operations
    assert "bmm" not in operations


def test_what_waits_is_found(engine, tiny):
    """Each way to wait, in a loss, is seen twice: once in each slot."""
    model = tiny.model_of("transformer", precision="fp32")
    losses = model.losses

    def slow(batch, chance):
        found = losses(batch, chance)
        total = found["cross_entropy"]
        torch.tensor(batch.source.lengths, device=total.device)
        total.item()
        batch.index.cpu()
        torch.ones(2).to(total.device)
        return found

    model.losses = slow
    waits, _ = waits_of_a_step(engine, tiny, model)
    waits = [wait.split(" at ")[0] for wait in waits]
    assert sorted(waits) == sorted(2 * ["made", "read", "brought", "sent"] + ["brought"])
