"""What all parts of result.json share: the format number, figures with intervals."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from headstart.modalities import MODALITIES
from headstart.records import Interval

FORMAT = 1


class Record(BaseModel):
    """Base of every part of the document."""

    model_config = ConfigDict(extra="forbid")


class Figure(Record):
    """A figure with its 95 % interval."""

    value: float = Field(description="The figure, in the unit that its field states.")
    low: float = Field(description="Lower end of the interval, at most `value`.")
    high: float = Field(description="Upper end of the interval, at least `value`.")

    @classmethod
    def from_interval(cls, interval: Interval) -> Figure:
        """Return the figure of an `Interval`."""
        return cls(value=interval.value, low=interval.low, high=interval.high)


def _require_modality(name: str) -> str:
    if name not in MODALITIES:
        raise ValueError(f"Input should be one of {', '.join(MODALITIES)}")
    return name


Setting = int | float | list[int | float]
"""A tunable number, or several."""
ModalityName = Annotated[
    str, AfterValidator(_require_modality), WithJsonSchema({"enum": list(MODALITIES), "type": "string"})
]
"""Name of a modality in a stored record."""
