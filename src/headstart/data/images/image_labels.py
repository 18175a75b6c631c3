"""The label column of a table of images, where its name does not say so."""

from __future__ import annotations

from dataclasses import replace

from headstart.data.columns.label_candidates import looks_like_labels
from headstart.data.columns.names import ColumnSpec, fold_column_name
from headstart.data.reading.column_roles import ColumnRoles, find_roles
from headstart.data.reading.table_files import RawTable
from headstart.errors import list_offenders
from headstart.records import Finding
from headstart.results.findings import make_finding

_USUAL = ("dx", "diagnosis", "diagnostic", "finding", "species", "disease", "breed", "variety", "kind", "type", "grade")


def find_image_labels(raw_table: RawTable, file: str, spec: ColumnSpec, has_classes: bool) -> ColumnRoles:
    """Return the roles of the columns; the label column is found as follows.

    By its usual name; else, where the folders name no class, by another name or as the only column of words that
    repeat. A finding names the column, or those that could be meant.

    Parameters
    ----------
    raw_table : RawTable
    file : str
        The column that names the images.
    spec : ColumnSpec
    has_classes : bool
        Whether folders name the class of each image.
    """
    roles = find_roles(raw_table, spec, [file], has_classes)
    if roles.label is not None or roles.indicators or spec.labels or not spec.for_training:
        return roles
    used = {file, roles.split, roles.id, *spec.group_columns}
    candidates = [name for name in raw_table.names if name not in used and looks_like_labels(raw_table.texts(name))]
    if has_classes:
        return _add_finding(roles, _make_folders_chosen_finding(raw_table, candidates) if candidates else None)
    by_key = {fold_column_name(name): name for name in reversed(candidates)}
    usual = [by_key[name] for name in _USUAL if name in by_key]
    name = (usual or candidates or [""])[0]
    if not name or (not usual and len(candidates) > 1):
        return _add_finding(roles, _make_none_chosen_finding(raw_table, candidates) if candidates else None)
    return replace(_add_finding(roles, _make_chosen_finding(raw_table, name, candidates)), label=name)


def _add_finding(roles: ColumnRoles, finding: Finding | None) -> ColumnRoles:
    return roles if finding is None else replace(roles, findings=(*roles.findings, finding))


def _make_chosen_finding(raw_table: RawTable, name: str, candidates: list[str]) -> Finding:
    others = [other for other in candidates if other != name]
    also = f" (others that repeat: {list_offenders(others)})" if others else ""
    summary = f"The column '{name}' of {raw_table.name} was taken as the label{also}."
    return make_finding("label-column", summary, advice="chosen")


def _make_none_chosen_finding(raw_table: RawTable, candidates: list[str]) -> Finding:
    names = list_offenders(candidates)
    summary = f"{raw_table.name} lists the images, but no column is called like a label ({names} may be)."
    return make_finding("label-column", summary, severity="warn", advice="none-chosen")


def _make_folders_chosen_finding(raw_table: RawTable, candidates: list[str]) -> Finding:
    summary = (
        f"The labels are the folders' names; in {raw_table.name} {list_offenders(candidates)} could be labels too."
    )
    return make_finding("label-column", summary, advice="folders")
