"""Whether the model runs where torch is not installed."""

from __future__ import annotations

from headstart.results.record import Record


class PortableForm(Record):
    """The portable form of the chosen model: whether there is one, else the `reason`, and the size of its graph."""

    ok: bool
    reason: str
    size_bytes: int
