"""Many rows in many classes: what `headstart adapt` takes, keeps in memory, leaves out and reaches.

`python benchmarks/many.py [--rows 100000] [--classes 1000] [--time 10m] [--small] [--results FILE]`

The texts are made: every class prefers a few words, the rest are drawn from all words. Two runs: the public command,
and heads and evaluation alone on made features (`--heads`), where no pass through a base takes the time.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import machine
import numpy as np
from tables import keep, percent, table
from timed import Measured, adapt, script

WORDS, OWN_WORDS, LENGTH, OWN_SHARE = 5_000, 4, 8, 0.35
N_DIMS = 384
SMALL = (10_000, 300)


def words(n_words: int, rng: np.random.Generator) -> list[str]:
    """Make pronounceable words."""
    parts = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
    made: dict[str, None] = {}
    while len(made) < n_words:
        made["".join(rng.choice(parts, int(rng.integers(2, 4))))] = None
    return list(made)


def texts(path: Path, n_rows: int, n_classes: int, seed: int = 0) -> None:
    """Write `text,label`: short rows whose words say the class with noise; the classes are not equally frequent."""
    rng = np.random.default_rng(seed)
    known = np.asarray(words(WORDS, rng))
    own = rng.integers(0, WORDS, (n_classes, OWN_WORDS))
    weights = rng.gamma(2.0, size=n_classes) + 0.3
    rest = rng.choice(n_classes, n_rows - 5 * n_classes, p=weights / weights.sum())
    codes = np.concatenate([np.repeat(np.arange(n_classes), 5), rest])
    said = own[codes[:, None], rng.integers(0, OWN_WORDS, (n_rows, LENGTH))]
    said = np.where(rng.random((n_rows, LENGTH)) < OWN_SHARE, said, rng.integers(0, WORDS, (n_rows, LENGTH)))
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["text", "label"])
        writer.writerows([" ".join(known[row]), f"class-{code:04d}"] for row, code in zip(said, codes, strict=True))


def command(n_rows: int, n_classes: int, limit: str, folder: Path) -> dict[str, object]:
    """Run the public command on made texts."""
    path, out = folder / f"many-{n_rows}.csv", folder / f"out-{n_rows}"
    texts(path, n_rows, n_classes)
    done = adapt(path, out, folder / "home", "--time", limit, "--offline")
    row = {"what": "`headstart adapt`", "rows": n_rows, "classes": n_classes, **_cost(done)}
    if done.document is None:
        return row
    found = done.document
    chosen = next(item for item in found["strategies"] if item["name"] == found["chosen"])
    skipped = "; ".join(f"{item['name']}: {item['reason']}" for item in found["skipped"])
    parts = ", ".join(f"{name} {value:.0f}" for name, value in found["seconds"].items() if name != "total")
    sizes = ", ".join(
        f"{name} {(out / name).stat().st_size / 1e6:.2f} MB" for name in ("report.html", "result.json", "README.md")
    )
    return {
        **row,
        "train / test": f"{found['n_rows']['train']} / {found['n_rows']['test']}",
        "accuracy": f"{percent(chosen['test']['accuracy'])} ({chosen['name']})",
        "macro-F1": percent(chosen["test"]["macro_f1"]),
        "tried (s)": ", ".join(f"{item['name']} {item['seconds']:.0f}" for item in found["strategies"]),
        "skipped": skipped,
        "parts s": parts,
        "written": sizes,
    }


def _cost(done: Measured) -> dict[str, object]:
    failed = {} if done.document is not None else {"skipped": f"failed: {done.error}"}
    return {"wall s": f"{done.seconds:.0f}", "peak GiB": f"{done.peak_gib:.2f}", **failed}


def heads(n_rows: int, n_classes: int) -> dict[str, object]:
    """Fit the probe on made features of rows in classes, and evaluate; run in a process of its own."""
    from headstart import data, evaluation, ladder
    from headstart.records import Features, Predictions, Table, make_column
    from headstart.strategies import Clock, StrategyRows, Task

    rng = np.random.default_rng(0)
    codes = np.sort(rng.integers(0, n_classes, n_rows))
    centres = rng.normal(size=(n_classes, N_DIMS)).astype(np.float32)
    values = centres[codes] + 3.0 * rng.normal(size=(n_rows, N_DIMS)).astype(np.float32)
    ids, blank = make_column([f"row-{row}" for row in range(n_rows)]), make_column([""] * n_rows)
    names = tuple(f"class-{code:04d}" for code in range(n_classes))
    labels = np.asarray(names, dtype=object)[codes]
    rows = StrategyRows(
        Table(modality="text", ids=ids, inputs=blank, hashes=ids, labels=labels, splits=blank),
        Features(ids, values, "made"),
    )
    order = rng.permutation(n_rows)
    train, test = np.sort(order[n_rows // 5 :]), np.sort(order[: n_rows // 5])
    seconds = {}
    began = time.perf_counter()
    folds = data.assign_folds(codes[train], train, 5, 0)
    seconds["folds"] = time.perf_counter() - began
    task = Task(classes=names, codes=codes[train], folds=folds, balance="auto", seed=0, clock=Clock(600.0))
    climbed = ladder.fit_strategies(rows.take(train), task, ["majority", "linear-probe"], None)
    seconds.update(climbed.seconds)
    began = time.perf_counter()
    said = Predictions(
        ids=ids[test], classes=names, probabilities=climbed.fitted["linear-probe"].predict(rows.take(test))
    )
    found = evaluation.score_classes(codes[test], said, None, 0)
    seconds["evaluation"] = time.perf_counter() - began
    return {"seconds": seconds, "accuracy": found.accuracy.model_dump(), "macro_f1": found.macro_f1.model_dump()}


def alone(n_rows: int, n_classes: int) -> dict[str, object]:
    """Measure `heads` from outside."""
    done = script("many.py", "--heads", "--rows", str(n_rows), "--classes", str(n_classes))
    row = {"what": f"heads on {N_DIMS} made features", "rows": n_rows, "classes": n_classes, **_cost(done)}
    if done.document is None:
        return row
    told = ", ".join(f"{name} {value:.0f}" for name, value in done.document["seconds"].items())
    accuracy, macro = percent(done.document["accuracy"]), percent(done.document["macro_f1"])
    return {**row, "accuracy": f"{accuracy} (linear-probe)", "macro-F1": macro, "parts s": told}


LEGEND = (
    "Made rows (a few words of each class among random ones), so accuracy only says that the machinery works. Whole "
    "processes, imports included; peak = resident memory. Aim: at most --time, memory that does not grow with the "
    "square of the rows, a report below 2 MB."
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--classes", type=int, default=1_000)
    parser.add_argument("--time", default="10m", help="time limit of the command")
    parser.add_argument("--small", action="store_true", help="a tenth of the rows only, not a measurement")
    parser.add_argument("--heads", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    given = parser.parse_args(arguments)
    if given.heads:
        json.dump(heads(given.rows, given.classes), sys.stdout)
        return
    about, rows = machine.describe(), []
    with tempfile.TemporaryDirectory() as folder:
        for n_rows, n_classes in [SMALL] if given.small else [SMALL, (given.rows, given.classes)]:
            for measured in (
                lambda: alone(n_rows, n_classes),  # noqa: B023
                lambda: command(n_rows, n_classes, given.time, Path(folder)),  # noqa: B023
            ):
                rows.append(measured())
                keep(given.results, "Many rows, many classes", f"{about}\n\n{LEGEND}\n\n{table(rows)}")


if __name__ == "__main__":
    main()
