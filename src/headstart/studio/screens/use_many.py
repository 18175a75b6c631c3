"""Use, many: a folder, photos or a table in; the same file with answers out; the unsure ones to a person."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from headstart.data.reading.sheet_previews import SheetPreview
from headstart.data.reading.table_files import is_table, is_workbook, read_raw_table
from headstart.data.reading.workbook import preview_sheets
from headstart.errors import DataError, HeadstartError
from headstart.flow.using import answer_runs, run_preview, run_review
from headstart.flow.using.answer_runs import TO_PERSON, AnswerRun
from headstart.flow.using.open_models import OpenModels
from headstart.flow.using.settings import SETTINGS
from headstart.home import write_whole
from headstart.http.errors import RequestRefused
from headstart.modalities.image import SUFFIXES
from headstart.projects import OPEN_STATES, Project
from headstart.studio.answer_words import describe_answer
from headstart.studio.context import StudioContext
from headstart.studio.example_json import Document
from headstart.studio.model_facts import choose_model
from headstart.studio.uploads import receive_upload, rename_file

JOB = "answer"
_LONG_NAME = 120


class _Columns(BaseModel):
    columns: dict[str, str] = Field(default_factory=dict)
    model: int | None = None


def make_routes(context: StudioContext, models: OpenModels) -> APIRouter:
    """Return the routes of this part.

    Parameters
    ----------
    context : StudioContext
    models : OpenModels
    """
    routes = APIRouter(prefix="/api/p/{project}/answers")

    @routes.get("")
    def list_answers(project: str) -> Document:
        opened = context.open(project)
        return {"runs": [_describe_run(run, opened) for run in answer_runs.list_runs(opened)]}

    @routes.post("")
    def begin(project: str, model: int | None = None) -> Document:
        opened = context.open(project)
        return {"n": answer_runs.create_run(opened, choose_model(opened, model).n)}

    @routes.post("/{n}/files")
    async def receive(request: Request, project: str, n: int) -> Document:
        folder = answer_runs.find_folder(context.open(project), n) / answer_runs.DATA
        upload = await receive_upload(request, folder)
        answer_runs.note_file(folder, upload.path.name, "/".join((*upload.folders, upload.name)))
        return {"name": upload.name}

    @routes.post("/{n}/look")
    def look(request: Request, project: str, n: int, body: _Columns) -> Document:
        opened = context.open(project)
        run = _settle(opened, n, {name: body.columns[name] for name in answer_runs.COLUMNS if body.columns.get(name)})
        try:
            preview = run_preview.preview_run(run, models.get(opened.get_model(run.model).folder))
        except HeadstartError as error:
            named = rename_file(error, run.data, run.name)
            choices = _list_choices(run, {})
            return {"problem": named.problem, "hint": named.hint, "choices": choices, "run": _describe_run(run, opened)}
        with context.speak(request):
            rows = [
                {"name": name, "text": _shorten(value), "answer": describe_answer(document)}
                for name, value, document in preview.rows
            ]
        return {
            "n": preview.n_rows, "n_unreadable": preview.n_unreadable, "columns": dict(preview.columns), "rows": rows,
            "choices": _list_choices(run, preview.columns), "run": _describe_run(run, opened),
        }  # fmt: skip

    @routes.post("/{n}/start")
    def start(project: str, n: int) -> Document:
        opened = context.open(project)
        run = answer_runs.open_run(opened, n)
        words = answer_runs.make_command(run, opened.get_model(run.model).folder)
        job = context.jobs.submit(opened, f"{JOB} {run.n}", words)
        return {"job": job, "command": answer_runs.describe_command(words)}

    @routes.post("/{n}/review")
    def review(project: str, n: int) -> Document:
        opened = context.open(project)
        run = answer_runs.open_run(opened, n)
        run = run_review.add_for_review(opened, run, opened.get_model(run.model).folder)
        return {"source": run.source}

    @routes.post("/{n}/save")
    def save(project: str, n: int) -> Document:
        opened = context.open(project)
        run = answer_runs.open_run(opened, n)
        n_saved = run_review.save_reviewed(opened, run, opened.get_model(run.model).folder)
        return {"n": n_saved, "run": _describe_run(run, opened)}

    @routes.get("/{n}/download")
    def download(project: str, n: int) -> Response:
        run = answer_runs.open_run(context.open(project), n)
        if not run.out.is_file():
            raise RequestRefused(404, "The answers are not written yet.", "Wait until they are.")
        return FileResponse(run.out, filename=f"{_make_file_stem(run.name)} answers{run.out.suffix}")

    @routes.get("/{n}/sorted.zip")
    def download_sorted(project: str, n: int) -> Response:
        run = answer_runs.open_run(context.open(project), n)
        if run.sorted is None or not run.sorted.is_dir():
            raise RequestRefused(404, "There are no sorted photos.", "Wait until they are sorted.")
        return FileResponse(zip_folder(run.sorted), filename=f"{_make_file_stem(run.name)} sorted.zip")

    return routes


def _settle(project: Project, n: int, columns: Mapping[str, str]) -> AnswerRun:
    """Decide what of the files that came is predicted: the photos, or the one table."""
    folder = answer_runs.find_folder(project, n) / answer_runs.DATA
    names = answer_runs.number_files(folder)
    if not names:
        raise DataError("Nothing has come yet.", "Drop a file or a folder of photos.")
    stored = next(iter(names))
    is_one = len(names) == 1 and Path(stored).suffix not in SUFFIXES
    title = names[stored].rpartition("/")[2] if len(names) == 1 else names[stored].partition("/")[0]
    return answer_runs.change_run(
        project, n, data=stored if is_one else ".", name=title[:_LONG_NAME], columns=dict(columns),
        is_photos=project.get_setting("modality") == "image",
    )  # fmt: skip


def _list_choices(run: AnswerRun, columns: Mapping[str, str]) -> Document:
    """Return the sheets and columns that the menus offer, and the sheet that holds the columns that were read."""
    if not run.data.is_file() or not is_table(run.data):
        return {"sheets": [], "columns": []}
    try:
        sheets = preview_sheets(run.data) if is_workbook(run.data) else ()
        named_sheet = run.columns.get("sheet")
        tables = [sheet for sheet in sheets if sheet.header]
        widest = sorted(tables, key=lambda sheet: -len(_list_header(sheet)))
        fitting = [sheet for sheet in widest if set(columns.values()) <= set(_list_header(sheet))]
        chosen = [sheet for sheet in fitting or widest if named_sheet in (None, sheet.name)]
        names = _list_header(chosen[0]) if chosen else read_raw_table(run.data).names
    except HeadstartError:
        return {"sheets": [], "columns": []}
    return {
        "sheets": [sheet.name for sheet in tables], "sheet": chosen[0].name if chosen else "",
        "columns": names[: SETTINGS.most_columns],
    }  # fmt: skip


def _list_header(sheet: SheetPreview) -> list[str]:
    header = next(row for row in sheet.rows if row.number == sheet.header)
    return [cell for cell in header.cells if cell.strip()]


def _describe_run(run: AnswerRun, project: Project) -> Document:
    counts = answer_runs.count_answers(run) if run.out.is_file() else {}
    running = [job for job in project.list_jobs(OPEN_STATES) if job.kind == f"{JOB} {run.n}"]
    return {
        "n": run.n, "name": run.name, "model": run.model, "is_photos": run.sorted is not None, "columns": run.columns,
        "counts": counts, "n_rows": sum(counts.values()), "n_to_person": sum(counts.get(kind, 0) for kind in TO_PERSON),
        "n_reviewed": run_review.count_reviewed(run), "n_people": run_review.count_people(project, run),
        "source": run.source, "job": running[0].id if running else None, "has_file": run.out.is_file(),
    }  # fmt: skip


def _shorten(value: Any) -> str:
    return str(value)[:300] if isinstance(value, str) else ""


def _make_file_stem(name: str) -> str:
    """Return a name for a download that every system takes."""
    return re.sub(r"[^\w .-]+", "_", Path(name).stem).strip(". ")[:80] or "answers"


def zip_folder(folder: Path, target: Path | None = None) -> Path:
    """Return a zip of a folder, made once and again only where something in it is newer.

    Parameters
    ----------
    folder : Path
    target : Path, optional
        The zip; beside the folder if not given.
    """
    target = target or folder.with_name(f"{folder.name}.zip")
    files = sorted(path for path in _walk(folder) if path.is_file())
    newest = max((path.stat().st_mtime for path in (folder, *files)), default=0.0)
    if target.is_file() and target.stat().st_mtime >= newest:
        return target
    with write_whole(target) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, (Path(folder.name) / path.relative_to(folder)).as_posix())
    return target


def _walk(folder: Path) -> Iterator[Path]:
    return folder.rglob("*")
