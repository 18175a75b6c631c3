"""Are verdicts, readiness, gaps, sets and attributions right where the truth is known?

`python benchmarks/verdict.py [--trials N] [--only PART] [--kept FOLDER] [--tables] [--results FOLDER]`

Resumable: every trial is a line in `FOLDER/PART.jsonl`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import machine
import numpy as np
import planted_tables
from planted_adapt import ADAPT_CELLS, try_adapt
from planted_trials import (
    GAP_CELLS,
    ORIGIN_CELLS,
    READY_CELLS,
    SET_CELLS,
    VERDICT_CELLS,
    Cell,
    Record,
    name_cell,
    try_gaps,
    try_origin,
    try_readiness,
    try_sets,
    try_verdict,
)
from tables import keep


@dataclass(frozen=True, kw_only=True)
class Part:
    """Cells, what one trial of a cell does, how trials become tables, and at most how many there are."""

    cells: tuple[Cell, ...]
    attempt: Callable[[Cell, int], Iterator[Record]]
    summarize: Callable[[dict[str, list[Record]], Sequence[Cell]], Iterator[tuple[str, str]]]
    most: int = 1_000_000


PARTS: dict[str, Part] = {
    "verdict": Part(cells=VERDICT_CELLS, attempt=try_verdict, summarize=planted_tables.summarize_verdicts),
    "gaps": Part(cells=GAP_CELLS, attempt=try_gaps, summarize=planted_tables.summarize_gaps),
    "readiness": Part(cells=READY_CELLS, attempt=try_readiness, summarize=planted_tables.summarize_readiness),
    "sets": Part(cells=SET_CELLS, attempt=try_sets, summarize=planted_tables.summarize_sets),
    "origin": Part(cells=ORIGIN_CELLS, attempt=try_origin, summarize=planted_tables.summarize_origins),
    "adapt": Part(cells=ADAPT_CELLS, attempt=try_adapt, summarize=planted_tables.summarize_adapt, most=10),
}


def read_trials(path: Path) -> dict[tuple[str, int], list[Record]]:
    """Return what is there, by cell and trial; a line that was cut off is left out."""
    trials: dict[tuple[str, int], list[Record]] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            document = json.loads(line)
        except json.JSONDecodeError:
            continue
        trials[document["cell"], document["trial"]] = document["records"]
    return trials


def run_trials(part: Part, path: Path, n_trials: int) -> None:
    """Run the trials that are missing, one of each cell in turn, so that a run that is cut off is even."""
    done = set(read_trials(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as lines:
        for trial in range(min(n_trials, part.most)):
            for cell in part.cells:
                if (name_cell(cell), trial) in done:
                    continue
                records = list(part.attempt(cell, trial))
                document = {"cell": name_cell(cell), "trial": trial, "records": records}
                lines.write(json.dumps(document, default=_as_plain) + "\n")
                lines.flush()


def _as_plain(value: object) -> object:
    assert isinstance(value, np.generic), type(value)
    return value.item()


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--only", choices=tuple(PARTS))
    parser.add_argument("--kept", type=Path, default=machine.ROOT / "build" / "planted")
    parser.add_argument("--tables", action="store_true", help="write the tables from what is there")
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    options = parser.parse_args(arguments)
    for name, part in PARTS.items():
        if options.only not in (None, name):
            continue
        path = options.kept / f"{name}.jsonl"
        if not options.tables:
            run_trials(part, path, options.trials)
        by_cell: dict[str, list[Record]] = {}
        for (cell, trial), records in sorted(read_trials(path).items()):
            if trial < options.trials:
                by_cell.setdefault(cell, []).extend(records)
        cells = [cell for cell in part.cells if name_cell(cell) in by_cell]
        for title, body in part.summarize(by_cell, cells) if cells else ():
            keep(options.results, f"Verdict: {title}", f"{machine.describe()}\n\n{body}")


if __name__ == "__main__":
    main()
