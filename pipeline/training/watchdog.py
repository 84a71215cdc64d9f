"""The watchdog: says when a run has become slow, or when nothing has ended for long.

It only reports, so it may use clocks; whoever asks it says what the time is.
"""

from collections import deque
from statistics import median

STRETCH = 10.0  # seconds of steps that a speed is measured over
REMEMBERED = 30  # stretches whose median is what is usual …
NEEDED = 5  # … and how many there have to be


class Watchdog:
    """Speeds below `slow_share` of the running median, and silences of `silence_seconds`."""

    def __init__(self, slow_share: float | None, silence_seconds: float | None, now: float) -> None:
        self.slow_share, self.silence_seconds = slow_share, silence_seconds
        self._speeds: deque[float] = deque(maxlen=REMEMBERED)
        self._tokens, self._seconds = 0, 0.0
        self._slow = self._silent = False
        self._heard = now

    def heard(self, now: float) -> None:
        """Something has ended: a step, a validation, a start."""
        self._heard, self._silent = now, False

    def step(self, tokens: int, seconds: float, now: float) -> str:
        """A step has ended, which took `seconds`; what there is to report, or ""."""
        self.heard(now)
        self._tokens += tokens
        self._seconds += seconds
        if self._seconds < STRETCH:
            return ""
        speed, self._tokens, self._seconds = self._tokens / self._seconds, 0, 0.0
        note = self._judged(speed)
        self._speeds.append(speed)
        return note

    def _judged(self, speed: float) -> str:
        if self.slow_share is None or len(self._speeds) < NEEDED:
            return ""
        usual = median(self._speeds)
        was, self._slow = self._slow, speed < self.slow_share * usual
        if self._slow and not was:
            return f"slow: {speed:,.0f} target tokens/s, where {usual:,.0f} were usual"
        if was and not self._slow:
            return f"no longer slow: {speed:,.0f} target tokens/s"
        return ""

    def look(self, now: float) -> str:
        """Whether nothing has ended for long, once for each silence; or ""."""
        silent = now - self._heard
        if self.silence_seconds is None or self._silent or silent < self.silence_seconds:
            return ""
        self._silent = True
        return f"no step or validation has ended for {silent:.0f} s"
