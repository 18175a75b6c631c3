"""Training rows that hold nothing to learn from: black, blurred and tiny images, texts without words, flat series."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

from headstart.checks.record import list_ids
from headstart.data.row_facts import describe_rows
from headstart.modalities.content import find_content_fault
from headstart.modalities.settings import SETTINGS
from headstart.records import Finding, Table
from headstart.results.findings import make_finding


def report_contentless_rows(table: Table) -> list[Finding]:
    """Report rows that a model would refuse to answer (see `headstart.modalities.content`).

    Parameters
    ----------
    table : Table
    """
    limits = asdict(SETTINGS)
    faults = [find_content_fault(facts.content, limits) for facts in describe_rows(table)]
    rows = [row for row, fault in enumerate(faults) if fault]
    if not rows:
        return []
    counts = Counter(fault for fault in faults if fault).most_common()
    named = ", ".join(f"{fault.replace('_', ' ')}: {count:,}" for fault, count in counts)
    have = "1 row has" if len(rows) == 1 else f"{len(rows):,} rows have"
    return [make_finding("no-content", f"{have} nothing to learn from ({named}).", list_ids(table, rows))]
