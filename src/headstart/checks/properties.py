"""Properties of rows as columns: of the inputs (size, sharpness, length ...), and the table's other columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from headstart.checks.record import list_ids
from headstart.checks.settings import SETTINGS
from headstart.data.row_facts import describe_rows
from headstart.records import Column, Finding, Index, Table, make_column
from headstart.results.findings import make_finding

Property = NDArray[np.float64] | Column
"""(n_rows, m) numbers, NaN where unknown; or (n_rows,) words, "" where unknown."""


def sample_rows(table: Table, seed: int) -> Index:
    """Return the rows whose properties are measured: all, or a random sample of 5,000.

    Parameters
    ----------
    table : Table
    seed : int
    """
    return np.sort(np.random.default_rng(seed).permutation(len(table))[: SETTINGS.property_rows]).astype(np.intp)


def measure_inputs(table: Table) -> dict[str, Property]:
    """Return the properties of the inputs of a table, without those that all rows share.

    Parameters
    ----------
    table : Table
    """
    rows = [facts.properties for facts in describe_rows(table)]
    properties: dict[str, Property] = {}
    for name in rows[0] if rows else ():
        values = [row[name] for row in rows]
        properties[name] = make_column(values) if isinstance(values[0], str) else np.asarray(values, dtype=np.float64)
    return {name: values for name, values in properties.items() if _varies(values)}


def select_fullest_columns(table: Table) -> list[str]:
    """Return the names of the metadata columns that are measured, in order: those filled in most rows, at most 50.

    Parameters
    ----------
    table : Table
    """
    names = list(table.metadata)
    if len(names) <= SETTINGS.property_columns:
        return names
    n_filled = {name: sum(bool(str(value).strip()) for value in table.metadata[name]) for name in names}
    fullest = set(sorted(names, key=lambda name: -n_filled[name])[: SETTINGS.property_columns])
    return [name for name in names if name in fullest]


def read_metadata_properties(table: Table) -> dict[str, Property]:
    """Return the metadata columns of a table as properties: numbers, dates as numbers, or few different words.

    Parameters
    ----------
    table : Table
    """
    properties: dict[str, Property] = {}
    for name in select_fullest_columns(table):
        texts = [str(value).strip() for value in table.metadata[name]]
        columns = (_read_numbers(texts, read_number) for read_number in _READERS)
        numbers = next((column for column in columns if column is not None), None)
        n_values = len(set(texts) - {""})
        has_many_rows = n_values * SETTINGS.min_rows_per_value <= len(table)
        has_few_values = n_values <= SETTINGS.max_property_values and has_many_rows
        if numbers is not None and not has_few_values:
            properties[name] = numbers[:, None]
        elif has_few_values:
            properties[name] = make_column(texts)
    return {name: values for name, values in properties.items() if _varies(values)}


def _read_date(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=None).toordinal()


def _read_day_first(text: str) -> float:
    return datetime.strptime(_SEPARATORS.sub("-", text.split(maxsplit=1)[0]), "%d-%m-%Y").toordinal()


def _read_month_first(text: str) -> float:
    return datetime.strptime(_SEPARATORS.sub("-", text.split(maxsplit=1)[0]), "%m-%d-%Y").toordinal()


_SEPARATORS = re.compile("[/.]")
_READERS: tuple[Callable[[str], float], ...] = (float, _read_date, _read_day_first, _read_month_first)


def _read_numbers(texts: Sequence[str], read_number: Callable[[str], float]) -> NDArray[np.float64] | None:
    """Return texts as numbers, NaN for an empty one; None if one of them is not a number."""
    try:
        numbers = np.asarray([read_number(text) if text else np.nan for text in texts], dtype=np.float64)
    except (ValueError, OverflowError):
        return None
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _varies(values: Property) -> bool:
    if values.dtype == object:
        return len(Counter(values.tolist())) > 1
    rows = values.astype(np.float64)
    return bool((np.nanmax(rows, axis=0, initial=-np.inf) > np.nanmin(rows, axis=0, initial=np.inf)).any())


def report_small_images(table: Table, properties: Mapping[str, Property]) -> list[Finding]:
    """Report images of few pixels.

    Parameters
    ----------
    table : Table
        The measured rows.
    properties : mapping of str to Property
        From `measure_inputs`.
    """
    sides = [properties[name][:, 0].astype(np.float64) for name in ("width", "height") if name in properties]
    small = np.flatnonzero(np.min(sides, axis=0) < SETTINGS.small_pixels) if sides else np.zeros(0, dtype=np.intp)
    if not len(small):
        return []
    are = "images are" if len(small) > 1 else "image is"
    summary = f"{len(small)} {are} less than {SETTINGS.small_pixels} pixels wide or high."
    return [make_finding("resolution", summary, list_ids(table, small.tolist()))]


def report_blurred_images(table: Table, properties: Mapping[str, Property]) -> list[Finding]:
    """Report images with far less detail than the others, the least detailed first.

    Parameters
    ----------
    table : Table
        The measured rows.
    properties : mapping of str to Property
        From `measure_inputs`.
    """
    if "sharpness" not in properties:
        return []
    values = properties["sharpness"][:, 0].astype(np.float64)
    blurred = np.flatnonzero(values < SETTINGS.blurred_share * np.nanmedian(values))
    if not 0 < len(blurred) <= SETTINGS.max_blurred_share * len(values):
        return []
    order = blurred[np.argsort(values[blurred], kind="stable")]
    have = "images have" if len(order) > 1 else "image has"
    summary = f"{len(order)} {have} far less detail than the others: blurred or blank."
    return [make_finding("blur", summary, list_ids(table, order.tolist()))]
