"""Long journeys on real data: run them with HEADSTART_JOURNEYS=1 (an hour on two cores); -s prints the figures."""

from __future__ import annotations

import csv
import os
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from tests.browser import CHROMIUM
from tests.needs import marked_without
from tests.studio_journeys import begin_journey

import headstart as hs
from headstart.evaluation.intervals import compute_wilson_interval

pytestmark = [
    pytest.mark.skipif(not os.environ.get("HEADSTART_JOURNEYS"), reason="long: HEADSTART_JOURNEYS=1 runs it"),
    marked_without("browser", CHROMIUM, "there is no Chromium on this machine"),
]
N_LABELS, N_RANDOM = 60, 3
STRATEGY = os.environ.get("HEADSTART_JOURNEYS_STRATEGY", "quick")


@dataclass(frozen=True)
class LabelledSet:
    """A data set with a test split of its own."""

    inputs: dict[str, list[str]]
    labels: dict[str, list[str]]
    names: list[str]
    files: list[Path]


def split_rows(rows: list[dict[str, str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return inputs and labels by split."""
    inputs, labels = (
        {split: [row[column] for row in rows if row["split"] == split] for split in ("train", "test")}
        for column in ("input", "label")
    )
    return inputs, labels


def read_images(folder: Path) -> LabelledSet:
    with (folder / "metadata.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    for row in rows:
        row["input"] = str(folder / row["file"])
    files = [Path(row["input"]) for row in rows if row["split"] == "train"]
    return LabelledSet(*split_rows(rows), names=[path.name for path in files], files=files)


def read_texts(table: Path, root: Path) -> LabelledSet:
    with table.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    rows = [*{row["text"]: row for row in reversed(rows)}.values()]
    for row in rows:
        row["input"] = row["text"]
    inputs, labels = split_rows(rows)
    root.mkdir(parents=True, exist_ok=True)
    with (root / "unlabelled.csv").open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([["text"], *([text] for text in inputs["train"])])
    names = [f"unlabelled.csv:{at + 2}" for at in range(len(inputs["train"]))]
    return LabelledSet(inputs, labels, names, [root / "unlabelled.csv"])


def count_right(model: hs.Model, labelled: LabelledSet) -> int:
    answers = model.predict(labelled.inputs["test"])
    return sum(str(answer) == label for answer, label in zip(answers, labelled.labels["test"], strict=True))


def adapt_at_random(labelled: LabelledSet, seed: int) -> int:
    """Return how many test rows a model of 60 random labels gets right."""
    rows = random.Random(seed).sample(range(len(labelled.names)), N_LABELS)
    inputs, labels = ([column[row] for row in rows] for column in (labelled.inputs["train"], labelled.labels["train"]))
    return count_right(hs.adapt(inputs, labels=labels, strategy=(STRATEGY,), seed=seed), labelled)


@pytest.mark.parametrize("name", ["corn_leaf", "sign_digits", "masakhanews/swa.csv"])
def test_sixty_keys_are_worth_sixty_random_labels(name: str, shared: Path, tmp_path: Path) -> None:
    place = shared / "data" / name
    labelled = read_images(place) if place.is_dir() else read_texts(place, tmp_path)
    truth = dict(zip(labelled.names, labelled.labels["train"], strict=True))
    with begin_journey(tmp_path, "sixty") as journey:
        print(journey.add(*labelled.files))
        journey.begin_labelling(sorted(set(truth.values())))
        answered = journey.label(N_LABELS, truth)
        assert journey.read_events() == [(example, truth[example]) for example in answered]
        seconds, _ = journey.learn(strategy=STRATEGY)
        print(f"{name}: first figure after {seconds:.1f} s")
        journey.open("check")
        assert journey.tab.troubles() == []
    n = len(labelled.labels["test"])
    by_keys = count_right(hs.load(tmp_path / "projects" / "sixty" / "models" / "1"), labelled)
    at_random = [adapt_at_random(labelled, seed) for seed in range(N_RANDOM)]
    shutil.rmtree(tmp_path / "projects")
    low, high = compute_wilson_interval(np.array([by_keys, *at_random]), np.full(1 + N_RANDOM, n))
    print(f"{name}: {by_keys} of {n} by keys, {at_random} at random; from {low.round(3)} to {high.round(3)}")
    assert high[0] >= low[1:].min(), "sixty keys are worth less than sixty random labels"
