"""What people call a model: the folder of its run, or its project and number."""

from __future__ import annotations

from pathlib import Path

from headstart.projects import is_project
from headstart.projects.places import MODELS


def name_model(folder: Path) -> str:
    """Return the name of a model for pages and files of answers.

    Parameters
    ----------
    folder : Path
        A bundle, or the output folder of `adapt`.

    Examples
    --------
    >>> name_model(Path("/data/leaves-model/bundle"))
    'leaves-model'
    """
    place = folder.resolve()
    run = place.parent if place.name == "bundle" else place
    is_of_project = run.parent.name == MODELS and is_project(run.parent.parent)
    return f"{run.parent.parent.name} {run.name}" if is_of_project else run.name
