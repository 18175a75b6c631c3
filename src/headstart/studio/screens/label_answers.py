"""How an example is answered on the Label screen: what the task of the project says, by one record each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.data.labels.label_cells import split_by_separator
from headstart.errors import OptionError
from headstart.projects import Project
from headstart.task_types import TASK_TYPES, TaskType

SEPARATOR = ";"
"""Between several kinds of one label, as `headstart.data` reads them."""
FORMS = ("one", "several", "ordered", "number")
"""Buttons of which one is chosen, of which any number is, in the order of grades; or a box for a number."""


@dataclass(frozen=True)
class KindButton:
    """A kind on the screen, and how many examples have it."""

    name: str
    n: int


def find_task(project: Project) -> TaskType:
    """Return the task of a project; one kind an example where nothing else is known.

    Parameters
    ----------
    project : Project
    """
    return TASK_TYPES.get(project.get_setting("task", ""), TASK_TYPES["classification"])


def choose_form(task: TaskType) -> str:
    """Return how a task is answered, one of `FORMS`.

    Parameters
    ----------
    task : TaskType

    Examples
    --------
    >>> [choose_form(task) for task in TASK_TYPES.values()]
    ['one', 'several', 'number', 'ordered']
    """
    flags = (("several", task.has_label_sets), ("number", task.is_number), ("ordered", task.is_ordered))
    return next((form for form, holds in flags if holds), "one")


def list_kind_buttons(project: Project, task: TaskType) -> list[KindButton]:
    """Return the kinds to offer, grades from the lowest; none where the answer is a number.

    Parameters
    ----------
    project : Project
    task : TaskType
    """
    if task.is_number:
        return []
    counts: dict[str, int] = {}
    for kind in project.list_kinds():
        for name in split_label(kind.name, task):
            counts[name] = counts.get(name, 0) + kind.n_labelled
    order = list(project.get_setting("order", ())) if task.is_ordered else []
    return [KindButton(name, counts.get(name, 0)) for name in dict.fromkeys([*order, *counts])]


def split_label(label: str, task: TaskType) -> list[str]:
    """Return the kinds that a stored label names, in the order in which it names them.

    Parameters
    ----------
    label : str
    task : TaskType

    Examples
    --------
    >>> split_label("health; water", TASK_TYPES["multi-label"]), split_label("a; b", TASK_TYPES["classification"])
    (['health', 'water'], ['a; b'])
    """
    if not task.has_label_sets:
        return [label]
    return sorted(split_by_separator(label, SEPARATOR), key=label.find)


def join_kinds(kinds: Sequence[str], task: TaskType) -> str:
    """Return one label of the kinds that a person chose.

    Parameters
    ----------
    kinds : sequence of str
    task : TaskType

    Raises
    ------
    OptionError
        Another number of kinds than the task takes, or no number where it takes one.

    Examples
    --------
    >>> join_kinds(["water", "health"], TASK_TYPES["multi-label"])
    'water; health'
    """
    if not kinds or (len(kinds) > 1 and not task.has_label_sets):
        raise OptionError(f"An answer with {len(kinds)} kinds was sent.", "Choose one kind.")
    if task.is_number:
        _require_number(kinds[0])
    return f"{SEPARATOR} ".join(kinds)


def require_new_kind(name: str, task: TaskType) -> str:
    """Return the name of a new kind without outer blanks.

    Parameters
    ----------
    name : str
    task : TaskType

    Raises
    ------
    OptionError
    """
    if task.has_label_sets and SEPARATOR in name:
        raise OptionError(
            f"The name of a kind has a '{SEPARATOR}', which stands between several kinds.", "Leave it out."
        )
    if task.is_number:
        raise OptionError("The answers of this project are numbers.", "Write the number of each example.")
    return " ".join(name.split())


def _require_number(text: str) -> None:
    try:
        float(text)
    except ValueError:
        raise OptionError(f"'{text}' is no number.", "Write a number, such as 3.5.") from None
