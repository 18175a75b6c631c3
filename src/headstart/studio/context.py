"""What every screen gets: the projects of this machine, templates, jobs, choices, and who may ask."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from headstart import __version__
from headstart.http.access import AccessPolicy
from headstart.http.errors import RequestRefused
from headstart.options import StudioOptions
from headstart.report.messages import use_language
from headstart.studio.preferences import Preferences, find_projects_folder, read_preferences
from headstart.studio.rendering import find_language, render_template

_DATABASE = "project.sqlite"
WRITE_HEADER = "x-headstart"
"""What api.js sends with every request that may change something."""


@dataclass(kw_only=True)
class StudioContext:
    """One running Studio.

    Parameters
    ----------
    options : StudioOptions
    policy : AccessPolicy
        Who may ask.
    is_stopping : bool
        Whether the server is asked to stop: streams of events end then.
    """

    options: StudioOptions
    policy: AccessPolicy
    is_stopping: bool = False
    _projects: dict[Path, Any] = field(default_factory=dict)

    @property
    def preferences(self) -> Preferences:
        """Return the choices of this machine."""
        return read_preferences()

    @property
    def projects_folder(self) -> Path:
        """Return the folder of the projects; it is made on first use."""
        folder = find_projects_folder(self.options.folder, self.preferences)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def list_ids(self) -> list[str]:
        """Return the ids of the projects: the names of their folders, in order."""
        with os.scandir(self.projects_folder) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir()]
        return sorted(name for name in names if (self.projects_folder / name / _DATABASE).is_file())

    def open(self, project_id: str) -> Any:
        """Return a project.

        Parameters
        ----------
        project_id : str
            Compared with the names of the folders; it never becomes a path.

        Raises
        ------
        RequestRefused
            404: there is no such project.
        """
        folder = next((self.projects_folder / name for name in self.list_ids() if name == project_id), None)
        if folder is None:
            raise RequestRefused(404, "There is no such project here.", "Look for it on the first page.")
        if folder not in self._projects:
            self._projects[folder] = import_module("headstart.projects").Project.open(folder)
        return self._projects[folder]

    def speak(self, request: Request) -> AbstractContextManager[None]:
        """Return a block in which `translate` speaks the language of a request.

        Parameters
        ----------
        request : Request
        """
        return use_language(find_language(request, self.preferences.language))

    def render(self, request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page in the language of the request.

        Parameters
        ----------
        request : Request
        template : str
            File in `templates`; it extends base.html.
        status : int
            Of HTTP.
        **values
            Names used by the template: `project` and `step` ("examples", "learn", "check", "use") on the screens of a
            project.
        """
        preferences = self.preferences
        language = find_language(request, preferences.language)
        shared = {
            "project": None, "step": "", "is_expert": preferences.is_expert, "version": __version__,
            "is_shared": self.policy.token is not None, "path": request.url.path,
        }  # fmt: skip
        return HTMLResponse(render_template(template, language, {**shared, **values}), status)
