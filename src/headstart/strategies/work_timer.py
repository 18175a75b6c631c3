"""Seconds that work takes, whatever else the machine does meanwhile."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

FINE_SECONDS = 1e-4


def _read_processor() -> float:
    """Return the processor seconds of this process; infinite where the system counts them too coarsely."""
    return time.process_time() if time.get_clock_info("process_time").resolution <= FINE_SECONDS else float("inf")


@dataclass(frozen=True)
class WorkTimer:
    """Time from its making on.

    Parameters
    ----------
    began, processor_began : float
        `time.perf_counter()` and the processor seconds of this process at its start.
    """

    began: float = field(default_factory=time.perf_counter)
    processor_began: float = field(default_factory=_read_processor)

    def measure_elapsed(self) -> float:
        """Return the seconds that passed."""
        return time.perf_counter() - self.began

    def measure_work(self) -> float:
        """Return the seconds that passed, or the processor's where they are fewer: other programs had the rest.

        Work on several threads takes more processor seconds than pass, so that it counts by what passed.
        """
        if self.processor_began == float("inf"):
            return self.measure_elapsed()
        return min(self.measure_elapsed(), _read_processor() - self.processor_began)
