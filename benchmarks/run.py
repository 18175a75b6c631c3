"""Measure Headstart against the limit of this machine, side by side in one run.

`python benchmarks/run.py [--data FOLDER] [--small] [--results FILE]`
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import machine
import material
from tables import keep, table
from timed import Measured, adapt, script

FAST = "quick"
RUNS: dict[str, tuple[str, ...]] = {"all strategies": (), "without scratch": ("--strategy", FAST)}
STATES = {"all strategies": ("cold",), "without scratch": ("cold", "base known", "warm")}
"""Cold: nothing kept; base known: the base was used here before, the rows are new; warm: the same rows again."""
AIMS = {500: 3.0, 2000: 1.5}
MOST_ROWS_WITH_SCRATCH = 500
"""The run with `scratch` takes its share of --time whatever the rows: one size shows that."""


def against_limit(kind: str, data: Path, n_rows: int, folder: Path) -> list[dict[str, object]]:
    """Measure cold and warm runs on `n_rows` rows, with the limit measured directly before and after."""
    rows = folder / (f"{kind}-{n_rows}" + (".csv" if kind == "text" else ""))
    source = {"image": material.image_folder, "text": material.text_table}[kind](data, n_rows, rows)
    print(f"{kind}: {source}", flush=True)
    before = script("limit.py", kind, str(rows))
    found = []
    for name, options in RUNS.items():
        if name == "all strategies" and n_rows > MOST_ROWS_WITH_SCRATCH:
            continue
        home = folder / f"home-{kind}-{n_rows}-{name.split()[0]}"
        for state in STATES[name]:
            if state == "base known":
                forget_features(home)
            done = adapt(rows, folder / f"out-{home.name}-{state}", home, *options)
            found.append({"rows": f"{n_rows} ({kind})", "run": name, "cache": state, **_timing(done)})
    after = script("limit.py", kind, str(rows))
    limits = [item.document for item in (before, after) if item.document]
    if not limits:
        return [{**row, "limit s": "failed"} for row in found]
    fastest = min(limits, key=lambda item: item["limit_seconds"])
    return [{**row, **_ratio(row, fastest, n_rows)} for row in found]


def forget_features(home: Path) -> None:
    """Empty the feature cache and keep what is known of base models."""
    command = [sys.executable, "-m", "headstart.cli.main", "cache", "--prune", "--older-than", "0", "-q"]
    subprocess.run(command, check=True, env={**os.environ, "HEADSTART_HOME": str(home)}, stderr=subprocess.DEVNULL)


def _timing(done: Measured) -> dict[str, object]:
    if done.document is None:
        return {"wall s": f"{done.seconds:.1f}", "parts s": done.error}
    parts = ", ".join(f"{name} {value:.1f}" for name, value in done.document["seconds"].items())
    return {
        "wall s": f"{done.seconds:.1f}",
        "peak GiB": f"{done.peak_gib:.2f}",
        "parts s": parts,
        "runtime": done.document["base"]["runtime"],
    }


def _ratio(row: dict[str, object], limit: dict[str, float], n_rows: int) -> dict[str, object]:
    seconds = limit["limit_seconds"]
    told = f"{seconds:.2f} = decode {limit['decode_seconds']:.2f} + {limit['fastest']} {limit['forward_seconds']:.2f}"
    ratio = float(str(row["wall s"])) / seconds
    cold = f"<= {AIMS[n_rows]:.1f} x" if n_rows in AIMS else ""
    aim = "< 5 s + head" if row["cache"] == "warm" else cold
    return {"limit s": told, "wall / limit": f"{ratio:.1f} x", "aim": aim}


LIMIT_LEGEND = (
    "`wall` is the whole process `headstart adapt`, start and imports included; cold = empty HEADSTART_HOME (the "
    "base is converted and the runtimes compared), base known = only the features are computed. `limit` is decoding "
    "plus one forward pass of the fastest correct runtime over the same rows at steady state (the better of two "
    "measurements, before and after)."
)


def limits(data: Path, small: bool, results: Path) -> None:
    """Write the table of times over the limit."""
    plan = (("image", 40), ("text", 60)) if small else (("image", 500), ("image", 2000), ("text", 2000))
    about = machine.describe()
    with tempfile.TemporaryDirectory() as folder:
        rows: list[dict[str, object]] = []
        for kind, n_rows in plan:
            rows += against_limit(kind, data, n_rows, Path(folder))
            keep(results, "Time over the limit", f"{about}\n\n{LIMIT_LEGEND}\n\n{table(rows)}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--small", action="store_true", help="a quick try, not a measurement")
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    given = parser.parse_args(arguments)
    limits(given.data, given.small, given.results)


if __name__ == "__main__":
    main()
