"""Several labels in one cell: lists as programs write them, or names with a separator between them."""

from __future__ import annotations

import ast
import json
import math
import re
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headstart.spellings import fold_label

SEPARATORS = (";", "|")
"""What separates several labels of one row; a comma only where the user says that there are several."""
ASKED_SEPARATORS = (*SEPARATORS, ",")
DOUBTFUL_SEPARATORS = ("\n", "/", "+", "&", " ")
"""Taken only where the user says that there are several, and the parts turn up again."""
SEVERAL_ROWS = 3
MISSING = frozenset(("", "nan", "NaN", "NAN", "None", "null", "NA", "N/A", "<NA>", "NaT"))
"""Cells beside lists, and items in them, that say nothing."""
_LONGEST_CELL = 20_000
_WRAPPED = re.compile(
    r"(?:np\.|numpy\.)?(?:array|list|set|frozenset|tuple|Index)\((.*?)(?:,\s*dtype=[^)]*)?\)", re.DOTALL
)
_ITEM = re.compile(
    r"""\s*(?:(?:np\.|numpy\.)?str_\(\s*)?(?:("(?:[^"\\]|\\.)*")|('(?:[^'\\]|\\.)*')|([^\s,"'\[\](){}]+))\s*\)?\s*(,?)""",
    re.DOTALL,
)
_ENDS = {"[": "]", "(": ")", "{": "}"}
_KEYS = ("choices", "labels", "label")


@dataclass(frozen=True)
class ListCell:
    """A cell that is a list: its items, and whether they are quoted, so that it can be nothing else."""

    items: tuple[str, ...]
    is_certain: bool


def parse_list(cell: str) -> ListCell | None:
    r"""Return the labels of a cell that is a list of JSON, Python, numpy or Label Studio; None where it is none.

    Examples
    --------
    >>> [parse_list(cell).items for cell in ('["water", "roads"]', "['it\\'s', 'b']", '{"choices": ["a"]}')]
    [('water', 'roads'), ("it's", 'b'), ('a',)]
    >>> parse_list("water"), parse_list("[]"), parse_list("set()")
    (None, ListCell(items=(), is_certain=True), ListCell(items=(), is_certain=True))
    """
    text = cell.strip()
    wrapped = _WRAPPED.fullmatch(text) if text[-1:] == ")" and text[:1] != "(" else None
    if wrapped and not wrapped[1].strip():
        return ListCell((), True)
    text = (wrapped[1] if wrapped else text).strip()
    if len(text) < 2 or len(text) > _LONGEST_CELL or _ENDS.get(text[0]) != text[-1]:
        return None
    return _parse_json(text) or _parse_items(text)


def _parse_json(text: str) -> ListCell | None:
    if text[0] == "(":
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    items = _items_of(found)
    return None if items is None else ListCell(items, isinstance(found, dict) or _has_texts(found))


def _has_texts(items: Sequence[object]) -> bool:
    return all(isinstance(item, str) or item is None for item in items) or isinstance(items[0], dict)


def _items_of(found: object) -> tuple[str, ...] | None:
    if isinstance(found, dict):
        key = next((key for key in _KEYS if key in found), None)
        value = found[key] if key else None
        return (value,) if isinstance(value, str) else _items_of(value) if isinstance(value, list) else None
    if not isinstance(found, list):
        return None
    if found and all(isinstance(item, dict) for item in found):
        parts = [_items_of(item) for item in found]
        return None if None in parts else _tidied([item for part in parts for item in part or ()])
    if any(isinstance(item, dict | list) for item in found):
        return None
    return _tidied([_as_label(item) for item in found])


def _as_label(item: object) -> str:
    if item is None or (isinstance(item, float) and math.isnan(item)):
        return ""
    return str(int(item)) if isinstance(item, float) and item.is_integer() else str(item)


def _parse_items(text: str) -> ListCell | None:
    """Read a list with Python's quotation marks, or without commas as numpy prints it; bare words need commas."""
    inner, items, bare, at, comma = text[1:-1], [], 0, 0, True
    while at < len(inner) and inner[at:].strip():
        matched = _ITEM.match(inner, at)
        if matched is None:
            return None
        quoted = matched[1] or matched[2]
        if quoted is None and not comma and not _is_number(matched[3]):
            return None
        label = _unquoted(quoted) if quoted is not None else matched[3]
        if label is None:
            return None
        bare += quoted is None and label not in MISSING
        items.append("" if quoted is None and label in MISSING else label)
        at, comma = matched.end(), bool(matched[4])
    if text[0] != "[" and (bare or not items):
        return None
    return ListCell(_tidied(items), bare == 0)


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[-+]?\d+\.?\d*", text))


def _unquoted(quoted: str) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return str(ast.literal_eval(quoted.replace("\n", " ")))
    except (ValueError, SyntaxError):
        return quoted[1:-1]


def _tidied(items: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.strip() for item in items if item.strip()))


@dataclass(frozen=True)
class Writing:
    """How a column writes several labels.

    Parameters
    ----------
    lists : bool
        Cells that are lists are taken apart.
    separator : str
        What separates the names of other cells; empty where each is one name.
    known : mapping of str to str
        Labels that are known already, by `fold`: a cell that is one of them is one label.
    """

    lists: bool = False
    separator: str = ""
    known: Mapping[str, str] | None = None

    def labels_in(self, cell: str) -> frozenset[str]:
        """Return the labels of a cell."""
        if self.known and fold_label(cell) in self.known:
            return frozenset((cell.strip(),))
        items = parse_list(cell) if self.lists else None
        if items is not None:
            return frozenset(items.items)
        if self.lists and cell.strip() in MISSING:
            return frozenset()
        return parts_of(cell, self.separator)


def parts_of(cell: str, separator: str) -> frozenset[str]:
    """Return the names in a cell."""
    parts = cell.split(separator) if separator else [cell]
    return frozenset(part.strip() for part in parts if part.strip())


def has_lists(written: Sequence[str]) -> bool:
    """Whether cells are beyond doubt lists of labels: quoted as JSON or Python do, or in a record of choices.

    Examples
    --------
    >>> has_lists(['["a", "b"]', "a"]), has_lists(["[a]", "[b]"]), has_lists(["a, b", "a"])
    (True, False, False)
    """
    if not any(cell.lstrip()[:1] in {"[", "{", "("} or cell.rstrip()[-1:] == ")" for cell in written):
        return False
    cells = [parse_list(cell) for cell in written if cell.strip() not in MISSING]
    lists = [cell for cell in cells if cell is not None]
    if any(cell.is_certain and cell.items for cell in lists):
        return True
    several = any(len(cell.items) > 1 or all(map(_is_number, cell.items)) for cell in lists if cell.items)
    return len(lists) == len(cells) and several


def are_single(written: Sequence[str]) -> bool:
    """Whether every list has exactly one label."""
    cells = [parse_list(cell) for cell in written if cell.strip() not in MISSING]
    return all(cell is None or len(cell.items) == 1 for cell in cells)


def find_separator(written: Sequence[str]) -> str | None:
    """Return what separates several labels of a row, where some rows beyond doubt hold several of the same ones."""
    return next((mark for mark in SEPARATORS if _makes_fewer(written, mark)), None)


def _makes_fewer(written: Sequence[str], mark: str) -> bool:
    sets = [parts_of(label, mark) for label in written]
    sizes = {len(labels) for labels in sets}
    several = sum(len(labels) > 1 for labels in sets)
    return several >= SEVERAL_ROWS and len(sizes - {0}) > 1 and len(frozenset().union(*sets)) < len(set(sets))


def asked_separator(written: Sequence[str], known: Mapping[str, str]) -> str:
    """Return what separates labels where the user says that there are several, or the model knows which.

    Parameters
    ----------
    written : sequence of str
        Cells that are no lists.
    known : mapping of str to str
        Labels of the training data by `fold`; empty where nothing is known.
    """
    marks = [
        mark for mark in (*ASKED_SEPARATORS, *DOUBTFUL_SEPARATORS) if any(mark in cell.strip() for cell in written)
    ]
    if known:
        cells = [cell for cell in written if fold_label(cell) not in known]
        hits = {
            mark: sum(fold_label(part) in known for cell in cells for part in parts_of(cell, mark)) for mark in marks
        }
        best = max(marks, key=lambda mark: hits[mark], default="")
        if best and hits[best]:
            return best
    plain = next((mark for mark in ASKED_SEPARATORS if mark in marks), None)
    return plain or next((mark for mark in marks if _makes_fewer(written, mark)), SEPARATORS[0])


def split_labels(cell: str, known: Sequence[str]) -> tuple[str, ...]:
    """Return the labels of one cell in the order of known ones, those that are not known last.

    Examples
    --------
    >>> split_labels("roads, water", ["water", "roads"]), split_labels('["roads"]', ["water", "roads"])
    (('water', 'roads'), ('roads',))
    """
    by_fold = {fold_label(name): name for name in known}
    lists = parse_list(cell) is not None
    labels = Writing(lists, "" if lists else asked_separator([cell], by_fold), by_fold).labels_in(cell)
    place = {key: at for at, key in enumerate(by_fold)}
    return tuple(sorted(labels, key=lambda label: (place.get(fold_label(label), len(place)), label)))


def composite_classes(classes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the classes that are several others written together, such as "a, b" where a and b stand alone too.

    Examples
    --------
    >>> composite_classes(["water", "roads", "water, roads", "water/health"])
    {'water, roads': ('water', 'roads')}
    """
    alone = Counter(fold_label(name) for name in classes)
    found: dict[str, tuple[str, ...]] = {}
    for name in classes:
        for mark in (*ASKED_SEPARATORS, *DOUBTFUL_SEPARATORS):
            parts = [part.strip() for part in name.split(mark)]
            if len(set(parts)) > 1 and all(parts) and all(fold_label(part) in alone for part in parts):
                found.setdefault(name, tuple(parts))
    return found
