"""`--mitigate`: the last layer fitted again so that small groups count, judged on training rows, told on test rows."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from headstart import data, evaluation, progress
from headstart.errors import OptionError
from headstart.evaluation.fairness.groups import names_of
from headstart.evaluation.fairness.mitigation import before_and_after
from headstart.evaluation.wording import cut, points
from headstart.flow.adaptation.evaluate import Judged
from headstart.flow.adaptation.prepare import Prepared
from headstart.ladder import Climb
from headstart.options import AdaptOptions
from headstart.records import Column, Index, Predictions, Table, make_column
from headstart.results import Figure, MitigatedFigures, Mitigation
from headstart.strategies import SINGLE, STRATEGIES
from headstart.strategies.goals import GOALS, mean_loss

STRATEGY = "balanced-probe"
FEWEST_ROWS = 5
"""Training rows from which on a cell has a say in whether the mitigated model is kept."""


def asked(table: Table, options: AdaptOptions) -> tuple[str, ...]:
    """Name the strategies that `--mitigate` adds, and refuse it early where it cannot work.

    Raises
    ------
    OptionError
        If the label is no class, or no group column can be balanced.
    """
    if options.mitigate == "none":
        return ()
    if table.task not in SINGLE:
        raise OptionError(f"--mitigate needs one class a row; this task is {table.task}.", "Leave --mitigate out.")
    if options.mitigate == "group-balance" and not _columns(table, options):
        named = f"({', '.join(options.group)} only keep rows together)" if options.group else "(none is named)"
        raise OptionError(
            f"--mitigate group-balance needs a column of groups to balance {named}.",
            "Name one such as site or sex with --group, or take --mitigate reweight.",
        )
    return (STRATEGY,)


def _columns(table: Table, options: AdaptOptions) -> dict[str, Column]:
    """Give the group columns that are compared, not those that only keep rows together."""
    there = {name: table.metadata[name] for name in options.group if name in table.metadata}
    return {name: values for name, values in there.items() if not evaluation.keeps_together(values)}


def _joint(table: Table, names: tuple[str, ...]) -> Column:
    """Give the values of all columns together; empty where one is unknown."""
    parts = [names_of(table.metadata[name]) for name in names]
    return make_column([" / ".join(values) if all(values) else "" for values in zip(*parts, strict=True)])


def mend(prepared: Prepared, climb: Climb, options: AdaptOptions) -> tuple[Climb, Mitigation | None]:
    """Fit the balanced probe beside the ladder, and keep it where the worst group gains out of fold.

    Parameters
    ----------
    prepared : Prepared
    climb : Climb
    options : AdaptOptions

    Returns
    -------
    Climb
        With the balanced probe among what was fitted; it is `chosen` only where it is kept.
    Mitigation or None
        Without figures on test rows (see `on_test_rows`); None where nothing was asked for.

    Notes
    -----
    Kept where, out of fold, the worst group gains and all rows lose no more than it gains. Some loss there is to be
    expected: a shortcut that holds in most training rows makes them look easy, and giving it up costs among them what
    it wins elsewhere.
    """
    if options.mitigate == "none":
        return climb, None
    names = tuple(_columns(prepared.table, options))
    task, began = prepared.task, time.monotonic()
    values = _joint(prepared.train.table, names) if names else make_column([""] * len(prepared.train))
    if options.mitigate == "group-balance":
        known = {value: code for code, value in enumerate(sorted({str(value) for value in values if value}))}
        task = replace(task, groups=np.asarray([known.get(str(value), -1) for value in values], dtype=np.intp))
    members = {"linear-probe": climb.fitted["linear-probe"]} if "linear-probe" in climb.fitted else {}
    fitted = STRATEGIES[STRATEGY].fit(prepared.train, task, members)
    goal = GOALS[task.kind]
    figures = _figures(
        prepared.task.codes, values,
        (climb.fitted[climb.chosen].out_of_fold, fitted.out_of_fold),
        prepared, data.number_clusters(prepared.train.table),
        FEWEST_ROWS,
    )  # fmt: skip
    gain = max(figures.worst_gain.value, 0.0) if figures else 0.0
    kept = figures is not None and gain > 0 and figures.mean_gain.value >= -gain
    before = climb.chosen
    made = replace(
        climb,
        fitted={**climb.fitted, STRATEGY: fitted},
        seconds={**climb.seconds, STRATEGY: time.monotonic() - began},
        scores={**climb.scores, STRATEGY: goal.score(task, fitted.out_of_fold)},
        losses={**climb.losses, STRATEGY: mean_loss(goal.losses(task, fitted.out_of_fold))},
        chosen=STRATEGY if kept else before,
    )
    found = Mitigation(
        way=options.mitigate, columns=list(names), before=before, after=STRATEGY, out_of_fold=figures, test=None,
        kept=kept, mean_may_lose=gain, reading=_reading(figures, None, kept, before),
    )  # fmt: skip
    progress.say(f"--mitigate {options.mitigate}: {found.reading}")
    return made, found


def on_test_rows(found: Mitigation, prepared: Prepared, judged: Judged, options: AdaptOptions) -> Mitigation:
    """Add what both models reached on the test rows; nothing is chosen by it."""
    if found.before not in judged.predictions:
        return found
    values = (
        _joint(prepared.test.table, tuple(found.columns)) if found.columns else make_column([""] * len(prepared.test))
    )
    shares = tuple(judged.predictions[name].probabilities for name in (found.before, found.after))
    figures = _figures(
        np.asarray(prepared.truth, dtype=np.intp), values, shares, prepared, data.number_clusters(prepared.test.table)
    )
    reading = _reading(found.out_of_fold, figures, found.kept, found.before)
    return found.model_copy(update={"test": figures, "reading": reading})


def _figures(
    codes: Index, values: Column, shares: tuple[Predictions | object, ...], prepared: Prepared, clusters: Index,
    *least: int,
) -> MitigatedFigures | None:  # fmt: skip
    """Compare two models by the cells of class and group, on the rows that both predicted."""
    task = prepared.task
    outputs = [np.asarray(each, dtype=np.float64) for each in shares]
    rows = np.flatnonzero(np.isfinite(outputs[0]).all(axis=1) & np.isfinite(outputs[1]).all(axis=1))
    if len(rows) == 0:
        return None
    right = [_right(codes[rows], each[rows], prepared) for each in outputs]
    grouped = any(values)
    keys = [
        (task.classes[code], str(value)) if value or not grouped else None
        for code, value in zip(codes[rows], values[rows], strict=True)
    ]
    names = sorted({key for key in keys if key is not None})
    place = {name: at for at, name in enumerate(names)}
    cells = np.asarray([-1 if key is None else place[key] for key in keys], dtype=np.intp)
    return before_and_after((right[0], right[1]), cells, names, clusters[rows], task.seed, *least)


def _right(codes: Index, outputs: object, prepared: Prepared) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    values = np.asarray(outputs, dtype=np.float64)
    said = Predictions(
        ids=make_column(list(range(len(codes)))),
        classes=prepared.task.classes,
        probabilities=values,
        task=prepared.task.kind,
    )
    return np.asarray(said.class_indices == codes)


def _reading(out_of_fold: MitigatedFigures | None, test: MitigatedFigures | None, kept: bool, before: str) -> str:
    """Say what was gained and lost, and whether it was kept."""
    if out_of_fold is None:
        return (
            f"Cannot tell whether it helps: it takes two groups with at least {FEWEST_ROWS} training rows each. "
            f"{before} stays the model."
        )

    def told(figures: MitigatedFigures, where: str) -> str:
        gain, (first, second) = figures.worst_gain, (cut(_worst(figures, when)) for when in ("before", "after"))
        return (
            f"{where} ({figures.n_rows:,} rows) the worst group went from {_percent(figures.worst_before)} right "
            f"({first}) to {_percent(figures.worst_after)} ({second}), a change of {points(gain.value)} points "
            f"(95 % interval {points(gain.low)} to {points(gain.high)}), and all rows from "
            f"{_percent(figures.mean_before)} to {_percent(figures.mean_after)}"
        )

    said = told(out_of_fold, "Out of fold, on training rows,")
    said += f"; {told(test, 'on the test rows')}" if test else ""
    if kept:
        return f"{said}. The balanced model was kept: it is the one in the bundle."
    why = (
        "the worst group did not gain"
        if out_of_fold.worst_gain.value <= 0
        else "all rows lost more than the worst group gained"
    )
    return f"{said}. It was not kept, because out of fold {why}; {before} stays the model."


def _percent(figure: Figure) -> str:
    return f"{100 * figure.value:.0f} %"


def _worst(figures: MitigatedFigures, when: str) -> str:
    told = [cell for cell in figures.cells if cell.before is not None and cell.after is not None]
    worst = min(told, key=lambda cell: getattr(cell, when).value)
    return f"{worst.label}, {worst.group}" if worst.group else worst.label
