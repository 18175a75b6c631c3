"""The store of projects: examples, the journal of labels, kinds, models and jobs."""

from __future__ import annotations

import csv
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from headstart.data.reading.stored_names import write_names
from headstart.errors import DataError, HeadstartError, OptionError, UnknownName
from headstart.flow.forgetting.person_rows import PersonRows
from headstart.flow.forgetting.project_rows import forget_in_project
from headstart.projects import Example, ExampleFilter, NewExample, NewLabel, Project, is_project
from headstart.projects.migrations import MIGRATIONS
from headstart.projects.store import DATABASE

ODD = {'odd "name"': "x", "district": "d2"}


def make_examples(n: int, first: int = 0, **more: object) -> list[NewExample]:
    return [
        NewExample(
            name=f"row {number}",
            content_hash=f"{number:064x}",
            text=f"Text {number}",
            metadata={**ODD, "district": f"d{number % 3}"},
            **more,  # type: ignore[arg-type]
        )
        for number in range(first, first + n)
    ]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "maize", "Maize leaves") as project:
        yield project


def label(project: Project, example: int, name: str | None, **more: object) -> Example:
    answer = {} if name else {"answer": "not_sure"}
    project.add_labels([NewLabel(example=example, label=name, **{"who": "Amina", **answer, **more})])  # type: ignore[arg-type]
    return project.get_example(example)


def test_a_project_is_opened_again_with_everything_that_it_holds(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    with Project.create(folder, "Maize") as project:
        source = project.add_source("/data/leaves", "examples", {"copy": False})
        series = np.array([[1.5, np.nan]], dtype=np.float32)
        inside = folder / "originals" / "a.jpg"
        project.add_examples(
            [
                NewExample(name="a", content_hash="1", path=inside, source=source, label="rust"),
                NewExample(name="b", content_hash="2", series=series, split="test"),
            ]
        )
        project.set_setting("base", {"name": "tiny"})
    moved = folder.rename(tmp_path / "moved")
    with Project.open(moved) as project:
        first, second = project.list_examples()
        assert (project.id, project.name, project.get_setting("base")) == ("moved", "Maize", {"name": "tiny"})
        assert first.path == moved / "originals" / "a.jpg"
        assert (first.label, first.label_origin, first.source) == ("rust", "import", source)
        assert second.series is not None and np.array_equal(second.series, series, equal_nan=True)
        assert (second.split, second.label, second.answer) == ("test", None, "")
        assert is_project(moved) and not is_project(tmp_path)
        assert "2 examples" in repr(project)


def test_an_example_of_known_content_and_name_is_skipped(project: Project) -> None:
    assert project.add_examples(make_examples(3)) == [1, 2, 3]
    assert project.add_examples(make_examples(4)) == [4]
    copy = NewExample(name="another name", content_hash=f"{0:064x}", text="Text 0")
    assert project.add_examples([copy, copy]) == [5]
    assert project.find_known_hashes([f"{0:064x}", "new"]) == {f"{0:064x}"}


def test_filters_orders_and_counts_agree(project: Project) -> None:
    project.add_examples(make_examples(11))
    project.add_examples([NewExample(name="a_b", content_hash="x", text="Text 11 ÉTÉ 100%", metadata=ODD)])
    for number in (1, 2, 3):
        label(project, number, "rust")
    project.set_splits({1: "train", 2: "test"})
    project.set_state([3, 4], "left_out", "black")
    filters = {
        ExampleFilter(kind="rust"): [1, 2, 3],
        ExampleFilter(kind="rust", state="in"): [1, 2],
        ExampleFilter(labelled=False, state="in"): [5, 6, 7, 8, 9, 10, 11, 12],
        ExampleFilter(split="test"): [2],
        ExampleFilter(group=("district", "d0")): [1, 4, 7, 10],
        ExampleFilter(group=('odd "name"', "x"), after_id=10): [11, 12],
        ExampleFilter(text_contains="TEXT 1"): [2, 11, 12],
        ExampleFilter(text_contains="été"): [12],
        ExampleFilter(text_contains="0%"): [12],
        ExampleFilter(text_contains="A_b"): [12],
        ExampleFilter(text_contains="a_c"): [],
        ExampleFilter(ids=(9, 3, 77)): [3, 9],
        ExampleFilter(origin="person", answer="label"): [1, 2, 3],
    }
    for chosen, expected in filters.items():
        assert project.list_ids(chosen) == expected
        assert project.count_examples(chosen) == len(expected)
        assert [example.id for example in project.iterate_examples(chosen)] == expected
    assert [example.id for example in project.list_examples(offset=2, limit=3, order="newest")] == [10, 9, 8]
    order = project.list_ids(order="random")
    assert sorted(order) == list(range(1, 13)) and order != sorted(order) and order == project.list_ids(order="random")
    assert project.count_groups("district") == {"d0": 4, "d1": 4, "d2": 4}
    kind = project.list_kinds()[0]
    assert (kind.name, kind.n_train, kind.n_test, kind.n_labelled) == ("rust", 1, 1, 2)
    counts = project.count_labels()
    assert (counts.n_examples, counts.n_by_person, counts.n_open, counts.n_left_out) == (10, 2, 8, 2)
    with pytest.raises(UnknownName, match="no order"):
        project.list_ids(order="size")


def test_a_label_of_a_person_is_never_replaced_by_that_of_a_model_or_a_file(project: Project) -> None:
    project.add_examples(make_examples(1))
    assert label(project, 1, "rust", origin="model", who="model 1").label == "rust"
    assert label(project, 1, "blight", origin="import").label == "blight"
    assert label(project, 1, "rust", origin="model").label == "blight"
    assert label(project, 1, "healthy").label_by == "Amina"
    assert label(project, 1, "rust", origin="model").label == "healthy"
    assert label(project, 1, "rust", origin="import").label == "healthy"
    assert label(project, 1, None, who="Juma").answer == "not_sure"
    assert label(project, 1, None, answer="skip").answer == "not_sure"
    assert label(project, 1, "rust", purpose="second", who="Juma").label is None
    assert [event.purpose for event in project.iterate_events(purpose="second")] == ["second"]
    assert len(project.list_events(1)) == 9


def test_undo_and_redo_reach_back_to_the_beginning_for_each_person(project: Project) -> None:
    project.add_examples(make_examples(3))
    for example, name in ((1, "rust"), (1, "blight"), (2, "rust")):
        label(project, example, name)
    label(project, 3, "rust", who="Juma")
    project.set_state([3], "left_out", "copy", who="Amina")
    assert [project.undo("Amina") for _ in range(5)] == [[3], [2], [1], [1], []]
    assert [example.label for example in project.list_examples()] == [None, None, "rust"]
    assert project.get_example(3).state == "in"
    assert [project.redo("Amina") for _ in range(5)] == [[1], [1], [2], [3], []]
    assert [example.label for example in project.list_examples()] == ["blight", "rust", "rust"]
    assert (project.get_example(3).state, project.get_example(3).reason) == ("left_out", "copy")
    project.undo("Amina")
    label(project, 2, "healthy")
    assert project.redo("Amina") == [] and project.undo("Amina") == [2]
    assert project.get_example(2).label == "rust"
    assert [event.undone for event in project.list_events(2)] == [False, True]


def test_answers_given_at_once_are_taken_back_at_once(project: Project) -> None:
    project.add_examples(make_examples(600))
    project.add_labels([NewLabel(example=number, label="rust", who="Amina") for number in range(1, 601)])
    assert project.list_kinds()[0].n_labelled == 600
    assert len(project.undo("Amina")) == 600 and project.list_kinds()[0].n_labelled == 0


def test_changes_of_a_transaction_are_kept_together(project: Project) -> None:
    project.add_examples(make_examples(1))
    with pytest.raises(DataError), project.transaction():
        label(project, 1, "rust")
        project.set_setting("n", 1)
        label(project, 999, "rust")
    assert project.get_example(1).answer == "" and project.get_setting("n") is None and project.list_kinds() == []
    with project.transaction():
        label(project, 1, "rust")
        with pytest.raises(DataError):
            label(project, 999, "blight")
        project.set_setting("n", 2)
    assert project.get_example(1).label == "rust" and project.get_setting("n") == 2
    assert [kind.name for kind in project.list_kinds()] == ["rust"]


def test_kinds_are_renamed_and_made_one_and_all_of_it_is_undone(project: Project) -> None:
    project.add_examples(make_examples(3))
    for example, name in ((1, "rust"), (2, "Rust"), (3, "healthy")):
        label(project, example, name)
    before = [example.label for example in project.list_examples()]
    project.rename_kind("rust", "leaf rust", "Amina")
    project.rename_kind("leaf rust", "Rust", "Juma")
    assert [(kind.name, kind.n_labelled) for kind in project.list_kinds()] == [("Rust", 2), ("healthy", 1)]
    assert project.count_examples(ExampleFilter(kind="Rust")) == 2
    assert project.undo("Juma") == [1] and project.undo("Amina") == [1]
    assert [example.label for example in project.list_examples()] == before
    project.redo("Amina")
    assert project.get_example(1).label == "leaf rust" and project.list_events(1)[0].label == "leaf rust"
    project.add_kind("unused")
    project.remove_kind("unused")
    with pytest.raises(OptionError, match="had labels"):
        project.remove_kind("healthy")
    with pytest.raises(UnknownName, match="Did you mean 'healthy'"):
        project.rename_kind("healty", "x", "Amina")
    with pytest.raises(OptionError, match="0 characters"):
        project.add_kind(" ")


def test_answers_about_nothing_change_nothing(project: Project) -> None:
    project.add_examples(make_examples(2))
    revision = project.revision
    with pytest.raises(DataError, match="no example 9"):
        project.add_labels([NewLabel(example=1, label="rust"), NewLabel(example=9, label="rust")])
    with pytest.raises(OptionError, match="none of label"):
        project.add_labels([NewLabel(example=1, answer="maybe")])
    assert project.list_kinds() == [] and project.revision == revision
    with pytest.raises(OptionError, match="no split"):
        project.set_splits({1: "validation"})


def test_models_and_jobs_are_numbered_and_claimed_once(project: Project) -> None:
    first, second = project.add_model(command="headstart adapt ."), project.add_model(Path("/elsewhere/run"))
    project.update_model(first, "done", {"readiness": "ready"})
    project.set_current_model(second)
    assert [(model.n, model.state, model.is_current) for model in project.list_models()] == [
        (1, "done", False),
        (2, "running", True),
    ]
    assert project.get_model(1).folder == project.folder.absolute() / "models" / "1"
    assert project.get_model(1).facts == {"readiness": "ready"} and project.get_current_model() is not None
    with pytest.raises(UnknownName, match="no model 7"):
        project.set_current_model(7)
    revision = project.revision
    job = project.add_job("learn", ["adapt", "."])
    assert project.add_job("learn", ["adapt", "."]) == job
    claimed = project.claim_job(123)
    assert claimed is not None and (claimed.id, claimed.argv, claimed.pid) == (job, ("adapt", "."), 123)
    assert project.claim_job(124) is None and project.claim_job(124, job) is None
    project.update_job(job, facts={"share": 0.5})
    project.update_job(job, "done")
    project.update_job(job, "running", facts={"note": "late"})
    assert project.get_job(job).state == "done" and project.get_job(job).facts == {"share": 0.5, "note": "late"}
    assert project.get_job(job).ended and project.revision == revision
    assert project.add_job("learn", ["adapt", "."]) != job and len(project.list_jobs(["queued"])) == 1


def read_label_file(project: Project) -> list[dict[str, str]]:
    text = project.export_labels().read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(text.decode("utf-8-sig").splitlines()))


def edit(project: Project, labels: dict[str, str]) -> None:
    rows = read_label_file(project)
    for row in rows:
        row["label"] = labels.get(row["id"], row["label"])
    with project.label_file.open("w", encoding="cp1252", newline="") as handle:  # As a spreadsheet may save it.
        writer = csv.DictWriter(handle, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)


def test_the_label_file_is_safe_to_open_and_its_edits_come_back(project: Project) -> None:
    project.add_examples([NewExample(name="=A1", content_hash="x", text="=cmd()", metadata={"label": "old"})])
    project.add_examples(make_examples(5, label="rust"))
    label(project, 2, "café")
    row = read_label_file(project)[0]
    assert (row["name"], row["text"], row["label (data)"], row["origin"]) == ("'=A1", "'=cmd()", "old", "")
    edit(project, {"1": "rust", "2": "rust", "3": "blihgt", "4": "", "6": "café"})
    label(project, 5, "café", who="Juma")  # after the file was written: not an edit
    label(project, 6, None, who="Juma")  # edited in both
    result = project.import_labels(project.label_file, "Amina")
    assert (result.n_rows, result.n_changed, result.n_unchanged) == (6, 2, 1)
    assert dict(result.unknown_kinds) == {"blihgt": 1} and result.emptied == ("row 2",)
    assert [(item.example, item.in_file, item.in_project) for item in result.conflicts] == [(6, "café", "not_sure")]
    assert [example.label for example in project.list_examples()] == ["rust", "rust", "rust", "rust", "café", None]
    assert project.get_example(1).label_by == "Amina"
    assert project.import_labels(project.label_file, "Amina", adds_kinds=True, replaces=True).n_changed == 2
    assert project.get_example(6).label == "café" and project.get_example(3).label == "blihgt"
    assert sorted(project.undo("Amina")) == [3, 6] and sorted(project.undo("Amina")) == [1, 2]


def test_rows_and_files_that_do_not_belong_are_named(project: Project, tmp_path: Path) -> None:
    project.add_examples(make_examples(2))
    path = tmp_path / "mine.csv"
    path.write_text("name,label\nrow 1,rust\nrow 9,rust\n", "utf-8")
    result = project.import_labels(path, "Amina", adds_kinds=True)
    assert result.n_changed == 1 and result.unknown_rows == ("row 9",)
    path.write_text("id,name,label\n1,another,rust\n", "utf-8")
    assert project.import_labels(path, "Amina").unknown_rows == ("another",)
    path.write_text("id,label\n1,blight\n77,rust\n", "utf-8")
    assert project.import_labels(path, "Amina", adds_kinds=True, replaces=True).unknown_rows == ("77",)
    path.write_text("text,topic\na,b\n", "utf-8")
    with pytest.raises(DataError, match="label, and id or name, are needed"):
        project.import_labels(path, "Amina")
    with pytest.raises(OptionError, match="Nobody"):
        project.import_labels(path, " ")


def test_labels_of_a_lost_project_enter_a_new_one_of_the_same_data(project: Project, tmp_path: Path) -> None:
    project.add_examples(make_examples(8))
    project.add_labels([NewLabel(example=n, label=f"kind {n % 2}", who="Amina") for n in range(1, 9)])
    with Project.create(tmp_path / "new") as other:
        other.add_examples([*reversed(make_examples(8))])
        other.add_labels([NewLabel(example=n, label="kind 0", who="Juma") for n in range(1, 4)])
        done = other.import_labels(project.export_labels(), "Amina", adds_kinds=True, replaces=True)
        assert done.n_changed + done.n_unchanged == 8 and not done.conflicts and not done.unknown_rows
        labels = {example.name: example.label for example in other.list_examples()}
    assert labels == {example.name: example.label for example in project.list_examples()}


def test_a_forgotten_example_leaves_no_trace(project: Project) -> None:
    secret = project.folder / "originals" / "1" / "face.txt"
    secret.parent.mkdir(parents=True)
    secret.write_text("face")
    write_names(secret.parent, {"face.txt": "Amina Salim.jpg"})
    (project.folder / ".labels.csv.1.partial").write_text("Moshi")
    project.set_setting("note:1", "her number is 0712")
    (project.folder / "vectors").mkdir()
    project.add_examples(
        [NewExample(name="Amina Salim", content_hash="ab" * 32, path=secret, metadata={"phone": "0712"})]
    )
    project.add_examples([NewExample(name="text", content_hash="cd" * 32, text="I am Juma of Moshi")])
    project.add_labels([NewLabel(example=n, label="rust", who="nurse") for n in (1, 2)])
    person = PersonRows(frozenset({"Amina Salim"}), frozenset({"cd" * 8}))
    assert forget_in_project(project.folder, person, False) == 2 and project.get_example(2).text
    assert forget_in_project(project.folder, person, True) == 2
    content = b"".join(path.read_bytes() for path in project.folder.rglob("*") if path.is_file())
    assert not any(word in content for word in (b"Amina", b"0712", b"Moshi", b"face", b"abababab"))
    assert not (project.folder / "vectors").exists() and not secret.exists()
    assert [(example.name, example.state, example.label) for example in project.list_examples()] == [
        ("forgotten 1", "left_out", None),
        ("forgotten 2", "left_out", None),
    ]
    assert project.undo("nurse") == [] and forget_in_project(project.folder, person, True) == 0


def test_threads_lose_no_label(project: Project) -> None:
    project.add_examples(make_examples(80))

    def work(first: int) -> None:
        for number in range(first, first + 20):
            project.add_labels([NewLabel(example=number, label="rust", who=f"thread {first}")])

    threads = [threading.Thread(target=work, args=(first,)) for first in (1, 21, 41, 61)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert project.count_labels().n_labelled == 80 and project.revision == 81


WRITER = """
import sys
from headstart.projects import NewLabel, Project
project = Project.open(sys.argv[1])
for number in range(1, 2000):
    project.add_labels([NewLabel(example=number, label="rust", who="Amina")])
    print(number, flush=True)
"""


def test_a_killed_writer_loses_nothing_that_it_confirmed(project: Project) -> None:
    project.add_examples(make_examples(2000))
    for n_lines in (5, 40):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(project.folder)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        confirmed = [int(writer.stdout.readline()) for _ in range(n_lines)]
        os.kill(writer.pid, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
        confirmed += [int(line) for line in writer.stdout.read().split()]
        writer.stdout.close()
        writer.wait()
        with Project.open(project.folder) as again:
            labelled = again.list_ids(ExampleFilter(labelled=True))
            assert set(labelled) >= set(confirmed)
            label(again, 1999, "rust")


def test_an_interrupted_creation_is_completed(tmp_path: Path) -> None:
    (tmp_path / DATABASE).touch()
    with Project.open(tmp_path) as project:
        assert project.name == tmp_path.name and project.count_examples() == 0
    with pytest.raises(OptionError, match="There is a project"):
        Project.create(tmp_path)


def test_a_newer_format_and_another_database_are_refused(tmp_path: Path) -> None:
    with Project.create(tmp_path):
        pass
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(DataError, match="newer Headstart"):
        Project.open(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    with sqlite3.connect(other / DATABASE) as connection:
        connection.execute("CREATE TABLE mine (id)")
    connection.close()
    with pytest.raises(DataError, match="another program"):
        Project.open(other)
    with pytest.raises(DataError, match="is no project"):
        Project.open(tmp_path / "nothing")


def test_a_damaged_database_is_reported_with_what_remains(project: Project) -> None:
    project.add_examples(make_examples(50, label="rust"))
    project.close()
    path = project.folder / DATABASE
    path.write_bytes(b"no database" + path.read_bytes()[11:])
    with pytest.raises(DataError, match=r"is damaged .*labels\.csv still holds the labels"):
        Project.open(project.folder)
    content = bytearray(path.read_bytes())
    content[:16] = b"SQLite format 3\0"
    content[8192:] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(DataError, match="is damaged"), Project.open(project.folder) as broken:
        broken.list_examples()


def test_a_full_disk_changes_nothing(project: Project) -> None:
    project.add_examples(make_examples(10))
    with project._store.read() as connection:
        n_pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {n_pages}")
    with pytest.raises(HeadstartError, match="no space left"):
        project.add_examples(make_examples(5000, first=10))
    assert project.count_examples() == 10
    with project._store.read() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    assert len(project.add_examples(make_examples(5, first=10))) == 5


READER = """
import os, sys
from headstart.errors import HeadstartError
from headstart.projects import NewLabel, Project
os.getuid() or os.setuid(65534)
project = Project.open(sys.argv[1])
print(project.count_examples(), project.get_example(1).label)
try:
    project.add_labels([NewLabel(example=1, label="blight", who="Amina")])
except HeadstartError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="folders have no such permissions there")
def test_a_project_that_may_not_be_written_to_can_be_read() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Project.create(folder / "p") as project:
            project.add_examples(make_examples(3, label="rust"))
        for path in (folder, folder / "p", folder / "p" / DATABASE):
            path.chmod(0o555 if path.is_dir() else 0o444)
        reader = subprocess.run([sys.executable, "-c", READER, str(folder / "p")], capture_output=True, text=True)
        (folder / "p").chmod(0o755)
    assert reader.returncode == 0, reader.stderr
    lines = reader.stdout.splitlines()
    assert lines[0] == "3 rust" and "cannot be written to" in lines[1]
