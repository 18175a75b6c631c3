"""Exit codes say whether anything came out; advice knows spellings; full disks are two lines."""

from __future__ import annotations

import csv
import errno
import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast, get_args

import numpy as np
import pytest
from PIL import Image, ImageOps
from typer.testing import CliRunner

from headstart import bundle as bundles
from headstart.bundle.prints import draw_prints, find_near_copies
from headstart.cli.main import app
from headstart.disk_errors import explain_disk_error
from headstart.errors import DataError
from headstart.flow.external_validation.readiness_here import judge_evaluation
from headstart.flow.external_validation.site_comparison import choose_advice
from headstart.flow.inference.labelled_rows import leave_out_training_rows
from headstart.modalities.fingerprints import BLANK_IMAGE, fingerprint_image
from headstart.modalities.record import Fingerprint
from headstart.records import Table, make_column
from headstart.report import write_sentence
from headstart.report.sentences.new_rows import describe_new_rows, describe_right_answers
from headstart.report.terminal_words import name_advice
from headstart.results import (
    Advice,
    BesideTraining,
    Calibration,
    Drift,
    Evaluation,
    Figure,
    Metrics,
    NextStep,
    Readiness,
    ReadinessReason,
    SiteFigures,
)

BUNDLE = Path(__file__).parent / "data" / "bundle-format-3"


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.stdout


def unreadable(path: Path) -> Path:
    path.write_text('text,place\n"",north\n"  ",south\n', encoding="utf-8")
    return path


def test_predict_exits_with_2_where_nothing_could_be_read_and_writes_the_reasons(tmp_path: Path) -> None:
    path = unreadable(tmp_path / "empty.csv")
    code, _ = run("predict", BUNDLE, path, "-o", tmp_path / "p.csv", "-q")
    assert code == 2
    with (tmp_path / "p.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 2 and all(row["reason"] and not row["answer"] for row in rows)
    code, printed = run("predict", BUNDLE, path, "-q")
    assert code == 2 and len(printed.splitlines()) == 3


def evaluation(n_rows: int, unknown: dict[str, int], **more: object) -> Evaluation:
    return Evaluation(
        bundle="b", data="d", classes=["rust", "healthy", "grade1"], n_rows=n_rows, unknown_labels=unknown,
        metrics=None, confusion=None, set_aside=[], trained_on="t", **more,
    )  # fmt: skip


def test_labels_spelt_almost_like_a_class_are_pointed_out_before_training_is_advised() -> None:
    found = choose_advice(evaluation(30, {"helthy": 12}))
    assert found.action == "cannot tell" and "'helthy' for 'healthy'" in write_sentence(found)
    assert choose_advice(evaluation(10, {"Rusts": 12})).action == "cannot tell"


@pytest.mark.parametrize("label", ["blight", "grade2", "unhealthy"])
def test_other_classes_are_no_spellings(label: str) -> None:
    assert choose_advice(evaluation(30, {label: 12})).action == "re-train"


def test_nobody_is_asked_to_correct_probabilities_for_less_than_a_point() -> None:
    def surer(share: float) -> Calibration:
        figure = Figure(value=share, low=share / 2, high=2 * share)
        return Calibration.model_construct(overconfidence=figure, error=figure)

    said = {share: evaluation(400, {}).model_copy(update={"calibration": surer(share)}) for share in (0.004, 0.04)}
    assert choose_advice(said[0.004]).action != "recalibrate" and choose_advice(said[0.04]).action == "recalibrate"


def table(n: int) -> Table:
    return Table(
        modality="text", ids=make_column([str(row) for row in range(n)]), inputs=make_column(["x"] * n),
        hashes=make_column([str(row) for row in range(n)]), labels=None, splits=make_column([""] * n),
    )  # fmt: skip


def knowing(learnt: Sequence[int], tested: Sequence[int] = ()) -> bundles.Bundle:
    seen = SimpleNamespace(
        contains=lambda hashes: np.isin(hashes.astype(int), learnt), prints=(),
        was_tested_on=lambda hashes: np.isin(hashes.astype(int), tested),
    )  # fmt: skip
    return cast("bundles.Bundle", SimpleNamespace(seen_rows=seen))


def test_rows_that_were_learnt_are_left_out_and_all_of_them_are_an_error() -> None:
    left = leave_out_training_rows(table(4), [knowing([0, 2], [1])])
    assert (left.n_learnt, left.n_tested) == (2, 1) and left.table.ids.tolist() == ["1", "3"]
    left = leave_out_training_rows(table(4), [knowing([0]), knowing([3])])
    assert left.n_learnt == 2 and left.table.ids.tolist() == ["1", "2"]
    with pytest.raises(DataError, match=r"learnt from every one of these 4 messages"):
        leave_out_training_rows(table(4), [knowing([0, 1, 2, 3])])
    old = cast("bundles.Bundle", SimpleNamespace(seen_rows=None))
    assert leave_out_training_rows(table(2), [old]).n_learnt == 0


def test_rows_that_were_learnt_are_counted_in_words_and_old_test_rows_advise_nothing() -> None:
    accuracy = Figure(value=0.56, low=0.445, high=0.672)
    new = evaluation(75, {}).model_copy(
        update={"modality": "text", "n_learnt": 225, "metrics": Metrics.model_construct(accuracy=accuracy, n_rows=75)}
    )
    assert describe_new_rows(new) == ["225 of these 300 messages are ones it learnt from: left out."]
    assert describe_right_answers(new) == "On the other 75 messages: right in 56 of 100 (surely between 44 and 68)."
    again = new.model_copy(update={"n_tested": 75})
    assert "figures below are not new" in describe_new_rows(again)[1]
    assert choose_advice(again).code == "tested-before" and choose_advice(new).code != "tested-before"
    assert judge_evaluation(new.model_copy(update={"n_tested": 40})) is None


def test_a_photo_saved_again_is_known_and_another_is_not() -> None:
    def look(seed: int, mirrored: bool = False) -> Fingerprint:
        image = Image.fromarray(np.random.default_rng(seed).integers(0, 255, (9, 9, 3), dtype=np.uint8))
        smooth = image.resize((120, 120), Image.Resampling.BICUBIC)
        return fingerprint_image(ImageOps.mirror(smooth) if mirrored else smooth)

    prints = draw_prints([look(0), look(1), BLANK_IMAGE], 0)
    assert prints.shape == (2, 32)
    assert find_near_copies([look(1, mirrored=True), look(2), BLANK_IMAGE], prints).tolist() == [True, False, False]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_with_its_folder_and_what_to_do(tmp_path: Path, number: int) -> None:
    told = explain_disk_error(OSError(number, "full", str(tmp_path / "out" / "p.csv")), [tmp_path])
    assert told is not None and "no space left" in told.problem and "HEADSTART_HOME" in told.hint


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_missing_permission_is_told_with_the_file(tmp_path: Path, number: int) -> None:
    told = explain_disk_error(OSError(number, "denied", str(tmp_path / "p.csv")))
    assert told is not None and "p.csv cannot be written" in told.problem and "permission" in told.hint


def test_other_faults_of_the_system_are_no_matter_of_disks(tmp_path: Path) -> None:
    assert explain_disk_error(OSError(errno.EIO, "i/o", str(tmp_path))) is None
    assert explain_disk_error(OSError("no number")) is None


def test_a_command_on_a_full_disk_exits_with_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("headstart.flow.check", full)
    (tmp_path / "t.csv").write_text("text,label\na,x\n", encoding="utf-8")
    code, printed = run("check", tmp_path / "t.csv", "--json")
    assert code == 2 and "no space left" in json.loads(printed)["error"]["problem"]


@pytest.mark.parametrize(
    ("level", "action"),
    [("ready", "use"), ("supervised", "use with a person checking"), ("not_ready", "do not use")],
)
def test_use_is_advised_only_where_the_model_is_ready_by_its_figures_here(level: str, action: str) -> None:
    half = Figure(value=0.5, low=0.4, high=0.6)
    reason = ReadinessReason(code="answered_right", level=level, figure=half, bound=0.9, n_rows=100)
    beside = BesideTraining(name="accuracy", there=half, n_rows_there=90, here=half, n_rows=100, difference=half)
    judged = evaluation(100, {}).model_copy(
        update={
            "readiness": Readiness(level=level, reasons=[reason], next=NextStep(code="use")),
            "beside_training": [beside],
        }
    )
    advice = choose_advice(judged)
    assert advice.action == action
    assert level == "ready" or "Its answers are right in 50 of 100" in write_sentence(advice)


def test_without_labels_nothing_is_advised_to_be_used() -> None:
    figure = Figure(value=0.5, low=0.4, high=0.6)
    drift = Drift(n_rows=100, n_rows_trained=200, auroc=figure, p_value=0.5, found=False)
    judged = evaluation(100, {}, labelled=False, drift=drift, shares={"label": figure})
    site = SiteFigures(data="d", n_rows=90, figures={"answered_right": figure})
    advice = choose_advice(judged, site)
    assert (advice.action, advice.code) == ("cannot tell", "no-labels")
    assert "Where it was made 50 % (95 % interval 40 to 60) were." in write_sentence(advice)


def test_every_action_has_its_words() -> None:
    actions = get_args(Advice.model_fields["action"].annotation)
    assert [name_advice(action) for action in actions] == [f"Advice: {action}." for action in actions]
