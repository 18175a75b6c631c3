"""Texts with 1, 5 and 20 labels a class: names of classes, rows without labels, a map trained on pairs.

`python benchmarks/few_texts.py [--data FOLDER] [--sets NAME ...] [--kept FILE] [--results FOLDER] [--measure-only]`

Rows, bases and letters are those of `class_names.py`; training rows that were not drawn are the rows without labels.
The fitting of every arm but `projection` is that of the product. `chosen`: the arm of the product with the lowest
log-loss out of fold. `projection` is no part of the product: a linear map of the frozen features, started at the
identity and trained on pairs of a class (supervised contrastive loss, Khosla et al. 2020), then `linear-probe`.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import machine
import numpy as np
import torch
from class_names import CHOSEN_ON, JUDGE, extract, make_rows, read_rows
from material import DATA
from series_base import drawn, mean_over_sets
from tables import keep, table

from headstart import data
from headstart.flow.adaptation.class_names import spell_name
from headstart.strategies.probes import linear_probe, self_training, shrinkage_lda
from headstart.strategies.record import Clock, Fitted, Task
from headstart.strategies.scoring import log_loss

LABELS, DRAWS = (1, 5, 20), 5
ARMS = ("linear-probe", "shrinkage-lda", "self-training", "chosen", "projection")
PRODUCT = ARMS[:3]
STEPS, SPEED, HEAT = 60, 1e-3, 0.1
"""Of the projection: steps of Adam, learning rate, temperature of the loss."""


def project(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return a linear map (n_dims, n_dims) that brings rows of one class together."""
    rows, classes = torch.from_numpy(values), torch.from_numpy(codes)
    weights = torch.eye(values.shape[1], requires_grad=True)
    optimizer = torch.optim.Adam([weights], lr=SPEED)
    itself = torch.eye(len(codes), dtype=torch.bool)
    pairs = (classes[:, None] == classes[None]) & ~itself
    for _ in range(STEPS):
        unit = torch.nn.functional.normalize(rows @ weights, dim=1)
        logits = (unit @ unit.T / HEAT).masked_fill(itself, -1e9)
        likelihood = (logits.log_softmax(1) * pairs).sum(1) / pairs.sum(1).clamp(min=1)
        optimizer.zero_grad()
        (-likelihood.mean()).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return np.asarray(weights.detach().numpy())


def choose(fitted: dict[str, Fitted], codes: np.ndarray) -> str:
    """Name the arm with the lowest log-loss out of fold; `shrinkage-lda` where nothing was held out."""
    losses = {
        name: log_loss(codes, model.out_of_fold)
        for name, model in fitted.items()
        if len(model.out_of_fold) == len(codes) and np.isfinite(model.out_of_fold).all()
    }
    return min(losses, key=lambda name: losses[name]) if losses else "shrinkage-lda"


def measure_set(path: Path) -> dict[str, Any]:
    """Return accuracy and seconds of every arm for each draw, by number of labels."""
    texts, labels, test_texts, test_labels = read_rows(path)
    classes, codes = np.unique(labels, return_inverse=True)
    truth = np.searchsorted(classes, test_labels)
    values = extract(path.stem, [*texts, *test_texts, *map(spell_name, classes)])
    pool, asked, names = np.split(values, np.cumsum([len(texts), len(test_texts)]))
    measured: dict[str, Any] = {}
    for per in LABELS:
        for seed in range(DRAWS):
            chosen = drawn(codes, per, seed)
            folds = data.assign_folds(codes[chosen], np.arange(len(chosen)), 5, seed) if per > 1 else 0 * chosen
            task = Task(
                classes=tuple(classes), codes=codes[chosen], folds=folds, balance="off", seed=seed, clock=Clock(np.inf),
                name_features=names, unlabelled=make_rows(np.delete(pool, chosen, axis=0)),
            )  # fmt: skip
            modules = {"linear-probe": linear_probe, "shrinkage-lda": shrinkage_lda, "self-training": self_training}
            right, seconds, fitted = {}, {}, {}
            for arm, module in modules.items():
                began = time.perf_counter()
                fitted[arm] = module.fit(make_rows(pool[chosen]), task, {})
                right[arm] = float((fitted[arm].predict(make_rows(asked)).argmax(1) == truth).mean())
                seconds[arm] = time.perf_counter() - began
            pick = choose(fitted, task.codes)
            right["chosen"], seconds["chosen"] = right[pick], sum(seconds.values())
            began, centre = time.perf_counter(), pool.mean(axis=0)
            weights = project(pool[chosen] - centre, task.codes)
            probe = linear_probe.fit(make_rows((pool[chosen] - centre) @ weights), task, {})
            answers = probe.predict(make_rows((asked - centre) @ weights)).argmax(1)
            right["projection"], seconds["projection"] = (
                float((answers == truth).mean()),
                time.perf_counter() - began,
            )
            record = {"right": right, "seconds": seconds, "pick": pick}
            measured.setdefault(str(per), []).append(record)
    return measured


def render(records: dict[str, Any], names: list[str]) -> str:
    """Make the tables: means over both kinds of sets, then every set."""
    parts = [
        f"Accuracy on at most 300 test rows in %, mean over {DRAWS} draws; over sets with 95 % intervals. "
        "`chosen`: the arm of the product with the lowest log-loss out of fold (`shrinkage-lda` at one label a class)."
    ]

    def accuracy(name: str, per: int, arm: str) -> float:
        return float(np.mean([one["right"][arm] for one in records[name][str(per)]]))

    for title, some in (("Sets on which the names' weights were chosen", CHOSEN_ON), ("Other sets", JUDGE)):
        present = [name for name in some if name in names]
        lines: list[dict[str, object]] = []
        for per in LABELS if present else ():
            runs = [one for name in present for one in records[name][str(per)]]
            means = {arm: mean_over_sets([accuracy(name, per, arm) for name in present]) for arm in ARMS}
            gains = [accuracy(name, per, "chosen") - accuracy(name, per, "linear-probe") for name in present]
            picks = " / ".join(str(sum(one["pick"] == arm for one in runs)) for arm in PRODUCT)
            seconds = " / ".join(f"{np.median([one['seconds'][arm] for one in runs]):.2f}" for arm in ARMS)
            lines.append(
                {"labels a class": per} | means | {"chosen - linear-probe": mean_over_sets(gains, "+")}
                | {f"picked: {' / '.join(PRODUCT)}": picks, "median seconds, in this order": seconds}
            )  # fmt: skip
        parts += [f"{title} ({len(present)}):", table(lines)] if lines else []
    each = [
        {"set": name, "labels a class": per} | {arm: f"{100 * accuracy(name, per, arm):.1f}" for arm in ARMS}
        for name in names
        for per in LABELS
    ]
    return "\n\n".join([*parts, table(each)])


def main() -> None:
    """Measure set after set, keep each, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--sets", nargs="*", default=[*CHOSEN_ON, *JUDGE])
    parser.add_argument("--kept", type=Path, help="File with one JSON line for each set; it is gone on with.")
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results"))
    parser.add_argument("--measure-only", action="store_true", help="Write no table.")
    options = parser.parse_args()
    lines = options.kept.read_text().splitlines() if options.kept and options.kept.is_file() else []
    records: dict[str, Any] = {item["set"]: item["measured"] for item in map(json.loads, lines)}
    for name in options.sets:
        if name not in records:
            records[name] = measure_set(options.data / f"{name}.csv")
            if options.kept:
                with options.kept.open("a") as file:
                    file.write(json.dumps({"set": name, "measured": records[name]}) + "\n")
        print(name, flush=True)
    if not options.measure_only:
        keep(options.results, "Texts with few labels", f"{machine.describe()}\n\n{render(records, options.sets)}")


if __name__ == "__main__":
    main()
