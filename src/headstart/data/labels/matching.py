"""Labels of other data (test rows, corrections, another place) in the spelling of the data that is learnt from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from headstart.errors import list_offenders
from headstart.records import Finding, Table, make_column
from headstart.results.findings import make_finding
from headstart.spellings import match_names
from headstart.task_types import TASK_TYPES


@dataclass(frozen=True)
class MatchedLabels:
    """A table whose labels are in the spelling of known ones.

    Parameters
    ----------
    table : Table
    counts : mapping of str to int
        Rows of each label of the table, as it is now spelled.
    similar : mapping of str to str
        Labels that would be a known one, were spellings merged.
    unknown : tuple of str
        Labels that are not known, those of `similar` included.
    """

    table: Table
    counts: Mapping[str, int]
    similar: Mapping[str, str]
    unknown: tuple[str, ...]

    @property
    def n_unknown(self) -> int:
        """Rows, or labels of rows, that are not known."""
        return sum(self.counts[name] for name in self.unknown)

    @property
    def has_no_known_label(self) -> bool:
        """Return whether there are labels and none of them is known."""
        return bool(self.counts) and len(self.unknown) == len(self.counts)

    def name_unknown(self) -> str:
        """Return the labels that are not known as text, the most frequent first."""
        return list_offenders(sorted(self.unknown, key=lambda name: -self.counts[name]))

    @property
    def hint(self) -> str:
        """Return what to do about labels that are not known."""
        if self.similar:
            return "They differ only in spelling: pass --merge-labels, or write them in the same way."
        return "Rename the labels, or name the right column with --label."

    def describe_similar(self) -> str:
        """Return the labels that differ only in spelling as text, with their rows; "" where there are none."""
        return list_offenders(
            [f"'{name}' for '{best}': {self.counts[name]} rows" for name, best in self.similar.items()]
        )


def match_labels(table: Table, known: Sequence[str], merge: bool) -> MatchedLabels:
    """Return the table with its labels in the spelling of known ones.

    Parameters
    ----------
    table : Table
        With labels; numbers are left as they are.
    known : sequence of str
        Classes, grades or labels.
    merge : bool
        Whether labels that differ in letter case or blanks are merged. Invisible differences, TRUE for true and 1.0
        for 1 never make two labels.
    """
    if TASK_TYPES[table.task].is_number or table.labels is None:
        return MatchedLabels(table, {}, {}, ())
    counts = _count_rows_by_label(table)
    matches = match_names(counts, known, merge)
    renamed = _rename_labels(table, matches.renamed) if matches.renamed else table
    note = _make_merge_note(table, counts, matches.renamed)
    unknown = (*matches.similar, *matches.unknown)
    matched = replace(renamed, findings=renamed.findings + note)
    return MatchedLabels(
        matched, _count_rows_by_label(matched), matches.similar, tuple(name for name in unknown if counts[name])
    )


def _count_rows_by_label(table: Table) -> dict[str, int]:
    """Return the number of rows of each label."""
    if table.targets is None:
        return (
            dict(Counter(str(label) for label in table.labels if str(label).strip()))
            if table.labels is not None
            else {}
        )
    applies = (table.targets == 1).sum(axis=0)
    return {name: int(n) for name, n in zip(table.target_names, applies, strict=True)}


def _rename_labels(table: Table, names: Mapping[str, str]) -> Table:
    if table.targets is None:
        assert table.labels is not None
        labels = make_column([names.get(str(label), str(label)) for label in table.labels])
        grades = tuple(dict.fromkeys(names.get(name, name) for name in table.target_names))
        return replace(table, labels=labels, target_names=grades)
    fresh = tuple(dict.fromkeys(names.get(name, name) for name in table.target_names))
    targets = np.zeros((len(table), len(fresh)), dtype=np.float32)
    for at, name in enumerate(table.target_names):
        place = fresh.index(names.get(name, name))
        targets[:, place] = np.fmax(targets[:, place], table.targets[:, at])
    targets[np.isnan(table.targets).any(axis=1)] = np.nan
    return replace(table, targets=targets, target_names=fresh)


def _make_merge_note(table: Table, counts: Mapping[str, int], renamed: Mapping[str, str]) -> tuple[Finding, ...]:
    """Return a finding that names the labels that were merged into known ones."""
    visible = {name: best for name, best in renamed.items() if counts[name]}
    if not visible:
        return ()
    n_rows = sum(counts[name] for name in visible)
    named = list_offenders([f"'{name}' for '{best}': {counts[name]} rows" for name, best in visible.items()])
    summary = f"{n_rows} rows of {table.source} spell a label in another way, which was merged ({named})."
    return (make_finding("odd-label", summary, advice="nothing"),)
