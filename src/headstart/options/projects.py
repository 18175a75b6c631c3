"""Options of the commands on projects."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from headstart.options.fields import Columns, ComparedColumns
from headstart.options.reading import SourceOptions
from headstart.options.record import Options

Person = Annotated[str, Field(description="Name of the person whose labels these are.")]


class AddDataOptions(SourceOptions):
    """How data enters a project."""

    copy_files: bool = Field(False, description="Copy files into the project; otherwise they stay where they are.")
    copies: Literal["skip", "keep"] = Field(
        "skip", description="Examples whose content the project has already: skip them, or keep each."
    )
    without_labels: bool = Field(False, description="Do not take labels from the data, such as names of folders.")
    as_kind: str | None = Field(
        None, max_length=200, description="Label of all that is added, such as a folder of photos of one kind."
    )
    leave_out: Columns = Field(
        (), description="Columns that never enter the project, such as names of persons: A,B or repeated."
    )
    compare: ComparedColumns = ()
    look: bool = Field(False, description="Show what the data is taken for, and add nothing.")


class ListExamplesOptions(Options):
    """Which examples of a project to list."""

    label: str | None = Field(None, description="Only examples with this label.")
    state: Literal["in", "left_out", "labelled", "open", "test", "train"] | None = Field(
        None,
        description="Only examples that are in, left out, labelled, open (no answer), or of one side.",
    )
    contains: str | None = Field(None, description="Only examples whose text or name contains this.")
    offset: int = Field(0, ge=0, description="Examples to pass over.")
    limit: int = Field(20, ge=1, le=100_000, description="Examples to list at most.")


class ProjectOptions(Options):
    """Commands on a project that take no option of their own."""


class ImportLabelsOptions(Options):
    """How labels of an edited file enter a project."""

    who: Person = ""
    new_kinds: bool = Field(False, description="Also take labels that are no kinds of the project yet.")
    replace: bool = Field(False, description="Also replace answers that are newer than the file.")
