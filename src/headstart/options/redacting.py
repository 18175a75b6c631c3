"""Options of `redact`."""

from __future__ import annotations

from pydantic import Field

from headstart.options.columns import ColumnOptions
from headstart.options.fields import Names, Offline


class RedactOptions(ColumnOptions):
    """What is taken out of texts."""

    types: Names = Field(
        (),
        description="What to take out: phone, mail, url, id, plate, iban by rule; person, place, organisation, "
        "date and other kinds with --model (default: all that can be found).",
    )
    least: float = Field(
        0.2,
        ge=0.0,
        le=1.0,
        description="Least probability of a kind with which a word is taken out; lower overlooks less, takes out "
        "more of the rest.",
    )
    offline: Offline = False
