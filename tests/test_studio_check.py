"""The pages Learn and Check: what they say of a model, the wall, corrected labels, and two models side by side."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from headstart.cli.main import app
from headstart.data.reading.content import hash_text
from headstart.errors import OptionError
from headstart.flow.review.corrections import correct_label, list_corrections, take_back
from headstart.flow.review.enough_labels import find_missing_labels
from headstart.flow.review.learning_steps import read_tried_strategies
from headstart.flow.review.run_changes import compare_runs
from headstart.flow.review.tested_rows import choose_telling_rows, filter_rows, read_tested_rows
from headstart.options import StudioOptions
from headstart.projects import NewExample, Project
from headstart.results import Result
from headstart.studio.app import create_app
from headstart.studio.context import StudioContext
from headstart.studio.screens.check_values import make_step_button
from headstart.studio.server import make_policy

API = "/api/p/village"


@pytest.fixture
def project(noisy_run: Path, tmp_path: Path) -> Project:
    """A project of the noisy messages with two models, both copies of one run."""
    made = Project.create(tmp_path / "projects" / "village", "Village")
    with (noisy_run / "test_predictions.csv").open(encoding="utf-8", newline="") as handle:
        tested = {record["id"] for record in csv.DictReader(handle)}
    with (noisy_run.parent / "messages.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    items = []
    for at, row in enumerate(rows):
        name = f"messages.csv:{at + 2}"
        split = "test" if name in tested else "train"
        items.append(
            NewExample(
                name=name, content_hash=hash_text(row["text"]), text=row["text"], label=row["label"], split=split
            )
        )
    made.add_examples(items)
    made.set_setting("modality", "text")
    for _ in range(2):
        number = made.add_model(command="headstart adapt village")
        shutil.copytree(noisy_run, made.get_model(number).folder)
        made.update_model(number, "done")
    made.set_current_model(2)
    return made


@pytest.fixture
def client(project: Project) -> TestClient:
    options = StudioOptions(folder=project.folder.parent)
    app = create_app(StudioContext(options=options, policy=make_policy(None, 8765)))
    return TestClient(app, base_url="http://127.0.0.1", headers={"X-Headstart": "1"})


def read_result(project: Project, number: int = 2) -> Result:
    return Result.model_validate_json((project.get_model(number).folder / "result.json").read_text("utf-8"))


def find_tested(project: Project, split: str) -> int:
    return next(example.id for example in project.iterate_examples() if example.split == split)


def test_tested_rows_are_those_of_the_result(project: Project) -> None:
    run, result = project.get_model(2).folder, read_result(project)
    rows = read_tested_rows(run, result.task)
    assert len(rows) == result.n_rows.test
    assert result.pictures is not None and result.pictures.outcomes is not None
    wrong = filter_rows(rows, "wrong")
    assert len(wrong) == round(result.pictures.outcomes.wrong.value * len(rows))
    assert result.confusion is not None
    cell = filter_rows(rows, true=result.classes[0], answer=result.classes[1])
    assert len(cell) == result.confusion.matrix[0][1]
    right, mistaken = choose_telling_rows(rows, 3)
    assert len(right) == 3 and all(row.true == row.predicted for row in right)
    assert all(row.true != row.predicted for row in mistaken)


def test_the_check_page_says_the_verdict_and_opens_the_step_behind_its_button(
    client: TestClient, project: Project
) -> None:
    page = client.get("/p/village/check").text
    assert 'class="level not_ready"' in page or 'class="level supervised"' in page
    assert 'id="care-level"' in page and 'id="wall-grid"' in page
    buttons = [make_step_button(read_result(project), "village", has_open=has_open) for has_open in (True, False)]
    assert [button and button.address for button in buttons] == ["/p/village/label", "/p/village/examples"]
    few = client.get("/p/village/check?language=ar").text
    assert 'dir="rtl"' in few
    assert " % " not in page


def test_the_wall_answers_with_filtered_examples_of_the_project(client: TestClient, project: Project) -> None:
    kinds = read_result(project).classes
    everything = client.get(f"{API}/models/2/tested").json()
    assert everything["count"] == read_result(project).n_rows.test
    assert everything["items"][0]["example"]["text"]
    part = client.get(f"{API}/models/2/tested", params={"true": kinds[0], "limit": 1}).json()
    assert 0 < part["count"] < everything["count"] and len(part["items"]) == 1
    assert {item["true"] for item in part["items"]} == {kinds[0]}
    points = client.get(f"{API}/models/2/map").json()["points"]
    rows = client.post(f"{API}/models/2/rows", json=[point[0] for point in points[:2]]).json()
    assert rows["count"] == min(2, len(points))


def test_a_corrected_label_is_listed_and_taken_back(client: TestClient, project: Project) -> None:
    example = find_tested(project, "train")
    before = project.get_example(example).label
    other = next(kind.name for kind in project.list_kinds() if kind.name != before)
    answer = client.post(f"{API}/corrections", json={"example": example, "label": other, "who": "Amina"})
    assert answer.status_code == 200 and project.get_example(example).label == other
    assert [(item.before, item.after, item.is_test) for item in list_corrections(project)] == [(before, other, False)]
    assert f'data-undo="{example}"' in client.get("/p/village/check").text
    client.post(f"{API}/corrections/undo", json={"example": example, "who": "Amina"})
    assert project.get_example(example).label == before and not list_corrections(project)
    assert not take_back(project, find_tested(project, "test"), "Amina")


def test_an_example_of_the_check_is_corrected_only_in_its_own_step_and_counted(
    client: TestClient, project: Project
) -> None:
    example = find_tested(project, "test")
    other = next(kind.name for kind in project.list_kinds() if kind.name != project.get_example(example).label)
    with pytest.raises(OptionError, match="put away for the check"):
        correct_label(project, example, other, who="Amina")
    answer = client.post(f"{API}/corrections", json={"example": example, "label": other, "is_check_step": True})
    assert answer.status_code == 200
    n_test = read_result(project).n_rows.test
    assert f"You changed 1 of {n_test} check answers" in client.get("/p/village/check").text
    unknown = client.post(f"{API}/corrections", json={"example": example, "label": "volcano"})
    assert unknown.status_code == 422 and unknown.json()["error"]["hint"]


def test_two_models_are_compared_example_by_example(client: TestClient, project: Project) -> None:
    runs = [project.get_model(number).folder for number in (1, 2)]
    path = runs[0] / "test_predictions.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        header, *records = list(csv.reader(handle))
    right = next(record for record in records if record[1] == record[2])
    right[2] = next(name for name in read_result(project).classes if name != right[1])
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([header, *records])
    changes = compare_runs(*runs)
    assert (changes.n_better, changes.n_worse, len(changes.changed)) == (1, 0, 1)
    done = CliRunner().invoke(app, ["compare", *map(str, runs), "-o", str(project.folder / "changed.csv"), "--json"])
    assert done.exit_code == 0 and json.loads(done.stdout) == changes.as_dict()
    assert len((project.folder / "changed.csv").read_text("utf-8").splitlines()) == 2
    assert changes.n_new_right == changes.n_old_right + 1
    assert changes.difference is not None and changes.difference.value == pytest.approx(1 / changes.n_rows)
    page = client.get("/p/village/check/compare?old=1&new=2").text
    assert "1 examples got better and 0 got worse" in page and "That may be chance." in page


def test_learn_says_what_is_missing_then_shows_the_figure_of_few_as_a_count(
    client: TestClient, project: Project, tmp_path: Path
) -> None:
    state: dict[str, Any] = client.get(f"{API}/learn").json()
    n = read_result(project).n_rows.test
    assert not state["missing"] and state["figure"]["value"].endswith(f" of {n}") and n < 20
    assert len(state["right"]) == 3 and state["right"][0]["example"]["text"]
    empty = Project.create(tmp_path / "projects" / "empty")
    missing = find_missing_labels(empty)
    assert [(item.kind, item.n, item.n_needed) for item in missing] == [("", 0, 2)]
    empty.add_examples([NewExample(name="a", content_hash="a", text="a", label="x")])
    assert [(item.kind, item.n, item.n_needed) for item in find_missing_labels(empty)] == [("x", 1, 5)]
    page = client.get("/p/empty/learn?language=sw").text
    assert "kutafuta lililo bora zaidi" in page  # What a step does, in the language of the page.
    assert "/p/empty/label" in page and client.get("/p/empty/check").status_code == 200


def test_the_ways_that_were_tried_are_read_while_a_run_writes_them(noisy_run: Path, tmp_path: Path) -> None:
    tried = read_tried_strategies(noisy_run)
    assert [item.name for item in tried] == ["classic"] and 0 < tried[0].n_right <= tried[0].n_rows
    (tmp_path / "run").mkdir()
    lines = [json.dumps({"event": "strategy", "name": "a", "n_right": 1, "n_rows": 2}), '{"event": "stra']
    (tmp_path / "run" / "events.jsonl").write_text("\n".join(lines), "utf-8")
    assert [item.n_right for item in read_tried_strategies(tmp_path)] == [1]


def test_options_of_experts_are_checked_before_a_job_begins(client: TestClient) -> None:
    answer = client.post(f"{API}/learn", json={"time": "10"})
    assert answer.status_code == 422 and "10s or 10m" in answer.json()["error"]["problem"]


def test_the_report_is_shown_in_a_sandbox(client: TestClient) -> None:
    answer = client.get("/p/village/models/2/report")
    assert answer.status_code == 200 and "sandbox" in answer.headers["content-security-policy"]
    assert client.get("/p/village/models/2/explained/1").status_code == 404


@pytest.mark.parametrize("version", ["0.3.0", "0.4.0"])
def test_runs_of_older_versions_are_shown(client: TestClient, project: Project, version: str) -> None:
    number = project.add_model()
    run = Path(__file__).parent / "data" / f"home-{version}" / "run"
    shutil.copytree(run, project.get_model(number).folder)
    project.update_model(number, "done")
    for path in (f"/p/village/check?model={number}", f"/api/p/village/models/{number}/tested", "/p/village/learn"):
        assert client.get(path).status_code == 200, path


def test_an_earlier_model_is_taken_into_use_again(client: TestClient, project: Project) -> None:
    assert 'id="take"' in client.get("/p/village/check?model=1").text
    assert client.post(f"{API}/models/1/current").status_code == 200
    assert project.get_model(1).is_current and 'id="take"' not in client.get("/p/village/check").text
