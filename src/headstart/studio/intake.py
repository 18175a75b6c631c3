"""Files that come to a project: gathered in a folder under numbers, made ready to be read, or thrown away whole.

A set that is not finished lies in `originals/N.partial` and is no data; a set that is finished never changes. Names
from elsewhere stand in a list beside the files (`headstart.data.reading.stored_names`) and never become paths.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import threading
import time
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from headstart import home
from headstart.csv_files import write_csv_rows
from headstart.data.reading.archive import unpack
from headstart.data.reading.decoding import read_text_file
from headstart.data.reading.stored_names import clean_name, write_names
from headstart.data.reading.tree import list_tree
from headstart.errors import DataError
from headstart.http.errors import RequestRefused
from headstart.projects.places import ORIGINALS

_PARTIAL, _LIST = ".partial", "names.jsonl"
_LIST_LOCK = threading.Lock()
"""Several requests of one page write to a list at once."""
_SUFFIX = re.compile(r"\.[a-z0-9]{1,12}")
_LINE_FILE = ".txt"


def begin_set(project_folder: Path) -> int:
    """Make the folder of a new set and return its number; what was left of broken uploads goes.

    Parameters
    ----------
    project_folder : Path
    """
    originals = project_folder / ORIGINALS
    originals.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(originals)
    while True:
        taken = [int(place.name.split(".")[0]) for place in originals.iterdir() if place.name.split(".")[0].isdecimal()]
        number = max(taken, default=0) + 1
        try:
            (originals / f"{number}{_PARTIAL}").mkdir()
            return number
        except FileExistsError:  # Another page was faster.
            continue


def find_open_set(project_folder: Path, number: int) -> Path:
    """Return the folder of a set that is not finished.

    Parameters
    ----------
    project_folder : Path
    number : int

    Raises
    ------
    RequestRefused
        404: there is none.
    """
    folder = project_folder / ORIGINALS / f"{number}{_PARTIAL}"
    if not folder.is_dir():
        raise RequestRefused(404, "This upload was finished or thrown away.", "Add the files again.")
    return folder


def note_file(folder: Path, stored: Path, name: str) -> None:
    """Write down by which name people know a file of a set.

    Parameters
    ----------
    folder : Path
    stored : Path
        The file, in `folder`.
    name : str
        With the folders it lay in, such as "rust/leaf 3.jpg".
    """
    with _LIST_LOCK, (folder / _LIST).open("a", encoding="utf-8") as handle:
        handle.write(json.dumps([stored.name, name]) + "\n")


def store_batch(folder: Path, body: bytes) -> int:
    """Write many small files that came in one request; return how many.

    Parameters
    ----------
    folder : Path
        Of a set that is not finished.
    body : bytes
        A line of JSON, a list of names with their numbers of bytes, and then the contents one behind the other.

    Raises
    ------
    RequestRefused
        422: it is not made like this.
    """
    head, _, content = body.partition(b"\n")
    try:
        files = [(str(name), int(n_bytes)) for name, n_bytes in json.loads(head)]
    except (ValueError, TypeError) as error:
        raise RequestRefused(422, "The batch of files cannot be read.", "Load the page again.") from error
    if min((n_bytes for _, n_bytes in files), default=0) < 0 or sum(n for _, n in files) != len(content):
        raise RequestRefused(422, "The batch of files is not whole.", "Add the files again.")
    start = 0
    for name, n_bytes in files:
        suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower()
        place = folder / f"{uuid.uuid4().hex}{suffix if _SUFFIX.fullmatch(suffix) else ''}"
        place.write_bytes(content[start : start + n_bytes])
        note_file(folder, place, name)
        start += n_bytes
    return len(files)


def cancel_set(project_folder: Path, number: int) -> None:
    """Throw a set away that is not finished.

    Parameters
    ----------
    project_folder : Path
    number : int
    """
    shutil.rmtree(project_folder / ORIGINALS / f"{number}{_PARTIAL}", ignore_errors=True)


def finish_set(project_folder: Path, number: int) -> Path:
    """Unpack the zips of a set, write its list of names, and return its final folder.

    Parameters
    ----------
    project_folder : Path
    number : int

    Raises
    ------
    RequestRefused
        404: there is no such set.
    DataError
        It is empty, or a zip cannot be unpacked. The set is gone then.
    """
    folder = find_open_set(project_folder, number)
    names = _read_list(folder)
    try:
        for stored, name in list(names.items()):
            if stored.suffix == ".zip":
                names |= _unpack_zip(folder, names, stored, name)
            elif stored.suffix == _LINE_FILE and len(names) == 1:
                names = _convert_lines(folder, stored, name)
        if not names:
            raise DataError("Nothing was sent.", "Choose at least one file.")
        write_names(folder, {place.name: str(name) for place, name in _strip_folder(names).items()})
        (folder / _LIST).unlink(missing_ok=True)
        return folder.rename(folder.with_suffix(""))
    except DataError as error:
        cancel_set(project_folder, number)
        raise DataError(_name_files(error.problem, names), error.hint) from error
    except OSError:
        cancel_set(project_folder, number)
        raise


def _name_files(text: str, names: dict[Path, PurePosixPath]) -> str:
    for stored, name in names.items():
        text = text.replace(str(stored), str(name))
    return text


def write_paste(folder: Path, text: str) -> None:
    """Write a pasted text into a set: one message a line, or the cells of a sheet.

    Parameters
    ----------
    folder : Path
    text : str
    """
    lines = [line for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    has_cells = len(lines) > 1 and all(line.count("\t") == lines[0].count("\t") > 0 for line in lines)
    rows = csv.reader(lines, delimiter="\t") if has_cells else [["text"], *([line.strip()] for line in lines)]
    note_file(folder, _write_rows(folder, rows), "pasted.csv")


def _write_rows(folder: Path, rows: Iterable[Sequence[str]]) -> Path:
    place = folder / f"{uuid.uuid4().hex}.csv"
    with place.open("w", newline="", encoding="utf-8") as handle:
        write_csv_rows(handle, rows)
    return place


def _convert_lines(folder: Path, stored: Path, name: PurePosixPath) -> dict[Path, PurePosixPath]:
    """Return a file of plain lines as a table with a message a row; a file of cells stays as it is."""
    text, _ = read_text_file(folder / stored.name)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) < 2 or all(re.search(r"[\t;|]", line) for line in lines):
        return {stored: name}
    return {_write_rows(folder, [["text"], *([line] for line in lines)]): name.with_suffix(".csv")}


def _read_list(folder: Path) -> dict[Path, PurePosixPath]:
    """Return the files of a set with their names, each name once."""
    place = folder / _LIST
    lines = place.read_text(encoding="utf-8").splitlines() if place.exists() else []
    names: dict[Path, PurePosixPath] = {}
    taken: set[PurePosixPath] = set()
    for number, line in enumerate(lines, start=1):
        stored, name = json.loads(line)
        cleaned = clean_name(name) or PurePosixPath(f"file {number}")
        while cleaned in taken:
            cleaned = cleaned.with_stem(f"{cleaned.stem} ({number})")
        taken.add(cleaned)
        names[folder / Path(stored).name] = cleaned  # The list may come from elsewhere, in a copy of a project.
    return names


def _unpack_zip(
    folder: Path, names: dict[Path, PurePosixPath], stored: Path, name: PurePosixPath
) -> dict[Path, PurePosixPath]:
    """Move the files of a zip into the set under numbers, and let go of the zip."""
    unpacked = unpack(stored)
    tree = list_tree(unpacked)
    is_alone = len(names) == 1
    del names[stored]
    moved: dict[Path, PurePosixPath] = {}
    for file in tree.files:
        suffix = file.suffix.lower()
        place = folder / f"{uuid.uuid4().hex}{suffix if _SUFFIX.fullmatch(suffix) else ''}"
        shutil.move(tree.locate(file), place)
        moved[place] = (clean_name(str(file)) or PurePosixPath("file")) if is_alone else name.with_suffix("") / file
    shutil.rmtree(unpacked, ignore_errors=True)
    stored.unlink()
    return moved


def _strip_folder(names: dict[Path, PurePosixPath]) -> dict[Path, PurePosixPath]:
    """Take the folder off in which all files lie, as its own name says nothing: "leaves/rust/1.jpg" is "rust/1.jpg"."""
    while len({name.parts[0] for name in names.values()}) == 1 and all(len(name.parts) > 1 for name in names.values()):
        names = {place: PurePosixPath(*name.parts[1:]) for place, name in names.items()}
    return names


def _remove_leftovers(originals: Path) -> None:
    """Remove sets that nobody wrote to for hours: their page was closed, or the computer went off."""
    for place in originals.glob(f"*{_PARTIAL}"):
        if time.time() - place.stat().st_mtime > home.LEFTOVER_SECONDS:
            shutil.rmtree(place, ignore_errors=True)
