"""What changed between two versions of a coding frame: codes added, removed, renamed, moved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from headstart.coding_frames import CodingFrame, FrameCode
from headstart.spellings import fold_label

LEAST_LIKENESS = 0.75
"""Names of one parent that are at least so alike (0-1) are one code renamed, if no id says otherwise."""
MOST_COMPARED = 250_000
"""With more pairs of names under one parent none are compared."""
ChangeKind = Literal["added", "removed", "renamed", "moved"]


@dataclass(frozen=True)
class CodeChange:
    """A change of one code.

    Parameters
    ----------
    kind : "added", "removed", "renamed" or "moved"
        A code that was renamed keeps its parent; one that was moved has another.
    old, new : str
        Paths; empty where there is none.
    known_by : "id", "name" or "likeness"
        By what the two were found to be the same code; "" where there is only one.
    """

    kind: ChangeKind
    old: str
    new: str
    known_by: str = ""


def list_code_changes(old: CodingFrame, new: CodingFrame) -> list[CodeChange]:
    """Return what changed: removed codes, then renamed and moved ones, then added ones.

    Codes are the same where their ids are, else where one name stands under another parent, else where names under one
    parent are alike.

    Parameters
    ----------
    old, new : CodingFrame

    Examples
    --------
    >>> old = CodingFrame.from_names(["water > pumps", "food > seed"])
    >>> new = CodingFrame.from_names(["water > pump", "money > seed", "money > loans"])
    >>> for change in list_code_changes(old, new):
    ...     print(change.kind, change.old, "->", change.new)
    moved food > seed -> money > seed
    renamed water > pumps -> water > pump
    added  -> money > loans
    """
    gone = [code for code in old.codes if not _is_kept(code, new)]
    fresh = [code for code in new.codes if not _is_kept(code, old)]
    pairs: list[tuple[FrameCode, FrameCode, str]] = []
    for known_by, keys in (("id", _key_by_id), ("name", _key_by_leaf)):
        pairs += [(first, second, known_by) for first, second in _pair_by_key(gone, fresh, keys)]
        gone, fresh = _leave_out(gone, (pair[0] for pair in pairs)), _leave_out(fresh, (pair[1] for pair in pairs))
    pairs += [(first, second, "likeness") for first, second in _pair_by_likeness(gone, fresh)]
    gone, fresh = _leave_out(gone, (pair[0] for pair in pairs)), _leave_out(fresh, (pair[1] for pair in pairs))
    return [
        *(CodeChange("removed", code.name, "") for code in gone),
        *(
            CodeChange("renamed" if first.path[:-1] == second.path[:-1] else "moved", first.name, second.name, known_by)
            for first, second, known_by in pairs
            if first.path != second.path
        ),
        *(CodeChange("added", "", code.name) for code in fresh),
    ]


def _is_kept(code: FrameCode, frame: CodingFrame) -> bool:
    """Return whether a frame has the same code at the same place."""
    other = frame.by_name.get(code.name)
    return other is not None and (not code.id or not other.id or code.id == other.id)


def _leave_out(codes: Sequence[FrameCode], paired: Iterable[FrameCode]) -> list[FrameCode]:
    names = {code.name for code in paired}
    return [code for code in codes if code.name not in names]


def _key_by_id(code: FrameCode) -> str:
    return code.id


def _key_by_leaf(code: FrameCode) -> str:
    return fold_label(code.path[-1])


def _pair_by_key(
    gone: Sequence[FrameCode], fresh: Sequence[FrameCode], key: Callable[[FrameCode], str]
) -> list[tuple[FrameCode, FrameCode]]:
    """Pair codes of one key that only one old and one new code have."""
    sides: list[dict[str, list[FrameCode]]] = [defaultdict(list), defaultdict(list)]
    for side, codes in zip(sides, (gone, fresh), strict=True):
        for code in codes:
            side[key(code)].append(code)
    return [
        (codes[0], sides[1][name][0])
        for name, codes in sides[0].items()
        if name and len(codes) == 1 and len(sides[1].get(name, ())) == 1
    ]


def _pair_by_likeness(gone: Sequence[FrameCode], fresh: Sequence[FrameCode]) -> list[tuple[FrameCode, FrameCode]]:
    """Pair the codes under one parent whose names are most alike; large groups are left alone."""
    under: dict[tuple[str, ...], list[FrameCode]] = defaultdict(list)
    for code in fresh:
        under[code.path[:-1]].append(code)
    scored = []
    groups: dict[tuple[str, ...], list[FrameCode]] = defaultdict(list)
    for code in gone:
        groups[code.path[:-1]].append(code)
    for parent, codes in groups.items():
        if len(codes) * len(under[parent]) > MOST_COMPARED:
            continue
        scored += [(_measure_likeness(code, other), code, other) for code in codes for other in under[parent]]
    pairs: list[tuple[FrameCode, FrameCode]] = []
    used: set[str] = set()
    for score, code, other in sorted(scored, key=lambda item: -item[0]):
        if score >= LEAST_LIKENESS and not {f"-{code.name}", f"+{other.name}"} & used:
            pairs.append((code, other))
            used |= {f"-{code.name}", f"+{other.name}"}
    return pairs


def _measure_likeness(old: FrameCode, new: FrameCode) -> float:
    """Return how alike the last levels of two codes are, 0 to 1."""
    return SequenceMatcher(None, old.path[-1].casefold(), new.path[-1].casefold(), autojunk=False).ratio()
