"""What every screen gets: the projects of this machine, templates, jobs, choices, and who may ask."""

from __future__ import annotations

import os
import threading
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from headstart import __version__
from headstart.errors import HeadstartError, OptionError
from headstart.home import make_writable_folder
from headstart.http.access import AccessPolicy
from headstart.http.errors import RequestRefused
from headstart.options import StudioOptions
from headstart.projects import Project, is_project
from headstart.report.messages import use_language
from headstart.studio.jobs.runner import JobRunner
from headstart.studio.phone_servers import PhoneServers
from headstart.studio.preferences import Preferences, find_projects_folder, read_preferences
from headstart.studio.rendering import find_language, render_template
from headstart.studio.tasks import TaskBoard

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
    _projects: dict[Path, Project] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.jobs = JobRunner(self.list_projects, self.options.offline)
        self.tasks = TaskBoard()
        self.phone_servers = PhoneServers()

    @property
    def preferences(self) -> Preferences:
        """Return the choices of this machine."""
        return read_preferences()

    @property
    def projects_folder(self) -> Path:
        """Return the folder of the projects; it is made on first use."""
        folder = find_projects_folder(self.options.folder, self.preferences)
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # Other users of the machine may not read it.
        return folder

    def list_ids(self) -> list[str]:
        """Return the ids of the projects: the names of their folders, in order."""
        with os.scandir(self.projects_folder) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir()]
        return sorted(name for name in names if is_project(self.projects_folder / name))

    def list_projects(self) -> list[Project]:
        """Return the projects that can be opened, and the store of this machine's own jobs."""
        opened = [self.machine]
        for name in self.list_ids():
            with suppress(HeadstartError):
                opened.append(self.open(name))
        return opened

    @property
    def machine(self) -> Project:
        """Return the store of jobs that belong to no project, such as fetching a base."""
        folder = make_writable_folder("studio") / "machine"
        if not is_project(folder):
            with suppress(OptionError):  # Another server may just have made it.
                Project.create(folder, "Studio")
        return self._open_folder(folder)

    def forget_project(self, project_id: str) -> None:
        """Close a project whose folder has moved, and its page for phones.

        Parameters
        ----------
        project_id : str
        """
        folder = self.projects_folder / project_id
        self.phone_servers.stop(folder)
        with self._lock:
            project = self._projects.pop(folder, None)
        if project is not None:
            project.close()

    def _open_folder(self, folder: Path) -> Project:
        with self._lock:
            known = self._projects.get(folder)
            if known is None or known.is_replaced():  # Not closed: that would write the old labels into the new folder.
                known = self._projects[folder] = Project.open(folder)
            return known

    def open(self, project_id: str) -> Project:
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
        return self._open_folder(folder)

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
