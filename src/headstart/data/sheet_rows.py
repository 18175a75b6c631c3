"""What tables of every modality share: the columns for labels, splits and ids, and the metadata that is left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from headstart.data.names import Wanted, pick, split_of
from headstart.data.sheets import Sheet
from headstart.records import Column, Finding


@dataclass(frozen=True)
class Roles:
    """Which column of one sheet serves as what."""

    label: str | None
    split: str | None
    id: str | None
    findings: tuple[Finding, ...] = ()

    def named(self) -> dict[str, str]:
        """Give the roles that are filled."""
        filled = {"label": self.label, "split": self.split, "id": self.id}
        return {role: name for role, name in filled.items() if name is not None}


def roles_of(sheet: Sheet, wanted: Wanted, used: Iterable[str | None]) -> Roles:
    """Find the label, split and id columns among those not yet `used`."""
    where, taken = f" in {sheet.name}", set(used)
    left = [name for name in sheet.names if name not in taken]
    label = pick(left, "label", wanted, where)
    left = [name for name in left if name != label]
    split = pick(left, "split", wanted, where)
    findings: tuple[Finding, ...] = ()
    if split is not None and any(split_of(word) is None for word in set(sheet.texts(split))):
        findings, split = _split_not_used(sheet, split), None
    name = pick([name for name in left if name not in wanted.keep], "id", wanted, where)
    if name is not None and not _is_unique(sheet.texts(name)):
        name = None
    return Roles(label, split, name, findings)


def _split_not_used(sheet: Sheet, name: str) -> tuple[Finding, ...]:
    """Point out a column of splits that has other words as well; one without any split word means something else."""
    words = sheet.texts(name)
    if not any(split_of(word) for word in set(words)):
        return ()
    odd = [word for word in words if split_of(word) is None]
    summary = f"The column '{name}' was not used as the split: {len(odd)} rows say something else, such as '{odd[0]}'."
    advice = "Write train, validation or test into every row, or rename the column if it means something else."
    return (Finding("split-not-used", "warn", (), summary, advice),)


def ids_of(sheet: Sheet, name: str | None) -> list[str]:
    """Give each row's id: the id column, else the file's name and the row number."""
    return sheet.texts(name) if name is not None else [f"{sheet.name}:{row}" for row in sheet.rows]


def optional_texts(sheet: Sheet, name: str | None) -> list[str] | None:
    """Give a column as strings, or None for no column."""
    return None if name is None else sheet.texts(name)


def rest_of(sheet: Sheet, used: Iterable[str | None]) -> dict[str, Column]:
    """Give every column that serves as nothing: the metadata."""
    taken = set(used)
    return {name: sheet.column(name) for name in sheet.names if name not in taken}


def _is_unique(values: list[str]) -> bool:
    return len(set(values)) == len(values) and all(value.strip() for value in values)
