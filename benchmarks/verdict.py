"""Is the verdict right where the answer is known? Planted truth, through the product's own fitting and scoring.

`python benchmarks/verdict.py [--trials N] [--kept FILE] [--adapt N] [--results FOLDER]`

A trial draws training rows of a known family, fits two models on what a base sees and two on the rows themselves with
the heads of the product, chooses one of each side by cross-validated loss as the ladder does, and asks
`assess_transfer` for the verdict on 20 to 2,000 test rows. The true difference of the two chosen models is counted on
20,000 further rows, so that what choosing adds by chance is part of the question. The family stands for features of any
kind of data:

- *useful*: the base sees the causes of the label with less noise than the rows show them.
- *equal*: both see them with the same noise.
- *shuffled base*: what the base sees has nothing to do with the rows.
- *random labels*: nothing has to do with the label.
- *harmful*: the base also sees a mark that goes with the label in training and against it afterwards.

Variants of *equal* and *useful*: one class in twenty rows, clusters of five rows that share their noise, several
labels, a number. Then, on simulated answers: gaps between groups, what the base brought of a gap, and "ready".
`--adapt N` also sends N drawn sets of a kind through the public command.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine
import numpy as np
from tables import keep, table
from timed import adapt

from headstart import data
from headstart.evaluation.comparison.transfer_verdict import NamedPredictions, assess_transfer
from headstart.evaluation.fairness.groups import score_groups
from headstart.evaluation.fairness.inherited_bias import ComparedModels, trace_gap
from headstart.evaluation.intervals import compute_wilson_interval
from headstart.evaluation.metrics.per_task import score_predictions
from headstart.flow.scoring.readiness import judge_model
from headstart.flow.scoring.readiness_rules import JudgedModel
from headstart.flow.scoring.settings import READINESS
from headstart.records import Predictions, make_column
from headstart.results import Abstention, Figure
from headstart.strategies.linear.head import fit_head
from headstart.strategies.linear.ridge import fit_ridge
from headstart.strategies.record import Clock, Task
from headstart.strategies.scoring import OBJECTIVES, mean_loss

HEADING = "Verdicts on planted truth"
TEST_ROWS = (20, 50, 200, 500, 2_000)
N_TRAIN, N_FRESH, N_CAUSES, N_DIMS = 120, 20_000, 6, 40
NOISE, CLEAR = 1.6, 0.8
"""Of what is seen, beside causes of variance 1: as a rule, and where a base is useful."""


@dataclass(frozen=True)
class Variant:
    """What kind of label and of rows."""

    name: str
    task: str = "classification"
    rare: float = 0.0
    cluster: int = 1


VARIANTS = (
    Variant("plain"),
    Variant("1 of 20 rows in one class", rare=0.05),
    Variant("clusters of 5", cluster=5),
    Variant("several labels", task="multi-label"),
    Variant("a number", task="regression"),
)
TRUTHS = ("useful", "equal", "shuffled base", "random labels", "harmful")


class Family:
    """One drawn world: how causes make the label, and how they are seen."""

    def __init__(self, planted: str, variant: Variant, seed: int) -> None:
        self.planted, self.variant = planted, variant
        self.rng = np.random.default_rng((seed, len(planted), len(variant.name)))
        self.views = [self.rng.normal(0, 1, (N_CAUSES, N_DIMS)) / np.sqrt(N_CAUSES) for _ in range(2)]
        self.rules = self.rng.normal(0, 1, (N_CAUSES, 3))
        self.rules /= np.linalg.norm(self.rules, axis=0)
        self.mark = self.rng.normal(0, 1, N_DIMS)

    def draw(self, n: int, is_training: bool) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray], np.ndarray | None]:
        """Return labels, what the base sees and what the rows show, and clusters."""
        rng, variant = self.rng, self.variant
        clusters = np.arange(n) // variant.cluster if variant.cluster > 1 else None

        def noise(shape: tuple[int, ...]) -> np.ndarray:
            own = rng.normal(0, 1, (n, *shape))
            if clusters is None:
                return own
            return np.sqrt(0.5) * own + np.sqrt(0.5) * rng.normal(0, 1, (n, *shape))[clusters]

        causes = noise((N_CAUSES,))
        scores = causes @ self.rules + 0.5 * noise((3,))
        if self.planted == "random labels":
            scores = noise((3,))
        labels = self._label(scores)
        base_noise = CLEAR if self.planted == "useful" else NOISE
        seen = noise((N_CAUSES,)) if self.planted == "shuffled base" else causes
        base = seen @ self.views[0] + base_noise * noise((N_DIMS,))
        if self.planted == "harmful":
            first = scores[:, 0] / scores[:, 0].std()
            base = base + np.outer(first if is_training else -first, self.mark)
        return (
            labels,
            (base.astype(np.float32), (causes @ self.views[1] + NOISE * noise((N_DIMS,))).astype(np.float32)),
            clusters,
        )

    def _label(self, scores: np.ndarray) -> np.ndarray:
        variant = self.variant
        if variant.task == "regression":
            return scores[:, :1].astype(np.float32)
        if variant.task == "multi-label":
            return (scores > 0.3).astype(np.float32)
        if variant.rare:
            return (scores[:, 0] > 1.84).astype(np.intp)  # The 0.95 quantile: the variance of a score is 1.25.
        return scores.argmax(axis=1).astype(np.intp)


def make_task(labels: np.ndarray, variant: Variant, clusters: np.ndarray | None, seed: int) -> Task:
    """Return the task with its folds."""
    n = len(labels)
    codes = labels if variant.task == "classification" else np.zeros(n, dtype=np.intp)
    classes = {"classification": ("a", "b") if variant.rare else ("a", "b", "c"), "regression": ("number",)}
    return Task(
        classes=classes.get(variant.task, ("a", "b", "c")), codes=codes, balance="off", seed=seed, clock=Clock(np.inf),
        folds=data.assign_folds(codes, np.arange(n) if clusters is None else clusters, 5, seed), kind=variant.task,
        truth=None if variant.task == "classification" else labels,
    )  # fmt: skip


def name_rows(probabilities: np.ndarray, task: Task) -> Predictions:
    """Return predictions of numbered rows."""
    return Predictions(
        ids=make_column(list(map(str, range(len(probabilities))))), classes=task.classes, probabilities=probabilities,
        task=task.kind, thresholds=(0.5,) * len(task.classes) if task.kind == "multi-label" else (),
    )  # fmt: skip


def run_trial(planted: str, variant: Variant, seed: int) -> Iterator[dict[str, Any]]:
    """Fit and choose once; give the verdict for every number of test rows."""
    family = Family(planted, variant, seed)
    labels, seen, clusters = family.draw(N_TRAIN, True)
    task = make_task(labels, variant, clusters, seed)
    goal, chosen = OBJECTIVES[task.kind], []
    for features in seen:
        head, fitted = fit_head(features, task)
        ridge, ridge_outputs, _ = fit_ridge(features, task)
        sides = [(fitted.choice.out_of_fold, head), (ridge_outputs, ridge)]
        losses = [mean_loss(goal.losses(task, outputs)) for outputs, _ in sides]
        chosen.append(sides[int(np.argmin(losses))][1])
    fresh, fresh_seen, _ = family.draw(N_FRESH, False)
    answers = [name_rows(np.asarray(model.predict(rows)), task) for model, rows in zip(chosen, fresh_seen, strict=True)]
    true = measure_truth(fresh, answers, task)
    tested, tested_seen, tested_clusters = family.draw(max(TEST_ROWS), False)
    outputs = [np.asarray(model.predict(rows)) for model, rows in zip(chosen, tested_seen, strict=True)]
    for n in TEST_ROWS:
        named = [NamedPredictions(name, name_rows(part[:n], task)) for name, part in zip("xy", outputs, strict=True)]
        some = None if tested_clusters is None else tested_clusters[:n]
        verdict = assess_transfer(tested[:n], named[0], named[1], clusters=some, seed=seed)
        figure = verdict.difference
        yield {
            "n": n, "true": true, "verdict": verdict.transfer,
            "low": figure.low if figure else None, "high": figure.high if figure else None,
        }  # fmt: skip


def measure_truth(labels: np.ndarray, answers: Sequence[Predictions], task: Task) -> float:
    """Return how much better the first is on very many rows, in what the verdict compares."""
    verdict = assess_transfer(
        labels, NamedPredictions("x", answers[0]), NamedPredictions("y", answers[1]), clusters=None, seed=0
    )
    assert verdict.difference is not None
    return verdict.difference.value


def list_cells() -> list[tuple[str, Variant]]:
    """Return what is planted in which variant."""
    return [(planted, VARIANTS[0]) for planted in TRUTHS] + [
        (planted, variant) for variant in VARIANTS[1:] for planted in ("useful", "equal")
    ]


def measure_cells(trials: int, kept: Path | None) -> dict[tuple[str, str], list[list[dict[str, Any]]]]:
    """Run what is missing of every cell; each trial is one line of the file."""
    cells: dict[tuple[str, str], list[list[dict[str, Any]]]] = {}
    for line in kept.read_text().splitlines() if kept and kept.is_file() else []:
        item = json.loads(line)
        cells.setdefault((item["planted"], item["variant"]), []).append(item["figures"])
    for planted, variant in list_cells():
        done = cells.setdefault((planted, variant.name), [])
        for seed in range(len(done), trials):
            done.append(list(run_trial(planted, variant, seed)))
            if kept:
                with kept.open("a") as file:
                    file.write(json.dumps({"planted": planted, "variant": variant.name, "figures": done[-1]}) + "\n")
        print(planted, variant.name, len(done), flush=True)
    return cells


def share(hits: Sequence[bool]) -> str:
    """Return a share in % with its 95 % interval."""
    if not hits:
        return "-"
    low, high = compute_wilson_interval(np.array([float(sum(hits))]), np.array([float(len(hits))]))
    return f"{100 * sum(hits) / len(hits):.1f} ({100 * low[0]:.1f}-{100 * high[0]:.1f})"


def render_cells(cells: Mapping[tuple[str, str], Sequence[Sequence[Mapping[str, Any]]]]) -> str:
    """Make the table of verdicts."""
    lines: list[dict[str, object]] = []
    for (planted, variant), trials in cells.items():
        for n in TEST_ROWS:
            each = [figure for trial in trials for figure in trial if figure["n"] == n]
            told = [item for item in each if item["low"] is not None]
            wrong = [item["verdict"] == ("helped" if item["true"] < 0 else "hurt") for item in each]
            lines.append(
                {
                    "planted": planted, "rows": variant, "test rows": n, "trials": len(each),
                    "true difference": f"{np.mean([item['true'] for item in each]):+.3f}",
                    "helped": share([item["verdict"] == "helped" for item in each]),
                    "hurt": share([item["verdict"] == "hurt" for item in each]),
                    "wrong sign": share(wrong),
                    "interval holds the truth": share(
                        [item["low"] - 1e-9 <= item["true"] <= item["high"] + 1e-9 for item in told]
                    ),
                }
            )  # fmt: skip
    return table(lines)


def answer_rows(is_right: np.ndarray) -> Predictions:
    """Return answers of which so many are right, where class 0 is true."""
    return Predictions(
        ids=make_column(list(map(str, range(len(is_right))))), classes=("a", "b"),
        probabilities=np.where(is_right[:, None], [[0.9, 0.1]], [[0.1, 0.9]]),
    )  # fmt: skip


def measure_gaps(trials: int) -> str:
    """Measure how often a gap of 15 points is seen at 200 rows a group, and how often one where there is none."""
    lines: list[dict[str, object]] = []
    for gap, n_columns in ((0.15, 1), (0.15, 3), (0.0, 1), (0.0, 3)):
        flagged = []
        for seed in range(trials):
            rng = np.random.default_rng((seed, n_columns, int(100 * gap)))
            members = np.arange(400) % 2
            right = rng.random(400) < np.where(members == 0, 0.85, 0.85 - gap)
            columns = {"planted": make_column([f"group {value}" for value in members])}
            columns |= {
                f"other {number}": make_column([f"v{value}" for value in rng.integers(0, 2, 400)])
                for number in range(n_columns - 1)
            }
            scored = score_groups(np.zeros(400, dtype=np.intp), answer_rows(right), columns, clusters=None, seed=seed)
            p_values = [item.p_value for item in scored if item.p_value is not None]
            flagged.append((scored[0].p_value or 1) <= 0.05 if gap else min(p_values, default=1) <= 0.05)
        lines.append({"gap in points": f"{100 * gap:.0f}", "columns": n_columns, "gap reported": share(flagged)})
    return table(lines)


def measure_origins(trials: int) -> str:
    """Measure whether a gap is traced to the base where it was planted, at 200 and 400 rows a group."""
    lines: list[dict[str, object]] = []
    for planted, frozen_gap, plain_gap in (("base", 0.2, 0.0), ("labels", 0.2, 0.2), ("neither", 0.0, 0.0)):
        for size in (200, 400):
            brought = []
            for seed in range(trials):
                rng = np.random.default_rng((seed, size, len(planted)))
                members = np.arange(2 * size) % 2
                luck, own = rng.random(2 * size), rng.random(2 * size)
                models = [
                    answer_rows(np.where(rng.random(2 * size) < 0.5, luck, own) < 0.85 - gap * members)
                    for gap in (frozen_gap, plain_gap)
                ]
                names = make_column([f"group {value}" for value in members])
                compared = ComparedModels(
                    chosen=models[0], frozen=models[0], plain=models[1], without_base="classic", is_frozen=True
                )
                origin = trace_gap("site", np.zeros(2 * size, dtype=np.intp), compared, names, None, seed)
                brought.append(origin is not None and origin.brought is not None and origin.brought.low > 0)
            lines.append({"planted in": planted, "rows a group": size, "said to come from the base": share(brought)})
    return table(lines)


def measure_readiness(trials: int) -> str:
    """Measure how often a model is called ready although its true figures break a rule, and although they do not."""
    lines: list[dict[str, object]] = []
    bound_right, bound_class = READINESS.answered_right[0], READINESS.worst_class[0]
    for name, recalls in (
        ("one class 1 point below its bound", (0.99, 0.99, bound_class - 0.01)),
        ("right answers 1 point below the bound", (bound_right - 0.01,) * 3),
        ("well above every bound", (0.97, 0.97, 0.97)),
    ):
        for n in (60, 200, 500, 2_000):
            ready = []
            for seed in range(trials):
                rng = np.random.default_rng((seed, n, int(1000 * recalls[2])))
                codes = rng.integers(0, 3, n)
                said = np.where(rng.random(n) < np.asarray(recalls)[codes], codes, (codes + 1) % 3)
                predictions = Predictions(
                    ids=make_column(list(map(str, range(n)))), classes=("a", "b", "c"),
                    probabilities=np.eye(3)[said] * 0.97 + 0.01,
                )  # fmt: skip
                metrics = score_predictions(codes, predictions, None, seed)
                everything = Figure(value=1.0, low=0.98, high=1.0)
                abstention = Abstention.model_construct(
                    shares={"label": everything}, accuracy_answered=metrics.accuracy, n_answered=n, n_rows=n
                )
                model = JudgedModel(
                    task="classification", classes=("a", "b", "c"), metrics=metrics, abstention=abstention
                )
                ready.append(judge_model(model)[0].level == "ready")
            lines.append({"true figures": name, "test rows": n, "called ready": share(ready)})
    return table(lines)


def write_texts(folder: Path, seed: int, is_random: bool) -> Path:
    """Write messages whose test rows use other words for the same things, or labels by chance."""
    rng = np.random.default_rng(seed)
    words = {
        "water": (["pump", "well", "tap", "borehole"], ["pipe", "reservoir", "faucet", "spring"]),
        "roads": (["bridge", "road", "bus", "lorry"], ["highway", "street", "truck", "pavement"]),
        "health": (["nurse", "clinic", "fever", "doctor"], ["hospital", "medicine", "malaria", "midwife"]),
    }
    lines = ["text,label,split"]
    for split, place, n in (("train", 0, 60), ("test", 1, 60)):
        for number in range(n):
            label = list(words)[number % 3]
            word = str(rng.choice(words[label][place]))
            shown = str(rng.choice(list(words))) if is_random else label
            lines.append(f"The {word} of our village needs help {rng.integers(1_000_000)},{shown},{split}")
    path = folder / "messages.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_series(folder: Path, seed: int, is_random: bool) -> Path:
    """Write waves of two speeds, or noise with labels by chance."""
    rng = np.random.default_rng(seed)
    lines = ["label,split," + ",".join(f"t{step}" for step in range(40))]
    for split, n in (("train", 40), ("test", 60)):
        for number in range(n):
            speed = 0.2 if number % 2 else 0.3
            wave = np.sin(np.arange(40) * speed + rng.uniform(0, 6)) + rng.normal(0, 0.7, 40)
            label = ("slow", "fast")[int(rng.integers(2)) if is_random else number % 2]
            lines.append(f"{label},{split}," + ",".join(f"{value:.4f}" for value in wave))
    path = folder / "waves.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def measure_command(n: int) -> str:
    """Send drawn sets through the public command; the verdict of each kind."""
    kinds: dict[str, tuple[Callable[[Path, int, bool], Path], bool]] = {
        "texts, other words for the same things": (write_texts, False),
        "texts, random labels": (write_texts, True),
        "series, random labels": (write_series, True),
    }
    lines: list[dict[str, object]] = []
    for name, (write, is_random) in kinds.items():
        said: list[str] = []
        for seed in range(n):
            with tempfile.TemporaryDirectory() as scratch:
                folder = Path(scratch)
                path = write(folder, seed, is_random)
                more = ("--strategy", "linear-probe,shrinkage-lda,classic", "--audit", "none", "--offline")
                done = adapt(path, folder / "out", machine.ROOT / "build" / "verdict-home", *more)
                said.append((done.document or {}).get("verdict", {}).get("transfer", "failed"))
        lines.append(
            {"sets": name, "runs": n} | {word: said.count(word) for word in ("helped", "no evidence", "hurt", "failed")}
        )
    return table(lines)


def main() -> None:
    """Measure, keep every trial, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--adapt", type=int, default=10, metavar="N")
    parser.add_argument("--kept", type=Path, help="File with one JSON line for each trial; it is gone on with.")
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results"))
    options = parser.parse_args()
    cells = measure_cells(options.trials, options.kept)
    legend = (
        f"Shares in % of trials, with 95 % intervals. Learnt from {N_TRAIN} rows; the true difference is that of the "
        f"two chosen models on {N_FRESH:,} rows, as a mean over trials; where both sides see the same (`equal`) one "
        "of the models is still a little better, and saying so is right. Wanted: wrong sign at most 2.5; helped and "
        "hurt together at most 5 for random labels; the interval holds the truth in 92 to 98. A shuffled base hurts: "
        "the other side knows something."
    )
    parts = [
        machine.describe(), legend, render_cells(cells),
        "A gap of accuracy between two groups of 200 rows (wanted: 90 where it is planted, at most 5 where not):",
        measure_gaps(options.trials),
        "What the base brought of a gap of 20 points (wanted: at most 5 where it brought none):",
        measure_origins(options.trials), "Readiness (wanted: at most 5 where a rule is broken):",
        measure_readiness(options.trials),
    ]  # fmt: skip
    if options.adapt:
        parts += ["Through `headstart adapt`, runs by verdict:", measure_command(options.adapt)]
    keep(options.results, HEADING, "\n\n".join(parts))


if __name__ == "__main__":
    main()
