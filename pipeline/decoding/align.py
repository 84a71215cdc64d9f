"""The attention of given targets, for people to look at: which position was read for which id."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.batches.batch import BOS, EOS
from pipeline.decoding.decode import Ids, source_batch
from pipeline.models.seam import Searchable

LOST = "\ufffd"  # what a decoder says of a character whose bytes are not all there yet


@torch.inference_mode()
def attention_of(
    model: Searchable, source: Ids, target: Ids
) -> Float[Tensor, "target source"] | None:
    """Attention over a source (with EOS) at each id of a target (without) and at its EOS.

    The source is alone, so that nothing depends on others. None where the model has no attention.
    """
    state = model.encode(source_batch([source]), attention=True)
    rows: list[Tensor] = []
    for id in (BOS, *target):
        _, attention, state = model.advance(torch.tensor([[id]]), state)
        if attention is None:
            return None
        rows.append(attention[0, 0])
    return torch.stack(rows)


def spoken(ids: Ids, decode: Callable[[Sequence[Ids]], list[str]]) -> tuple[str, ...]:
    """What each id adds to the text, whatever the pieces are; "" for EOS.

    A piece that begins a word brings its space along, and the last byte of a character all of it.
    """
    bare = [id for id in ids if id != EOS]
    found: list[str] = []
    said = 0
    for end, text in enumerate(decode([bare[: end + 1] for end in range(len(bare))]), 1):
        whole = text if end == len(bare) else text.rstrip(LOST)
        found.append(whole[said:])
        said = max(said, len(whole))
    return (*found, "")
