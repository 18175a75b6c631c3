"""The rows that are measured on: real ones from a data folder where there is one, generated ones otherwise."""

from __future__ import annotations

import csv
import random
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
IMAGE_SETS = ("corn_leaf", "potato_leaf", "hurricane_damage", "sign_digits")
TEXT_SET = Path("disaster_messages", "disaster_messages.csv")
ROWS_A_CLASS = 20
"""Fewer classes are taken where there would be fewer rows a class than this."""
_WORDS = (
    "water",
    "road",
    "school",
    "clinic",
    "food",
    "rain",
    "bridge",
    "teacher",
    "nurse",
    "flour",
    "dry",
    "broken",
    "late",
    "closed",
    "new",
    "thanks",
    "please",
)


@dataclass(frozen=True)
class Split:
    """Inputs and labels of the official training and test rows; rows kept for validation are training rows."""

    train: list[Any]
    train_labels: list[str]
    test: list[Any]
    test_labels: list[str]


def image_folder(data: Path, n_images: int, folder: Path, seed: int = 0) -> str:
    """Fill `folder` with one folder a class, `n_images` in all; say where the images come from."""
    rng = random.Random(seed)
    found = [path for name in IMAGE_SETS for path in sorted(data.joinpath(name).glob("*/*/*.jpg"))]
    classes = sorted({_class_of(path) for path in found})
    kept = set(rng.sample(classes, min(len(classes), max(2, n_images // ROWS_A_CLASS))))
    found = [path for path in found if _class_of(path) in kept]
    rng.shuffle(found)
    for path in found[:n_images]:
        target = folder / _class_of(path)
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / f"{path.parts[-3]}-{path.name}")
    missing = n_images - len(found)
    if not found:
        _generated(n_images, folder, np.random.default_rng(seed))
        return "generated noise pictures of 256 x 256"
    if missing > 0:
        _crops(sorted(folder.glob("*/*.jpg")), missing, rng)
    return f"{min(n_images, len(found))} images of {', '.join(IMAGE_SETS)}" + (
        f", topped up with {missing} re-encoded crops" if missing > 0 else ""
    )


def _class_of(path: Path) -> str:
    return f"{path.parts[-4]}-{path.parent.name}"


def _crops(paths: Sequence[Path], n_crops: int, rng: random.Random) -> None:
    for number in range(n_crops):
        path = paths[number % len(paths)]
        with Image.open(path) as picture:
            width, height = picture.size
            left, top = rng.randrange(width // 5 + 1), rng.randrange(height // 5 + 1)
            crop = picture.convert("RGB").crop((left, top, left + width * 4 // 5, top + height * 4 // 5))
        crop.resize((width, height)).save(path.with_name(f"crop{number:05d}-{path.name}"), quality=90)


def _generated(n_images: int, folder: Path, rng: np.random.Generator) -> None:
    for number in range(n_images):
        kind = number % 4
        coarse = rng.integers(0, 256, (4 * (kind + 1), 4 * (kind + 1), 3), dtype=np.uint8)
        folder.joinpath(f"kind_{kind}").mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(coarse).resize((256, 256), Image.Resampling.BICUBIC)
        picture.save(folder / f"kind_{kind}" / f"{number:05d}.jpg", quality=90)


def text_table(data: Path, n_texts: int, path: Path, seed: int = 0) -> str:
    """Write a table `text,label` of `n_texts` distinct rows; say where the texts come from."""
    rng = random.Random(seed)
    source = data / TEXT_SET
    if source.is_file():
        rows = [(row["text"], row["label"]) for row in read_csv(source)]
        rows = list(dict(row for row in rows if row[0].strip()).items())
        rng.shuffle(rows)
    else:
        rows = [(" ".join(rng.choices(_WORDS, k=rng.randrange(4, 40))), rng.choice("ab")) for _ in range(2 * n_texts)]
        rows = list(dict(rows).items())
    with path.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([("text", "label"), *rows[:n_texts]])
    return f"{min(n_texts, len(rows))} texts of {TEXT_SET.stem if source.is_file() else 'a random generator'}"


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a CSV file as it is; the word "None" stays a word."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with path.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def _parted(inputs: Sequence[Any], labels: Sequence[str], splits: Sequence[str]) -> Split:
    parts: dict[str, tuple[list[Any], list[str]]] = {"train": ([], []), "test": ([], [])}
    for given, label, split in zip(inputs, labels, splits, strict=True):
        for part, value in zip(parts["test" if split == "test" else "train"], (given, str(label)), strict=True):
            part.append(value)
    return Split(*parts["train"], *parts["test"])


def images(folder: Path) -> Split:
    """Read `train/CLASS/*.jpg` and `test/CLASS/*.jpg`."""
    paths = sorted(path for end in ("jpg", "png") for path in folder.glob(f"*/*/*.{end}"))
    return _parted(paths, [path.parent.name for path in paths], [path.parts[-3] for path in paths])


def texts(path: Path) -> Split:
    """Read a table with the columns text, label and split."""
    rows = read_csv(path)
    return _parted(*([row[name] for row in rows] for name in ("text", "label", "split")))


def series(path: Path) -> Split:
    """Read `.npz` (X, y, split) or a wide table in Parquet or CSV form (label, split, t0..tN)."""
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return _parted(list(arrays["X"]), list(arrays["y"]), list(arrays["split"]))
    import pandas as pd

    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    steps = [name for name in frame.columns if name[0] == "t" and name[1:].isdigit()]
    values = frame[steps].to_numpy(dtype=np.float64)[:, None]
    return _parted(list(values), list(frame["label"]), list(frame["split"]))
