"""What do the names of the classes add to few labelled texts? `shrinkage-lda` with and without them.

`python benchmarks/class_names.py [--data FOLDER] [--sets NAME ...] [--kept FILE] [--results FOLDER]`

1, 2, 5 and 20 labels a class in ten draws from at most 80 training rows a class, at most 300 test rows, texts cut after
250 letters, on features computed once: multilingual-e5-small, MiniLM for English and Nigerian Pidgin, as the default
chooses. The fitting is that of the product. The weights that are tried were chosen on `CHOSEN_ON`; the others judge.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import machine
import numpy as np
from material import DATA
from series_base import differ, drawn, mean_over_sets
from tables import keep, table

from headstart import bases, data, features
from headstart.bases import BaseRequest
from headstart.flow.adaptation.class_names import spell_name
from headstart.records import Features
from headstart.strategies.probes import linear_probe, shrinkage_lda
from headstart.strategies.record import Clock, StrategyRows, Task

DRAWS, LABELS, MOST_ROWS, MOST_TEST, MOST_LETTERS = 10, (1, 2, 5, 20), 80, 300, 250
CHOSEN_ON = ("masakhanews/lug", "masakhanews/ibo", "afrisenti/ha", "afrisenti/ma")
JUDGE = (
    "masakhanews/eng", "masakhanews/hau", "masakhanews/swa", "masakhanews/yor", "masakhanews/pcm", "afrisenti/am",
    "afrisenti/ig", "afrisenti/pcm",
)  # fmt: skip
KNOWN_TO_MINILM = ("eng", "pcm")
ARMS = ("with names", "without", "linear-probe")
HEADING = "Names of classes"


def read_rows(path: Path) -> tuple[list[str], list[str], list[str], list[str]]:
    """Read training texts and labels, test texts and labels, as many as are used."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rng, train = np.random.default_rng(0), [row for row in rows if row["split"] == "train"]
    pool: list[dict[str, str]] = []
    for label in sorted({row["label"] for row in train}):
        own = [row for row in train if row["label"] == label]
        pool += [own[at] for at in rng.permutation(len(own))[:MOST_ROWS]]
    test = [row for row in rows if row["split"] == "test"]
    test = [test[at] for at in rng.permutation(len(test))[:MOST_TEST]]

    def column(some: Sequence[dict[str, str]], name: str) -> list[str]:
        return [row[name][:MOST_LETTERS] for row in some]

    return column(pool, "text"), column(pool, "label"), column(test, "text"), column(test, "label")


def extract(language: str, texts: list[str]) -> np.ndarray:
    """Run the base that the default chooses over texts (n_texts, n_dims)."""
    base = "all-minilm-l6-v2" if language in KNOWN_TO_MINILM else "multilingual-e5-small"
    backbone = bases.load_base(base, BaseRequest(modality="text", offline=True))
    everything = data.from_arrays(texts, None, "text")
    extraction = features.extract_features(everything, backbone, uses=frozenset({"features"}))
    assert extraction.features is not None and len(extraction.readable_rows) == len(everything)
    return np.asarray(extraction.features.final, dtype=np.float32)


def make_rows(values: np.ndarray) -> StrategyRows:
    """Return rows that have only features."""
    rows = data.from_arrays([f"row {number}" for number in range(len(values))], None, "text")
    return StrategyRows(rows, Features(rows.ids, values, "benchmark", {}))


def measure_set(path: Path) -> dict[str, list[float]]:
    """Return for each arm and number of labels each test row's share of right answers over the draws."""
    texts, labels, test_texts, test_labels = read_rows(path)
    classes, codes = np.unique(labels, return_inverse=True)
    truth = np.searchsorted(classes, test_labels)
    values = extract(path.stem, [*texts, *test_texts, *map(spell_name, classes)])
    pool, asked_values, names = np.split(values, np.cumsum([len(texts), len(test_texts)]))
    asked = make_rows(asked_values)
    right: dict[str, list[np.ndarray]] = {}
    for per in LABELS:
        for seed in range(DRAWS):
            chosen = drawn(codes, per, seed)
            every = np.arange(len(chosen))
            folds = data.assign_folds(codes[chosen], every, 5, seed) if per > 1 else np.zeros(len(chosen), np.intp)
            task = Task(
                classes=tuple(classes), codes=codes[chosen], folds=folds, balance="off", seed=seed,
                clock=Clock(np.inf), name_features=names,
            )  # fmt: skip
            learnt = make_rows(pool[chosen])
            fitted = {
                "with names": shrinkage_lda.fit(learnt, task, {}),
                "without": shrinkage_lda.fit(learnt, replace(task, name_features=None), {}),
                "linear-probe": linear_probe.fit(learnt, task, {}),
            }
            for arm, model in fitted.items():
                right.setdefault(f"{arm}|{per}", []).append(model.predict(asked).argmax(1) == truth)
    return {key: np.mean(draws, axis=0).round(4).tolist() for key, draws in right.items()}


def render(records: dict[str, Any], names: Sequence[str]) -> str:
    """Make the tables: means over both kinds of sets, then every set."""
    parts = [f"Accuracy on test rows in %, mean over {DRAWS} draws; over sets with 95 % intervals."]
    for title, some in (("Chosen on", CHOSEN_ON), ("Judged on", JUDGE)):
        present = [name for name in some if name in names]
        lines: list[dict[str, object]] = []
        for per in LABELS if present else ():
            rows = {arm: [np.asarray(records[name][f"{arm}|{per}"]) for name in present] for arm in ARMS}
            verdicts = [differ(one, two) for one, two in zip(rows["with names"], rows["without"], strict=True)]
            gains = [one.mean() - two.mean() for one, two in zip(rows["with names"], rows["without"], strict=True)]
            lines.append(
                {"labels a class": per} | {arm: mean_over_sets([row.mean() for row in rows[arm]]) for arm in ARMS}
                | {"names add": mean_over_sets(gains, "+"), "better": verdicts.count("helped")}
                | {"no evidence": verdicts.count("no evidence"), "worse": verdicts.count("hurt")}
            )  # fmt: skip
        parts += [f"{title} {len(present)} sets:", table(lines)] if lines else []
    each = [
        {"set": name, "labels a class": per}
        | {arm: f"{100 * np.mean(records[name][f'{arm}|{per}']):.1f}" for arm in ARMS}
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
    options = parser.parse_args()
    lines = options.kept.read_text().splitlines() if options.kept and options.kept.is_file() else []
    records: dict[str, Any] = {item["set"]: item["right"] for item in map(json.loads, lines)}
    for name in options.sets:
        if name not in records:
            records[name] = measure_set(options.data / f"{name}.csv")
            if options.kept:
                with options.kept.open("a") as file:
                    file.write(json.dumps({"set": name, "right": records[name]}) + "\n")
        print(name, flush=True)
    keep(options.results, HEADING, f"{machine.describe()}\n\n{render(records, options.sets)}")


if __name__ == "__main__":
    main()
