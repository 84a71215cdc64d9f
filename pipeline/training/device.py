"""A GPU, and what torch is told of it before the first step: the same bits again, as exact as said.

On a processor nothing has to be said.
"""

import torch


def prepare(device: torch.device, *, strict: bool) -> None:
    """Compute on `device` from here on; on a GPU by kernels that give the same bits again.

    Where something has no such kernel, torch raises, or only warns where that is not `strict`: then
    fused attention's backward adds up in any order, too.
    """
    if device.type != "cuda":
        return
    torch.cuda.set_device(device)
    torch.use_deterministic_algorithms(True, warn_only=not strict)
    # Else every empty tensor is filled before it is written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyright: ignore[reportAttributeAccessIssue]
    torch.set_float32_matmul_precision("highest")  # fp32 is fp32, in convolutions …
    torch.backends.cudnn.allow_tf32 = False  # … too
    torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False  # sums in fp32
