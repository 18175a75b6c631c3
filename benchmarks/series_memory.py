"""Memory and seconds on many series: `classic`, `quant` and the series base beside aeon's classifiers.

`python benchmarks/series_memory.py [--data FOLDER] [--set NAME] [--rows N] [--arms NAME ...] [--kept FILE]
[--results FOLDER]`

All training rows of Crop (7,200 series of 46 steps), or N of them; then 100 test series are answered. Each tool runs in
a process of its own with one thread, and learnt from 60 rows before, so that imports and compiling count for nobody.
Memory is the largest resident memory of the process, and beside it how much that is above what it held before.
Accuracy is not the matter here: benchmarks/series_peers.py compares that.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import machine
import numpy as np
import torch
from material import DATA
from series_base import OneSet, features
from series_peers import PEERS, fit_peer
from tables import keep, table

from headstart import data
from headstart.modalities import MODALITIES, series
from headstart.records import Features
from headstart.strategies.baselines import classic, quant
from headstart.strategies.probes import linear_probe
from headstart.strategies.record import Clock, StrategyRows, Task

OURS: dict[str, Callable[[StrategyRows, Task], Any]] = {
    "classic": lambda rows, task: classic.fit(rows, task, {}),
    "quant": lambda rows, task: quant.fit(rows, task, {}),
    "linear-probe": lambda rows, task: linear_probe.fit(rows, task, {}),
}
WARM, ANSWERED = 60, 100
HEADING = "Series memory: learning from many short series"


def describe_rows(table_of: Any, arm: str) -> StrategyRows:
    """Return rows as a strategy of ours needs them: with features of the base where it has one."""
    if arm != "linear-probe":
        return StrategyRows(table_of)
    outputs, _ = features("encoder", table_of, table_of.take(np.arange(1)), 0)
    return StrategyRows(table_of, Features(table_of.ids, outputs, "benchmark", {}))


def learn_and_answer(arm: str, train: Any, test: Any) -> dict[str, float]:
    """Fit one tool and let it answer; return the seconds of both."""
    classes, codes = np.unique(train.labels.astype(str), return_inverse=True)
    spec = series.derive_spec(list(train.inputs))
    started = time.monotonic()
    if arm in OURS:
        folds = data.assign_folds(codes, np.arange(len(codes)), 5, 0)
        task = Task(
            classes=tuple(classes), codes=codes, folds=folds, balance="off", seed=0, clock=Clock(np.inf), spec=spec
        )
        fitted = OURS[arm](describe_rows(train, arm), task)
        learnt = time.monotonic()
        fitted.predict(describe_rows(test, arm))
    else:
        predict = fit_peer(arm, _prepare(train, spec), codes, 0)
        learnt = time.monotonic()
        predict(_prepare(test, spec))
    return {"learning": learnt - started, "answering": time.monotonic() - learnt}


def _prepare(table_of: Any, spec: Any) -> np.ndarray:
    modality = MODALITIES["series"]
    return np.stack([modality.prepare(modality.load(item, spec), spec)[0] for item in table_of.inputs])


def measure_here(arm: str, path: Path, n_rows: int) -> dict[str, Any]:
    """Measure one tool in this process."""
    train, test = OneSet(path).sides
    rows = np.sort(np.random.default_rng(0).permutation(len(train.labels))[:n_rows])
    learn_and_answer(arm, train.take(rows[:: max(1, len(rows) // WARM)]), test.take(np.arange(2)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = learn_and_answer(arm, train.take(rows), test.take(np.arange(ANSWERED)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"arm": arm, "rows": len(rows), **seconds, "peak_kib": peak, "before_kib": before}


def read_measured(path: Path | None) -> dict[str, dict[str, Any]]:
    """Read what was measured before, by tool."""
    lines = path.read_text().splitlines() if path and path.is_file() else []
    return {line["arm"]: line for line in map(json.loads, lines)}


def render(name: str, measured: dict[str, dict[str, Any]]) -> str:
    """Make the table."""
    return f"{name}; {ANSWERED} series answered; one thread.\n\n" + table(
        [
            {
                "tool": arm, "rows": line["rows"], "seconds of learning": f"{line['learning']:.0f}",
                "seconds of answering": f"{line['answering']:.2f}",
                "largest memory, GiB": f"{line['peak_kib'] / 2**20:.1f}",
                "above imports and data, GiB": f"{(line['peak_kib'] - line['before_kib']) / 2**20:.1f}",
            }
            for arm, line in measured.items()
        ]
    )  # fmt: skip


def main() -> None:
    """Measure each tool in a process of its own, keep each, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--set", default="Crop")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--arms", nargs="*", default=[*OURS, *PEERS])
    parser.add_argument("--kept", type=Path, help="File with one JSON line for each measurement; it is gone on with.")
    parser.add_argument("--here", help=argparse.SUPPRESS)
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results"))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    path = options.data / "ucr" / f"{options.set}.parquet"
    if options.here:
        print(json.dumps(measure_here(options.here, path, options.rows)))
        return
    measured = read_measured(options.kept)
    for arm in (arm for arm in options.arms if arm not in measured):
        command = [sys.executable, __file__, "--data", options.data, "--set", options.set, "--rows", options.rows]
        one = os.environ | {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
        run = subprocess.run(
            [*map(str, command), "--here", arm], env=one, capture_output=True, text=True, check=True
        )  # fmt: skip
        measured[arm] = json.loads(run.stdout.splitlines()[-1])
        if options.kept:
            with options.kept.open("a") as file:
                file.write(json.dumps(measured[arm]) + "\n")
        print(arm, flush=True)
    keep(options.results, HEADING, f"{machine.describe()}\n\n{render(options.set, measured)}")


if __name__ == "__main__":
    main()
