"""The map of rows: a dot a row, coloured by class, wrong answers ringed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from headstart.report.figures.axis import ChartAxis
from headstart.report.figures.palette import OTHER, choose_colours
from headstart.report.figures.plane import Key, Picture, Plane, Point
from headstart.report.messages import translate
from headstart.report.words import format_percent, shorten_name
from headstart.results.report_rows import ReportRow, ReportRows


def draw_row_map(
    rows: ReportRows | None, is_number: bool = False, anchors: Mapping[str, str] | None = None
) -> Picture | None:
    """Draw the rows that have a place; None where none has one.

    Parameters
    ----------
    rows : ReportRows or None
    is_number : bool
        Rows have a number and no class: they are coloured by thirds of it.
    anchors : mapping of str to str, or None
        Where a row is shown on the page, by its id: its dot leads there.
    """
    placed = [(row, (row.x, row.y)) for row in rows.rows if row.x is not None and row.y is not None] if rows else []
    if not rows or not placed:
        return None
    names = _name_thirds([row for row, _ in placed]) if is_number else [row.true for row, _ in placed]
    colours = {name: f"c{at}" for at, name in enumerate(_third_names())} if is_number else choose_colours(names)
    dots: dict[str, list[Point]] = defaultdict(list)
    wrong: list[Point] = []
    links = []
    for (row, place), name in zip(placed, names, strict=True):
        style = f"{'faint' if row.split == 'train' else 'small'} {colours.get(name, OTHER)}"
        if anchors and row.id in anchors:
            links.append((row, place, style))
        else:
            dots[style].append(place)
        wrong += [place] if row.outcome == "wrong" else []
    plane = Plane(
        _make_bare_axis(translate("the direction in which they differ most")),
        _make_bare_axis(translate("the second direction")),
    )
    marks = plane.draw_dots(wrong, "ring") + plane.draw_dots(wrong, "hole")
    for style in sorted(dots):
        marks += plane.draw_dots(dots[style], style)
    for row, place, style in links:
        title = translate("{label}; its answer: {answer}", label=row.true, answer=row.predicted)
        marks += plane.draw_link(place, style=style, address=f"#{(anchors or {})[row.id]}", title=title)
    keys = [Key(f"dots {style}", shorten_name(name)) for name, style in colours.items()]
    keys += [Key(f"dots {OTHER}", translate("other kinds"))] if len(set(names)) > len(colours) else []
    keys += [Key("loop", translate("answered wrong"))] if wrong else []
    caption = translate(
        "Each dot is one of them, as the base model sees it: near dots look alike to it. Faint dots: it learnt from "
        "these. "
        "A flat map of something with many sides: it shows {share} of the differences, and what lies together here may "
        "still be told apart.",
        share=format_percent(rows.map_spread_share),
    )
    if rows.map_source == "descriptors":
        caption = f"{caption} {translate('Placed by simple descriptors; the base model was not run.')}"
    return Picture(
        title=translate("Map of all rows"),
        description=translate("{n} dots, {wrong} of them answered wrong", n=len(placed), wrong=len(wrong)),
        caption=caption,
        plane=plane,
        marks=marks,
        keys=tuple(keys),
        shape="map",
    )  # fmt: skip


def _make_bare_axis(name: str) -> ChartAxis:
    """Make an axis without ticks: its numbers have no unit and no meaning of their own."""
    return ChartAxis(name=name, low=0.0, high=1.0, ticks=())


def _name_thirds(rows: list[ReportRow]) -> list[str]:
    """Name the third that each number belongs to."""
    numbers = [float(row.true) for row in rows]
    ordered = sorted(numbers)
    bounds = [ordered[len(ordered) // 3], ordered[2 * len(ordered) // 3]]
    return [_third_names()[sum(number >= end for end in bounds)] for number in numbers]


def _third_names() -> tuple[str, str, str]:
    return translate("lowest third"), translate("middle third"), translate("highest third")
