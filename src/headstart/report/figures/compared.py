"""One figure of several strategies, groups or changes, each with its interval, over one axis."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from headstart.report.figures.axis import ChartAxis, make_axis, make_share_axis
from headstart.report.figures.rows import ChartRow, RowChart, draw_rows
from headstart.report.kinds import ReportedMetric
from headstart.report.messages import translate
from headstart.report.words import SHARES, FigureFormat
from headstart.results import AnyMetrics, Figure


def chart_metrics(
    named_metrics: Sequence[tuple[str, AnyMetrics | None]],
    measure: ReportedMetric,
    title: str,
    ours: Collection[str] = (),
    chance: float | None = None,
) -> RowChart | None:
    """Chart one metric; None where there is none of it.

    Parameters
    ----------
    named_metrics : sequence of (name, metrics or None)
    measure : ReportedMetric
    title : str
        What is shown, for screen readers.
    ours : collection of str
        Names that stand out.
    chance : float or None
        Where guessing would be; shares only.
    """
    figures = [(name, measure.of(metrics)) for name, metrics in named_metrics if metrics is not None]
    axis_name = translate(measure.name)
    return chart_figures(figures, words=measure.words, title=title, axis_name=axis_name, ours=ours, chance=chance)


def chart_figures(
    named_figures: Sequence[tuple[str, Figure | None]],
    *,
    words: FigureFormat,
    title: str,
    axis_name: str,
    ours: Collection[str] = (),
    chance: float | None = None,
) -> RowChart | None:
    """Chart figures with their intervals; None where there are none.

    Parameters
    ----------
    named_figures : sequence of (name, Figure or None)
        Those without a figure are left out.
    words : FigureFormat
        Shares have an axis from 0 to 100 %, numbers one from 0 to beyond the largest end of an interval.
    title : str
        What is shown, for screen readers.
    axis_name : str
    ours : collection of str
        Names that stand out.
    chance : float or None
        Where guessing would be; shares only.
    """
    present = [(name, figure) for name, figure in named_figures if figure is not None]
    if not present:
        return None
    rows = [_make_row(name, figure, words=words, is_ours=name in ours) for name, figure in present]
    axis = make_axis_of(words, axis_name, [figure for _, figure in present])
    return RowChart(axis=axis, rows=draw_rows(axis, rows, chance if words is SHARES else None), title=title)


def make_axis_of(words: FigureFormat, name: str, figures: Sequence[Figure]) -> ChartAxis:
    """Make the axis of figures with intervals.

    Parameters
    ----------
    words : FigureFormat
    name : str
    figures : sequence of Figure
    """
    ends = [end for figure in figures for end in (figure.low, figure.high)]
    return make_share_axis(name) if words is SHARES else make_axis(name, [0.0, *ends])


def _make_row(name: str, figure: Figure, words: FigureFormat, is_ours: bool) -> ChartRow:
    label = translate("{value}, 95 % interval {ends}", value=words.fine(figure), ends=words.ends(figure))
    return ChartRow(
        name=name,
        text=words.value(figure),
        range=words.short(figure),
        label=label,
        spans=((figure.low, figure.high),),
        dots=(figure.value,),
        is_ours=is_ours,
    )
