"""What we write is not run by a spreadsheet and shows as it is in Markdown, and our readers read back what it was."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart import bundle as bundles
from headstart import data, flow
from headstart.bundle.card import render_card
from headstart.csv_files import format_csv, guard_cell, read_csv_rows, unguard_cell
from headstart.data.reading.table_files import read_raw_table
from headstart.markdown_text import escape_markdown
from headstart.options import AdaptOptions, LabelNextOptions, PredictOptions, parse

SOURCE = Path(__file__).parents[1] / "src" / "headstart"
FORMULAS = ('=HYPERLINK("http://x")', "+cmd|' /C calc'!A0", "@SUM(1)", "- no water", "\tx", "＝1", "'=1", "''-x")
LINK = re.compile(r"[^\\]\]\(http")
RUN = re.compile(r"[=+\-@\t\r\n＝＋－＠]")


@given(st.text(alphabet="'=+-@\t\r\n1.x ＝", max_size=6))
def test_a_guard_can_be_taken_off_again(text: str) -> None:
    written = guard_cell(text)
    assert unguard_cell(str(written)) == text
    assert not RUN.match(str(written)) or float(str(written)) is not None  # Only numbers begin so.


def test_numbers_stay_numbers() -> None:
    assert [guard_cell(cell) for cell in ("-0.5", "+2", "1e-9", -3, None)] == ["-0.5", "+2", "1e-9", -3, None]
    assert guard_cell("-inf") == "'-inf" and guard_cell("- 1") == "'- 1"


def test_a_table_that_we_wrote_is_read_as_it_was(tmp_path: Path) -> None:
    rows = [["text", "label"], *([text, "ab"[at % 2]] for at, text in enumerate(FORMULAS))]
    (tmp_path / "t.csv").write_text(format_csv(rows), "utf-8", newline="")
    assert read_raw_table(tmp_path / "t.csv").texts("text") == list(FORMULAS)
    with (tmp_path / "t.csv").open(newline="") as handle:
        assert read_csv_rows(handle) == rows


def test_there_is_one_writer_of_csv_files() -> None:
    """`csv.writer` stands in no other file, so that no table is written without guards."""
    found = [path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py") if "csv.writer(" in path.read_text()]
    assert found == ["csv_files.py"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("formulas")
    names = ("=1+1", "-<b>x</b>", "[c](http://x.y)")
    rows = [[f"{'abc'[row % 3] * 3} word {row}", names[row % 3]] for row in range(45)]
    (root / "t.csv").write_text(format_csv([["text", "label"], *rows]), "utf-8", newline="")
    flow.adapt(root / "t.csv", root / "out", parse(AdaptOptions, strategy="classic", offline=True, time="1m"))
    return root / "out"


def _harmful(text: str) -> list[str]:
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row if RUN.match(cell)]
    return [cell for cell in cells if not re.fullmatch(r"[-+]?[\d.]+", cell)]


def test_no_table_of_a_run_holds_a_formula_and_each_is_read_back(run: Path, tmp_path: Path) -> None:
    new = [["text"], *([text] for text in FORMULAS[:4])]
    (tmp_path / "new.csv").write_text(format_csv(new), "utf-8", newline="")
    flow.predict(run, [tmp_path / "new.csv"], tmp_path / "p.csv", parse(PredictOptions, offline=True))
    script = [sys.executable, str(run / "bundle" / "predict.py"), str(tmp_path / "new.csv")]
    alone = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    flow.label_next(run, tmp_path / "new.csv", tmp_path / "next.csv", parse(LabelNextOptions, offline=True))
    tables = [alone, *(path.read_text("utf-8") for path in (tmp_path / "p.csv", tmp_path / "next.csv"))]
    for text in (*tables, (run / "test_predictions.csv").read_text("utf-8")):
        assert _harmful(text) == []
    assert {row[1] for row in csv.reader(io.StringIO(tables[0]))} <= {"label", "'=1+1", "'-<b>x</b>", "[c](http://x.y)"}
    assert alone.splitlines()[0] == tables[1].splitlines()[0]
    assert set(read_raw_table(tmp_path / "next.csv").texts("text")) == set(FORMULAS[:4])


def test_rows_to_label_come_back_as_they_went(run: Path, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(format_csv([["text"], *([text] for text in FORMULAS[:4])]), "utf-8", newline="")
    flow.label_next(run, tmp_path / "new.csv", tmp_path / "next.csv", parse(LabelNextOptions, offline=True))
    sheet = read_raw_table(tmp_path / "next.csv")
    filled = [sheet.names, *([text, "=1+1"] for text in sheet.texts("text"))]
    (tmp_path / "filled.csv").write_text(format_csv([["text", "label"], *filled[1:]]), "utf-8", newline="")
    table = data.read_table(tmp_path / "filled.csv")
    assert sorted(table.inputs) == sorted(FORMULAS[:4]) and table.labels is not None
    assert set(table.labels) == {"=1+1"}


def test_labels_show_as_they_are_in_cards(run: Path) -> None:
    bundle = bundles.load_bundle(run)
    for text in (render_card(bundle, {"ok": False, "reason": "a <b>"}), (run / "README.md").read_text("utf-8")):
        body = text.split("---\n")[-1]
        assert "<b>" not in body.replace("\\<b", "") and not LINK.search(body) and "\\[c\\](http:\\//x.y)" in body
    renamed = replace(bundle, training_facts=bundle.training_facts.model_copy(update={"data": "[x](http://y)"}))
    assert not LINK.search(render_card(renamed, {"ok": False, "reason": ""}))


@pytest.mark.parametrize("text", ["# x", "- x", "1. x", "> x", "`x`", "![x](y)", "&lt;", "www.x.org", "a@b.org"])
def test_markdown_of_others_is_no_markup(text: str) -> None:
    assert escape_markdown(text) != text
    assert re.sub(r"\\(.)", r"\1", escape_markdown(text)) == text
