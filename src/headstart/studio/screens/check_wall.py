"""The tested examples one by one: the wall, the map, and what an answer rests on."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from headstart.flow.review.row_examples import find_examples
from headstart.flow.review.tested_rows import TestedRow, filter_rows, list_map_points, read_tested_rows
from headstart.http.errors import RequestRefused
from headstart.projects import Project
from headstart.report.messages import translate
from headstart.report.people_words import count_of_hundred
from headstart.results import Result
from headstart.studio.context import StudioContext
from headstart.studio.example_json import Document, describe_example
from headstart.studio.screens.check_models import ReviewedModel, require_model

MOST_ITEMS = 200
"""Of one answer of the wall."""


def make_routes(context: StudioContext) -> APIRouter:
    """Return the routes of the wall.

    Parameters
    ----------
    context : StudioContext
    """
    routes = APIRouter()

    @routes.get("/api/p/{project}/models/{number}/tested")
    def list_tested(request: Request, project: str, number: int, offset: int = 0, limit: int = 60) -> Document:
        opened = context.open(project)
        checked = require_model(opened, number)
        rows = choose_rows(checked, dict(request.query_params))
        part = rows[max(offset, 0) : max(offset, 0) + min(limit, MOST_ITEMS)]
        with context.speak(request):
            return {"count": len(rows), "items": describe_rows(opened, checked, part)}

    @routes.get("/api/p/{project}/models/{number}/map")
    def list_points(project: str, number: int) -> Document:
        checked = require_model(context.open(project), number)
        points = list_map_points(checked.run)
        return {
            "kinds": checked.result.classes,
            "points": [[p.id, p.x, p.y, int(p.split == "test"), p.true, p.outcome or ""] for p in points],
        }

    @routes.post("/api/p/{project}/models/{number}/rows")
    def list_rows(request: Request, project: str, number: int, ids: list[str]) -> Document:
        opened = context.open(project)
        checked = require_model(opened, number)
        tested = {row.id: row for row in read_tested_rows(checked.run, checked.result.task)}
        labels = {point.id: point.true for point in list_map_points(checked.run)}
        rows = [tested.get(name) or make_learnt_row(name, labels[name]) for name in ids if name in labels]
        with context.speak(request):
            return {"count": len(rows), "items": describe_rows(opened, checked, rows[:MOST_ITEMS])}

    @routes.get("/p/{project}/models/{number}/report")
    def show_report(project: str, number: int) -> Response:
        return _send_page(require_model(context.open(project), number), "report.html")

    @routes.get("/p/{project}/models/{number}/explained/{example}")
    def show_explained(project: str, number: int, example: int) -> Response:
        return _send_page(require_model(context.open(project), number), f"explained/{example}.html")

    return routes


def choose_rows(checked: ReviewedModel, query: dict[str, str]) -> list[TestedRow]:
    """Return the rows of the wall: tested ones that fit the filters, or learnt ones whose label is in doubt.

    Parameters
    ----------
    checked : ReviewedModel
    query : dict of str to str
        "outcome" (or "doubted"), "true", "answer", "column" with "value".
    """
    result: Result = checked.result
    if query.get("outcome") == "doubted":
        return [
            make_learnt_row(item.id, item.label, guess=item.suggested)
            for item in result.label_errors
            if query.get("true", "") in ("", item.label)
        ]
    column = query.get("column", "")
    return filter_rows(
        read_tested_rows(checked.run, result.task),
        query.get("outcome", ""),
        true=query.get("true", ""),
        answer=query.get("answer", ""),
        group=(column, query.get("value", "")) if column else None,
    )


def make_learnt_row(name: str, label: str, guess: str = "") -> TestedRow:
    """Return a row that was learnt from, as the wall shows it.

    Parameters
    ----------
    name : str
        Id of the row.
    label : str
    guess : str
        Kind that the model would rather give it; "" where nothing is in doubt.
    """
    return TestedRow(id=name, true=label, predicted=guess, answer=guess, outcome=None, is_tested=False)


def describe_rows(project: Project, checked: ReviewedModel, rows: Sequence[TestedRow]) -> list[Document]:
    """Return rows as the script draws them, with the example of the project where there is one.

    Parameters
    ----------
    project : Project
    checked : ReviewedModel
    rows : sequence of TestedRow
    """
    numbers = find_examples(project, [row.id for row in rows])
    examples = {example.id: example for example in project.get_examples(list(numbers.values()))}
    items = []
    for row in rows:
        example = examples.get(numbers.get(row.id, 0))
        items.append(
            {
                "id": row.id,
                "example": None if example is None else describe_example(project.id, example),
                "true": row.true,
                "now": example.label if example is not None and example.label != row.true else None,
                "guess": row.predicted,
                "second": row.second,
                "outcome": row.outcome,
                "sure": "" if row.probability is None else _write_sureness(row.probability),
                "is_test": row.is_tested,
            }
        )
    return items


def _write_sureness(probability: float) -> str:
    return translate("{n} of 100 sure", n=count_of_hundred(probability))


def _send_page(checked: ReviewedModel, name: str) -> Response:
    """Answer with a page that a run wrote: shown, and able to reach nothing of Studio."""
    try:
        content = (checked.run / name).read_bytes()
    except OSError as error:
        raise RequestRefused(404, "This page is not there.", "Make it again on the page Check.") from error
    return Response(content, media_type="text/html; charset=utf-8", headers={"Content-Security-Policy": _SANDBOX})


_SANDBOX = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
