"""Pictures of the report: axes with round ticks, drawings that are well-formed, whatever the figures are."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.test_report import made_result

from headstart.report import render_html
from headstart.report.figures.axis import choose_log_ticks, choose_ticks, make_axis, make_log_axis, make_share_axis
from headstart.report.figures.certainty import draw_certainty, draw_reliability
from headstart.report.figures.class_rows import FIRST_CLASSES, MOST_CLASSES, chart_class_rows
from headstart.report.figures.fit import draw_fit
from headstart.report.figures.outcomes import chart_class_outcomes, chart_group_outcomes, chart_outcomes
from headstart.report.figures.over_time import draw_over_time
from headstart.report.figures.plane import Picture, Plane
from headstart.report.figures.row_map import draw_row_map
from headstart.report.figures.rows import ChartRow, Segment, draw_rows
from headstart.report.messages import use_language
from headstart.results import (
    Calibration,
    CertaintyBin,
    Figure,
    GroupColumn,
    GroupValue,
    ObservedPredicted,
    OutcomeShares,
    OverTime,
    Period,
    PictureFigures,
    ReliabilityBin,
)
from headstart.results.report_rows import ReportRow, ReportRows

NUMBERS = st.floats(-1e12, 1e12, allow_subnormal=False)


def is_round(value: float, step: float) -> bool:
    return math.isclose(value / step, round(value / step), abs_tol=1e-6)


@given(NUMBERS, NUMBERS, st.booleans())
@settings(max_examples=300, deadline=None)
def test_ticks_are_round_cover_the_numbers_and_are_three_to_seven(first: float, second: float, whole: bool) -> None:
    low, high = sorted((first, second))
    ticks = choose_ticks(low, high, whole)
    step = ticks[1] - ticks[0]
    near = 1e-8 * max(abs(low), abs(high), step)
    assert 3 <= len(ticks) <= 7 and ticks == sorted(set(ticks))
    assert ticks[0] <= low + near and high - near <= ticks[-1]
    mantissa = float(f"{step:e}".split("e")[0])
    assert min(abs(mantissa - part) for part in (1, 2, 2.5, 5, 10)) < 1e-3
    assert all(is_round(tick, step) for tick in ticks)
    assert not whole or all(tick == round(tick) for tick in ticks)


@given(st.floats(1e-9, 1e12), st.floats(1, 1e9))
@settings(max_examples=200, deadline=None)
def test_ticks_of_a_logarithmic_axis_cover_the_numbers_and_are_three_to_seven(low: float, factor: float) -> None:
    ticks = choose_log_ticks(low, low * factor)
    assert 3 <= len(ticks) <= 7 and ticks == sorted(set(ticks))
    assert ticks[0] <= low * (1 + 1e-8) and low * factor * (1 - 1e-8) <= ticks[-1]


def test_an_axis_places_its_ticks_and_writes_them_in_the_language() -> None:
    axis = make_share_axis("right")
    assert [tick.text for tick in axis.ticks] == [f"{n}\u202f%" for n in (0, 25, 50, 75, 100)]
    assert [tick.place for tick in axis.ticks] == [0, 0.25, 0.5, 0.75, 1]
    with use_language("fr"):
        assert [tick.text for tick in make_axis("kg", [0, 1.4]).ticks] == ["0,0", "0,5", "1,0", "1,5"]
    assert make_log_axis("labels", [10, 1000]).place(100) == pytest.approx(0.5)
    assert make_axis("kg", [math.nan, 3.0]).place(math.inf) == 1


def well_formed(marks: str) -> ET.Element:
    return ET.fromstring(f"<svg>{marks}</svg>")


def bins_of(*rows: tuple[int, int]) -> list[CertaintyBin]:
    width = 1 / len(rows)
    return [
        CertaintyBin(low=at * width, high=(at + 1) * width, n_right=right, n_wrong=wrong)
        for at, (right, wrong) in enumerate(rows)
    ]


def calibration_of(*shares: float) -> Calibration:
    figure = Figure(value=0.1, low=0.0, high=0.2)
    bins = [
        ReliabilityBin(n_rows=20, mean_probability=p, share_right=Figure(value=p, low=p / 2, high=1)) for p in shares
    ]
    return Calibration(n_rows=20 * len(shares), error=figure, overconfidence=figure, brier=figure, bins=bins)


PICTURES = [
    draw_fit(ObservedPredicted(n_rows=3, observed=[2.0, 2.0, 2.0], predicted=[2.0, 2.0, 2.0]), "kg"),
    draw_fit(ObservedPredicted(n_rows=1, observed=[-7.0], predicted=[3.0]), "<b>&"),
    draw_reliability(calibration_of(1.0)),
    draw_reliability(calibration_of(*(at / 10 for at in range(1, 11)))),
    draw_certainty(bins_of((0, 0), (0, 0), (1, 0), (0, 0))),
    draw_certainty(bins_of(*[(500, 20)] * 20)),
]


@pytest.mark.parametrize("picture", PICTURES)
def test_a_drawing_is_well_formed_and_stays_inside(picture: Picture) -> None:
    for path in well_formed(picture.marks):
        places = path.attrib["d"].replace("h0", " ")
        numbers = [float(part) for part in "".join(c if c in "0123456789.-" else " " for c in places).split()]
        assert numbers and all(0 <= number <= 100 for number in numbers)
    assert picture.title and picture.description and picture.plane.x.name and picture.plane.y.name


def test_nothing_is_drawn_where_nothing_was_measured() -> None:
    assert draw_certainty([]) is None and draw_certainty(bins_of((0, 0))) is None
    assert draw_reliability(None) is None and draw_fit(None, "kg") is None
    plane = Plane(make_share_axis("x"), make_share_axis("y"))
    assert plane.draw_dots([]) == plane.draw_line([]) == plane.draw_band([]) == plane.draw_columns([]) == ""


def test_a_row_has_its_bar_interval_and_the_mark_of_guessing() -> None:
    row = ChartRow(name="rust", text="50 %", label="50 %", segments=(Segment("right", 0, 0.5),), spans=((0.25, 0.75),))
    drawn = draw_rows(make_share_axis("of 100 rows"), [row], chance=0.2)[0]
    paths = {path.attrib["class"]: path.attrib["d"] for path in well_formed(drawn.marks)}
    assert paths["chance"].startswith("M20 ") and paths["span over"] == "M25 50H75"
    assert paths["area right"] == "M0 22H50V78H0Z"


def share(value: float) -> Figure:
    return Figure(value=value, low=max(value - 0.1, 0), high=min(value + 0.1, 1))


def outcomes_of(name: str, right: float, silent: float) -> OutcomeShares:
    wrong = share(1 - right - silent)
    return OutcomeShares(name=name, n_rows=50, right=share(right), wrong=wrong, not_answered=share(silent))


def test_of_a_hundred_rows_the_pieces_add_up_and_the_weakest_class_comes_first() -> None:
    pictures = PictureFigures(
        guessing=0.3,
        outcomes=outcomes_of("", 0.6, 0.2),
        per_class=[outcomes_of("rust", 0.9, 0.0), outcomes_of("blight", 0.1, 0.8)],
    )
    result = made_result().model_copy(update={"pictures": pictures})
    chart = chart_outcomes(result, "photos")
    assert chart is not None and [key.text for key in chart.keys] == [
        "right",
        "wrong",
        "no answer: left to a person",
        "always the most frequent answer",
    ]
    pieces = [(part.style, round(part.high - part.low, 6)) for part in chart.rows[0].row.segments]
    assert pieces == [("right", 0.6), ("wrong", 0.2), ("unsure", 0.2)]
    classes = chart_class_outcomes(result, "photos")
    assert classes is not None and [item.row.name for item in classes.rows] == ["blight", "rust"]
    assert [tick.text for tick in classes.axis.ticks] == ["0", "25", "50", "75", "100"]
    column = GroupColumn(
        column="lang",
        values=[
            GroupValue(value="sw", n_rows=30, told=True, metrics=None, answered=share(0.5), answered_right=share(0.4)),
            GroupValue(value="en", n_rows=3, told=False, metrics=None),
        ],
        gap=None,
        gap_between=None,
        p_value=None,
    )
    groups = chart_group_outcomes(column, result, "photos")
    assert groups is not None and [(item.row.name, item.row.text) for item in groups.rows] == [
        ("Swahili", "20"),
        ("English", "cannot tell (3 photos)"),
    ]
    several = result.model_copy(update={"task": "multi-label"})
    assert chart_group_outcomes(column, several, "photos") is None


def test_of_two_hundred_classes_the_largest_are_shown_and_the_others_are_one_bar() -> None:
    names = tuple(f"class {at:03d}" for at in range(200))
    counts = {name: {"train": 300 - at, "test": at % 2} for at, name in enumerate(names)}
    chart = chart_class_rows(made_result().model_copy(update={"class_counts": counts}))
    assert chart is not None and len(chart.rows) == FIRST_CLASSES
    assert len(chart.rows) + len(chart.rest) == MOST_CLASSES + 1
    assert chart.rows[0].row.name == "class 000" and chart.rest[-1].row.name == "140 other kinds"
    assert chart_class_rows(made_result().model_copy(update={"class_counts": {}})) is None


def test_the_map_colours_eight_kinds_rings_mistakes_and_leads_to_rows() -> None:
    rows = [
        ReportRow(id=str(at), split="test", true=f"kind {at % 10}", predicted="kind 1", x=at / 40, y=0.5)
        for at in range(40)
    ]
    rows[3] = rows[3].model_copy(update={"outcome": "wrong"})
    picture = draw_row_map(ReportRows(rows=rows, n_test=40, n_shown=1), anchors={"3": "row-0"})
    assert picture is not None and len(picture.keys) == 8 + 2
    assert [key.text for key in picture.keys[-2:]] == ["other kinds", "answered wrong"]
    drawing = well_formed(picture.marks)
    assert [link.attrib["href"] for link in drawing.iter("a")] == ["#row-0"]
    dots = sum(path.attrib["d"].count("h0") for path in drawing.iter("path") if "c" in path.attrib["class"].split()[-1])
    assert dots >= 30 and draw_row_map(ReportRows(rows=[], n_test=0, n_shown=0)) is None


def test_months_have_a_tick_each_or_every_second() -> None:
    periods = [
        Period(start=f"2025-{month:02d}-01", n_rows=9, right=share(0.5), not_answered=None) for month in range(1, 12)
    ]
    picture = draw_over_time(OverTime(column="date", unit="month", periods=periods))
    assert picture is not None
    assert [tick.text for tick in picture.plane.x.ticks] == [f"2025-{month:02d}" for month in range(1, 12, 2)]
    assert draw_over_time(OverTime(column="date", unit="month", periods=periods[:1])) is None


def test_from_right_to_left_the_drawings_are_mirrored_and_words_follow_the_page() -> None:
    css = (files("headstart.report") / "templates" / "figures.css").read_text("utf-8")
    assert '[dir="rtl"] :is(.picture, .chart) svg { transform: scaleX(-1); }' in css
    assert not re.search(
        r"(margin|padding|border|inset)-(left|right)|text-align:\s*(left|right)|[ ;{](left|right):", css
    )
    assert "inset-inline-start: var(--at)" in css and "<text" not in render_html(made_result(), {}, "ar")
