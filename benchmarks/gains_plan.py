"""Which tools run on which rows, in which order, and about how long that takes."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import machine
import numpy as np
from drawing import Caps, Draw, draw, rows
from peers import MOST_PAIRS

SETS: dict[str, tuple[str, ...]] = {
    "series": ("ucr/ECG200", "ucr/MedicalImages", "ucr/SwedishLeaf", "ucr/SyntheticControl", "ucr/Strawberry"),
    "text": (
        "masakhanews/eng",
        "afrisenti/sw",
        "masakhanews/yor",
        "masakhanews/pcm",
        "disaster_messages/disaster_messages",
        "masakhanews/hau",
        "masakhanews/swa",
    ),
    "image": ("corn_leaf", "chest_xray_pneumonia", "sign_digits", "hurricane_damage", "butterflies"),
}
ENDS = {"series": ".parquet", "text": ".csv", "image": ""}
LABELS = (5, 20, 100, 0)
SEVERAL = (5, 20)
"""Numbers of labels at which there is more than one draw."""


def pairs(n_rows: int) -> float:
    """How many pairs SetFit learns from."""
    return 2 * n_rows * max(1, min(20, MOST_PAIRS // (2 * n_rows)))


@dataclass(frozen=True)
class Method:
    """A tool, and what it costs: seconds to start, for a training row (or what `effort` counts) and for a test row.

    Texts of 1,000 letters cost that, shorter ones less.
    """

    told_as: str
    costs: Mapping[str, tuple[float, float, float]]
    options: tuple[str, ...] | None = None
    dear: bool = False
    effort: Callable[[int], float] = float

    def expected(self, drawn: Draw) -> float:
        """Expect the seconds of a cell, from two idle cores of 2023; for planning only."""
        start, per_row, per_test = self.costs[drawn.kind]
        scale = 0.25 + 0.75e-3 * float(np.mean([len(text) for text in drawn.train])) if drawn.kind == "text" else 1.0
        return start + scale * (per_row * self.effort(len(drawn.train)) + per_test * len(drawn.test))


METHODS: dict[str, Method] = {
    "headstart-quick": Method(
        "headstart, quick",
        {"image": (8, 0.02, 0.01), "text": (12, 0.03, 0.02), "series": (6, 0.02, 0.01)},
        ("--strategy", "quick"),
    ),
    "headstart": Method(
        "headstart", {"image": (45, 0.1, 0.01), "text": (45, 0.1, 0.02), "series": (15, 0.05, 0.01)}, ()
    ),
    "fastai": Method("fastai fine_tune(10)", {"image": (10, 0.65, 0.02)}, dear=True),
    "full-fine-tune": Method("full fine-tune", {"image": (7, 0.5, 0.02)}, dear=True),
    "setfit": Method("SetFit", {"text": (10, 0.33, 0.06)}, dear=True, effort=pairs),
    "setfit-e5": Method("SetFit on multilingual-e5-small", {"text": (20, 0.7, 0.12)}, dear=True, effort=pairs),
    "sentence-transformers": Method("sentence-transformers + LR", {"text": (7, 0.06, 0.06)}),
    "tf-idf": Method("TF-IDF + LR", {"text": (3, 0.01, 0.003)}),
    "minirocket": Method("MiniRocket", {"series": (5, 0.01, 0.01)}),
    "multirocket-hydra": Method("MultiRocket-Hydra", {"series": (7, 0.02, 0.02)}),
    "quant": Method("QUANT", {"series": (6, 0.01, 0.005)}),
}


@dataclass(frozen=True)
class Cell:
    """One tool on one draw; `variant` says what else our own results depend on: the code and the time limit."""

    method: str
    drawn: Draw
    variant: str = ""

    def key(self) -> list[str]:
        """What a result depends on."""
        return [self.method, self.drawn.digest, self.variant]

    def expected(self) -> float:
        """Expect its seconds."""
        return METHODS[self.method].expected(self.drawn)

    def __str__(self) -> str:
        labels = self.drawn.labels or "all"
        return f"{self.drawn.name}, {labels} labels, seed {self.drawn.seed}, {METHODS[self.method].told_as}"


@lru_cache(maxsize=1)
def code() -> str:
    """Name the state of the package's source."""
    content = hashlib.sha256()
    for path in sorted(machine.ROOT.joinpath("src").rglob("*.py")):
        content.update(path.read_bytes())
    return content.hexdigest()[:12]


def caps_of(given: argparse.Namespace) -> Caps:
    """Say how much is taken at most."""
    return Caps(given.most_rows, given.most_test, given.most_letters)


def draws(given: argparse.Namespace) -> list[Draw]:
    """Make all draws, the most telling ones first: few labels, then many, then further seeds."""
    found, caps = [], caps_of(given)
    for kind in given.kinds:
        wanted = [name for name in SETS[kind] if given.sets is None or name in given.sets]
        for number, name in enumerate(wanted):
            path = given.data / f"{name}{ENDS[kind]}"
            if not path.exists():
                print(f"{name}: not found under {given.data}")
                continue
            split = rows(path, kind)
            for labels in given.labels:
                for seed in range(given.seeds if labels in SEVERAL else 1):
                    rank = (seed + 1 if seed else int(labels not in SEVERAL), labels or 10**9, number)
                    found.append((rank, draw(split, (kind, name, labels, seed), caps)))
    return [drawn for _, drawn in sorted(found, key=lambda item: item[0])]


def planned(given: argparse.Namespace) -> list[list[Cell]]:
    """List the cells of each draw in the order in which they run: the tools in turn."""
    found = []
    for turn, drawn in enumerate(draws(given)):
        names = [name for name in given.methods if drawn.kind in METHODS[name].costs]
        names = [name for name in names if not (METHODS[name].dear and drawn.seed >= given.dear_seeds)]
        first = turn % max(1, len(names))
        ours = f"{code()} --time {given.time}"
        variants = {name: "" if METHODS[name].options is None else ours for name in names}
        found.append([Cell(name, drawn, variants[name]) for name in names[first:] + names[:first]])
    return found
