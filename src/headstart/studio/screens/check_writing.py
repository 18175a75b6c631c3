"""What Check changes: labels that were wrong, how careful the model is; and the jobs that it starts."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from pydantic import BaseModel, Field

from headstart.csv_files import write_csv_rows
from headstart.flow.review.corrections import correct_label, take_back
from headstart.http.errors import RequestRefused
from headstart.projects import Example, Project
from headstart.studio.context import StudioContext
from headstart.studio.example_json import Document
from headstart.studio.screens.check_models import ReviewedModel, require_model


class CorrectedLabel(BaseModel):
    """A label that a person corrects, or confirms."""

    example: int
    label: str = Field(min_length=1, max_length=1_000)
    who: str = Field(default="", max_length=200)
    is_check_step: bool = False


class TakenBack(BaseModel):
    """A correction that is taken back."""

    example: int
    who: str = Field(default="", max_length=200)


class CareSetting(BaseModel):
    """How careful a model is to be: one of the three."""

    refer_cost: float | None = Field(default=None, gt=0)
    at_most_wrong: float | None = Field(default=None, gt=0, lt=100)
    reset: bool = False


def make_routes(context: StudioContext) -> APIRouter:
    """Return the routes that change something.

    Parameters
    ----------
    context : StudioContext
    """
    routes = APIRouter()

    @routes.post("/api/p/{project}/corrections")
    def add_correction(project: str, item: CorrectedLabel) -> Document:
        opened = context.open(project)
        correct_label(opened, item.example, item.label, who=item.who, is_check_step=item.is_check_step)
        return {"example": item.example, "label": item.label}

    @routes.post("/api/p/{project}/corrections/undo")
    def undo_correction(project: str, item: TakenBack) -> Document:
        return {"is_changed": take_back(context.open(project), item.example, item.who)}

    @routes.post("/api/p/{project}/models/{number}/care")
    def set_care(project: str, number: int, setting: CareSetting) -> Document:
        opened = context.open(project)
        checked = require_model(opened, number)
        argv = ["set-care", str(checked.run), *_write_setting(setting)]
        return {"job": context.jobs.submit(opened, "set-care", argv)}

    @routes.post("/api/p/{project}/models/{number}/current")
    def take_into_use(project: str, number: int) -> Document:
        opened = context.open(project)
        require_model(opened, number)
        opened.set_current_model(number)
        return {"model": number}

    @routes.post("/api/p/{project}/models/{number}/explain/{example}")
    def explain(project: str, number: int, example: int) -> Document:
        opened = context.open(project)
        checked = require_model(opened, number)
        page = checked.run / "explained" / f"{example}.html"
        if page.is_file() and page.stat().st_mtime > (checked.run / "result.json").stat().st_mtime:
            return {"job": None}
        source = write_input(opened.get_example(example), checked, opened)
        argv = ["explain", str(checked.run), str(source), "-o", str(page)]
        return {"job": context.jobs.submit(opened, "explain", argv)}

    return routes


def _write_setting(setting: CareSetting) -> list[str]:
    if setting.refer_cost is not None:
        return ["--refer-cost", f"{setting.refer_cost!r}"]
    if setting.at_most_wrong is not None:
        return ["--at-most-wrong", f"{setting.at_most_wrong!r}"]
    return ["--reset"]


def write_input(example: Example, checked: ReviewedModel, project: Project) -> Path:
    """Return a file that holds one example: its photo, or a table of one row beside the explanations of the model.

    Parameters
    ----------
    example : Example
    checked : ReviewedModel
    project : Project

    Raises
    ------
    RequestRefused
        422: it has nothing that could be explained.
    """
    if example.path is not None:
        return example.path
    folder = checked.run / "explained"
    folder.mkdir(exist_ok=True)
    place = folder / f"{example.id}.csv"
    columns = dict(project.get_setting("columns", {}))
    if example.text is not None:
        cells = {columns.get("text", "text"): example.text}
    elif example.series is not None and len(example.series) == 1:
        names = (project.get_setting("input_columns") or {}).get("values") or [[]]
        values = [f"{value:.9g}" for value in example.series[0]]
        steps = names[0] if len(names[0]) >= len(values) else [f"t{at}" for at in range(len(values))]
        cells = dict(zip(steps, values, strict=False))
    else:
        raise RequestRefused(422, "This example cannot be explained here.", "Use `headstart explain` on its file.")
    with place.open("w", encoding="utf-8", newline="") as handle:
        write_csv_rows(handle, [list(cells), list(cells.values())])
    return place
