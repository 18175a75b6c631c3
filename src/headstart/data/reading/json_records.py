"""Tables of JSON: an object a line, or an array of objects. Objects that cannot be read are set aside by line."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headstart.data.columns.cells import format_cell, make_header_names
from headstart.data.reading.decoding import find_encoding, read_lines, read_text_file
from headstart.data.reading.raw_table import RawTable
from headstart.data.reading.table_limits import LIMITS, require_bytes, require_size
from headstart.errors import DataError, list_offenders
from headstart.records import Finding, SetAside, make_column

_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
"""Half a character, which JSON can say and UTF-8 cannot."""


@dataclass
class _JsonObjects:
    """The objects of a file with their lines, and what is no object."""

    items: list[dict[str, Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    rejected: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, item: object) -> None:
        """Add an object, or note that it is none."""
        if isinstance(item, dict):
            self.items.append(item)
            self.lines.append(line)
        else:
            self.rejected.append((line, "it is not an object in braces"))


def read_json_lines(path: Path, encoding: str | None) -> RawTable:
    """Read an object a line.

    Parameters
    ----------
    path : Path
    encoding : str, optional

    Raises
    ------
    DataError
        Most lines are no objects.
    """
    decoding = find_encoding(path, encoding)
    objects, n_lines = _JsonObjects(), 0
    for number, line in enumerate(read_lines(path, decoding.text_format), start=1):
        n_lines = number
        text = line.lstrip("\ufeff").replace("\0", "")
        if not text.strip():
            continue
        if number == 1 and text.strip() == "[":
            return read_json(path, encoding)
        try:
            objects.add(number, _parse(text))
        except ValueError as error:
            objects.rejected.append((number, str(error)))
    return _build_raw_table(path, objects, decoding.findings, n_lines)


def read_json(path: Path, encoding: str | None) -> RawTable:
    """Read an array of objects, an object that holds one such array, or an object a line.

    Parameters
    ----------
    path : Path
    encoding : str, optional

    Raises
    ------
    DataError
        The file is no JSON, or holds no array of objects.
    """
    require_bytes(path, path.stat().st_size, LIMITS.json_bytes)
    text, findings = read_text_file(path, encoding)
    try:
        document = _parse(text)
    except ValueError as error:
        if text.lstrip().startswith("{") and "\n" in text.strip():
            return read_json_lines(path, encoding)
        raise DataError(f"{path}: the file is no JSON ({error}).", _ARRAY_HINT) from error
    items = document if isinstance(document, list) else _find_only_list(document)
    if items is None:
        raise DataError(f"{path} holds one object, not an array of objects.", _ARRAY_HINT)
    objects = _JsonObjects()
    for number, item in enumerate(items, start=1):
        objects.add(number, item)
    if any({"annotations", "data"} <= item.keys() for item in objects.items[:1]):
        raise DataError(
            f"{path} is a full export of Label Studio, whose labels are nested.", "Export it as JSON-MIN or CSV."
        )
    return _build_raw_table(path, objects, findings, 0)


_ARRAY_HINT = (
    'Write an array of objects, [{"text": ..., "label": ...}, ...], or one object a line (.jsonl); '
    "of pandas: to_json(orient='records')."
)


def _find_only_list(document: object) -> list[Any] | None:
    """Return the one list of objects that an object holds."""
    values = document.values() if isinstance(document, dict) else ()
    object_lists = [value for value in values if isinstance(value, list) and value and isinstance(value[0], dict)]
    return object_lists[0] if len(object_lists) == 1 else None


def _parse(text: str) -> Any:
    """Parse JSON.

    Raises
    ------
    ValueError
        The text is no JSON, nested without end, or holds a number of very many digits.
    """
    try:
        return json.loads(text, parse_int=_parse_int)
    except json.JSONDecodeError as error:
        raise ValueError(error.msg) from error
    except RecursionError as error:
        raise ValueError("nested without end") from error


def _parse_int(digits: str) -> int:
    if len(digits) > LIMITS.json_number_digits:
        raise ValueError(f"it holds a number of {len(digits):,} digits")
    return int(digits)


def _build_raw_table(path: Path, objects: _JsonObjects, findings: tuple[Finding, ...], n_lines: int) -> RawTable:
    if len(objects.rejected) > len(objects.items):
        n_all = len(objects.rejected) + len(objects.items)
        rejected_lines = [f"line {line}: {reason}" for line, reason in objects.rejected]
        raise DataError(
            f"{path}: {len(rejected_lines)} of {n_all} lines are not JSON objects ({list_offenders(rejected_lines)}).",
            _ARRAY_HINT,
        )
    keys = list(dict.fromkeys(name for item in objects.items for name in item))
    n_cells = sum(map(len, objects.items))
    if len(keys) > LIMITS.json_keys and n_cells < LIMITS.json_filled_share * len(keys) * len(objects.items):
        raise DataError(
            f"{path}: its {len(objects.items):,} objects have {len(keys):,} different keys.",
            "Give all objects the same keys, such as text and label.",
        )
    require_size(path, len(objects.items), len(keys))
    names = make_header_names([_HALF_CHARACTER.sub("\ufffd", name) for name in keys])
    columns = {
        name: make_column([_HALF_CHARACTER.sub("\ufffd", format_cell(item.get(key))) for item in objects.items])
        for name, key in zip(names, keys, strict=True)
    }
    set_aside = tuple(SetAside(f"{path.name}:{line}", reason) for line, reason in objects.rejected)
    return RawTable(
        name=path.name, columns=columns, rows=objects.lines, set_aside=set_aside, findings=findings, n_lines=n_lines
    )
