"""Labels that differ only in spelling: reported, and merged only if the user asks for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from headstart.records import Finding
from headstart.results.findings import make_finding
from headstart.spellings import fold_label


def report_similar_labels(
    labels: Sequence[str], ids: Sequence[str], merge: bool
) -> tuple[list[str], tuple[Finding, ...]]:
    """Report labels that differ only in spelling, and merge them into the most frequent one if `merge`.

    Parameters
    ----------
    labels, ids : sequence of str, shape (n_rows,)
    merge : bool

    Returns
    -------
    labels : list of str, shape (n_rows,)
    findings : tuple of Finding
        One `odd-label` for each spelling that is not the most frequent one.
    """
    counts = Counter(labels)
    spellings_of: dict[str, list[str]] = {}
    for label in counts:
        spellings_of.setdefault(fold_label(label), []).append(label)
    better: dict[str, str] = {}
    findings = []
    rows_of: dict[str, list[str]] = {}
    for row, label in zip(ids, labels, strict=True):
        rows_of.setdefault(label, []).append(row)
    for spellings in spellings_of.values():
        best, *others = sorted(spellings, key=lambda label: (-counts[label], label))
        for other in others:
            better[other] = best
            sizes = [f"{counts[label]} row{'s' * (counts[label] > 1)}" for label in (other, best)]
            message = f"{other!r} ({sizes[0]}) looks like {best!r} ({sizes[1]})"
            findings.append(
                make_finding("odd-label", f"{message}; they were merged.", rows_of[other], advice="nothing")
                if merge
                else make_finding("odd-label", f"{message}.", rows_of[other], severity="warn")
            )
    return ([better.get(label, label) for label in labels] if merge else list(labels)), tuple(findings)
