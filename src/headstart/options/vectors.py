"""Options of `embed`, `search` and `similar`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from headstart.options.columns import ColumnOptions
from headstart.options.fields import Columns, ModalityChoice, Offline, Precision


class EmbedOptions(ColumnOptions):
    """How to make an index of vectors."""

    modality: ModalityChoice = Field("auto", description="What the data is.")
    base: str = Field(
        "default",
        description="Base model: a name from `headstart bases`, timm:NAME, hf:REPO, file:PATH (default: for texts the "
        "one of many languages, else that of `adapt`).",
    )
    hybrid: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Search texts by their words, too: on, off, or auto = where the base model does not know their "
        "language.",
    )
    to: Literal["safetensors", "parquet"] = Field(
        "safetensors", description="Also write the vectors as vectors.parquet, for other programs."
    )
    precision: Precision = "auto"
    offline: Offline = False


class SearchOptions(ColumnOptions):
    """What to search for, and among which rows."""

    queries: Path | None = Field(
        None, description="Several queries: a table with a text column, a .txt file with one a line, or photos."
    )
    like: Columns = Field((), description="Id of a row of the index to find more of; repeatable.")
    filter: Columns = Field(
        (),
        description="Only rows with this value in a column, such as 'district=Kisumu'; repeatable: values of one "
        "column are alternatives, columns must all hold.",
    )
    k: int = Field(20, ge=1, le=100_000, description="Number of hits for each query.")
    base: str | None = Field(None, description="Base model that the index must be of (default: that of the index).")
    precision: Precision = "auto"
    offline: Offline = False


class SimilarOptions(ColumnOptions):
    """Which rows count as near-equal."""

    modality: ModalityChoice = Field("auto", description="What the data is.")
    base: str = Field("default", description="Base model: as for `embed`.")
    at_least: float | None = Field(
        None,
        ge=-1.0,
        le=1.0,
        description="Cosine from which on rows are near-equal (default: much nearer than two rows usually are).",
    )
    precision: Precision = "auto"
    offline: Offline = False
