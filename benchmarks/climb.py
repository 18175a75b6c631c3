"""How often the rule that leaves out costly strategies is right, and what it costs and saves.

`python benchmarks/climb.py SET[:LABELS] ... [--data FOLDER] [--seconds 60] [--kept FILE] [--results FOLDER]`

Every costly strategy of `default` is fitted in any case, by the functions that `headstart adapt` calls, without report
and export; then the choice is made again with the rule, from the same fitted strategies. A cell that stands in the kept
file is not measured again. Test rows decide nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import forecast
import machine
import numpy as np
from tables import keep, table

from headstart import data, ladder
from headstart.fitted_state import FittedState
from headstart.flow.adaptation.budget import Budget
from headstart.flow.adaptation.prepare import prepare
from headstart.flow.run_records import Prepared, Timings
from headstart.options import AdaptOptions
from headstart.records import Probabilities
from headstart.strategies import STRATEGIES, Clock, select_strategies

LEGEND = (
    "Accuracy on test rows in %. `quick`: without costly strategies on the base; `tried in any case`: with all those "
    "of `default`; `with the rule`: with those that the rule tries. The rule is right where it tried and more than "
    "{worth} points were gained, or did not try and at most so much was lost. Seconds (and of the processor) are those "
    "of all strategies, without reading, the pass through the base, report and export."
)
WORTH_POINTS = 0.5


class Rungs:
    """Fitted strategies in memory, so that a second choice costs nothing."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[FittedState, Probabilities, float]] = {}

    def load(self, name: str) -> tuple[FittedState, Probabilities, float] | None:
        """Return a strategy fitted earlier."""
        return self.kept.get(name)

    def save(self, name: str, state: FittedState, out_of_fold: Probabilities, seconds: float) -> None:
        """Keep a strategy."""
        self.kept[name] = (state, out_of_fold, seconds)

    def parts_folder(self, name: str) -> Path | None:
        """Keep no parts."""
        return None

    def log(self, event: str, **values: Any) -> None:
        """Note nothing."""


def read(path: Path, labels: int) -> Prepared:
    """Read rows and compute what the base says of them, as a run would."""
    options = AdaptOptions(offline=True, labels_per_class=labels or None, time=3_600.0)
    rows = data.read_table(path, options)
    names = select_strategies(rows.modality, (), rows.task)
    uses = frozenset(part for name in names for part in STRATEGIES[name].uses)
    return prepare(rows, options, None, uses, Budget.start(rows, None, options, 0.0), Timings(is_reported=False))


def climb(prepared: Prepared, names: Sequence[str], rungs: Rungs, *, seconds: float, selective: bool) -> dict[str, Any]:
    """Fit and choose; give accuracy on test rows, what was fitted and what it took."""
    began, processor = time.monotonic(), time.process_time()
    task = replace(prepared.task, clock=Clock(seconds))
    fitted = ladder.fit_strategies(prepared.train, task, names, rungs, search=ladder.Search(is_selective=selective))
    took, worked = time.monotonic() - began, time.process_time() - processor
    told = fitted.fitted[fitted.chosen].predict(prepared.test).argmax(axis=1)
    rungs_told = [
        {"name": name, "seconds": fitted.seconds[name], "forecast_seconds": fitted.forecasts[name].seconds}
        for name in fitted.fitted
        if name in fitted.forecasts and fitted.forecasts[name].seconds > 0
    ]
    return {
        "chosen": fitted.chosen, "accuracy": float(np.mean(told == prepared.truth)), "seconds": took,
        "cpu_seconds": worked, "fitted": list(fitted.fitted), "skipped": fitted.skipped, "rungs": rungs_told,
        "losses": {name: value for name, value in fitted.losses.items() if np.isfinite(value)},
    }  # fmt: skip


def measure(path: Path, cell: str, labels: int, seconds: float) -> dict[str, Any]:
    """Measure one cell: everything tried, the rule, and the quick strategies alone."""
    prepared, rungs = read(path, labels), Rungs()
    names = select_strategies(prepared.table.modality, (), prepared.table.task)
    costly = [name for name in names if STRATEGIES[name].preset != "quick" and not STRATEGIES[name].is_rival]
    whole = climb(prepared, names, rungs, seconds=seconds, selective=False)
    quick = climb(prepared, [name for name in names if name not in costly], rungs, seconds=seconds, selective=False)
    ruled = climb(prepared, names, rungs, seconds=seconds, selective=True)
    return {
        "cell": cell, "modality": prepared.table.modality, "n_train": len(prepared.train), "n_test": len(prepared.test),
        "costly": costly, "whole": whole, "quick": quick, "ruled": ruled,
    }  # fmt: skip


def judged(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Say whether the rule was right.

    Examples
    --------
    >>> parts = {"whole": {"accuracy": 0.9}, "quick": {"accuracy": 0.8}, "costly": ["lora"]}
    >>> told = judged({**parts, "ruled": {"accuracy": 0.8, "skipped": {"lora": "little to gain; --strategy thorough"}}})
    >>> told["tried"], told["right"], round(told["lost"], 1)
    (False, False, 10.0)
    """
    skipped = cell["ruled"]["skipped"]
    tried = any("--strategy thorough" not in skipped.get(name, "") for name in cell["costly"])
    gained = 100 * (cell["whole"]["accuracy"] - cell["quick"]["accuracy"])
    lost = 100 * (cell["whole"]["accuracy"] - cell["ruled"]["accuracy"])
    return {
        "tried": tried, "gained": gained, "lost": lost,
        "right": gained > WORTH_POINTS if tried else lost <= WORTH_POINTS,
    }  # fmt: skip


def section(cells: Sequence[Mapping[str, Any]]) -> str:
    """Make the table and the sums."""
    lines, told = [], [judged(cell) for cell in cells]
    for cell, said in zip(cells, told, strict=True):
        lines.append(
            {
                "set": cell["cell"],
                "train / test": f"{cell['n_train']} / {cell['n_test']}",
                "quick": f"{100 * cell['quick']['accuracy']:.1f}",
                "tried in any case": f"{100 * cell['whole']['accuracy']:.1f}",
                "with the rule": f"{100 * cell['ruled']['accuracy']:.1f}",
                "rule tries": "yes" if said["tried"] else "no",
                "gained": f"{said['gained']:+.1f}",
                "right": "yes" if said["right"] else "no",
                "chosen with all": cell["whole"]["chosen"],
                "cpu s": f"{cell['whole']['cpu_seconds']:.0f}",
                "s": f"{cell['whole']['seconds']:.0f}",
                "skipped": "; ".join(f"{name}: {why}" for name, why in cell["whole"]["skipped"].items()),
            }
        )
    lost = np.array([said["lost"] for said in told])
    error = 1.96 * lost.std(ddof=1) / np.sqrt(len(lost)) if len(lost) > 1 else float("nan")
    n_right = sum(said["right"] for said in told)
    sums = (
        f"Right in {n_right} of {len(told)}. Points lost by the rule on average: {lost.mean():.2f} "
        f"({lost.mean() - error:.2f} to {lost.mean() + error:.2f})."
    )
    return f"{LEGEND.format(worth=WORTH_POINTS)}\n\n{sums}\n\n{table(lines)}"


def forecast_parts(cells: Sequence[Mapping[str, Any]]) -> str:
    """Make the table of forecasts: the first cell of each modality began in an empty home, the others had learnt."""
    met: set[tuple[str, str]] = set()
    first, later = [], []
    for cell in cells:
        for rung in cell["whole"]["rungs"]:
            key = (cell["modality"], rung["name"])
            (later if key in met else first).append(rung)
            met.add(key)
    return (
        f"First of its kind in an empty home:\n\n{forecast.section(first)}\n\n"
        f"With what was learnt before:\n\n{forecast.section(later)}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", help="such as sign_digits:5, ucr/Beef.parquet")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seconds", type=float, default=60.0, help="for the strategies of a cell")
    parser.add_argument("--kept", type=Path, default=Path("climb.jsonl"))
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results"))
    given = parser.parse_args(arguments)
    text = given.kept.read_text("utf-8") if given.kept.is_file() else ""
    cells = [json.loads(line) for line in text.splitlines()]
    for item in given.sets:
        name, _, labels = item.partition(":")
        if item not in {cell["cell"] for cell in cells}:
            cells.append(measure(given.data / name, item, int(labels or 0), given.seconds))
            with given.kept.open("a", encoding="utf-8") as opened:
                opened.write(json.dumps(cells[-1]) + "\n")
    keep(given.results, "Where climbing pays", f"{machine.describe()}\n\n{section(cells)}")
    keep(given.results, "Forecasts", f"{machine.describe()}\n\n{forecast_parts(cells)}")


if __name__ == "__main__":
    main()
