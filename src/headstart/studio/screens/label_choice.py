"""Which examples the Label screen asks about next: useful ones, those of a file, of a group, or of a kind."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from headstart.flow.labelling.questions import choose_examples
from headstart.flow.labelling.records import ExampleChoice
from headstart.flow.labelling.rounds import LabelRound, learn_round
from headstart.index import IndexFacts, VectorIndex
from headstart.projects import ExampleFilter, Project
from headstart.studio.screens.label_operations import ClientName, PersonName

BLIND = {"second": "second", "human_reference": "reference"}
"""Modes in which nobody may see an earlier answer, and the purpose of their answers."""
EMPTY_INDEX = VectorIndex(
    ids=(), vectors=np.zeros((0, 1), dtype=np.float16),
    about=IndexFacts(modality="", base="", base_name="", fingerprint=""),
)  # fmt: skip
"""Before there are vectors: nothing is guessed, and what comes next is taken by chance."""


class LabelFocus(BaseModel):
    """Of what more is wanted: a kind, or a value of a column; "" for anything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str = Field(default="", max_length=200)
    group: str = Field(default="", max_length=200)
    value: str = Field(default="", max_length=1000)


class NextRequest(BaseModel):
    """Which examples a page wants next."""

    model_config = ConfigDict(extra="forbid")

    who: PersonName
    client: ClientName
    mode: Literal["useful", "random", "review", "second", "human_reference"] = "useful"
    n: int = Field(default=5, ge=1, le=50)
    source: int | None = None
    focus: LabelFocus = LabelFocus()
    except_: list[int] = Field(default=[], alias="except", max_length=1000)


def pick_examples(
    project: Project, label_round: LabelRound | None, n: int, request: NextRequest
) -> list[ExampleChoice]:
    """Return the examples to ask about next; without a round in random order.

    Parameters
    ----------
    project : Project
    label_round : LabelRound or None
    n : int
    request : NextRequest
        With a source: what was left to a person of one file, in its order. With a focus: what belongs to it first, by
        chance; of a kind what seems to be of it.
    """
    mode = request.mode
    if mode == "second":
        return [ExampleChoice(number, mode) for number in list_for_second(project, request.who, n)]
    if request.source is not None and mode == "useful":
        waiting = ExampleFilter(state="in", answer="", source=request.source)
        return [ExampleChoice(number, "review") for number in project.list_ids(waiting, limit=n)]
    focused = list_focused(project, label_round, request.focus, n) if mode == "useful" else []
    if len(focused) == n:
        return focused
    if label_round is None and mode in {"useful", "review"}:
        mode = "random"
    others = choose_examples(project, label_round or learn_round(project, EMPTY_INDEX), n, mode)
    known = {choice.id for choice in focused}
    return [*focused, *(choice for choice in others if choice.id not in known)][:n]


def list_focused(project: Project, label_round: LabelRound | None, focus: LabelFocus, n: int) -> list[ExampleChoice]:
    """Return open examples of a value of a column, or such as seem to be of a kind, the surest first.

    Parameters
    ----------
    project : Project
    label_round : LabelRound or None
    focus : LabelFocus
    n : int
    """
    if focus.group:
        group = ExampleFilter(state="in", answer="", group=(focus.group, focus.value))
        return [ExampleChoice(number, "group") for number in project.list_ids(group, limit=n, order="random")]
    if not focus.kind or label_round is None:
        return []
    waiting = set(project.list_ids(ExampleFilter(state="in", answer="")))
    seeming = {
        number: probability
        for number, (kind, probability) in label_round.guesses.items()
        if kind == focus.kind and number in waiting
    }
    return [ExampleChoice(number, "kind") for number in sorted(seeming, key=lambda number: -seeming[number])[:n]]


def list_for_second(project: Project, who: str, n: int) -> list[int]:
    """Return examples that others have labelled and this person has not, in the order of their labels.

    Parameters
    ----------
    project : Project
    who : str
    n : int
    """
    own = {event.example for event in project.iterate_events(origin="person") if event.who == who}
    others = [event.example for event in project.iterate_events(origin="person", purpose="label")
              if event.answer == "label" and event.example not in own]  # fmt: skip
    return list(dict.fromkeys(others))[:n]
