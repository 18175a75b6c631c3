"""Make the healthy bundles, bases and rows that hostile inputs are made from, with tiny base models."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from tests.hostile.case import Seeds
from tests.tiny import BASES
from typer.testing import CliRunner

from headstart import flow
from headstart.bases import write_folder
from headstart.cli.main import app
from headstart.options import AdaptOptions

RUNS = {
    "image": ("image", "linear-probe"), "text": ("text", "linear-probe"), "classic-text": ("text", "classic"),
    "series": ("series", "linear-probe"), "tuned-series": ("series", "norm-bias"),
}  # fmt: skip
"""Bundles by name: modality and strategy."""


def make_seeds(folder: Path) -> Seeds:
    """Adapt tiny bases to tiny data; takes a minute or two.

    Parameters
    ----------
    folder : Path
        An empty folder; `HEADSTART_HOME` is set to one inside it.
    """
    os.environ["HEADSTART_HOME"] = str(folder / "home")
    seeds = list_seeds(folder)
    _images(seeds.data["image"])
    _images(seeds.rows["image"], n_each=1)
    _texts(seeds.data["text"])
    _series(seeds.data["series"])
    for modality in ("text", "series"):
        lines = seeds.data[modality].read_text("utf-8").splitlines()
        seeds.rows[modality].write_text("\n".join(line.split(",", 1)[1] for line in lines[:4]) + "\n", "utf-8")
    for modality, base in BASES.items():
        write_folder(base().parts, seeds.bases[modality])
    for name, (modality, strategy) in RUNS.items():
        base = f"file:{seeds.bases[modality]}"
        options = AdaptOptions(strategy=(strategy,), base=base, time=3_600, precision="float32", offline=True)
        flow.adapt(seeds.data[modality], folder / "runs" / name, options)
        arguments = ["predict", seeds.bundles[name], seeds.rows[modality], "-o", folder / "answers.csv"]
        CliRunner().invoke(app, [str(argument) for argument in arguments])
    return seeds


def list_seeds(folder: Path) -> Seeds:
    """Return where the seeds of a folder lie."""
    return Seeds(
        bundles={name: folder / "runs" / name / "bundle" for name in RUNS},
        bases={modality: folder / "bases" / modality for modality in ("image", "text", "series")},
        rows={"image": folder / "some-images", "text": folder / "some-texts.csv", "series": folder / "some-series.csv"},
        data={"image": folder / "images", "text": folder / "texts.csv", "series": folder / "series.csv"},
        home=folder / "home",
    )


def _images(folder: Path, n_each: int = 12) -> Path:
    for label in ("down", "right"):
        (folder / label).mkdir(parents=True)
        for number in range(n_each):
            random = np.random.default_rng([number, len(label)])
            ramp = np.indices((32, 32))[0 if label == "down" else 1] // 4 % 2
            pixels = random.integers(0, 90, (32, 32, 3)) + ramp[..., None] * 120
            Image.fromarray(pixels.astype(np.uint8)).save(folder / label / f"{number:02d}.png")
    return folder


def _texts(path: Path) -> Path:
    subjects = {"water": ("pump", "well", "tap"), "road": ("bridge", "bus", "hole")}
    endings = ("is broken", "needs help", "is closed again", "was seen on monday", "is far away")
    rows = [
        (label, f"the {word} {ending}") for label, words in subjects.items() for word in words for ending in endings
    ]
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([("label", "text"), *rows])
    return path


def _series(path: Path) -> Path:
    random = np.random.default_rng(0)
    rows: list[list[object]] = [["label", *(f"t{step}" for step in range(24))]]
    for number in range(30):
        label, pace = (("slow", 0.3), ("fast", 1.1))[number % 2]
        wave = np.sin(np.arange(24) * pace + random.uniform(0, 6)) + random.normal(0, 0.3, 24)
        rows.append([label, *(f"{value:.4f}" for value in wave)])
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows(rows)
    return path


def make_seeds_apart(folder: Path) -> Seeds:
    """Make seeds in a process of its own, so that this one starts no thread before it is forked; kept where they lie."""
    if not (folder / "done").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        code = "import sys; from pathlib import Path; from tests.hostile.seeds import make_seeds; make_seeds(Path(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", code, str(folder)], check=True, stdout=subprocess.DEVNULL)
        (folder / "done").touch()
    return list_seeds(folder)
