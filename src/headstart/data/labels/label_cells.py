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

from headstart.data.settings import SETTINGS
from headstart.spellings import fold_label

SEPARATORS = (";", "|")
"""Separators of several labels in one cell; a comma only if the user asks for several labels."""
REQUESTED_SEPARATORS = (*SEPARATORS, ",")
DOUBTFUL_SEPARATORS = ("\n", "/", "+", "&", " ")
"""Used only if the user asks for several labels, and if the parts recur in other rows."""
MISSING = frozenset(("", "nan", "NaN", "NAN", "None", "null", "NA", "N/A", "<NA>", "NaT"))
"""Cells beside lists, and items in lists, that mean a missing value."""
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
    r"""Return the labels of a cell that is a list of JSON, Python, numpy or Label Studio; None where it is no list.

    Parameters
    ----------
    cell : str

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
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    items = _read_items(document)
    return None if items is None else ListCell(items, isinstance(document, dict) or _holds_texts(document))


def _holds_texts(items: Sequence[object]) -> bool:
    return all(isinstance(item, str) or item is None for item in items) or isinstance(items[0], dict)


def _read_items(document: object) -> tuple[str, ...] | None:
    if isinstance(document, dict):
        key = next((key for key in _KEYS if key in document), None)
        value = document[key] if key else None
        return (value,) if isinstance(value, str) else _read_items(value) if isinstance(value, list) else None
    if not isinstance(document, list):
        return None
    if document and all(isinstance(item, dict) for item in document):
        parts = [_read_items(item) for item in document]
        return None if None in parts else _strip_items([item for part in parts for item in part or ()])
    if any(isinstance(item, dict | list) for item in document):
        return None
    return _strip_items([_format_label(item) for item in document])


def _format_label(item: object) -> str:
    if item is None or (isinstance(item, float) and math.isnan(item)):
        return ""
    return str(int(item)) if isinstance(item, float) and item.is_integer() else str(item)


def _parse_items(text: str) -> ListCell | None:
    """Parse a list with Python's quotation marks, or without commas as numpy prints it; unquoted words need commas."""
    inner, items, n_unquoted, at, comma = text[1:-1], [], 0, 0, True
    while at < len(inner) and inner[at:].strip():
        matched = _ITEM.match(inner, at)
        if matched is None:
            return None
        quoted = matched[1] or matched[2]
        if quoted is None and not comma and not _is_number(matched[3]):
            return None
        label = _unquote(quoted) if quoted is not None else matched[3]
        if label is None:
            return None
        n_unquoted += quoted is None and label not in MISSING
        items.append("" if quoted is None and label in MISSING else label)
        at, comma = matched.end(), bool(matched[4])
    if text[0] != "[" and (n_unquoted or not items):
        return None
    return ListCell(_strip_items(items), n_unquoted == 0)


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[-+]?\d+\.?\d*", text))


def _unquote(quoted: str) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return str(ast.literal_eval(quoted.replace("\n", " ")))
    except (ValueError, SyntaxError):
        return quoted[1:-1]


def _strip_items(items: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.strip() for item in items if item.strip()))


@dataclass(frozen=True)
class LabelFormat:
    """The format in which a column writes several labels in one cell.

    Parameters
    ----------
    holds_lists : bool
        Whether cells that are lists are split into their items.
    separator : str
        Separator of the names in other cells; empty where each cell is one name.
    known : mapping of str to str
        Known labels by `fold_label`: a cell that is one of them is one label.
    """

    holds_lists: bool = False
    separator: str = ""
    known: Mapping[str, str] | None = None

    def split_cell(self, cell: str) -> frozenset[str]:
        """Return the labels of a cell."""
        if self.known and fold_label(cell) in self.known:
            return frozenset((cell.strip(),))
        items = parse_list(cell) if self.holds_lists else None
        if items is not None:
            return frozenset(items.items)
        if self.holds_lists and cell.strip() in MISSING:
            return frozenset()
        return split_by_separator(cell, self.separator)


def split_by_separator(cell: str, separator: str) -> frozenset[str]:
    """Return the names in a cell.

    Parameters
    ----------
    cell : str
    separator : str
        "": the cell is one name.
    """
    parts = cell.split(separator) if separator else [cell]
    return frozenset(part.strip() for part in parts if part.strip())


def contains_lists(written: Sequence[str]) -> bool:
    """Return whether cells are certainly lists of labels: quoted as in JSON or Python, or a record of choices.

    Parameters
    ----------
    written : sequence of str
        Cells that are not empty.

    Examples
    --------
    >>> contains_lists(['["a", "b"]', "a"]), contains_lists(["[a]", "[b]"]), contains_lists(["a, b", "a"])
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


def are_single_item_lists(written: Sequence[str]) -> bool:
    """Return whether every list has exactly one label.

    Parameters
    ----------
    written : sequence of str
    """
    cells = [parse_list(cell) for cell in written if cell.strip() not in MISSING]
    return all(cell is None or len(cell.items) == 1 for cell in cells)


def find_separator(written: Sequence[str]) -> str | None:
    """Return the separator of several labels, if some rows certainly hold several labels that recur; else None.

    Parameters
    ----------
    written : sequence of str
        Cells that are not empty.
    """
    return next((mark for mark in SEPARATORS if _reduces_vocabulary(written, mark)), None)


def _reduces_vocabulary(written: Sequence[str], mark: str) -> bool:
    sets = [split_by_separator(label, mark) for label in written]
    sizes = {len(labels) for labels in sets}
    several = sum(len(labels) > 1 for labels in sets)
    return (
        several >= SETTINGS.min_label_set_rows
        and len(sizes - {0}) > 1
        and len(frozenset().union(*sets)) < len(set(sets))
    )


def choose_separator(written: Sequence[str], known: Mapping[str, str]) -> str:
    """Return the separator of labels where the user asks for several, or the labels are known.

    Parameters
    ----------
    written : sequence of str
        Cells that are no lists.
    known : mapping of str to str
        Labels of the training data by `fold`; empty where nothing is known.
    """
    marks = [
        mark for mark in (*REQUESTED_SEPARATORS, *DOUBTFUL_SEPARATORS) if any(mark in cell.strip() for cell in written)
    ]
    if known:
        cells = [cell for cell in written if fold_label(cell) not in known]
        hits = {
            mark: sum(fold_label(part) in known for cell in cells for part in split_by_separator(cell, mark))
            for mark in marks
        }
        best = max(marks, key=lambda mark: hits[mark], default="")
        if best and hits[best]:
            return best
    plain = next((mark for mark in REQUESTED_SEPARATORS if mark in marks), None)
    return plain or next((mark for mark in marks if _reduces_vocabulary(written, mark)), SEPARATORS[0])


def split_labels(cell: str, known: Sequence[str]) -> tuple[str, ...]:
    """Return the labels of one cell in the order of known ones, unknown labels last.

    Parameters
    ----------
    cell : str
    known : sequence of str

    Examples
    --------
    >>> split_labels("roads, water", ["water", "roads"]), split_labels('["roads"]', ["water", "roads"])
    (('water', 'roads'), ('roads',))
    """
    by_fold = {fold_label(name): name for name in known}
    lists = parse_list(cell) is not None
    labels = LabelFormat(lists, "" if lists else choose_separator([cell], by_fold), by_fold).split_cell(cell)
    place = {key: at for at, key in enumerate(by_fold)}
    return tuple(sorted(labels, key=lambda label: (place.get(fold_label(label), len(place)), label)))


def find_composite_classes(classes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the classes that are several others written together, such as "a, b" where a and b are classes, too.

    Parameters
    ----------
    classes : sequence of str

    Examples
    --------
    >>> find_composite_classes(["water", "roads", "water, roads", "water/health"])
    {'water, roads': ('water', 'roads')}
    """
    names_alone = Counter(fold_label(name) for name in classes)
    composites: dict[str, tuple[str, ...]] = {}
    for name in classes:
        for mark in (*REQUESTED_SEPARATORS, *DOUBTFUL_SEPARATORS):
            parts = [part.strip() for part in name.split(mark)]
            if len(set(parts)) > 1 and all(parts) and all(fold_label(part) in names_alone for part in parts):
                composites.setdefault(name, tuple(parts))
    return composites
