"""Still good? New examples, with or without answers, beside the check of the model."""

from __future__ import annotations

import uuid
from pathlib import Path

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from headstart.errors import DataError
from headstart.flow.using import answer_runs
from headstart.flow.using.answer_runs import describe_command
from headstart.flow.using.open_models import OpenModels
from headstart.home import write_json
from headstart.modalities.image import SUFFIXES
from headstart.projects import Project
from headstart.projects.places import LATER
from headstart.report import write_sentence
from headstart.report.messages import translate
from headstart.report.people_words import count_inputs, format_in_hundred
from headstart.report.sentences.new_rows import describe_new_rows, describe_right_answers
from headstart.report.sentences.readiness import describe_verdict, name_level
from headstart.results import Evaluation, Figure, GroupValue
from headstart.studio.context import StudioContext
from headstart.studio.example_json import Document
from headstart.studio.model_facts import choose_model
from headstart.studio.phone_servers import list_quick_options
from headstart.studio.uploads import receive_upload

JOB = "still good"
_ABOUT, _OUT = "about.json", "evaluation.json"


class _Begin(BaseModel):
    model: int | None = None
    columns: dict[str, str] = Field(default_factory=dict)


def make_routes(context: StudioContext, models: OpenModels) -> APIRouter:
    """Return the routes of this part.

    Parameters
    ----------
    context : StudioContext
    models : OpenModels
    """
    routes = APIRouter(prefix="/api/p/{project}/later")

    @routes.post("")
    def begin(project: str) -> Document:
        key = uuid.uuid4().hex
        (context.open(project).folder / LATER / key / answer_runs.DATA).mkdir(parents=True)
        return {"key": key}

    @routes.post("/{key}/files")
    async def receive(request: Request, project: str, key: str) -> Document:
        folder = _find_folder(context.open(project), key) / answer_runs.DATA
        upload = await receive_upload(request, folder)
        answer_runs.note_file(folder, upload.path.name, "/".join((*upload.folders, upload.name)))
        return {"name": upload.name}

    @routes.post("/{key}/start")
    def start(project: str, key: str, body: _Begin) -> Document:
        opened = context.open(project)
        folder = _find_folder(opened, key)
        data = _settle(folder)
        model = choose_model(opened, body.model)
        write_json(folder / _ABOUT, {"format": 1, "model": model.n, "data": data.name})
        words = ["evaluate", str(model.folder), str(data), "-o", str(folder / _OUT)]
        words += [word for name in ("text", "label", "sheet") if body.columns.get(name)
                  for word in (f"--{name}", body.columns[name])]  # fmt: skip
        words += list_quick_options(model.folder)
        job = context.jobs.submit(opened, f"{JOB} {key[:8]}", [*words, "--offline"])
        return {"job": job, "command": describe_command(words), "data": str(data)}

    @routes.post("/{key}/add")
    def add(request: Request, project: str, key: str) -> Document:
        opened = context.open(project)
        data = _settle(_find_folder(opened, key))
        words = ["project", "add", str(opened.folder), str(data)]
        job = context.jobs.submit(opened, "add", words)
        with context.speak(request):
            return {"job": job, "command": describe_command(words), "words": translate("They are being added.")}

    @routes.get("/{key}")
    def read_result(request: Request, project: str, key: str) -> Document:
        path = _find_folder(context.open(project), key) / _OUT
        if not path.is_file():
            return {"done": False}
        evaluation = Evaluation.model_validate_json(path.read_text("utf-8"))
        with context.speak(request):
            return {"done": True, **describe_evaluation(evaluation)}

    return routes


def _find_folder(project: Project, key: str) -> Path:
    """Return a folder by its key; the key is compared with what is there, and never becomes a path."""
    root = project.folder / LATER
    folder = next((path for path in root.iterdir() if path.name == key), None) if root.is_dir() else None
    if folder is None:
        raise DataError("These examples are no longer here.", "Drop them once more.")
    return folder


def _settle(folder: Path) -> Path:
    """Return what is compared: the one table, or the folder of photos."""
    data = folder / answer_runs.DATA
    names = answer_runs.number_files(data)
    if not names:
        raise DataError("Nothing has come yet.", "Drop a file or a folder of photos.")
    first = next(iter(names))
    return data / first if len(names) == 1 and Path(first).suffix not in SUFFIXES else data


def describe_evaluation(evaluation: Evaluation) -> Document:
    """Return as JSON what a page says of a model on new examples, in the language spoken.

    Parameters
    ----------
    evaluation : Evaluation
    """
    readiness, modality = evaluation.readiness, evaluation.modality
    parts = [evaluation.prior_shift, evaluation.drift]
    right = describe_right_answers(evaluation) if evaluation.metrics is not None else ""
    return {
        "n": evaluation.n_rows,
        "counted": count_inputs(modality, evaluation.n_rows),
        "is_labelled": evaluation.labelled,
        "new": describe_new_rows(evaluation),
        "level": readiness.level if readiness else "",
        "level_name": name_level(readiness.level) if readiness else "",
        "verdict": describe_verdict(readiness, modality) if readiness else "",
        "right": right,
        "sentences": [write_sentence(part) for part in parts if part is not None],
        "advice": write_sentence(evaluation.advice) if evaluation.advice else "",
        "figures": [
            {"name": item.name, "here": _write_figure(item.here), "there": _write_figure(item.there)}
            for item in evaluation.beside_training
        ],
        "places": [
            {"column": group.column, "value": part.value, "n": part.n_rows, "right": _describe_part(part)}
            for group in evaluation.groups
            for part in group.values
        ],
        "not_read": [{"name": item.id, "reason": item.reason} for item in evaluation.set_aside[:5]],
    }


def _describe_part(part: GroupValue) -> str:
    """Return how many of the examples of a place or month are right; empty where too few can be compared."""
    accuracy = getattr(part.metrics, "accuracy", None)
    return "" if accuracy is None else format_in_hundred(accuracy)


def _write_figure(figure: Figure | None) -> dict[str, float | None]:
    if figure is None:
        return {"value": None, "low": None, "high": None}
    return {"value": figure.value, "low": figure.low, "high": figure.high}
