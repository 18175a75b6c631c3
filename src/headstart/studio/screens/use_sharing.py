"""Use on phones and elsewhere: a page in the local network, a page without network, files for others."""

from __future__ import annotations

import io
import re

import segno
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from headstart import bundle as bundles
from headstart.bundle import standalone
from headstart.flow.using.answer_runs import describe_command
from headstart.flow.using.collected import add_collected
from headstart.flow.using.open_models import OpenModels
from headstart.http.errors import RequestRefused
from headstart.projects import Project, ProjectModel
from headstart.report.messages import translate_count
from headstart.studio.context import StudioContext
from headstart.studio.example_json import Document
from headstart.studio.model_facts import choose_model, measure_bytes, read_config
from headstart.studio.phone_servers import PhoneServer, make_serve_command
from headstart.studio.screens.use_many import zip_folder
from headstart.studio.uploads import receive_upload

PAGE_JOB = "phone page"
_PAGE, _FILES, _BUNDLE = "phone-page", "shared", "bundle"
_QR_SCALE, _QR_BORDER = 5, 4


class _Chosen(BaseModel):
    model: int | None = None


def make_routes(context: StudioContext, models: OpenModels) -> APIRouter:
    """Return the routes of this part.

    Parameters
    ----------
    context : StudioContext
    models : OpenModels
    """
    routes = APIRouter(prefix="/api/p/{project}")
    servers = context.phone_servers

    @routes.get("/phones")
    def read_phones(project: str) -> Document:
        opened = context.open(project)
        problem = servers.read_problem(opened.folder)
        return {**_describe_server(servers.find(opened.folder)), "problem": problem, "page": _describe_page(opened)}

    @routes.post("/phones/start")
    def start(project: str, body: _Chosen) -> Document:
        opened = context.open(project)
        model = choose_model(opened, body.model)
        server = servers.start(opened.folder, model.folder)
        words = make_serve_command(model.folder, opened.folder, *server.place)
        return {**_describe_server(server), "command": describe_command(words)}

    @routes.post("/phones/stop")
    def stop(project: str) -> Document:
        opened = context.open(project)
        servers.stop(opened.folder)
        return _describe_server(None)

    @routes.post("/phones/page")
    def make_page(project: str, body: _Chosen) -> Document:
        opened = context.open(project)
        words = make_page_command(opened, choose_model(opened, body.model))
        job = context.jobs.submit(opened, PAGE_JOB, words)
        return {"job": job, "command": describe_command(words)}

    @routes.get("/phones/page.zip")
    def download_page(project: str) -> Response:
        opened = context.open(project)
        folder = opened.folder / _FILES / _PAGE
        if not (folder / "index.html").is_file():
            raise RequestRefused(404, "The page is not made yet.", "Make it first.")
        return FileResponse(zip_folder(folder), filename=f"{_make_stem(opened.name)} phone page.zip")

    @routes.post("/phones/collected")
    async def receive_collected(request: Request, project: str) -> Document:
        opened = context.open(project)
        upload = await receive_upload(request, opened.folder / _FILES)
        try:
            counts = await run_in_threadpool(add_collected, opened, upload.path)
        finally:
            upload.path.unlink(missing_ok=True)
        with context.speak(request):
            words = translate_count("{n} new example.", "{n} new examples.", counts.n_added)
            labelled = translate_count(
                "{n} of them with the right answer.", "{n} of them with the right answer.", counts.n_labelled
            )
        return {"n": counts.n_added, "n_labelled": counts.n_labelled, "words": f"{words} {labelled}"}

    @routes.get("/elsewhere")
    def read_elsewhere(project: str, model: int | None = None) -> Document:
        opened = context.open(project)
        return _describe_elsewhere(opened, choose_model(opened, model))

    @routes.get("/elsewhere/bundle.zip")
    def download_bundle(project: str, model: int | None = None) -> Response:
        opened = context.open(project)
        chosen = choose_model(opened, model)
        folder = bundles.find_bundle(chosen.folder)
        path = zip_folder(folder, opened.folder / _FILES / f"model-{chosen.n}.zip")
        return FileResponse(path, filename=f"{_make_stem(opened.name)} model {chosen.n}.zip")

    @routes.get("/phones/code.svg")
    def draw_code(request: Request, project: str) -> Response:
        server = servers.find(context.open(project).folder)
        if server is None:
            raise RequestRefused(404, "The page for phones is closed.", "Show the code first.")
        return Response(draw_qr(server.address), media_type="image/svg+xml", headers={"Cache-Control": "no-store"})

    return routes


def draw_qr(address: str) -> bytes:
    """Return the QR code of an address as an SVG on white, whatever the colours of the page.

    Parameters
    ----------
    address : str
    """
    buffer = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        buffer, kind="svg", scale=_QR_SCALE, border=_QR_BORDER, light="#fff", dark="#000", xmldecl=False
    )
    return buffer.getvalue()


def make_page_command(project: Project, model: ProjectModel) -> list[str]:
    """Return the command line that makes the page without network, without `headstart` in front.

    Parameters
    ----------
    project : Project
    model : ProjectModel
    """
    folder = project.folder / _FILES / _PAGE
    return ["export", str(model.folder), "--to", "web", "-o", str(folder)]


def _describe_server(server: PhoneServer | None) -> Document:
    if server is None:
        return {"running": False}
    return {"running": True, "ready": server.is_ready(), "address": server.address}


def _describe_page(project: Project) -> Document | None:
    folder = project.folder / _FILES / _PAGE
    if not (folder / "index.html").is_file():
        return None
    return {"n_bytes": measure_bytes(folder), "at": (folder / "index.html").stat().st_mtime}


def _describe_elsewhere(project: Project, model: ProjectModel) -> Document:
    """Return as JSON what can be given to others, with sizes and on how many rows the answers were compared."""
    folder = bundles.find_bundle(model.folder)
    config = read_config(model)
    gate = dict((config.get("portable") or {}).get("gate") or {})
    has_script = (folder / standalone.SCRIPT).is_file()
    return {
        "model": model.n,
        "n_bytes": measure_bytes(folder),
        "has_script": has_script,
        "n_checked": gate.get("n_rows"),
        "same_labels": gate.get("same_labels"),
        "modality": config.get("modality"),
        "serve": describe_command(["serve", str(model.folder)]),
        "head": describe_command(["export", str(model.folder), "--to", "head", "-o", f"{project.name}-head"]),
        **_write_requests(str(config.get("modality"))),
        "script": f"python {standalone.SCRIPT} . messages.csv -o answers.csv",
    }


_ADDRESS = "http://127.0.0.1:8000/predict"
_REQUESTS = {
    "image": (
        "-F file=@photo.jpg",
        "with open('photo.jpg', 'rb') as photo:\n"
        "    answer = requests.post('{address}', files={{'file': photo}}).json()",
    ),
    "text": (
        """-H 'Content-Type: application/json' -d '{{"texts": ["The pump is broken"]}}'""",
        "answer = requests.post('{address}', json={{'texts': ['The pump is broken']}}).json()",
    ),
    "series": (
        """-H 'Content-Type: application/json' -d '{{"series": [[0.1, 0.4, 0.2]]}}'""",
        "answer = requests.post('{address}', json={{'series': [[0.1, 0.4, 0.2]]}}).json()",
    ),
}
"""What a program sends, by modality: the options of curl, and lines of Python."""


def _write_requests(modality: str) -> dict[str, str]:
    """Return how a program asks, for a shell and for Python."""
    for_curl, for_python = (part.format(address=_ADDRESS) for part in _REQUESTS[modality])
    return {
        "curl": f"curl {for_curl} {_ADDRESS}",
        "python": f"import requests\n\n{for_python}\nprint(answer['predictions'][0]['answer'])",
    }


def _make_stem(name: str) -> str:
    return re.sub(r"[^\w .-]+", "_", name).strip(". ")[:80] or "model"
