"""Labels that are nearly the same: reported, and merged only where the user asks for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from headstart.records import Finding
from headstart.spellings import fold


def tidy(labels: Sequence[str], ids: Sequence[str], merge: bool) -> tuple[list[str], tuple[Finding, ...]]:
    """Report labels that differ only in spelling, and merge them to the most frequent one if `merge`."""
    counts = Counter(labels)
    families: dict[str, list[str]] = {}
    for label in counts:
        families.setdefault(fold(label), []).append(label)
    better: dict[str, str] = {}
    findings = []
    rows_of: dict[str, list[str]] = {}
    for row, label in zip(ids, labels, strict=True):
        rows_of.setdefault(label, []).append(row)
    for family in families.values():
        best, *others = sorted(family, key=lambda label: (-counts[label], label))
        for other in others:
            better[other] = best
            sizes = [f"{counts[label]} row{'s' * (counts[label] > 1)}" for label in (other, best)]
            likeness = f"{other!r} ({sizes[0]}) looks like {best!r} ({sizes[1]})"
            done = "; they were merged." if merge else "."
            advice = "Nothing to do." if merge else "Write them alike, or pass --merge-labels."
            findings.append(
                Finding(
                    kind="odd-label",
                    severity="note" if merge else "warn",
                    rows=tuple(rows_of[other]),
                    summary=likeness + done,
                    advice=advice,
                )
            )
    return ([better.get(label, label) for label in labels] if merge else list(labels)), tuple(findings)
