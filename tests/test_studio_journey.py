"""The whole journey in a browser, small enough for every run: messages, keys, Learn, Check, Use, and a power cut."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from tests.browser import CHROMIUM
from tests.needs import marked_without
from tests.studio_journeys import begin_journey

from headstart.index import IndexDraft, IndexFacts, write_index
from headstart.projects import Project

pytestmark = marked_without("browser", CHROMIUM, "there is no Chromium on this machine")
N_LABELS = 30


@pytest.fixture
def truth(text_table: Path, tmp_path: Path) -> dict[str, str]:
    """Write messages without their labels; return the label of each by the name that Studio gives it."""
    with text_table.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    with (tmp_path / "messages.csv").open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([["text"], *([row["text"]] for row in rows)])
    return {f"messages.csv:{at + 2}": row["label"] for at, row in enumerate(rows)}


def write_vectors(folder: Path, truth: dict[str, str]) -> None:
    """Write the vectors that a job would compute: a base of texts costs more than the rest of the journey."""
    kinds = sorted(set(truth.values()))
    generator = np.random.default_rng(0)
    with Project.open(folder) as project:
        examples = list(project.iterate_examples())
    vectors = generator.normal(size=(len(examples), 8)).astype(np.float32)
    for row, example in enumerate(examples):
        vectors[row, kinds.index(truth[example.name])] += 4
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    facts = IndexFacts(modality="text", base="none", base_name="none", fingerprint="none")
    ids = [str(example.id) for example in examples]
    write_index(folder / "vectors", IndexDraft(ids=ids, vectors=vectors.astype(np.float16), about=facts))


def test_from_unlabelled_messages_to_an_answer(truth: dict[str, str], tmp_path: Path) -> None:
    kinds = sorted(set(truth.values()))
    with begin_journey(tmp_path, "village") as journey:
        journey.add(tmp_path / "messages.csv")
        write_vectors(journey.folder, truth)
        journey.begin_labelling(kinds)
        names = journey.label(N_LABELS // 2, truth)
        journey.studio.cut_power()  # In the middle of labelling.
        journey.restart()
        journey.begin_labelling(kinds)
        names += journey.label(N_LABELS // 2, truth)
        assert len(set(names)) == N_LABELS, "an example came twice"
        assert journey.read_events() == [(name, truth[name]) for name in names]
        journey.learn(strategy="classic")
        journey.open("check")
        journey.tab.until("!!document.querySelector('#wall-grid [role=option]')")
        journey.open("use")
        journey.tab.until(journey.is_visible("#one-text"))
        journey.tab.run("document.querySelector('#one-text').value = 'The pump is broken again'")
        journey.tab.run("document.querySelector('#one-form').requestSubmit()")
        answer = journey.tab.until("document.querySelector('#one-answer').innerText.trim()")
        assert any(kind in answer for kind in kinds)
        assert [trouble for trouble in journey.tab.troubles() if "net::ERR_" not in trouble] == []
    with Project.open(tmp_path / "projects" / "village") as project:
        assert [model.state for model in project.list_models()] == ["done"]
        assert not list(project.folder.rglob("*.partial"))
