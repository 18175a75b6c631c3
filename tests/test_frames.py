"""Columns and tables of pandas, Arrow and numpy are rows like any other: all of them, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headstart as hs
from headstart import data
from headstart.data.reading.frames import convert_frame, convert_inputs, is_column, is_frame
from headstart.errors import DataError
from headstart.options import ReadOptions, parse

pandas = pytest.importorskip("pandas")
arrow = pytest.importorskip("pyarrow")
TEXTS = ["The pump is dry", "The road is blocked", "No water here", "The bus is late"]
LABELS = ["water", "roads", "water", "roads"]


@dataclass
class OtherColumn:
    """What a polars Series can do."""

    values: list[Any]
    dtype: str = "String"

    def to_list(self) -> list[Any]:
        return self.values

    def __len__(self) -> int:
        return len(self.values)


@dataclass
class OtherFrame:
    """What a polars DataFrame can do."""

    data: dict[str, list[Any]]

    @property
    def columns(self) -> list[str]:
        return list(self.data)

    @property
    def shape(self) -> tuple[int, int]:
        return len(next(iter(self.data.values()))), len(self.data)

    def __getitem__(self, name: str) -> OtherColumn:
        return OtherColumn(self.data[name])


def shuffled_index(values: list[Any], dtype: Any = None) -> Any:
    return pandas.Series(values, dtype=dtype, index=[7, 3, 9, 1][: len(values)])


MADE: dict[str, Callable[[list[str]], Any]] = {
    "list": list,
    "Series": shuffled_index,
    "object Series": lambda values: shuffled_index(values, object),
    "string Series": lambda values: shuffled_index(values, "string"),
    "Arrow Series": lambda values: shuffled_index(values, pandas.ArrowDtype(arrow.string())),
    "categorical Series": lambda values: shuffled_index(values, "category"),
    "one column": lambda values: pandas.DataFrame({"whatever": shuffled_index(values)}),
    "named column": lambda values: pandas.DataFrame({"age": [1, 2, 3, 4], "text": values, "label": LABELS}),
    "Arrow array": arrow.array,
    "Arrow chunks": lambda values: arrow.chunked_array([values[:1], values[1:]]),
    "Arrow table": lambda values: arrow.table({"text": values}),
    "str array": np.array,
    "object array": lambda values: np.array(values, dtype=object),
    "column array": lambda values: np.array(values, dtype=object)[:, None],
    "generator": lambda values: (value for value in values),
    "other column": OtherColumn,
    "other frame": lambda values: OtherFrame({"text": values, "label": LABELS}),
}


@pytest.mark.parametrize("name", list(MADE))
def test_texts_of_any_library_are_a_list_of_texts_in_order(name: str) -> None:
    found = convert_inputs(MADE[name](TEXTS))
    assert found == TEXTS and all(type(value) is str for value in found)
    table = data.from_arrays(MADE[name](TEXTS), MADE["categorical Series"](LABELS))
    assert table.modality == "text" and table.inputs.tolist() == TEXTS and table.labels.tolist() == LABELS


@pytest.mark.parametrize("missing", [None, float("nan"), pandas.NA])
@pytest.mark.parametrize("name", ["list", "Series", "object Series", "string Series", "object array", "other column"])
def test_a_missing_text_keeps_its_place(name: str, missing: Any) -> None:
    values = [TEXTS[0], missing, TEXTS[2]]
    inputs = data.make_ordered_inputs(MADE[name](values), "text", {"text": "text"})
    assert inputs.order == (("0", 0), ("1", None), ("2", 1))
    assert inputs.table.inputs.tolist() == [TEXTS[0], TEXTS[2]]
    assert [item.reason for item in inputs.table.set_aside] == ["the text is empty"]


def test_a_table_of_numbers_is_series_and_arrays_in_cells_are_too() -> None:
    wide = pandas.DataFrame(np.arange(30.0).reshape(3, 10), columns=[f"c{n}" for n in range(10)])
    assert data.from_arrays(wide).inputs[1].tolist() == [list(range(10, 20))]
    cells = pandas.Series([np.arange(9.0), np.arange(12.0), None], index=[5, 4, 3])
    inputs = data.make_ordered_inputs(cells, "series", {})
    assert [row for _, row in inputs.order] == [0, 1, None]
    nullable = pandas.DataFrame({"t0": pandas.array([1, None], dtype="Int64"), "t1": [2.0, 3.0]})
    assert np.isnan(data.from_arrays(nullable).inputs[1][0, 0])


def test_a_table_of_several_columns_of_which_none_is_named_is_refused() -> None:
    with pytest.raises(DataError, match="2 columns"):
        convert_inputs(pandas.DataFrame({"one": TEXTS, "two": LABELS}))


def test_a_table_in_memory_is_read_as_one_from_a_file() -> None:
    frame = pandas.DataFrame({"message": TEXTS, "label": LABELS, "age": [3, 4, 5, 6]}, index=[4, 3, 2, 1])
    table = data.read_frame(frame, parse(ReadOptions))
    assert table.inputs.tolist() == TEXTS and table.labels.tolist() == LABELS
    assert table.metadata["age"].tolist() == ["3", "4", "5", "6"] and table.columns["text"] == "message"
    assert hs.read(frame, label="label").modality == "text"


def test_pictures_in_a_table_are_found(tmp_path: Path, image_folder: Path) -> None:
    paths = sorted(image_folder.rglob("*.png"))[:4]
    found = data.from_arrays(pandas.Series([str(path) for path in paths], index=[9, 8, 7, 6]), LABELS)
    assert found.modality == "image" and found.inputs.tolist() == paths
    named = data.from_arrays(pandas.DataFrame({"path": list(map(str, paths)), "label": LABELS}))
    assert named.modality == "image" and named.inputs.tolist() == paths


def test_frames_and_columns_are_told_by_what_they_can_do() -> None:
    assert (
        is_frame(pandas.DataFrame({"a": [1]}))
        and is_frame(OtherFrame({"a": [1]}))
        and is_frame(arrow.table({"a": [1]}))
    )
    assert not any(map(is_frame, ([1], np.zeros((2, 2)), "text", {"a": [1]}, pandas.Series([1]))))
    assert is_column(pandas.Series([1])) and is_column(arrow.array([1])) and not is_column(np.zeros(2))
    assert convert_frame(pandas.DataFrame({"a": [1.0, None], "b": ["x", None]})).texts("b") == ["x", ""]


@pytest.fixture(scope="module")
def many() -> Iterator[Any]:
    words = {"water": ["well", "pump", "tap", "borehole"], "roads": ["bridge", "road", "bus", "hole"]}
    rows = [(f"the {w} is bad {i}", label) for label, ws in words.items() for w in ws for i in range(4)]
    frame = pandas.DataFrame(rows, columns=["text", "label"])
    yield frame.sample(frac=1, random_state=0)


def test_the_estimator_takes_series_and_answers_every_row_in_order(many: Any) -> None:
    model = hs.Adapter(strategy=["linear-probe"], offline=True, time="1m").fit(many["text"], many["label"])
    assert sorted(model.classes_) == ["roads", "water"]
    expected = model.predict(many["text"].tolist())
    for inputs in (many["text"], many[["text"]], many, many["text"].to_numpy(), many["text"].astype("string")):
        assert model.predict(inputs).tolist() == expected.tolist()
    assert model.score(many["text"], many["label"]) > 0.9
    holed = many["text"].copy()
    holed.iloc[1] = None
    with pytest.warns(UserWarning, match=r"1 of 32 inputs have no answer .row 1: the text is empty"):
        said = model.predict(holed)
    assert said[1] is None and [*said[:1], *said[2:]] == [*expected[:1], *expected[2:]]
    with pytest.warns(UserWarning, match="have no answer"):
        assert np.isnan(model.predict_proba(holed)[1]).all() and model.score(holed, many["label"]) > 0.8
    answers = model.model_.answer(holed)
    assert answers[1]["answer"] is None and answers[1]["reason"] == "the text is empty" and len(answers) == len(holed)
    with pytest.raises(ValueError, match="1 missing labels"):
        model.fit(many["text"], many["label"].where(many.index != 3))


def test_labels_of_two_dimensions_are_one_label_a_column() -> None:
    table = data.from_arrays(TEXTS, np.array([[1, 0], [0, 1], [1, 1], [0, 0]]))
    assert table.task == "multi-label" and table.targets is not None and table.target_names == ("0", "1")
    assert table.targets.tolist() == [[1, 0], [0, 1], [1, 1], [0, 0]]
    table = data.from_arrays(TEXTS, pandas.DataFrame({"water": [1, 0, 1, 0], "roads": [0, 1, 0, 1]}))
    assert table.target_names == ("water", "roads")
    for labels in (np.array(LABELS)[:, None], pandas.DataFrame({"label": LABELS})):
        table = data.from_arrays(TEXTS, labels)
        assert table.task == "classification" and table.labels is not None and table.labels.tolist() == LABELS


def test_sets_and_bytes_in_cells_are_labels_and_texts() -> None:
    frame = pandas.DataFrame({"text": [text.encode() for text in TEXTS], "label": [{"b", "a"}, {"a"}, set(), {"b"}]})
    table = data.read_frame(frame, parse(ReadOptions, task="multi-label"))
    assert table.inputs[0] == TEXTS[0] and table.target_names == ("a", "b") and table.targets is not None
    assert table.targets.tolist() == [[1, 1], [1, 0], [0, 0], [0, 1]]


def test_columns_of_several_levels_are_channels() -> None:
    levels = pandas.MultiIndex.from_product([["x", "y"], range(9)])
    frame = pandas.DataFrame(np.random.default_rng(0).normal(size=(4, 18)), columns=levels).assign(label=LABELS)
    table = data.read_frame(frame, parse(ReadOptions))
    assert table.inputs[0].shape == (2, 9) and table.columns["label"] == "label"


def test_rows_of_texts_in_two_dimensions_are_refused() -> None:
    with pytest.raises(DataError, match="no arrays of numbers"):
        data.from_arrays(np.array([["a b", "c d"]] * 4), LABELS)
