"""The lookout: a thread that looks at a run now and then, while its steps are taken.

What it meets (a full disk, a lost lease) the run meets too, and says so: the lookout just ends.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

SECONDS_PER_LOOK = 1.0


@contextmanager
def lookout(look: Callable[[], object]) -> Generator[None]:
    """Call `look` about once a second until the block ends."""
    done = threading.Event()

    def watch() -> None:
        with suppress(Exception):
            while not done.wait(SECONDS_PER_LOOK):
                look()

    thread = threading.Thread(target=watch, name="lookout", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
