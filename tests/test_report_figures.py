"""Pictures of the report: axes with round ticks, drawings that are well-formed, whatever the figures are."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.report.figures.axis import choose_log_ticks, choose_ticks, make_axis, make_log_axis, make_share_axis
from headstart.report.figures.certainty import draw_certainty, draw_reliability
from headstart.report.figures.fit import draw_fit
from headstart.report.figures.plane import Picture, Plane
from headstart.report.figures.rows import ChartRow, Segment, draw_rows
from headstart.report.messages import use_language
from headstart.results import Calibration, CertaintyBin, Figure, ObservedPredicted, ReliabilityBin

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
