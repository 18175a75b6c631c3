"""Which rows the report shows one by one, and how they are kept."""

from __future__ import annotations

from pathlib import Path

from headstart.flow import reporting
from headstart.flow.adaptation.previews import preview_rows
from headstart.flow.adaptation.report_rows import choose_gallery, share_places
from headstart.flow.adaptation.settings import SETTINGS
from headstart.modalities.preview_records import TextPreview
from headstart.records import Table, make_column
from headstart.report.previews import BUDGET_BYTES
from headstart.results.report_rows import Outcome, ReportRow, ReportRows


def make_row(at: int, outcome: Outcome | None, **parts: object) -> ReportRow:
    values = {"true": "a", "predicted": "b" if outcome == "wrong" else "a", "probability": 0.5 + at % 50 / 100, **parts}
    return ReportRow.model_validate({"id": str(at), "split": "test", "outcome": outcome, **values})


def test_wrong_rows_come_first_then_unanswered_ones_then_a_draw_of_right_ones() -> None:
    rows = [make_row(at, "right", true="ab"[at % 2], predicted="ab"[at % 2]) for at in range(400)]
    rows += [make_row(400 + at, "wrong") for at in range(30)] + [make_row(430 + at, "not_answered") for at in range(20)]
    gallery = choose_gallery(rows, 140)
    assert [row.outcome for row in gallery] == ["wrong"] * 30 + ["not_answered"] * 20 + ["right"] * 90
    assert [row.probability for row in gallery[:30]] == sorted((row.probability for row in gallery[:30]), reverse=True)
    assert {row.true for row in gallery[50:52]} == {"a", "b"}
    assert gallery == choose_gallery(rows[::-1], 140)


def test_every_pair_of_confused_classes_has_an_example_where_most_answers_are_wrong() -> None:
    rows = [make_row(at, "wrong", predicted="c") for at in range(300)]
    rows += [make_row(300, "wrong", predicted="d", probability=0.3), *(make_row(301 + at, "right") for at in range(40))]
    gallery = choose_gallery(rows, 20)
    assert {row.predicted for row in gallery if row.outcome == "wrong"} == {"c", "d"}
    assert sum(row.outcome == "right" for row in gallery) == 5


def test_places_that_one_part_does_not_need_go_to_the_others() -> None:
    assert share_places([3, 0, 500], (0.5, 0.25, 0.25), 140) == [3, 0, 137]
    assert share_places([500, 500, 500], (0.5, 0.25, 0.25), 140) == [70, 35, 35]


def test_numbers_are_ordered_by_their_error() -> None:
    rows = [make_row(at, None, probability=None, error=float(at)) for at in range(5)]
    assert [row.id for row in choose_gallery(rows, 2)] == ["4", "3"]


def test_report_rows_are_read_as_they_were_written_and_damaged_ones_are_left_out(tmp_path: Path) -> None:
    rows = ReportRows(
        rows=[make_row(1, "wrong", groups={"site": "hill"}), make_row(2, None)], n_test=1, n_shown=1,
        n_outcomes={"wrong": 1}, examples={"a": ["2"]},
    )  # fmt: skip
    reporting.write_report_rows(rows, tmp_path)
    assert reporting.read_report_rows(tmp_path / reporting.ROWS) == rows
    (tmp_path / reporting.ROWS).write_text('{"rows": 3}', encoding="utf-8")
    assert reporting.read_report_rows(tmp_path / reporting.ROWS) is None


def test_previews_share_their_bytes_and_fit_on_the_page(tmp_path: Path) -> None:
    assert SETTINGS.gallery_bytes + SETTINGS.example_bytes + SETTINGS.doubted_bytes < BUDGET_BYTES < 2_600_000
    texts = ["x" * 3_000, *("short" for _ in range(9))]
    table = Table(
        modality="text", source="", ids=make_column([str(at) for at in range(10)]), inputs=make_column(texts),
        hashes=make_column(texts), labels=None, splits=make_column(["test"] * 10),
    )  # fmt: skip
    previews = preview_rows(table, ["1", "0", "absent"], 2_000)
    assert list(previews) == ["1", "0"] and sum(len(item.model_dump_json()) for item in previews.values()) < 2_000
    alone = preview_rows(table, ["0"], 2_000)["0"]
    assert isinstance(alone, TextPreview) and alone.is_cut and len(alone.text) == 1_000
