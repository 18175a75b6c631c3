"""Answers as they come from a page: each is stored once and in order, however often the page sends it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from headstart.errors import HeadstartError
from headstart.flow.labelling.project_rows import SETTLED
from headstart.projects import NewLabel, Project
from headstart.studio.screens.label_answers import join_kinds
from headstart.task_types import TaskType

ClientName = Annotated[str, Field(pattern="^[0-9a-f]{8,40}$")]
"""Made by a page for itself; no two pages have the same."""
PersonName = Annotated[str, Field(min_length=1, max_length=80)]
_PURPOSES = {"": "label", "settle": "label", "second": "second", "human_reference": "reference"}


class LabelOperation(BaseModel):
    """One thing that a person did, with its number within the page."""

    model_config = ConfigDict(extra="forbid")

    number: int = Field(ge=1)
    action: Literal["label", "undo", "redo"]
    who: PersonName
    examples: list[int] = Field(default=[], max_length=100_000)
    answer: Literal["label", "not_sure", "none", "skip"] = "label"
    labels: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(default=[], max_length=1000)
    purpose: Literal["", "settle", "second", "human_reference"] = ""
    chosen: str = Field(default="", max_length=20)
    note: str = Field(default="", max_length=500)


class LabelBatch(BaseModel):
    """Operations of one page, the oldest first."""

    client: ClientName
    operations: list[LabelOperation] = Field(max_length=200)


class LabelGuess(BaseModel):
    """What the last round would have answered; a page gets it once the person has answered."""

    label: str
    probability: float


class LabelOutcome(BaseModel):
    """What became of an operation."""

    number: int
    examples: list[int] = []
    guess: LabelGuess | None = None
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True)
class LabelSituation:
    """What answers mean in a project at present: its task, and the round after which they are given."""

    task: TaskType
    round: int


def apply_operations(project: Project, batch: LabelBatch, situation: LabelSituation) -> list[LabelOutcome]:
    """Store what is new of a batch, each operation together with its number.

    Parameters
    ----------
    project : Project
    batch : LabelBatch
    situation : LabelSituation

    Returns
    -------
    list of LabelOutcome
        One an operation. What cannot be stored has a problem and keeps nothing else from being stored.
    """
    key = f"answers_of:{batch.client}"
    outcomes = []
    for operation in batch.operations:
        with project.transaction():  # An answer is never stored without its number, nor a number without its answer.
            if operation.number <= int(project.get_setting(key, 0)):
                outcomes.append(LabelOutcome(number=operation.number, examples=operation.examples))
                continue
            outcome = _try_operation(project, operation, situation)
            project.set_setting(key, operation.number)
        outcomes.append(outcome)
    return outcomes


def _try_operation(project: Project, operation: LabelOperation, situation: LabelSituation) -> LabelOutcome:
    try:
        examples = _ACTIONS[operation.action](project, operation, situation)
    except HeadstartError as error:
        if isinstance(error.__cause__, (sqlite3.Error, OSError)):
            raise  # A full disk, a busy file: nothing is wrong with the answer, and the page sends it again.
        return LabelOutcome(number=operation.number, problem=error.problem, hint=error.hint)
    return LabelOutcome(number=operation.number, examples=examples)


def _store_labels(project: Project, operation: LabelOperation, situation: LabelSituation) -> list[int]:
    labels = [_follow_name(project, label) for label in operation.labels]
    label = join_kinds(labels, situation.task) if operation.answer == "label" else None
    chosen = SETTLED if operation.purpose == "settle" else operation.chosen
    project.add_labels(
        [
            NewLabel(
                example=example, label=label, answer=operation.answer, who=operation.who, chosen=chosen,
                purpose=_PURPOSES[operation.purpose], round=situation.round,
            )
            for example in operation.examples
        ]
    )  # fmt: skip
    for example in operation.examples if operation.note else []:
        write_note(project, example, operation.note)
    return operation.examples


def _follow_name(project: Project, label: str) -> str:
    """Return what a kind is called now: it may have been renamed while the answer was on its way."""
    names: Mapping[str, str] = project.get_setting("renamed_kinds", {})
    present = {kind.name for kind in project.list_kinds()}
    for _ in names:
        if label in present or label not in names:
            break
        label = names[label]
    return label


def rename_kind(project: Project, old: str, new: str, who: str) -> None:
    """Rename a kind; answers that still travel under its old name follow.

    Parameters
    ----------
    project : Project
    old, new : str
    who : str
    """
    with project.transaction():
        project.rename_kind(old, new, who)
        project.set_setting("renamed_kinds", {**project.get_setting("renamed_kinds", {}), old: new})


def write_note(project: Project, example: int, note: str) -> None:
    """Keep what a person noted about an example."""
    project.set_setting(f"note:{example}", note)


def read_note(project: Project, example: int) -> str:
    """Return what a person noted about an example; empty if nothing."""
    return str(project.get_setting(f"note:{example}", ""))


def may_show_guess(operation: LabelOperation) -> bool:
    """Return whether a person who did this may see what the last round would have answered.

    Parameters
    ----------
    operation : LabelOperation
    """
    return operation.action == "label" and operation.purpose == "" and len(operation.examples) == 1


_ACTIONS: dict[str, Callable[[Project, LabelOperation, LabelSituation], list[int]]] = {
    "label": _store_labels,
    "undo": lambda project, operation, situation: project.undo(operation.who),
    "redo": lambda project, operation, situation: project.redo(operation.who),
}
