"""A thousand classes: what is written and said stays small, and nothing is recomputed for every row."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from headstart.cli.main import app
from headstart.flow.inference import answer_tables
from headstart.records import Predictions, make_column

N_CLASSES, ROWS_A_CLASS = 1_000, 6


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    root = tmp_path_factory.mktemp("many")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_HOME", str(root / "home"))
        rows = [f"row {i} of kind {k},kind-{k:04d}" for k in range(N_CLASSES) for i in range(ROWS_A_CLASS)]
        (root / "rows.csv").write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
        command = ["adapt", str(root / "rows.csv"), "-o", str(root / "out"), "--strategy", "majority", "--offline"]
        done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    return root / "out", done.stderr


def test_report_card_and_terminal_stay_small(adapted: tuple[Path, str]) -> None:
    out, said = adapted
    sizes = {name: (out / name).stat().st_size for name in ("report.html", "README.md")}
    assert sizes["report.html"] < 500_000 and sizes["README.md"] < 100_000, sizes
    assert (out / "result.json").stat().st_size < 4_000_000
    assert len(said.splitlines()) < 60, said


def test_the_result_holds_every_class(adapted: tuple[Path, str]) -> None:
    document = json.loads((adapted[0] / "result.json").read_text("utf-8"))
    assert len(document["classes"]) == len(document["confusion"]["matrix"]) == N_CLASSES
    assert sum(map(sum, document["confusion"]["matrix"])) == document["n_rows"]["test"]


def test_predictions_name_the_three_most_probable_classes_and_not_a_column_for_each(
    adapted: tuple[Path, str],
) -> None:
    with (adapted[0] / "test_predictions.csv").open(encoding="utf-8", newline="") as handle:
        header, *rows = csv.reader(handle)
    assert header[:5] == ["id", "label", "predicted", "label_1", "probability_1"] and len(header) == 13
    assert {len(row) for row in rows} == {13}
    few, many = (tuple(str(code) for code in range(n)) for n in (100, 101))
    assert len(answer_tables.list_test_columns("classification", few)) == 107
    assert len(answer_tables.list_test_columns("classification", many)) == 13


def test_answers_are_looked_up_once_for_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = np.random.default_rng(0).dirichlet(np.ones(101), size=50)
    said = Predictions(
        ids=make_column([str(i) for i in range(50)]),
        classes=tuple(str(code) for code in range(101)),
        probabilities=shares,
    )
    asked = []
    codes = Predictions.class_indices.fget
    assert codes is not None
    monkeypatch.setattr(Predictions, "class_indices", property(lambda self: asked.append(1) or codes(self)))
    rows = list(answer_tables.iterate_test_rows(np.zeros(50, dtype=np.intp), said))
    assert len(asked) <= 2  # Once to be written, once to be decided on.
    assert rows[7][2] == rows[7][3] == str(shares[7].argmax())
