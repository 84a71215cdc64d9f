"""Background: writes that training doesn't wait for, done in order by a thread of its own.

One is in work and one may wait; who gives a third waits for the first. What fails is raised where
the next is given or awaited, and those behind it are not done: they may build on it.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock
from types import TracebackType
from typing import Self

WAITING = 1


class Background:
    """A thread that does what it is given, by any thread, until the `with` block ends."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._lock = Lock()
        self._given: list[Future[None]] = []
        self._error: BaseException | None = None

    @property
    def busy(self) -> bool:
        """Is something in work, or waiting?"""
        return bool(self._open())

    def do(self, job: Callable[[], object]) -> None:
        """Give it a job; raises what failed before."""
        self._await(WAITING)
        with self._lock:
            self._given = [*self._open(), self._pool.submit(self._done, job)]

    def wait(self) -> None:
        """Wait until everything is done; raises what failed."""
        self._await(0)

    def check(self) -> None:
        """Raise what has failed; waits for nothing."""
        if self._error is not None:
            raise self._error

    def _await(self, most: int) -> None:
        """Until at most so many are in work or waiting."""
        given = self._open()
        wait(given[: max(0, len(given) - most)])
        self.check()

    def _open(self) -> list[Future[None]]:
        return [one for one in self._given if not one.done()]

    def _done(self, job: Callable[[], object]) -> None:
        if self._error is not None:
            return
        try:
            job()
        except BaseException as error:
            self._error = error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """What was given is done, and the thread ends; what failed hides no other error."""
        self._pool.shutdown()
        if error is None:
            self.check()
