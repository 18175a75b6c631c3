"""Short names of the checks of the data, and their advice, by code."""

from __future__ import annotations

from headstart.report.messages import message
from headstart.results.check_codes import CHECK_CODES

FINDINGS = {code: check.title for code, check in CHECK_CODES.items() if check.severity != "stop"}
ADVICE = {code: check.advice for code, check in CHECK_CODES.items() if check.advice and check.severity != "stop"}
OTHER = message("Something else was noticed")


def kind_of_finding(kind: str) -> str:
    """Return the short name of a kind of finding, in English."""
    return FINDINGS.get(kind, OTHER)


def advice_for(kind: str) -> str:
    """Return what to do about a kind of finding, in English; "" where there is nothing to do."""
    return ADVICE.get(kind, "")
