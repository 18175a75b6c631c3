"""What all parts of result.json share: the format number, figures with intervals."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from headstart.records import Interval

FORMAT = 1


class Record(BaseModel):
    """What all parts of the document share."""

    model_config = ConfigDict(extra="forbid")


class Figure(Record):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, interval: Interval) -> Figure:
        """Take over an `Interval`."""
        return cls(value=interval.value, low=interval.low, high=interval.high)
