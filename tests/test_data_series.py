"""Series are read from wide and long tables, class folders, npz and ts, with gaps and unequal lengths."""

from pathlib import Path

import numpy as np
import pytest

from headstart import data
from headstart.data.reading import npz, table_files
from headstart.data.reading.table_limits import ReadingLimits
from headstart.errors import DataError
from headstart.options import ReadOptions, parse


def written(path: Path, lines: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_wide_table_with_gaps_and_other_columns(tmp_path: Path) -> None:
    header = ["label", "site", *(f"t{i}" for i in (*range(10), 11, 10))]
    rows = ["a,north,0,1,,3,4,5,6,7,8,9,11,10", "b,south,0,1,NA,3,4,5,6,7,8,9,,"]
    table = data.read_table(written(tmp_path / "a.csv", [",".join(header), *rows]))
    assert table.modality == "series" and table.inputs[0].shape == (1, 12) and table.inputs[0].dtype == np.float32
    assert table.inputs[0][0, -2:].tolist() == [10, 11], "steps are put in order"
    assert np.isnan(table.inputs[1][0, [2, 10, 11]]).all()
    assert table.metadata["site"].tolist() == ["north", "south"] and list(table.metadata) == ["site"]


def test_decimal_commas_are_understood_in_semicolon_tables(tmp_path: Path) -> None:
    lines = ["label;" + ";".join(f"t{i}" for i in range(9)), "a;" + ";".join(["1,5"] * 9), "b;" + ";".join(["2"] * 9)]
    table = data.read_table(written(tmp_path / "a.csv", lines))
    assert table.inputs[0][0].tolist() == [1.5] * 9


def test_a_point_behind_a_comma_is_refused_rather_than_read_as_a_thousandth(tmp_path: Path) -> None:
    lines = ["label;" + ";".join(f"t{i}" for i in range(9)), "a" + ";1" * 8 + ";1,234.5", "b" + ";1" * 9]
    with pytest.raises(DataError, match=r"row 2, column t8: '1,234\.5'"):
        data.read_table(written(tmp_path / "a.csv", lines))


def test_a_cell_that_is_no_number_is_named_with_row_and_column(tmp_path: Path) -> None:
    lines = ["label," + ",".join(f"t{i}" for i in range(9)), "a" + ",1" * 9, "b" + ",1" * 8 + ",abc"]
    with pytest.raises(DataError, match="row 3, column t8: 'abc'"):
        data.read_table(written(tmp_path / "a.csv", lines))


def test_several_channels_side_by_side_in_a_wide_table(tmp_path: Path) -> None:
    header = ",".join(["y", *(f"x_{i}" for i in range(9)), *(f"z_{i}" for i in range(9))])
    table = data.read_table(written(tmp_path / "a.csv", [header, "a" + ",1" * 9 + ",2" * 9]))
    assert table.inputs[0].shape == (2, 9) and table.inputs[0][1].tolist() == [2] * 9


def test_the_archive_form_without_header_is_recognised(tmp_path: Path) -> None:
    lines = ["\t".join(["1", *("0.5" for _ in range(12))]), "\t".join(["2", *("0.25" for _ in range(12))])]
    written(tmp_path / "ECG_TRAIN.tsv", lines)
    written(tmp_path / "ECG_TEST.tsv", lines)
    table = data.read_table(tmp_path)
    assert table.labels is not None and table.labels.tolist() == ["1", "2"] * 2
    assert table.splits.tolist() == ["test", "test", "train", "train"] and table.inputs[0].shape == (1, 12)
    assert table.ids[0] == "ECG_TEST.tsv:1"


@pytest.mark.parametrize("gap", ["NaN", "?", "NA", ""])
def test_a_first_row_of_numbers_is_data_though_some_are_missing(gap: str, tmp_path: Path) -> None:
    rows = [[str(1 + row % 2), *(f"{step % 5 + row / 7:.3f}" for step in range(12))] for row in range(6)]
    rows[0][-3:] = [gap] * 3
    table = data.read_table(written(tmp_path / "A_TRAIN.tsv", ["\t".join(row) for row in rows]))
    assert table.labels is not None and table.labels.tolist() == ["1", "2"] * 3
    assert np.isnan(table.inputs[0][0, -3:]).all() and table.inputs[0].shape == (1, 12)


def test_a_row_of_numbers_that_is_a_scale_names_the_columns(tmp_path: Path) -> None:
    rows = ["3,1,4,1,5,9,2,6,5,3", "2,7,1,8,2,8,1,8,2,8"]
    even = ["0.5,1.5,1.0,2.0,2.5,3.0,3.5,4.0,4.5,5.0", *rows]
    uneven = ["350.1,351.4,352.2,353.9,354.0,355.5,356.1,357.7,358.2,359.3", *rows]
    for number, lines in enumerate((even, uneven)):
        found = table_files.read_raw_table(written(tmp_path / f"{number}.csv", lines))
        assert not found.headerless and len(found.rows) == 2


def test_numbered_columns_of_words_are_no_steps_of_a_table_of_texts(tmp_path: Path) -> None:
    answers = [f"Q{number}" for number in range(1, 13)]
    lines = [",".join(["message", "topic", *answers])]
    lines += [",".join([f"The water is away {row}", "ab"[row % 2], *("yes" for _ in answers)]) for row in range(8)]
    table = data.read_table(written(tmp_path / "survey.csv", lines))
    assert table.modality == "text" and list(table.metadata) == answers
    assert table.metadata["Q3"].tolist() == ["yes"] * 8


def test_numbers_that_are_no_values_of_series_stay_as_they_were_written(tmp_path: Path) -> None:
    lines = ["message,topic," + ",".join(f"code{n}" for n in range(9)), *["Water is away,a" + ",007" * 9] * 3]
    table = data.read_table(written(tmp_path / "codes.csv", lines))
    assert table.metadata["code4"].tolist() == ["007"] * 3


def test_columns_named_by_date_are_values_too(tmp_path: Path) -> None:
    header = ",".join(["field", "class", *(f"2024-{month:02d}-01" for month in range(1, 13))])
    table = data.read_table(written(tmp_path / "a.csv", [header, "n" + ",a" + ",0.5" * 12, "s,b" + ",0.25" * 12]))
    assert table.inputs[1].shape == (1, 12) and list(table.metadata) == ["field"]


def test_a_long_table_is_sorted_by_time_and_may_have_unequal_lengths(tmp_path: Path) -> None:
    lines = ["id,time,x,y,label,site,age", "p1,2,12,22,a,north,40", "p2,1,30,40,b,south,50", "p1,1,11,21,a,north,40"]
    table = data.read_table(written(tmp_path / "a.csv", lines))
    assert table.ids.tolist() == ["p1", "p2"]
    assert table.inputs[0].tolist() == [[11, 12], [21, 22]] and table.inputs[1].tolist() == [[30], [40]]
    assert table.labels is not None and table.labels.tolist() == ["a", "b"]
    assert table.metadata["age"].tolist() == ["40", "50"], "what never changes within a series is no channel"
    assert table.columns["channel 1"] == "x" and table.columns["channel 2"] == "y"
    flat = written(tmp_path / "new.csv", ["id,time,y,x,age", "q,1,5,7,1", "q,2,5,7,2"])
    new = data.read_inputs([flat], "series", table.columns)
    assert new.inputs[0].tolist() == [[7, 7], [5, 5]], "the channels of training, in their order"


def test_dates_order_a_long_table(tmp_path: Path) -> None:
    lines = ["id,timestamp,x,label", "p,2024-10-01T00:00,3,a", "p,2024-09-01T00:00,2,a", "p,2024-02-01T00:00,1,a"]
    assert data.read_table(written(tmp_path / "a.csv", lines)).inputs[0].tolist() == [[1, 2, 3]]


def test_a_series_with_two_labels_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1 series have more than one label \(p\)"):
        data.read_table(written(tmp_path / "a.csv", ["id,time,x,label", "p,1,2,a", "p,2,3,b"]))


def test_a_group_column_of_numbers_is_no_channel(tmp_path: Path) -> None:
    lines = ["id,time,x,label,batch", "p,1,2,a,1", "p,2,3,a,2", "q,1,2,b,1", "q,2,3,b,1"]
    table = data.read_table(written(tmp_path / "a.csv", lines), parse(ReadOptions, group=["batch"]))
    assert table.inputs[0].shape == (1, 2) and "batch" in table.metadata


def test_a_folder_per_class_of_csv_files(tmp_path: Path) -> None:
    written(tmp_path / "walk/1.csv", ["time,x,y", "0,1,4", "1,2,5", "2,3,6"])
    written(tmp_path / "run/2.csv", ["1;10", "2;20,5"])
    written(tmp_path / "run/bad.csv", ["name", "nobody"])
    table = data.read_table(tmp_path)
    assert table.ids.tolist() == ["run/2.csv", "walk/1.csv"]
    assert table.labels is not None and table.labels.tolist() == ["run", "walk"]
    assert table.inputs[1].tolist() == [[1, 2, 3], [4, 5, 6]] and table.inputs[0].tolist() == [[1, 2], [10, 20.5]]
    assert [item.id for item in table.set_aside] == ["run/bad.csv"]
    new = data.read_inputs([tmp_path / "walk/1.csv"], "series", table.columns)
    assert new.inputs[0].shape == (2, 3) and new.ids.tolist() == [(tmp_path / "walk/1.csv").as_posix()]


def test_npz_arrays_are_read(tmp_path: Path) -> None:
    values = np.arange(24, dtype=np.float64).reshape(3, 2, 4)
    np.savez(
        tmp_path / "a.npz", X=values, y=np.array([1, 2, 1]), split=np.array(["train", "val", "test"]), age=[7, 8, 9]
    )
    table = data.read_table(tmp_path / "a.npz")
    assert table.inputs[0].tolist() == values[0].tolist() and table.inputs[0].dtype == np.float32
    assert table.splits.tolist() == ["train", "train", "test"] and table.metadata["age"].tolist() == ["7", "8", "9"]
    np.savez(tmp_path / "b.npz", X=np.array([{}], dtype=object))
    with pytest.raises(DataError, match="could run code"):
        data.read_table(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", Z=values)
    with pytest.raises(DataError, match="no array X"):
        data.read_table(tmp_path / "c.npz")


def test_ts_files_are_read_with_unequal_lengths_and_missing_values(tmp_path: Path) -> None:
    lines = ["# comment", "@problemName demo", "@classLabel true a b", "@data", "1,2,?:4,5,6:a", "1,2:4,5:b"]
    table = data.read_table(written(tmp_path / "demo_TRAIN.ts", lines))
    assert [values.shape for values in table.inputs] == [(2, 3), (2, 2)] and np.isnan(table.inputs[0][0, 2])
    assert table.labels is not None and table.labels.tolist() == ["a", "b"]
    with pytest.raises(DataError, match=r"1 lines cannot be read .line 3"):
        data.read_table(written(tmp_path / "bad.ts", ["@classLabel true a", "@data", "1,x,3:a"]))


def test_a_series_without_any_value_is_set_aside() -> None:
    table = data.from_arrays(np.array([[1.0, 2.0], [np.nan, np.nan]]), ["a", "b"])
    assert len(table) == 1 and table.set_aside[0].reason == "it has no values"


def test_arrays_of_series_in_memory() -> None:
    assert data.from_arrays(np.zeros((3, 2, 5)), ["a", "b", "a"]).inputs[0].shape == (2, 5)
    mixed = data.from_arrays([np.zeros((2, 5)), np.zeros((2, 7))], ["a", "b"])
    assert [values.shape for values in mixed.inputs] == [(2, 5), (2, 7)]
    assert mixed.hashes[0] != mixed.hashes[1], "the shape is part of the hash"


def test_what_is_no_series_says_what_is_needed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", ["a,label", "1,x", "2,y"])
    with pytest.raises(DataError, match="at least 8 columns t0, t1"):
        data.read_table(path, parse(ReadOptions, modality="series"))


def test_arrays_that_are_nearly_empty_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz, "LIMITS", ReadingLimits(array_small_bytes=10_000))
    np.savez_compressed(tmp_path / "zeros.npz", X=np.zeros((4, 10_000)))
    np.savez(tmp_path / "plain.npz", X=np.zeros((4, 10_000)))
    assert npz.read_npz_arrays(tmp_path / "plain.npz")["X"].shape == (4, 10_000)
    with pytest.raises(DataError, match="more than 100 times its size"):
        npz.read_npz_arrays(tmp_path / "zeros.npz")
