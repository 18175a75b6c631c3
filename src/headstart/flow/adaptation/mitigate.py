"""`--mitigate`: the last layer, fitted again with more weight for small groups; decided on training rows."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from headstart import evaluation, progress
from headstart.errors import OptionError
from headstart.evaluation.fairness.groups import name_values
from headstart.evaluation.fairness.mitigation import compare_mitigation
from headstart.evaluation.settings import SETTINGS as EVALUATION_SETTINGS
from headstart.flow.adaptation.settings import SETTINGS
from headstart.flow.run_records import Prepared, TestScores
from headstart.ladder import FittedStrategies
from headstart.options import AdaptOptions
from headstart.records import Column, Index, Predictions, Probabilities, Table, make_column
from headstart.report import write_sentence
from headstart.results import MitigatedFigures, Mitigation
from headstart.strategies import STRATEGIES
from headstart.strategies.scoring import OBJECTIVES, mean_loss
from headstart.task_types import TASK_TYPES

STRATEGY = "balanced-probe"


def list_mitigation_strategies(table: Table, options: AdaptOptions) -> tuple[str, ...]:
    """Name the strategies that `--mitigate` adds, and refuse it early where it cannot work.

    Parameters
    ----------
    table : Table
    options : AdaptOptions

    Raises
    ------
    OptionError
        If the label is no class, or no group column can be balanced.
    """
    if options.mitigate == "none":
        return ()
    if not TASK_TYPES[table.task].has_one_class:
        raise OptionError(f"--mitigate needs one class a row; this task is {table.task}.", "Leave --mitigate out.")
    if options.mitigate == "group-balance" and not _select_balanced_columns(table, options):
        named = f"({', '.join(options.group)} only keep rows together)" if options.group else "(none is named)"
        raise OptionError(
            f"--mitigate group-balance needs a column of groups to balance {named}.",
            "Name one such as site or sex with --group, or use --mitigate reweight.",
        )
    return (STRATEGY,)


def _select_balanced_columns(table: Table, options: AdaptOptions) -> dict[str, Column]:
    """Return the group columns that are compared, not those that only keep rows together."""
    present = {name: table.metadata[name] for name in options.group if name in table.metadata}
    return {name: values for name, values in present.items() if not evaluation.has_too_many_values(values)}


def _join_columns(table: Table, names: tuple[str, ...]) -> Column:
    """Return the values of all columns together; empty where one is unknown."""
    parts = [name_values(table.metadata[name]) for name in names]
    return make_column([" / ".join(values) if all(values) else "" for values in zip(*parts, strict=True)])


def fit_mitigation(
    prepared: Prepared, strategies: FittedStrategies, options: AdaptOptions
) -> tuple[FittedStrategies, Mitigation | None]:
    """Fit the balanced probe beside the ladder, and keep it where the worst group gains out of fold.

    Parameters
    ----------
    prepared : Prepared
    strategies : FittedStrategies
    options : AdaptOptions

    Returns
    -------
    FittedStrategies
        With the balanced probe among what was fitted; it is `chosen` only where it is kept.
    Mitigation or None
        Without figures on test rows (see `measure_on_test_rows`); None where nothing was asked for.

    Notes
    -----
    Kept where, out of fold, the worst group gains and all rows lose no more than it gains. Some loss there is to be
    expected: a shortcut that holds in most training rows makes them look easy, and giving it up costs among them what
    it wins elsewhere.
    """
    if options.mitigate == "none":
        return strategies, None
    names = tuple(_select_balanced_columns(prepared.table, options))
    task, began = prepared.task, time.monotonic()
    values = _join_columns(prepared.train.table, names) if names else make_column([""] * len(prepared.train))
    if options.mitigate == "group-balance":
        known = {value: code for code, value in enumerate(sorted({str(value) for value in values if value}))}
        task = replace(task, groups=np.asarray([known.get(str(value), -1) for value in values], dtype=np.intp))
    members = {"linear-probe": strategies.fitted["linear-probe"]} if "linear-probe" in strategies.fitted else {}
    fitted = STRATEGIES[STRATEGY].fit(prepared.train, task, members)
    goal = OBJECTIVES[task.kind]
    figures = _compare_cells(
        prepared,
        prepared.task.codes,
        values,
        (strategies.fitted[strategies.chosen].out_of_fold, fitted.out_of_fold),
        clusters=prepared.train_dependence.copies,
        least=SETTINGS.min_mitigation_rows,
    )
    gain = max(figures.worst_gain.value, 0.0) if figures else 0.0
    is_kept = figures is not None and gain > 0 and figures.mean_gain.value >= -gain
    before = strategies.chosen
    mitigated = replace(
        strategies,
        fitted={**strategies.fitted, STRATEGY: fitted},
        seconds={**strategies.seconds, STRATEGY: time.monotonic() - began},
        scores={**strategies.scores, STRATEGY: goal.score(task, fitted.out_of_fold)},
        losses={**strategies.losses, STRATEGY: mean_loss(goal.losses(task, fitted.out_of_fold))},
        chosen=STRATEGY if is_kept else before,
    )
    mitigation = Mitigation(
        way=options.mitigate, columns=list(names), before=before, after=STRATEGY, out_of_fold=figures, test=None,
        kept=is_kept, mean_may_lose=gain, n_rows_needed=SETTINGS.min_mitigation_rows,
    )  # fmt: skip
    progress.say(f"--mitigate {options.mitigate}: {write_sentence(mitigation)}")
    return mitigated, mitigation


def measure_on_test_rows(
    mitigation: Mitigation, prepared: Prepared, scores: TestScores, options: AdaptOptions
) -> Mitigation:
    """Add what both models reached on the test rows; nothing is chosen by it.

    Parameters
    ----------
    mitigation : Mitigation
        As `fit_mitigation` gives it.
    prepared : Prepared
    scores : TestScores
    options : AdaptOptions
    """
    if mitigation.before not in scores.predictions:
        return mitigation
    values = (
        _join_columns(prepared.test.table, tuple(mitigation.columns))
        if mitigation.columns
        else make_column([""] * len(prepared.test))
    )
    figures = _compare_cells(
        prepared,
        np.asarray(prepared.truth, dtype=np.intp),
        values,
        (scores.predictions[mitigation.before].probabilities, scores.predictions[mitigation.after].probabilities),
        clusters=prepared.test_dependence.copies,
    )
    return mitigation.model_copy(update={"test": figures})


def _compare_cells(
    prepared: Prepared, codes: Index, values: Column, probabilities: tuple[Probabilities, Probabilities],
    clusters: Index, least: int = EVALUATION_SETTINGS.min_cell_rows,
) -> MitigatedFigures | None:  # fmt: skip
    """Compare two models by the cells of class and group, on the rows that both predicted."""
    task = prepared.task
    outputs = [np.asarray(each, dtype=np.float64) for each in probabilities]
    rows = np.flatnonzero(np.isfinite(outputs[0]).all(axis=1) & np.isfinite(outputs[1]).all(axis=1))
    if len(rows) == 0:
        return None
    right = [_is_right(codes[rows], each[rows], prepared) for each in outputs]
    grouped = any(values)
    keys = [
        (task.classes[code], str(value)) if value or not grouped else None
        for code, value in zip(codes[rows], values[rows], strict=True)
    ]
    names = sorted({key for key in keys if key is not None})
    place = {name: at for at, name in enumerate(names)}
    cells = np.asarray([-1 if key is None else place[key] for key in keys], dtype=np.intp)
    return compare_mitigation(
        (right[0], right[1]), cells, names, clusters=clusters[rows], seed=task.seed, min_rows=least
    )


def _is_right(codes: Index, outputs: object, prepared: Prepared) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    values = np.asarray(outputs, dtype=np.float64)
    predictions = Predictions(
        ids=make_column(list(range(len(codes)))),
        classes=prepared.task.classes,
        probabilities=values,
        task=prepared.task.kind,
    )
    return np.asarray(predictions.class_indices == codes)
