"""Checks of the training rows once a model is fitted."""

from __future__ import annotations

from headstart.checks import CheckInputs, add_row_shares, run_checks, sort_by_gravity
from headstart.checks.label_errors import find_label_errors
from headstart.checks.leakage import measure_leakage_gap
from headstart.checks.record import FEATURES, INPUTS
from headstart.flow.adaptation.budget import Budget
from headstart.flow.run_records import Prepared, TrainingChecks
from headstart.ladder import FittedStrategies
from headstart.options import AdaptOptions
from headstart.results import Figure
from headstart.results.findings import make_finding


def list_first_findings(prepared: Prepared) -> TrainingChecks:
    """Return what is known of the rows when a first answer is written; nothing is looked for.

    Parameters
    ----------
    prepared : Prepared
    """
    summary = "This is the first answer; checks, audit and the search for a better model had not come to their end."
    findings = [make_finding("first-answer", summary), *prepared.findings]
    return TrainingChecks(
        findings=sort_by_gravity(add_row_shares(findings, prepared.table)), label_errors=[], honest_score=None
    )


def check_training_rows(
    prepared: Prepared, strategies: FittedStrategies, options: AdaptOptions, budget: Budget
) -> TrainingChecks:
    """Return what the checks of the training rows find; parts without time are left out.

    Parameters
    ----------
    prepared : Prepared
    strategies : FittedStrategies
        Label errors are looked for in the chosen model's out-of-fold outputs.
    options : AdaptOptions
    budget : Budget
        Where it has no time left, only label errors are looked for.
    """
    train, task = prepared.train, prepared.task
    label_errors = find_label_errors(train.table, task, strategies.fitted[strategies.chosen].out_of_fold)
    findings = [*prepared.findings, *label_errors.findings]
    leakage, skipped = None, []
    if budget.allows("checks"):
        inputs = CheckInputs(
            table=train.table,
            group_columns=options.group,
            seed=options.seed,
            features=train.features,
            backbone=prepared.backbone,
        )
        findings += run_checks(inputs, INPUTS, FEATURES)
    else:
        skipped.append("shortcuts and outliers")
    if budget.allows("honest_score"):
        leakage = measure_leakage_gap(train, task, options.group)
    else:
        skipped.append("what copies and groups do to the score")
    if skipped:
        summary = f"No time was left to look for {' and '.join(skipped)}."
        findings.append(make_finding("not-looked-deeper", summary, advice="time"))
    return TrainingChecks(
        findings=sort_by_gravity(add_row_shares(findings, prepared.table)),
        label_errors=list(label_errors.rows),
        honest_score=leakage,
        label_errors_wrong=Figure.from_interval(label_errors.expected_wrong) if label_errors.expected_wrong else None,
    )
