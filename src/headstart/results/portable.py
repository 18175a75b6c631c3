"""Whether the model runs where torch is not installed."""

from __future__ import annotations

from pydantic import Field

from headstart.results.record import Record


class PortableForm(Record):
    """The portable form of the chosen model: whether there is one, else the `reason`, and the size of its graph."""

    ok: bool = Field(description="Whether `bundle/model.onnx` is there and says the same as the model.")
    reason: str = Field(description="Why not; empty where it is there.")
    size_bytes: int = Field(description="Of the graph; 0 where there is none.")
