"""Findings of the checks of data: title, severity and advice stand in `headstart.results.check_codes`."""

from __future__ import annotations

from collections.abc import Sequence

from headstart.records import Finding, Interval
from headstart.results.check_codes import CHECK_CODES

NOTHING_TO_DO = "Nothing to do."
_ANY_CODE = {"nothing": NOTHING_TO_DO, "nothing-if-right": "Nothing to do if that is right."}
"""Advice that findings of every code may have."""


def make_finding(
    code: str,
    summary: str,
    rows: Sequence[str] = (),
    *,
    severity: str = "",
    advice: str = "",
    measure: Interval | None = None,
    **values: str,
) -> Finding:
    """Return a finding with the severity and the advice of its code.

    Parameters
    ----------
    code : str
        Key of `CHECK_CODES`.
    summary : str
    rows : sequence of str
        Ids of the rows concerned.
    severity : str
        "warn" or "note" where it is not that of the code.
    advice : str
        Key of `CheckCode.specific`, "nothing" or "nothing-if-right".
    measure : Interval or None
    **values : str
        What is filled into the advice.

    Examples
    --------
    >>> finding = make_finding("other-scale", "Two columns are on another scale.", first="t0", last="t9")
    >>> finding.severity, finding.advice
    ('warn', 'If they are no steps of the series, pass --values t0:t9.')
    """
    check = CHECK_CODES[code]
    text = {"": check.detailed or check.advice, **_ANY_CODE, **check.specific}[advice].format(**values)
    return Finding(
        kind=code,
        severity=severity or check.severity,
        rows=tuple(rows),
        summary=summary,
        advice=text,
        measure=measure,
    )
