"""The gallery of the report in a real browser: filters, cells that open examples, the table, folding without script."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from tests.browser import CHROMIUM, browser
from tests.needs import skip_without
from tests.test_report import LEAVES, Outline, made_result

from headstart.flow import reporting
from headstart.modalities.preview_records import AnyPreview, SeriesPreview, TextPreview
from headstart.options import ReportOptions
from headstart.report import render_html
from headstart.results import Result
from headstart.results.report_rows import ReportRow, ReportRows

SHOWN = (
    """[...document.querySelectorAll("#gallery [data-row]")].filter(row => row.checkVisibility()).map(row => row.id)"""
)
CHOOSE = """(field, value) => { const list = document.querySelector(`[data-field="${field}"]`); list.value = value;
  list.dispatchEvent(new Event("change", {bubbles: true})); }"""


def make_rows(result: Result) -> ReportRows:
    """One test row for each cell of the confusion matrix; every third has no answer."""
    rows = []
    for at, label in enumerate(result.classes):
        for to, answer in enumerate(result.classes):
            outcome = "not_answered" if (at + to) % 3 == 2 else "right" if at == to else "wrong"
            name = f"=cmd{at}{to}.jpg" if (at, to) == (0, 1) else f"{at}-{to}.jpg"
            values = {"true": label, "predicted": answer, "second": label, "probability": 0.5 + to / 10}
            groups = {"site": ("hill", "<b>valley")[to % 2]}
            rows.append({"id": name, "split": "test", "outcome": outcome, "groups": groups, **values})
    order = ("wrong", "not_answered", "right")
    rows.sort(key=lambda row: order.index(str(row["outcome"])))
    counts = {name: sum(row["outcome"] == name for row in rows) for name in order}
    training = [ReportRow(id=f"train {label}", split="train", true=label) for label in result.classes]
    test = [ReportRow.model_validate(row) for row in rows]
    examples = {row.true: [row.id] for row in training}
    return ReportRows.model_validate(
        {"rows": [*test, *training], "n_test": 40, "n_shown": len(test), "n_outcomes": counts, "examples": examples}
    )


@pytest.fixture(scope="module")
def result() -> Result:
    return made_result()


@pytest.fixture(scope="module")
def rows(result: Result) -> ReportRows:
    return make_rows(result)


def make_previews(rows: ReportRows) -> dict[str, AnyPreview]:
    texts: dict[str, AnyPreview] = {row.id: TextPreview(text=f"no water <i> {row.id}") for row in rows.rows}
    return {**texts, rows.rows[-1].id: SeriesPreview(channels=[[1.0, 2.0]], n_steps=2, n_channels=1)}


@pytest.mark.parametrize("language", ["en", "fr", "es", "sw", "ar"])
def test_the_gallery_is_whole_in_every_language_and_escapes_what_it_shows(
    language: str, result: Result, rows: ReportRows
) -> None:
    page = render_html(result, make_previews(rows), language, rows)
    outline = Outline(page)
    assert outline.stack == [] and page.count("data-row=") == rows.n_shown == 16
    assert "<b>valley" not in page and "<i> " not in page and page.count("<script>") == 1
    anchors = {given["id"] for _, given in outline.tags if "id" in given}
    links = [given["href"][1:] for tag, given in outline.tags if tag == "a" and given["href"].startswith("#")]
    assert set(links) <= anchors and sum(name.startswith("row-") for name in links) >= 16
    if language == "en":
        assert "This page holds 20 images of yours" in page.replace("photos", "images") and "16 of 40" in page


def test_a_report_without_examples_names_no_row(result: Result, rows: ReportRows, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(result.model_dump_json(), encoding="utf-8")
    reporting.write_report_rows(rows, tmp_path)
    reporting.write_previews(make_previews(rows), tmp_path)
    reporting.rewrite_report(tmp_path, tmp_path / "share", ReportOptions(language="en", without_examples=True))
    shared = "".join((tmp_path / "share" / name).read_text("utf-8") for name in ("report.html", "README.md"))
    named = [row.id for row in [*result.worst, *result.label_errors, *result.set_aside]]
    named += [name for item in result.checks for name in item.rows]
    assert named and not [name for name in named if name in shared]
    assert "no water" not in shared and "of yours" not in shared
    reporting.rewrite_report(tmp_path, None, ReportOptions(language="en"))
    assert "no water" in (tmp_path / "report.html").read_text("utf-8")


def test_the_gallery_filters_opens_the_examples_of_a_cell_and_saves_a_table(
    result: Result, rows: ReportRows, tmp_path: Path
) -> None:
    skip_without("browser", CHROMIUM, "there is no Chromium on this machine")
    source = tmp_path / "report.html"
    source.write_text(render_html(result, make_previews(rows), "fr", rows), encoding="utf-8")
    with browser(tmp_path / "profile") as page:
        page.send("Emulation.setScriptExecutionDisabled", value=True)
        page.open(source.as_uri())
        page.until("document.readyState === 'complete' && document.querySelector('#gallery') !== null")
        assert page.run("document.querySelector('#gallery form').hidden"), "without script there are no dead buttons"
        assert page.run("document.querySelectorAll('#gallery .part[open]').length") == 1

        page.send("Emulation.setScriptExecutionDisabled", value=False)
        page.open(source.as_uri() + "?again")
        page.until("document.querySelector('#gallery form')?.hidden === false")
        page.run("document.querySelector('#gallery').closest('details')?.setAttribute('open', '')")
        wrong = page.run(SHOWN)
        assert len(wrong) == sum(row.outcome == "wrong" for row in rows.gallery)

        page.run(f"({CHOOSE})('outcome', 'right')")
        assert len(page.run(SHOWN)) == sum(row.outcome == "right" for row in rows.gallery)
        page.run(f"({CHOOSE})('group0', '<b>valley')")
        valley = [row for row in rows.gallery if row.outcome == "right" and row.groups["site"] == "<b>valley"]
        assert len(page.run(SHOWN)) == len(valley) > 0
        assert str(len(valley)) in page.run("document.querySelector('#gallery output').value")

        page.run("document.querySelector('details:not([open]) a[data-pair=\"2,1\"]')?.closest('details')"
                 ".setAttribute('open', '')")  # fmt: skip
        page.run("document.querySelector('a[data-pair=\"2,1\"]').click()")
        (opened,) = page.run(SHOWN)
        row = json.loads(page.run(f"document.getElementById('{opened}').dataset.row"))
        assert row[1:3] == [LEAVES[2], LEAVES[1]]
        assert page.run("document.activeElement.id") == "gallery-title"

        page.run(f"document.querySelector('#{opened} summary').click()")
        assert page.run(f"document.querySelector('#{opened} dl').checkVisibility()"), "opened, it says more"

        page.run("document.querySelector('#gallery [type=reset]').click()")
        page.until(f"({SHOWN}).length >= {len(wrong)}")
        page.run("""URL.createObjectURL = blob => { blob.text().then(text => { window.saved = text; });
                    return "blob:none"; }; HTMLAnchorElement.prototype.click = () => {};""")
        page.run("document.querySelector('[data-save]').click()")
        table = page.until("window.saved")
        assert page.troubles() == []
    saved = list(csv.DictReader(table.lstrip("\ufeff").splitlines(), delimiter=";"))
    assert sorted(row["id"] for row in saved) == sorted(
        re.sub("^=", "'=", row.id) for row in rows.gallery if row.outcome == "wrong"
    )
    assert saved[0]["outcome"] == "wrong" and saved[0]["text"].startswith("no water <i>")
