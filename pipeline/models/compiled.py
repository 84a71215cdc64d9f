"""Compiled regions: what torch.compile makes of the parts of a step that fuse well.

A region works on rows, one a position, and knows nothing of lengths: a sublayer's norm, product,
activation, dropout and sum; the loss of a chunk. The compiler is told that it will see any number
of rows, so it makes one graph of a region and no more, whatever slots come. What depends on lengths
(attention, recurrences) runs as it is, and so does all that is no training.

Dropout is integer arithmetic on keys (`dropout.py`), never a generator's: compiled or not, a step
is the same up to rounding.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import torch
from torch import Tensor

from pipeline.models.dropout import fixed_constants

T = TypeVar("T")

# The compiler chooses by rule, not by measuring, so that it makes the same code again; and keeps
# nothing for another time, since what it keeps are pickles. The processor says what vectors there
# are: to try the libraries' headers for each kind with the compiler takes every worker seconds.
OPTIONS: dict[str, str | int | bool | Callable[..., Any]] = {
    "deterministic": True,
    "compile_threads": 1,
    "fx_graph_cache": False,
    "fx_graph_remote_cache": False,
    "autotune_local_cache": False,
    "autotune_remote_cache": False,
    "cpp.vec_isa_ok": True,
}


class _Switch:
    """Whether this process compiles."""

    on = False


def compiles() -> bool:
    """Whether this process compiles."""
    return _Switch.on


def compiled(region: Callable[..., T], rows: Tensor, *rest: object) -> T:
    """`region(rows, *rest)`, compiled where this process compiles.

    Whatever else has as many rows comes first in `rest`. A single row, for which the compiler would
    make a graph of its own, is worked on as it is.
    """
    if not _Switch.on or len(rows) < 2:
        return region(rows, *rest)
    for tensor in (rows, *rest):
        if not isinstance(tensor, Tensor):
            break
        torch._dynamo.mark_dynamic(tensor, 0)  # pyright: ignore[reportPrivateUsage]
    return _graph(region)(rows, *rest)


@cache
def _graph(region: Callable[..., T]) -> Callable[..., T]:
    return torch.compile(region, fullgraph=True, options=OPTIONS)


@contextmanager
def compiling() -> Generator[None]:
    """Regions are compiled meanwhile.

    What the compiler writes it also loads and executes: so it writes to a new folder that nobody
    else can write to, and which goes at the end.
    """
    from torch._inductor.runtime.cache_dir_utils import temporary_cache_dir  # takes seconds

    torch.compiler.assume_constant_result(fixed_constants)
    with TemporaryDirectory(prefix="compiled-") as folder, temporary_cache_dir(folder):
        _Switch.on = True
        try:
            yield
        finally:
            _Switch.on = False
