"""What tables of every modality share: the columns for labels, splits and ids, and the metadata that is left."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from headstart.data.columns.names import LABEL, Wanted, label_columns, pick, split_of
from headstart.data.labels.task_type import count_indicator_values
from headstart.data.reading.sheets import Sheet
from headstart.records import Column, Finding

SEVERAL_MARKS = 3
"""So many columns of 0 and 1 are taken for labels where no label column is named or found."""


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Which column of one sheet serves as what; `marks` are several label columns of 0 and 1, in place of `label`."""

    label: str | None
    split: str | None
    id: str | None
    findings: tuple[Finding, ...] = ()
    marks: tuple[str, ...] = ()

    def named(self) -> dict[str, str]:
        """Give the roles that are filled."""
        filled = {"label": self.label, "split": self.split, "id": self.id}
        filled |= {f"{LABEL}{number}": name for number, name in enumerate(self.marks, start=1)}
        return {role: name for role, name in filled.items() if name is not None}


def roles_of(sheet: Sheet, wanted: Wanted, used: Iterable[str | None], classed: bool = False) -> Roles:
    """Find label, split and id columns among those not yet `used`; `classed` rows have their class from elsewhere."""
    where, taken = f" in {sheet.name}", set(used)
    left = [name for name in sheet.names if name not in taken]
    asked = label_columns(left, wanted, where)
    label = asked[0] if len(asked) == 1 else None if asked else pick(left, "label", wanted, where)
    marks = tuple(asked) if len(asked) > 1 else ()
    left = [name for name in left if name != label and name not in marks]
    split = pick(left, "split", wanted, where)
    findings: tuple[Finding, ...] = ()
    if split is not None and any(split_of(word) is None for word in set(sheet.texts(split))):
        findings, split = _split_not_used(sheet, split), None
    name = pick([name for name in left if name not in wanted.keep], "id", wanted, where)
    if name is not None and not _is_unique(sheet.texts(name)):
        name = None
    if label is None and not marks and not classed and wanted.several:
        marks = _marks(sheet, [other for other in left if other not in {split, name, *wanted.keep}])
    return Roles(label=label, split=split, id=name, findings=findings, marks=marks)


def _marks(sheet: Sheet, names: Iterable[str]) -> tuple[str, ...]:
    """Find label columns of 0 and 1, if there are several."""
    found = {name: count_indicator_values(sheet.texts(name)) for name in names}
    varied = sum(n == 2 for n in found.values())
    return tuple(name for name, n in found.items() if n) if varied >= SEVERAL_MARKS else ()


def _split_not_used(sheet: Sheet, name: str) -> tuple[Finding, ...]:
    """Point out a column of splits that has other words as well; one without any split word means something else."""
    words = sheet.texts(name)
    if not any(split_of(word) for word in set(words)):
        return ()
    odd = [word for word in words if split_of(word) is None]
    summary = f"The column '{name}' was not used as the split: {len(odd)} rows say something else, such as '{odd[0]}'."
    advice = "Write train, validation or test into every row, or rename the column if it means something else."
    return (Finding(kind="split-not-used", severity="warn", rows=(), summary=summary, advice=advice),)


def ids_of(sheet: Sheet, name: str | None) -> list[str]:
    """Give each row's id: the id column, else the file's name and the row number."""
    return sheet.texts(name) if name is not None else [f"{sheet.name}:{row}" for row in sheet.rows]


def labels_of(roles: Roles, texts: Callable[[str], list[str]]) -> tuple[list[str] | None, dict[str, list[str]]]:
    """Give the labels of each row, or in their place the columns of 0 and 1; `texts` gives a column."""
    if roles.marks:
        marks = {name: texts(name) for name in roles.marks}
        return [""] * len(marks[roles.marks[0]]), marks
    return (None if roles.label is None else texts(roles.label)), {}


def optional_texts(sheet: Sheet, name: str | None) -> list[str] | None:
    """Give a column as strings, or None for no column."""
    return None if name is None else sheet.texts(name)


def rest_of(sheet: Sheet, used: Iterable[str | None]) -> dict[str, Column]:
    """Give every column that serves as nothing: the metadata."""
    taken = set(used)
    return {name: sheet.column(name) for name in sheet.names if name not in taken}


def _is_unique(values: list[str]) -> bool:
    return len(set(values)) == len(values) and all(value.strip() for value in values)
