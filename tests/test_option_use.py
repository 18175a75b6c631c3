"""Options that say which column is what work, or are refused where the data has nothing of the kind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from headstart import data
from headstart.data.columns.option_use import OPTION_SCOPES, require_use
from headstart.errors import HeadstartError, OptionError
from headstart.flow.inference.lining_up import order_inputs
from headstart.options import ColumnOptions, PredictOptions, ReadOptions, parse

ASKED = {"text": "words", "values": "t0:t9", "channels": "x,z", "time_column": "time", "axes": "time-first"}


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    rng = np.random.default_rng(0)
    labels = ["bean", "maize"] * 4
    texts = [f"{row},words of row {row} about {label},{label}" for row, label in enumerate(labels)]
    tmp_path.joinpath("text.csv").write_text("n,words,label\n" + "\n".join(texts), encoding="utf-8")
    head = ",".join(f"t{step}" for step in range(10))
    wide = [f"{label},{','.join(map(str, rng.normal(size=10).round(3)))}" for label in labels]
    tmp_path.joinpath("wide.csv").write_text(f"label,{head}\n" + "\n".join(wide), encoding="utf-8")
    long = [
        f"{row},{step},{row * step % 7},{step % 3},{label}" for row, label in enumerate(labels) for step in range(9)
    ]
    tmp_path.joinpath("long.csv").write_text("id,time,x,z,label\n" + "\n".join(long), encoding="utf-8")
    np.savez(tmp_path / "array.npz", x=rng.normal(size=(8, 2, 10)).astype(np.float32), y=np.array(labels))
    for row, label in enumerate(labels):
        tmp_path.joinpath("apart", "image", label).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 9), (row * 20, 0, 0)).save(tmp_path / "apart" / "image" / label / f"{row}.png")
    ends = {"text": "text.csv", "wide": "wide.csv", "long": "long.csv", "array": "array.npz", "image": "apart/image"}
    return {name: tmp_path / end for name, end in ends.items()}


def test_every_option_for_columns_has_a_stated_use_but_those_that_fit_any_table() -> None:
    assert set(ColumnOptions.model_fields) == {*OPTION_SCOPES, "id", "encoding", "sheet"}


@pytest.mark.parametrize("name", OPTION_SCOPES)
@pytest.mark.parametrize("kind", ["text", "wide", "long", "array", "image"])
def test_an_option_works_on_its_kind_of_data_and_is_refused_on_others(
    places: dict[str, Path], name: str, kind: str
) -> None:
    use = OPTION_SCOPES[name]
    fits = kind in (use.layouts or ("text",)) and not (name == "channels" and kind == "wide")
    options = parse(ReadOptions, **{name: ASKED[name]})
    if fits:
        assert len(data.read_table(places[kind], options)) == 8
        return
    with pytest.raises(
        HeadstartError, match=f"--{name.replace('_', '-')}|no column|no series|not numbers|no table|holds series"
    ):
        data.read_table(places[kind], options)


def test_a_name_of_rows_is_refused_where_there_is_no_table(places: dict[str, Path]) -> None:
    with pytest.raises(OptionError, match="no table with columns"):
        data.read_table(places["image"], parse(ReadOptions, id="name"))


@pytest.mark.parametrize("name", ["values", "channels", "time_column", "axes"])
def test_a_model_that_reads_texts_refuses_options_for_series(places: dict[str, Path], name: str) -> None:
    reads_texts = SimpleNamespace(modality="text", columns={"text": "words"}, known_inputs=None)
    with pytest.raises(OptionError, match="this model reads texts"):
        order_inputs(reads_texts, [places["text"]], parse(PredictOptions, **{name: ASKED[name]}), {})  # type: ignore[arg-type]


def test_a_table_read_by_a_model_of_arrays_is_still_a_table(places: dict[str, Path]) -> None:
    learnt = data.read_table(places["array"]).input_columns
    asked = parse(ReadOptions, values="t0:t9", modality="series")
    table = data.read_table(places["wide"], asked, {}, inputs=replace(learnt, n_channels=1) if learnt else None)
    require_use(asked, table)
    with pytest.raises(OptionError, match="--axes is for arrays"):
        require_use(parse(ReadOptions, axes="time-first"), table)


def test_a_channel_that_is_not_there_is_named_with_those_that_are(places: dict[str, Path]) -> None:
    with pytest.raises(OptionError, match="has no y") as stopped:
        data.read_table(places["long"], parse(ReadOptions, channels="x,y"))
    assert "x, z" in stopped.value.hint
    with pytest.raises(OptionError, match="has no x") as stopped:
        data.read_table(places["wide"], parse(ReadOptions, channels="x"))
    assert "no names" in stopped.value.hint
