"""Rows in the folder of a run: previews, rows of the report, predictions, names, the page itself."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

from headstart.bundle.row_names import FILE as NAMES
from headstart.csv_files import format_csv, read_csv_rows
from headstart.flow.forgetting.person_rows import PersonRows
from headstart.flow.reporting import PREVIEWS, ROWS, rewrite_report
from headstart.flow.scoring.scored_rows import FILE as SCORED_ROWS
from headstart.home import read_json, write_text
from headstart.options import ReportOptions, parse
from headstart.report.messages import LANGUAGES
from headstart.results import Result

RESULT, PREDICTIONS = "result.json", "test_predictions.csv"
_NAMING_KEYS = ("id", "row", "input")
_LANGUAGE = re.compile(r'<html lang="([a-z]+)"')


def forget_in_run(folder: Path, person: PersonRows, apply: bool) -> int:
    """Remove rows from the files of a run and write its report again.

    Parameters
    ----------
    folder : Path
        The output folder of `adapt`.
    person : PersonRows
        With what the run knows of the rows.
    apply : bool
        False: only count.

    Returns
    -------
    int
        Places in which they stand (or stood).
    """
    changed: dict[str, str] = {}
    n_places = 0
    for name in (PREVIEWS, ROWS, NAMES, RESULT):
        try:
            document = read_json(folder / name)
        except (OSError, ValueError):
            continue
        cleaned, n_here = remove_rows(document, person)
        if n_here:
            if name == RESULT:
                Result.model_validate(cleaned)
            changed[name] = json.dumps(cleaned, ensure_ascii=True, indent=2 if name == RESULT else None) + "\n"
            n_places += n_here
    n_lines, text = _remove_predictions(folder / PREDICTIONS, person)
    if n_lines:
        changed[PREDICTIONS] = text
    if apply and changed:
        for name, content in changed.items():
            write_text(folder / name, content)
        (folder / SCORED_ROWS).unlink(missing_ok=True)  # In the order of the predictions, of which rows are gone now.
        shutil.rmtree(folder / "run" / "rungs", ignore_errors=True)  # Fitted models: a next run fits them anew.
        if (folder / RESULT).is_file():
            rewrite_report(folder, None, parse(ReportOptions, language=_find_language(folder)))
    return n_places + n_lines


def remove_rows(document: Any, person: PersonRows) -> tuple[Any, int]:
    """Return a JSON document without what names one of the rows, and in how many places one stood.

    Parameters
    ----------
    document : what JSON gave
    person : PersonRows

    Examples
    --------
    >>> document = {"rows": [{"id": "a"}, {"id": "b"}], "examples": {"x": ["a", "b"]}, "previews": {"a": 1}, "n": 2}
    >>> remove_rows(document, PersonRows(frozenset("a"), frozenset()))
    ({'rows': [{'id': 'b'}], 'examples': {'x': ['b']}, 'previews': {}, 'n': 2}, 3)
    """
    if isinstance(document, list):
        pairs = [remove_rows(item, person) for item in document if not _names_row(item, person)]
        return [item for item, _ in pairs], len(document) - len(pairs) + sum(n for _, n in pairs)
    if isinstance(document, dict):
        left = {key: remove_rows(item, person) for key, item in document.items() if not _is_entry(key, item, person)}
        n_places = len(document) - len(left) + sum(n for _, n in left.values())
        return {key: item for key, (item, _) in left.items()}, n_places
    return document, 0


def _names_row(item: object, person: PersonRows) -> bool:
    if isinstance(item, str):
        return item in person.ids
    return isinstance(item, dict) and any(str(item.get(key)) in person.ids for key in _NAMING_KEYS)


def _is_entry(key: str, item: object, person: PersonRows) -> bool:
    """Return whether an entry of a mapping is about a row: a preview by its name, a name or several by their key."""
    return key in person.ids or (key in person.keys and isinstance(item, str | list))


def _remove_predictions(path: Path, person: PersonRows) -> tuple[int, str]:
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            rows = read_csv_rows(handle)
    except (OSError, UnicodeDecodeError, csv.Error):
        return 0, ""
    left = [row for number, row in enumerate(rows) if number == 0 or not row or row[0] not in person.ids]
    return len(rows) - len(left), format_csv(left)


def _find_language(folder: Path) -> str:
    try:
        with (folder / "report.html").open(encoding="utf-8") as handle:
            match = _LANGUAGE.search(handle.read(2_000))
    except (OSError, UnicodeDecodeError):
        return "auto"
    return match.group(1) if match and match.group(1) in LANGUAGES else "auto"
