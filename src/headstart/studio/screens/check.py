"""Check: is the model ready, where is it wrong, what to do next."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from headstart.flow.review.corrections import list_corrections
from headstart.projects import Project
from headstart.report.kinds import NOUNS
from headstart.report.messages import translate
from headstart.studio.context import StudioContext
from headstart.studio.example_json import Document
from headstart.studio.screens import check_card, check_compare, check_wall, check_writing
from headstart.studio.screens.check_models import ReviewedModel, find_model
from headstart.studio.screens.check_values import (
    describe_rivals,
    describe_slider,
    list_filter_groups,
    list_group_bars,
    list_kind_bars,
    list_mix_table,
    make_step_button,
    write_verdict,
)
from headstart.task_types import TASK_TYPES


def make_routes(context: StudioContext) -> APIRouter:
    """Return the routes of this screen.

    Parameters
    ----------
    context : StudioContext
    """
    routes = APIRouter()
    for part in (check_wall, check_writing, check_compare, check_card):
        routes.include_router(part.make_routes(context))

    @routes.get("/p/{project}/check")
    def show_page(request: Request, project: str, model: int | None = None) -> Response:
        opened = context.open(project)
        checked = find_model(opened, model)
        with context.speak(request):
            values = {"checked": None} if checked is None else gather_values(opened, checked)
            return context.render(request, "check.html", project=opened, step="check", **values)

    return routes


def gather_values(project: Project, checked: ReviewedModel) -> Document:
    """Return what the page shows of a model, in the language spoken.

    Parameters
    ----------
    project : Project
    checked : ReviewedModel
    """
    result, corrections = checked.result, list_corrections(project)
    others = [model for model in project.list_models() if model.n != checked.model.n and model.state != "running"]
    return {
        "checked": checked,
        "result": result,
        "verdict": write_verdict(result),
        "button": make_step_button(result, project.id, project.count_labels().n_open > 0),
        "slider": describe_slider(checked.carefulness),
        "rivals": describe_rivals(result),
        "kind_bars": list_kind_bars(result),
        "group_bars": list_group_bars(result),
        "mixed": list_mix_table(result),
        "filter_groups": list_filter_groups(result),
        "has_kinds": not TASK_TYPES[result.task].is_number,
        "has_one_kind": TASK_TYPES[result.task].has_one_class,
        "noun": translate(NOUNS[result.modality]),
        "corrections": [item for item in corrections if not item.is_test],
        "check_corrections": [item for item in corrections if item.is_test],
        "others": others,
        "kinds": [kind.name for kind in project.list_kinds()],
        "state": {
            "model": checked.model.n,
            "isRunning": checked.model.state == "running",
            "nDoubted": len(result.label_errors),
            "nTest": result.n_rows.test,
            "isNumber": TASK_TYPES[result.task].is_number,
        },
    }
