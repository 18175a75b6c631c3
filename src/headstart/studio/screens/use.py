"""Use: one example, many, on phones, elsewhere, and whether it is still good."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from headstart.errors import DataError, HeadstartError
from headstart.flow.using.examples import add_correction
from headstart.flow.using.open_models import READERS, OpenModels, ReadInput
from headstart.flow.using.settings import SETTINGS
from headstart.projects import Project
from headstart.studio.answer_words import describe_answer
from headstart.studio.context import StudioContext
from headstart.studio.example_json import Document
from headstart.studio.model_facts import choose_model, describe_model, list_usable_models
from headstart.studio.screens import use_later, use_many, use_sharing
from headstart.studio.uploads import receive_upload, rename_file

_ONE = "in-use"
"""Folder of the project for inputs that wait for their answer."""


@dataclass
class _RecentInputs:
    """The inputs that were answered last, so that they can be corrected; nothing of them is on the disk."""

    items: OrderedDict[str, ReadInput] = field(default_factory=OrderedDict)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def remember(self, item: ReadInput) -> str:
        key = uuid.uuid4().hex
        with self.turn:
            self.items[key] = item
            while len(self.items) > SETTINGS.recent_inputs:
                self.items.popitem(last=False)
        return key

    def get(self, key: str) -> ReadInput:
        if key not in self.items:
            raise DataError("This answer is no longer kept.", "Ask once more, then correct it.")
        return self.items[key]


class _TypedBody(BaseModel):
    text: str = Field(max_length=1_000_000)
    model: int | None = None


class _CorrectionBody(BaseModel):
    key: str
    label: str = Field(max_length=500)
    who: str = Field("", max_length=200)


def make_routes(context: StudioContext) -> APIRouter:
    """Return the routes of this screen.

    Parameters
    ----------
    context : StudioContext
    """
    routes = APIRouter()
    models, recent = OpenModels(), _RecentInputs()

    @routes.get("/p/{project}/use")
    def show_page(request: Request, project: str) -> Response:
        opened: Project = context.open(project)
        modality = str(opened.get_setting("modality") or "text")
        with context.speak(request):
            described = [describe_model(model, modality) for model in list_usable_models(opened)]
        chosen = next((model for model in described if model["is_current"]), None) or next(iter(described), None)
        kinds = [kind.name for kind in opened.list_kinds()]
        return context.render(
            request, "use.html", project=opened, step="use", modality=modality, models=described, chosen=chosen,
            kinds=kinds,
        )  # fmt: skip

    @routes.post("/api/p/{project}/use/warm")
    def warm(project: str, model: int | None = None) -> Document:
        models.get(choose_model(context.open(project), model).folder)
        return {"ready": True}

    @routes.post("/api/p/{project}/use/typed")
    def answer_typed(request: Request, project: str, body: _TypedBody) -> Document:
        opened = context.open(project)
        modality = str(opened.get_setting("modality") or "text")
        suffix, text = _TYPED[modality], body.text
        path = opened.folder / _ONE / f"{uuid.uuid4().hex}{suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return _answer(request, opened, (path, ""), body.model)

    @routes.post("/api/p/{project}/use/file")
    async def answer_file(request: Request, project: str, model: int | None = None) -> Document:
        opened = context.open(project)
        upload = await receive_upload(request, opened.folder / _ONE)
        return await run_in_threadpool(_answer, request, opened, (upload.path, upload.name), model)

    def _answer(request: Request, project: Project, file: tuple[Path, str], n: int | None) -> Document:
        path, name = file
        try:
            model = models.get(choose_model(project, n).folder)
            item = READERS[model.bundle.modality](model, path, name)
            (document,) = model.answer([item])
        except HeadstartError as error:
            raise rename_file(error, path, name or "pasted.csv") from error
        finally:
            path.unlink(missing_ok=True)
        with context.speak(request):
            return {**describe_answer(document), "key": recent.remember(item)}

    @routes.post("/api/p/{project}/use/correct")
    def correct(project: str, body: _CorrectionBody) -> Document:
        opened = context.open(project)
        return {"example": add_correction(opened, recent.get(body.key), body.label, body.who)}

    for part in (use_many, use_sharing, use_later):
        routes.include_router(part.make_routes(context, models))
    return routes


_TYPED: Mapping[str, str] = {"text": ".txt", "series": ".csv", "image": ".txt"}
"""Ending of a file with what was typed or pasted, by modality."""
