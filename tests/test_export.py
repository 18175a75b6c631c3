"""Checking bundles and writing them in other forms: what passes is written, what does not is refused with a reason."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from tests.tiny import BASES
from tokenizers import Tokenizer, models
from typer.testing import CliRunner, Result

from headstart import bundle as bundles
from headstart import flow
from headstart.bases import write_folder
from headstart.bundle import Bundle, integrity
from headstart.bundle.golden import GoldenRows
from headstart.bundle.onnx import targets
from headstart.bundle.onnx.targets import TARGETS, ExportedForm, TargetSource
from headstart.bundle.runtime.inputs import INPUT_KINDS, ModelInput, ModelInputs
from headstart.bundle.runtime.session import open_graph
from headstart.bundle.synthetic_rows import MAKERS, make_synthetic_rows
from headstart.cli.main import app
from headstart.flow.adaptation.prepare import read_data
from headstart.flow.adaptation.run import adapt_table
from headstart.flow.exports.comparison_rows import _prepare_calibration_rows, find_run_rows
from headstart.flow.exports.form_figures import FormFigures, RightShare, explain_eight_bits, run_rows
from headstart.flow.exports.portable import make_portable
from headstart.home import write_json
from headstart.modalities.record import Array
from headstart.options import AdaptOptions, PredictOptions, parse
from headstart.options.fields import parse_points
from headstart.records import Table
from headstart.sealed_folders import hash_file

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, text_table: Path) -> Path:
    """Give the output folder of a run on texts whose model is small."""
    folder = tmp_path_factory.mktemp("export") / "out"
    flow.adapt(text_table, folder, parse(AdaptOptions, strategy="classic", offline=True))
    return folder


@pytest.fixture
def bundle(out: Path, tmp_path: Path) -> Path:
    """Give a copy of its bundle, without the run around it."""
    return Path(shutil.copytree(out / "bundle", tmp_path / "bundle"))


def headstart(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(part) for part in arguments], env={"COLUMNS": "200"})


def document(done: Result) -> dict[str, Any]:
    """Read the JSON document, which comes last on standard output."""
    return dict(json.loads(done.stdout[done.stdout.index("{") :]))


def resealed(bundle: Path) -> None:
    """Write the manifest anew, as somebody who changes a bundle on purpose would."""
    manifest = json.loads((bundle / "manifest.json").read_text("utf-8"))
    manifest["sha256"] = {name: hash_file(bundle / name) for name in manifest["sha256"] if (bundle / name).is_file()}
    write_json(bundle / "manifest.json", manifest)


def test_a_whole_bundle_is_verified_by_its_golden_rows(bundle: Path) -> None:
    done = headstart("verify", bundle, "--json")
    found = document(done)
    assert done.exit_code == 0 and found["good"] and found["golden"]["n_rows"] >= 4
    assert found["golden"]["same_labels"] == 1.0 and found["golden"]["max_difference"] < 1e-3


def test_a_bundle_of_format_1_is_verified_by_its_hashes() -> None:
    done = headstart("verify", DATA / "bundle-format-1", "--json")
    assert done.exit_code == 0 and document(done)["golden"] is None


def test_a_changed_file_is_named(bundle: Path) -> None:
    (bundle / "decision.json").write_text("{}", "utf-8")
    done = headstart("verify", bundle)
    assert done.exit_code == 2 and "decision.json" in done.output


def test_a_missing_file_is_named(bundle: Path) -> None:
    (bundle / "model.onnx").unlink()
    done = headstart("verify", bundle)
    assert done.exit_code == 2 and "model.onnx" in done.output


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/hosts", "base/../../outside.txt", "."])
def test_a_manifest_that_names_files_outside_of_the_bundle_is_refused(name: str, bundle: Path) -> None:
    (bundle.parent / "outside.txt").write_text("secret", "utf-8")
    manifest = json.loads((bundle / "manifest.json").read_text("utf-8"))
    manifest["sha256"][name] = "0" * 64
    write_json(bundle / "manifest.json", manifest)
    done = headstart("verify", bundle)
    assert done.exit_code == 2 and "outside of the bundle" in done.output


@pytest.mark.parametrize("number", [0, 4, 99, "2", None])
def test_an_unknown_format_number_is_refused(number: object, bundle: Path) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text("utf-8"))
    write_json(bundle / "manifest.json", {**manifest, "format": number})
    done = headstart("verify", bundle)
    assert done.exit_code == 2 and "Update headstart" in done.output


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 2}', '{"format": 2, "sha256": []}'])
def test_a_broken_manifest_is_refused(content: str, bundle: Path) -> None:
    (bundle / "manifest.json").write_text(content, "utf-8")
    assert headstart("verify", bundle).exit_code == 2


def test_a_graph_named_outside_of_the_bundle_is_refused(bundle: Path) -> None:
    config = json.loads((bundle / "config.json").read_text("utf-8"))
    shutil.copyfile(bundle / "model.onnx", bundle.parent / "other.onnx")
    config["portable"]["file"] = "../other.onnx"
    write_json(bundle / "config.json", config)
    resealed(bundle)
    done = headstart("verify", bundle)
    assert done.exit_code == 2 and "no plain file name" in done.output


Spoil = Callable[[Path], object]


def _rewritten(file: str, change: Callable[[Any], object]) -> Spoil:
    def spoil(bundle: Path) -> None:
        document = json.loads((bundle / file).read_text("utf-8"))
        change(document)
        write_json(bundle / file, document)

    return spoil


def _linked(target: str) -> Spoil:
    def spoil(bundle: Path) -> None:
        (bundle / "decision.json").rename(bundle.parent / "outside.json")
        (bundle / "decision.json").symlink_to(target)

    return spoil


def _weights_elsewhere(place: str) -> Spoil:
    """Let the graph read weights from another file, and give them away as an output."""

    def spoil(bundle: Path) -> None:
        for folder in (bundle, bundle.parent):
            (folder / "secret.bin").write_bytes(bytes(40))
        graph = onnx.load(bundle / "model.onnx")
        array = onnx.TensorProto(name="secret", data_type=1, dims=[10], data_location=1)
        for key, value in {"location": place.format(bundle.parent), "offset": "0", "length": "40"}.items():
            array.external_data.add(key=key, value=value)
        graph.graph.initializer.append(array)
        graph.graph.node.append(onnx.helper.make_node("Identity", ["secret"], ["leak"]))
        graph.graph.output.append(onnx.helper.make_tensor_value_info("leak", 1, [10]))
        (bundle / "model.onnx").write_bytes(graph.SerializeToString())

    return spoil


def _foreign_step(bundle: Path) -> None:
    graph = onnx.load(bundle / "model.onnx")
    graph.graph.node.append(onnx.helper.make_node("Run", [graph.graph.input[0].name], ["run"], domain="evil.custom"))
    graph.opset_import.append(onnx.helper.make_opsetid("evil.custom", 1))
    (bundle / "model.onnx").write_bytes(graph.SerializeToString())


def _pipe(bundle: Path) -> None:
    (bundle / "manifest.json").unlink()
    os.mkfifo(bundle / "manifest.json")


HOSTILE: dict[str, tuple[Spoil, bool, str]] = {
    "weights in a file outside": (_weights_elsewhere("../secret.bin"), True, "cannot be run"),
    "weights at a full path": (_weights_elsewhere("{}/secret.bin"), True, "cannot be run"),
    "weights in a file that no hash covers": (_weights_elsewhere("secret.bin"), True, "cannot be run"),
    "a step of a library": (_foreign_step, True, "cannot be run"),
    "a link to a file outside": (_linked("../outside.json"), False, "outside of the bundle"),
    "a link to itself": (_linked("decision.json"), False, "outside of the bundle"),
    "a manifest without end": (lambda b: (b / "manifest.json").write_text("[" * 200_000), False, "damaged"),
    "a configuration without end": (lambda b: (b / "config.json").write_text("[" * 200_000), True, "damaged"),
    "a pipe": (_pipe, False, "is missing"),
    "a name that is too long": (
        _rewritten("manifest.json", lambda found: found["sha256"].update({"a" * 5_000: "0"})), False, "outside",
    ),
    "a name with an end inside": (
        _rewritten("manifest.json", lambda found: found["sha256"].update({"a\0b": "0"})), False, "outside",
    ),
    "inputs of a strange kind": (
        _rewritten("config.json", lambda found: found["portable"]["inputs"][0].update(kind="evil")), True, "inputs",
    ),
    "vocabulary from outside": (
        _rewritten("config.json", lambda found: found["portable"]["inputs"][0]["spec"].update(pieces_file="../x")),
        True, "no plain file name",
    ),
    "golden rows that would have to be unpickled": (
        lambda b: np.savez(b / "golden.npz", outputs=np.array([{}], dtype=object)), True, "golden.npz: it is damaged",
    ),
}  # fmt: skip
"""What somebody may do to a bundle, whether all hashes are made right again afterwards, and what is said of it."""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_bundle_is_refused_in_words(name: str, bundle: Path) -> None:
    spoil, sealed, said = HOSTILE[name]
    spoil(bundle)
    if sealed:
        resealed(bundle)
    done = headstart("verify", bundle)
    assert done.exit_code == 2 and said in done.output and "Traceback" not in done.output, done.output


def test_a_manifest_of_endless_size_is_not_read(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrity, "MOST_JSON_BYTES", 100)
    done = headstart("verify", bundle)
    assert done.exit_code == 2 and "too large" in done.output


def test_a_bundle_that_answers_differently_here_is_not_good(bundle: Path) -> None:
    golden = GoldenRows.read(bundle)
    replace(golden, outputs=golden.outputs[::-1] * 0.5).write(bundle)
    resealed(bundle)
    done = headstart("verify", bundle, "--json")
    assert done.exit_code == 2 and document(done)["good"] is False


def test_golden_rows_that_are_no_arrays_are_refused(bundle: Path) -> None:
    (bundle / "golden.npz").write_bytes(b"PK\x03\x04 broken")
    resealed(bundle)
    done = headstart("verify", bundle)
    assert done.exit_code == 2 and "golden.npz: it is damaged" in done.output


def test_a_damaged_graph_is_refused_in_words(bundle: Path, text_table: Path) -> None:
    (bundle / "model.onnx").write_bytes(b"no graph")
    resealed(bundle)
    assert headstart("verify", bundle).exit_code == 2
    done = headstart("predict", bundle, text_table, "--runtime", "onnx")
    assert done.exit_code == 2 and "model.onnx" in done.output


def test_a_slim_bundle_says_the_same_without_the_weights_of_torch(out: Path, text_table: Path, tmp_path: Path) -> None:
    done = headstart("export", out, "--to", "onnx", "-o", tmp_path / "slim", "--json")
    found = document(done)
    assert done.exit_code == 0 and found["written"] == str(tmp_path / "slim") and found["labelled"]
    assert not (tmp_path / "slim" / "model.safetensors").exists()
    assert headstart("verify", tmp_path / "slim").exit_code == 0
    options = parse(PredictOptions, offline=True)
    one, two = flow.predictions(out, [text_table], options), flow.predictions(tmp_path / "slim", [text_table], options)
    assert [row["answer"] for row in one] == [row["answer"] for row in two]


def test_options_about_columns_hold_for_the_rows_that_forms_are_compared_on(
    bundle: Path, text_table: Path, tmp_path: Path
) -> None:
    asked = ["export", bundle, "--to", "onnx", "-o", tmp_path / "x", "--data", text_table]
    for option in (["--axes", "time-first"], ["--values", "a:b"], ["--id", "nowhere"], ["--group", "nowhere"]):
        done = headstart(*asked, *option)
        assert done.exit_code == 2 and option[-1 if option[-1] == "nowhere" else 0] in done.stderr


def test_openvino_is_written_where_it_says_the_same(out: Path, tmp_path: Path) -> None:
    done = headstart("export", out, "--to", "openvino", "-o", tmp_path / "ir", "--json")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "ir" / "model.xml").is_file() and (tmp_path / "ir" / "model.bin").is_file()


def test_a_form_that_says_something_else_is_not_written(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(given: TargetSource, folder: Path) -> ExportedForm:
        right = targets._copy_onnx(given, folder)

        def run(*arrays: Array) -> tuple[Array, ...]:
            outputs, read = right.run(*arrays)
            return np.ascontiguousarray(outputs[:, ::-1]), read

        return ExportedForm("a wrong one", right.files, run)

    monkeypatch.setitem(TARGETS, "onnx", replace(TARGETS["onnx"], methods=(wrong,)))
    done = headstart("export", out, "--to", "onnx", "-o", tmp_path / "slim", "--json")
    assert done.exit_code == 4 and not (tmp_path / "slim").exists()
    assert "same label" in document(done)["reason"] and document(done)["written"] is None


def test_int8_that_gains_nothing_or_loses_too_much_is_not_written(out: Path, tmp_path: Path) -> None:
    done = headstart("export", out, "--to", "onnx-int8", "-o", tmp_path / "small", "--json")
    found = document(done)
    assert (done.exit_code, found["written"] is None) in ((0, False), (4, True))
    assert (tmp_path / "small").exists() == (done.exit_code == 0)
    assert len(found["tried"]) >= 2


def test_a_bundle_alone_is_compared_on_its_golden_rows_and_says_so(bundle: Path, tmp_path: Path) -> None:
    found = document(headstart("export", bundle, "--to", "onnx", "-o", tmp_path / "slim", "--json"))
    assert "made-up rows" in found["rows"] and found["labelled"] is False


def make_figures(**more: object) -> FormFigures:
    plain = {"same_labels": 1.0, "max_difference": 0.0, "accuracy": None, "by_class": {}, "by_group": {}}
    return FormFigures(**{**plain, "calibration_error": None, "form": "int8", **more})  # type: ignore[arg-type]


def test_a_form_that_is_not_smaller_is_no_int8_however_fast_a_busy_machine_calls_it() -> None:
    first = make_figures(size_bytes=1_000)
    assert "not worth" in explain_eight_bits(make_figures(size_bytes=999, times_as_fast=1.5), first, 0.01)
    assert explain_eight_bits(make_figures(size_bytes=800, times_as_fast=1.5), first, 0.01) == ""
    assert explain_eight_bits(make_figures(size_bytes=300, times_as_fast=0.5), first, 0.01) == ""
    differing = make_figures(size_bytes=300, times_as_fast=1.5, max_difference=0.02)
    assert "differ" in explain_eight_bits(differing, first, 0.01)


def test_int8_is_refused_where_a_class_has_no_row_to_be_judged_on() -> None:
    classes = {"seen": RightShare(1.0, 2), "unseen": RightShare(None, 0)}
    figures = make_figures(by_class=classes, size_bytes=100, times_as_fast=2.0)
    assert "what unseen would lose" in explain_eight_bits(figures, replace(figures, size_bytes=1_000), 0.01)


@pytest.fixture(scope="module")
def pictured(tmp_path_factory: pytest.TempPathFactory, image_folder: Path) -> tuple[Bundle, Table]:
    """Give a model that reads descriptors, while its decisions read the features of a network; and rows."""
    root = tmp_path_factory.mktemp("pictured")
    write_folder(BASES["image"]().parts, root / "base")
    options = parse(AdaptOptions, base=f"file:{root / 'base'}", strategy="linear-probe,classic", offline=True)
    table, _ = read_data(image_folder, options)
    made = adapt_table(table, None, options)
    uses = frozenset({"features", "descriptors"})
    bundle = replace(made.bundle, strategy="classic", fitted=made.strategies.fitted["classic"], uses=uses)
    bundles.save_bundle(make_portable(bundle, table, root / "shipped"), root / "bundle")
    return bundles.load_bundle(root / "bundle", "onnx"), table


@pytest.mark.parametrize("at", range(len(TARGETS["onnx-int8"].methods)))
def test_descriptors_and_heads_are_not_brought_to_8_bits(
    at: int, pictured: tuple[Bundle, Table], tmp_path: Path
) -> None:
    bundle, table = pictured
    made = bundle.portable_model
    assert made is not None and "/descriptors/" in str(onnx.load(made.folder / "model.onnx").graph.node)
    rows = _prepare_calibration_rows(made.model_inputs, table)
    graph = made.folder / "model.onnx"
    form = TARGETS["onnx-int8"].methods[at](TargetSource(graph, made.model_inputs, rows), tmp_path)
    expected = run_rows(open_graph(graph, made.model_inputs.names), made.model_inputs, rows)
    np.testing.assert_array_equal(run_rows(form.run, made.model_inputs, rows), expected)
    features = [
        run(*made.model_inputs.collate(rows))[1] for run in (open_graph(graph, made.model_inputs.names), form.run)
    ]
    assert np.abs(features[0] - features[1]).max() < 0.1 * np.abs(features[0]).max()


def test_int8_is_not_judged_on_made_up_rows(bundle: Path, tmp_path: Path) -> None:
    done = headstart("export", bundle, "--to", "onnx-int8", "-o", tmp_path / "small")
    assert done.exit_code == 2 and "--data" in done.output and not (tmp_path / "small").exists()


def test_a_bundle_holds_no_row_of_the_data(bundle: Path, text_table: Path) -> None:
    tokens = {line.split('"')[1] for line in text_table.read_text("utf-8").splitlines()[1:]}
    files = [path.read_bytes() for path in bundle.rglob("*") if path.is_file()]
    assert not [text for text in tokens for content in files if text.encode() in content]
    config = json.loads((bundle / "config.json").read_text("utf-8"))
    assert config["portable"]["golden"] == "made up"
    pieces = config["portable"]["inputs"][0]
    feed = ModelInputs((ModelInput.from_dict(pieces).with_files_in(bundle),), 3)
    real = {tuple(feed.prepare(feed.load(text))[0].tolist()) for text in tokens}
    kept = GoldenRows.read(bundle).arrays
    assert not real & {tuple(ids[weights > 0].tolist()) for ids, weights in zip(*kept.values(), strict=True)}


def test_rows_are_made_up_for_every_kind_of_input(bundle: Path) -> None:
    assert set(MAKERS) == set(INPUT_KINDS)
    picture, series = {"size": 24, "resize": 24, "views": 2}, {"n_channels": 2, "length": 40, "gaps": True}
    files = {"tokenizer_file": str(bundle / "tokenizer.json"), "pieces_file": str(bundle / "pieces.json")}
    Tokenizer(models.WordLevel({"[UNK]": 0, "water": 1, "dry": 2}, unk_token="[UNK]")).save(files["tokenizer_file"])
    spec = {**picture, **series, **files, "max_length": 16, "pad_id": 0}
    for kind in INPUT_KINDS:
        feed = ModelInputs((ModelInput(kind, ("a", "b", "c")[: len(INPUT_KINDS[kind].shapes(spec))], spec),), 3)
        one, two = make_synthetic_rows(feed, 5), make_synthetic_rows(feed, 5)
        assert all(np.array_equal(a, b) for a, b in zip(feed.collate(one), feed.collate(two), strict=True)), kind
        for array, (dtype, shape) in zip(feed.collate(one), INPUT_KINDS[kind].shapes(spec), strict=True):
            assert array.dtype == dtype and len(array) == 5, kind
            assert [size in (None, there) for size, there in zip(shape, array.shape, strict=True)] == [True] * len(
                shape
            )


@pytest.mark.parametrize("target", ["onnx", "web"])
def test_a_place_that_cannot_be_made_is_refused_before_any_work(
    target: str, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("mine", "utf-8")
    monkeypatch.setattr(
        "headstart.flow.exports.export.choose_comparison_rows", lambda *arguments: pytest.fail("rows were read")
    )
    done = headstart("export", bundle, "--to", target, "-o", tmp_path / "file" / "below")
    assert done.exit_code == 2 and "cannot be made" in done.output and "-o" in done.output
    monkeypatch.setattr("headstart.home.os.access", lambda path, mode: mode != os.W_OK)
    done = headstart("export", bundle, "--to", target, "-o", tmp_path / "locked")
    assert done.exit_code == 2 and "cannot be made" in done.output


def test_an_export_finds_the_rows_of_its_run_from_any_folder(
    text_table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copyfile(text_table, tmp_path / "rows.csv")
    monkeypatch.chdir(tmp_path)
    flow.adapt(Path("rows.csv"), Path("out"), parse(AdaptOptions, strategy="classic", offline=True))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    found = document(headstart("export", "../out", "--to", "onnx", "-o", "slim", "--json"))
    assert found["labelled"] and found["rows"] == "test rows of rows.csv"
    (tmp_path / "rows.csv").unlink()
    done = headstart("export", "../out", "--to", "onnx", "-o", "slim", "--json")
    assert "no longer at" in done.output and document(done)["labelled"] is False


def test_rows_of_a_separate_test_table_are_not_looked_for_among_the_training_rows(
    text_table: Path, tmp_path: Path
) -> None:
    lines = text_table.read_text("utf-8").splitlines()
    for name, some in (("train", lines[1:]), ("test", lines[1:13])):
        rows = [f"{at},{line}" for at, line in enumerate(some)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["id,text,label", *rows]), "utf-8")
    options = parse(AdaptOptions, strategy="classic", offline=True, test=tmp_path / "test.csv")
    flow.adapt(tmp_path / "train.csv", tmp_path / "out", options)
    test, train = find_run_rows(tmp_path / "out" / "bundle", bundles.load_bundle(tmp_path / "out")) or (
        None,
        None,
    )
    assert test is not None and train is not None
    assert (str(tmp_path / "test.csv") in test.source, len(test), len(train)) == (True, 12, len(lines) - 1)


def test_an_export_onto_the_bundle_itself_and_an_unknown_target_are_refused(bundle: Path) -> None:
    assert headstart("export", bundle, "--to", "onnx", "-o", bundle).exit_code == 2
    done = headstart("export", bundle, "--to", "onxx")
    assert done.exit_code == 2 and "onnx" in done.output


def test_an_export_onto_a_folder_of_other_things_is_refused_before_any_work(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine", "utf-8")
    monkeypatch.setattr(
        "headstart.flow.exports.export.choose_comparison_rows", lambda *arguments: pytest.fail("rows were read")
    )
    done = headstart("export", bundle, "--to", "onnx", "-o", tmp_path / "full")
    assert done.exit_code == 2 and "is not a bundle" in done.output
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["notes.txt"]


def test_a_bundle_for_other_tools_is_verified_by_its_hashes_and_says_that_it_does_not_run_here(
    out: Path, text_table: Path, tmp_path: Path
) -> None:
    assert headstart("export", out, "--to", "openvino", "-o", tmp_path / "ir").exit_code == 0
    done = headstart("verify", tmp_path / "ir")
    assert done.exit_code == 0 and "other tools" in done.output
    done = headstart("predict", tmp_path / "ir", text_table)
    assert done.exit_code == 2 and "exported for openvino" in done.output and "runtime" not in done.output


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a run on texts whose labels and ids look like markup and like several cells."""
    folder = tmp_path_factory.mktemp("odd")
    lines = ["id,text,label"]
    for row in range(60):
        word, label = (("pump water", "[/x] broken"), ("school book", "[red] fine"))[row % 2]
        lines.append(f'"row ""{row}"", a",{word} number {row},{label}')
    (folder / "odd.csv").write_text("\n".join(lines), "utf-8")
    flow.adapt(folder / "odd.csv", folder / "out", parse(AdaptOptions, strategy="classic", offline=True))
    return folder / "out"


def test_labels_that_look_like_markup_are_shown_as_they_are(odd: Path, tmp_path: Path) -> None:
    done = headstart("export", odd, "--to", "onnx", "-o", tmp_path / "slim")
    assert done.exit_code == 0, done.output
    assert "[/x] broken" in done.output and "[red] fine" in done.output


def test_all_test_rows_are_found_again_whatever_their_ids(odd: Path, tmp_path: Path) -> None:
    found = document(headstart("export", odd, "--to", "onnx", "-o", tmp_path / "slim", "--json"))
    with (odd / "test_predictions.csv").open(encoding="utf-8", newline="") as handle:
        assert found["n_rows"] == len(list(csv.reader(handle))) - 1 > 5


def test_a_loss_is_written_in_points() -> None:
    assert parse_points("1pt") == parse_points("1%") == 0.01 and parse_points("0.02") == 0.02


RESULTS: dict[str, tuple[Callable[[dict[str, Any]], str] | None, str]] = {
    "unfinished": (None, "There is no result.json"),
    "newer": (lambda found: json.dumps({**found, "format": 99}), "newer version"),
    "older": (lambda found: json.dumps({"format": 0, "task": found["task"]}), "not the result of `adapt`"),
    "cut": (lambda found: json.dumps(found)[:-100], "not JSON"),
    "without end": (lambda found: "[" * 100_000, "nested"),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_report_of_a_run_that_cannot_be_read_is_refused_in_words(name: str, out: Path, tmp_path: Path) -> None:
    spoil, said = RESULTS[name]
    (tmp_path / "run").mkdir()
    if spoil is not None:
        told = spoil(json.loads((out / "result.json").read_text("utf-8")))
        (tmp_path / "run" / "result.json").write_text(told, "utf-8")
    done = headstart("report", tmp_path / "run")
    assert done.exit_code == 2 and said in done.output


def test_a_report_into_a_place_that_cannot_be_made_is_refused(out: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", "utf-8")
    done = headstart("report", out, "-o", tmp_path / "file" / "below")
    assert done.exit_code == 2 and "cannot be made" in done.output
