"""Options of labelling from nothing."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from headstart.options.fields import ModalityChoice, Names, Offline, Precision
from headstart.options.record import Options


class LabelOptions(Options):
    """How to label examples from nothing."""

    classes: Names = Field((), description="The kinds (comma-separated): water,health,food. More can be added later.")
    codes: Path | None = Field(
        None, description="Table of the kinds: a column of names or codes, and one of descriptions in any language."
    )
    n: int = Field(20, ge=1, le=1_000, description="Examples to judge in a round.")
    who: str = Field("", description="Your name, which is stored with your answers (default: of your account).")
    text: str | None = Field(None, description="Text column (default: found by name and content).")
    modality: ModalityChoice = Field("auto", description="What the data is.")
    base: str = Field("default", description="Base model of the vectors: as for `headstart embed`.")
    without_labels: bool = Field(False, description="Do not take labels from the data, such as names of folders.")
    interactive: bool = Field(False, description="Ask in this terminal, by keys, instead of writing a workbook.")
    precision: Precision = "auto"
    offline: Offline = False
