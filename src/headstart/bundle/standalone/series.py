"""The part of `predict.py` that reads series."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from headstart.bundle.standalone.refusing import Refused, require_kind
from headstart.bundle.standalone.tables import IDS, TABLES, table_of

# --- code ---
MISSING = {"", "na", "n/a", "nan", "null", "none", "?", "-", "--", ".", "missing", "inf", "-inf"}


def rows_of(path: Path, columns: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """Give name and values (channels, time) of each row of a wide CSV file (t0, t1 ...), or of X in an .npz file.

    Several channels are columns a0, a1 ... b0, b1 ..., or the middle axis of X. What is odd comes as a ValueError.
    """
    require_kind(path, (*TABLES, ".npz"))
    if path.suffix.lower() == ".npz":
        yield from _arrays(path)
        return
    names, records, comma = table_of(path, columns)
    channels: dict[str, list[tuple[int, int]]] = {}
    for at, name in enumerate(names):
        matched = re.fullmatch(r"(.*?)[\s_.\-]*(\d+)", name)
        if matched:
            channels.setdefault(matched[1].casefold(), []).append((int(matched[2]), at))
    runs = [sorted(found) for found in channels.values()]
    runs = [found for found in runs if found[-1][0] - found[0][0] == len(found) - 1]
    longest = max(map(len, runs), default=0)
    if longest < 8:
        raise Refused(
            f"{path} has no columns t0, t1 ... (one for each time step, a row a series). "
            "Tables with a row for each time step: headstart predict reads them."
        )
    steps = [[at for _, at in found] for found in runs if len(found) == longest]
    for name, record in records:
        try:
            yield name, _values(record, steps, comma)
        except ValueError as error:
            yield name, error


def _values(record: Any, steps: list[list[int]], comma: bool) -> Any:
    if isinstance(record, ValueError):
        raise record
    with np.errstate(over="ignore"):  # What float32 cannot hold becomes infinite, which is: missing.
        return np.asarray([[_number(record[at], comma) for at in one] for one in steps]).astype(np.float32)


def _arrays(path: Path) -> list[tuple[str, Any]]:
    """Give name and values (channels, time) of each row of X."""
    try:
        with np.load(path, allow_pickle=False) as held:
            if "X" not in held.files:
                raise Refused(f"{path} has no array X; it has {', '.join(held.files) or 'none'}.")
            values = np.asarray(held["X"], np.float32)
            named = [held[key].astype(str).tolist() for key in held.files if key.casefold() in IDS]
    except (OSError, ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise Refused(f"{path} cannot be read ({error}): save X (n, channels, time) with numpy.savez.") from error
    if values.ndim not in (2, 3):
        raise Refused(f"{path}: X has the shape {values.shape}, not (n, time) or (n, channels, time).")
    names = named[0] if named else [f"{path.name}:{at}" for at in range(1, len(values) + 1)]
    return list(zip(names, values if values.ndim == 3 else values[:, None], strict=True))


def _number(cell: str, comma: bool) -> float:
    """Read a number; NaN where there is none."""
    plain = cell.strip()
    if plain.casefold() in MISSING:
        return float("nan")
    whole, mark, rest = plain.rpartition(",")
    try:
        return float(f"{whole.replace('.', '')}.{rest}" if comma and mark else plain)
    except ValueError as error:
        raise ValueError(f"'{plain[:40]}' is no number") from error


def make(kind: str, source: Any, spec: dict[str, Any]) -> tuple[Any, ...]:
    """Cut missing steps at the end, fill gaps and bring a series to the model's length."""
    if len(source) != spec["n_channels"]:
        raise ValueError(f"A series has {len(source)} channels; the model was made for {spec['n_channels']}")
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
