"""Options of files with answers."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from headstart.options.record import Options


class AnswerFileOptions(Options):
    """How answers are written into files."""

    layout: Literal["people", "machine", "codes"] = Field(
        "people",
        description="Columns of the file that -o names. people: your own columns, then answer, best guess, "
        "probability. machine: input, label, probability, as on standard output. codes: your own columns, then code, "
        "certainty, coded_by, coded_at; codes of people stay.",
    )
    excel: bool = Field(
        False,
        description="Write the CSV so that Excel of this country opens it with a double click (or name an .xlsx).",
    )
    sort_into: Path | None = Field(
        None,
        description="New folder for copies of the photos, in one folder per answer. The originals stay as they are.",
    )
    table: Path | None = Field(
        None,
        description="CSV to write as well, with the columns for programs and the names of the inputs.",
    )
    reviewed: Path | None = Field(
        None,
        description="CSV of answers of people (columns input, answer, answered by). In what is written for people, "
        "they stand in place of the model's.",
    )
