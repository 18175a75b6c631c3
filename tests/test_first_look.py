"""Arguments in the wrong order and inputs of another kind are refused at once, with what to do instead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from headstart import flow
from headstart.cli.main import app
from headstart.errors import DataError
from headstart.flow.inference.first_look import require_inputs_of_model
from headstart.options import PredictOptions, ReportOptions, parse

RUN = Path(__file__).parent / "data" / "home-0.3.0" / "run"


def make_model(folder: Path, modality: str) -> Path:
    (folder / "bundle").mkdir(parents=True)
    (folder / "bundle" / "config.json").write_text(json.dumps({"modality": modality}))
    (folder / "bundle" / "manifest.json").write_text("{}")
    return folder


@pytest.mark.parametrize(
    ("modality", "name", "words"),
    [
        ("text", "a.jpg", "a model for messages; .* holds photos"),
        ("series", "a.png", "a model for recordings; .* holds photos"),
        ("image", "a.txt", "a model for photos; .* holds messages"),
    ],
)
def test_inputs_of_another_kind_are_refused_before_anything_is_loaded(
    modality: str, name: str, words: str, tmp_path: Path
) -> None:
    model = make_model(tmp_path / "model", modality)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / name).write_bytes(b"x")
    with pytest.raises(DataError, match=words):
        require_inputs_of_model(model, [tmp_path / "new"])
    with pytest.raises(DataError, match=words):
        flow.predict(model, [tmp_path / "new"], None, parse(PredictOptions))


@pytest.mark.parametrize(
    ("modality", "name"), [("image", "a.csv"), ("image", "a.JPG"), ("text", "a.odd"), ("text", "")]
)
def test_inputs_that_may_be_readable_are_left_to_the_readers(modality: str, name: str, tmp_path: Path) -> None:
    model = make_model(tmp_path / "model", modality)
    (tmp_path / "new").mkdir()
    if name:
        (tmp_path / "new" / name).write_bytes(b"x")
    require_inputs_of_model(model, [tmp_path / "new"])
    require_inputs_of_model(tmp_path / "no-model", [tmp_path / "new"])


def test_models_behind_the_data_are_turned_around_and_data_is_no_model(tmp_path: Path) -> None:
    first, second = make_model(tmp_path / "a", "text"), make_model(tmp_path / "b", "text")
    data = tmp_path / "rows.csv"
    data.write_text("text\nx\n")
    done = CliRunner().invoke(app, ["compare", str(data), str(first), str(second)])
    assert done.exit_code == 2 and f"compare {first} {second} {data}" in done.output.replace("\n", " ")
    done = CliRunner().invoke(app, ["predict", str(data), str(data)])
    assert done.exit_code == 2 and "it holds no model" in done.output


def test_a_report_is_written_as_a_file_where_a_file_is_named(tmp_path: Path) -> None:
    document = flow.report(RUN, tmp_path / "x.html", parse(ReportOptions, language="en"))
    assert document["card"] is None and [path.name for path in tmp_path.iterdir()] == ["x.html"]
    assert (tmp_path / "x.html").read_text("utf-8").startswith("<!DOCTYPE html>")
