"""Examples of a project that are worth a look before anything is learnt: copies, empty, dark, blurred, private ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from headstart import data
from headstart.data.grouping.personal import holds_private
from headstart.data.row_facts import describe_rows
from headstart.modalities import MODALITIES
from headstart.modalities.content import find_content_fault
from headstart.modalities.settings import SETTINGS as CONTENT_SETTINGS
from headstart.projects import Example, ExampleFilter, Project
from headstart.records import Table, make_column

UNREADABLE, COPIES, NEAR_COPIES, PRIVATE = "unreadable", "copies", "near-copies", "private"
CONTENT_FAULTS = (
    "too_small", "too_dark", "too_bright", "one_colour", "too_blurred", "no_words", "no_values", "constant",
)  # fmt: skip
"""Faults of `headstart.modalities.content`, in the order in which they are shown."""
CODES = (UNREADABLE, COPIES, NEAR_COPIES, *CONTENT_FAULTS, PRIVATE)
SETTING = "doubtful"
"""Under which a project keeps what was found: ids by code."""


def find_doubtful_examples(project: Project, seed: int = 0) -> dict[str, list[int]]:
    """Look at every example of a project, and keep the ids of the doubtful ones in the project, by code.

    Parameters
    ----------
    project : Project
    seed : int
        Of the sample that is compared where there are too many for near copies.

    Returns
    -------
    dict of str to list of int
        Of copies all but the first one of each set, near copies likewise; only codes that occur, as in `CODES`.
    """
    examples = list(project.iterate_examples(ExampleFilter(state="in")))
    ids_by_code: dict[str, list[int]] = {UNREADABLE: _list_unreadable(project)}
    readable = [example for example in examples if example.content_hash]
    if readable:
        table = _make_table(str(project.get_setting("modality", "")), readable)
        ids_by_code |= _find_copies(table, seed)
        ids_by_code |= _find_faults(table)
    doubtful = {code: ids_by_code[code] for code in CODES if ids_by_code.get(code)}
    project.set_setting(SETTING, doubtful)
    return doubtful


def list_doubtful(project: Project) -> Mapping[str, list[int]]:
    """Return what the last look found, without looking again; empty where nobody looked yet.

    Parameters
    ----------
    project : Project
    """
    stored: Any = project.get_setting(SETTING, {})
    return {code: stored[code] for code in CODES if stored.get(code)}


def dismiss_doubtful(project: Project, code: str) -> None:
    """Keep the examples of a doubt without further questions.

    Parameters
    ----------
    project : Project
    code : str
        One of `CODES`.
    """
    project.set_setting(SETTING, {name: ids for name, ids in list_doubtful(project).items() if name != code})


def _list_unreadable(project: Project) -> list[int]:
    """Return examples that were left out when they were added, as they cannot be read."""
    return [
        example.id for example in project.iterate_examples(ExampleFilter(state="left_out")) if not example.content_hash
    ]


def _make_table(modality: str, examples: Sequence[Example]) -> Table:
    return Table(
        modality=modality,
        ids=make_column([str(example.id) for example in examples]),
        inputs=make_column([example.input for example in examples]),
        hashes=make_column([example.content_hash for example in examples]),
        labels=None,
        splits=make_column([""] * len(examples)),
    )


def _find_copies(table: Table, seed: int) -> dict[str, list[int]]:
    """Return all but the first of each set of copies; a near copy that is a copy is one."""
    first_seen: set[str] = set()
    copies = []
    for row, digest in enumerate(table.hashes):
        copies += [row] if digest in first_seen else []
        first_seen.add(digest)
    unique = table.take(np.setdiff1d(np.arange(len(table)), copies).astype(np.intp))
    groups = data.add_near_duplicate_groups(unique, seed).near_duplicate_groups
    seen: set[str] = set()
    near = []
    for row, group in enumerate(groups if groups is not None else ()):
        near += [int(unique.ids[row])] if group and group in seen else []
        seen.add(group)
    return {COPIES: [int(table.ids[row]) for row in copies], NEAR_COPIES: near}


def _find_faults(table: Table) -> dict[str, list[int]]:
    limits = asdict(CONTENT_SETTINGS)
    ids_by_fault: dict[str, list[int]] = {}
    for number, facts in zip(table.ids, describe_rows(table), strict=True):
        fault = find_content_fault(facts.content, limits)
        if fault:
            ids_by_fault.setdefault(fault, []).append(int(number))
    if MODALITIES[table.modality].has_words:
        ids_by_fault[PRIVATE] = [
            int(table.ids[row]) for row, text in enumerate(table.inputs) if holds_private(str(text))
        ]
    return ids_by_fault
