"""Two models on the test rows that both were tested on: which got better or worse, and whether that is chance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headstart.csv_files import format_csv
from headstart.errors import DataError
from headstart.evaluation.comparison.model_changes import sign_test
from headstart.evaluation.intervals import mean_interval
from headstart.flow.reporting import read_result
from headstart.flow.review.tested_rows import TestedRow, read_tested_rows
from headstart.home import write_text
from headstart.results import Figure, Result
from headstart.task_types import TASK_TYPES


@dataclass(frozen=True, kw_only=True)
class ChangedAnswer:
    """A test row whose best guess is another one, or that is right now and was not (or the other way)."""

    old: TestedRow
    new: TestedRow
    gain: int


@dataclass(frozen=True, kw_only=True)
class RunChanges:
    """Two models on the same test rows.

    Parameters
    ----------
    old, new : Result
    n_rows : int
        Rows that both were tested on.
    n_old_right, n_new_right : int
        Rows whose best guess is right.
    n_better, n_worse : int
    difference : Figure or None
        Of the shares of right guesses; positive: the new one is better. None without common rows.
    p_value : float
        That better and worse are equally likely (`sign_test`).
    changed : list of ChangedAnswer
        Those that got better first.
    n_relabelled : int
        Common rows whose label was corrected in between: both are judged by the newer label.
    n_only_one : int
        Test rows of only one of the two, left aside.
    """

    old: Result
    new: Result
    n_rows: int
    n_old_right: int
    n_new_right: int
    n_better: int
    n_worse: int
    difference: Figure | None
    p_value: float
    changed: list[ChangedAnswer]
    n_relabelled: int
    n_only_one: int

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form, without the results of the two runs."""
        counts = (
            "n_rows",
            "n_old_right",
            "n_new_right",
            "n_better",
            "n_worse",
            "p_value",
            "n_relabelled",
            "n_only_one",
        )
        return {
            "format": 1,
            **{name: getattr(self, name) for name in counts},
            "difference": None if self.difference is None else self.difference.model_dump(),
            "changed": [
                {"id": item.new.id, "label": item.new.true, "old": item.old.predicted, "new": item.new.predicted,
                 "gain": item.gain}
                for item in self.changed
            ],
        }  # fmt: skip


def compare_runs(old: Path, new: Path, out: Path | None = None) -> RunChanges:
    """Compare two runs by the answers that they stored; rows are matched by their id.

    Parameters
    ----------
    old, new : Path
        Output folders of `adapt`.
    out : Path or None
        A CSV to write with every row whose guess is another one.

    Raises
    ------
    DataError
        They answer with numbers, or with other kinds of answers.
    """
    results = [read_result(run / "result.json") for run in (old, new)]
    if results[0].task != results[1].task or TASK_TYPES[results[0].task].is_number:
        raise DataError(
            "These two models cannot be compared example by example.", "Look at the report of each of them."
        )
    by_id = [{row.id: row for row in read_tested_rows(run, results[0].task)} for run in (old, new)]
    pairs = [(by_id[0][name], row) for name, row in by_id[1].items() if name in by_id[0]]
    right = np.array([[before.predicted == after.true, after.predicted == after.true] for before, after in pairs])
    gain = (right[:, 1].astype(int) - right[:, 0]) if pairs else np.zeros(0, dtype=int)
    changed = [
        ChangedAnswer(old=before, new=after, gain=int(step))
        for (before, after), step in zip(pairs, gain, strict=True)
        if step or before.predicted != after.predicted
    ]
    difference = None
    if pairs:
        difference = Figure.from_interval(mean_interval(gain.astype(np.float64), None, results[1].seed, (-1.0, 1.0)))
    changed.sort(key=lambda item: -item.gain)
    if out is not None:
        lines = [
            [item.new.id, item.new.true, item.old.predicted, item.new.predicted, str(item.gain)] for item in changed
        ]
        write_text(out, format_csv([["id", "label", "old", "new", "gain"], *lines]))
    return RunChanges(
        old=results[0],
        new=results[1],
        n_rows=len(pairs),
        n_old_right=int(right[:, 0].sum()) if pairs else 0,
        n_new_right=int(right[:, 1].sum()) if pairs else 0,
        n_better=int((gain > 0).sum()),
        n_worse=int((gain < 0).sum()),
        difference=difference,
        p_value=sign_test(gain.astype(np.float64), None),
        changed=changed,
        n_relabelled=sum(before.true != after.true for before, after in pairs),
        n_only_one=len(by_id[0]) + len(by_id[1]) - 2 * len(pairs),
    )
