"""Which columns hold what, wherever data is read."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headstart.options.fields import Columns, Encoding, Names
from headstart.options.record import Options


class ColumnOptions(Options):
    """Roles of columns, wherever data is read."""

    text: Columns = Field(
        (),
        description="Text column (default: that of training, else found by name and content). Several are joined in "
        "this order: A,B or repeated.",
    )
    id: str | None = Field(
        None,
        description="Column with the names of rows; if each time step is a row, with the names of series.",
    )
    values: str | None = Field(
        None,
        description="First and last value column of series, as FROM:TO; all columns between are time steps.",
    )
    channels: Names = Field((), description="Channels of series to read, in this order: a,b,c (default: found).")
    time_column: str | None = Field(
        None, description="Column of times, if each time step is a row (default: found by name)."
    )
    axes: Literal["auto", "channels-first", "time-first"] = Field(
        "auto",
        description="Axes of arrays of series: (rows, channels, time) or (rows, time, channels); auto = as in "
        "training, else channels first.",
    )
    sheet: str | None = Field(
        None,
        description="Sheet of an Excel workbook (default: the first that holds such data).",
    )
    encoding: Encoding = None
