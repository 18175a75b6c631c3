"""Draw rows with labels once, so that every tool learns from the same rows and is tested on the same rows.

A draw is written down in the form that `headstart adapt` and `material` read: pictures as `train/CLASS/*.png|jpg` and
`test/CLASS/...`, texts as a table, series as `.npz`. The test rows are the same for every draw of a set. Test rows are
ordered by class, so that their numbers and their paths come in one order.
"""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import material
import numpy as np


@dataclass(frozen=True)
class Draw:
    """Rows drawn from a set; `labels` is the number a class, 0 for all. Equal `digest`: equal rows."""

    kind: str
    name: str
    labels: int
    seed: int
    train: list[Any]
    train_labels: list[str]
    test: list[Any]
    test_labels: list[str]
    digest: str


@dataclass(frozen=True)
class Caps:
    """What is taken at most: `train` of all labelled rows, `test` of the test rows, `letters` of a text."""

    train: int = 1_000
    test: int = 300
    letters: int = 400


def rows(path: Path, kind: str) -> material.Split:
    """Read the official split of a set."""
    readers: dict[str, Callable[[Path], material.Split]] = {
        "image": material.images,
        "text": material.texts,
        "series": material.series,
    }
    return readers[kind](path)


def picked(labels: Sequence[str], per_class: int, seed: int, most: int) -> np.ndarray:
    """Draw `per_class` rows of each class (all if 0, at most `most`); ordered by class.

    Examples
    --------
    >>> picked(["a", "b", "a", "a", "b"], 1, 0, 100).shape, picked(["b", "a"], 0, 0, 100).tolist()
    ((2,), [1, 0])
    """
    _, codes = np.unique(np.asarray(labels), return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(codes))
    if per_class:
        taken = np.concatenate([order[codes[order] == code][:per_class] for code in range(int(codes.max()) + 1)])
    else:
        taken = order[:most]
    return np.asarray(sorted(taken.tolist(), key=lambda row: (codes[row], row)))


def _bytes(value: Any) -> bytes:
    if isinstance(value, Path):
        return value.read_bytes()
    return value.encode() if isinstance(value, str) else np.ascontiguousarray(value).tobytes()


def draw(split: material.Split, cell: tuple[str, str, int, int], caps: Caps) -> Draw:
    """Draw training rows by (kind, set, labels a class, seed), and the set's test rows."""
    train = picked(split.train_labels, cell[2], cell[3], caps.train)
    test = picked(split.test_labels, 0, 0, caps.test)

    def cut(value: Any) -> Any:
        return value[: caps.letters] if isinstance(value, str) else value

    given = [cut(split.train[row]) for row in train], [split.train_labels[row] for row in train]
    asked = [cut(split.test[row]) for row in test], [split.test_labels[row] for row in test]
    content = hashlib.sha256(repr([*cell[:2], given[1], asked[1]]).encode())
    for value in [*given[0], *asked[0]]:
        content.update(_bytes(value))
    return Draw(*cell, *given, *asked, content.hexdigest()[:16])


def _pictures(drawn: Draw, folder: Path) -> Path:
    for part, inputs, labels in _parts(drawn):
        for number, (path, label) in enumerate(zip(inputs, labels, strict=True)):
            target = folder / part / label / f"{number:05d}{path.suffix}"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    return folder


def _texts(drawn: Draw, folder: Path) -> Path:
    path = folder / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(("text", "label", "split"))
        for part, inputs, labels in _parts(drawn):
            writer.writerows((text, label, part) for text, label in zip(inputs, labels, strict=True))
    return path


def _series(drawn: Draw, folder: Path) -> Path:
    path = folder / "rows.npz"
    splits = np.array(["train"] * len(drawn.train) + ["test"] * len(drawn.test))
    labels = np.array([*drawn.train_labels, *drawn.test_labels])
    np.savez(path, X=np.stack([*drawn.train, *drawn.test]), y=labels, split=splits)
    return path


def _parts(drawn: Draw) -> tuple[tuple[str, list[Any], list[str]], ...]:
    return ("train", drawn.train, drawn.train_labels), ("test", drawn.test, drawn.test_labels)


WRITERS: Mapping[str, Callable[[Draw, Path], Path]] = {"image": _pictures, "text": _texts, "series": _series}


def written(drawn: Draw, folder: Path) -> Path:
    """Write a draw into an empty folder; give the path for all tools."""
    folder.mkdir(parents=True)
    return WRITERS[drawn.kind](drawn, folder)
