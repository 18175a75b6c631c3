"""Examples: what there is to learn from, how it was understood, and what is put away for the check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from headstart.errors import OptionError
from headstart.flow.inspection.doubtful import dismiss_doubtful, list_doubtful
from headstart.flow.inspection.inspect_source import rate_count
from headstart.flow.inspection.settings import SETTINGS as INSPECTION
from headstart.flow.projects.splitting import estimate_put_away
from headstart.http.errors import RequestRefused
from headstart.projects import OPEN_STATES, ExampleFilter, Kind, Project
from headstart.studio import pictures
from headstart.studio.context import StudioContext
from headstart.studio.example_json import Document, describe_example
from headstart.studio.screens import examples_intake
from headstart.studio.screens.examples_intake import ADD_JOB

_MOST_ITEMS = 200
_DRAWER_ITEMS = 60


class StateChange(BaseModel):
    """Examples to leave out, or to take in again."""

    ids: list[int] = Field(max_length=1_000_000)
    state: Literal["in", "left_out"]
    reason: str = Field("", max_length=200)
    who: str = Field("", max_length=100)


class NewBox(BaseModel):
    """A kind that has no example yet."""

    name: str = Field(max_length=200)


class DoubtChange(BaseModel):
    """What becomes of all examples of one doubt."""

    code: str
    state: Literal["in", "left_out"] = "in"
    who: str = Field("", max_length=100)


def make_routes(context: StudioContext) -> APIRouter:
    """Return the routes of this screen.

    Parameters
    ----------
    context : StudioContext
    """
    routes = APIRouter()
    routes.include_router(examples_intake.make_routes(context))

    @routes.get("/p/{project}/examples")
    def show_page(request: Request, project: str) -> Response:
        opened = context.open(project)
        is_pending = opened.get_setting(examples_intake.SETTING) is not None
        state = {"overview": _summarise(opened), "is_pending": is_pending}
        return context.render(request, "examples.html", project=opened, step="examples", state=state)

    @routes.get("/api/p/{project}/overview")
    def read_overview(project: str) -> Document:
        return _summarise(context.open(project))

    @routes.get("/api/p/{project}/examples")
    def list_examples(
        project: str,
        query: Annotated[_ExampleQuery, Query()],
    ) -> Document:
        opened = context.open(project)
        chosen = query.make_filter(list_doubtful(opened))
        items = opened.list_examples(chosen, offset=query.offset, limit=query.limit, order=query.order)
        count = opened.count_examples(chosen) if query.with_count else None
        return {"count": count, "items": [describe_example(opened.id, item) for item in items]}

    @routes.get("/api/p/{project}/examples/{number}")
    def read_example(project: str, number: int) -> Document:
        opened = context.open(project)
        return describe_example(opened.id, opened.get_example(number))

    @routes.get("/api/p/{project}/examples/{number}/thumbnail")
    def read_thumbnail(request: Request, project: str, number: int) -> Response:
        opened = context.open(project)
        return _answer_picture(
            request, opened, number, lambda digest, path: pictures.read_thumbnail(opened.folder, digest, path)
        )

    @routes.get("/api/p/{project}/examples/{number}/picture")
    def read_picture(request: Request, project: str, number: int) -> Response:
        return _answer_picture(request, context.open(project), number, lambda digest, path: pictures.draw_large(path))

    @routes.post("/api/p/{project}/examples/state")
    def change_state(project: str, change: StateChange) -> Document:
        opened = context.open(project)
        opened.set_state(change.ids, change.state, change.reason, who=change.who or None)
        return _summarise(opened)

    @routes.post("/api/p/{project}/boxes")
    def make_box(project: str, box: NewBox) -> Document:
        opened = context.open(project)
        if not box.name.strip():
            raise OptionError("The box has no name.", "Write the name of the kind, such as rust.")
        opened.add_kind(box.name.strip())
        return {}

    @routes.post("/api/p/{project}/doubtful/state")
    def change_doubtful(project: str, change: DoubtChange) -> Document:
        opened = context.open(project)
        ids = list_doubtful(opened).get(change.code, [])
        opened.set_state(ids, change.state, change.code if change.state == "left_out" else "", who=change.who or None)
        return _summarise(opened)

    @routes.post("/api/p/{project}/doubtful/dismiss")
    def dismiss_doubt(project: str, change: DoubtChange) -> Document:
        opened = context.open(project)
        dismiss_doubtful(opened, change.code)
        return _summarise(opened)

    @routes.get("/api/p/{project}/doubtful")
    def read_doubtful(project: str) -> list[Document]:
        opened = context.open(project)
        return [
            {"code": code, "n": len(ids), "items": _describe_some(opened, ids)}
            for code, ids in list_doubtful(opened).items()
        ]

    return routes


class _ExampleQuery(BaseModel):
    """Which examples of a list."""

    offset: int = Field(0, ge=0)
    limit: int = Field(60, ge=0, le=_MOST_ITEMS)
    order: Literal["id", "newest", "random", "name"] = "id"
    kind: str | None = None
    labelled: bool | None = None
    state: Literal["in", "left_out"] | None = None
    split: Literal["train", "test", ""] | None = None
    words: str | None = Field(None, max_length=200)
    doubt: str | None = None
    with_count: bool = True

    def make_filter(self, doubtful: Mapping[str, list[int]]) -> ExampleFilter:
        return ExampleFilter(
            kind=self.kind, labelled=self.labelled, state=self.state, split=self.split,
            text_contains=self.words or None, ids=None if self.doubt is None else doubtful.get(self.doubt, []),
        )  # fmt: skip


def _summarise(project: Project) -> Document:
    """Return counts of a project, a few examples of each kind, and the job that adds some, whatever its size."""
    running = [job.id for job in project.list_jobs(OPEN_STATES) if job.kind == ADD_JOB]
    return {**_count_examples(project, project.revision), "job": running[0] if running else None}


@lru_cache(maxsize=16)
def _count_examples(project: Project, revision: int) -> Document:
    """Return the part of the summary that changes only with the project; counting 50,000 takes a tenth of a second."""
    counts = project.count_labels()
    kinds = project.list_kinds()
    return {
        "revision": revision,
        "modality": project.get_setting("modality", ""),
        "n_examples": counts.n_examples,
        "n_labelled": counts.n_labelled,
        "n_open": counts.n_examples - counts.n_labelled,
        "n_left_out": counts.n_left_out,
        "n_test": sum(kind.n_test for kind in kinds),
        "n_to_put_away": estimate_put_away(counts.n_labelled),
        "enough": INSPECTION.enough_examples,
        "kinds": [_describe_kind(project, kind) for kind in kinds],
        "open_items": _describe_filtered(project, ExampleFilter(labelled=False, state="in")),
        "doubtful": {code: len(ids) for code, ids in list_doubtful(project).items()},
    }


def _describe_kind(project: Project, kind: Kind) -> Document:
    items = _describe_filtered(project, ExampleFilter(kind=kind.name, state="in"))
    code = rate_count(kind.n_labelled)
    return {"name": kind.name, "n": kind.n_labelled, "n_test": kind.n_test, "code": code, "items": items}


def _describe_filtered(project: Project, chosen: ExampleFilter) -> list[Document]:
    items = project.list_examples(chosen, limit=INSPECTION.kind_samples, order="random")
    return [describe_example(project.id, item) for item in items]


def _describe_some(project: Project, ids: list[int]) -> list[Document]:
    return [describe_example(project.id, item) for item in project.get_examples(ids[:_DRAWER_ITEMS])]


def _answer_picture(
    request: Request, project: Project, number: int, draw: Callable[[str, Path], bytes | None]
) -> Response:
    """Answer with a picture of an example, or with nothing where the browser has it already."""
    example = project.get_example(number)
    if example.path is None or not example.content_hash:
        raise RequestRefused(404, "This example has no picture.", "")
    tag = pictures.make_tag(example.content_hash, request.url.path.rsplit("/", 1)[-1])
    headers = {"etag": tag, "cache-control": f"private, max-age={pictures.SETTINGS.browser_seconds}"}
    if pictures.matches_tag(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    jpeg = draw(example.content_hash, example.path)
    if jpeg is None:
        raise RequestRefused(404, "This picture cannot be shown.", "Its file is damaged, or is no longer there.")
    return Response(jpeg, media_type="image/jpeg", headers=headers)
