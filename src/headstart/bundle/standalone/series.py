"""The part of `predict.py` that reads series."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np

from headstart.bundle.standalone.refusing import RefusedInput, require_kind
from headstart.bundle.standalone.tables import IDS, TABLES, read_table
from headstart.data.columns.written_numbers import DECIMAL, UNKNOWN, parse_amount
from headstart.modalities.content import measure_series_content

# --- code ---
SPECS = {"series": {"series": ({"length": (1, 1_000_000), "n_channels": (1, 100_000), "gaps?": bool}, 1)}}
UNREADABLE = (OSError, ValueError, EOFError, TypeError, AttributeError, SyntaxError, TokenError, MemoryError)
MOST_ARRAY_BYTES = 2_000_000_000
MISSING = {"", "na", "n/a", "nan", "null", "none", "?", "-", "--", ".", "missing", "inf", "-inf"}


def iterate_rows(path: Path, config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield name and values (channels, time) of each row of a wide CSV file (t0, t1 ...), or of X in an .npz file.

    Columns are found by the names of training, in any order; where training had none, several channels are columns
    a0, a1 ... b0, b1 ..., or an axis of X. A row that cannot be used comes as a ValueError.
    """
    require_kind(path, (*TABLES, ".npz"))
    known = config.get("input_columns") or {}
    if path.suffix.lower() == ".npz":
        yield from _read_arrays(path, known)
        return
    names, records, comma = read_table(path, config["columns"])
    steps = _find_steps(path, names, known)
    unusable = []  # Rows that cannot be used come last, as headstart predict writes them.
    for name, record in records:
        try:
            yield name, _read_values(record, steps, comma, names)
        except ValueError as error:
            unusable.append((name, error))
    yield from unusable


def _find_steps(path: Path, names: list[str], known: dict[str, Any]) -> list[list[int]]:
    """Return the places of the value columns, a list a channel; -1 where a channel lacks a step."""
    places = {**{_fold_name(name): at for at, name in reversed(list(enumerate(names)))},
              **{name: at for at, name in reversed(list(enumerate(names)))}}  # fmt: skip
    if known.get("layout") == "wide":
        required = [name for steps in known["values"] for name in steps if name]
        _require_columns(
            path, required, [name for name in required if name not in places and _fold_name(name) not in places], names
        )
        return [[places.get(name, places.get(_fold_name(name), -1)) if name else -1 for name in steps]
                for steps in known["values"]]  # fmt: skip
    channels: dict[str, list[tuple[int, int]]] = {}
    for at, name in enumerate(names):
        matched = re.fullmatch(r"(.*?)[\s_.\-]*(\d+)", name)
        if matched:
            channels.setdefault(_fold_name(matched[1]), []).append((int(matched[2]), at))
    runs = {name: sorted(positions) for name, positions in channels.items()}
    runs = {
        name: positions for name, positions in runs.items() if positions[-1][0] - positions[0][0] == len(positions) - 1
    }
    longest = max(map(len, runs.values()), default=0)
    if longest < 8:
        raise RefusedInput(
            f"{path} has no columns t0, t1 ... (one for each time step, a row a series). "
            "Tables with a row for each time step: headstart predict reads them."
        )
    runs = {name: positions for name, positions in runs.items() if len(positions) == longest}
    required = list(known.get("channels") or ()) if len(known.get("channels") or ()) > 1 else list(runs)
    _require_columns(path, required, [name for name in required if _fold_name(name) not in runs], list(runs))
    return [[at for _, at in runs[_fold_name(name)]] for name in required]


def _require_columns(path: Path, required: list[str], missing: list[str], names: list[str]) -> None:
    if missing:
        others = [name for name in names if name not in required]
        raise RefusedInput(
            f"{path} lacks {len(missing)} of {len(required)} columns or channels that the model learnt from: "
            f"{', '.join(missing[:5])}{' ...' if len(missing) > 5 else ''}. "
            f"It has others: {', '.join(others[:5]) or 'none'}{' ...' if len(others) > 5 else ''}. "
            "This script reads tables with a row a series; headstart predict reads others."
        )


def _fold_name(name: str) -> str:
    return re.sub(r"[\s_.\-]+", "", name.casefold())


def _read_values(record: Any, steps: list[list[int]], comma: bool, names: list[str]) -> Any:
    if isinstance(record, ValueError):
        raise record
    with np.errstate(over="ignore"):  # What float32 cannot hold becomes infinite, which is: missing.
        values = [
            [_read_number(record[at], comma, names[at]) if at >= 0 else float("nan") for at in one] for one in steps
        ]
        return np.asarray(values).astype(np.float32)


def _read_arrays(path: Path, known: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return name and values (channels, time) of each row of X."""
    try:
        with zipfile.ZipFile(path) as parts:
            n_bytes = sum(part.file_size for part in parts.infolist())
        if n_bytes > MOST_ARRAY_BYTES:
            raise RefusedInput(f"{path} unpacks to {n_bytes / 1e6:,.0f} MB: use headstart predict, or smaller files.")
        with np.load(path, allow_pickle=False) as held:
            if "X" not in held.files:
                raise RefusedInput(f"{path} has no array X; it has {', '.join(held.files) or 'none'}.")
            values = np.asarray(held["X"], np.float32)
            named = [held[key].astype(str).tolist() for key in held.files if key.casefold() in IDS]
    except (*UNREADABLE, zipfile.BadZipFile, zlib.error) as error:
        raise RefusedInput(f"{path} cannot be read ({error}): save X (n, channels, time) with numpy.savez.") from error
    if values.ndim not in (2, 3):
        raise RefusedInput(f"{path}: X has the shape {values.shape}, not (n, time) or (n, channels, time).")
    is_time_first = values.ndim == 3 and known.get("axes") == "time-first"
    values = values.transpose(0, 2, 1) if is_time_first else values if values.ndim == 3 else values[:, None]
    if known.get("n_channels") not in (None, 0, values.shape[1]):
        axes_note = " The axes look exchanged." if values.shape[2] == known["n_channels"] else ""
        raise RefusedInput(
            f"{path}: X has {values.shape[1]} channels of {values.shape[2]} steps; the model learnt from "
            f"{known['n_channels']} channels.{axes_note}"
        )
    names = named[0] if named else [f"{path.name}:{at}" for at in range(1, len(values) + 1)]
    return list(zip(names, values, strict=True))


def _read_number(cell: str, comma: bool, column: str) -> float:
    """Return a number; NaN where there is none."""
    plain = cell.strip()
    if plain.casefold() in MISSING:
        return float("nan")
    try:
        return float(plain)
    except ValueError:
        pass
    try:
        return parse_amount(plain, DECIMAL if comma else UNKNOWN)[0]
    except ValueError as error:
        raise ValueError(f"column {column}: '{plain[:40]}' is no number") from error


def prepare_input(kind: str, source: Any, spec: dict[str, Any]) -> tuple[Any, ...]:
    """Return a series in the length of the model: missing steps at the end cut off, gaps filled."""
    if len(source) != spec["n_channels"]:
        raise ValueError(f"A series has {len(source)} channels; the model was made for {spec['n_channels']}")
    known_steps = np.flatnonzero(np.isfinite(source).any(axis=0))
    if not len(known_steps):
        raise ValueError("it has no values")
    cut = source[:, : known_steps[-1] + 1]
    known, steps = np.isfinite(cut), np.arange(cut.shape[1])
    filled = np.zeros(cut.shape, np.float32)
    for filled_channel, channel, good in zip(filled, cut, known, strict=True):
        if good.any():
            filled_channel[:] = np.interp(steps, steps[good], channel[good])
    length = int(spec["length"])
    if not spec.get("gaps"):
        return (_resample(filled, length),)
    return (
        _resample(filled, length),
        _resample(known.astype(np.float32), length),
        np.asarray([cut.shape[1]], np.float32),
    )


def measure_content(source: Any, inputs: list[dict[str, Any]]) -> dict[str, float]:
    """Return whether a series holds values that change, by code of fault."""
    return measure_series_content(source)


def _resample(values: Any, length: int) -> Any:
    if values.shape[1] == length:
        return values
    at = np.linspace(0, values.shape[1] - 1, length)
    return np.stack([np.interp(at, np.arange(values.shape[1]), channel) for channel in values]).astype(np.float32)
