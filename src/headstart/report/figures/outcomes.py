"""Of a hundred rows: right, wrong, left to a person; for all rows, for each class and for each group."""

from __future__ import annotations

from collections.abc import Sequence

from headstart.report.figures.axis import make_share_axis
from headstart.report.figures.plane import Key
from headstart.report.figures.rows import ChartRow, RowChart, Segment, draw_rows
from headstart.report.group_names import name_value
from headstart.report.messages import translate
from headstart.report.people_words import count_inputs
from headstart.report.words import format_hundredths, format_share_range
from headstart.results import GroupColumn, GroupValue, OutcomeShares, Result
from headstart.task_types import TASK_TYPES

FIRST_CLASSES = 12
MOST_CLASSES = 60


def chart_outcomes(result: Result, noun: str) -> RowChart | None:
    """Chart what becomes of a hundred test rows; None for a number, without test rows and in older results.

    Parameters
    ----------
    result : Result
    noun : str
        What the rows are called, in the language of the page.
    """
    figures = result.pictures
    if figures is None or figures.outcomes is None:
        return None
    return _make_chart(
        [_make_row(figures.outcomes, translate("all"), result.modality, is_ours=True)],
        translate("Right, wrong and not answered, of 100 {noun}", noun=noun),
        noun,
        chance=figures.guessing,
        guess=translate("always the most frequent answer"),
    )


def chart_class_outcomes(result: Result, noun: str) -> RowChart | None:
    """Chart what becomes of a hundred test rows of each class, the weakest first; None where classes are not counted.

    Parameters
    ----------
    result : Result
    noun : str
        What the rows are called, in the language of the page.
    """
    figures = result.pictures
    if figures is None or not figures.per_class:
        return None
    weakest_first = sorted(figures.per_class, key=lambda item: (item.right.value, item.name))
    rows = [_make_row(item, item.name, result.modality) for item in weakest_first[:MOST_CLASSES]]
    title = translate("Right, wrong and not answered, of 100 {noun} of each kind", noun=noun)
    chance = 1 / len(result.classes) if TASK_TYPES[result.task].has_one_class else None
    return _make_chart(rows, title, noun, chance=chance, guess=translate("guessing blindly"))


def chart_group_outcomes(part: GroupColumn, result: Result, noun: str) -> RowChart | None:
    """Chart what becomes of a hundred test rows of each group; None where no group is known well enough, and where
    answers are neither right nor wrong as a whole.

    Parameters
    ----------
    part : GroupColumn
    result : Result
    noun : str
        What the rows are called, in the language of the page.
    """
    if not TASK_TYPES[result.task].has_one_class or not any(item.answered for item in part.values):
        return None
    measured = [
        item.values for item in (result.pictures.per_group if result.pictures else []) if item.column == part.column
    ]
    shares = {item.name: item for item in (measured[0] if measured else [])}
    rows = [
        _make_row(shares[item.value], name_value(part.column, item.value), result.modality)
        if item.value in shares
        else _make_group_row(item, name_value(part.column, item.value), result.modality)
        for item in part.values
    ]
    chance = result.pictures.guessing if result.pictures else None
    guess = translate("always the most frequent answer")
    return _make_chart(rows, part.column, noun, chance=chance, guess=guess)


def _make_chart(rows: Sequence[ChartRow], title: str, noun: str, *, chance: float | None, guess: str) -> RowChart:
    axis = make_share_axis(translate("of 100 {noun}", noun=noun), write=lambda share, _: format_hundredths(share))
    drawn = draw_rows(axis, rows, chance)
    styles = {segment.style for row in rows for segment in row.segments}
    words = {
        "right": translate("right"),
        "near": translate("one grade off"),
        "wrong": translate("further off") if "near" in styles else translate("wrong"),
        "unsure": translate("no answer: left to a person"),
    }
    keys = [Key(f"area {style}", text) for style, text in words.items() if style in styles]
    keys += [Key("chance", guess)] if chance is not None else []
    caption = translate("Beside the bars: right of 100, and the bounds between which that surely lies.")
    caption = caption if any(row.spans for row in rows) else translate("Beside the bars: right of 100.")
    return RowChart(
        axis=axis,
        rows=drawn[:FIRST_CLASSES],
        rest=tuple(drawn[FIRST_CLASSES:]),
        title=title,
        caption=caption,
        keys=tuple(keys),
    )


def _make_row(shares: OutcomeShares, name: str, modality: str, is_ours: bool = False) -> ChartRow:
    right, silent = shares.right, shares.not_answered
    near = shares.near.value if shares.near else 0.0
    wrong = max(1 - right.value - silent.value, 0.0)
    return ChartRow(
        name=name,
        note=count_inputs(modality, shares.n_rows),
        text=format_hundredths(right.value),
        range=format_share_range(right),
        label=_write_label(right.value, wrong, silent.value),
        segments=_stack(("right", right.value), ("near", near), ("wrong", max(wrong - near, 0.0))),
        spans=((right.low, right.high),),
        is_ours=is_ours,
    )


def _make_group_row(item: GroupValue, name: str, modality: str) -> ChartRow:
    name = name or translate("no value")
    if item.answered is None:
        text = translate("cannot tell ({inputs})", inputs=count_inputs(modality, item.n_rows))
        return ChartRow(name=name, text=text, label="")
    answered, of_answers = item.answered.value, item.answered_right
    right = answered * of_answers.value if of_answers else 0.0
    return ChartRow(
        name=name,
        note=count_inputs(modality, item.n_rows),
        text=format_hundredths(right),
        label=_write_label(right, answered - right, 1 - answered),
        segments=_stack(("right", right), ("wrong", answered - right)),
    )


def _write_label(right: float, wrong: float, silent: float) -> str:
    return translate(
        "right {right}, wrong {wrong}, no answer {silent} of 100",
        right=format_hundredths(right),
        wrong=format_hundredths(wrong),
        silent=format_hundredths(silent),
    )


def _stack(*parts: tuple[str, float]) -> tuple[Segment, ...]:
    """Put pieces one behind the other, and what is missing of the whole behind them as rows without an answer."""
    segments, end = [], 0.0
    for style, share in (*parts, ("unsure", 1.0)):
        begin, end = end, min(end + share, 1.0)
        segments += [Segment(style, begin, end)] if end - begin > 1e-9 else []
    return tuple(segments)
