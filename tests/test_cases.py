"""The cases of a development checkout: what each must do, tried on its own files; skipped where they are absent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headstart import data
from headstart.array_files import write_arrays
from headstart.bases import BaseRecord, assemble_backbone, read_folder
from headstart.errors import DataError, HeadstartError
from headstart.flow.adaptation.prepare import read_data as read_pair
from headstart.flow.data_check.check import check
from headstart.modalities import image
from headstart.options import AdaptOptions, CheckOptions, ReadOptions, parse
from headstart.records import Table

pytestmark = pytest.mark.real


def _kinds(table: Table) -> set[str]:
    return {item.kind for item in table.findings}


def _stray(place: Path) -> None:
    table = data.read_table(place / "stray.csv")
    assert len(table) == 60 and "stray-quotes" in _kinds(table)


def _unquoted(place: Path) -> None:
    with pytest.raises(DataError, match=r"60 of 60 rows have more cells .* A comma inside a text"):
        data.read_table(place / "unquoted.csv")


def _lookup(place: Path) -> None:
    with pytest.raises(DataError, match=r"6 rows have no label .* #N/A"):
        data.read_table(place / "lookup_failed.xlsx")


def _cover(place: Path) -> None:
    assert len(data.read_table(place / "hidden_cover.xlsx")) == 60


def _accents(place: Path) -> None:
    one, other = (
        data.read_ordered_inputs([place / f"fr_{form}.csv"], "text", {"text": "text"}, {}).table
        for form in ("nfc", "nfd")
    )
    assert one.hashes.tolist() == other.hashes.tolist() and one.inputs.tolist() == other.inputs.tolist()


def _utf16(place: Path) -> None:
    files = [place / "a_utf8.txt", place / "c_utf16.txt"]
    assert len(set(data.read_ordered_inputs(files, "text", {"text": "text"}, {}).table.inputs)) == 1


def _russian(place: Path) -> None:
    table = data.read_table(place / "cp1251.csv")
    assert table.labels is not None and set(table.labels) == {"вода", "дорога", "врач"}
    assert "encoding" in _kinds(table)


def _text_files(place: Path) -> None:
    table = data.read_table(place / "folders")
    assert len(table) == 60 and table.labels is not None and set(table.labels) == {"health", "roads", "water"}


def _label_studio(place: Path) -> None:
    table = data.read_table(place / "ls_min.json")
    assert len(table) == 60 and table.columns["label"] == "topic"


def _headerless(place: Path) -> None:
    with pytest.raises(DataError, match="does not look like a header"):
        data.read_table(place / "sms.tsv")


def _lists_of_labels(place: Path) -> None:
    for name, task in (("list.jsonl", "auto"), ("list.jsonl", "multi-label"), ("python.csv", "multi-label")):
        table = data.read_table(place / name, parse(ReadOptions, task=task))
        assert table.task == "multi-label" and table.targets is not None
        counts = dict(zip(table.target_names, table.targets.sum(axis=0).astype(int).tolist(), strict=True))
        assert counts == {"water": 33, "health": 29, "roads": 25}


def _other_case(place: Path) -> None:
    options = parse(AdaptOptions, test=place / "test.csv")
    with pytest.raises(DataError, match=r"None of the 30 rows .* \(Water, Roads, Health\).*--merge-labels"):
        read_pair(place / "train.csv", options)
    _, test = read_pair(place / "train.csv", parse(AdaptOptions, test=place / "test.csv", merge_labels=True))
    assert test is not None and test.labels is not None and set(test.labels) == {"health", "roads", "water"}


def _noise(place: Path) -> None:
    first = check(place / "noise.csv", parse(CheckOptions, deep="off"))[1][0]
    assert first.kind == "reserved-class" and "'none of these'" in first.summary and "--reserved none" in first.advice


def _another_text_column(place: Path) -> None:
    with pytest.raises(HeadstartError, match=r"no column 'complaint'; it has id, description, beschwerde"):
        data.read_ordered_inputs([place / "other_usual.csv"], "text", {"text": "complaint"}, {})
    table = data.read_ordered_inputs([place / "capital.csv"], "text", {"text": "complaint"}, {}).table
    assert len(table) > 5 and "text-column" in _kinds(table)


def _thousands(place: Path) -> None:
    table = data.read_table(place / "price_k.csv")
    assert table.task == "regression" and table.targets is not None and table.targets[0, 0] == 1672.5


def _daily(place: Path) -> None:
    table = data.read_table(place / "train.csv")
    assert table.inputs[0].shape == (1, 122) and not table.metadata


def _survey(place: Path) -> None:
    table = data.read_table(place / "survey.csv", parse(ReadOptions, text="message", label=["topic"]))
    assert table.modality == "text" and len(table) == 60 and "Q12" in table.metadata


def _fields(place: Path) -> None:
    table = data.read_table(place / "train.csv")
    assert not {"lat", "lon", "area_m2"} - set(table.metadata)
    one, other = (
        data.read_ordered_inputs([place / f"{name}.csv"], "series", table.columns, {}, inputs=table.input_columns).table
        for name in ("new", "new_swapped")
    )
    assert [values.tolist() for values in one.inputs] == [values.tolist() for values in other.inputs]


def _channels(place: Path) -> None:
    table = data.read_table(place / "train")
    one, other = (
        data.read_ordered_inputs([place / name], "series", table.columns, {}, inputs=table.input_columns).table
        for name in ("new", "new_swapped")
    )
    assert [values.tolist() for values in one.inputs] == [values.tolist() for values in other.inputs]


def _archive(place: Path) -> None:
    table = data.read_table(place / "B_TRAIN.tsv")
    assert len(table) == 45 and table.labels is not None and set(table.labels) == {"-1", "1", "2"}


def _exchanged(place: Path) -> None:
    table = data.read_table(place / "good.npz")
    with pytest.raises(DataError, match="40 channels of 3 steps") as caught:
        data.read_ordered_inputs([place / "new_keras.npz"], "series", table.columns, {}, inputs=table.input_columns)
    assert "exchanged" in caught.value.hint


def _keras(place: Path) -> None:
    table = data.read_table(place / "keras.npz")
    assert "axes" in _kinds(table) and table.input_columns is not None
    assert (table.input_columns.n_channels, table.input_columns.most_steps) == (40, 3)


def _accelerometer(place: Path) -> None:
    table = data.read_table(place / "xyz.csv")
    assert table.columns["label"] == "activity" and table.inputs[0].shape[0] == 3


def _names_without_ending(place: Path) -> None:
    for folder in ("data", "data2"):
        table = data.read_table(place / folder)
        assert table.labels is not None and Counter(table.labels) == {"disc": 7, "stripes": 7, "cross": 7}


def _languages(place: Path) -> None:
    table = data.read_table(place / "data")
    assert table.labels is not None and Counter(table.labels) == dict.fromkeys(("en", "hi", "te", "tr"), 7)


def _turned(place: Path) -> None:
    upright, *turned = (
        np.asarray(image.load_image(place / f, {"resize": 64})) for f in ("upright.png", "turned.png", "turned.tif")
    )
    assert all((one == upright).all() for one in turned)


def _deep(place: Path) -> None:
    table = data.read_table(place / "data")
    spec = {"resize": 64, "value_ranges": data.measure_value_ranges(table)}
    levels = {name: [] for name in ("dark", "mid", "bright")}
    for path, label in zip(table.inputs, table.labels, strict=True):
        levels[label].append(float(np.asarray(image.load_image(path, spec)).mean()))
    assert max(levels["dark"]) < min(levels["mid"]) and max(levels["mid"]) < min(levels["bright"])


READING: dict[str, tuple[str, Callable[[Path], None]]] = {
    "daily dates": ("02-daily-dates", _daily),
    "numbered questions": ("03-numbered-questions", _survey),
    "metadata beside values": ("04-metadata-as-values", _fields),
    "channels of files": ("05-channels-of-files", _channels),
    "the archive with NaN": ("06-ucr-with-nan", _archive),
    "exchanged axes": ("22-nothing-could-be-read", _exchanged),
    "axes of Keras": ("23-keras-axes", _keras),
    "an accelerometer": ("26-accelerometer-y", _accelerometer),
    "stray quotation marks": ("09-quotation-marks", _stray),
    "unquoted commas": ("09-quotation-marks", _unquoted),
    "a failed look-up": ("12-spreadsheet-errors", _lookup),
    "a hidden cover": ("12-spreadsheet-errors", _cover),
    "accents from a Mac": ("19-accents-from-a-mac", _accents),
    "a text in UTF-16": ("20-txt-in-utf16", _utf16),
    "Windows-1251": ("24-windows-1251", _russian),
    "a folder of text files": ("28-folder-of-txt", _text_files),
    "JSON-MIN": ("28-folder-of-txt", _label_studio),
    "no header": ("28-folder-of-txt", _headerless),
    "lists of labels": ("07-lists-of-labels", _lists_of_labels),
    "a test set of other case": ("10-test-set-of-other-case", _other_case),
    "complaints about noise": ("13-complaints-about-noise", _noise),
    "another text column": ("21-another-text-column", _another_text_column),
    "prices with thousands": ("25-prices-with-thousands", _thousands),
    "names without ending": ("08-names-without-ending", _names_without_ending),
    "languages tr and te": ("14-languages-tr-and-te", _languages),
    "a turned TIFF": ("15-tiff-orientation", _turned),
    "sixteen bits": ("16-sixteen-bits", _deep),
}
HOSTILE = {
    "xlsx-broken-xml/input.xlsx": "damaged",
    "xlsx-no-sheet/input.xlsx": "no visible sheet",
    "npz-shape-lie/input.npz": "the file holds",
}


def _cases(shared: Path) -> Path:
    if not (shared / "cases").is_dir():
        pytest.skip("the cases of a development checkout are not here")
    return shared / "cases"


@pytest.mark.parametrize("name", READING)
def test_what_people_have_is_read_or_refused_with_the_reason(name: str, shared: Path) -> None:
    folder, require = READING[name]
    require(_cases(shared) / folder)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_table_is_refused_in_words(name: str, shared: Path) -> None:
    with pytest.raises(HeadstartError, match=HOSTILE[name]):
        data.read_table(_cases(shared) / "hostile" / name)


@pytest.mark.parametrize("name", ["jsonl-5000-digit-int", "jsonl-many-keys"])
def test_an_odd_row_of_json_ends_no_run(name: str, shared: Path) -> None:
    table = data.read_table(_cases(shared) / "hostile" / name / "input.jsonl")
    assert len(table) + len(table.set_aside) > 1


BASE_CONFIGS = (
    "base-config-hf-hub-name", "base-config-many-layers", "base-config-overlay-url", "base-config-pretrained-url",
    "base-config-transformers-backbone", "file-base-model-args",
)  # fmt: skip


@pytest.mark.parametrize("name", BASE_CONFIGS)
def test_a_base_config_that_asks_for_what_it_may_not_is_refused(name: str, shared: Path, tmp_path: Path) -> None:
    folder = _cases(shared) / "hostile" / name
    config = next(path for path in (folder / "base__config.json", folder / "config.json") if path.is_file())
    (tmp_path / "config.json").write_bytes(config.read_bytes())
    write_arrays(tmp_path / "model.safetensors", {"weight": np.zeros((4, 4), np.float32)})
    blank = BaseRecord(
        name="a",
        modality="image",
        source="file",
        licence="unknown",
        n_dims=0,
        size_bytes=0,
        training_data="",
        known_biases="",
        sha256="",
        url="",
        pretrained=True,
        summary="",
    )
    with pytest.raises(DataError):
        assemble_backbone(read_folder(tmp_path, blank))
