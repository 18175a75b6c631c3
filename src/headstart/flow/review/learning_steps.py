"""What a run has tried so far, while it runs: each way of learning with its held-out training rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

EVENTS = Path("run") / "events.jsonl"


@dataclass(frozen=True)
class TriedStrategy:
    """A strategy that was fitted: how many training rows it guessed right while they were held out, of how many."""

    name: str
    n_right: int
    n_rows: int


def read_tried_strategies(run: Path) -> list[TriedStrategy]:
    """Return the strategies that a run has fitted, in order; empty before the first, and where rows have no one class.

    Parameters
    ----------
    run : Path
        The output folder of `adapt`, finished or not.
    """
    try:
        lines = (run / EVENTS).read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return []
    tried: dict[str, TriedStrategy] = {}
    for line in lines:
        try:
            event = json.loads(line)
            if event["event"] == "strategy" and event["n_rows"]:
                tried.pop(event["name"], None)
                tried[event["name"]] = TriedStrategy(str(event["name"]), int(event["n_right"]), int(event["n_rows"]))
        except (ValueError, KeyError, TypeError):
            continue  # The last line may be half written.
    return list(tried.values())
