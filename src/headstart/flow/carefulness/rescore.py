"""A run's documents after its decisions changed: result, rows of the report, predictions of the test rows, report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from headstart.csv_files import format_csv, read_csv_rows
from headstart.decisions import NONE, DecisionPolicy, Decisions
from headstart.evaluation.uncertainty.conformal import share_interval
from headstart.flow.inference.answer_tables import iterate_test_rows, list_test_columns
from headstart.flow.reporting import ROWS, read_report_rows, rewrite_report, write_report_rows
from headstart.flow.scoring.decisions import ScoredRows, measure_abstention
from headstart.flow.scoring.outcomes import measure_class_outcomes, measure_group_outcomes, measure_outcomes
from headstart.flow.scoring.readiness import judge_result
from headstart.flow.scoring.scored_rows import PREDICTIONS, RunRows
from headstart.home import write_text
from headstart.options import ReportOptions, parse
from headstart.records import Column, Predictions, Table, make_column
from headstart.report import fill_sentences
from headstart.results import Figure, GroupColumn, GroupValue, Result
from headstart.results.report_rows import Outcome, ReportRow, ReportRows

_OUTCOMES: tuple[Outcome, ...] = ("wrong", "not_answered", "right")
"""In the order of the gallery."""


def decide_again(result: Result, rows: RunRows, policy: DecisionPolicy) -> Decisions:
    """Return what a policy decides of the stored test rows; rows that were "none of these" stay so.

    Parameters
    ----------
    result : Result
    rows : RunRows
    policy : DecisionPolicy
    """
    decisions = replace(policy, out_of_distribution=None).decide(_predict(result, rows), None)
    is_refused = rows.test.is_refused
    outcomes, answers = decisions.outcomes.copy(), decisions.answers.copy()
    outcomes[is_refused], answers[is_refused] = "none_of_these", NONE
    return replace(decisions, outcomes=outcomes, answers=answers, codes=np.where(is_refused, -1, decisions.codes))


def rescore_run(run: Path, result: Result, rows: RunRows, policy: DecisionPolicy) -> Result:
    """Return the result of a run for other decisions on the same predictions; nothing is predicted again.

    Parameters
    ----------
    run : Path
        The output folder of `adapt`.
    result : Result
        As it was.
    rows : RunRows
    policy : DecisionPolicy
        As it is now.
    """
    rescored = _rescore(result, rows, scored=_score(result, rows, policy), policy=policy)
    return fill_sentences(rescored.model_copy(update={"readiness": judge_result(rescored, str(run))}))


def rewrite_run(run: Path, result: Result, rows: RunRows, *, policy: DecisionPolicy, language: str) -> None:
    """Write the documents of a run anew: predictions, rows of the report, result, and the report.

    Parameters
    ----------
    run : Path
        The output folder of `adapt`.
    result : Result
        Of `rescore_run`.
    rows : RunRows
    policy : DecisionPolicy
    language : str
        Of the report: a code, or "auto".
    """
    outcomes = _rewrite_predictions(run, _score(result, rows, policy))
    report_rows = read_report_rows(run / ROWS)
    if report_rows is not None:
        write_report_rows(_change_outcomes(report_rows, outcomes), run)
    write_text(run / "result.json", result.model_dump_json(indent=2) + "\n")
    rewrite_report(run, None, parse(ReportOptions, language=language))


def _score(result: Result, rows: RunRows, policy: DecisionPolicy) -> ScoredRows:
    return ScoredRows(
        table=_make_table(result, rows),
        truth=rows.test.codes,
        predictions=_predict(result, rows),
        decisions=decide_again(result, rows, policy),
        clusters=rows.test.clusters,
    )


def _predict(result: Result, rows: RunRows) -> Predictions:
    names = make_column([str(at) for at in range(len(rows.test.codes))])
    return Predictions(
        ids=names, classes=tuple(result.classes), probabilities=rows.test.probabilities, task=result.task
    )


def _make_table(result: Result, rows: RunRows) -> Table:
    """Return a table of the right length: figures of decisions read no input."""
    names = make_column([str(at) for at in range(len(rows.test.codes))])
    return Table(
        modality=result.modality, ids=names, inputs=names, hashes=names, labels=None, splits=names, task=result.task
    )


def _rescore(result: Result, rows: RunRows, scored: ScoredRows, policy: DecisionPolicy) -> Result:
    """Return the result with every figure that depends on what is answered."""
    old, silent = result.abstention, replace(policy, out_of_distribution=None)
    abstention = measure_abstention(scored, silent, result.seed, accuracy=old.accuracy_all if old else None)
    groups = [_rescore_column(column, rows, scored) for column in result.groups]
    pictures = result.pictures and result.pictures.model_copy(
        update={
            "outcomes": measure_outcomes(scored),
            "per_class": measure_class_outcomes(scored),
            "per_group": measure_group_outcomes(scored, groups, _name_values(result.groups, rows)),
            "over_time": [
                item.model_copy(
                    update={"periods": [part.model_copy(update={"not_answered": None}) for part in item.periods]}
                )
                for item in result.pictures.over_time
            ],
        }
    )
    unchanged = {name: getattr(old, name) for name in ("novelty", "risk_coverage")} if old else {}
    return result.model_copy(
        update={
            "abstention": abstention.model_copy(update=unchanged),
            "groups": groups,
            "pictures": pictures,
        }
    )


def _name_values(columns: Sequence[GroupColumn], rows: RunRows) -> Mapping[str, Column]:
    values = {}
    for column in columns:
        if column.column in rows.groups:
            names = make_column([*(item.value for item in column.values), "\0other"])
            values[column.column] = names[rows.groups[column.column]]
    return values


def _rescore_column(column: GroupColumn, rows: RunRows, scored: ScoredRows) -> GroupColumn:
    numbers = rows.groups.get(column.column)
    values = [
        _rescore_value(item, None if numbers is None else np.flatnonzero(numbers == at), scored)
        for at, item in enumerate(column.values)
    ]
    return column.model_copy(update={"values": values})


def _rescore_value(item: GroupValue, members: np.ndarray | None, scored: ScoredRows) -> GroupValue:
    answered = answered_right = None
    if item.told and members is not None and len(members):
        clusters = None if scored.clusters is None else scored.clusters[members]
        is_answered = scored.decisions.outcomes[members] == "answered"
        answered = Figure.from_interval(share_interval(is_answered, clusters))
        if is_answered.any():
            right = (scored.decisions.codes == scored.truth)[members][is_answered]
            answered_right = Figure.from_interval(
                share_interval(right, None if clusters is None else clusters[is_answered])
            )
    return item.model_copy(update={"answered": answered, "answered_right": answered_right})


def _rewrite_predictions(run: Path, scored: ScoredRows) -> dict[str, Outcome]:
    """Write the cells of the decision in test_predictions.csv again; return what came of each row, by its id."""
    path, task, classes = run / PREDICTIONS, scored.predictions.task, scored.predictions.classes
    with path.open(encoding="utf-8", newline="") as handle:
        header, *old = read_csv_rows(handle)
    columns = list_test_columns(task, classes)
    first = columns.index("answer")
    fresh = iterate_test_rows(scored.truth, scored.predictions, scored.decisions)
    refused = scored.decisions.outcomes == "none_of_these"
    records, outcomes = [], {}
    for at, (record, new) in enumerate(zip(old, fresh, strict=True)):
        was_refused = record[-1] == new[-1] and refused[at]
        records.append(record if was_refused else [*record[:first], *new[first:]])
        is_right = scored.decisions.codes[at] == scored.truth[at]
        outcome: Outcome = "right" if is_right else "wrong"
        outcomes[record[0]] = outcome if scored.decisions.outcomes[at] == "answered" else "not_answered"
    write_text(path, format_csv([header, *records]))
    return outcomes


def _change_outcomes(rows: ReportRows, outcomes: Mapping[str, Outcome]) -> ReportRows:
    """Return the rows of the report with what comes of them now; the gallery keeps its rows, in its order."""

    def change(row: ReportRow) -> ReportRow:
        return row.model_copy(update={"outcome": outcomes[row.id]}) if row.id in outcomes else row

    changed = [change(row) for row in rows.rows]
    gallery = sorted(changed[: rows.n_shown], key=lambda row: _OUTCOMES.index(row.outcome) if row.outcome else 0)
    counts = {name: sum(item == name for item in outcomes.values()) for name in _OUTCOMES}
    return rows.model_copy(update={"rows": [*gallery, *changed[rows.n_shown :]], "n_outcomes": counts})
