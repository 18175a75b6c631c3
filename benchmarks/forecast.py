"""How well the ladder forecasts its rungs: actual seconds over forecast seconds, from `result.json`.

`python benchmarks/forecast.py OUT [OUT ...] [--results FILE]`, each a folder that `headstart adapt` wrote.
`gains.py` writes the same table from its own runs.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import machine
import numpy as np
from tables import keep, table

AIM = 1.5
WORTH_SECONDS = 3.0
"""Shorter rungs are left out: nobody waits for them, and starting them takes as long as they do."""
LEGEND = (
    "Rungs of 3 s and more whose cost was forecast before they ran. `factor` = actual / forecast seconds, median; the "
    f"share is that of rungs within a factor {AIM} either way."
)


def factor(rung: Mapping[str, Any]) -> float | None:
    """Actual over forecast seconds, or None where nothing was forecast.

    Examples
    --------
    >>> factor({"seconds": 3.0, "forecast_seconds": 2.0}), factor({"seconds": 3.0})
    (1.5, None)
    """
    told = rung.get("forecast_seconds")
    return float(rung["seconds"]) / told if told else None


def _line(name: str, rungs: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    factors = np.array([factor(rung) for rung in rungs], dtype=float)
    within = np.abs(np.log(np.maximum(factors, 1e-9))) <= np.log(AIM) + 1e-12
    return {
        "strategy": name,
        "rungs": len(rungs),
        "forecast s": f"{np.median([rung['forecast_seconds'] for rung in rungs]):.1f}",
        "actual s": f"{np.median([rung['seconds'] for rung in rungs]):.1f}",
        "factor": f"{np.median(factors):.2f}",
        f"within {AIM} x": f"{100 * within.mean():.0f} %",
    }


def section(rungs: Sequence[Mapping[str, Any]]) -> str:
    """Make the table."""
    told = [r for r in rungs if factor(r) is not None and max(r["seconds"], r["forecast_seconds"]) >= WORTH_SECONDS]
    if not told:
        return f"{LEGEND}\n\nNo rung had a forecast."
    lines = [_line(name, [rung for rung in told if rung["name"] == name]) for name in sorted({r["name"] for r in told})]
    return f"{LEGEND}\n\n{table([*lines, _line('all', told)])}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, nargs="+")
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    given = parser.parse_args(arguments)
    documents = [json.loads((folder / "result.json").read_text(encoding="utf-8")) for folder in given.out]
    rungs = [rung for document in documents for rung in document["strategies"]]
    keep(given.results, "Forecasts", f"{machine.describe()}\n\n{section(rungs)}")


if __name__ == "__main__":
    main()
