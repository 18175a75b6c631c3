"""Did the mitigation help the worst group?"""

from __future__ import annotations

from typing import Literal

from headstart.report.messages import translate
from headstart.report.words import format_hundredths, format_points, join_clauses, shorten_name
from headstart.results import MitigatedFigures, Mitigation


def describe_mitigation(outcome: Mitigation) -> str:
    """Return the sentences that say what was gained and lost, and whether the balanced model was kept.

    Parameters
    ----------
    outcome : Mitigation
    """
    figures = outcome.out_of_fold
    if figures is None:
        return translate(
            "Cannot tell whether it helps: it takes two groups with at least {n} training rows each. {before} stays "
            "the model.",
            n=outcome.n_rows_needed or 0, before=outcome.before,
        )  # fmt: skip
    text = translate(
        "Out of fold, on training rows, ({rows} rows) the worst group went from {before} % right ({first}) to {after} "
        "% ({second}), a change of {change} points (95 % interval {low} to {high}), and all rows from {mean_before} % "
        "to {mean_after} %",
        **_format_figures(figures),
    )
    if outcome.test is not None:
        on_test_rows = translate(
            "on the test rows ({rows} rows) the worst group went from {before} % right ({first}) to {after} % "
            "({second}), a change of {change} points (95 % interval {low} to {high}), and all rows from {mean_before} "
            "% to {mean_after} %",
            **_format_figures(outcome.test),
        )
        text = join_clauses([text, on_test_rows])
    if outcome.kept:
        return f"{text}. " + translate("The balanced model was kept: it is the one in the bundle.")
    if figures.worst_gain.value <= 0:
        return f"{text}. " + translate(
            "It was not kept, because out of fold the worst group did not gain; {before} stays the model.",
            before=outcome.before,
        )
    return f"{text}. " + translate(
        "It was not kept, because out of fold all rows lost more than the worst group gained; {before} stays the "
        "model.",
        before=outcome.before,
    )


def _format_figures(figures: MitigatedFigures) -> dict[str, str | int]:
    gain = figures.worst_gain
    return {
        "rows": figures.n_rows,
        "before": format_hundredths(figures.worst_before.value),
        "first": _name_worst_cell(figures, "before"),
        "after": format_hundredths(figures.worst_after.value),
        "second": _name_worst_cell(figures, "after"),
        "change": format_points(gain.value),
        "low": format_points(gain.low, end="low"),
        "high": format_points(gain.high, end="high"),
        "mean_before": format_hundredths(figures.mean_before.value),
        "mean_after": format_hundredths(figures.mean_after.value),
    }


def _name_worst_cell(figures: MitigatedFigures, when: Literal["before", "after"]) -> str:
    measured = [cell for cell in figures.cells if cell.before is not None and cell.after is not None]
    worst = min(measured, key=lambda cell: getattr(cell, when).value)
    return shorten_name(f"{worst.label}, {worst.group}" if worst.group else worst.label)
