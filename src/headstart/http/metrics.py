"""What happened, for Prometheus: counters, gauges and histograms, written in its text format."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

Labels = tuple[str, ...]
SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
ROWS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)


def _braces(names: Labels, values: Labels) -> str:
    cleaned = [value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"") for value in values]
    pairs = ",".join(f'{name}="{value}"' for name, value in zip(names, cleaned, strict=True))
    return f"{{{pairs}}}" if pairs else ""


def _head(name: str, kind: str, text: str) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]


@dataclass
class Counter:
    """Counts events by labels.

    Examples
    --------
    >>> counter = Counter("answers_total", "Answers.", ("kind",))
    >>> counter.add(("label",)); counter.add(("label",), 2)
    >>> print(counter.text())
    # HELP answers_total Answers.
    # TYPE answers_total counter
    answers_total{kind="label"} 3
    """

    name: str
    help: str
    labels: Labels
    counts: dict[Labels, int] = field(default_factory=dict)

    def add(self, values: Labels, n: int = 1) -> None:
        """Count `n` more."""
        self.counts[values] = self.counts.get(values, 0) + n

    def text(self) -> str:
        """Write it."""
        rows = [f"{self.name}{_braces(self.labels, values)} {n}" for values, n in sorted(self.counts.items())]
        return "\n".join([*_head(self.name, "counter", self.help), *rows])


@dataclass
class Gauge:
    """What is so at this moment: a function gives the values by label values."""

    name: str
    help: str
    labels: Labels
    values: Callable[[], Mapping[Labels, float]]

    def text(self) -> str:
        """Write it."""
        rows = [f"{self.name}{_braces(self.labels, at)} {value:g}" for at, value in sorted(self.values().items())]
        return "\n".join([*_head(self.name, "gauge", self.help), *rows])


@dataclass(kw_only=True)
class Histogram:
    """How large values are, by labels: how many are at most as large as each bound."""

    name: str
    help: str
    labels: Labels
    bounds: tuple[float, ...]
    seen: dict[Labels, list[int]] = field(default_factory=dict)
    sums: dict[Labels, float] = field(default_factory=dict)

    def add(self, values: Labels, value: float) -> None:
        """Count one value."""
        counts = self.seen.setdefault(values, [0] * (len(self.bounds) + 1))
        counts[bisect_left(self.bounds, value)] += 1
        self.sums[values] = self.sums.get(values, 0.0) + value

    def text(self) -> str:
        """Write it."""
        rows = []
        for values, counts in sorted(self.seen.items()):
            names = [*(f"{bound:g}" for bound in self.bounds), "+Inf"]
            for name, n in zip(names, accumulate(counts), strict=True):
                rows.append(f"{self.name}_bucket{_braces((*self.labels, 'le'), (*values, name))} {n}")
            rows.append(f"{self.name}_sum{_braces(self.labels, values)} {self.sums[values]:.9g}")
            rows.append(f"{self.name}_count{_braces(self.labels, values)} {sum(counts)}")
        return "\n".join([*_head(self.name, "histogram", self.help), *rows])


class Counters:
    """Everything that the server counts.

    Parameters
    ----------
    waiting : function
        Gives the rows that wait, by model.
    """

    def __init__(self, waiting: Callable[[], Mapping[str, int]]) -> None:
        self.requests = Counter(
            "headstart_requests_total", "Requests by route and status.", ("route", "method", "status")
        )
        self.seconds = Histogram(
            name="headstart_request_seconds", help="Time to answer, by route.", labels=("route",), bounds=SECONDS
        )
        self.batches = Histogram(
            name="headstart_batch_rows", help="Rows answered together.", labels=("model",), bounds=ROWS
        )
        self.answers = Counter(
            "headstart_answers_total", "Answers: a label, not sure, none of these, or unusable.", ("model", "kind")
        )
        self.corrections = Counter("headstart_corrections_total", "Corrections that were stored.", ("model",))
        self.waiting = Gauge(
            "headstart_queue_rows", "Rows that wait.", ("model",), lambda: {(name,): n for name, n in waiting().items()}
        )

    def text(self) -> str:
        """Write all of it in the text format of Prometheus (version 0.0.4)."""
        parts = (self.requests, self.seconds, self.waiting, self.batches, self.answers, self.corrections)
        return "\n".join(part.text() for part in parts) + "\n"
