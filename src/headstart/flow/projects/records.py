"""What adding data to a project did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headstart.records import Finding


@dataclass(frozen=True, kw_only=True)
class AddedData:
    """What one source brought.

    Parameters
    ----------
    source : int
        Its number in the project.
    modality : str
    columns : mapping of str to str
        Columns by role, as `Table.columns`.
    n_rows : int
        Of the source.
    n_added : int
        Examples that are new.
    n_labelled : int
        Of those, with a label.
    n_known : int
        Whose content the project had: not added.
    n_relabelled : int
        Of those, examples that got a label, or another one, from the source.
    n_left_out : int
        Examples that cannot be read; they stand in the project as left out.
    findings : tuple of Finding
        What was noticed while reading.
    """

    source: int
    modality: str
    columns: Mapping[str, str] = field(default_factory=dict)
    n_rows: int = 0
    n_added: int = 0
    n_labelled: int = 0
    n_known: int = 0
    n_relabelled: int = 0
    n_left_out: int = 0
    findings: tuple[Finding, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {**vars(self), "columns": dict(self.columns), "findings": [item.as_dict() for item in self.findings]}
