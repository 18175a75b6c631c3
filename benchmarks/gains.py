"""What adapting gains: Headstart beside other tools on the same weights, labels and test rows, in one run.

`python benchmarks/gains.py [--kinds KIND,..] [--sets SET,..] [--labels 5,20,100,all] [--methods NAME,..] [--plan] ...`

Every cell (set, labels a class, seed, tool) is a process of its own with cold caches; its result is added to
`gains.jsonl` at once, so that a run that was cut off goes on where it was. Test rows decide nothing.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import forecast
import gains_tables
import machine
import material
import numpy as np
from drawing import Caps, Draw, written
from gains_plan import LABELS, METHODS, SETS, Cell, planned
from peers import MOST_PAIRS
from tables import keep, write_section
from timed import HERE, Measured, adapt, run


def measured(cell: Cell, path: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Run a cell in an empty home folder and give its row."""
    method, drawn = METHODS[cell.method], cell.drawn
    with tempfile.TemporaryDirectory() as folder:
        if method.options is None:
            python = given.setfit_python if cell.method.startswith("setfit") else sys.executable
            command = [python, str(HERE / "peers.py"), cell.method, str(path), str(drawn.seed)]
            done = run(command, limit_seconds=given.cell_seconds)
        else:
            options = [*method.options, "--time", given.time, "--seed", str(drawn.seed), "--offline"]
            done = adapt(path, Path(folder, "out"), Path(folder, "home"), *options, limit_seconds=given.cell_seconds)
        return {**described(cell, given), **outcome(done, drawn, Path(folder, "out", "test_predictions.csv"))}


def described(cell: Cell, given: argparse.Namespace) -> dict[str, Any]:
    """Say what a row is about."""
    drawn = cell.drawn
    return {
        "kind": drawn.kind,
        "set": drawn.name,
        "labels": drawn.labels,
        "seed": drawn.seed,
        "method": cell.method,
        "told_as": METHODS[cell.method].told_as,
        "key": cell.key(),
        "digest": drawn.digest,
        "caps": caps_told(given),
        "expected": cell.expected(),
        "n_train": len(drawn.train),
        "n_test": len(drawn.test),
        "revision": machine.revision(),
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
    }


def outcome(done: Measured, drawn: Draw, predictions: Path) -> dict[str, Any]:
    """Say what a process came to: its answers for the test rows, in the order of the draw."""
    found: dict[str, Any] = {
        "seconds": done.seconds, "cpu_seconds": done.cpu_seconds, "peak_gib": done.peak_gib, "error": done.error,
    }  # fmt: skip
    if done.document is None and done.error.startswith(">"):
        return {**found, "status": "over", "ended_after": done.seconds}
    if done.document is None:
        return {**found, "status": "failed"}
    if "missing" in done.document:
        return {**found, "status": "missing", "error": f"not installed ({done.document['missing']})"}
    if "told" in done.document:
        truth, told = done.document["truth"], done.document["told"]
        found["version"] = done.document.get("version", "")
    else:
        truth, told = answers(predictions)
        found["chosen"] = done.document["chosen"]
        names = ("name", "seconds", "forecast_seconds")
        found["rungs"] = [{name: item.get(name) for name in names} for item in done.document["strategies"]]
    if truth != drawn.test_labels:
        return {**found, "status": "failed", "error": "other test rows than were given"}
    codes = {label: number for number, label in enumerate(sorted({*truth, *told}))}
    return {**found, "status": "ok", "truth": [codes[item] for item in truth], "told": [codes[item] for item in told]}


def answers(path: Path) -> tuple[list[str], list[str]]:
    """Read labels and predictions of `headstart adapt`, by the row numbers at the end of their names."""
    with path.open(encoding="utf-8", newline="") as opened:
        lines = list(csv.DictReader(opened))
    lines.sort(key=lambda line: int(re.findall(r"\d+", line["id"])[-1]))
    return [line["label"] for line in lines], [line["predicted"] for line in lines]


DRAWN = ("kind", "set", "labels", "seed", "caps")
"""What says where rows came from; equal rows may come from several draws (100 a class may be all there are)."""


def caps_told(given: argparse.Namespace) -> str:
    """Say which rows were drawn from."""
    return f"{given.most_rows}/{given.most_test}/{given.most_letters}"


class Kept:
    """The rows measured so far, on disk."""

    def __init__(self, path: Path, cell_seconds: float) -> None:
        self.path, self.cell_seconds = path, cell_seconds
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        lines = text.split("\n")
        if lines.pop():  # Cut off while it was written: that cell is measured again.
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        self.rows = [json.loads(line) for line in lines]

    def add(self, row: Mapping[str, Any]) -> None:
        """Keep one more row."""
        self.rows.append(dict(row))
        with self.path.open("a", encoding="utf-8") as opened:
            opened.write(json.dumps(row) + "\n")

    def found(self, cell: Cell) -> list[dict[str, Any]]:
        """Give results of the same tool on equal rows; one that was ended counts if it had as long as it has now."""
        like = [row for row in self.rows if row["key"] == cell.key()]
        return [row for row in like if row["status"] == "ok" or row.get("ended_after", 0) >= self.cell_seconds]

    def expected(self, cell: Cell) -> float:
        """Expect the seconds of a cell, by how the same tool kept to the plan on its last five cells."""
        like = [row for row in self.rows if (row["method"], row["kind"]) == (cell.method, cell.drawn.kind)]
        paces = [row["seconds"] / row["expected"] for row in like if row["status"] == "ok"][-5:]
        return cell.expected() * float(np.median(paces or [1.0]))

    def latest(self, caps: str) -> list[dict[str, Any]]:
        """Give the last row of every cell."""
        names = ("kind", "set", "labels", "seed", "method")
        last = {tuple(row[name] for name in names): row for row in self.rows if row["caps"] == caps}
        return [last[key] for key in sorted(last, key=lambda key: (key[2] or 10**9, list(METHODS).index(key[4]), key))]


def waiting(cells: Sequence[Cell], kept: Kept, given: argparse.Namespace) -> Iterator[Cell]:
    """Give the cells of a draw that are left to run; what was measured on equal rows of another draw is taken over."""
    for cell in cells:
        earlier, about = kept.found(cell), described(cell, given)
        if not earlier:
            yield cell
        elif not any(all(row[name] == about[name] for name in DRAWN) for row in earlier):
            kept.add({**earlier[-1], **about, "date": earlier[-1]["date"], "revision": earlier[-1]["revision"]})


def climb(plan: Sequence[Sequence[Cell]], kept: Kept, given: argparse.Namespace) -> list[str]:
    """Run what is left, within the limit; say what was left out."""
    began, left = time.monotonic(), []
    warm: set[str] = set()
    for cells in plan:
        with tempfile.TemporaryDirectory() as folder:
            path = None
            for cell in waiting(cells, kept, given):
                expected, spent = kept.expected(cell), time.monotonic() - began
                if expected > 2 * given.cell_seconds or spent + expected > 60 * given.limit_minutes:
                    left.append(f"{cell} (about {expected:.0f} s)")
                    continue
                path = path or written(cell.drawn, Path(folder, "rows"))
                if cell.drawn.kind == "series" and cell.method not in warm:  # numba compiles once a machine
                    warm.add(cell.method)
                    measured(cell, path, given)
                row = measured(cell, path, given)
                kept.add(row)
                print(f"{cell}: {row['status']}, {row['seconds']:.1f} s (expected {expected:.0f})", flush=True)
        report(kept, given, left)
    return left


SUBJECT = "Gains"
LEGEND = (
    "The same pre-trained weights, training rows and test rows for all tools: `labels a class` rows of each class (all "
    "of a class that has fewer) are drawn from the official training rows. One process each, in turn, imports "
    "included, cold caches, the same cores. Percent on official test rows, which decide nothing; 95 % intervals over "
    "draws and test rows; mean seconds, largest memory."
)


def report(kept: Kept, given: argparse.Namespace, left: Sequence[str]) -> dict[str, str]:
    """Write the sections from everything that was measured; give them."""
    found = kept.latest(caps_told(given))
    kinds = [kind for kind in SETS if any(row["kind"] == kind for row in found)]
    labels = sorted({row["labels"] for row in found}, key=lambda count: count or 10**9)
    about = [
        given.about,
        f"- rows at most: {given.most_rows} labelled where all are taken, {given.most_test} for testing; texts are cut "
        f"after {given.most_letters} letters for all tools; a cell is "
        f"ended after {given.cell_seconds:.0f} s; `--time {given.time}` for headstart; SetFit's pairs are at most "
        f"about {MOST_PAIRS}; every process has {given.threads} thread{'s' * (given.threads > 1)} and as many cores",
        f"- measured {min(row['date'] for row in found)} to {max(row['date'] for row in found)} UTC, revisions "
        f"{', '.join(sorted({row['revision'] for row in found}))}; "
        f"{', '.join(sorted({row['version'] for row in found if row.get('version')}))}" if found else "",
    ]  # fmt: skip
    head = "\n".join([*about, "", LEGEND, ""])
    not_run = f"\n{given.note}\n" if given.note else ""
    not_run += f"\nNot run: {'; '.join(left)}.\n" if left else ""
    sections = {
        f"{given.subject}: aims": f"{head}\n{gains_tables.aims(found, kinds, labels)}\n{not_run}",
        f"{given.subject}: means over sets": gains_tables.means(found, kinds, labels),
        **{f"{given.subject}: {kind}": gains_tables.details(found, kind) for kind in kinds},
    }
    if given.subject == SUBJECT:
        sections["Forecasts"] = forecast.section([rung for row in found for rung in row.get("rungs", [])])
    for title, body in sections.items():
        write_section(given.results, title, body)
    return sections


def names(text: str) -> list[str]:
    """Split at commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def counts(text: str) -> list[int]:
    """Read `5,20,all`."""
    return [0 if name == "all" else int(name) for name in names(text)]


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--kinds", type=names, default=list(SETS))
    parser.add_argument("--sets", type=names, help="such as corn_leaf,ucr/ECG200")
    parser.add_argument("--labels", type=counts, default=list(LABELS), help="such as 5,20,all")
    parser.add_argument("--seeds", type=int, default=3, help="draws at 5 and 20 labels (one above)")
    parser.add_argument("--dear-seeds", type=int, default=2, help="of these, how many for fastai, SetFit, fine-tuning")
    parser.add_argument("--methods", type=names, default=list(METHODS))
    parser.add_argument("--most-rows", type=int, default=Caps.train, help="labelled rows where all are taken")
    parser.add_argument("--most-test", type=int, default=Caps.test, help="test rows")
    parser.add_argument("--most-letters", type=int, default=Caps.letters, help="of a text")
    parser.add_argument("--time", default="10m", help="`--time` of headstart")
    parser.add_argument("--cell-seconds", type=float, default=600.0, help="end a cell after this")
    parser.add_argument("--limit-minutes", type=float, default=float("inf"), help="start nothing that would not fit")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--setfit-python", default=os.environ.get("SETFIT_PYTHON", sys.executable))
    parser.add_argument("--note", default="", help="a sentence to write below the aims, such as on the conditions")
    parser.add_argument("--subject", default=SUBJECT, help="of the page; another one for a part that is run alone")
    parser.add_argument("--plan", action="store_true", help="only print what would run, and for how long")
    parser.add_argument("--fresh", action="store_true", help="forget what was measured")
    parser.add_argument("--kept", type=Path, default=HERE / "gains.jsonl")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    given = parser.parse_args(arguments)
    for asked, known in ((given.kinds, SETS), (given.methods, METHODS)):
        if unknown := [name for name in asked if name not in known]:
            parser.error(f"unknown: {', '.join(unknown)} (known: {', '.join(known)})")
    return given


def limit_threads(n_threads: int) -> None:
    """Give every process the same cores and threads."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(n_threads)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:n_threads])


def main(arguments: Sequence[str] | None = None) -> None:
    """Plan, estimate, measure, write."""
    given = parsed(arguments)
    if not given.data.is_dir():
        print(f"No data folder {given.data}: nothing to compare on (--data FOLDER).")
        return
    given.about = machine.describe()
    if given.fresh:
        given.kept.unlink(missing_ok=True)
    kept, plan = Kept(given.kept, given.cell_seconds), planned(given)
    todo = {tuple(cell.key()): cell for cells in plan for cell in cells if not kept.found(cell)}
    seconds = {str(cell): kept.expected(cell) for cell in todo.values()}
    fitting = [value for value in seconds.values() if value <= 2 * given.cell_seconds]
    minutes = sum(min(value, given.cell_seconds) for value in fitting) / 60
    print(f"{len(fitting)} cells, about {minutes:.0f} minutes; {len(seconds) - len(fitting)} left out as too long.")
    if given.plan:
        print("\n".join(f"  {value:5.0f} s  {told}" for told, value in seconds.items()))
        return
    limit_threads(given.threads)
    left = climb(plan, kept, given)
    for title, body in report(kept, given, left).items():
        keep(given.results, title, body)


if __name__ == "__main__":
    main()
