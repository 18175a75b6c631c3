"""The deeper part of `headstart check`: frozen features of the training rows, a probe on them, and their checks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headstart import bases, data, features, progress
from headstart.bases import Backbone
from headstart.checks import CheckInputs, run_checks
from headstart.checks.copies import join_feature_duplicates
from headstart.checks.record import FEATURES, MODEL
from headstart.data.labels.targets import encode_truth, list_classes
from headstart.flow.base_choice.choose import AUTO, DEFAULT, state_need
from headstart.flow.base_choice.settings import SETTINGS as BASE_CHOICE_SETTINGS
from headstart.flow.base_choice.text_default import choose_by_language
from headstart.options import AdaptOptions
from headstart.records import TEST, TRAIN, Finding, Table, make_column
from headstart.results.findings import make_finding
from headstart.shared_settings import SHARED_SETTINGS
from headstart.strategies import STRATEGIES
from headstart.strategies.record import Clock, StrategyRows, Task

SECONDS = {"auto": 60.0, "on": float("inf")}
"""Time limit of the pass through the base model, by `--deep`."""


def probe_training_rows(table: Table, options: AdaptOptions, seconds: float) -> tuple[Finding, ...]:
    """Return likely label errors, outliers and unknown tokens of the training rows.

    Parameters
    ----------
    table : Table
        Labelled; test rows are left out.
    options : AdaptOptions
        `base`, `group`, `precision`, `seed` and `offline` are used.
    seconds : float
        Rows that the base model does not reach in this time are left out; at most 5,000 are tried.

    Raises
    ------
    HeadstartError
        The base model is missing, or no row can be read.
    """
    train = table.take(np.flatnonzero(table.splits != TEST))
    sample = train.take(
        np.sort(np.random.default_rng(options.seed).permutation(len(train))[: BASE_CHOICE_SETTINGS.checked_rows])
    )
    backbone, choice_findings = _load_base(replace(sample, splits=make_column([TRAIN] * len(sample))), options)
    limit = f", at most {seconds:.0f} s" if np.isfinite(seconds) else ""
    progress.say(
        f"Looking for label errors and outliers in {len(sample):,} rows with {backbone.record.name}{limit} "
        "(--deep off skips this)."
    )
    extraction = features.extract_features(
        sample, backbone, options.precision, uses=frozenset({"features"}), seconds=seconds
    )
    assert extraction.features is not None
    read, duplicates = join_feature_duplicates(
        sample.take(extraction.readable_rows), extraction.features, backbone, options.seed
    )
    rows = StrategyRows(data.drop_unlearnable_labels(read), extraction.features)
    inputs = CheckInputs(
        table=rows.table,
        group_columns=options.group,
        seed=options.seed,
        features=extraction.features,
        backbone=backbone,
    )
    findings = [*choice_findings, *duplicates, *run_checks(_add_probe(inputs, rows, seconds), FEATURES, MODEL)]
    if extraction.late or len(sample) < len(train):
        summary = f"Label errors and outliers were looked for among {len(rows):,} of {len(train):,} rows to learn from."
        findings.append(make_finding("not-looked-deeper", summary, advice="deep-on"))
    return tuple(findings)


def _load_base(table: Table, options: AdaptOptions) -> tuple[Backbone, tuple[Finding, ...]]:
    """Load the named base; for texts the one that suits their language, and say where another would."""
    need = state_need(table, options)
    if options.base not in (AUTO, DEFAULT):
        return bases.load_base(options.base, need), ()
    chosen = choose_by_language(table, need)
    return chosen.backbone, chosen.list_findings()


def _add_probe(inputs: CheckInputs, rows: StrategyRows, seconds: float) -> CheckInputs:
    """Return the inputs with the out-of-fold outputs of a probe; unchanged if there is only one class."""
    table = inputs.table
    classes = list_classes(table)
    truth = table.targets
    codes = data.number_strata(table) if truth is not None else np.asarray(encode_truth(table, classes), dtype=np.intp)
    if len(np.unique(codes)) < 2 and truth is None:
        return inputs
    clusters = data.find_dependence(table, inputs.group_columns).for_resampling
    (folds,) = data.mark_lone_classes(
        (data.assign_folds(codes, clusters, SHARED_SETTINGS.n_folds, inputs.seed),), codes, table
    )
    task = Task(
        classes=classes,
        codes=codes,
        folds=folds,
        balance="off",
        seed=inputs.seed,
        clock=Clock(min(seconds, 3_600.0)),
        kind=table.task,
        truth=truth,
    )
    fitted = STRATEGIES["linear-probe"].fit(rows, task, {})
    return replace(inputs, task=task, out_of_fold=fitted.out_of_fold)
