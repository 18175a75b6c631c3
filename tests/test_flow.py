"""The main job from end to end, through the public functions: adapt, predict, evaluate, save, load, resume, Python."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headstart as hs
from headstart import bundle as bundles
from headstart import flow
from headstart.api.model import Model
from headstart.errors import BundleError, DataError, OptionError, UnknownName
from headstart.flow.room_settings import MODEL_SETTINGS, RUN_SETTINGS, collect_settings
from headstart.options import AdaptOptions, PredictOptions, parse
from headstart.results import Result
from headstart.strategies import select_strategies

QUICK = "quick"
FIXTURES = {"image": "image_folder", "text": "text_table", "series": "series_table"}


def options(**values: object) -> AdaptOptions:
    return parse(AdaptOptions, **{"strategy": QUICK, "offline": True, "precision": "float32", **values})


@pytest.fixture(scope="session")
def adapted(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> dict[str, tuple[Path, Path]]:
    """Adapt once per modality; gives (data, output folder)."""
    made = {}
    for modality, name in FIXTURES.items():
        data = request.getfixturevalue(name)
        out = tmp_path_factory.mktemp("out") / modality
        flow.adapt(data, out, options())
        made[modality] = (data, out)
    return made


@pytest.mark.parametrize("modality", list(FIXTURES))
def test_adapt_writes_everything_and_learns(modality: str, adapted: dict[str, tuple[Path, Path]]) -> None:
    out = adapted[modality][1]
    result = Result.model_validate_json((out / "result.json").read_text("utf-8"))
    assert result.format == 1 and result.modality == modality
    assert result.n_rows.train > result.n_rows.test > 0
    chosen = result.strategy(result.chosen).test
    assert chosen is not None and chosen.accuracy.value > 0.8
    assert [item.name for item in result.strategies] == select_strategies(modality, (QUICK,))
    assert result.verdict.sentence
    page = (out / "report.html").read_text("utf-8")
    assert result.verdict.sentence.split(";")[0][:40] in page and len(page) < 2_000_000
    assert (out / "README.md").read_text("utf-8").startswith("---\n")
    with (out / "test_predictions.csv").open() as handle:
        assert sum(1 for _ in handle) == result.n_rows.test + 1


@pytest.mark.parametrize("runtime", ["torch", "onnx"])
def test_the_numbers_of_all_parts_are_stored_with_the_run_and_the_bundle(
    runtime: str, adapted: dict[str, tuple[Path, Path]]
) -> None:
    out = adapted["text"][1]
    result = Result.model_validate_json((out / "result.json").read_text("utf-8"))
    assert result.settings == collect_settings(RUN_SETTINGS)
    assert bundles.load_bundle(out, runtime).settings == collect_settings(MODEL_SETTINGS)


def test_the_document_is_the_same_for_the_same_seed(adapted: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    data, out = adapted["text"]
    again = flow.adapt(data, tmp_path / "again", options())
    first = Result.model_validate_json((out / "result.json").read_text("utf-8"))
    for item, other in zip(first.strategies, again.strategies, strict=True):
        assert item.test == other.test and item.cross_validation == other.cross_validation


@pytest.mark.parametrize("modality", list(FIXTURES))
def test_a_loaded_bundle_predicts_what_the_run_predicted(
    modality: str, adapted: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    data, out = adapted[modality]
    failed = flow.predict(out, [data], tmp_path / "p.csv", PredictOptions(offline=True, precision="float32"))
    assert failed == []
    with (tmp_path / "p.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert list(rows[0])[:3] == ["input", "label", "probability"]
    by_input = {row["input"].removeprefix(f"{data}/"): row for row in rows}
    with (out / "test_predictions.csv").open(newline="") as handle:
        expected = list(csv.DictReader(handle))
    for row in expected:
        found = by_input[row["id"]]
        assert found["label"] == row["predicted"]
        assert float(found["probability"]) == pytest.approx(float(row[f"p({row['predicted']})"]), abs=2e-5)


@pytest.mark.parametrize("modality", list(FIXTURES))
def test_no_name_and_no_text_of_a_row_stands_in_a_bundle_or_a_card(
    modality: str, adapted: dict[str, tuple[Path, Path]]
) -> None:
    data, out = adapted[modality]
    names = json.loads((out / "row_names.json").read_text("utf-8"))["names"].values()
    files = [file for file in (out / "bundle").rglob("*") if file.is_file()]
    content = b"\0".join(file.read_bytes() for file in (*files, out / "README.md"))
    assert len(names) > 10 and b"manifest" in content
    rows = data.read_text("utf-8").splitlines()[1:] if data.is_file() else []
    secrets = {str(data.parent), *names, *(row.rsplit(",", 1)[0] for row in rows)}
    assert not [secret for secret in secrets if secret.encode() in content]


def test_evaluate_scores_new_data(adapted: dict[str, tuple[Path, Path]]) -> None:
    data, out = adapted["image"]
    found = flow.evaluate(out, data, PredictOptions(precision="float32"))
    result = json.loads((out / "result.json").read_text("utf-8"))
    assert found.n_learnt == result["n_rows"]["train"] and found.n_rows + found.n_learnt == 48
    assert found.metrics.accuracy.value > 0.8 and np.sum(found.confusion.matrix) == found.n_rows


def test_evaluate_on_labels_the_model_does_not_know_says_so(
    adapted: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text("text,label\nhello there,sport\nanother one,politics\n")
    with pytest.raises(DataError, match="knows none of the labels"):
        flow.evaluate(adapted["text"][1], tmp_path / "t.csv", PredictOptions())


def test_a_changed_bundle_is_refused(adapted: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    shutil.copytree(adapted["text"][1] / "bundle", tmp_path / "b")
    config = tmp_path / "b" / "config.json"
    config.write_text(config.read_text().replace("water", "wader"))
    with pytest.raises(BundleError, match=r"1 files .* were changed \(config.json\)"):
        hs.load(tmp_path / "b")


def test_a_manifest_that_points_outside_is_refused(adapted: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    shutil.copytree(adapted["text"][1] / "bundle", tmp_path / "b")
    (tmp_path / "outside").write_text("x")
    path = tmp_path / "b" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["sha256"]["../outside"] = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    path.write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="outside"):
        bundles.load_bundle(tmp_path / "b")


@pytest.mark.parametrize(("what", "text"), [("format", '{"format": 99}'), ("damaged", '{"form')])
def test_a_bundle_of_unknown_format_is_refused(what: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(BundleError, match=what):
        bundles.load_bundle(tmp_path)


def test_nothing_of_the_users_is_overwritten(tmp_path: Path, text_table: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OptionError, match="was not made by headstart"):
        flow.adapt(text_table, tmp_path, options())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thesis.txt"]


def test_predicting_goes_on_where_a_killed_run_stopped(adapted: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    from headstart.data import read_inputs
    from headstart.flow.inference import predict_files

    data, out = adapted["text"]
    whole = tmp_path / "whole.csv"
    flow.predict(out, [data], whole, PredictOptions(precision="float32"))
    bundle = bundles.load_bundle(out, "quickest")
    table = read_inputs([data], "text", dict(bundle.columns))
    mark = predict_files._compute_key(bundle, table)
    lines = whole.read_text().splitlines(keepends=True)
    partial = tmp_path / f".part.csv.{mark}.partial"
    partial.write_text("".join(lines[:11]) + lines[11][:5])
    flow.predict(out, [data], tmp_path / "part.csv", PredictOptions(precision="float32"))
    assert (tmp_path / "part.csv").read_text().splitlines()[:11] == [line.strip() for line in lines[:11]]
    found, expected = (
        [row.split(",")[:2] for row in path.read_text().splitlines()] for path in (tmp_path / "part.csv", whole)
    )
    assert found == expected
    assert not partial.exists()


def test_a_broken_image_gets_a_row_without_label(adapted: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    data, out = adapted["image"]
    folder = tmp_path / "new"
    (folder / "deep").mkdir(parents=True)
    shutil.copy(data / "class-0" / "00.png", folder / "deep" / "a.png")
    raw = (data / "class-0" / "01.png").read_bytes()
    (folder / "b.png").write_bytes(raw[: len(raw) // 2])
    failed = flow.predict(out, [folder], tmp_path / "p.csv", PredictOptions(precision="float32"))
    assert len(failed) == 1 and "b.png" in failed[0].id
    with (tmp_path / "p.csv").open(newline="") as handle:
        rows = {Path(row["input"]).name: row for row in csv.DictReader(handle)}
    assert rows["a.png"]["label"] == "class-0"
    assert rows["b.png"]["label"] == rows["b.png"]["probability"] == ""


def test_groups_are_kept_on_one_side_and_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [
        f"{'good water from the pump' if label else 'bad road with holes'} {rng.integers(1e6)},{label},{patient}"
        for patient in range(20)
        for label in (0, 1)
        for _ in range(2)
    ]
    (tmp_path / "t.csv").write_text("text,label,patient\n" + "\n".join(rows) + "\n")
    result = flow.adapt(tmp_path / "t.csv", tmp_path / "o", options(group=("patient",)))
    assert result.group_columns == ["patient"]
    with (tmp_path / "o" / "test_predictions.csv").open(newline="") as handle:
        tested = {int(row["id"].split(":")[1]) for row in csv.DictReader(handle)}
    patient_of = {number: (number - 2) // 4 for number in range(2, 82)}
    in_test = {patient_of[number] for number in tested}
    in_train = {patient for number, patient in patient_of.items() if number not in tested}
    assert in_test and not in_test & in_train


def test_copies_that_were_dropped_are_not_called_still_there(tmp_path: Path) -> None:
    words = ["pump", "road", "well", "bridge", "tap", "track", "pipe", "path", "tank", "lane"]
    lines = [f"the {word} of village {row},{at % 2},train" for at, word in enumerate(words) for row in "abcdef"]
    lines += [f"the {word} of town {row},{at % 2},test" for at, word in enumerate(words) for row in "gh"]
    (tmp_path / "t.csv").write_text("\n".join(["text,label,split", *lines, lines[0].replace("train", "test")]) + "\n")
    found = {}
    for word in ("keep", "drop"):
        result = flow.adapt(tmp_path / "t.csv", tmp_path / word, options(duplicates=word))
        found[word] = [item.kind for item in result.checks], [item.reason for item in result.set_aside]
    assert "duplicates-across-splits" in found["keep"][0] and not found["keep"][1]
    assert "duplicates-across-splits" not in found["drop"][0]
    assert found["drop"][1] == ["a copy of it stands in the test rows"]


def test_two_sexes_stand_on_both_sides_so_that_they_can_be_compared(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [
        f"{'good water from the pump' if row % 2 else 'bad road here'} {rng.integers(1e6)},{row % 2},{sex},{row // 2}"
        for row, sex in enumerate(["F", "F", "M", "M"] * 60)
    ]
    (tmp_path / "t.csv").write_text("text,label,sex,patient\n" + "\n".join(rows) + "\n")
    result = flow.adapt(tmp_path / "t.csv", tmp_path / "o", options(group=("sex", "patient")))
    sexes = {item.value: item for item in result.groups[0].values}
    assert all(sexes[name].told for name in ("F", "M"))
    assert result.groups[0].p_value is not None
    assert [item.summary for item in result.checks if item.kind == "few-groups" and "the split" in item.summary]
    assert result.honest_score is not None and result.honest_score.n_together == result.n_rows.train


def test_three_sites_stay_on_one_side_each(tmp_path: Path) -> None:
    lines = [f"{'good water here' if row % 2 else 'bad road'} {row},{row % 2},{'ABC'[row // 40]}" for row in range(120)]
    (tmp_path / "t.csv").write_text("text,label,site\n" + "\n".join(lines) + "\n")
    result = flow.adapt(tmp_path / "t.csv", tmp_path / "o", options(group=("site",)))
    assert (result.n_rows.train, result.n_rows.test) == (80, 40)


def test_an_unknown_group_column_names_the_columns(text_table: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="no group column 'patient'"):
        flow.adapt(text_table, tmp_path / "o", options(group=("patient",)))


def test_a_missing_label_column_names_what_was_found(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,remark\nhello,a\nworld,b\n")
    with pytest.raises(DataError, match=r"no label column .*remark"):
        flow.adapt(tmp_path / "t.csv", tmp_path / "o", options())


def test_labels_per_class_draws_so_many(text_table: Path, tmp_path: Path) -> None:
    result = flow.adapt(text_table, tmp_path / "o", options(labels_per_class=5, strategy="linear-probe"))
    assert result.n_rows.train == 15
    assert [item.name for item in result.strategies] == ["linear-probe"]


def test_a_separate_test_table_is_used(adapted: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    data = adapted["series"][0]
    lines = data.read_text().splitlines()
    (tmp_path / "train.csv").write_text("\n".join(lines[:31]) + "\n")
    (tmp_path / "new.csv").write_text("\n".join([lines[0], *lines[31:]]) + "\n")
    result = flow.adapt(tmp_path / "train.csv", tmp_path / "o", options(test=tmp_path / "new.csv", base="minirocket"))
    assert (result.n_rows.train, result.n_rows.test) == (30, 10)
    assert not result.base.pretrained and result.verdict.transfer == "no evidence"


def test_python_users_read_adapt_predict_save_and_load(text_table: Path, tmp_path: Path) -> None:
    data = hs.read(text_table)
    model = hs.adapt(data, strategy="linear-probe", offline=True, precision="float32")
    messages = ["the well has no water", "the bridge on the road is flooded", "the teacher did not come to school"]
    assert model.predict(messages).tolist() == ["water", "roads", "school"]
    model.save(tmp_path / "doctor")
    assert {"model.onnx", "golden.npz", "predict.py"} <= {path.name for path in (tmp_path / "doctor").iterdir()}
    np.testing.assert_allclose(
        hs.load(tmp_path / "doctor").predict_proba(messages), model.predict_proba(messages), atol=1e-5
    )
    assert model.result is not None and model.result.n_rows.train == 45


@pytest.mark.parametrize(("kind", "strategy"), [("text", "linear-probe"), ("series", "classic"), ("image", "classic")])
def test_the_model_of_a_run_with_a_folder_answers_as_the_bundle_in_it(
    adapted: dict[str, tuple[Path, Path]], kind: str, strategy: str, tmp_path: Path
) -> None:
    data = adapted[kind][0]
    model = hs.adapt(data, tmp_path / "out", strategy=strategy, offline=True)
    loaded = hs.load(tmp_path / "out")
    rows = list(hs.read(data).inputs[:12])
    whole = Model(bundles.load_bundle(tmp_path / "out", "torch"))
    assert (model.predict_proba(rows) == whole.predict_proba(rows)).all() and model.answer(rows) == whole.answer(rows)
    np.testing.assert_allclose(loaded.predict_proba(rows), model.predict_proba(rows), atol=1e-3)  # Portable form.
    assert [one["answer"] for one in loaded.answer(rows)] == [one["answer"] for one in model.answer(rows)]
    model.save(tmp_path / "saved")
    manifests = [json.loads((tmp_path / place / "manifest.json").read_text()) for place in ("saved", "out/bundle")]
    assert manifests[0]["sha256"] == manifests[1]["sha256"]


def test_finished_rungs_are_not_fitted_again(text_table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flow.adapt(text_table, tmp_path / "o", options())
    from headstart.strategies.baselines import classic

    def refused(*args: object, **kwargs: object) -> None:
        raise AssertionError("fitted again")

    monkeypatch.setattr(classic, "fit", refused)
    first = (tmp_path / "o" / "test_predictions.csv").read_text()
    flow.adapt(text_table, tmp_path / "o", options())
    assert (tmp_path / "o" / "test_predictions.csv").read_text() == first


def test_a_pool_is_put_together_again_where_other_rungs_may_have_come(
    text_table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headstart.strategies import blend

    fit, given = blend.fit, []

    def watched(rows: Any, task: Any, members: Any) -> Any:
        given.append(sorted(members))
        return fit(rows, task, members)

    monkeypatch.setattr(blend, "fit", watched)
    flow.adapt(text_table, tmp_path / "o", options())
    flow.adapt(text_table, tmp_path / "o", options())
    assert len(given) == 2 and given[0] == given[1]


def test_a_killed_adapt_resumes_to_the_same_predictions(
    adapted: dict[str, tuple[Path, Path]], tmp_path: Path, headstart_home: Path
) -> None:
    data, out = adapted["text"]
    command = [sys.executable, "-m", "headstart.cli.main", "adapt", str(data), "-o", str(tmp_path / "o"), "--offline"]
    command += ["--strategy", QUICK, "--precision", "float32"]
    process = subprocess.Popen(command, env=dict(os.environ), stderr=subprocess.DEVNULL)
    for _ in range(600):
        if list((tmp_path / "o" / "run" / "rungs").glob("*.json")) or process.poll() is not None:
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not list(tmp_path.glob("o/.*.partial")) or not (tmp_path / "o" / "result.json").exists()
    flow.adapt(data, tmp_path / "o", options())
    assert (tmp_path / "o" / "test_predictions.csv").read_text() == (out / "test_predictions.csv").read_text()


def test_without_strategies_that_need_it_the_base_is_not_run(
    image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headstart.features import extraction

    def refused(*args: object) -> None:
        raise AssertionError("the base was run")

    monkeypatch.setattr(extraction, "choose_runtime", refused)
    result = flow.adapt(image_folder, tmp_path / "o", options(strategy="majority,classic"))
    assert result.base.runtime == "not used" and result.n_rows.set_aside == 0
    assert [item.name for item in result.strategies] == ["majority", "classic"]
