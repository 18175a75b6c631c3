"""What a server counts, for Prometheus (prometheus-client): requests, times, batches, answers, corrections."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator

import prometheus_client as prometheus
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric

SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
ROWS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class ServerMetrics:
    """Everything that a server counts, in a registry of its own: several servers in one process do not mix."""

    def __init__(self) -> None:
        self.registry = prometheus.CollectorRegistry()
        self.requests = prometheus.Counter(
            "headstart_requests_total", "Requests by route and status.", ("route", "method", "status"),
            registry=self.registry,
        )  # fmt: skip
        self.seconds = prometheus.Histogram(
            "headstart_request_seconds", "Time to answer, by route.", ("route",), buckets=SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self.waiting = prometheus.Gauge("headstart_queue_rows", "Rows that wait.", ("model",), registry=self.registry)
        self.batches = prometheus.Histogram(
            "headstart_batch_rows", "Rows answered together.", ("model",), buckets=ROWS, registry=self.registry
        )
        self.answers = prometheus.Counter(
            "headstart_answers_total", "Answers: a label, not sure, none of these, or unusable.", ("model", "kind"),
            registry=self.registry,
        )  # fmt: skip
        self.corrections = prometheus.Counter(
            "headstart_corrections_total", "Corrections that were stored.", ("model",), registry=self.registry
        )

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics without the times at which each series was created."""
        for metric in self.registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric

    def format_text(self) -> bytes:
        """Return all of it in the text format of Prometheus (version 0.0.4)."""
        return generate_latest(self)  # It calls `collect` and nothing else.

    def count_statuses(self) -> dict[str, int]:
        """Return how many requests of each status there were."""
        statuses = Tally[str]()
        for metric in self.requests.collect():
            for sample in metric.samples:
                if sample.name.endswith("_total"):
                    statuses[sample.labels["status"]] += int(sample.value)
        return dict(sorted(statuses.items()))
