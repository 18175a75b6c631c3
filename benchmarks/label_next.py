"""Are the rows that label-next names worth more than rows drawn by chance? And do rows without labels help?

`python benchmarks/label_next.py [--data FOLDER] [--small] [--results FILE]`
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import machine
import material
import numpy as np
from learnt import Learnt, read
from tables import keep, table

from headstart import data
from headstart.ranking.typicality import choose_typical_rows, choose_uncertain_rows, scale_to_unit_length
from headstart.strategies import STRATEGIES
from headstart.strategies.record import Clock, Fitted, Task
from headstart.strategies.scoring import log_loss

SETS = {
    "image": ("corn_leaf", "hurricane_damage", "sign_digits"),
    "text": ("masakhanews/eng.csv", "masakhanews/swa.csv"),
    "series": ("ucr/SwedishLeaf.parquet", "ucr/MedicalImages.parquet"),
}
LABELS, MORE, SEEDS, FEW = (2, 5, 20), 50, 5, 10


def start(found: Learnt, labels: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw so many labelled rows a class; the other training rows have none."""
    order = np.random.default_rng(seed).permutation(found.n_train)
    mine = np.concatenate([order[found.codes[order] == code][:labels] for code in range(len(found.classes))])
    return mine, np.setdiff1d(np.arange(found.n_train), mine)


def learn(
    found: Learnt, rows: np.ndarray, seed: int, name: str = "linear-probe", bare: np.ndarray | None = None
) -> Fitted:
    """Fit a strategy on some rows."""
    folds = data.assign_folds(found.codes[rows], found.clusters[rows], 5, seed)
    unlabelled = None if bare is None else found.rows.take(bare)
    task = Task(
        classes=found.classes,
        codes=found.codes[rows],
        folds=folds,
        balance="off",
        seed=seed,
        clock=Clock(600.0),
        unlabelled=unlabelled,
    )
    return STRATEGIES[name].fit(found.rows.take(rows), task, {})


def right(found: Learnt, model: Fitted) -> tuple[float, float]:
    """Give accuracy (percent) and log-loss on the test rows."""
    test = np.arange(found.n_train, len(found.codes))
    said = model.predict(found.rows.take(test))
    return 100 * float(np.mean(said.argmax(axis=1) == found.codes[test])), log_loss(found.codes[test], said)


def once(found: Learnt, labels: int, seed: int) -> dict[str, float]:
    """Add rows in several ways and give the accuracy of the probe after each."""
    mine, bare = start(found, labels, seed)
    model, looks = learn(found, mine, seed), scale_to_unit_length(found.values)
    said = np.sort(model.predict(found.rows.take(bare)), axis=1)
    rng = np.random.default_rng(1_000 + seed)
    ways: dict[str, Callable[[], np.ndarray]] = {
        "by chance": lambda: rng.permutation(len(bare))[:MORE],
        "typical": lambda: choose_typical_rows(looks[bare], looks[mine], MORE, seed).rows,
        "unsure": lambda: choose_uncertain_rows(looks[bare], said[:, -1] - said[:, -2], MORE, seed).rows,
    }
    after = {
        way: right(found, learn(found, np.concatenate([mine, bare[pick()]]), seed))[0] for way, pick in ways.items()
    }
    return {"before": right(found, model)[0], **after, "label-next": after["typical" if labels < FEW else "unsure"]}


def chosen_rows(given: argparse.Namespace) -> list[dict[str, object]]:
    """Measure every set and number of labels."""
    rows: list[dict[str, object]] = []
    gains = []
    for kind, names in SETS.items():
        for name in [name for name in names if (given.data / name).exists()][: 1 if given.small else None]:
            found = read(given.data / name, kind)
            for labels in LABELS:
                if labels * len(found.classes) + 2 * MORE > found.n_train:
                    continue
                runs = [once(found, labels, seed) for seed in range(SEEDS)]
                gain = np.asarray([run["label-next"] - run["by chance"] for run in runs])
                gains += [gain.mean()]
                means = {way: f"{np.mean([run[way] for run in runs]):.1f}" for way in runs[0]}
                spread = 2.78 * gain.std(ddof=1) / np.sqrt(SEEDS)  # Student's t, 4 degrees of freedom
                told = f"{gain.mean():+.1f} ({gain.mean() - spread:+.1f} to {gain.mean() + spread:+.1f})"
                rows.append({"set": name, "labels a class": labels, **means, "label-next - by chance": told})
                print(rows[-1], flush=True)
    rows.append({"set": "**mean**", "label-next - by chance": f"{np.mean(gains):+.1f}"} if gains else {})
    return rows


def bare_rows(given: argparse.Namespace) -> list[dict[str, object]]:
    """Measure what rows without labels add, and what is kept by out-of-fold loss."""
    rows: list[dict[str, object]] = []
    for kind, names in SETS.items():
        for name in [name for name in names if (given.data / name).exists()][: 1 if given.small else None]:
            found = read(given.data / name, kind)
            for labels in LABELS[1:]:
                if 2 * labels * len(found.classes) > found.n_train:
                    continue
                runs = []
                for seed in range(SEEDS):
                    mine, bare = start(found, labels, seed)
                    both = {way: learn(found, mine, seed, way, bare) for way in ("linear-probe", "self-training")}
                    kept = min(both, key=lambda way: log_loss(found.codes[mine], both[way].out_of_fold))
                    runs.append({way: right(found, model) for way, model in both.items()})
                    runs[-1]["kept by out-of-fold loss"] = runs[-1][kept]
                rows.append({
                    "set": name, "labels a class": labels,
                    **{way: "{:.1f} ({:.2f})".format(*np.mean([run[way] for run in runs], axis=0)) for way in runs[0]},
                })  # fmt: skip
                print(rows[-1], flush=True)
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--small", action="store_true", help="one set of each kind")
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    given = parser.parse_args(arguments)
    if not given.data.is_dir():
        print(f"No data folder {given.data}: nothing to run on (--data FOLDER).")
        return
    about = machine.describe()
    legend = (
        f"Test accuracy of `linear-probe` in percent, mean of {SEEDS} seeds, before and after {MORE} more labels from "
        f"the other training rows. `label-next` takes typical rows below {FEW} labels a class, else unsure ones."
    )
    keep(given.results, "Which rows to label next", f"{about}\n\n{legend}\n\n{table(chosen_rows(given))}")
    legend = f"Test accuracy in percent (log-loss), mean of {SEEDS} seeds; the other training rows without labels."
    keep(given.results, "Rows without labels", f"{about}\n\n{legend}\n\n{table(bare_rows(given))}")


if __name__ == "__main__":
    main()
