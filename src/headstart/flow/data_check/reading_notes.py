"""Notes that state how data was read, shown to the user."""

from __future__ import annotations

from collections.abc import Iterable

from headstart import progress
from headstart.records import Finding
from headstart.results.findings import NOTHING_TO_DO

HOW_READ = ("task", "odd-label", "text-column")
"""Kinds of notes that state how the data was read."""
NAMES = HOW_READ[1:]
"""Those that are shown where a model knows already what the label is."""


def describe_reading(findings: Iterable[Finding], kinds: tuple[str, ...] = HOW_READ) -> None:
    """Show notes of some kinds."""
    for item in findings:
        if item.kind in kinds and item.severity == "note":
            progress.say(item.summary if item.advice == NOTHING_TO_DO else f"{item.summary} {item.advice}")
