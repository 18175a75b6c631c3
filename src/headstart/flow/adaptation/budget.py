"""What the steps of a run may take of `--time`: each keeps what later ones need, on a machine as busy as it is now."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from importlib import import_module

from headstart import progress
from headstart.errors import OptionError
from headstart.flow.adaptation.settings import SETTINGS
from headstart.ladder.settings import SETTINGS as LADDER_SETTINGS
from headstart.options import AdaptOptions
from headstart.records import Table
from headstart.strategies import Clock

NO_TIME = "No time was left; give more with --time."


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step after training and the processor seconds that it takes.

    Parameters
    ----------
    name : str
        As in `seconds` of the result document.
    seconds : float
        In any case.
    seconds_per_1000 : float
        For each 1,000 rows, up to `most_rows` of them.
    most_rows : float
    optional : bool
        Whether it is left out without time.
    seconds_per_base_mb : float
        For each MB of the base model's weights.
    """

    name: str
    seconds: float
    seconds_per_1000: float
    most_rows: float = float("inf")
    optional: bool = True
    seconds_per_base_mb: float = 0.0


STEPS = (
    Step(name="evaluation", seconds=0.2, seconds_per_1000=5.5, most_rows=1_000, optional=False),
    Step(name="learning_curve", seconds=0.5, seconds_per_1000=0.5),
    Step(name="checks", seconds=0.5, seconds_per_1000=1.0, most_rows=5_000),
    Step(name="honest_score", seconds=0.2, seconds_per_1000=8.0, most_rows=1_200),
    Step(name="audit", seconds=1.8, seconds_per_1000=0.5, most_rows=4_000),
    Step(name="write", seconds=10.0, seconds_per_1000=0.05, optional=False, seconds_per_base_mb=0.2),
)
"""In their order, as measured on two cores of a server with 24,000 texts; writing includes the start of the program."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The time of one run.

    Parameters
    ----------
    clock : Clock
        Of the whole run.
    n_rows : int
        Rows for training and test.
    slowdown : float
        Seconds that pass while the run gets one second of a processor.
    base_bytes : int
        Size of the base model's weights; 0 until it is chosen.
    measured_at : float
        `time.monotonic()` when the slowdown was measured.
    """

    clock: Clock
    n_rows: int
    slowdown: float
    base_bytes: int = 0
    measured_at: float = field(default_factory=time.monotonic)

    @classmethod
    def start(cls, table: Table, test: Table | None, options: AdaptOptions, spent_seconds: float) -> Budget:
        """Return the budget of a run that has spent some seconds on reading.

        Raises
        ------
        OptionError
            `--time` is less than the least that these rows take on an idle machine.
        """
        n_rows = len(table) + (0 if test is None else len(test))
        clock = Clock(options.time - spent_seconds)
        budget = cls(clock=clock, n_rows=n_rows, slowdown=_measure_slowdown())
        allowed = options.time + max(SETTINGS.overrun_share * options.time, SETTINGS.overrun_seconds)
        idle = spent_seconds + replace(budget, slowdown=1.0).least_seconds()
        if SETTINGS.refused_share * idle > allowed:
            raise OptionError(
                f"--time {options.time:.0f}s: even the simplest model of {n_rows:,} rows takes about {idle:.0f} s.",
                f"Give at least --time {_round_seconds(1.5 * idle):.0f}s, or fewer rows.",
            )
        least = spent_seconds + budget.least_seconds()
        if least > allowed:
            progress.warn(
                f"--time {options.time:.0f}s cannot be kept: other programs keep this machine busy, and even the "
                f"simplest model of {n_rows:,} rows takes about {least:.0f} s now."
            )
        return budget

    def least_seconds(self) -> float:
        """Return how long the rest takes with the simplest model of few of the rows, and without optional steps."""
        preparing = (
            SETTINGS.preparing_seconds
            + SETTINGS.preparing_seconds_per_1000 * self.n_rows / 1_000
            + SETTINGS.training_seconds
        ) * self.slowdown
        few = replace(self, n_rows=min(self.n_rows, SETTINGS.few_rows))
        needed = sum(few.seconds_for(step.name) for step in STEPS if not step.optional)
        return preparing + self.least_reading_seconds() + needed

    def least_reading_seconds(self) -> float:
        """Return how long the pass through the base may take in any case: it reads a few rows."""
        return SETTINGS.reading_seconds_per_1000 * min(self.n_rows, SETTINGS.few_rows) / 1_000 * self.slowdown

    def reading_seconds(self, base_bytes: int) -> float:
        """Return how long the pass through a base of this size may take from now on."""
        left = replace(self, base_bytes=base_bytes).training_clock().remaining_seconds()
        return max(left * SETTINGS.pass_share, self.least_reading_seconds())

    def measure_again(self, n_rows: int) -> Budget:
        """Return the budget with the slowdown of these seconds and the number of rows that were read in time."""
        if time.monotonic() - self.measured_at < SETTINGS.slowdown_seconds:
            return replace(self, n_rows=n_rows)
        return replace(self, n_rows=n_rows, slowdown=_measure_slowdown(), measured_at=time.monotonic())

    def seconds_for(self, name: str) -> float:
        """Return how long a step is expected to take."""
        step = next(step for step in STEPS if step.name == name)
        rows = min(self.n_rows, step.most_rows)
        base = step.seconds_per_base_mb * self.base_bytes / 1e6
        return (step.seconds + step.seconds_per_1000 * rows / 1_000 + base) * self.slowdown

    def training_clock(self) -> Clock:
        """Return the clock for everything up to the last strategy."""
        needed = sum(self.seconds_for(step.name) for step in STEPS if not step.optional)
        optional = sum(self.seconds_for(step.name) for step in STEPS if step.optional)
        return self.clock.reserve(needed + min(optional, SETTINGS.optional_share * self.clock.limit_seconds))

    def search_seconds(self, is_selective: bool) -> float:
        """Return what the search for a better model may take from now on."""
        longest = LADDER_SETTINGS.search_seconds if is_selective else float("inf")
        return min(self.training_clock().remaining_seconds(), longest)

    def seconds_after_training(self) -> float:
        """Return what all steps after training are expected to take."""
        return sum(self.seconds_for(step.name) for step in STEPS)

    def clock_for(self, name: str) -> Clock:
        """Return the clock for a step after training, without what necessary later steps need."""
        place = [step.name for step in STEPS].index(name)
        return self.clock.reserve(sum(self.seconds_for(step.name) for step in STEPS[place + 1 :] if not step.optional))

    def allows(self, name: str) -> bool:
        """Return whether a step is expected to fit."""
        return self.clock_for(name).remaining_seconds() >= self.seconds_for(name)


def _round_seconds(seconds: float) -> float:
    """Round up to a number that people would write."""
    step = 10 if seconds <= 120 else 60
    return -(-seconds // step) * step


def _measure_slowdown() -> float:
    """Return how busy the machine is; what measures it comes with the extra `adapt`, which predicting does not need."""
    return float(import_module("headstart.strategies.linear.cost_model").measure_slowdown())
