"""Names of training rows, kept apart from the bundle: a model that is passed on names nobody.

A bundle remembers some training rows by a key, the beginning of the hash of their content. What the rows are called
stands in `row_names.json` of the run folder, where the bundle was made, and stays there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from headstart.home import read_json, write_json
from headstart.records import Column, Table, make_column

FILE = "row_names.json"
_KEY = re.compile(r"[0-9a-f]{16}")
_KEY_CHARACTERS = 16


def make_row_keys(table: Table) -> Column:
    """Return the key of each row, shape (n_rows,): no more than what `seen.safetensors` holds of it.

    Parameters
    ----------
    table : Table
    """
    return make_column([str(digest)[:_KEY_CHARACTERS] for digest in table.hashes])


def name_rows(table: Table) -> dict[str, str]:
    """Return the names of rows by key; of several rows with one content the first.

    Parameters
    ----------
    table : Table
    """
    names: dict[str, str] = {}
    for key, name in zip(make_row_keys(table), table.ids, strict=True):
        names.setdefault(str(key), str(name))
    return names


def list_copies(tables: Sequence[Table]) -> dict[str, list[str]]:
    """Return all names of contents that stand in several rows, by key: whoever is to be forgotten may be each of them.

    Parameters
    ----------
    tables : sequence of Table
    """
    names: dict[str, list[str]] = {}
    for table in tables:
        for key, name in zip(make_row_keys(table), table.ids, strict=True):
            names.setdefault(str(key), []).append(str(name))
    return {key: several for key, several in names.items() if len(several) > 1}


def write_row_names(names: Mapping[str, str], copies: Mapping[str, Sequence[str]], out: Path) -> None:
    """Write `row_names.json`.

    Parameters
    ----------
    names : mapping of str to str
        By key.
    copies : mapping of str to sequence of str
        Of contents that stand in several rows, by key.
    out : Path
        The run folder.
    """
    write_json(out / FILE, {"format": 1, "names": dict(names), "copies": {key: [*of] for key, of in copies.items()}})


def read_row_names(folder: Path) -> dict[str, str]:
    """Return the names that lie beside a bundle; none where it was passed on, or is of an older version.

    Parameters
    ----------
    folder : Path
        The bundle.
    """
    try:
        document = read_json(folder.resolve().parent / FILE)
    except (OSError, ValueError):
        return {}
    names = document.get("names") if isinstance(document, dict) else None
    return {str(key): str(name) for key, name in names.items()} if isinstance(names, dict) else {}


def is_row_key(name: str) -> bool:
    """Return whether a stored name is a key, which names nobody.

    Parameters
    ----------
    name : str

    Examples
    --------
    >>> is_row_key("0123456789abcdef"), is_row_key("patients.csv:2")
    (True, False)
    """
    return _KEY.fullmatch(name) is not None


def describe_row(name: str, names: Mapping[str, str]) -> str:
    """Return what to call a remembered row.

    Parameters
    ----------
    name : str
        As the bundle stores it: a key, or in bundles of older versions the name itself.
    names : mapping of str to str

    Examples
    --------
    >>> describe_row("0123456789abcdef", {}), describe_row("0123456789abcdef", {"0123456789abcdef": "a.jpg"})
    ('training row 012345', 'a.jpg')
    """
    if name in names:
        return names[name]
    return f"training row {name[:6]}" if is_row_key(name) else name
