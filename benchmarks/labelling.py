"""Are 60 labels worth more if `headstart label` chooses 40 of them? Labels are given by the true kind.

`python benchmarks/labelling.py [--data FOLDER] [--small] [--results FILE]`. The settings of the choice were chosen on
other sets than these (potato_leaf, hurricane_damage, masakhanews yor and swa, afrisenti pcm, two of UCR).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import machine
import material
import numpy as np
from learnt import Learnt, read
from tables import keep, table

from headstart.flow.labelling.questions import choose_examples
from headstart.flow.labelling.rounds import learn_round
from headstart.index import IndexFacts, VectorIndex
from headstart.projects import NewExample, NewLabel, Project

SETS = {"corn_leaf": "image", "sign_digits": "image", "masakhanews/hau.csv": "text"}
SEEDS, N_FIRST, N_LABELS, BATCH = 5, 20, 60, 5
T_QUANTILE = 2.776
"""The 97.5 % point of Student's t with 4 degrees of freedom."""
RARE_SHARE = 0.1
"""Of the examples of the rare kinds that are left in an imbalanced draw."""


def draw_rows(learnt: Learnt, seed: int, imbalanced: bool) -> np.ndarray:
    """Return training rows in random order: all, or with one tenth of every second kind."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(learnt.n_train)
    if imbalanced:
        rare = rng.permutation(len(learnt.classes))[: len(learnt.classes) // 2]
        rows = rows[~np.isin(learnt.codes[rows], rare) | (rng.random(len(rows)) < RARE_SHARE)]
    return rows


def label(learnt: Learnt, rows: np.ndarray, folder: Path, mode: str) -> tuple[float, float]:
    """Label 60 examples of a new project and return accuracy and mean accuracy of the kinds on the test rows."""
    test = np.arange(learnt.n_train, len(learnt.codes))
    order = np.concatenate([rows, test])
    about = IndexFacts(modality="image", base="", base_name="", fingerprint="")
    with Project.create(folder) as project:
        new = [
            NewExample(
                name=str(row), content_hash=f"{row:064d}", text="", split="test" if row >= learnt.n_train else ""
            )
            for row in order
        ]
        ids = project.add_examples(new)
        kind_of = {number: learnt.classes[learnt.codes[row]] for number, row in zip(ids, order, strict=True)}
        for kind in learnt.classes:
            project.add_kind(kind)
        vectors = learnt.values[order] / np.linalg.norm(learnt.values[order], axis=1, keepdims=True)
        index = VectorIndex(ids=[str(number) for number in ids], vectors=vectors.astype(np.float16), about=about)
        current = learn_round(project, index)
        for n_labels in range(0, N_LABELS, BATCH):
            choices = choose_examples(project, current, BATCH, "random" if n_labels < N_FIRST else mode)
            project.add_labels([
                NewLabel(example=choice.id, label=kind_of[choice.id], who="A", chosen=choice.chosen)
                for choice in choices
            ])  # fmt: skip
            current = learn_round(project, index)
        guessed = current.probabilities[len(rows) :].argmax(axis=1)
    codes = np.asarray([current.kinds.index(learnt.classes[code]) for code in learnt.codes[test]])
    hits = guessed == codes
    return float(hits.mean()), float(np.mean([hits[codes == code].mean() for code in np.unique(codes)]))


def describe_gain(gains: np.ndarray) -> str:
    """Write a mean difference in points with its 95 % interval over seeds."""
    half = T_QUANTILE * gains.std(ddof=1) / np.sqrt(len(gains))
    return f"{gains.mean():+.1f} ({gains.mean() - half:+.1f} to {gains.mean() + half:+.1f})"


def measure(arguments: argparse.Namespace) -> list[dict[str, object]]:
    """Measure every set, as it is and imbalanced."""
    lines: list[dict[str, object]] = []
    for name, modality in list(SETS.items())[: 1 if arguments.small else None]:
        if not (arguments.data / name).exists():
            continue
        learnt = read(arguments.data / name, modality)
        for imbalanced in (False, True):
            scores = {mode: np.empty((SEEDS, 2)) for mode in ("random", "useful")}
            for seed in range(SEEDS):
                rows = draw_rows(learnt, seed, imbalanced)
                for mode, values in scores.items():
                    with tempfile.TemporaryDirectory() as folder:
                        values[seed] = label(learnt, rows, Path(folder) / "project", mode)
            means = {mode: 100 * values.mean(axis=0) for mode, values in scores.items()}
            gain = 100 * (scores["useful"] - scores["random"])
            lines.append({
                "set": name, "draw": "every second kind rare" if imbalanced else "as it is",
                "60 by chance": f"{means['random'][0]:.1f}", "20 by chance + 40 useful": f"{means['useful'][0]:.1f}",
                "difference": describe_gain(gain[:, 0]),
                "mean of kinds, by chance": f"{means['random'][1]:.1f}",
                "mean of kinds, useful": f"{means['useful'][1]:.1f}", "difference of it": describe_gain(gain[:, 1]),
            })  # fmt: skip
            print(lines[-1], flush=True)
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--small", action="store_true", help="one set")
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    parsed = parser.parse_args(arguments)
    if not parsed.data.is_dir():
        print(f"No data folder {parsed.data}: nothing to run on (--data FOLDER).")
        return
    about = machine.describe()
    legend = (
        f"Accuracy on the test rows in percent after {N_LABELS} labels given by the true kind, mean of {SEEDS} seeds; "
        f"differences with 95 % intervals over seeds. Labels come in batches of {BATCH}, a round of learning after "
        "each; no test row is learnt from or chosen."
    )
    keep(parsed.results, "Sixty labels from nothing", f"{about}\n\n{legend}\n\n{table(measure(parsed))}")


if __name__ == "__main__":
    main()
