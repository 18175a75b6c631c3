"""Values of series that stand for a missing one, such as -999; they are pointed out and never changed."""

from __future__ import annotations

import numpy as np

from headstart.data.columns.column_rules import COLUMN_RULES
from headstart.modalities import MODALITIES
from headstart.records import Finding, Table
from headstart.results.findings import make_finding

_MISSING_CODES = (-999.0, -9999.0, -99999.0, -99.0, -999.9, 999.0, 9999.0, 99999.0, 999999.0)


def find_missing_codes(table: Table) -> list[Finding]:
    """Return a finding if a usual code for "missing" lies far from all other values of its channel.

    Parameters
    ----------
    table : Table
        Of any modality; its first 1,000 rows are looked at.
    """
    if not MODALITIES[table.modality].has_channels:
        return []
    rows = table.inputs[: COLUMN_RULES.missing_code_rows]
    for channel in range(min(map(len, rows), default=0)):
        values = np.concatenate([np.asarray(row[channel], dtype=np.float64) for row in rows])
        values = values[np.isfinite(values)]
        for code in _MISSING_CODES:
            others = values[~np.isclose(values, code, rtol=1e-6)]
            if len(others) in {0, len(values)} or not _is_far(code, others):
                continue
            row_ids = [
                str(name) for name, row in zip(table.ids, rows, strict=False) if np.isclose(row[channel], code).any()
            ]
            n = len(values) - len(others)
            lie = f"1 value of a series is {code:g}" if n == 1 else f"{n} values of series are {code:g}"
            low, high = others.min(), others.max()
            summary = f"{lie}, all others of the channel lie between {low:g} and {high:g} (such as in {row_ids[0]})."
            return [make_finding("extreme-number", summary, tuple(row_ids))]
    return []


def _is_far(code: float, others: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bool:
    low, high = float(others.min()), float(others.max())
    return code < low - (high - low) or code > high + (high - low)
