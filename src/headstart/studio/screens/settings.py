"""Settings: language, folders, what is kept to save time, ready-made models, and what leaves this machine: nothing."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from headstart import flow
from headstart.errors import OptionError
from headstart.home import find_home
from headstart.options import CacheOptions, parse
from headstart.projects import OPEN_STATES
from headstart.report.messages import message, translate
from headstart.studio.context import StudioContext
from headstart.studio.preferences import change_preferences, list_possible_folders

Document = dict[str, Any]
"""A JSON object that the template or the script of this page reads."""
_PACKAGES = ("torch", "transformers", "timm", "scikit-learn", "onnxruntime", "openvino", "fastapi", "numpy")
_GROUPS = {"image": message("Images"), "text": message("Messages"), "series": message("Series")}
_LICENCES = {
    "permissive": message("free for every use"),
    "attribution": message("free for every use; name its authors"),
    "non-commercial": message("not for commercial use"),
    "restricted": message("with conditions: read its licence first"),
    "unknown": message("nobody says what is allowed"),
}


class Switches(BaseModel):
    """What is changed; None: it stays."""

    is_expert: bool | None = None
    is_offline: bool | None = None
    pauses_on_battery: bool | None = None
    uses_all_cores: bool | None = None


class FolderChoice(BaseModel):
    """One of the folders that the page offers, by its place in the list."""

    number: int


class ModelChoice(BaseModel):
    """A ready-made model by its name."""

    name: str


def make_routes(context: StudioContext) -> APIRouter:
    """Return the routes of the settings.

    Parameters
    ----------
    context : StudioContext
    """
    routes = APIRouter()

    @routes.get("/settings")
    def show_page(request: Request) -> Response:
        with context.speak(request):
            groups = _list_models(context)
        folders = [str(folder) for folder in list_possible_folders()]
        return context.render(
            request, "settings.html", preferences=context.preferences, folder=str(context.projects_folder),
            folders=folders, is_folder_fixed=context.options.folder is not None, groups=groups,
            is_offline_fixed=context.options.offline, kept_bytes=_measure_cache(), home=str(find_home()),
            versions=_list_versions(),
        )  # fmt: skip

    @routes.post("/api/settings")
    def change(switches: Switches) -> Document:
        """Store switches; return all of them as JSON."""
        return change_preferences(**switches.model_dump(exclude_none=True)).model_dump()

    @routes.post("/api/settings/folder")
    def choose_folder(choice: FolderChoice) -> Document:
        """Keep the projects in one of the folders that were offered; return it as JSON."""
        folders = list_possible_folders()
        if not 0 <= choice.number < len(folders):
            raise OptionError("This folder is not there any longer.", "Open the settings again.")
        folders[choice.number].mkdir(parents=True, exist_ok=True)
        return {"folder": change_preferences(projects_folder=str(folders[choice.number])).projects_folder}

    @routes.post("/api/settings/cache")
    def clear_cache() -> Document:
        """Remove what was only kept to save time; return how much that was as JSON."""
        _, _, removed = flow.list_cache(parse(CacheOptions, prune=True, older_than=0.0))
        return {"removed_bytes": sum(entry.size_bytes for entry in removed), "kept_bytes": _measure_cache()}

    @routes.post("/api/settings/fetch")
    def fetch(choice: ModelChoice) -> Document:
        """Begin to fetch a ready-made model; return the job as JSON."""
        if context.options.offline or context.preferences.is_offline:
            raise OptionError("Studio is set to stay offline.", "Switch that off first, where there is a connection.")
        names = {item.record.name for item in flow.list_bases("auto") if not item.obstacle}
        if choice.name not in names:
            raise OptionError("This model cannot be fetched.", "Choose another one of the list.")
        argv = ["bases", "fetch", choice.name, "--yes"]
        return {"job": context.jobs.submit(context.machine, f"fetch {choice.name}", argv)}

    return routes


def _measure_cache() -> int:
    """Return the bytes of what is only kept to save time."""
    return sum(entry.size_bytes for entry in flow.list_cache(parse(CacheOptions))[1])


def _list_models(context: StudioContext) -> list[Document]:
    """Return the ready-made models for the template, as JSON objects: by modality, those that are here first."""
    running = {job.kind: job.id for job in context.machine.list_jobs(OPEN_STATES)}
    groups = []
    for modality, title in _GROUPS.items():
        models = []
        for item in flow.list_bases(modality):
            facts = item.to_document()
            models.append({
                "name": facts["name"], "good_for": facts["good_for"], "megabytes": round(facts["megabytes"]),
                "licence": facts["licence"], "licence_words": translate(_LICENCES[facts["licence_class"]]),
                "languages": facts["languages"], "url": facts["url"], "is_here": item.is_present,
                "is_default": item.is_default, "can_fetch": not item.obstacle and not item.is_present,
                "job": running.get(f"fetch {facts['name']}"),
            })  # fmt: skip
        groups.append({"title": translate(title), "models": models, "n_here": sum(one["is_here"] for one in models)})
    return groups


def _list_versions() -> list[tuple[str, str]]:
    versions = [("Python", python_version())]
    for name in _PACKAGES:
        try:
            versions.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return versions
