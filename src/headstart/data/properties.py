"""Plain properties of all rows as columns: those of the inputs, and those in the table's other columns."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart import progress
from headstart.modalities.nuisances import PROPERTY_MEASURES
from headstart.records import Column, Finding, Index, Table, make_column

Property = NDArray[np.float64] | Column
"""(n_rows, m) numbers, NaN where unknown; or (n_rows,) words, "" where unknown."""
MOST_ROWS = 5_000
MOST_VALUES, ROWS_A_VALUE = 30, 5
MOST_MEASURED = 50
"""A column of words is one property if it has at most so many different ones, each of at least 5 rows on average."""
SMALL_PIXELS, BLURRED, MOST_BLURRED = 64, 0.2, 0.2
_LONG_JOB = 2_000


def sampled(table: Table, seed: int) -> Index:
    """Choose the rows whose properties are measured: all, or 5,000 drawn by chance."""
    return np.sort(np.random.default_rng(seed).permutation(len(table))[:MOST_ROWS]).astype(np.intp)


def of_inputs(table: Table) -> dict[str, Property]:
    """Measure the inputs of a table, in its order; properties that all rows share are left out."""
    one, long = PROPERTY_MEASURES[table.modality], len(table) > _LONG_JOB
    shown = progress.bar("Measuring", len(table), f"{table.modality}s") if long else nullcontext(None)
    rows: list[Any] = []
    with shown as bar, ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for start in range(0, len(table), 256):
            part = table.inputs[start : start + 256].tolist()
            rows += pool.map(one, part) if table.modality == "image" else map(one, part)
            if bar is not None:
                bar.advance(len(part))
    made: dict[str, Property] = {}
    for name in rows[0] if rows else ():
        values = [row[name] for row in rows]
        made[name] = make_column(values) if isinstance(values[0], str) else np.asarray(values, dtype=np.float64)
    return {name: values for name, values in made.items() if _varies(values)}


def fullest_columns(table: Table) -> list[str]:
    """Return the names of the other columns that are looked at, in order: those filled in most rows, at most 50."""
    names = list(table.metadata)
    if len(names) <= MOST_MEASURED:
        return names
    filled = {name: sum(bool(str(value).strip()) for value in table.metadata[name]) for name in names}
    kept = set(sorted(names, key=lambda name: -filled[name])[:MOST_MEASURED])
    return [name for name in names if name in kept]


def of_columns(table: Table) -> dict[str, Property]:
    """Take over the other columns of the table: numbers, dates as numbers, or few different words."""
    found: dict[str, Property] = {}
    for name in fullest_columns(table):
        texts = [str(value).strip() for value in table.metadata[name]]
        numbers = next((made for made in (_read(texts, as_number) for as_number in _READERS) if made is not None), None)
        n_values = len(set(texts) - {""})
        few = n_values <= MOST_VALUES and n_values * ROWS_A_VALUE <= len(table)
        if numbers is not None and not few:
            found[name] = numbers[:, None]
        elif few:
            found[name] = make_column(texts)
    return {name: values for name, values in found.items() if _varies(values)}


def _date(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=None).toordinal()


def _day_first(text: str) -> float:
    return datetime.strptime(_MARKS.sub("-", text.split(maxsplit=1)[0]), "%d-%m-%Y").toordinal()


def _month_first(text: str) -> float:
    return datetime.strptime(_MARKS.sub("-", text.split(maxsplit=1)[0]), "%m-%d-%Y").toordinal()


_MARKS = re.compile("[/.]")
_READERS: tuple[Callable[[str], float], ...] = (float, _date, _day_first, _month_first)


def _read(texts: Sequence[str], one: Callable[[str], float]) -> NDArray[np.float64] | None:
    """Read every text that is not empty as a number; None where one is none."""
    try:
        made = np.asarray([one(text) if text else np.nan for text in texts], dtype=np.float64)
    except (ValueError, OverflowError):
        return None
    return np.where(np.isfinite(made), made, np.nan)


def _varies(values: Property) -> bool:
    if values.dtype == object:
        return len(Counter(values.tolist())) > 1
    rows = values.astype(np.float64)
    return bool((np.nanmax(rows, axis=0, initial=-np.inf) > np.nanmin(rows, axis=0, initial=np.inf)).any())


def remarks(table: Table, found: dict[str, Property]) -> list[Finding]:
    """Point out small and blurred pictures.

    Parameters
    ----------
    table : Table
        The measured rows.
    found : dict of str to Property
        As `of_inputs` gives it.
    """
    made: list[Finding] = []
    if "width" in found or "height" in found:
        sides = [found[name][:, 0].astype(np.float64) for name in ("width", "height") if name in found]
        small = np.flatnonzero(np.min(sides, axis=0) < SMALL_PIXELS)
        if len(small):
            are = "pictures are" if len(small) > 1 else "picture is"
            summary = f"{len(small)} {are} less than {SMALL_PIXELS} pixels wide or high."
            advice = "Base models were made on larger ones; take the originals if there are any."
            made.append(
                Finding(kind="resolution", severity="note", rows=_named(table, small), summary=summary, advice=advice)
            )
    if "sharpness" in found:
        values = found["sharpness"][:, 0].astype(np.float64)
        blurred = np.flatnonzero(values < BLURRED * np.nanmedian(values))
        if 0 < len(blurred) <= MOST_BLURRED * len(values):
            order = blurred[np.argsort(values[blurred], kind="stable")]
            have = "pictures have" if len(order) > 1 else "picture has"
            summary = f"{len(order)} {have} far less detail than the others: blurred or blank."
            made.append(
                Finding(
                    kind="blur",
                    severity="note",
                    rows=_named(table, order),
                    summary=summary,
                    advice="Look at them; take blank ones out.",
                )
            )
    return made


def _named(table: Table, rows: Index) -> tuple[str, ...]:
    return tuple(str(table.ids[row]) for row in rows)
