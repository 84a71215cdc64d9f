"""The lookout: a thread that looks at something now and then, while a block works.

What it meets (a full disk, a lost lease) the block meets too, and says so: the lookout just ends.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress


@contextmanager
def lookout(look: Callable[[], object], *, every: float) -> Generator[None]:
    """Call `look` about `every` so many seconds until the block ends."""
    done = threading.Event()

    def watch() -> None:
        with suppress(Exception):
            while not done.wait(every):
                look()

    thread = threading.Thread(target=watch, name="lookout", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
