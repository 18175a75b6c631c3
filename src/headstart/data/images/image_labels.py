"""Which column of a table of images holds the labels, where its name does not say so."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from headstart.data.columns.names import Wanted, key
from headstart.data.reading.sheet_rows import Roles, roles_of
from headstart.data.reading.sheets import Sheet
from headstart.errors import offenders
from headstart.records import Finding

_USUAL = ("dx", "diagnosis", "diagnostic", "finding", "species", "disease", "breed", "variety", "kind", "type", "grade")
_LONGEST_LABEL, _FEWEST_ROWS = 80, 2.0


def find_labels(sheet: Sheet, file: str, wanted: Wanted, classed: bool) -> Roles:
    """Return what the columns serve as; which holds the labels is found as follows.

    By its usual name; else, where the folders name no class, by another name or as the only column of words that
    repeat. What was taken or could be meant is said.

    Parameters
    ----------
    sheet : Sheet
    file : str
        The column that names the images.
    wanted : Wanted
    classed : bool
        Whether folders name the class of each image.
    """
    roles = roles_of(sheet, wanted, [file], classed)
    if roles.label is not None or roles.marks or wanted.labels or not wanted.strict:
        return roles
    used = {file, roles.split, roles.id, *wanted.keep}
    candidates = [name for name in sheet.names if name not in used and _is_like_labels(sheet, name)]
    if classed:
        return _with(roles, _folders_taken(sheet, candidates) if candidates else None)
    by_key = {key(name): name for name in reversed(candidates)}
    usual = [by_key[name] for name in _USUAL if name in by_key]
    name = (usual or candidates or [""])[0]
    if not name or (not usual and len(candidates) > 1):
        return _with(roles, _none_taken(sheet, candidates) if candidates else None)
    return replace(_with(roles, _taken(sheet, name, candidates)), label=name)


def _with(roles: Roles, finding: Finding | None) -> Roles:
    return roles if finding is None else replace(roles, findings=(*roles.findings, finding))


def _is_like_labels(sheet: Sheet, name: str) -> bool:
    """Whether a column holds short words of which most come back."""
    counts = Counter(text.strip() for text in sheet.texts(name) if text.strip())
    if len(counts) < 2 or sheet.numbers(name) is not None or max(map(len, counts)) > _LONGEST_LABEL:
        return False
    return sum(counts.values()) >= _FEWEST_ROWS * len(counts)


def _taken(sheet: Sheet, name: str, candidates: list[str]) -> Finding:
    others = [other for other in candidates if other != name]
    also = f" (others that repeat: {offenders(others)})" if others else ""
    summary = f"The column '{name}' of {sheet.name} was taken as the label{also}."
    return Finding(
        kind="label-column",
        severity="note",
        rows=(),
        summary=summary,
        advice="If the label is another column, name it with --label COLUMN.",
    )


def _none_taken(sheet: Sheet, candidates: list[str]) -> Finding:
    summary = f"{sheet.name} lists the images, but no column is called like a label ({offenders(candidates)} may be)."
    return Finding(
        kind="label-column",
        severity="warn",
        rows=(),
        summary=summary,
        advice="Name the label column with --label COLUMN.",
    )


def _folders_taken(sheet: Sheet, candidates: list[str]) -> Finding:
    summary = f"The labels are the folders' names; in {sheet.name} {offenders(candidates)} could be labels too."
    return Finding(
        kind="label-column",
        severity="note",
        rows=(),
        summary=summary,
        advice="Name a column with --label COLUMN to learn that instead.",
    )
