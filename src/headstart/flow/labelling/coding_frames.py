"""The kinds and what they mean, from the command line or from a table of codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from headstart.data.coding.frame_files import read_coding_frame
from headstart.projects import Project

DESCRIPTIONS = "kind_descriptions"
"""Setting of a project: description by kind."""


@dataclass(frozen=True)
class KindDescription:
    """A kind and what it means; the description may be empty."""

    name: str
    description: str = ""


def read_kinds(classes: Sequence[str], codes: Path | None) -> list[KindDescription]:
    """Return the kinds that were named, each once.

    Parameters
    ----------
    classes : sequence of str
        Names from the command line.
    codes : Path or None
        A coding frame (see `headstart.data.coding.frame_files`): a kind of several levels is called by its path.

    Raises
    ------
    OptionError, DataError
        The file is not there or no table, or a name is empty.

    Examples
    --------
    >>> read_kinds(["water", "health"], None)[0]
    KindDescription(name='water', description='')
    """
    kinds = [KindDescription(" ".join(name.split())) for name in classes]
    if codes is not None:
        kinds += [KindDescription(code.name, code.description) for code in read_coding_frame(codes, "--codes").codes]
    return list({kind.name: kind for kind in kinds}.values())


def store_kinds(project: Project, kinds: Sequence[KindDescription]) -> None:
    """Add kinds to a project, with their descriptions; those that are there stay.

    Parameters
    ----------
    project : Project
    kinds : sequence of KindDescription
    """
    known = {kind.name for kind in project.list_kinds()}
    for kind in kinds:
        if kind.name not in known:
            project.add_kind(kind.name)
    stored = project.get_setting(DESCRIPTIONS, {})
    described = {kind.name: kind.description for kind in kinds if kind.description}
    if {**stored, **described} != stored:
        project.set_setting(DESCRIPTIONS, {**stored, **described})


def list_described_kinds(project: Project) -> list[KindDescription]:
    """Return the kinds of a project with their descriptions.

    Parameters
    ----------
    project : Project
    """
    stored = project.get_setting(DESCRIPTIONS, {})
    return [KindDescription(kind.name, str(stored.get(kind.name, ""))) for kind in project.list_kinds()]
