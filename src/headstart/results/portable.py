"""Whether the model runs where torch is not installed."""

from __future__ import annotations

from pydantic import Field

from headstart.results.record import Record


class PortableForm(Record):
    """The portable form of the chosen model: one ONNX graph that needs no torch."""

    ok: bool = Field(description="Whether `bundle/model.onnx` exists and agrees with the model.")
    reason: str = Field(description="Why there is none; empty where there is one.")
    size_bytes: int = Field(description="Size of the graph in bytes; 0 where there is none.")
