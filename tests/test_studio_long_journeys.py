"""Long journeys on real data: run them with HEADSTART_JOURNEYS=1 (an hour on two cores); -s prints the figures."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import random
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow.parquet as pq
import pytest
from tests.browser import CHROMIUM
from tests.needs import marked_without
from tests.studio_journeys import ALL_ARRIVED, NAME, Journey, begin_journey

import headstart as hs
from headstart.evaluation.intervals import compute_wilson_interval
from headstart.projects import Project

pytestmark = [
    pytest.mark.timeout(3_600),
    pytest.mark.skipif(not os.environ.get("HEADSTART_JOURNEYS"), reason="long: HEADSTART_JOURNEYS=1 runs it"),
    marked_without("browser", CHROMIUM, "there is no Chromium on this machine"),
]
N_LABELS, N_RANDOM = 60, 3
PAUSE = 1.0
"""Seconds that a person looks at an example; meanwhile rounds are learnt, and decide what comes next."""
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
        answered = journey.label(N_LABELS, truth, pause=PAUSE)
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
    assert high[0] >= np.mean(at_random) / n, "sixty keys are worth less than sixty random labels"


def test_a_workbook_with_a_title_row_comes_back_with_answers(shared: Path, tmp_path: Path) -> None:
    with (shared / "data" / "afrisenti" / "sw.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))[:300]
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for cells in (["Maoni ya mwezi wa tano"], [], ["maoni", "label"], *([row["text"], row["label"]] for row in rows)):
        sheet.append(cells)
    book.save(tmp_path / "maoni.xlsx")
    with begin_journey(tmp_path, "maoni") as journey:
        print(journey.add(tmp_path / "maoni.xlsx"))
        journey.learn(strategy="classic")
        journey.open("use")
        journey.click("#tab-many")
        journey.tab.files("#many-files", tmp_path / "maoni.xlsx")
        journey.tab.until(journey.is_visible("#many-start"), 120)
        journey.click("#many-start")
        link = "document.querySelector('#many-runs a[href*=download]')"
        journey.tab.until(f"!!{link}", 300)
        code = (
            f"fetch({link}.href).then((reply) => reply.arrayBuffer()).then((bytes) => btoa([...new Uint8Array(bytes)]"
        )
        content = journey.tab.run(f"{code}.map((byte) => String.fromCharCode(byte)).join('')))")
        assert journey.tab.troubles() == []
    answered = openpyxl.load_workbook(io.BytesIO(base64.b64decode(content))).worksheets[0]
    cells = list(answered.iter_rows(values_only=True))
    print(cells[:4])
    assert cells[0][0] == "Maoni ya mwezi wa tano" and cells[2][:2] == ("maoni", "label")
    assert len(cells[2]) > 2 and [row[0] for row in cells[3:]] == [row["text"] for row in rows]
    assert all(row[2] for row in cells[3:])


@pytest.mark.parametrize("name", ["Wafer", "ECG5000"])
def test_labelled_series_become_a_model(name: str, shared: Path, tmp_path: Path) -> None:
    table = pq.read_table(shared / "data" / "ucr" / f"{name}.parquet").slice(0, 500).drop_columns(["split"])
    pq.write_table(table, tmp_path / f"{name}.parquet")
    with begin_journey(tmp_path, "series") as journey:
        print(journey.add(tmp_path / f"{name}.parquet"))
        seconds, end = journey.learn(strategy=STRATEGY)
        print(f"{name}: first figure after {seconds:.1f} s; {end.split('Done')[0]}")
        journey.open("check")
        journey.tab.until("!!document.querySelector('#wall-grid [role=option]')")
        assert journey.tab.troubles() == []


def test_ten_power_cuts_lose_and_double_nothing(text_table: Path, tmp_path: Path) -> None:
    with text_table.open(encoding="utf-8", newline="") as handle:
        messages = list(csv.DictReader(handle))
    rows = [(f"{row['text']} {n}", row["label"]) for n in range(3) for row in messages]
    with (tmp_path / "messages.csv").open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([["text"], *([text] for text, _ in rows)])
    truth = {f"messages.csv:{at + 2}": label for at, (_, label) in enumerate(rows)}
    moments = random.Random(0)
    names: list[str] = []
    with begin_journey(tmp_path, "village") as journey:
        journey.add(tmp_path / "messages.csv")
        for n in range(5):  # Labelling, while the vectors are computed.
            journey.begin_labelling(sorted(set(truth.values())))
            names += journey.label(moments.randint(3, 8), truth)
            if n % 2:  # With an answer on its way: the browser keeps it, and sends it again.
                names.append(journey.tab.run(NAME))
                journey.press_kind(truth[names[-1]])
            else:
                time.sleep(2 * moments.random())
            cut_and_compare(journey, names, truth)
        journey.begin_labelling([])
        names += journey.label(30, truth)
        journey.learn_in_background("classic")
        for _ in range(3):
            time.sleep(2 + 6 * moments.random())
            cut_and_compare(journey, names, truth)
        journey.open("learn")
        journey.tab.until(journey.is_visible("#end"), 600)
        for _ in range(2):
            journey.open("use")
            journey.click("#tab-many")
            journey.tab.files("#many-files", tmp_path / "messages.csv")
            journey.tab.until(journey.is_visible("#many-start"), 60)
            journey.click("#many-start")
            time.sleep(3 * moments.random())
            cut_and_compare(journey, names, truth)
        with Project.open(journey.folder) as project:
            wait_until(lambda: all(job.state == "done" for job in project.list_jobs()), 300)
            assert [model.state for model in project.list_models()] == ["done"]


def cut_and_compare(journey: Journey, names: list[str], truth: Mapping[str, str]) -> None:
    """Cut the power, start again, and compare what is stored with what was answered."""
    journey.studio.cut_power()
    for path in journey.folder.rglob("*.json"):
        json.loads(path.read_text("utf-8"))  # A file has its name once it is whole.
    journey.restart()
    journey.open("label")
    journey.tab.until("document.body.dataset.ready === 'true'")
    journey.tab.until(ALL_ARRIVED, 60)
    assert journey.read_events() == [(name, truth[name]) for name in names]
    with Project.open(journey.folder) as project:
        assert project.count_labels().n_examples == len(truth)


def wait_until(holds: Callable[[], bool], seconds: float) -> None:
    """Wait until something holds."""
    stop = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < stop
        time.sleep(0.5)
