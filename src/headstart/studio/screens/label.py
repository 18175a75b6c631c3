"""Label: say of one example after the other, or of many alike, which kind it is.

The page holds the next examples and a queue of answers, so that a person never waits; the server stores each answer
once (`label_operations`), learns in the background (`label_rounds`) and chooses what comes next (`flow.labelling`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from headstart.flow.labelling.settings import SETTINGS
from headstart.projects import Project
from headstart.studio.context import StudioContext
from headstart.studio.screens.label_answers import (
    choose_form,
    find_task,
    require_new_kind,
)
from headstart.studio.screens.label_choice import LabelFocus, NextRequest
from headstart.studio.screens.label_operations import (
    LabelBatch,
    LabelOutcome,
    LabelSituation,
    PersonName,
    apply_operations,
    rename_kind,
)
from headstart.studio.screens.label_queries import LabelQueries
from headstart.studio.screens.label_rounds import RoundKeeper

Who = Annotated[str, Query(max_length=80)]
Json = dict[str, object]
KindName = Annotated[str, Field(min_length=1, max_length=200)]


class ExamplesRequest(BaseModel):
    """Which examples a page wants to draw."""

    who: PersonName
    ids: list[int] = Field(max_length=500)


class OrderRequest(BaseModel):
    """In which order a grid is wanted: by likeness to each other, to one example, or to words."""

    who: PersonName
    words: str = Field(default="", max_length=1000)
    example: int | None = None


class KindChange(BaseModel):
    """A new kind, or a new name of one."""

    model_config = ConfigDict(extra="forbid")

    who: PersonName
    add: KindName | None = None
    rename: KindName | None = None
    to: KindName | None = None


@dataclass(frozen=True)
class PageValues:
    """What the template writes into the page."""

    n_reference: int
    source: int | str
    focus: dict[str, str]


def make_routes(context: StudioContext) -> APIRouter:
    """Return the routes of this screen.

    Parameters
    ----------
    context : StudioContext
    """
    routes = APIRouter()
    keeper = RoundKeeper()
    queries = LabelQueries(context, keeper)

    @routes.get("/p/{project}/label")
    def show_label_page(
        request: Request, project: str, source: int | None = None, kind: str = "", group: str = "", value: str = ""
    ) -> Response:
        opened = context.open(project)
        focus = LabelFocus(kind=kind[:200], group=group[:200], value=value[:1000]).model_dump()
        page = PageValues(n_reference=SETTINGS.reference_rows, source=source or "", focus=focus)
        return context.render(request, "label.html", project=opened, step="examples", page=page)

    @routes.get("/api/p/{project}/label/state")
    def read_state(request: Request, project: str, who: Who = "") -> Json:
        with context.speak(request):
            return queries.read_state(context.open(project))

    @routes.post("/api/p/{project}/label/next")
    def choose_examples(project: str, body: NextRequest) -> Json:
        opened = context.open(project)
        return {"examples": queries.choose_next(opened, body)}

    @routes.post("/api/p/{project}/label/operations")
    def store_answers(project: str, body: LabelBatch) -> dict[str, list[LabelOutcome]]:
        opened = context.open(project)
        rounds = keeper.find(opened)
        outcomes = apply_operations(opened, body, LabelSituation(find_task(opened), rounds.number))
        queries.add_guesses(opened, body, outcomes)
        rounds.n_new += len(outcomes)
        queries.learn_if_due(opened)
        return {"outcomes": outcomes}

    @routes.post("/api/p/{project}/label/examples")
    def read_examples(project: str, body: ExamplesRequest) -> Json:
        opened = context.open(project)
        return {"examples": queries.describe_examples(opened, body.ids, body.who, "")}

    @routes.post("/api/p/{project}/label/order")
    def order_examples(request: Request, project: str, body: OrderRequest) -> Json:
        with context.speak(request):
            return queries.order_examples(context.open(project), body.words.strip(), body.example)

    @routes.get("/api/p/{project}/label/cohorts")
    def list_cohorts(request: Request, project: str, who: Who = "") -> Json:
        with context.speak(request):
            return {"cohorts": queries.list_cohorts(context.open(project), who)}

    @routes.get("/api/p/{project}/label/people")
    def compare_people(request: Request, project: str, who: Who = "") -> Json:
        with context.speak(request):
            return queries.compare_people(context.open(project), who)

    @routes.post("/api/p/{project}/label/kinds")
    def change_kinds(project: str, body: KindChange) -> Json:
        opened: Project = context.open(project)
        task = find_task(opened)
        if body.add is not None:
            opened.add_kind(require_new_kind(body.add, task))
        if body.rename is not None and body.to is not None:
            rename_kind(opened, body.rename, require_new_kind(body.to, task), body.who)
        return {"form": choose_form(task)}

    return routes
