"""The test rows of a run one by one: what is true, what was answered, and where they stand on the map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from headstart.csv_files import read_csv_rows
from headstart.decisions import NOT_SURE
from headstart.errors import DataError
from headstart.flow.reporting import ROWS, read_report_rows
from headstart.flow.scoring.scored_rows import PREDICTIONS
from headstart.results.report_rows import Outcome, ReportRow
from headstart.task_types import TASK_TYPES

_CACHED_RUNS = 8


@dataclass(frozen=True, kw_only=True)
class TestedRow:
    """A test row with what the model made of it.

    Parameters
    ----------
    id : str
        Of the row, the same in every output.
    true : str
        Its label in the data, when the model was made.
    predicted : str
        The best guess, without the right to abstain.
    answer : str
        The answer as people read it: also "not sure" and "none of these".
    outcome : "right", "wrong", "not_answered" or None
        None for numbers.
    second : str
        The second guess; empty where there is none.
    probability : float or None
        Of the best guess, 0 to 1.
    error : float or None
        Of a number, or how many labels are wrong.
    groups : dict of str to str
        Its value in every column that was compared; empty for rows beyond those that the report has.
    is_tested : bool
        False for a training row that is displayed in the same way.
    """

    id: str
    true: str
    predicted: str
    answer: str
    outcome: Outcome | None
    second: str = ""
    probability: float | None = None
    error: float | None = None
    groups: dict[str, str] = field(default_factory=dict)
    is_tested: bool = True

    __test__ = False  # The name is no test's.


@dataclass(frozen=True, kw_only=True)
class MapPoint:
    """A row on the map of all rows: its place (0 to 1), its side of the split, its label and what came of it."""

    id: str
    x: float
    y: float
    split: str
    true: str
    outcome: Outcome | None


def read_tested_rows(run: Path, task: str) -> list[TestedRow]:
    """Return all test rows of a run, in the order of the data; kept in memory until the run changes.

    Parameters
    ----------
    run : Path
        The output folder of `adapt`.
    task : str

    Raises
    ------
    DataError
        Its predictions cannot be read.
    """
    return _read_tested_rows(run, task, _stamp(run / PREDICTIONS), _stamp(run / ROWS))


def list_map_points(run: Path) -> list[MapPoint]:
    """Return the rows that have a place on the map of a run; empty where there is no map.

    Parameters
    ----------
    run : Path
        The output folder of `adapt`.
    """
    return [
        MapPoint(id=row.id, x=row.x, y=row.y, split=row.split, true=row.true, outcome=row.outcome)
        for row in _read_shown_rows(run, _stamp(run / ROWS)).values()
        if row.x is not None and row.y is not None
    ]


def filter_rows(
    rows: Sequence[TestedRow],
    outcome: str = "",
    *,
    true: str = "",
    answer: str = "",
    group: tuple[str, str] | None = None,
) -> list[TestedRow]:
    """Return the rows that fit, the surest mistakes first, then those without an answer, then the right ones.

    Parameters
    ----------
    rows : sequence of TestedRow
    outcome : str
        "right", "wrong" or "not_answered"; "" for all.
    true, answer : str
        Label, and best guess; "" for all. Of several labels it is enough that this one is among them.
    group : (str, str) or None
        A compared column and its value.

    Examples
    --------
    >>> rows = [
    ...     TestedRow(id=str(at), true="a", predicted=guess, answer=guess, outcome=name, probability=at / 10)
    ...     for at, (guess, name) in enumerate((("a", "right"), ("b", "wrong"), ("b", "wrong")))
    ... ]
    >>> [row.id for row in filter_rows(rows)], [row.id for row in filter_rows(rows, answer="a")]
    (['2', '1', '0'], ['0'])
    """
    chosen = [
        row
        for row in rows
        if (not outcome or row.outcome == outcome)
        and (not true or true in (row.true, *row.true.split(";")))
        and (not answer or answer in (row.predicted, *row.predicted.split(";")))
        and (group is None or row.groups.get(group[0], "") == group[1])
    ]
    return sorted(chosen, key=_rank)


def choose_telling_rows(rows: Sequence[TestedRow], n: int) -> tuple[list[TestedRow], list[TestedRow]]:
    """Return a few rows that were guessed right and a few that were guessed wrong, of as many kinds as can be.

    Parameters
    ----------
    rows : sequence of TestedRow
    n : int
        Of each.
    """
    sides = ([row for row in rows if row.predicted == row.true], [row for row in rows if row.predicted != row.true])
    return _take_turns(sides[0], n), _take_turns(sides[1], n)


def _take_turns(rows: Sequence[TestedRow], n: int) -> list[TestedRow]:
    by_kind: dict[str, list[TestedRow]] = {}
    for row in sorted(rows, key=lambda row: -(row.probability or 0.0)):
        by_kind.setdefault(row.true, []).append(row)
    ranked = sorted(
        ((turn, row) for group in by_kind.values() for turn, row in enumerate(group)), key=lambda pair: pair[0]
    )
    return [row for _, row in ranked[:n]]


_ORDER = {"wrong": 0, "not_answered": 1, "right": 2, None: 0}


def _rank(row: TestedRow) -> tuple[int, float, float]:
    return _ORDER[row.outcome], -(row.error or 0.0), -(row.probability or 0.0)


def _stamp(path: Path) -> tuple[int, int]:
    """Return what changes with a file; zeros where there is none."""
    try:
        facts = path.stat()
    except OSError:
        return 0, 0
    return facts.st_mtime_ns, facts.st_size


@lru_cache(_CACHED_RUNS)
def _read_shown_rows(run: Path, stamp: tuple[int, int]) -> dict[str, ReportRow]:
    rows = read_report_rows(run / ROWS)
    return {} if rows is None else {row.id: row for row in rows.rows}


@lru_cache(_CACHED_RUNS)
def _read_tested_rows(
    run: Path, task: str, stamp: tuple[int, int], shown_stamp: tuple[int, int]
) -> list[TestedRow]:  # fmt: skip
    report_rows = _read_shown_rows(run, shown_stamp)
    try:
        with (run / PREDICTIONS).open(encoding="utf-8", newline="") as handle:
            header, *records = read_csv_rows(handle)
    except FileNotFoundError:  # The folder was cleaned, or comes from elsewhere.
        return [_take_report_row(row) for row in report_rows.values() if row.split == "test"]
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise DataError(f"The answers of the model in {run} cannot be read ({error}).", "Learn again.") from error
    places = _find_places(header)
    return [_make_row(record, places, task=task, report_row=report_rows.get(record[0])) for record in records]


def _take_report_row(row: ReportRow) -> TestedRow:
    return TestedRow(
        id=row.id,
        true=row.true,
        predicted=row.predicted,
        answer=NOT_SURE if row.outcome == "not_answered" else row.predicted,
        outcome=row.outcome,
        second=row.second,
        probability=row.probability,
        error=row.error,
        groups=dict(row.groups),
    )


def _find_places(header: Sequence[str]) -> dict[str, int]:
    """Return where the cells lie; those behind the probabilities are counted from the end, a kind may be called so."""
    n = len(header)
    numbers = {name: n - 1 - at for at, name in enumerate(("kind", "high", "low")) if name == header[n - 1 - at]}
    answer = max((at for at, name in enumerate(header) if name == "answer"), default=-1)
    return {"true": 1, "predicted": 2, "answer": answer, "kind": numbers.get("kind", n - 1)}


def _make_row(record: Sequence[str], places: dict[str, int], task: str, report_row: ReportRow | None) -> TestedRow:
    true, predicted = record[places["true"]], record[places["predicted"]]
    answer = record[places["answer"]] if places["answer"] >= 0 else predicted
    outcome: Outcome | None = None
    error = report_row.error if report_row else None
    if not TASK_TYPES[task].is_number:
        outcome = "right" if answer == true else "wrong"
        outcome = outcome if record[places["kind"]] == "label" else "not_answered"
    elif error is None:
        error = abs(float(true) - float(predicted)) if true and predicted else None
    probability = report_row.probability if report_row else _find_largest(record[3 : places["answer"]], task)
    return TestedRow(
        id=record[0],
        true=true,
        predicted=predicted,
        answer=answer,
        outcome=outcome,
        error=error,
        second=report_row.second if report_row else "",
        probability=probability,
        groups=dict(report_row.groups) if report_row else {},
    )


def _find_largest(cells: Sequence[str], task: str) -> float | None:
    if not TASK_TYPES[task].has_one_class:
        return None
    numbers = []
    for cell in cells:
        try:
            numbers.append(float(cell))
        except ValueError:
            continue
    return max(numbers, default=None)
