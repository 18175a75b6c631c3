"""Data enters projects by the usual readers; projects stand wherever data stands."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openpyxl import Workbook
from typer.testing import CliRunner

import headstart as hs
from headstart import data, flow
from headstart.cli.main import app
from headstart.cli.surface import choose_model
from headstart.errors import DataError, HeadstartError, OptionError
from headstart.flow.projects import adapting, adding
from headstart.flow.projects.settings import ProjectFlowSettings
from headstart.options import AdaptOptions, AddDataOptions, EvaluateOptions, PredictFileOptions, ReadOptions, parse
from headstart.projects import ExampleFilter, NewExample, NewLabel, Project, read_project_inputs, read_rows
from headstart.records import TEST, Table

CHEAP = parse(AdaptOptions, strategy=("classic",), time="1m", audit="none", offline=True)


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[[str], Project]:
    return lambda name: Project.create(tmp_path / name)


def assert_equal_rows(first: Table, second: Table) -> None:
    for name in ("ids", "hashes", "labels", "splits"):
        assert getattr(first, name).tolist() == getattr(second, name).tolist(), name
    assert [str(value) for value in first.inputs] == [str(value) for value in second.inputs]
    assert first.metadata.keys() == second.metadata.keys()
    assert all(first.metadata[name].tolist() == second.metadata[name].tolist() for name in first.metadata)
    assert (first.modality, first.task, first.target_names) == (second.modality, second.task, second.target_names)
    assert (first.columns, first.input_columns) == (second.columns, second.input_columns)
    assert np.array_equal(first.targets, second.targets) if first.targets is not None else second.targets is None


@pytest.mark.parametrize("source", ["image_folder", "text_table", "series_table"])
def test_a_project_holds_the_rows_of_the_files_that_were_added(
    source: str, request: pytest.FixtureRequest, make_project: Callable[[str], Project]
) -> None:
    path = request.getfixturevalue(source)
    project = make_project("p")
    added = flow.add_data(project, path)
    assert added.n_added == added.n_rows == added.n_labelled and added.n_known == 0
    assert_equal_rows(project.read_table(), data.read_table(path))
    assert_equal_rows(read_rows(project.folder), data.read_table(path))
    again = flow.add_data(project, path)
    assert (again.n_added, again.n_known, again.n_relabelled) == (0, added.n_rows, 0)
    assert project.count_labels().n_imported == added.n_rows


def test_numbers_grades_and_several_labels_stay_what_they_are(
    tmp_path: Path, make_project: Callable[[str], Project]
) -> None:
    labels = {
        "numbers": [f"{number * 1.25:.2f}" for number in range(24)],
        "several": ["water", "food", "water;food", "road;water"] * 6,
    }
    for name, values in labels.items():
        path = tmp_path / f"{name}.csv"
        path.write_text("text,label\n" + "".join(f"Text {row},{label}\n" for row, label in enumerate(values)), "utf-8")
        project = make_project(name)
        flow.add_data(project, path)
        assert_equal_rows(project.read_table(), data.read_table(path))
        assert project.get_setting("task") == data.read_table(path).task


def test_a_workbook_half_labelled_enters_and_its_later_labels_follow(
    tmp_path: Path, make_project: Callable[[str], Project]
) -> None:
    rows = [
        ("What was said", "Topic", "district"),
        ("no water", "water", "A"),
        ("far school", None, "B"),
        ("road", None, "B"),
    ]

    def write(name: str) -> Path:
        book = Workbook()
        for row in rows:
            book.active.append(row)
        book.save(tmp_path / name)
        return tmp_path / name

    options = parse(AddDataOptions, text="What was said", label="Topic", group=("district",))
    project = make_project("p")
    added = flow.add_data(project, write("first.xlsx"), options)
    assert (added.n_added, added.n_labelled) == (3, 1)
    assert project.get_setting("text_column") == "What was said" and project.get_setting("group_columns") == [
        "district"
    ]
    assert project.count_groups("district") == {"B": 2, "A": 1}
    project.add_labels([NewLabel(example=2, label="school", who="Amina")])
    rows[1:] = [
        ("no water", "drought", "A"),
        ("far school", "water", "B"),
        ("road", "transport", "B"),
        ("new", "x", "C"),
    ]
    added = flow.add_data(project, write("second.xlsx"))
    assert (added.n_added, added.n_known, added.n_relabelled) == (1, 3, 2)
    assert [example.label for example in project.list_examples()] == ["drought", "school", "transport", "x"]


def test_photos_may_be_sorted_loose_broken_or_in_a_zip(
    image_folder: Path, tmp_path: Path, make_project: Callable[[str], Project]
) -> None:
    folder = tmp_path / "photos"
    shutil.copytree(image_folder / "class-0", folder / "class-0")
    first, second = sorted((image_folder / "class-1").iterdir())[:2]
    shutil.copy(first, folder / "loose.png")
    (folder / "class-0" / "broken.png").write_bytes(b"no image")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for path in folder.rglob("*.png"):
            archive.write(path, path.relative_to(folder))
    for source, is_inside in ((folder, False), (tmp_path / "photos.zip", True)):
        project = make_project(f"of {source.name}")
        added = flow.add_data(project, source)
        assert (added.n_added, added.n_labelled, added.n_left_out) == (17, 16, 1)
        loose = project.list_examples(ExampleFilter(labelled=False, state="in"))
        assert [example.name for example in loose] == ["loose.png"]
        broken = project.list_examples(ExampleFilter(state="left_out"))[0]
        assert broken.name == "class-0/broken.png" and "image" in broken.reason and broken.path is not None
        paths = [example.path for example in project.iterate_examples()]
        assert all(path and path.is_file() for path in paths)
        assert all(path and path.is_relative_to(project.folder) for path in paths) is is_inside
    shutil.copy(second, folder / "more.png")
    project = make_project("copied")
    added = flow.add_data(project, folder, parse(AddDataOptions, copy_files=True, without_labels=True))
    assert (added.n_added, added.n_labelled) == (18, 0)
    shutil.rmtree(folder)
    assert len(project.read_table(include_unlabelled=True)) == 18


def test_a_source_that_was_read_in_part_is_completed_with_its_copies(
    tmp_path: Path, make_project: Callable[[str], Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "short.csv"
    path.write_text("text,label\n" + "yes,a\nno,b\nwe have no water here,a\n" * 4, "utf-8")
    project = make_project("p")
    monkeypatch.setattr(adding, "SETTINGS", ProjectFlowSettings(block_rows=5))
    with monkeypatch.context() as cut:
        cut.setattr(adding, "_answer_none", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            flow.add_data(project, path)
    assert project.count_examples() == 5
    assert flow.add_data(project, path).n_added == 7
    assert_equal_rows(project.read_table(), data.read_table(path))
    assert flow.add_data(project, path).n_added == 0 and len(project.list_sources()) == 2
    shutil.copy(path, tmp_path / "again.csv")
    assert flow.add_data(project, tmp_path / "again.csv").n_known == 12


def test_data_of_another_kind_is_refused(
    text_table: Path, image_folder: Path, make_project: Callable[[str], Project], tmp_path: Path
) -> None:
    project = make_project("p")
    with pytest.raises(DataError, match="has no examples yet"):
        project.read_table()
    flow.add_data(project, text_table)
    with pytest.raises(DataError):
        flow.add_data(project, image_folder)
    with pytest.raises(DataError, match="The project holds text data"):
        flow.add_data(project, image_folder, parse(AddDataOptions, modality="image"))
    with pytest.raises(OptionError, match="a project knows its columns"):
        read_rows(project.folder, parse(ReadOptions, text="text"))
    with pytest.raises(OptionError, match="stands beside other inputs"):
        read_project_inputs([project.folder, text_table], "text")


def label_all(project: Project, ids: range, **more: object) -> None:
    project.add_labels(
        [NewLabel(example=number, label=f"kind {number % 3}", who="Amina", **more) for number in ids]  # type: ignore[arg-type]
    )


def make_texts(n: int) -> list[NewExample]:
    words = np.random.default_rng(0).integers(0, 10**9, (n, 6))
    return [NewExample(name=f"{row}", content_hash=f"{row}", text=" ".join(f"w{word}" for word in words[row]))
            for row in range(n)]  # fmt: skip


def test_examples_put_away_for_the_check_stay_and_are_drawn_by_chance(make_project: Callable[[str], Project]) -> None:
    project = make_project("p")
    project.set_setting("modality", "text")
    project.add_examples(make_texts(120))
    label_all(project, range(1, 21), chosen="random")
    label_all(project, range(21, 61), chosen="useful", round=1)
    counts = flow.assign_splits(project)
    put_away = project.list_ids(ExampleFilter(split="test"))
    assert counts.n_train == 45 and counts.n_test == 15 == len(put_away) and max(put_away) <= 20
    label_all(project, range(61, 121), chosen="random", round=2)
    counts = flow.assign_splits(project)
    now = project.list_ids(ExampleFilter(split="test"))
    assert set(put_away) < set(now) and counts.n_test == 30 and counts.n_new == 60
    assert not set(now) & set(range(21, 61))
    assert flow.assign_splits(project).n_new == 0 and project.list_ids(ExampleFilter(split="test")) == now


def test_the_check_leaves_examples_of_a_rare_kind_to_learn_from(make_project: Callable[[str], Project]) -> None:
    project = make_project("p")
    project.set_setting("modality", "text")
    ids = project.add_examples(make_texts(60))
    for at, number in enumerate(ids):
        label = f"rare {at // 2}" if at < 20 else "common"  # Ten kinds of which chance drew two each.
        chosen = "random" if at < 20 else "useful"
        project.add_labels([NewLabel(example=number, label=label, who="Amina", chosen=chosen)])
    counts = flow.assign_splits(project)
    assert {kind.name: kind.n_train for kind in project.list_kinds() if kind.n_train < 2} == {}
    assert counts.n_train + counts.n_test == 60


def test_only_chosen_examples_are_checked_on_where_there_are_no_others(make_project: Callable[[str], Project]) -> None:
    project = make_project("p")
    project.set_setting("modality", "text")
    project.add_examples(make_texts(40))
    label_all(project, range(1, 41), chosen="useful", round=1)
    assert flow.assign_splits(project).n_test == 9


def test_the_split_of_a_project_is_that_of_its_files_and_a_given_one_is_kept(
    text_table: Path, tmp_path: Path, make_project: Callable[[str], Project]
) -> None:
    project = make_project("drawn")
    flow.add_data(project, text_table)
    flow.assign_splits(project)
    table = data.assign_splits(data.read_table(text_table), parse(AdaptOptions))
    assert project.read_table().splits.tolist() == table.splits.tolist() and project.read_table().is_split_drawn
    path = tmp_path / "split.csv"
    path.write_text("text,label,split\n" + "".join(f"Text {row},a,{'test' if row < 3 else ''}\n" for row in range(9)))
    project = make_project("given")
    flow.add_data(project, path)
    assert flow.assign_splits(project).n_test == 3
    assert not project.read_table().is_split_drawn and (project.read_table().splits[:3] == TEST).all()


def test_a_project_is_adapted_checked_predicted_and_evaluated(
    text_table: Path, fresh_table: Path, make_project: Callable[[str], Project], tmp_path: Path
) -> None:
    with make_project("p") as project:
        flow.add_data(project, text_table)
        flow.add_data(project, fresh_table)
        written = flow.adapt_source(project.folder, None, CHEAP)
        model = project.get_current_model()
        assert model is not None and (model.n, model.state) == (1, "done")
        assert written.folder == model.folder and written.folder.samefile(project.folder / "models" / "1")
        assert written.result.split_kind == "drawn" and model.facts["n_test"] == written.result.n_rows.test > 0
        assert model.command.startswith("headstart adapt ") and "--strategy classic" in model.command
        tested = set((written.folder / "test_predictions.csv").read_text("utf-8").splitlines()[1:])
        assert len(tested) == project.count_examples(ExampleFilter(split="test"))
        answers = tmp_path / "answers.csv"
        assert flow.predict(written.folder, [project.folder], answers, parse(PredictFileOptions)) == []
        assert len(answers.read_text("utf-8").splitlines()) == project.count_examples() + 1
        evaluation = flow.evaluate(written.folder, project.folder, parse(EvaluateOptions), None)
        assert evaluation.n_rows == model.facts["n_test"]
        assert choose_model(project.folder) == model.folder and choose_model(text_table) == text_table
        assert hs.open_project(project.folder).list_models()[0].is_current


def test_a_run_that_was_stopped_is_continued_and_one_that_failed_is_noted(
    text_table: Path, make_project: Callable[[str], Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stop:
        error: BaseException = KeyboardInterrupt()

    def stop(*arguments: object) -> None:
        raise Stop.error

    with make_project("p") as project:
        flow.add_data(project, text_table)
        monkeypatch.setattr(adapting, "adapt_to_folder", stop)
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                flow.adapt_source(project.folder, None, CHEAP)
        assert [(model.n, model.state) for model in project.list_models()] == [(1, "stopped")]
        project.add_labels([NewLabel(example=1, label="school", who="Amina")])
        Stop.error = OptionError("no", "no")
        with pytest.raises(OptionError):
            flow.adapt_source(project.folder, None, CHEAP)
        assert [model.state for model in project.list_models()] == ["stopped", "failed"]
        assert project.list_models()[1].facts["error"] == "no no"
    with pytest.raises(OptionError, match="-o OUT"):
        flow.adapt_source(text_table, None, CHEAP)


def run(*arguments: object) -> tuple[int, dict[str, Any], str]:
    done = CliRunner().invoke(app, ["project", *map(str, arguments), "--json"])
    return done.exit_code, json.loads(done.stdout), done.stderr


def test_the_commands_on_a_project_say_what_they_did(text_table: Path, tmp_path: Path) -> None:
    place = tmp_path / "p"
    assert run("new", place, "--name", "Messages")[1]["name"] == "Messages"
    assert run("new", place)[0] == 2
    assert run("add", place, text_table)[1]["n_added"] == 60
    listing = run("list", place, "--label", "water", "--limit", 2, "--state", "labelled", "--contains", "PUMP")[1]
    assert listing["n"] == 5 and [item["label"] for item in listing["examples"]] == ["water", "water"]
    path = Path(run("labels", place)[1]["path"])
    path.write_text(path.read_text("utf-8-sig").replace(",water,", ",roads,", 1), "utf-8")
    code, document, errors = run("import-labels", place, path)
    assert code == 2 and "Say whose they are" in errors and document["error"]
    code, document, errors = run("import-labels", place, path, "--who", "Amina")
    assert code == 0 and (document["n_changed"], document["n_unchanged"]) == (1, 59) and "1 of 60 changed" in errors
    shown = run("show", place)[1]
    assert shown["counts"]["n_by_person"] == 1 and [kind["n_labelled"] for kind in shown["kinds"]] == [19, 21, 20]
    assert run("show", tmp_path / "nothing")[0] == 2
    with pytest.raises(HeadstartError, match=r"has no model yet\. Run: headstart adapt"):
        choose_model(place)
