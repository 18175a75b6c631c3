"""The deeper look of `headstart check`: frozen features of the rows, a probe on them, and what both make suspicious."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headstart import bases, data, features, progress
from headstart.data.labels.targets import encode_truth, list_classes
from headstart.flow.base_choice.choose import state_need
from headstart.flow.base_choice.measure import join_feature_duplicates
from headstart.flow.data_check.suspects import outliers, unknown_tokens, wrong_labels
from headstart.options import AdaptOptions
from headstart.records import TEST, TRAIN, Finding, Table, make_column
from headstart.strategies import STRATEGIES
from headstart.strategies.record import Clock, StrategyRows, Task

LIMITS = {"auto": 60.0, "on": float("inf")}
"""Seconds that the pass through the base may take."""
MOST_ROWS, N_FOLDS = 5_000, 5


def findings(table: Table, options: AdaptOptions, seconds: float) -> tuple[Finding, ...]:
    """Look for label errors, outliers and unknown pieces in the rows to learn from.

    Parameters
    ----------
    table : Table
        Labelled; test rows are left out where there are some.
    options : AdaptOptions
        `base`, `group`, `precision`, `seed` and `offline` are used.
    seconds : float
        Rows that the base does not reach in this time are left out; at most 5,000 are tried.

    Raises
    ------
    HeadstartError
        The base is not there, or no row can be read.
    """
    train = table.take(np.flatnonzero(table.splits != TEST))
    some = train.take(np.sort(np.random.default_rng(options.seed).permutation(len(train))[:MOST_ROWS]))
    asked = options if options.base != "auto" else options.model_copy(update={"base": "default"})
    backbone = bases.load_base(asked.base, state_need(_as_training(some), asked))
    limit = f", at most {seconds:.0f} s" if np.isfinite(seconds) else ""
    progress.say(f"Looking deeper at {len(some):,} rows with {backbone.record.name}{limit} (--deep off leaves it out).")
    made = features.extract_features(some, backbone, options.precision, uses=frozenset({"features"}), seconds=seconds)
    assert made.features is not None
    seen, alike = join_feature_duplicates(some.take(made.readable_rows), made.features, backbone, options.seed)
    rows = StrategyRows(data.drop_unlearnable_labels(seen), made.features)
    found = [
        *alike,
        *unknown_tokens(backbone, rows.table),
        *outliers(rows.table.ids, made.features.final, options.seed),
    ]
    found += _labels(rows, options, seconds)
    if made.late or len(some) < len(train):
        summary = f"Label errors and outliers were looked for among {len(rows):,} of {len(train):,} rows to learn from."
        found.append(
            Finding(
                kind="not-looked-deeper",
                severity="note",
                rows=(),
                summary=summary,
                advice="Pass --deep on for all that was not reached.",
            )
        )
    return tuple(found)


def _as_training(table: Table) -> Table:
    return replace(table, splits=make_column([TRAIN] * len(table)))


def _labels(rows: StrategyRows, options: AdaptOptions, seconds: float) -> list[Finding]:
    table = rows.table
    classes = list_classes(table)
    truth = table.targets
    codes = data.number_strata(table) if truth is not None else np.asarray(encode_truth(table, classes), dtype=np.intp)
    if len(np.unique(codes)) < 2 and truth is None:
        return []
    folds = data.assign_folds(codes, data.find_dependence(table, options.group).for_resampling, N_FOLDS, options.seed)
    (folds,) = data.mark_lone_classes((folds,), codes, table)
    task = Task(
        classes=classes,
        codes=codes,
        folds=folds,
        balance="off",
        seed=options.seed,
        clock=Clock(min(seconds, 3_600.0)),
        kind=table.task,
        truth=truth,
    )
    fitted = STRATEGIES["linear-probe"].fit(rows, task, {})
    return wrong_labels(table, task, fitted.out_of_fold)[0]


__all__ = ["LIMITS", "findings"]
