"""Every strategy through the public command, on real sets: what each costs and gives, and what was chosen.

`python benchmarks/ladder.py SET[:LABELS[:TASK]] ... [--data FOLDER] [--time 7m] [--out FOLDER] [--results FILE]`

A set that has a `result.json` in the out folder already is not run again. Nothing is decided by these test rows.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import machine
from forecast import section as forecasts
from tables import keep, table
from timed import adapt

LEGEND = (
    "`headstart adapt` with the strategies shown, one draw each; accuracy on test rows in % (95 % interval; several "
    "labels: macro-F1, numbers: R2), log-loss on test, loss out of fold (rungs are compared on it). *Worse than a "
    "cheaper rung* names the rungs before the chosen one whose interval on test lies wholly on the better side of the "
    "chosen one's, by the loss that rungs are compared on (numbers: R2) and by the figure shown."
)
SHOWN = ("accuracy", "macro_f1", "r2")


def figure(test: Mapping[str, Any]) -> Mapping[str, float]:
    """Give the measure that is shown."""
    name = next(name for name in SHOWN if name in test)
    found: Mapping[str, float] = test[name]
    return found


def lines(name: str, result: Mapping[str, Any]) -> list[dict[str, object]]:
    """Make the rows of one set."""
    made = []
    for rung in result["strategies"]:
        shown = figure(rung["test"])
        told, loss = rung.get("forecast_seconds"), rung.get("cross_validation_log_loss")
        made.append(
            {
                "set": name,
                "strategy": rung["name"] + (" (chosen)" if rung["name"] == result["chosen"] else ""),
                "on test": f"{100 * shown['value']:.1f} ({100 * shown['low']:.1f}-{100 * shown['high']:.1f})",
                "loss on test": f"{rung['test']['log_loss']['value']:.3f}" if "log_loss" in rung["test"] else "-",
                "loss out of fold": "-" if loss is None else f"{loss:.3f}",
                "forecast s": f"{told:.1f}" if told else "-",
                "seconds": f"{rung['seconds']:.1f}",
                "notes": "; ".join(rung["notes"]),
            }
        )
    for item in result["skipped"]:
        made.append({"set": name, "strategy": item["name"], "notes": f"skipped: {item['reason']}"})
    return made


def broken(result: Mapping[str, Any], by_loss: bool) -> list[str]:
    """Name the cheaper rungs that were better on test beyond both intervals."""
    names = [rung["name"] for rung in result["strategies"]]
    tests = {rung["name"]: rung["test"] for rung in result["strategies"]}
    before = names[: names.index(result["chosen"])]
    chosen = tests[result["chosen"]]
    if by_loss and "log_loss" in chosen:
        return [name for name in before if tests[name]["log_loss"]["high"] < chosen["log_loss"]["low"]]
    return [name for name in before if figure(tests[name])["low"] > figure(chosen)["high"]]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", help="such as potato_leaf, masakhanews/eng.csv:8, covid3month:0:regression")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--time", default="7m")
    parser.add_argument("--strategy", default="thorough")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/ladder"))
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results"))
    asked = parser.parse_args(arguments)
    rows, rungs = [], []
    worse: dict[bool, list[str]] = {True: [], False: []}
    for item in asked.sets:
        name, _, rest = item.partition(":")
        labels, _, task = rest.partition(":")
        out = asked.out / item.replace("/", "-").replace(":", "-")
        options = ["--time", asked.time, "--strategy", asked.strategy, "--offline"]
        options += ["--labels-per-class", labels] if labels and labels != "0" else []
        options += ["--task", task] if task else []
        if not (out / "result.json").is_file():
            ran = adapt(asked.data / name, out, asked.out / "home", *options)
            if ran.document is None:
                rows.append({"set": item, "strategy": "failed", "notes": ran.error})
                continue
        result = json.loads((out / "result.json").read_text("utf-8"))
        rows += lines(item, result)
        rungs += result["strategies"]
        for by_loss, found in worse.items():
            found += [f"{item}: {name}" for name in broken(result, by_loss)]
    said = [", ".join(found) or "none" for found in worse.values()]
    told = f"Worse than a cheaper rung by loss: {said[0]}; by the figure shown: {said[1]}."
    body = f"{machine.describe()}\n\n{LEGEND}\n\n{told}\n\n{table(rows)}"
    keep(asked.results, "The ladder", body)
    keep(asked.results, "Forecasts", forecasts(rungs))


if __name__ == "__main__":
    main()
