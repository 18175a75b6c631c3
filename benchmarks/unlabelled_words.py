"""What text without labels is worth to `classic` on texts: idf alone, and idf with which pieces go together.

`python benchmarks/unlabelled_words.py [--data FOLDER] [--sets masakhanews/yor.csv ...] [--labels 8 32] [--draws 3]
[--texts 5000] [--test 1000] [--characters 1000] [--small] [--results FILE]`

Labels are drawn from the training rows; the texts of the other training rows are the text without labels.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import machine
import material
import numpy as np
from tables import keep, table

from headstart import data
from headstart.evaluation.intervals import mean_interval
from headstart.options import AdaptOptions
from headstart.records import TEST, TRAIN, Table, make_column
from headstart.strategies import STRATEGIES
from headstart.strategies.record import Clock, StrategyRows, Task
from headstart.strategies.text.cooccurrence import Cooccurrence, learn_cooccurrence
from headstart.strategies.text.tfidf import KINDS

NEWS = tuple(f"masakhanews/{name}.csv" for name in ("eng", "hau", "ibo", "lug", "pcm", "som", "swa", "yor"))
TWEETS = tuple(f"afrisenti/{name}.csv" for name in ("am", "ha", "ig", "ma", "pcm", "sw", "yo"))
PLAIN, WEIGHTS, BOTH = "rows alone", "idf", "idf and words that go together"
NAMES = (PLAIN, WEIGHTS, BOTH)
TITLE = "Text without labels, for classic"
Hits = dict[int, dict[str, np.ndarray]]
"""Labels a class to name to the share of draws in which each test row was right."""


def weights_only(words: Cooccurrence) -> Cooccurrence:
    """Forget which pieces go together."""
    return replace(words, projection={kind: words.projection[kind][:, :0] for kind in KINDS})


def drawn(codes: np.ndarray, n_labels: int, order: np.ndarray) -> np.ndarray:
    """Take the first rows of each class in an order."""
    return np.sort(np.concatenate([order[codes[order] == code][:n_labels] for code in np.unique(codes)]))


def right(path: Path, given: argparse.Namespace) -> tuple[Hits, int]:
    """Give how often each test row was right, and the mean number of texts without labels."""
    rows = data.read_table(path, AdaptOptions())
    rows = replace(rows, inputs=make_column([str(text)[: given.characters] for text in rows.inputs]))
    train, test = rows.select_split(TRAIN), rows.select_split(TEST)
    test = test.take(np.sort(np.random.default_rng(1).permutation(len(test))[: given.test]))
    classes, codes = np.unique(np.asarray(train.labels, dtype=str), return_inverse=True)
    found: Hits = {
        n_labels: {name: np.zeros(len(test)) for name in (PLAIN, WEIGHTS, BOTH)} for n_labels in given.labels
    }
    n_texts = 0
    for seed in range(given.draws):
        order = np.random.default_rng(seed).permutation(len(codes))
        bare = np.setdiff1d(order, drawn(codes, max(given.labels), order))
        tested = {str(text) for text in test.inputs}
        texts = [text for text in map(str, train.inputs[bare]) if text not in tested][: given.texts]
        words = learn_cooccurrence(texts, seed)
        n_texts += words.n_texts
        known: Mapping[str, Cooccurrence | None] = {PLAIN: None, WEIGHTS: weights_only(words), BOTH: words}
        for n_labels in given.labels:
            mine = drawn(codes, n_labels, order)
            for name, item in known.items():
                said = answers(train.take(mine), codes[mine], classes, item, test, seed)
                found[n_labels][name] += (classes[said] == np.asarray(test.labels, dtype=str)) / given.draws
    return found, n_texts // given.draws


def answers(
    train: Table, codes: np.ndarray, classes: np.ndarray, words: Cooccurrence | None, test: Table, seed: int
) -> np.ndarray:
    """Fit `classic` and give class codes of the test rows."""
    folds = data.assign_folds(codes, data.number_clusters(train), 5, seed)
    task = Task(
        classes=tuple(classes.tolist()),
        codes=codes,
        folds=folds,
        balance="auto",
        seed=seed,
        clock=Clock(600.0),
        cooccurrence=words,
    )
    made = STRATEGIES["classic"].fit(StrategyRows(train), task, {})
    return np.asarray(made.predict(StrategyRows(test)).argmax(axis=1))


def shown(difference: np.ndarray) -> str:
    """Print a mean difference in points with its 95 % interval."""
    figure = mean_interval(difference, None, 0, (-1.0, 1.0))
    return f"{100 * figure.value:+.1f} ({100 * figure.low:+.1f} to {100 * figure.high:+.1f})"


def overall(means: Mapping[tuple[str, int], list[list[float]]]) -> list[dict[str, object]]:
    """Give means over languages, and differences with intervals over languages."""
    made = []
    for (kind, n_labels), found in means.items():
        values = np.array(found)
        made.append(
            {
                "sets": f"{kind}, {len(values)} languages",
                "labels a class": n_labels,
                **{name: f"{100 * value:.1f}" for name, value in zip(NAMES, values.mean(axis=0), strict=True)},
                "idf - alone": shown(values[:, 1] - values[:, 0]),
                "both - alone": shown(values[:, 2] - values[:, 0]),
            }
        )
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--sets", nargs="*", default=[*NEWS, *TWEETS])
    parser.add_argument("--labels", nargs="*", type=int, default=[8, 32])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--texts", type=int, default=5_000, help="most texts without labels")
    parser.add_argument("--test", type=int, default=1_000, help="most test rows")
    parser.add_argument("--characters", type=int, default=1_000, help="characters read of a text")
    parser.add_argument("--small", action="store_true", help="one set, one draw")
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    given = parser.parse_args(arguments)
    if given.small:
        given.sets, given.labels, given.draws, given.test = given.sets[:1], [8], 1, 200
    legend = (
        f"`classic` fitted on drawn labels ({given.draws} draws) with and without the texts of the other "
        f"training rows (at most {given.texts:,}; all texts cut to {given.characters:,} characters); accuracy in "
        f"percent on official test rows (at most {given.test:,}); differences in points with 95 % intervals: first "
        "over languages, then over test rows. The design was chosen on training rows "
        "(docs/decisions/0017-words-without-labels.md)."
    )
    about, rows = machine.describe(), []
    means: dict[tuple[str, int], list[list[float]]] = {}
    for name in [name for name in given.sets if (given.data / name).is_file()]:
        found, n_texts = right(given.data / name, given)
        for n_labels, hits in found.items():
            rows.append(
                {
                    "set": name.removesuffix(".csv"),
                    "labels a class": n_labels,
                    "texts without labels": n_texts,
                    "test rows": len(hits[PLAIN]),
                    **{key: f"{100 * values.mean():.1f}" for key, values in hits.items()},
                    "idf - alone": shown(hits[WEIGHTS] - hits[PLAIN]),
                    "both - alone": shown(hits[BOTH] - hits[PLAIN]),
                }
            )
            print(rows[-1], flush=True)
            means.setdefault((name.split("/")[0], n_labels), []).append([values.mean() for values in hits.values()])
        keep(given.results, TITLE, f"{about}\n\n{legend}\n\n{table(overall(means))}\n\n{table(rows)}")


if __name__ == "__main__":
    main()
