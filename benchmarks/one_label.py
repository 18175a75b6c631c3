"""One and two labels a class: which head to trust where next to nothing can be held out.

`python benchmarks/one_label.py [--data FOLDER] [--sets NAME ...] [--kept FILE] [--results FOLDER]`

Heads of the product on frozen features beside the plainest ones (the nearest mean, the nearest row) and models without
the base, judged on training rows that were not drawn; test rows are never read. Names of classes are not read here.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import machine
import material
import numpy as np
from few_labels import rows_of
from series_base import mean_over_sets
from tables import keep, table

from headstart.strategies import STRATEGIES
from headstart.strategies.record import Clock, StrategyRows, Task

CHOOSE = {
    "image": ("potato_leaf", "omniglot_small"),
    "text": ("masakhanews/lug.csv", "masakhanews/ibo.csv", "afrisenti/ha.csv"),
    "series": ("ucr/CBF", "ucr/Trace", "ucr/Plane", "ucr/GunPoint"),
}
JUDGE = {
    "image": ("corn_leaf", "hurricane_damage", "sign_digits", "chest_xray_pneumonia", "butterflies"),
    "text": (
        "masakhanews/eng.csv",
        "masakhanews/hau.csv",
        "masakhanews/swa.csv",
        "masakhanews/yor.csv",
        "afrisenti/am.csv",
    ),
    "series": (
        "ucr/ECG200",
        "ucr/MedicalImages",
        "ucr/SwedishLeaf",
        "ucr/ArrowHead",
        "ucr/SyntheticControl",
        "ucr/FaceFour",
    ),
}
HEADS = {
    "image": ("linear-probe", "shrinkage-lda", "classic"),
    "text": ("linear-probe", "shrinkage-lda", "classic"),
    "series": ("linear-probe", "shrinkage-lda", "classic", "quant"),
}
POOL = "mean of shrinkage-lda and classic"
PLAIN = ("nearest mean", "nearest row")
LABELS, DRAWS, MOST_ROWS, JUDGED, MOST_CLASSES = (1, 2), 10, 600, 300, 20


def scale(values: np.ndarray) -> np.ndarray:
    """Return rows of length one."""
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9)


def answer_plainly(learnt: StrategyRows, codes: np.ndarray, judged: StrategyRows) -> dict[str, np.ndarray]:
    """Return what the nearest mean and the nearest row of the frozen features say."""
    assert learnt.features is not None and judged.features is not None
    known, asked = scale(learnt.features.final), scale(judged.features.final)
    means = scale(np.stack([known[codes == code].mean(axis=0) for code in np.unique(codes)]))
    return {"nearest mean": (asked @ means.T).argmax(axis=1), "nearest row": codes[(asked @ known.T).argmax(axis=1)]}


def measure_set(path: Path, kind: str) -> dict[str, dict[str, list[float]]]:
    """Return the accuracy of every head in every draw, by number of labels."""
    rows, codes, classes, spec = rows_of(path, kind, MOST_ROWS)
    counts = np.bincount(codes)
    counts[np.argsort(-counts, kind="stable")[MOST_CLASSES:]] = 0  # Fits of hundreds of classes take hours.
    measured: dict[str, dict[str, list[float]]] = {}
    for labels in LABELS:
        for seed in range(DRAWS):
            order = np.random.default_rng(seed).permutation(len(codes))
            order = order[counts[codes[order]] > labels]  # A class without a row to judge plays no part.
            drawn = np.sort(np.concatenate([order[codes[order] == code][:labels] for code in np.unique(codes[order])]))
            judged = np.setdiff1d(order, drawn)[:JUDGED]
            names, learnt_codes = np.unique(codes[drawn], return_inverse=True)
            truth = np.searchsorted(names, codes[judged])
            folds = np.arange(len(drawn)) if labels > 1 else np.zeros(len(drawn), dtype=np.intp)
            task = Task(
                classes=tuple(classes[code] for code in names), codes=learnt_codes, folds=folds, balance="auto",
                seed=seed, clock=Clock(600.0), spec=spec,
            )  # fmt: skip
            learnt, asked = rows.take(drawn), rows.take(judged)
            outputs = {name: STRATEGIES[name].fit(learnt, task, {}).predict(asked) for name in HEADS[kind]}
            outputs[POOL] = (outputs["shrinkage-lda"] + outputs["classic"]) / 2
            answers = {name: values.argmax(axis=1) for name, values in outputs.items()}
            for name, said in {**answers, **answer_plainly(learnt, learnt_codes, asked)}.items():
                measured.setdefault(str(labels), {}).setdefault(name, []).append(float((said == truth).mean()))
    return measured


def summarise(
    kept: dict[str, dict[str, dict[str, list[float]]]], sets: dict[str, Sequence[str]]
) -> list[dict[str, str]]:
    """Return a row for each kind of data and number of labels: means over sets with intervals."""
    found = []
    for kind, names in sets.items():
        present = [name for name in names if name in kept]
        for labels in map(str, LABELS):
            row = {"kind": kind, "labels a class": labels, "sets": str(len(present))}
            for head in (*HEADS[kind], POOL, *PLAIN):
                means = [float(np.mean(kept[name][labels][head])) for name in present]
                row[head] = mean_over_sets(means) if means else "-"
            found.append(row)
    return [{**{name: "-" for one in found for name in one}, **row} for row in found]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is missing and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--sets", nargs="*", default=[])
    parser.add_argument("--kept", type=Path, default=Path("one-label.json"))
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    given = parser.parse_args(arguments)
    kept = json.loads(given.kept.read_text()) if given.kept.exists() else {}
    for kind, names in CHOOSE.items():
        for name in (*names, *JUDGE[kind]):
            path = given.data / (f"{name}.parquet" if kind == "series" else name)
            if name in kept or not path.exists() or (given.sets and name not in given.sets):
                continue
            kept[name] = measure_set(path, kind)
            given.kept.write_text(json.dumps(kept))
            means = {head: round(100 * float(np.mean(values)), 1) for head, values in kept[name]["1"].items()}
            print(name, means, flush=True)
    legend = (
        f"Accuracy in percent, mean over sets (95 % interval over sets), {DRAWS} draws, at most {JUDGED} training rows "
        f"that were not drawn, at most {MOST_CLASSES} classes of a set. With two labels a class every row is held "
        "out once (leave-one-out)."
    )
    text = (
        f"{machine.describe()}\n\n{legend}\n\nSets to choose on:\n\n{table(summarise(kept, CHOOSE))}\n\n"
        f"Other sets:\n\n{table(summarise(kept, JUDGE))}"
    )
    keep(given.results, "One label a class", text)


if __name__ == "__main__":
    main()
