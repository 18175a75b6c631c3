"""`headstart check`: everything that would spoil training, found before it."""

from __future__ import annotations

from pathlib import Path

from headstart import data, progress
from headstart.checks import CheckInputs, add_row_shares, check_table, run_checks, sort_by_gravity
from headstart.checks.record import INPUTS
from headstart.checks.reserved_names import find_reserved_names
from headstart.errors import HeadstartError
from headstart.extras import find_missing
from headstart.flow.data_check.probe import SECONDS, probe_training_rows
from headstart.offline import offline
from headstart.options import AdaptOptions, CheckOptions
from headstart.projects import read_rows
from headstart.records import Finding, Table
from headstart.results.findings import make_finding


def check(path: Path, options: CheckOptions) -> tuple[Table, tuple[Finding, ...]]:
    """Read data and return what would spoil training.

    Parameters
    ----------
    path : Path
    options : CheckOptions

    Returns
    -------
    table : Table
        As it was read.
    findings : tuple of Finding
        The gravest first. One of severity `stop` makes training impossible.
    """
    with offline(options.offline):
        table = data.add_near_duplicate_groups(read_rows(path, options), options.seed)
        findings = [*find_reserved_names(table, options), *check_table(table)]
        if not any(item.severity == "stop" for item in findings):
            inputs = CheckInputs(table=table, group_columns=options.group, seed=options.seed)
            findings += run_checks(inputs, INPUTS)
            if options.deep != "off":
                findings += _check_deeper(table, options)
    return table, sort_by_gravity(add_row_shares(findings, table))


def _check_deeper(table: Table, options: CheckOptions) -> tuple[Finding, ...]:
    """Return what a base model and a probe on it find, if they are installed; what cannot be done is a note."""
    if find_missing("adapt"):
        summary = "Label errors and outliers were not looked for: the part that adapts models is not installed."
        return (make_finding("not-looked-deeper", summary, advice="install"),)
    shared = set(AdaptOptions.model_fields) & set(CheckOptions.model_fields)
    probe_options = AdaptOptions.model_validate(options.model_dump(include=shared))
    try:
        return probe_training_rows(table, probe_options, SECONDS[options.deep])
    except HeadstartError as error:
        if options.deep == "on":
            raise
        summary = f"Label errors and outliers were not looked for: {error.problem}"
        progress.say(summary)
        return (make_finding("not-looked-deeper", summary, advice="hint", hint=error.hint),)
