"""What a task is: one record for each, with what the rooms ask of it.

`TASK_TYPES` is the only list of tasks. A room that does something of its own for each task keeps a table by name;
`tests/test_contract_tasks.py` checks that every such table has every task. No room compares the names of tasks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema


@dataclass(frozen=True, kw_only=True)
class TaskType:
    """Task: what is predicted for a row.

    Parameters
    ----------
    name : str
        Permanent, kebab-case; as in options and stored files.
    has_one_class : bool
        Each row has one of several classes; the probabilities of a row sum to one.
    is_ordered : bool
        The classes are grades, the lowest first; the answer is the median grade.
    has_label_sets : bool
        Each row has any number of labels; each label has a probability of its own.
    is_number : bool
        Each row has one number.
    """

    name: str
    has_one_class: bool = False
    is_ordered: bool = False
    has_label_sets: bool = False
    is_number: bool = False

    def __post_init__(self) -> None:
        assert self.has_one_class + self.has_label_sets + self.is_number == 1, self
        assert self.has_one_class or not self.is_ordered, self


TASK_TYPES: dict[str, TaskType] = {
    task.name: task
    for task in (
        TaskType(name="classification", has_one_class=True),
        TaskType(name="multi-label", has_label_sets=True),
        TaskType(name="regression", is_number=True),
        TaskType(name="ordinal", has_one_class=True, is_ordered=True),
    )
}

OWN_FLOWS = ("spans",)
"""Names for `--task` beside those of the table: what is predicted is not one answer a row (docs/decisions/0035)."""


def require_task(name: str) -> str:
    """Return the name of a task.

    Raises
    ------
    ValueError
        There is no such task.
    """
    if name not in TASK_TYPES:
        raise ValueError(f"Input should be one of {', '.join(TASK_TYPES)}")
    return name


TaskName = Annotated[str, AfterValidator(require_task), WithJsonSchema({"enum": list(TASK_TYPES), "type": "string"})]
"""Name of a task in a stored record."""
