"""What goes wrong on real machines: odd names, half files, wrong paths, unreadable rows. Every case was met once."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from headstart import bundle as bundles
from headstart import checks, data
from headstart.cli.main import app
from headstart.data.reading import archive
from headstart.errors import BundleError, DataError, HeadstartError, OptionError, UnknownName, cut_problem
from headstart.flow.adaptation import run as adapting
from headstart.flow.inference import predict_files
from headstart.home import find_home
from headstart.options import AdaptOptions, PredictOptions, ReadOptions, parse
from headstart.records import Table
from headstart.results import Evaluation
from headstart.runs import claim_folder

LATIN_NAME = b"caf\xe9.png"
TABLE = "text,label\n" + "".join(
    f"{word} {n},{label}\n" for n in range(8) for word, label in (("dry", "a"), ("wet", "b"))
)


def picture(label: int, seed: int) -> Image.Image:
    """Draw a small picture whose class is its colour."""
    pixels = np.random.default_rng(seed).integers(0, 90, (40, 48, 3))
    pixels[..., label] += 120
    return Image.fromarray(pixels.astype(np.uint8))


def class_folders(root: Path, n: int = 6) -> Path:
    for label, name in enumerate(("one", "two")):
        (root / name).mkdir(parents=True)
        for number in range(n):
            picture(label, 10 * label + number).save(root / name / f"{number}.png")
    return root


def text_bundle(folder: Path, table: str = TABLE, **options: object) -> Path:
    (folder / "train.csv").write_text(table, encoding="utf-8")
    adapting.adapt(folder / "train.csv", folder / "o", parse(AdaptOptions, strategy="classic", offline=True, **options))
    return folder / "o"


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small text bundle that needs no base model."""
    return text_bundle(tmp_path_factory.mktemp("texts"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small image bundle that needs no base model."""
    folder = tmp_path_factory.mktemp("pictures")
    options = parse(AdaptOptions, strategy="classic", offline=True)
    adapting.adapt(class_folders(folder / "d"), folder / "o", options)
    return folder / "o"


def kinds(table: Table) -> dict[str, str]:
    return {finding.kind: finding.summary for finding in checks.check_table(table)}


# ---- names ----------------------------------------------------------------------------------------------------------


def test_a_file_name_that_is_not_utf8_is_read_shown_and_predicted(tmp_path: Path, pictures: Path) -> None:
    root = class_folders(tmp_path / "d")
    os.rename(os.fsencode(root / "one" / "0.png"), os.fsencode(root / "one") + b"/" + LATIN_NAME)  # noqa: PTH104
    table = data.read_table(root)
    assert "one/caf\ufffd.png" in table.ids.tolist() and len(table) == 12
    out = tmp_path / "p.csv"
    predict_files.predict(pictures, [root], out, parse(PredictOptions))
    assert len(list(csv.reader(io.StringIO(out.read_text(encoding="utf-8"))))) == 13


def test_a_class_folder_that_is_not_utf8_gives_a_label_that_can_be_written(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "d")
    os.rename(os.fsencode(root / "one"), os.fsencode(root) + b"/\xe9t\xe9")  # noqa: PTH104
    labels = data.read_table(root).labels
    assert labels is not None and set(labels) == {"two", "\ufffdt\ufffd"}


def test_half_surrogates_in_json_are_replaced(tmp_path: Path) -> None:
    lines = [f'{{"text": "\\ud800 dry {n}", "label": "{"ab"[n % 2]}"}}' for n in range(8)]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    table = data.read_table(tmp_path / "t.jsonl")
    assert "\ufffd" in table.inputs[0] and table.inputs[0].endswith("dry 0")
    table.inputs[0].encode("utf-8")


def test_the_csv_on_stdout_is_utf8_whatever_the_terminal_says(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "наводнение.txt").write_text("dry 3", encoding="utf-8")
    command = [sys.executable, "-m", "headstart.cli.main", "predict", str(texts), str(tmp_path / "наводнение.txt")]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, env=environment, timeout=100)
    assert done.returncode == 0, done.stderr
    assert "наводнение.txt,a," in done.stdout.decode("utf-8")


# ---- folders and zips -----------------------------------------------------------------------------------------------


def test_a_link_to_itself_is_set_aside_like_a_missing_file(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "d")
    (root / "one" / "me.png").symlink_to(root / "one" / "me.png")
    table = data.read_table(root)
    assert len(table) == 12
    assert [item.id for item in table.set_aside] == ["one/me.png"]


@pytest.mark.parametrize("name", ["a", "a/" + "x" * 300 + ".png"])
def test_a_zip_whose_names_cannot_be_files_is_the_users_to_mend(name: str, tmp_path: Path, fresh_home: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as made:
        made.writestr("a/0.png", b"x")
        made.writestr(name, b"x")
    with pytest.raises(DataError, match="cannot be unpacked"):
        archive.unpack(tmp_path / "z.zip")
    assert list((find_home() / "unpacked").iterdir()) == []


def test_an_encrypted_zip_says_so_in_plain_words(tmp_path: Path, fresh_home: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as made:
        made.writestr("a.png", b"x")
    raw = bytearray((tmp_path / "z.zip").read_bytes())
    raw[6] |= 1
    raw[raw.find(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "z.zip").write_bytes(raw)
    with pytest.raises(DataError, match="password") as caught:
        archive.unpack(tmp_path / "z.zip")
    assert "ZipInfo" not in str(caught.value)


def test_one_odd_row_does_not_make_metadata_csv_unread(tmp_path: Path) -> None:
    class_folders(tmp_path)
    rows = [f"{name}/{n}.png,{'AB'[name == 'two']}" for name in ("one", "two") for n in range(6)]
    (tmp_path / "metadata.csv").write_text("\n".join(["file_name,label", *rows, "notes.docx,A", "/etc/hosts,B"]))
    table = data.read_table(tmp_path)
    assert table.labels is not None and set(table.labels) == {"A", "B"}
    assert len(table) == 12 and len(table.set_aside) == 2


# ---- tables ---------------------------------------------------------------------------------------------------------


def test_json_nested_without_end_is_a_bad_line(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"text": "x", "label": "a"}\n' + "[" * 100_000)
    table = data.read_table(tmp_path / "t.jsonl")
    assert [(item.id, item.reason) for item in table.set_aside] == [("t.jsonl:2", "nested without end")]


def test_a_split_column_with_other_words_is_said_not_swallowed(tmp_path: Path) -> None:
    rows = [f"dry {n},{'ab'[n % 2]},{('train', 'test', 'fold3')[n % 3]}" for n in range(12)]
    (tmp_path / "t.csv").write_text("text,label,split\n" + "\n".join(rows))
    table = data.read_table(tmp_path / "t.csv")
    assert "split" in table.metadata
    assert "'fold3'" in kinds(table)["split-not-used"]


def test_a_table_without_a_header_is_told_to_get_one(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("the well is dry,a\nthe road is wet,b\n")
    with pytest.raises(DataError, match="first row must name the columns"):
        data.read_table(tmp_path / "t.csv")


def test_words_for_missing_used_as_labels_are_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TABLE + "odd,nan\nodder,nan\n")
    assert "'nan' (2 rows)" in kinds(data.read_table(tmp_path / "t.csv"))["missing-labels"]


def test_1_and_1_point_0_look_like_one_label(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,label\n" + "".join(f"t{n},{('1', '1.0', '0')[n % 3]}\n" for n in range(12)))
    assert "odd-label" in kinds(data.read_table(tmp_path / "t.csv"))


def test_one_of_something_is_written_in_the_singular(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,label\nx,a\ny,a\n")
    with pytest.raises(DataError, match="There is only one class to learn \\(a\\)"):
        checks.require_trainable(data.read_table(tmp_path / "t.csv"))


def test_a_missing_group_column_without_alternatives_has_a_readable_hint() -> None:
    from headstart.errors import make_unknown_name

    assert (
        str(make_unknown_name("group column", "site", []))
        == "There is no group column 'site'. There are none to choose from."
    )


# ---- series ---------------------------------------------------------------------------------------------------------


def long_table(times: list[str]) -> str:
    rows = [f"s{n},{time},{step * n},{'ab'[n % 2]}" for n in range(6) for step, time in enumerate(times)]
    return "id,time,value,label\n" + "\n".join(rows)


def test_times_that_cannot_be_read_are_said_because_then_the_order_of_the_file_counts(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(long_table([f"day {day * 7 % 15}" for day in range(1, 15)]))
    assert "day 7" in kinds(data.read_table(tmp_path / "t.csv"))["times-not-read"]


def test_two_values_at_one_time_are_said(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(long_table([str(step) for step in range(12)] + ["3"]))
    assert "6 series" in kinds(data.read_table(tmp_path / "t.csv"))["repeated-times"]


def test_times_with_different_zones_are_put_in_true_order(tmp_path: Path) -> None:
    rows = ["s1,2026-01-01T12:00:00+05:00,1,a", "s1,2026-01-01T08:00:00Z,2,a", "s1,2026-01-01T09:00:00Z,3,a"]
    (tmp_path / "t.csv").write_text("id,time,value,label\n" + "\n".join([*rows, rows[0].replace("s1", "s2")]))
    assert data.read_table(tmp_path / "t.csv").inputs[0].tolist() == [[1, 2, 3]]


def test_numbers_too_large_for_float32_are_missing_without_a_warning_of_numpy(tmp_path: Path) -> None:
    header = "label," + ",".join(f"t{step}" for step in range(9))
    rows = [f"{'ab'[n % 2]},1e300" + ",1" * 8 for n in range(4)]
    (tmp_path / "t.csv").write_text("\n".join([header, *rows]))
    assert not np.isfinite(data.read_table(tmp_path / "t.csv").inputs[0][0, 0])


def test_series_that_lack_a_channel_are_set_aside_with_the_reason(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        for number in range(4):
            rows = "".join(f"{step * number},{step}\n" for step in range(9))
            (tmp_path / label / f"{number}.csv").write_text("x,y\n" + rows)
    (tmp_path / "b" / "odd.csv").write_text("x\n" + "1\n" * 9)
    table = data.read_table(tmp_path)
    assert [(item.id, item.reason) for item in table.set_aside] == [
        ("b/odd.csv", "odd.csv lacks 1 of the 2 columns of values that are expected (y)")
    ]
    assert len(table) == 8


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"y": np.array(["a", "b"] * 4, dtype=object)}, "astype"),
        ({"y": np.array(["a", "b"] * 3)}, "y has shape \\(6,\\)"),
        ({"y": np.eye(2)[[0, 1] * 4]}, "y has shape \\(8, 2\\)"),
    ],
)
def test_labels_of_an_npz_that_do_not_fit_are_explained(
    arrays: dict[str, np.ndarray], said: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "t.npz", X=np.ones((8, 1, 20)), **arrays)
    with pytest.raises(DataError, match=said) as caught:
        checks.require_trainable(data.read_table(tmp_path / "t.npz"))
    assert "unsafe" not in str(caught.value) and "allow_pickle" not in str(caught.value)


def test_a_file_that_is_no_npz_is_never_recommended_for_unpickling(tmp_path: Path) -> None:
    (tmp_path / "t.npz").write_bytes(b"junk")
    with pytest.raises(DataError, match="not an npz file") as caught:
        data.read_table(tmp_path / "t.npz")
    assert "pickle" not in str(caught.value)


def test_a_ts_file_without_rows_says_so(tmp_path: Path) -> None:
    (tmp_path / "t.ts").write_text("@classLabel true a b\n@data\n")
    with pytest.raises(DataError, match="no series below @data"):
        data.read_table(tmp_path / "t.ts")


def partial_of(out: Path, bundle: Path, inputs: list[Path]) -> Path:
    """Name the hidden file in which a killed run leaves what it had written."""
    found = data.read_ordered_inputs(inputs, "text", {}, {})
    return out.with_name(
        f".{out.name}.{predict_files._compute_key(bundles.load_bundle(bundle), found.table, found.order)}.partial"
    )


# ---- predict --------------------------------------------------------------------------------------------------------


def test_every_input_has_a_row_in_its_place_also_the_unreadable(pictures: Path, tmp_path: Path) -> None:
    root = tmp_path / "new"
    root.mkdir()
    for number in (0, 2, 4):
        picture(0, number).save(root / f"{number}.png")
    (root / "1.png").write_bytes(b"")
    (root / "3.png").write_text("no picture")
    out = tmp_path / "p.csv"
    failed = predict_files.predict(pictures, [root], out, parse(PredictOptions))
    rows = list(csv.reader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert [Path(row[0]).name for row in rows[1:]] == [f"{number}.png" for number in range(5)]
    assert [row[1] == "" for row in rows[1:]] == [False, True, False, True, False]
    assert [(Path(item.id).name, item.reason) for item in failed] == [
        ("1.png", "the file is empty"),
        ("3.png", "this is not an image that can be read"),
    ]


def test_unreadable_tables_have_a_row_as_well_and_resuming_counts_them(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,site\ndry,1\n\nwet,too,many\n   ,\nwet,2\n")
    (tmp_path / "b.csv").write_text("")
    (tmp_path / "c.txt").write_text("dry")
    inputs = [tmp_path / name for name in ("a.csv", "b.csv", "c.txt")]
    out = tmp_path / "p.csv"
    predict_files.predict(texts, inputs, out, parse(PredictOptions))
    whole = out.read_text(encoding="utf-8")
    assert [line.split(",")[0] for line in whole.splitlines()[1:]] == [
        "a.csv:2", "a.csv:6", "a.csv:4", "a.csv:5", (tmp_path / "b.csv").as_posix(), (tmp_path / "c.txt").as_posix(),
    ]  # fmt: skip
    out.unlink()
    partial = partial_of(out, texts, inputs)
    partial.write_text("".join(whole.splitlines(keepends=True)[:4]), encoding="utf-8")
    predict_files.predict(texts, inputs, out, parse(PredictOptions))
    assert out.read_text(encoding="utf-8") == whole


def test_resuming_counts_rows_not_odd_line_ends(texts: Path, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}\u2028.txt").write_text("dry")
    inputs = sorted(tmp_path.glob("*.txt"))
    out = tmp_path / "p.csv"
    predict_files.predict(texts, inputs, out, parse(PredictOptions))
    whole = out.read_text(encoding="utf-8")
    partial_of(out, texts, inputs).write_text("\n".join(whole.split("\n")[:3]) + "\n", encoding="utf-8")
    out.unlink()
    predict_files.predict(texts, inputs, out, parse(PredictOptions))
    assert out.read_text(encoding="utf-8") == whole


def test_when_nothing_can_be_read_predict_is_an_error(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"x\.png: the file is empty\)"):
        predict_files.predict(pictures, [tmp_path], tmp_path / "p.csv", parse(PredictOptions))
    with (tmp_path / "p.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [(row["input"].rpartition("/")[2], row["answer"], row["reason"]) for row in rows] == [
        ("x.png", "", "the file is empty")
    ]


def test_an_error_inside_an_input_names_it_once(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text("oops")
    with pytest.raises(DataError) as caught:
        predict_files.predict(texts, [tmp_path / "t.jsonl"], None, parse(PredictOptions))
    assert caught.value.problem.count("t.jsonl: ") == 1 and ".)." not in caught.value.problem


def test_a_column_that_the_user_names_for_predict_must_be_there(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,note\ndry,x\n")
    with pytest.raises(UnknownName, match=r"'notes' in t\.csv"):
        predict_files.predict(texts, [tmp_path / "t.csv"], None, parse(PredictOptions, text="notes"))


def test_an_output_that_is_a_folder_is_refused_before_the_work(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("dry")
    with pytest.raises(OptionError, match="is a folder"):
        predict_files.predict(texts, [tmp_path / "t.txt"], tmp_path, parse(PredictOptions))


def test_an_output_below_a_file_is_refused_in_our_words(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("dry")
    with pytest.raises(OptionError, match="cannot be made"):
        predict_files.predict(texts, [tmp_path / "t.txt"], tmp_path / "t.txt" / "p.csv", parse(PredictOptions))
    with pytest.raises(OptionError, match="cannot be made"):
        claim_folder(tmp_path / "t.txt" / "out").__enter__()


def test_a_pipe_given_as_output_is_written_to_and_not_replaced(texts: Path, tmp_path: Path) -> None:
    import threading

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "t.txt").write_text("dry")
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text(encoding="utf-8")), daemon=True)
    reader.start()
    predict_files.predict(texts, [tmp_path / "t.txt"], pipe, parse(PredictOptions))
    reader.join(10)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert heard and heard[0].splitlines()[0].startswith("input,label,probability")


# ---- evaluate -------------------------------------------------------------------------------------------------------


def scored(bundle: Path, path: Path, **options: object) -> Evaluation:
    from headstart import flow

    return flow.evaluate(bundle, path, parse(PredictOptions, **options))


def test_evaluate_without_labels_measures_what_it_can_and_refuses_a_label_column_that_is_not_there(
    texts: Path, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text("text\ndry\n")
    found = scored(texts, tmp_path / "t.csv")
    assert found.metrics is None and not found.labelled and "labels" in found.not_measured["metrics"]
    with pytest.raises(UnknownName):
        scored(texts, tmp_path / "t.csv", label="verdict")
    (tmp_path / "t.csv").write_text("text,label\n ,a\n")
    with pytest.raises(DataError, match="No rows are left"):
        scored(texts, tmp_path / "t.csv")


def test_evaluate_leaves_rows_without_a_label_out_and_names_them(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,label\ndry 1,a\nwet 1,\n")
    found = scored(texts, tmp_path / "t.csv")
    assert found.n_rows == 1 and [item.id for item in found.set_aside] == ["t.csv:3"]


def test_evaluate_takes_the_columns_of_training_before_the_usual_names(tmp_path: Path) -> None:
    table = TABLE.replace("text,label", "note,verdict")
    bundle = text_bundle(tmp_path, table, text="note", label="verdict")
    rows = ["id,text,label,note,verdict", "1,x,nonsense,dry 1,a", "2,y,nonsense,wet 1,b"]
    (tmp_path / "new.csv").write_text("\n".join(rows))
    assert scored(bundle, tmp_path / "new.csv").metrics.accuracy.value == 1.0
    (tmp_path / "usual.csv").write_text("Note,label\ndry 1,a\n")
    assert scored(bundle, tmp_path / "usual.csv").n_rows == 1


def test_labels_that_the_model_does_not_know_are_explained(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,label\ndry 1,mosaic\n")
    with pytest.raises(DataError, match="The model knows none of the labels") as caught:
        scored(texts, tmp_path / "t.csv")
    assert "mosaic" in caught.value.problem and "a, b" in caught.value.hint


# ---- command line ---------------------------------------------------------------------------------------------------


def shown(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(item) for item in arguments])
    return done.exit_code, done.stdout, done.stderr


def test_with_json_an_error_is_one_document_as_well() -> None:
    code, out, err = shown("check", "nowhere", "--json")
    assert code == 2 and "nowhere" in err
    assert json.loads(out) == {
        "format": 1,
        "error": {"problem": "There is nothing at nowhere.", "hint": "Check the path."},
    }


def test_predict_with_json_and_no_output_prints_the_predictions_as_json(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("dry 1")
    (tmp_path / "b.txt").write_text("")
    code, out, err = shown("predict", texts, tmp_path, "--json", "--offline")
    document = json.loads(out)
    assert code == 0 and document["n_rows"] == 2 and document["output"] is None
    first, second = document["predictions"]
    assert first["label"] == "a" and 0.5 < first["probability"] <= 1
    assert second["label"] is None and second["probability"] is None
    assert document["failed"][0]["reason"] == "the text is empty"
    assert "b.txt: the text is empty" in " ".join(err.split())


def test_predict_with_json_and_output_says_where_the_csv_lies(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("dry 1")
    code, out, _ = shown("predict", texts, tmp_path / "a.txt", "--json", "--offline", "-o", tmp_path / "p.csv")
    assert code == 0
    assert json.loads(out) == {"format": 1, "output": str(tmp_path / "p.csv"), "failed": []}


def test_quiet_means_warnings_and_errors_only(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TABLE.replace("dry", "dusty").replace("wet", "damp"))
    for arguments in (["evaluate", texts, tmp_path / "t.csv"], ["bases"], ["cache"]):
        assert shown(*arguments, "-q") == (0, "", "")
        assert shown(*arguments)[2] != ""
    assert "small-class" in shown("check", tmp_path / "t.csv", "-q")[2]
    assert "text rows" not in shown("check", tmp_path / "t.csv", "-q")[2]


def test_check_shows_everything_that_is_wrong_not_only_what_stops(tmp_path: Path) -> None:
    rows = "".join(f"no answer,{label}\n" for label in ["a"] * 3 + ["A"] * 3)
    (tmp_path / "t.csv").write_text(f"text,label\n{rows}")
    code, out, err = shown("check", tmp_path / "t.csv", "--json")
    document = json.loads(out)
    assert code == 2
    assert {item["kind"]: item["severity"] for item in document["findings"]}["odd-label"] == "warn"
    assert document["findings"][0]["severity"] == "stop"
    assert "odd-label" in err and "small-class" in err


def test_check_says_how_the_data_is_understood(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TABLE + "  ,a\n")
    code, out, err = shown("check", tmp_path / "t.csv", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["columns"] == {"text": "text", "label": "label"}
    assert document["class_counts"] == {"a": 8, "b": 8}
    assert document["set_aside"] == [{"id": "t.csv:18", "reason": "the text is empty"}]
    assert "label: 'label'" in err and "a: 8" in err


def test_a_home_that_cannot_be_used_is_the_users_to_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("HEADSTART_HOME", str(place))
        with pytest.raises(HeadstartError, match="HEADSTART_HOME"):
            find_home()


def test_a_full_disk_is_said_without_numbers_and_leaves_with_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from headstart import flow

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device", str(tmp_path / "x"))

    monkeypatch.setattr(flow, "check", full)
    code, out, err = shown("check", tmp_path)
    assert (code, out) == (2, "")
    assert "Errno" not in err and "no space left" in err


def test_a_reason_is_the_problem_without_the_name() -> None:
    assert cut_problem("a/b.csv: the file is empty.", "a/b.csv") == "the file is empty"
    assert cut_problem("the text is empty", "t") == "the text is empty"


def test_unlabelled_pictures_named_in_json_lines_keep_their_place(tmp_path: Path, pictures: Path) -> None:
    picture(0, 1).save(tmp_path / "x.png")
    lines = [json.dumps({"file_name": name}) for name in ("gone.png", "x.png", "../x.png")]
    (tmp_path / "list.jsonl").write_text("\n".join(lines))
    out = tmp_path / "p.csv"
    predict_files.predict(pictures, [tmp_path / "list.jsonl"], out, parse(PredictOptions))
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert [(row["input"], bool(row["label"])) for row in rows] == [
        ("gone.png", False), ("x.png", True), ("x.png#2", True),
    ]  # fmt: skip


def test_reading_says_unlabelled_rows_before_anything_else(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TABLE + "x,\n")
    assert len(data.read_table(tmp_path / "t.csv", parse(ReadOptions, unlabelled="drop"))) == 16


# ---- bundles --------------------------------------------------------------------------------------------------------


def test_a_bundle_whose_content_does_not_fit_is_a_bundle_error(texts: Path, tmp_path: Path) -> None:
    """Every hash is right, but what the files say is not what this version wants."""
    for name, key in (("strategy.json", None), ("manifest.json", "sha256"), ("config.json", "classes")):
        folder = tmp_path / name
        shutil.copytree(texts / "bundle", folder)
        said = json.loads((folder / name).read_text("utf-8"))
        said = {other: value for other, value in said.items() if other != key} if key else {}
        (folder / name).write_text(json.dumps(said))
        if name != "manifest.json":
            manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
            manifest["sha256"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
            (folder / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(BundleError, match="cannot be understood"):
            bundles.load_bundle(folder)


def test_two_processes_may_save_one_bundle_at_once(texts: Path, tmp_path: Path) -> None:
    bundle = bundles.load_bundle(texts)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: bundles.save_bundle(bundle, tmp_path / "b"), range(12)))
    assert bundles.load_bundle(tmp_path / "b").classes == bundle.classes
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
