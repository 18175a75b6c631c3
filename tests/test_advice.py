"""Exit codes say whether anything came out; advice knows spellings; full disks are two lines."""

from __future__ import annotations

import csv
import errno
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from headstart.cli.main import app
from headstart.disk_errors import explain_disk_error
from headstart.errors import DataError
from headstart.flow.external_validation.site_comparison import choose_advice
from headstart.flow.inference.labelled_rows import leave_out_training_rows
from headstart.records import Table, make_column
from headstart.report import write_sentence
from headstart.results import Calibration, Evaluation, Figure

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


def test_rows_that_were_learnt_are_left_out_and_all_of_them_are_an_error() -> None:
    def knowing(*rows: int) -> SimpleNamespace:
        return SimpleNamespace(seen_rows=SimpleNamespace(contains=lambda hashes: np.isin(hashes.astype(int), rows)))

    left, n_learnt = leave_out_training_rows(table(4), [knowing(0, 2)], Path("d.csv"))  # type: ignore[list-item]
    assert n_learnt == 2 and left.ids.tolist() == ["1", "3"]
    left, n_learnt = leave_out_training_rows(table(4), [knowing(0), knowing(3)], Path("d.csv"))  # type: ignore[list-item]
    assert n_learnt == 2 and left.ids.tolist() == ["1", "2"]
    with pytest.raises(DataError, match=r"All 4 rows of d\.csv are training rows"):
        leave_out_training_rows(table(4), [knowing(0, 1, 2, 3)], Path("d.csv"))  # type: ignore[list-item]
    assert leave_out_training_rows(table(2), [SimpleNamespace(seen_rows=None)], Path("d.csv"))[1] == 0  # type: ignore[list-item]


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
