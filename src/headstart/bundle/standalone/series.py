"""The part of `predict.py` that reads series."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from headstart.bundle.standalone.tables import table_of


# --- code ---
def rows_of(path: Path, columns: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """Give name and values (channels, time) of each row of a wide CSV file (t0, t1 ...), or of X in an .npz file."""
    if path.suffix.lower() == ".npz":
        with np.load(path, allow_pickle=False) as held:
            values = np.asarray(held["X"], np.float32)
        for at, one in enumerate(values):
            yield f"{path.name}:{at + 1}", one if one.ndim == 2 else one[None]
        return
    names, records = table_of(path, columns)
    channels: dict[str, list[tuple[int, int]]] = {}
    for at, name in enumerate(names):
        matched = re.fullmatch(r"(.*?)[\s_.\-]*(\d+)", name)
        if matched:
            channels.setdefault(matched[1].casefold(), []).append((int(matched[2]), at))
    longest = max(map(len, channels.values()), default=0)
    if longest < 8:
        raise SystemExit(f"{path} has no columns t0, t1 ... (one for each time step).")
    steps = [[at for _, at in sorted(found)] for found in channels.values() if len(found) == longest]
    for name, record in records:
        values = np.asarray([[_number(record[at]) for at in one] for one in steps], np.float32)
        yield name, values


def _number(cell: str) -> float:
    try:
        return float(cell.replace(",", "."))
    except ValueError:
        return float("nan")


def make(kind: str, source: Any, spec: dict[str, Any]) -> tuple[Any, ...]:
    """Cut missing steps at the end, fill gaps and bring a series to the model's length."""
    if len(source) != spec["n_channels"]:
        raise ValueError(f"A series has {len(source)} channels; the model was made for {spec['n_channels']}.")
    there = np.flatnonzero(np.isfinite(source).any(axis=0))
    if not len(there):
        raise ValueError("it has no values")
    cut = source[:, : there[-1] + 1]
    known, steps = np.isfinite(cut), np.arange(cut.shape[1])
    filled = np.zeros(cut.shape, np.float32)
    for made, channel, good in zip(filled, cut, known, strict=True):
        if good.any():
            made[:] = np.interp(steps, steps[good], channel[good])
    length = int(spec["length"])
    if not spec.get("gaps"):
        return (_resampled(filled, length),)
    return (
        _resampled(filled, length),
        _resampled(known.astype(np.float32), length),
        np.asarray([cut.shape[1]], np.float32),
    )


def _resampled(values: Any, length: int) -> Any:
    if values.shape[1] == length:
        return values
    at = np.linspace(0, values.shape[1] - 1, length)
    return np.stack([np.interp(at, np.arange(values.shape[1]), channel) for channel in values]).astype(np.float32)
