"""One comparison of labels in every file: what no reader sees is the same, letter case only where it is asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headstart import data
from headstart.decisions import parse_costs
from headstart.errors import DataError, OptionError
from headstart.flow.adaptation.prepare import read_data
from headstart.options import AdaptOptions, parse
from headstart.records import Table
from headstart.spellings import fold_label, match_names

NFC, NFD = "Sant\u00e9", "Sante\u0301"


def table(path: Path, labels: list[str], text: str = "message") -> Path:
    rows = [f"{text} {row},{label}" for row, label in enumerate(labels)]
    path.write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def pair(tmp_path: Path, train: list[str], test: list[str], **options: object) -> tuple[Table, Table]:
    there = table(tmp_path / "test.csv", test, "another")
    made, other = read_data(table(tmp_path / "train.csv", train), parse(AdaptOptions, test=there, **options))
    assert other is not None
    return made, other


@pytest.mark.parametrize(
    ("label", "known", "merge", "found"),
    [
        (NFD, NFC, False, NFC),
        (f" {NFC} ", NFC, False, NFC),
        ("TRUE", "True", False, "True"),
        ("true", "True", False, "True"),
        ("1.0", "1", False, "1"),
        ("2.50", "2.5", False, "2.5"),
        ("7", "007", False, None),
        ("7", "007", True, None),
        ("Water", "water", False, None),
        ("Water", "water", True, "water"),
        ("clean  Water", "cleanwater", True, "cleanwater"),
    ],
)
def test_spellings_are_told_apart_or_not(label: str, known: str, merge: bool, found: str | None) -> None:
    assert match_names([label], [known, "other"], merge).renamed.get(label) == found


def test_true_and_false_are_1_and_0_where_nothing_else_is_there() -> None:
    assert match_names(["True", "False"], ["0", "1"], False).renamed == {"True": "1", "False": "0"}
    assert match_names(["1", "0"], ["TRUE", "FALSE"], False).renamed == {"1": "TRUE", "0": "FALSE"}
    assert match_names(["True"], ["0", "1", "2"], True).unknown == ("True",)


def test_a_name_that_is_two_known_ones_is_neither() -> None:
    assert match_names(["WATER"], ["water", "Water"], True).unknown == ("WATER",)
    assert fold_label("1.0") == fold_label("1") != fold_label("01")


def test_a_test_file_of_which_no_label_is_known_stops(tmp_path: Path) -> None:
    with pytest.raises(DataError) as stopped:
        pair(tmp_path, ["water", "roads"] * 5, ["Water", "Roads", "Roads"])
    assert "None of the 3 rows of" in stopped.value.problem and "(Roads, Water)" in stopped.value.problem
    assert "has roads, water" in stopped.value.problem and "--merge-labels" in stopped.value.hint
    with pytest.raises(DataError, match=r"pumps.*name the right column with --label"):
        pair(tmp_path, ["water", "roads"] * 5, ["pumps"])


def test_merging_takes_the_spelling_of_the_training_rows_and_says_so(tmp_path: Path) -> None:
    _, test = pair(tmp_path, ["water", "roads"] * 5, ["Water", "Roads", "Roads"], merge_labels=True)
    assert test.labels is not None and test.labels.tolist() == ["water", "roads", "roads"]
    (told,) = [item for item in test.findings if item.kind == "odd-label"]
    assert "3 rows" in told.summary and "'Roads' for 'roads': 2 rows" in told.summary


@pytest.mark.parametrize(
    ("train", "test"), [([NFC, "x"], [NFD, "x"]), (["1", "0"], ["1.0", "0.0"]), (["True", "False"], ["TRUE", "FALSE"])]
)
def test_what_no_reader_can_see_needs_no_option(tmp_path: Path, train: list[str], test: list[str]) -> None:
    made, other = pair(tmp_path, train * 5, test, task="classification")
    assert made.labels is not None and other.labels is not None
    assert set(other.labels) == set(made.labels)


def test_a_part_that_is_spelled_otherwise_is_warned_of_with_its_rows(tmp_path: Path) -> None:
    made, test = pair(tmp_path, ["water", "roads"] * 9, ["Water", "roads", "Water"])
    found = {item.kind: item for item in data.assign_splits(made, parse(AdaptOptions), test).findings}
    assert found["odd-label"].severity == "warn" and "'Water' (2 rows) looks like 'water'" in found["odd-label"].summary
    assert found["class-only-in-test"].summary.startswith("2 test rows")


def test_several_labels_are_compared_alike(tmp_path: Path) -> None:
    train = ['"[""water"", ""roads""]"', '"[""health""]"', '"[""water""]"'] * 4
    _, test = pair(tmp_path, train, ["Water; ROADS", "health"], merge_labels=True)
    assert test.target_names == ("roads", "water", "health") or set(test.target_names) == {"water", "roads", "health"}
    assert test.targets is not None and test.targets.sum() == 3
    with pytest.raises(DataError, match="None of the 2 rows"):
        pair(tmp_path, train, ["Water; ROADS", "Health"])


def test_numbers_are_not_compared_as_names(tmp_path: Path) -> None:
    numbers = [f"{n / 7:.3f}" for n in range(30)]
    _, test = pair(tmp_path, numbers, ["1.5", "2.25"])
    assert test.targets is not None and test.targets[:, 0].tolist() == [1.5, 2.25]


def test_two_columns_of_one_label_become_one() -> None:
    found = data.from_arrays(["a", "b"], ["x", "y"])
    targets = np.array([[1, 0, 0], [0, 1, 1]], dtype=np.float32)
    several = replace(found, task="multi-label", targets=targets, target_names=("Water", "water", "roads"))
    matched = data.match_labels(several, ("water", "roads"), merge=True).table
    assert matched.target_names == ("water", "roads") and matched.targets is not None
    assert matched.targets.tolist() == [[1, 0], [1, 1]]


def test_costs_and_grades_may_be_named_in_another_spelling(tmp_path: Path) -> None:
    assert parse_costs(["tb->Healthy=20"], ["TB", "healthy"], 0.25).matrix == ((0.0, 20.0), (1.0, 0.0))
    with pytest.raises(OptionError, match="did you mean 'healthy'"):
        parse_costs(["TB->helthy=20"], ["TB", "healthy"], 0.25)
    path = table(tmp_path / "a.csv", ["low", "high", "mid"] * 3)
    assert data.read_table(path, parse(AdaptOptions, order="Low,Mid,HIGH")).target_names == ("low", "mid", "high")
    path = table(tmp_path / "a.csv", ["low", "high", "mid", "Low"] * 3)
    with pytest.raises(DataError, match="--merge-labels"):
        data.read_table(path, parse(AdaptOptions, order="low,mid,high"))
    merged = data.read_table(path, parse(AdaptOptions, order="low,mid,high", merge_labels=True))
    assert merged.labels is not None and set(merged.labels) == {"low", "mid", "high"}


def test_corrections_are_compared_as_test_rows_are(tmp_path: Path) -> None:
    from headstart.flow.adaptation.prepare import read_like

    made = data.read_table(table(tmp_path / "train.csv", ["1", "0"] * 6))
    more = read_like(made, table(tmp_path / "more.csv", ["1.0", "2"], "more"), parse(AdaptOptions))
    assert more.labels is not None and more.labels.tolist() == ["1", "2"]


def test_booleans_of_a_workbook_are_those_of_a_csv(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in [("text", "label"), ("one", True), ("two", False)]:
        book.active.append(row)
    book.save(tmp_path / "test.xlsx")
    path = table(tmp_path / "train.csv", ["true", "false"] * 5)
    _, test = read_data(path, parse(AdaptOptions, test=tmp_path / "test.xlsx"))
    assert test is not None and test.labels is not None and test.labels.tolist() == ["true", "false"]


def test_corrections_over_http_are_kept_in_the_spelling_of_the_model(tmp_path: Path) -> None:
    from headstart.web.feedback import _normalise_label
    from headstart.web.models import ServedModel

    def checked(label: str, task: str = "classification") -> str:
        model = ServedModel(
            name="m",
            modality="text",
            task=task,
            classes=("water", "clean roads"),
            answer=lambda inputs: [],
            info={},
            columns={},
        )
        return _normalise_label(label, model)

    assert checked("Water") == "water" and checked("CLEAN  ROADS") == "clean roads" and checked("pumps") == "pumps"
    assert checked("clean roads", "ordinal") == "clean roads" and checked("Water", "ordinal") == "water"
    for label in ("Clean roads, WATER", '["clean roads", "water"]', "water|clean roads"):
        assert checked(label, "multi-label") == "water;clean roads"


def test_bundles_whose_classes_are_spelled_otherwise_are_compared_when_asked() -> None:
    from headstart.flow.external_validation.compare import _rename_classes, _reorder_classes
    from headstart.records import Predictions, make_column

    spelled = match_names(["Water", "roads"], ["roads", "water"], merge=True)
    said = Predictions(ids=make_column(["a"]), classes=("Water", "roads"), probabilities=np.array([[0.9, 0.1]]))
    assert _reorder_classes(_rename_classes(said, spelled), ("roads", "water")).probabilities.tolist() == [[0.1, 0.9]]


def test_the_label_column_of_training_may_be_written_in_another_way(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,Verdict \nthe pump is dry,a\nno water here,b\n", encoding="utf-8")
    table = data.read_table(tmp_path / "a.csv", parse(AdaptOptions), {"text": "text", "label": "verdict"})
    assert table.columns["label"] == "Verdict" and table.labels is not None and table.labels.tolist() == ["a", "b"]


def test_labels_of_rows_to_be_predicted_are_not_remarked_on(tmp_path: Path) -> None:
    place = table(tmp_path / "new.csv", ["water", "Water", "roads"])
    assert data.read_ordered_inputs([place], "text", {"text": "text", "label": "label"}, {}).table.findings == ()
