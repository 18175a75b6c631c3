"""Whatever is kept by task has every task, and no room compares the names of tasks: a new task is one record more."""

from __future__ import annotations

import pytest
from tests.contract_tables import KeyedTable, find_comparisons, find_tables

from headstart.task_types import TASK_TYPES, TaskType

NAMES = frozenset(TASK_TYPES)
PARTIAL = {
    "headstart.web.feedback._LABELS": "labels of one class need no form of their own",
    "headstart.flow.scoring.predictions._NOT_MEASURED": "reasons why a figure is missing, where it is missing",
}
"""Tables that do not have every task, and why."""
COMPARED = {"headstart.data.labels.task_type"}
"""Modules that find out which task a table of data is; names are their subject."""
TABLES = sorted(find_tables(NAMES), key=str)


def test_tables_of_tasks_are_found() -> None:
    assert len(TABLES) > 20, [str(table) for table in TABLES]


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_every_table_of_tasks_has_every_task(table: KeyedTable) -> None:
    missing = NAMES - set(table.load())
    assert not missing or str(table) in PARTIAL, f"{table} lacks {sorted(missing)}"


def test_no_room_compares_the_names_of_tasks() -> None:
    found = [
        place
        for place in find_comparisons(NAMES, frozenset({"task", "kind", "task_name"}))
        if place.partition(":")[0] not in COMPARED
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("task", TASK_TYPES.values(), ids=str)
def test_a_task_is_one_of_classes_label_sets_and_numbers(task: TaskType) -> None:
    assert task.has_one_class + task.has_label_sets + task.is_number == 1
