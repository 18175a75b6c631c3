"""What comes to a project: uploads, pastes, folders of this computer; the look at it, and the job that adds it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from headstart.errors import DataError
from headstart.flow.inspection.inspect_source import InspectedSource, inspect_source, locate_file
from headstart.http.errors import RequestRefused, make_size_error
from headstart.options import ReadOptions, parse
from headstart.projects import Project
from headstart.projects.places import ORIGINALS
from headstart.projects.transfer import PENDING_SOURCE
from headstart.studio import intake, pictures
from headstart.studio.context import StudioContext
from headstart.studio.example_json import Document, DrawnInput, describe_input
from headstart.studio.uploads import receive_upload

SETTING = PENDING_SOURCE
"""Under which a project keeps what came and was not added yet: it is there again after a power cut."""
ADD_JOB = "add"
"""Kind of the job that adds what came."""
MOST_BATCH_BYTES = 8_000_000
"""Of many small files in one request, which is held in memory."""
_MOST_ROWS_SHOWN = 240


class Paste(BaseModel):
    """A text from the clipboard."""

    text: str = Field(max_length=8_000_000)


class LocalFolder(BaseModel):
    """A path on the computer that Studio runs on."""

    path: str = Field(max_length=4_096)


class Corrections(BaseModel):
    """What the person said otherwise than it was understood; None and "" mean as found, but no `label`: no answer."""

    file: str = ""
    sheet: str = ""
    text: list[str] = []
    label: str | None = None
    compare: list[str] | None = None
    leave_out: list[str] = []
    kind: str = ""

    def make_options(self) -> ReadOptions:
        """Return the options of reading that they come to."""
        named: dict[str, Any] = {"sheet": self.sheet or None, "text": tuple(self.text), "unlabelled": "drop"}
        return parse(ReadOptions, **named, **({"label": (self.label,)} if self.label else {}))


def make_routes(context: StudioContext) -> APIRouter:
    """Return the routes of this part of the screen.

    Parameters
    ----------
    context : StudioContext
    """
    routes = APIRouter()
    _add_upload_routes(routes, context)
    _add_look_routes(routes, context)
    return routes


def _add_upload_routes(routes: APIRouter, context: StudioContext) -> None:
    @routes.post("/api/p/{project}/uploads")
    def begin(project: str) -> dict[str, int]:
        return {"upload": intake.begin_set(context.open(project).folder)}

    @routes.post("/api/p/{project}/uploads/{number}/files")
    async def receive(request: Request, project: str, number: int) -> Document:
        folder = intake.find_open_set(context.open(project).folder, number)
        upload = await receive_upload(request, folder)
        intake.note_file(folder, upload.path, "/".join((*upload.folders, upload.name)))
        return {"n_bytes": upload.n_bytes}

    @routes.post("/api/p/{project}/uploads/{number}/batch")
    async def receive_batch(request: Request, project: str, number: int) -> Document:
        length = request.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > MOST_BATCH_BYTES:
            raise make_size_error("The batch of files is too large.", "Send these files one by one.")
        folder = intake.find_open_set(context.open(project).folder, number)
        return {"n": await asyncio.to_thread(intake.store_batch, folder, await request.body())}

    @routes.post("/api/p/{project}/uploads/{number}/finish")
    def finish(project: str, number: int, corrections: Corrections) -> Document:
        opened = context.open(project)
        return _keep_source(opened, intake.finish_set(opened.folder, number), corrections)

    @routes.post("/api/p/{project}/uploads/{number}/cancel")
    def cancel(project: str, number: int) -> Document:
        intake.cancel_set(context.open(project).folder, number)
        return {}

    @routes.post("/api/p/{project}/paste")
    def paste(project: str, body: Paste) -> Document:
        opened = context.open(project)
        if not body.text.strip():
            raise DataError("Nothing was pasted.", "Paste one message a line, or cells of a sheet.")
        number = intake.begin_set(opened.folder)
        intake.write_paste(intake.find_open_set(opened.folder, number), body.text)
        return _keep_source(opened, intake.finish_set(opened.folder, number), Corrections())

    @routes.post("/api/p/{project}/folder")
    def choose_folder(project: str, body: LocalFolder) -> Document:
        if context.policy.token is not None:
            raise RequestRefused(403, "Folders are chosen on the computer itself.", "Upload the files from here.")
        path = Path(body.path.strip().strip('"')).expanduser()
        if not path.is_absolute() or not path.exists():
            raise DataError(f"There is no {body.path}.", "Copy the whole path of the folder from its window.")
        return _keep_source(context.open(project), path, Corrections())


def _add_look_routes(routes: APIRouter, context: StudioContext) -> None:
    @routes.get("/api/p/{project}/look")
    def read_look(project: str) -> Document:
        return _describe_look(context.open(project))

    @routes.post("/api/p/{project}/look")
    def correct_look(project: str, corrections: Corrections) -> Document:
        opened = context.open(project)
        _change_corrections(opened, corrections)
        return _describe_look(opened)

    @routes.post("/api/p/{project}/look/forget")
    def forget(project: str) -> Document:
        opened = context.open(project)
        pending = opened.get_setting(SETTING)
        opened.set_setting(SETTING, None)
        if pending and _is_upload(opened, Path(pending["path"])):  # A folder of this computer stays.
            shutil.rmtree(pending["path"], ignore_errors=True)
        return {}

    @routes.get("/api/p/{project}/look/{row}/{size}")
    def read_picture(project: str, row: int, size: str) -> Response:
        inspected = _inspect_pending(context.open(project))
        source = inspected.inputs[row] if inspected is not None and 0 <= row < len(inspected.inputs) else None
        jpeg = None
        if isinstance(source, Path):
            jpeg = pictures.draw_large(source) if size == "large" else pictures.draw_small(source)
        if jpeg is None:
            raise RequestRefused(404, "This picture cannot be shown.", "Its file is damaged, or is no longer there.")
        return Response(jpeg, media_type="image/jpeg", headers={"cache-control": "private, max-age=600"})

    @routes.post("/api/p/{project}/add")
    def add(project: str, corrections: Corrections) -> Document:
        opened = context.open(project)
        _change_corrections(opened, corrections)
        pending = opened.get_setting(SETTING)
        argv = _make_command(opened, Path(pending["path"]), corrections)
        job = context.jobs.submit(opened, ADD_JOB, argv)
        opened.set_setting(SETTING, None)
        return {"job": job}


def _keep_source(project: Project, path: Path, corrections: Corrections) -> Document:
    document = {"path": str(path), "is_upload": _is_upload(project, path), "corrections": corrections.model_dump()}
    project.set_setting(SETTING, document)
    return _describe_look(project)


def _is_upload(project: Project, path: Path) -> bool:
    return path.parent == project.folder / ORIGINALS and path.name.isdecimal()


def _change_corrections(project: Project, corrections: Corrections) -> None:
    pending = project.get_setting(SETTING)
    if pending is None:
        raise RequestRefused(409, "These files were added or thrown away already.", "Load the page again.")
    project.set_setting(SETTING, {**pending, "corrections": corrections.model_dump()})


def _describe_look(project: Project) -> Document:
    """Return what was understood of what came, with examples to show of it; `view` is null where nothing came."""
    inspected = _inspect_pending(project)
    if inspected is None:
        return {"view": None}
    view = inspected.view
    rows = [row for kind in view.kinds for row in kind.samples] + list(view.unsorted_samples)
    address = f"/api/p/{quote(project.id, safe='')}/look"
    examples = {str(row): _describe_row(inspected, row, address) for row in rows[:_MOST_ROWS_SHOWN]}
    pending = project.get_setting(SETTING)
    return {"view": view.as_dict(), "examples": examples, "corrections": pending["corrections"]}


def _describe_row(inspected: InspectedSource, row: int, address: str) -> Document:
    value = cast(DrawnInput, inspected.inputs[row])
    name = str(inspected.names[row])
    return {"id": row, "name": name, **describe_input(value, f"{address}/{row}/small", f"{address}/{row}/large")}


def _inspect_pending(project: Project) -> InspectedSource | None:
    pending: Mapping[str, Any] | None = project.get_setting(SETTING)
    if pending is None:
        return None
    corrections = Corrections.model_validate(pending["corrections"])
    path = Path(pending["path"])
    changed_at = path.stat().st_mtime_ns if path.exists() else 0
    return _inspect(path, corrections.model_dump_json(exclude={"compare", "leave_out"}), changed_at)


@lru_cache(maxsize=4)
def _inspect(path: Path, document: str, changed_at: int) -> InspectedSource:
    """Look at a path; what was seen last stays in memory, as a page asks for it again for each picture."""
    corrections = Corrections.model_validate_json(document)
    without_labels = corrections.label == "" or bool(corrections.kind)
    return inspect_source(path, corrections.make_options(), corrections.file, without_labels=without_labels)


def _make_command(project: Project, path: Path, corrections: Corrections) -> list[str]:
    """Return the command line that adds what came, as it was understood and corrected."""
    argv = ["project", "add", str(project.folder), str(locate_file(path, corrections.file))]
    argv += [part for name in corrections.text for part in ("--text", name)]
    argv += ["--without-labels"] if corrections.label == "" else []
    for option, value in (
        ("--label", corrections.label),
        ("--sheet", corrections.sheet),
        ("--as-kind", corrections.kind),
    ):
        argv += [option, value] if value else []
    argv += [part for name in corrections.compare or [] for part in ("--compare", name)]
    return argv + [part for name in corrections.leave_out for part in ("--leave-out", name)]
