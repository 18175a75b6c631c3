"""The models of a project as the pages Learn and Check find them: which one is looked at, and the files of its run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from headstart import flow
from headstart.errors import HeadstartError
from headstart.flow.reporting import read_result
from headstart.http.errors import RequestRefused
from headstart.projects import Project, ProjectModel
from headstart.results import Result
from headstart.results.carefulness import Carefulness

_CACHED_RUNS = 16


@dataclass(frozen=True, kw_only=True)
class ReviewedModel:
    """A model with the result of its run.

    Parameters
    ----------
    model : ProjectModel
    result : Result
    carefulness : Carefulness or None
        Settings of the slider; None where there are none.
    """

    model: ProjectModel
    result: Result
    carefulness: Carefulness | None

    @property
    def run(self) -> Path:
        """The output folder of `adapt`."""
        return self.model.folder


def find_model(project: Project, number: int | None = None) -> ReviewedModel | None:
    """Return a model of a project, or the one in use, else the newest with a result; None where there is none.

    Parameters
    ----------
    project : Project
    number : int or None
    """
    if number is not None:
        return open_model(project.get_model(number))
    current, models = project.get_current_model(), project.list_models()
    for model in [*([current] if current else []), *reversed(models)]:
        checked = open_model(model)
        if checked is not None:
            return checked
    return None


def require_model(project: Project, number: int) -> ReviewedModel:
    """Return a model of a project that has a result.

    Parameters
    ----------
    project : Project
    number : int

    Raises
    ------
    RequestRefused
        404: there is none.
    """
    checked = open_model(project.get_model(number))
    if checked is None:
        raise RequestRefused(404, "This model has no result yet.", "Wait until it has learnt, or learn again.")
    return checked


def open_model(model: ProjectModel) -> ReviewedModel | None:
    """Return a model with its result; None where it has none, or one that cannot be read.

    Parameters
    ----------
    model : ProjectModel
    """
    try:
        stamp = (model.folder / "result.json").stat().st_mtime_ns
        result, carefulness = _read_run(model.folder, stamp)
    except (OSError, HeadstartError):
        return None
    return ReviewedModel(model=model, result=result, carefulness=carefulness)


@lru_cache(_CACHED_RUNS)
def _read_run(run: Path, stamp: int) -> tuple[Result, Carefulness | None]:
    """Read a run once; `stamp` changes when it does."""
    result = read_result(run / "result.json")
    try:
        return result, flow.read_carefulness(run)
    except (OSError, HeadstartError):
        return result, None
