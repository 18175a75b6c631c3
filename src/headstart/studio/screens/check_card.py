"""The field card of a model: one page to print, for the wall beside the people who use it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from headstart.flow.reporting import ROWS, read_report_rows
from headstart.projects import Project
from headstart.report.first_page import CARD_KINDS, CARD_PAIRS, list_reasons_to_ask
from headstart.report.kinds import NOUNS, TASK_WORDINGS
from headstart.report.messages import translate
from headstart.report.view import confused_pairs
from headstart.results import Result
from headstart.studio.context import StudioContext
from headstart.studio.example_json import Document
from headstart.studio.screens.check_models import ReviewedModel, require_model
from headstart.studio.screens.check_values import write_verdict
from headstart.studio.screens.check_wall import describe_rows, make_learnt_row
from headstart.task_types import TASK_TYPES


def make_routes(context: StudioContext) -> APIRouter:
    """Return the routes of the card.

    Parameters
    ----------
    context : StudioContext
    """
    routes = APIRouter()

    @routes.get("/p/{project}/check/card")
    def show_card(request: Request, project: str, model: int) -> Response:
        opened = context.open(project)
        checked = require_model(opened, model)
        with context.speak(request):
            values = gather_card(opened, checked)
            return context.render(request, "card.html", project=opened, step="check", **values)

    return routes


def gather_card(project: Project, checked: ReviewedModel) -> Document:
    """Return what the card shows, in the language spoken.

    Parameters
    ----------
    project : Project
    checked : ReviewedModel
    """
    result = checked.result
    return {
        "checked": checked,
        "result": result,
        "title": _write_title(result),
        "verdict": write_verdict(result),
        "reasons": list_reasons_to_ask(result),
        "pairs": confused_pairs(result)[:CARD_PAIRS],
        "kinds": [] if TASK_TYPES[result.task].is_number else result.classes[:CARD_KINDS],
        "n_more": max(0, len(result.classes) - CARD_KINDS),
        "items": _describe_kinds(project, checked),
    }


def _write_title(result: Result) -> str:
    noun, name = translate(NOUNS[result.modality]), result.classes[0] if result.classes else ""
    return translate(TASK_WORDINGS[result.task].title, noun=noun, n=len(result.classes), name=name)


def _describe_kinds(project: Project, checked: ReviewedModel) -> dict[str, Document]:
    """Return an example of each kind that shows it well, where the project still has it."""
    rows = read_report_rows(checked.run / ROWS)
    first = {kind: ids[0] for kind, ids in (rows.examples if rows else {}).items() if ids}
    chosen = [make_learnt_row(first[kind], kind) for kind in checked.result.classes[:CARD_KINDS] if kind in first]
    return {item["true"]: item["example"] for item in describe_rows(project, checked, chosen) if item["example"]}
