"""Which columns of a table are the values of series, in which order, and how other data is bound to them by name."""

import calendar
import random
from pathlib import Path

import numpy as np
import pytest

from headstart import data
from headstart.data.columns.axes import find_axis
from headstart.data.columns.scales import find_other_scale
from headstart.data.summary import summarise_inputs
from headstart.errors import DataError, HeadstartError, OptionError
from headstart.options import ColumnOptions, ReadOptions, parse
from headstart.records import InputColumns, Table
from headstart.report.understood import describe_inputs

DAYS = [(month, day) for month in (2, 3, 4) for day in range(1, calendar.monthrange(2023, month)[1] + 1)]
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905
ONE_AXIS = {
    "dates": [f"2023-{month:02d}-{day:02d}" for month, day in DAYS],
    "dates with a prefix": [f"NDVI_2023{month:02d}{day:02d}" for month, day in DAYS],
    "dates as in Europe": [f"{day:02d}/{month:02d}/2023" for month, day in DAYS],
    "dates as in America": [f"{month}/{day}/2023" for month, day in DAYS],
    "dates with times": [f"2023-02-{day:02d} {hour:02d}:30" for day in (1, 2) for hour in range(24)],
    "times of day": [f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in (0, 30)],
    "months": [f"{year}{month:02d}" for year in (2022, 2023) for month in range(1, 13)],
    "months by name": [f"{name} {year}" for year in (2022, 2023) for name in MONTHS],
    "months with short years": [f"{name}-{year}" for year in (22, 23) for name in MONTHS],
    "days of named months": [f"{MONTHS[month - 1]} {day}" for month, day in DAYS],
    "weeks": [f"2023W{week:02d}" for week in range(1, 53)],
    "weeks over two years": [f"{year}_{week}" for year, weeks in ((2022, range(40, 53)), (2023, range(1, 20)))
                             for week in weeks],
    "month and day": [f"m{month}_d{day}" for month, day in DAYS],
    "decimals": [f"{step / 4:.2f}" for step in range(1, 40)],
    "wavelengths": [f"{length}nm" for length in range(350, 560, 7)],
    "seconds": [f"{second} s" for second in range(0, 300, 10)],
    "two units": [*(f"{second}s" for second in range(10, 60, 10)), *(f"{minute} min" for minute in range(1, 9))],
    "signed": [*(f"t-{step}" for step in range(9, 0, -1)), *(f"t{step}" for step in range(10))],
    "capitals": [f"V{step}" for step in range(1, 30)],
    "a gap": [f"t{step}" for step in range(30) if step not in (7, 8)],
}  # fmt: skip


@pytest.mark.parametrize("names", ONE_AXIS.values(), ids=ONE_AXIS)
def test_columns_of_one_pattern_are_the_steps_of_one_channel_in_order(names: list[str]) -> None:
    shuffled = list(names)
    random.Random(3).shuffle(shuffled)
    found = find_axis(names)
    assert found is not None and found.columns == (tuple(names),), "every column once, in the order of its axis"
    if "/" not in names[0]:
        again = find_axis(shuffled)
        assert again is not None and again.columns == (tuple(names),), "whatever the order of the file"


CHANNELS = {
    "prefix": ([f"{name}_{step}" for name in ("acc_x", "acc_z") for step in range(20)], ("x", "z")),
    "suffix": ([f"t{step}_{name}" for step in range(20) for name in ("red", "NIR")], ("red", "NIR")),
    "numbers": ([f"ch{name}_t{step}" for name in (1, 2, 3) for step in range(20)], ("ch 1", "ch 2", "ch 3")),
    "dates": ([f"{name} {day:02d}.03.2023" for name in ("NDVI", "EVI") for day in range(1, 31)], ("NDVI", "EVI")),
}


@pytest.mark.parametrize(("names", "channels"), CHANNELS.values(), ids=CHANNELS)
def test_patterns_with_the_same_steps_are_channels(names: list[str], channels: tuple[str, ...]) -> None:
    found = find_axis([*names, "age", "plot7"])
    assert found is not None and len(found.channels) == len(channels) and not found.other_runs
    assert {name for steps in found.columns for name in steps} == set(names)
    if names[0].startswith("ch"):
        return
    assert found.channels == channels


def test_runs_with_other_steps_are_told_and_stay_in_the_metadata(tmp_path: Path) -> None:
    names = [*(f"x_{step}" for step in range(20)), *(f"q{number}" for number in range(1, 10))]
    table = read(wide(tmp_path, names))
    assert table.inputs[0].shape == (1, 20) and "q3" in table.metadata
    assert [item.kind for item in table.findings if item.severity == "warn"] == ["values-left-out"]


def test_a_channel_that_lacks_a_step_is_a_channel_with_a_gap(tmp_path: Path) -> None:
    names = [f"{name}_{step}" for name in "xyz" for step in range(20) if (name, step) != ("y", 19)]
    table = read(wide(tmp_path, names))
    assert table.inputs[0].shape == (3, 20) and np.isnan(table.inputs[0][1, 19])
    assert "uneven-channels-steps" in {item.kind for item in table.findings}


def wide(folder: Path, names: list[str], file: str = "t.csv", n_rows: int = 12, extra: str = "") -> Path:
    """Write a row a series of which value (row, column) is 100 row + column."""
    lines = [",".join(["label", *names])]
    lines += [
        ",".join(["ab"[row % 2], *(f"{100 * row + at}{extra}" for at in range(len(names)))]) for row in range(n_rows)
    ]
    (folder / file).write_text("\n".join(lines) + "\n")
    return folder / file


def read(path: Path, **options: object) -> Table:
    return data.read_table(path, parse(ReadOptions, **options))


def like(table: Table, path: Path, **options: object) -> Table:
    """Read rows to predict as the model of a table does."""
    chosen = parse(ColumnOptions, **options)
    return data.read_ordered_inputs(
        [path], "series", table.columns, {}, inputs=table.input_columns, options=chosen
    ).table


def test_columns_of_numbers_that_are_no_steps_are_named(tmp_path: Path) -> None:
    names = ["lat", *(f"2024-05-{day:02d}" for day in range(1, 32)), "area"]
    table = read(wide(tmp_path, names))
    assert table.inputs[0].shape == (1, 31) and list(table.metadata) == ["lat", "area"]
    text = "\n".join(describe_inputs(summarise_inputs(table)))
    assert "12 series of 1 channel with 31 steps" in text and "'2024-05-01' to '2024-05-31'" in text
    assert "not read as values: lat, area" in text


WORDS = "one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905


def test_steps_without_a_pattern_on_another_scale_are_pointed_out_and_values_name_the_ends(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = [",".join(["label", "lat", *WORDS, "area"])]
    for row in range(20):
        cells = [f"{value:.3f}" for value in rng.normal(size=len(WORDS))]
        lines.append(",".join(["ab"[row % 2], f"{36 + row / 1000:.3f}", *cells, f"{400 + 9 * row}"]))
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    table = read(tmp_path / "t.csv")
    odd = [item for item in table.findings if item.kind == "other-scale"]
    assert odd and "lat, area" in odd[0].summary and "--values one:twelve" in odd[0].advice
    chosen = read(tmp_path / "t.csv", values="one:twelve")
    assert chosen.inputs[0].shape == (1, 12) and list(chosen.metadata) == ["lat", "area"]
    with pytest.raises(OptionError, match="--values one:thirteen: these are not two columns of"):
        read(tmp_path / "t.csv", values="one:thirteen")


def test_the_scale_of_ends_is_judged_with_few_and_constant_columns() -> None:
    steps = np.random.default_rng(0).normal(size=(12, 9)).astype(np.float32)
    assert find_other_scale(steps) == [] and find_other_scale(steps[:, :3]) == []
    assert find_other_scale(np.concatenate([steps, np.full((1, 9), 700, np.float32)])) == [12]
    assert find_other_scale(np.ones((12, 9), np.float32)) == []


def test_other_data_is_put_in_the_order_of_training_by_name(tmp_path: Path) -> None:
    names = ["area", *(f"{word}" for word in WORDS)]
    table = read(wide(tmp_path, names))
    shuffled = list(reversed(names))
    lines = [",".join(["note", *shuffled])]
    lines += [",".join(["seen", *(f"{100 * row + names.index(name)}" for name in shuffled)]) for row in range(12)]
    (tmp_path / "new.csv").write_text("\n".join(lines) + "\n")
    new = like(table, tmp_path / "new.csv")
    assert all(np.array_equal(one, other) for one, other in zip(table.inputs, new.inputs, strict=True))
    assert read_like(table, tmp_path / "new.csv").inputs[3].tolist() == table.inputs[3].tolist()


def read_like(table: Table, path: Path) -> Table:
    return data.read_table(path, parse(ReadOptions, unlabelled="drop"), table.columns, inputs=table.input_columns)


def test_missing_and_unknown_columns_are_named_with_the_nearest(tmp_path: Path) -> None:
    table = read(wide(tmp_path, WORDS))
    new = wide(tmp_path, ["one_", "twoo", *WORDS[2:11], "more"], "new.csv")
    with pytest.raises(DataError) as caught:
        like(table, new)
    assert "lacks 2 of the 12 columns of values" in caught.value.problem and "(two, twelve)" in caught.value.problem
    assert "twoo, more" in caught.value.problem and "'two' may be 'twoo'" in caught.value.hint
    assert "--values" in caught.value.hint


def test_values_take_the_columns_of_another_year_in_their_order(tmp_path: Path) -> None:
    table = read(wide(tmp_path, [f"2023-05-{day:02d}" for day in range(1, 32)]))
    other = wide(tmp_path, [f"2024-05-{day:02d}" for day in range(1, 32)], "new.csv")
    with pytest.raises(DataError, match="lacks 31 of the 31"):
        like(table, other)
    assert like(table, other, values="2024-05-01:2024-05-31").inputs[2].tolist() == table.inputs[2].tolist()


LONG = ["id,time,x,y,z", *(f"{name},{step},{step},{step + 10},{step + 20}" for name in "pq" for step in range(9))]


def test_channels_of_a_long_table_are_bound_by_name_in_a_wide_one_too(tmp_path: Path) -> None:
    (tmp_path / "long.csv").write_text("\n".join(LONG) + "\n")
    table = read(tmp_path / "long.csv")
    assert table.input_columns is not None and table.input_columns.channels == ("x", "y", "z")
    names = [f"{name}_{step}" for name in "zyx" for step in range(9)]
    (tmp_path / "new.csv").write_text("\n".join([",".join(names), ",".join(str(at) for at in range(27))]) + "\n")
    assert like(table, tmp_path / "new.csv").inputs[0][:, 0].tolist() == [18, 9, 0]
    (tmp_path / "bad.csv").write_text("\n".join(LONG).replace("y", "w") + "\n")
    with pytest.raises(DataError, match=r"lacks 1 of the 3 .*\(y\).*\(w\)"):
        like(table, tmp_path / "bad.csv")


def files(folder: Path, orders: dict[str, str]) -> None:
    for name, order in orders.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        rows = [
            ",".join(str({"x": step, "y": step + 10, "z": step + 20}.get(one, 5)) for one in order) for step in range(9)
        ]
        (folder / name).write_text("\n".join([",".join(order), *rows]) + "\n")


def test_channels_of_files_are_matched_by_name_within_training_and_after(tmp_path: Path) -> None:
    train = tmp_path / "train"
    files(train, {"a/1.csv": "xyz", "a/2.csv": "zyx", "b/1.csv": "xyz", "b/2.csv": "xyzw", "b/3.csv": "xw"})
    table = read(train)
    assert [values[:, 0].tolist() for values in table.inputs] == [[0, 10, 20]] * 4
    assert [item.id for item in table.set_aside] == ["b/3.csv"] and "y, z" in table.set_aside[0].reason
    assert table.left_out == {"w": "1 files have it, most have not"}
    files(tmp_path / "new", {"1.csv": "yzx", "2.csv": "zyx"})
    assert [values[:, 0].tolist() for values in like(table, tmp_path / "new").inputs] == [[0, 10, 20]] * 2


def test_a_guessed_label_that_changes_within_series_is_a_channel(tmp_path: Path) -> None:
    rows = [f"{name},{step},{step},{-step},{'walk' if name in 'ac' else 'run'}" for name in "abcd" for step in range(9)]
    (tmp_path / "t.csv").write_text("\n".join(["id,t,x,y,activity", *rows]) + "\n")
    table = read(tmp_path / "t.csv")
    assert table.labels is not None and table.labels.tolist() == ["walk", "run", "walk", "run"]
    assert table.columns["channel 2"] == "y" and "label-column" in {item.kind for item in table.findings}
    text = (
        (tmp_path / "t.csv")
        .read_text()
        .replace(",activity", ",activity,hand")
        .replace("walk", "walk,left")
        .replace("run", "run,right")
    )
    (tmp_path / "two.csv").write_text(text)
    with pytest.raises(DataError, match="activity, hand") as caught:
        read(tmp_path / "two.csv")
    assert "--label" in caught.value.hint
    assert read(tmp_path / "two.csv", label=["hand"]).columns["label"] == "hand"


def test_id_and_time_columns_of_any_name_make_a_long_table(tmp_path: Path) -> None:
    rows = [f"{name},{9 - step},{step},{'u' if name in 'ac' else 'v'}" for name in "abcd" for step in range(9)]
    (tmp_path / "t.csv").write_text("\n".join(["sensor,when,value,label", *rows]) + "\n")
    with pytest.raises(DataError, match="no column of texts, images or series") as caught:
        read(tmp_path / "t.csv")
    assert "--id" in caught.value.hint
    table = read(tmp_path / "t.csv", id="sensor", time_column="when")
    assert table.ids.tolist() == list("abcd") and table.inputs[0].tolist() == [list(range(8, -1, -1))]
    with pytest.raises(HeadstartError, match="no column 'sensr'"):
        read(tmp_path / "t.csv", id="sensr")


def test_a_long_table_with_many_numbered_channels_is_no_wide_one(tmp_path: Path) -> None:
    names = [f"ch{number}" for number in range(10)]
    rows = [
        ",".join([name, str(step), *(str(step + at) for at in range(10)), name]) for name in "ab" for step in range(30)
    ]
    (tmp_path / "t.csv").write_text("\n".join([",".join(["id", "time", *names, "label"]), *rows]) + "\n")
    table = read(tmp_path / "t.csv")
    assert table.inputs[0].shape == (10, 30) and len(table) == 2


def test_remarks_beside_values_do_not_make_a_table_of_texts(tmp_path: Path) -> None:
    path = wide(tmp_path, [f"t{step}" for step in range(20)])
    lines = path.read_text().splitlines()
    lines = [f"{line},{'comment' if at == 0 else 'cloudy' if at == 3 else ''}" for at, line in enumerate(lines)]
    path.write_text("\n".join(lines) + "\n")
    assert read(path).modality == "series"
    path.write_text("\n".join([lines[0], *(f"{line} the water has been away" for line in lines[1:])]) + "\n")
    assert read(path).modality == "text" and read(path, modality="series").modality == "series"


def test_a_few_cells_that_are_no_numbers_set_their_rows_aside(tmp_path: Path) -> None:
    path = wide(tmp_path, [f"t{step}" for step in range(20)])
    path.write_text(path.read_text().replace("a,200,201", "a,200,broken"))
    table = read(path)
    assert len(table) == 11 and table.set_aside[0].id == "t.csv:4"
    assert "column t1: 'broken'" in table.set_aside[0].reason


def saved(folder: Path, shape: tuple[int, ...], name: str = "a.npz") -> Path:
    np.savez(folder / name, X=np.random.default_rng(0).normal(size=shape), y=["a", "b"] * (shape[0] // 2))
    return folder / name


def test_axes_of_arrays_are_said_and_never_guessed(tmp_path: Path) -> None:
    table = read(saved(tmp_path, (8, 40, 3)))
    assert table.inputs[0].shape == (40, 3) and [item.kind for item in table.findings] == ["axes"]
    turned = read(saved(tmp_path, (8, 40, 3)), axes="time-first")
    assert turned.inputs[0].shape == (3, 40) and not turned.findings
    with pytest.raises(DataError, match="is unclear") as caught:
        read(saved(tmp_path, (8, 12, 12)))
    assert "--axes" in caught.value.hint
    assert like(turned, saved(tmp_path, (4, 30, 3), "new.npz")).inputs[0].shape == (3, 30), "as in training"
    with pytest.raises(DataError, match="30 channels of 3 steps") as refused:
        like(read(saved(tmp_path, (8, 3, 40))), tmp_path / "new.npz")
    assert "--axes time-first" in refused.value.hint


def test_arrays_in_memory_have_the_same_axes_and_messages() -> None:
    values = np.random.default_rng(0).normal(size=(8, 40, 3)).astype(np.float32)
    table = data.from_arrays(values, ["a", "b"] * 4, axes="time-first")
    assert table.inputs[0].shape == (3, 40) and table.input_columns is not None
    known = table.input_columns
    assert data.from_arrays(list(values), None, "series", known=known).inputs[0].shape == (3, 40)
    with pytest.raises(DataError, match=r"channels of \d+ steps"):
        data.from_arrays(values.transpose(0, 2, 1), None, "series", known=known)


def test_a_table_without_header_to_predict_is_told_by_its_width(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [[str(1 + row % 2), *(f"{value:.3f}" for value in rng.normal(size=12))] for row in range(8)]
    (tmp_path / "A_TRAIN.tsv").write_text("\n".join("\t".join(row) for row in rows) + "\n")
    table = read(tmp_path / "A_TRAIN.tsv")
    (tmp_path / "bare.tsv").write_text("\n".join("\t".join(row[1:]) for row in rows) + "\n")
    for name in ("A_TRAIN.tsv", "bare.tsv"):
        assert [values.tolist() for values in like(table, tmp_path / name).inputs] == [v.tolist() for v in table.inputs]
    (tmp_path / "odd.tsv").write_text("\n".join("\t".join(row[:9]) for row in rows) + "\n")
    with pytest.raises(DataError, match="is unclear"):
        like(table, tmp_path / "odd.tsv")


def test_input_columns_survive_json() -> None:
    known = InputColumns(layout="wide", channels=("a", "b"), values=(("a1", ""), ("b1", "b2")), n_channels=2)
    assert InputColumns.from_dict(known.as_dict()) == known


def test_values_that_single_precision_cannot_tell_apart_are_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    fine = rng.normal(size=(12, 20))
    for name, values in (("npz", 1e9 + fine), ("csv", 1e9 + fine)):
        if name == "npz":
            np.savez(tmp_path / "a.npz", X=values, y=["a", "b"] * 6)
        else:
            rows = [",".join(["ab"[row % 2], *(f"{value:.3f}" for value in values[row])]) for row in range(12)]
            (tmp_path / "a.csv").write_text(
                "\n".join([",".join(["label", *(f"t{at}" for at in range(20))]), *rows]) + "\n"
            )
        with pytest.raises(DataError, match="after the seventh digit") as caught:
            read(tmp_path / f"a.{name}")
        assert "Subtract a constant" in caught.value.hint
    np.savez(tmp_path / "a.npz", X=1e9 + 1e6 * fine, y=["a", "b"] * 6)
    assert len(read(tmp_path / "a.npz")) == 12


def test_a_table_to_label_and_corrections_come_back_in_the_order_of_training(tmp_path: Path) -> None:
    from headstart.flow.active_learning.label_table import _series_cells

    (tmp_path / "long.csv").write_text("\n".join(LONG) + "\n")
    for table in (
        read(tmp_path / "long.csv"),
        read(wide(tmp_path, [f"acc_{one}_{at}" for one in "xy" for at in range(9)])),
    ):
        names, rows = _series_cells(table, table.columns, tmp_path)
        (tmp_path / "back.csv").write_text("\n".join(",".join(row) for row in [names, *rows]) + "\n")
        back = like(table, tmp_path / "back.csv")
        assert [values.tolist() for values in back.inputs] == [values.tolist() for values in table.inputs]
    (tmp_path / "corrections.csv").write_text(
        "\n".join(["series_id,time,label,channel_1,channel_2", *(f"s,{at},a,{at},{at + 9}" for at in range(9))]) + "\n"
    )
    assert like(table, tmp_path / "corrections.csv").inputs[0][:, 0].tolist() == [0, 9]


def test_json_may_name_its_channels_and_they_are_put_in_the_order_of_the_model() -> None:
    from headstart.options import ServeOptions
    from headstart.web.request_inputs import parse_inputs

    named = {"series": [{"z": [3, 4], "x": [1, None]}, {"x": [1], "w": [2]}, [[1, 2], [3, 4]]]}
    found = parse_inputs(named, "series", parse(ServeOptions), ("x", "z")).inputs
    assert found[0][1].tolist() == [3, 4] and np.isnan(found[0][0, 1]) and found[2].tolist() == [[1, 2], [3, 4]]
    assert "lacks the channels z, and has w" in found[1].reason
    assert (
        "the model has none" in parse_inputs({"series": [{"x": [1]}]}, "series", parse(ServeOptions)).inputs[0].reason
    )
