"""Ahead: what comes next is made in a thread while the present is worked on.

Reading, decompressing and writing leave Python's lock, so the two overlap; order stays.
"""

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
_END = object()


def ahead(items: Iterable[T], depth: int = 1) -> Generator[T]:
    """The same items, up to `depth` of them made before they are asked for. Errors come in turn."""
    stream = iter(items)
    with ThreadPoolExecutor(1) as pool:
        waiting = deque(pool.submit(next, stream, _END) for _ in range(depth))
        while (item := waiting.popleft().result()) is not _END:
            waiting.append(pool.submit(next, stream, _END))
            yield item  # pyright: ignore[reportReturnType]
