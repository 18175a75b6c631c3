"""The pictures of one report, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headstart.report.figures.certainty import draw_certainty, draw_reliability, draw_risk_coverage
from headstart.report.figures.class_rows import chart_class_rows
from headstart.report.figures.compared import chart_metrics, make_axis_of
from headstart.report.figures.fit import draw_fit
from headstart.report.figures.learning import draw_learning_curve
from headstart.report.figures.outcomes import chart_class_outcomes, chart_outcomes
from headstart.report.figures.over_time import draw_over_time
from headstart.report.figures.plane import Picture
from headstart.report.figures.row_map import draw_row_map
from headstart.report.figures.rows import ChartRow, RowChart, draw_rows
from headstart.report.figures.series import draw_series
from headstart.report.group_names import name_value
from headstart.report.kinds import TaskWording
from headstart.report.messages import translate
from headstart.report.people_words import count_inputs
from headstart.report.words import SHARES
from headstart.results import GroupColumn, Metrics, PictureFigures, Result
from headstart.results.report_rows import ReportRows
from headstart.task_types import TASK_TYPES

REFERENCES = frozenset({"majority", "classic", "scratch"})
"""Strategies that the chosen one is shown beside, with the two of the verdict."""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """The pictures of a report; None where there is nothing to draw.

    Parameters
    ----------
    compared : RowChart or None
        The chosen strategy, and those that it is measured against.
    outcomes, class_outcomes, class_rows : RowChart or None
        What becomes of a hundred rows, of all and of each class; rows of each class.
    certainty, reliability, risk, curve, fit, row_map : Picture or None
        How sure answers are, probabilities against right answers, wrong answers by rows answered, the learning curve,
        predicted against true numbers, the map of rows.
    series, over_time : list of Picture
        One for each channel, and for each column of dates.
    """

    compared: RowChart | None
    outcomes: RowChart | None
    class_outcomes: RowChart | None
    class_rows: RowChart | None
    certainty: Picture | None
    reliability: Picture | None
    risk: Picture | None
    curve: Picture | None
    fit: Picture | None
    row_map: Picture | None
    series: list[Picture]
    over_time: list[Picture]


def draw_pictures(
    result: Result,
    kind: TaskWording,
    noun: str,
    rows: ReportRows | None = None,
    anchors: Mapping[str, str] | None = None,
) -> Pictures:
    """Draw all pictures of a report.

    Parameters
    ----------
    result : Result
    kind : TaskWording
        Of its task.
    noun : str
        What the rows are called, in the language of the page.
    rows : ReportRows or None
        The rows that are shown one by one; None in runs of older versions.
    anchors : mapping of str to str, or None
        Where a row is shown on the page, by its id.
    """
    figures = result.pictures or PictureFigures()
    return Pictures(
        compared=_chart_compared(result, kind),
        outcomes=chart_outcomes(result, noun),
        class_outcomes=chart_class_outcomes(result, noun),
        class_rows=chart_class_rows(result),
        certainty=draw_certainty(figures.certainty),
        reliability=draw_reliability(result.calibration),
        risk=draw_risk_coverage(result.abstention),
        curve=draw_learning_curve(result.learning_curve),
        fit=draw_fit(result.fit, (*result.classes, "")[0]),
        row_map=draw_row_map(rows, TASK_TYPES[result.task].is_number, anchors),
        series=draw_series(figures.series),
        over_time=[picture for part in figures.over_time if (picture := draw_over_time(part))],
    )


def guessing_share(result: Result) -> float | None:
    """Return the share of test rows that always answering the most frequent class gets right; None if not known.

    Parameters
    ----------
    result : Result
    """
    tests = [item.test for item in result.strategies if item.name == "majority"]
    return tests[0].accuracy.value if tests and isinstance(tests[0], Metrics) else None


def _chart_compared(result: Result, kind: TaskWording) -> RowChart | None:
    """Chart the chosen strategy, then those it is measured against, in the order of the ladder."""
    chosen = [item for item in result.strategies if item.name == result.chosen]
    against = {result.verdict.strategy, result.verdict.against, *REFERENCES}
    others = [item for item in result.strategies if item.name != result.chosen and item.name in against]
    return chart_metrics(
        [(item.name, item.test) for item in chosen + others],
        kind.main,
        translate("Against simpler ways"),
        [result.chosen],
    )


def chart_group(part: GroupColumn, result: Result, kind: TaskWording) -> RowChart | None:
    """Chart the values of one column, those with too few rows without a figure; None where no value has one.

    Parameters
    ----------
    part : GroupColumn
    result : Result
    kind : TaskWording
        Of the task.
    """
    measure = kind.group_main
    figures = [(item, measure.of(item.metrics) if item.metrics else None) for item in part.values]
    if all(figure is None for _, figure in figures):
        return None
    rows = []
    for item, figure in figures:
        name = name_value(part.column, item.value) or translate("no value")
        if figure is None:
            text = translate("cannot tell ({inputs})", inputs=count_inputs(result.modality, item.n_rows))
            rows.append(ChartRow(name=name, text=text, label=""))
            continue
        words = measure.words
        rows.append(
            ChartRow(
                name=name,
                text=words.value(figure),
                range=words.short(figure),
                label=translate("{value}, 95 % interval {ends}", value=words.fine(figure), ends=words.ends(figure)),
                spans=((figure.low, figure.high),),
                dots=(figure.value,),
                is_ours=True,
            )
        )
    axis = make_axis_of(measure.words, translate(measure.name), [figure for _, figure in figures if figure is not None])
    chance = guessing_share(result) if measure.words is SHARES else None
    return RowChart(axis=axis, rows=draw_rows(axis, rows, chance), title=part.column)
