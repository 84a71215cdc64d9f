"""The pace: how fast steps are taken, and what came of the time, since the last record.

Clocks are read here, for people and for the watchdog; nothing of it reaches weights. What a step
adds are a few sums: what it costs does not grow with its examples.
"""

import resource
import time

import torch

from pipeline.training.gauge import Gauge
from pipeline.training.step import Step


class Pace:
    """Seconds are those of this worker from the end of one step to that of the next; what comes
    between steps (validation, a checkpoint's copy) is left out."""

    def __init__(self, gauge: Gauge | None, device: torch.device) -> None:
        self.gauge, self.device = gauge, device
        self.begin()
        self._forget()

    def begin(self) -> None:
        """What was done until now belongs to no step."""
        self.stepped, self._processed = time.monotonic(), time.process_time()

    def step(self, step: Step) -> dict[str, float]:
        """A step has ended: `seconds` and `processor_seconds` that it took."""
        now, processed = time.monotonic(), time.process_time()
        spent = {"seconds": now - self.stepped, "processor_seconds": processed - self._processed}
        self.stepped, self._processed = now, processed
        self._seconds += spent["seconds"]
        self._tokens += step.tokens
        if step.supply:
            self._waited += step.supply.waiting_seconds
            if self.gauge:
                self._needed += self.gauge.needed(step.supply.padding)
                self._made += self.gauge.made(step.supply.padding)
        return spent

    def told(self) -> dict[str, float]:
        """Of all steps since this was asked last."""
        seconds = max(self._seconds, 1e-9)
        values = {
            "tokens_per_second": self._tokens / seconds,
            "waiting_share": self._waited / seconds,
            **self._of_the_peak(seconds),
            **self._memory(),
        }
        self._forget()
        return values

    def _of_the_peak(self, seconds: float) -> dict[str, float]:
        if self.gauge is None or not self._made:
            return {}
        return {
            "padding": 1 - self._needed / self._made,
            "mfu": self._needed / seconds / self.gauge.peak,
            "peak_gflops_per_second": self.gauge.peak / 1e9,
        }

    def _memory(self) -> dict[str, float]:
        """The most that this worker has held, its device's apart."""
        kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        values = {"peak_memory_mib": kibibytes / 2**10}
        if self.device.type == "cuda":
            values["peak_device_memory_mib"] = torch.cuda.max_memory_allocated(self.device) / 2**20
        return values

    def _forget(self) -> None:
        self._seconds = self._waited = 0.0
        self._tokens = self._needed = self._made = 0
