"""How to choose with few labels: rules compared on training rows that were not drawn. Test rows are never read.

`python benchmarks/few_labels.py [--data FOLDER] [--small] [--results FILE]`
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import machine
import material
import numpy as np
from tables import keep, table

from headstart import bases, data, features
from headstart.options import AdaptOptions
from headstart.records import TRAIN
from headstart.strategies import STRATEGIES
from headstart.strategies.blend import HeldOutOutputs, choose_weights, pool_outputs
from headstart.strategies.record import Clock, StrategyRows, Task
from headstart.strategies.scoring import log_loss, selection_score

SETS = {
    "image": ("corn_leaf", "hurricane_damage", "sign_digits", "chest_xray_pneumonia", "potato_leaf"),
    "text": tuple(f"masakhanews/{name}.csv" for name in ("eng", "hau", "ibo", "lug", "pcm", "som", "swa", "yor"))
    + tuple(f"afrisenti/{name}.csv" for name in ("am", "sw", "pcm")),
}
MEMBERS = ("linear-probe", "classic")
LABELS = (2, 5, 10, 20)
DRAWS, DEALINGS, MOST_ROWS, JUDGED = 3, 4, 1_200, 400
Drawn = Mapping[str, np.ndarray]
Rule = Callable[[np.ndarray, Sequence[Drawn], Drawn], np.ndarray]


def by_score_once(codes: np.ndarray, held: Sequence[Drawn], said: Drawn) -> np.ndarray:
    """Choose a member by accuracy and macro-F1 of one dealing."""
    return said[max(MEMBERS, key=lambda name: selection_score(codes, held[0][name]))]


def by_loss(codes: np.ndarray, held: Sequence[Drawn], said: Drawn) -> np.ndarray:
    """Choose a member by log-loss of several dealings."""
    return said[min(MEMBERS, key=lambda name: log_loss(codes, np.mean([one[name] for one in held], axis=0)))]


def pooled(codes: np.ndarray, held: Sequence[Drawn], said: Drawn) -> np.ndarray:
    """Pool both, weighted by log-loss of several dealings (what `blend` does)."""
    shown = {name: np.mean([one[name] for one in held], axis=0) for name in MEMBERS}
    classes = tuple(str(number) for number in range(shown[MEMBERS[0]].shape[1]))
    task = Task(classes=classes, codes=codes, folds=codes, balance="off", seed=0, clock=Clock(600.0))
    return pool_outputs(said, choose_weights(HeldOutOutputs.collect(task, shown, np.arange(len(codes)))))


RULES: dict[str, Rule] = {
    "linear-probe": lambda codes, held, said: said["linear-probe"],
    "classic": lambda codes, held, said: said["classic"],
    "chosen by accuracy and macro-F1, one dealing": by_score_once,
    "chosen by log-loss, four dealings": by_loss,
    "pooled (blend)": pooled,
}


def rows_of(
    path: Path, modality: str, most_rows: int = MOST_ROWS
) -> tuple[StrategyRows, np.ndarray, tuple[str, ...], Mapping[str, object]]:
    """Read at most `most_rows` training rows with their frozen features."""
    rows = data.read_table(path, AdaptOptions()).select_split(TRAIN)
    rows = rows.take(np.sort(np.random.default_rng(1).permutation(len(rows))[:most_rows]))
    base = bases.load_base("default", bases.BaseRequest(modality=modality, offline=True))
    made = features.extract_features(rows, base)
    usable = rows.take(made.readable_rows)
    classes, codes = np.unique(usable.labels.astype(str), return_inverse=True)
    return StrategyRows(usable, made.features, made.descriptors), codes, tuple(classes.tolist()), base.spec


def accuracies(path: Path, modality: str, labels: int, seed: int) -> dict[str, float]:
    """Draw labels, fit, and give the accuracy of every rule on rows that were not drawn."""
    rows, codes, classes, spec = rows_of(path, modality)
    order = np.random.default_rng(seed).permutation(len(codes))
    drawn = np.sort(np.concatenate([order[codes[order] == code][:labels] for code in range(len(classes))]))
    judged = np.setdiff1d(np.arange(len(codes)), drawn)[:JUDGED]
    held, said = [], {}
    for turn in range(DEALINGS):
        folds = data.assign_folds(codes[drawn], np.arange(len(drawn)), 5, 10 * seed + turn)
        task = Task(
            classes=classes, codes=codes[drawn], folds=folds, balance="auto", seed=seed, clock=Clock(600.0), spec=spec
        )
        fitted = {name: STRATEGIES[name].fit(rows.take(drawn), task, {}) for name in MEMBERS}
        held.append({name: model.out_of_fold for name, model in fitted.items()})
        said = said or {name: model.predict(rows.take(judged)) for name, model in fitted.items()}
    return {
        name: float((rule(codes[drawn], held, said).argmax(axis=1) == codes[judged]).mean())
        for name, rule in RULES.items()
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--small", action="store_true", help="one set of each kind, two label counts")
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    given = parser.parse_args(arguments)
    found = []
    for kind, names in SETS.items():
        paths = [given.data / name for name in names if (given.data / name).exists()][: 1 if given.small else None]
        for labels in LABELS[:2] if given.small else LABELS:
            runs = [accuracies(path, kind, labels, seed) for path in paths for seed in range(DRAWS)]
            means = {name: f"{100 * np.mean([run[name] for run in runs]):.1f}" for name in RULES} if runs else {}
            found.append({"kind": kind, "labels a class": labels, "sets": len(paths), **means})
            print(found[-1], flush=True)
    legend = f"Mean accuracy in percent over sets and {DRAWS} draws, on training rows that were not drawn."
    keep(given.results, "Choosing with few labels", f"{machine.describe()}\n\n{legend}\n\n{table(found)}")


if __name__ == "__main__":
    main()
