"""What a base adapted to a language is worth: bits per character, and classification against the base as it is.

`python benchmarks/language.py [--data FOLDER] [--sets masakhanews/yor.csv ...] [--time 8m] [--labels 8 32 0]
[--draws 3] [--train 1500] [--test 600] [--bases FOLDER] [--small] [--results FILE]`

Only the texts of the training rows are read by `adapt-language`, never their labels; strategies are fitted on drawn
training rows and judged on test rows.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import machine
import material
import numpy as np
from tables import keep, table
from timed import run

from headstart import bases, data, features
from headstart.evaluation.intervals import mean_interval
from headstart.options import AdaptOptions
from headstart.records import TEST, TRAIN, Table
from headstart.strategies import STRATEGIES
from headstart.strategies.record import Clock, StrategyRows, Task

SETS = ("masakhanews/yor.csv", "afrisenti/am.csv", "afrisenti/pcm.csv", "afrisenti/ma.csv")
RAW = ("setswana_raw/setswana_raw.csv",)
Given = argparse.Namespace


def raw_text(path: Path, folder: Path) -> Path:
    """Write the texts of the training rows, without their labels; text that has none is taken whole."""
    if "label" not in material.read_csv(path)[0]:
        return path
    made = folder / f"{path.stem}_raw.csv"
    with made.open("w", encoding="utf-8", newline="") as opened:
        texts = [[row["text"]] for row in material.read_csv(path) if row.get("split", TRAIN) != TEST]
        csv.writer(opened).writerows([["text"], *texts])
    return made


def adapted(path: Path, folder: Path, time: str) -> Mapping[str, object]:
    """Run the public command, unless its folder is there already; give what it wrote."""
    out = folder / path.stem
    if not (out / "language.json").is_file():
        command = [str(Path(sys.executable).with_name("headstart")), "adapt-language"]
        done = run([*command, str(raw_text(path, folder)), "-o", str(out), "--time", time, "--offline", "--json"])
        if done.document is None:
            raise SystemExit(done.error)
    return json.loads((out / "language.json").read_text("utf-8"))  # type: ignore[no-any-return]


def bits_row(name: str, said: Mapping[str, object]) -> dict[str, object]:
    """Give one row of the table of bits per character."""
    bits, scratch, fit = said["bits_per_character"], said["from_scratch"], said["fit"]

    def shown(key: str) -> str:
        found = bits[key]
        return f"{found['value']:.2f} ({found['low']:.2f}-{found['high']:.2f})"

    return {
        "text": name,
        "characters to learn from": f"{said['n_characters']['train']:,}",
        "held out: documents, characters": f"{said['n_documents']['held']:,}, {said['n_characters']['held']:,}",
        "base as it is": shown("base"),
        "adapted": shown("adapted"),
        said_ngram(said): shown("ngram"),
        "adapted / from nothing, short trial": f"{scratch['adapted']:.2f} / {scratch['scratch']:.2f}",
        "unknown characters before, now": f"{fit['base']['unknown_character_share']:.1%}, "
        f"{fit['adapted']['unknown_character_share']:.1%}",
        "chosen": f"{said['chosen']['tokenizer']} tokenizer, {said['chosen']['part']}",
        "s of training": f"{said['training']['seconds']:.0f}",
    }


def said_ngram(said: Mapping[str, object]) -> str:
    """Name the column of the n-gram model."""
    return "n-gram" if "gram" in str(said["ngram"]) else str(said["ngram"])


def part(path: Path, split: str, most: int) -> Table:
    """Read at most `most` rows of a split."""
    rows = data.read_table(path, AdaptOptions()).select_split(split)
    return rows.take(np.sort(np.random.default_rng(1).permutation(len(rows))[:most]))


def judged(path: Path, new: Path, given: Given) -> list[dict[str, object]]:
    """Fit strategies on drawn labels with both bases and judge them on test rows; one row a number of labels."""
    train, test = part(path, TRAIN, given.train), part(path, TEST, given.test)
    found: dict[str, tuple[StrategyRows, StrategyRows, Mapping[str, object]]] = {}
    for name, reference in (("base", "default"), ("adapted", f"file:{new}")):
        base = bases.load_base(reference, bases.BaseRequest(modality="text", offline=True))
        sides = []
        for rows in (train, test):
            made = features.extract_features(rows, base)
            sides.append(StrategyRows(rows.take(made.readable_rows), made.features, made.descriptors))
        found[name] = (sides[0], sides[1], base.spec)
    labels = np.asarray(found["base"][0].table.labels, dtype=str)
    classes, codes = np.unique(labels, return_inverse=True)
    truth = np.asarray(found["base"][1].table.labels, dtype=str)
    made = []
    for n_labels in given.labels:
        right: dict[str, list[np.ndarray]] = {}
        for seed in range(given.draws if n_labels else 1):
            for name, said in answers(found, codes, classes, n_labels, seed).items():
                right.setdefault(name, []).append(classes[said] == truth)
        made.append(compared(path, n_labels, len(codes), {name: np.mean(hits, axis=0) for name, hits in right.items()}))
        print(made[-1], flush=True)
    return made


def answers(
    found: Mapping[str, tuple[StrategyRows, StrategyRows, Mapping[str, object]]],
    codes: np.ndarray,
    classes: np.ndarray,
    n_labels: int,
    seed: int,
) -> dict[str, np.ndarray]:
    """Give class codes of the test rows for each strategy."""
    order = np.random.default_rng(seed).permutation(len(codes))
    drawn = np.sort(np.concatenate([order[codes[order] == at][: n_labels or None] for at in range(len(classes))]))
    folds = data.assign_folds(codes[drawn], np.arange(len(drawn)), 5, seed)
    said = {}
    for name, (train, test, spec) in found.items():
        task = Task(
            classes=tuple(classes.tolist()),
            codes=codes[drawn],
            folds=folds,
            balance="auto",
            seed=seed,
            clock=Clock(600.0),
            spec=spec,
        )
        fitted = {}
        for strategy in ("classic", "linear-probe"):
            fitted[strategy] = STRATEGIES[strategy].fit(train.take(drawn), task, {})
        fitted["blend"] = STRATEGIES["blend"].fit(train.take(drawn), task, dict(fitted))
        said["TF-IDF (classic)"] = fitted["classic"].predict(test).argmax(axis=1)
        for strategy in ("linear-probe", "blend"):
            said[f"{strategy}, {name}"] = fitted[strategy].predict(test).argmax(axis=1)
    return said


def compared(path: Path, n_labels: int, n_train: int, hits: Mapping[str, np.ndarray]) -> dict[str, object]:
    """Give one row: accuracies, and paired differences with 95 % intervals over test rows."""

    def gap(name: str, other: str) -> str:
        figure = mean_interval(hits[name] - hits[other], None, 0, (-1.0, 1.0))
        return f"{100 * figure.value:+.1f} ({100 * figure.low:+.1f} to {100 * figure.high:+.1f})"

    return {
        "set": f"{path.parent.name}/{path.stem}",
        "labels a class": n_labels or f"all of {n_train}",
        "test rows": len(next(iter(hits.values()))),
        **{name: f"{100 * values.mean():.1f}" for name, values in hits.items()},
        "probe: adapted - base": gap("linear-probe, adapted", "linear-probe, base"),
        "blend: adapted - base": gap("blend, adapted", "blend, base"),
        "blend, adapted - TF-IDF": gap("blend, adapted", "TF-IDF (classic)"),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--raw", nargs="*", default=list(RAW))
    parser.add_argument("--time", default="8m")
    parser.add_argument("--labels", nargs="*", type=int, default=[8, 32, 0], help="0: all")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--train", type=int, default=1_500, help="most training rows")
    parser.add_argument("--test", type=int, default=600, help="most test rows")
    parser.add_argument("--bases", type=Path, help="folder in which adapted bases are kept and found again")
    parser.add_argument("--small", action="store_true", help="one set, one label count")
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    given = parser.parse_args(arguments)
    if given.small:
        given.sets, given.raw, given.labels, given.draws = given.sets[:1], [], [8], 1
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.bases or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        names = [name for name in (*given.raw, *given.sets) if (given.data / name).is_file()]
        bits = [bits_row(name, adapted(given.data / name, folder, given.time)) for name in names]
        rows = [
            row
            for name in names
            if name in given.sets
            for row in judged(given.data / name, folder / Path(name).stem, given)
        ]
    legend = (
        f"`adapt-language --time {given.time}` on the texts of training rows, default base. Bits per character on "
        "held-out documents, with 95 % intervals over documents (lower is better; docs/how-to/your-language.md)."
    )
    second = (
        f"Accuracy in percent on test rows (at most {given.test}), mean of {given.draws} draws (one with all labels; "
        f"at most {given.train} training rows); differences paired over test rows, in points, with 95 % intervals."
    )
    keep(
        given.results,
        "A base for a language",
        f"{machine.describe()}\n\n{legend}\n\n{table(bits)}\n\n{second}\n\n{table(rows)}",
    )


if __name__ == "__main__":
    main()
