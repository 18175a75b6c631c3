"""Examples worth a look before anything is learnt, and what they are kept as."""

from __future__ import annotations

from pathlib import Path

from headstart.data.reading.content import hash_text
from headstart.flow.inspection.doubtful import find_doubtful_examples, list_doubtful
from headstart.projects import NewExample, Project

TEXTS = (
    "the well in our village is dry since the beginning of March",
    "the well in our village is dry since the beginning of March",
    "please send a nurse to the school near the river",
    "!!! ???",
    "call me about the bridge: +254 700 123 456",
)


def test_doubtful_examples_are_found_and_kept_by_code(tmp_path: Path) -> None:
    with Project.create(tmp_path / "hotline", "Hotline") as project:
        project.set_setting("modality", "text")
        new = [NewExample(name=f"row {n}", content_hash=hash_text(text), text=text) for n, text in enumerate(TEXTS)]
        new.append(NewExample(name="row 9", content_hash="", text="", state="left_out", reason="the text is empty"))
        ids = project.add_examples(new)
        expected = {"unreadable": [ids[5]], "copies": [ids[1]], "no_words": [ids[3]], "private": [ids[4]]}
        assert find_doubtful_examples(project) == expected == list_doubtful(project)


def test_a_project_that_nobody_looked_at_has_no_doubts(tmp_path: Path) -> None:
    with Project.create(tmp_path / "new", "New") as project:
        assert list_doubtful(project) == find_doubtful_examples(project) == {}
