"""How many rows of each class there are, for training and for testing."""

from __future__ import annotations

from headstart.report.figures.axis import make_axis
from headstart.report.figures.plane import Key
from headstart.report.figures.rows import ChartRow, RowChart, Segment, draw_rows
from headstart.report.messages import format_number, translate, translate_count
from headstart.results import Result

FIRST_CLASSES = 12
MOST_CLASSES = 60


def chart_class_rows(result: Result) -> RowChart | None:
    """Chart the rows of each class, the largest first, the last ones as one bar; None for a number.

    Parameters
    ----------
    result : Result
    """
    counts = [(name, splits.get("train", 0), splits.get("test", 0)) for name, splits in result.class_counts.items()]
    if not counts:
        return None
    counts.sort(key=lambda item: (-item[1] - item[2], item[0]))
    rows = [_make_row(*item) for item in counts[:MOST_CLASSES]]
    others = counts[MOST_CLASSES:]
    if others:
        name = translate_count("{n} other kind", "{n} other kinds", len(others))
        rows.append(_make_row(name, sum(item[1] for item in others), sum(item[2] for item in others)))
    most = max(row.segments[-1].high for row in rows if row.segments)
    drawn = draw_rows(make_axis(translate("how many"), [0, most], whole=True), rows)
    return RowChart(
        axis=make_axis(translate("how many"), [0, most], whole=True),
        rows=drawn[:FIRST_CLASSES],
        rest=tuple(drawn[FIRST_CLASSES:]),
        title=translate("How many there are of each kind"),
        caption=translate("The fewer it learnt from, the less it can know; the fewer were tested, the less is known."),
        keys=(Key("area right", translate("it learnt from these")), Key("area unsure", translate("kept for the test"))),
    )


def _make_row(name: str, n_train: int, n_test: int) -> ChartRow:
    text = translate("{train} + {test}", train=n_train, test=n_test)
    segments = (Segment("right", 0, n_train), Segment("unsure", n_train, n_train + n_test))
    return ChartRow(
        name=name,
        text=text if n_test else format_number(f"{n_train:,}"),
        label=translate("{train} for training, {test} for testing", train=n_train, test=n_test),
        segments=tuple(part for part in segments if part.high > part.low) or segments[:1],
    )
