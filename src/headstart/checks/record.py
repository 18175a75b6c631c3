"""The record of a check: when it runs, what it needs, and the function that reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from headstart.bases import Backbone
from headstart.records import Features, Finding, Probabilities, Table
from headstart.results.check_codes import CHECK_CODES
from headstart.strategies.record import Task

TABLE, SPLIT, INPUTS, FEATURES, MODEL = "table", "split", "inputs", "features", "model"
STAGES = (TABLE, SPLIT, INPUTS, FEATURES, MODEL)
"""When a check runs: on the table as it was read; once every split is decided; on properties of every input; on the
features of a base model; on out-of-fold outputs of a model."""


@dataclass(frozen=True, kw_only=True)
class CheckInputs:
    """The inputs of checks; later stages have more of them.

    Parameters
    ----------
    table : Table
    group_columns : tuple of str
        Columns whose rows stay together in cross-validation.
    seed : int
    features : Features or None
        Of the rows of `table`.
    backbone : Backbone or None
        The base model of the features.
    task : Task or None
        Of the rows of `table`.
    out_of_fold : Probabilities or None, shape (n_rows, n_outputs)
        Of a model for `task`.
    """

    table: Table
    group_columns: tuple[str, ...] = ()
    seed: int = 0
    features: Features | None = None
    backbone: Backbone | None = None
    task: Task | None = None
    out_of_fold: Probabilities | None = None


_IS_AVAILABLE: Mapping[str, Callable[[CheckInputs], bool]] = {
    "rows": lambda inputs: len(inputs.table) > 0,
    "labels": lambda inputs: len(inputs.table) > 0 and inputs.table.labels is not None,
    "near-duplicate groups": lambda inputs: inputs.table.near_duplicate_groups is not None,
    "features": lambda inputs: inputs.features is not None,
    "base model": lambda inputs: inputs.backbone is not None,
    "out-of-fold outputs": lambda inputs: inputs.task is not None and inputs.out_of_fold is not None,
}


@dataclass(frozen=True, kw_only=True)
class Check:
    """A check of the data or of what a model shows about it.

    Parameters
    ----------
    code : str
        Key of `CHECK_CODES`; permanent.
    stage : str
        One of `STAGES`.
    needs : tuple of str
        What has to be there: "rows", "labels", "near-duplicate groups", "features", "base model", "out-of-fold
        outputs"; without it the check does not apply.
    run : function of CheckInputs
        Returns the findings; empty where there is nothing to report.
    """

    code: str
    stage: str
    needs: tuple[str, ...] = ()
    run: Callable[[CheckInputs], Sequence[Finding]]

    def __post_init__(self) -> None:
        assert self.code in CHECK_CODES, self.code
        assert self.stage in STAGES, self.stage
        assert set(self.needs) <= set(_IS_AVAILABLE), self.needs

    def applies(self, inputs: CheckInputs) -> bool:
        """Return whether everything the check needs is there."""
        return all(_IS_AVAILABLE[name](inputs) for name in self.needs)


def list_ids(table: Table, rows: Sequence[int]) -> tuple[str, ...]:
    """Return the ids of some rows of a table, in the order of `rows`.

    Parameters
    ----------
    table : Table
    rows : sequence of int
    """
    return tuple(str(table.ids[row]) for row in rows)
