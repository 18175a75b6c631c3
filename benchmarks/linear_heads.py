"""Accuracy and loss of the heads on frozen features, on official test rows: two revisions are compared by their files.

`python benchmarks/linear_heads.py --save FILE [--against FILE] [--data FOLDER] [--small] [--results FOLDER]`

Each set is fitted with 5 labels a class and with 80 % of at most 300 training rows, by two seeds. Run it on one
revision with `--save before.json`, on the other with `--save after.json --against before.json`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import machine
import material
import numpy as np
from tables import keep, table

from headstart import bases, data, features
from headstart.flow.base_choice.choose import state_need
from headstart.options import AdaptOptions
from headstart.records import TEST, TRAIN, Index, Table
from headstart.strategies import STRATEGIES
from headstart.strategies.record import Clock, Fitted, StrategyRows, StrategySkipped, Task
from headstart.strategies.scoring import OBJECTIVES

SETS = {
    "text": (
        *(f"masakhanews/{name}.csv" for name in ("eng", "hau", "swa", "yor", "pcm")),
        "afrisenti/am.csv", "afrisenti/sw.csv", "arsarcasm/arsarcasm.csv",
    ),
    "series": (
        *(f"ucr/{name}.parquet" for name in ("ECG200", "GunPoint", "ItalyPowerDemand", "Beef", "Trace", "Plane")),
        *(f"ucr/{name}.parquet" for name in ("MedicalImages", "SwedishLeaf", "SyntheticControl")),
        "basic_motions/data.npz", "epilepsy_motion/data.npz", "japanese_vowels/data.npz", "covid3month/covid3month.csv",
    ),
    "image": ("potato_leaf", "sign_digits", "hurricane_damage", "corn_leaf", "chest_xray_pneumonia", "butterflies"),
}  # fmt: skip
MEMBERS = ("linear-probe", "shrinkage-lda", "multi-stage-probe", "classic", "blend")
USES = frozenset({"features", "stages", "descriptors"})
N_TRAIN, N_TEST, N_FEW, SEEDS = 300, 300, 5, (0, 1)
Figures = dict[str, Any]
"""Accuracy (numbers: R2), loss, seconds and the number of test rows."""


def read_rows(table: Table, modality: str) -> tuple[StrategyRows, StrategyRows, Mapping[str, object]]:
    """Return training rows, test rows and the spec of the base, with frozen features."""
    draws, parts = np.random.default_rng(1), []
    base = bases.load_base("default", state_need(table, AdaptOptions(offline=True)))
    for split, most in ((TRAIN, N_TRAIN), (TEST, N_TEST)):
        part = table.select_split(split)
        part = part.take(np.sort(draws.permutation(len(part))[:most]))
        extraction = features.extract_features(part, base, uses=USES)
        parts.append(StrategyRows(part.take(extraction.readable_rows), extraction.features, extraction.descriptors))
    return parts[0], parts[1], base.spec


def number_classes(train: StrategyRows, test: StrategyRows) -> tuple[tuple[str, ...], Index, Index, StrategyRows]:
    """Return the classes, both parts' class indices, and the test rows whose class is known (numbers: strata)."""
    if train.table.targets is not None:
        names = tuple(train.table.target_names)
        return names, data.number_strata(train.table), np.zeros(len(test), dtype=np.intp), test
    assert train.table.labels is not None and test.table.labels is not None
    classes, codes = np.unique(train.table.labels.astype(str), return_inverse=True)
    test = test.take(np.flatnonzero(np.isin(test.table.labels.astype(str), classes)))
    assert test.table.labels is not None
    return tuple(classes.tolist()), codes, np.searchsorted(classes, test.table.labels.astype(str)), test


def fit_members(train: StrategyRows, task: Task) -> dict[str, tuple[Fitted, float]]:
    """Fit all members that are for these rows, with processor seconds."""
    fitted: dict[str, tuple[Fitted, float]] = {}
    for name in MEMBERS:
        strategy = STRATEGIES[name]
        if train.table.modality not in strategy.modalities or task.kind not in strategy.tasks:
            continue
        began = time.process_time()
        members = {member: fitted[member][0] for member in strategy.members if member in fitted}
        try:
            fitted[name] = strategy.fit(train, task, members), time.process_time() - began
        except StrategySkipped:
            continue
    return fitted


def measure(path: Path, modality: str) -> dict[str, dict[str, Figures]]:
    """Return the figures of each draw and strategy on one set."""
    train, test, spec = read_rows(data.read_table(path, AdaptOptions()), modality)
    classes, codes, test_codes, test = number_classes(train, test)
    kind, truth, runs = train.table.task, train.table.targets, {}
    everything = Task(classes=classes, codes=codes, folds=np.zeros_like(codes), balance="auto", seed=0,
                      clock=Clock(600.0), spec=spec, kind=kind, truth=truth)  # fmt: skip
    judged = Task(classes=classes, codes=test_codes, folds=np.zeros_like(test_codes), balance="off", seed=0,
                  clock=Clock(600.0), kind=kind, truth=test.table.targets)  # fmt: skip
    for few in (True, False):
        for seed in SEEDS:
            order = np.random.default_rng(seed).permutation(len(train))
            by_class = [order[codes[order] == code][:N_FEW] for code in range(int(codes.max()) + 1)]
            drawn = np.sort(np.concatenate(by_class) if few else order[: int(0.8 * len(order))])
            task = everything.take(drawn)
            folds = data.assign_folds(task.codes, np.arange(len(drawn)), 5, 10 * seed)
            task = Task(**{**vars(task), "folds": folds, "seed": seed})
            figures = {}
            for name, (fitted, seconds) in fit_members(train.take(drawn), task).items():
                outputs = fitted.predict(test)
                right = float((outputs.argmax(axis=1) == test_codes).mean())
                figures[name] = {
                    "accuracy": right if truth is None else OBJECTIVES[kind].score(judged, outputs),
                    "loss": float(OBJECTIVES[kind].losses(judged, outputs).mean()),
                    "seconds": seconds,
                    "n": len(test_codes),
                }
            runs[f"{'few' if few else 'many'}-{seed}"] = figures
    return runs


def summarise(after: Mapping[str, Any], before: Mapping[str, Any]) -> list[dict[str, object]]:
    """Return a row for each modality, number of labels and strategy: means over sets and seeds, before and after."""
    rows = []
    for modality in SETS:
        names = [name for name in after if after[name]["modality"] == modality and name in (before or after)]
        for amount, label in (("few", "5 a class"), ("many", "up to 240 rows")):
            for member in MEMBERS:
                cells: dict[str, list[float]] = {}
                for which, results in (("before", before), ("after", after)):
                    runs = [run for name in names for key, run in results.get(name, {"runs": {}})["runs"].items()
                            if key.startswith(amount) and member in run]  # fmt: skip
                    for figure in ("accuracy", "loss", "seconds"):
                        cells[f"{figure} {which}"] = [run[member][figure] for run in runs]
                if not cells["loss after"]:
                    continue
                row: dict[str, object] = {"kind": modality, "sets": len(names), "labels": label, "strategy": member}
                for figure, scale in (("accuracy", 100.0), ("loss", 1.0), ("seconds", 1.0)):
                    for which in ("before", "after"):
                        values = cells[f"{figure} {which}"]
                        row[f"{figure} {which}"] = (
                            f"{scale * np.mean(values):.{1 if scale > 1 else 3}f}" if values else ""
                        )
                if before:
                    changes = np.subtract(cells["loss after"], cells["loss before"])
                    row["largest change of loss"] = f"{changes[np.argmax(np.abs(changes))]:+.3f}"
                rows.append(row)
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--save", type=Path, help="JSON file that is continued where it exists")
    parser.add_argument("--against", type=Path, help="JSON file of another revision")
    parser.add_argument("--small", action="store_true", help="one set of each kind")
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    options = parser.parse_args(arguments)
    results = json.loads(options.save.read_text()) if options.save and options.save.exists() else {}
    for modality, names in SETS.items():
        present = [name for name in names if (options.data / name).exists()][: 1 if options.small else None]
        for name in present:
            if name not in results:
                results[name] = {"modality": modality, "runs": measure(options.data / name, modality)}
                print(name, flush=True)
            if options.save:
                options.save.write_text(json.dumps(results, indent=1))
    before = json.loads(options.against.read_text()) if options.against else {}
    legend = (
        "Means over sets and two seeds, on at most 300 official test rows; loss: log-loss in nats (one set of numbers: "
        "squared error in units of the variance, and R2 as accuracy); processor seconds of one fit."
    )
    keep(
        options.results,
        "Linear heads: before and after the change of solver",
        f"{machine.describe()}\n\n{legend}\n\n{table(summarise(results, before))}",
    )


if __name__ == "__main__":
    main()
