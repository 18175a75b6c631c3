"""What pages say of a model of a project: its number, whether it is ready for use, its size."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from headstart import bundle as bundles
from headstart.bundle.integrity import CONFIG
from headstart.errors import BundleError, DataError
from headstart.home import read_json
from headstart.projects import Project, ProjectModel
from headstart.report.sentences.readiness import describe_facts, name_level
from headstart.results import Readiness
from headstart.studio.example_json import Document

_KEPT = 64


def list_usable_models(project: Project) -> list[ProjectModel]:
    """Return the models that can answer, the newest first.

    Parameters
    ----------
    project : Project
    """
    return [model for model in reversed(project.list_models()) if _has_bundle(model.folder)]


def _has_bundle(folder: Path) -> bool:
    try:
        return (bundles.find_bundle(folder) / CONFIG).is_file()
    except BundleError:
        return False


def choose_model(project: Project, n: int | None = None) -> ProjectModel:
    """Return the model of a number, else the one in use, else the newest.

    Parameters
    ----------
    project : Project
    n : int, optional

    Raises
    ------
    DataError
        Nothing was learnt yet, or there is no such model.
    """
    models = list_usable_models(project)
    chosen = [model for model in models if n is None or model.n == n]
    if not chosen:
        raise DataError("Nothing has been learnt yet.", "Press Learn first.")
    return next((model for model in chosen if model.is_current), chosen[0])


def describe_model(model: ProjectModel, modality: str) -> Document:
    """Return as JSON what a page shows of a model, in the language spoken.

    Parameters
    ----------
    model : ProjectModel
    modality : str
    """
    readiness = _read_readiness(model.folder)
    return {
        "n": model.n,
        "at": model.at,
        "is_current": model.is_current,
        "level": readiness.level if readiness else "",
        "level_name": name_level(readiness.level) if readiness else "",
        "verdict": describe_facts(readiness, modality) if readiness else "",
    }


def read_config(model: ProjectModel) -> Document:
    """Return the JSON document that says how a model reads and what it knows.

    Parameters
    ----------
    model : ProjectModel
    """
    return dict(read_json(bundles.find_bundle(model.folder) / CONFIG))


def list_classes(model: ProjectModel) -> Sequence[str]:
    """Return the kinds that a model knows.

    Parameters
    ----------
    model : ProjectModel
    """
    return [str(name) for name in read_config(model).get("classes", ())]


def measure_bytes(folder: Path) -> int:
    """Return the size of all files below a folder.

    Parameters
    ----------
    folder : Path
    """
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _read_readiness(folder: Path) -> Readiness | None:
    path = folder / "result.json"
    try:
        return _parse_readiness(path, path.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError, TypeError):
        return None


@lru_cache(_KEPT)
def _parse_readiness(path: Path, changed: int) -> Readiness:
    return Readiness.model_validate(read_json(path)["readiness"])
