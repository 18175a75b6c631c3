"""Corrections that people send, kept as a table that `headstart adapt` reads (`--also`); one folder a model.

Only here does anything that a client sends reach the disk, and only where the owner named a folder. Files have the hash
of their content as their name.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import os
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from starlette.requests import Request

from headstart.csv_files import csv_text, guarded, read_csv_rows
from headstart.data.columns.text_columns import text_columns_of
from headstart.data.labels.label_cells import split_labels
from headstart.data.reading.rows import make_encodable
from headstart.errors import OptionError
from headstart.file_locks import lock_file
from headstart.flow.inference.predict_memory import Unusable
from headstart.home import write_text, written_whole
from headstart.options import ServeOptions
from headstart.spellings import match_names
from headstart.web.journal import JOURNAL, Change, Journal
from headstart.web.models import Model
from headstart.web.reading import One, in_order, media_type, one_picture, one_series, one_text, read_form, read_json
from headstart.web.refusals import Refused, busy

MOST_BYTES = 2_000_000_000
"""So much is kept of one model; then no more, so that nobody can fill the disk."""
LOCK, LOCK_SECONDS = ".lock", 10.0
_LONG_LABEL = 200
_SUFFIXES = ((b"\x89PNG", ".png"), (b"\xff\xd8", ".jpg"), (b"GIF8", ".gif"), (b"BM", ".bmp"), (b"RIFF", ".webp"))
_SEND = 'Send {"text": ..., "label": ...}, {"series": [...], "label": ...}, or a form with file and label.'
Cells = Sequence[str]


@dataclass(frozen=True)
class _Kept:
    """One correction on its way to the table: a name made of its content, its input, its label."""

    name: str
    value: Any
    label: str


@dataclass(frozen=True, kw_only=True)
class _Form:
    """How corrections of one modality are kept: table, columns, the rows that one correction is, and back."""

    table: str
    columns: Callable[[Model, Any], list[str]]
    rows: Callable[[_Kept], list[Cells]]
    name: Callable[[Cells], str]
    label: int


def _text_columns(model: Model, value: Any) -> list[str]:
    first, *more = text_columns_of(model.columns) or ("text",)
    return [first, _label_column(model), *more]  # The first holds all of a joined text, which is read alike.


def _series_columns(model: Model, value: Any) -> list[str]:
    unnamed = tuple(f"channel_{row + 1}" for row in range(len(value)))
    return ["series_id", "time", _label_column(model), *(model.channels or unnamed)]


def _label_column(model: Model) -> str:
    return model.columns.get("label", "label")


def _series_rows(kept: _Kept) -> list[Cells]:
    steps = kept.value.T
    cells = [["" if np.isnan(number) else repr(float(number)) for number in step] for step in steps]
    return [[kept.name, str(time), kept.label, *step] for time, step in enumerate(cells)]


def _suffix(content: bytes) -> str:
    return next((suffix for magic, suffix in _SUFFIXES if content.startswith(magic)), ".tif")


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _hash(value: Any) -> str:
    raw: bytes = value.encode("utf-8") if isinstance(value, str) else bytes(value)
    return hashlib.sha256(raw).hexdigest()[:32]


_FORMS: dict[str, _Form] = {
    "image": _Form(
        table="metadata.csv",
        columns=lambda model, value: ["file_name", _label_column(model)],
        rows=lambda kept: [[kept.name + _suffix(kept.value), kept.label]],
        name=lambda cells: cells[0].partition(".")[0],
        label=1,
    ),
    "text": _Form(
        table="corrections.csv",
        columns=_text_columns,
        rows=lambda kept: [[kept.value, kept.label]],
        name=lambda cells: _hash(cells[0]),
        label=1,
    ),
    "series": _Form(
        table="corrections.csv", columns=_series_columns, rows=_series_rows, name=lambda cells: cells[0], label=2
    ),
}


class Corrections:
    """A folder of corrections.

    Parameters
    ----------
    folder : Path
        Made if it is not there.

    Raises
    ------
    OptionError
        It cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tables: dict[str, _Table] = {}
        self._turn = asyncio.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OptionError(
                f"{folder} cannot be made ({error.strerror}).", "Name another with --feedback."
            ) from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OptionError(f"{folder} cannot be written to.", "Name another with --feedback.")

    async def take(self, request: Request, model: Model, limits: ServeOptions) -> int:
        """Keep the correction in a request; gives how many there are of this model.

        Raises
        ------
        Refused
            Input or label cannot be used, or no more can be kept.
        """
        value, label = await _READ[model.modality](request, model, limits)
        if isinstance(value, Unusable):
            raise Refused(422, f"The input cannot be used: {value.reason}.", "Correct it.")
        value = make_encodable(value) if isinstance(value, str) else value
        kept = _Kept(_hash(value), value, _checked(label, model))
        async with self._turn:
            return await asyncio.to_thread(self._store, model, kept)

    def _store(self, model: Model, kept: _Kept) -> int:
        try:
            if model.name not in self._tables:
                self._tables[model.name] = _Table(self.folder / model.name, _FORMS[model.modality])
            return self._tables[model.name].add(model, kept)
        except OSError as error:
            raise Refused(503, f"The correction could not be written ({error.strerror}).", "Tell the owner.",
                          {"Retry-After": "60"}) from error  # fmt: skip
        except (UnicodeDecodeError, csv.Error) as error:
            raise Refused(503, "The table of corrections cannot be read.", "Tell the owner: it should be CSV in UTF-8.",
                          {"Retry-After": "60"}) from error  # fmt: skip


class _Table:
    """The corrections of one model on disk: the newest label of each input. Labels alone are held in memory.

    Several servers may share a folder: each change is made under a lock, on the table as it then is. It is written to
    the journal first, and noted there as done afterwards; who finds a change that is not done makes it.
    """

    def __init__(self, folder: Path, form: _Form) -> None:
        self.folder, self.form = folder, form
        self.path, self.journal = folder / form.table, Journal(folder / JOURNAL)
        folder.mkdir(parents=True, exist_ok=True)
        self.state: tuple[int, ...] | None = None
        self.head: list[str] | None = None
        self.labels: dict[str, str] = {}
        self.n_bytes = 0

    def _catch_up(self) -> None:
        """Read the table again where somebody else wrote it, and make a change that was only written to the journal."""
        state = _state_of(self.path)
        pending = self.journal.read_pending()
        if state != self.state or pending is not None:
            self.n_bytes = sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file())
            self.head, rows = self._read()
            self.labels = {self.form.name(cells): cells[self.form.label] for cells in rows}
        if pending is not None:
            self._rewrite(pending)
            self.journal.mark_done()
        self.state = _state_of(self.path)

    def _read(self) -> tuple[list[str] | None, list[Cells]]:
        if not self.path.is_file():
            return None, []
        with self.path.open(encoding="utf-8-sig", newline="") as handle:  # Spreadsheets put a mark before the head.
            head, *rows = read_csv_rows(handle) or [[]]
        return head or None, [cells for cells in rows if len(cells) == len(head)]

    def add(self, model: Model, kept: _Kept) -> int:
        """Write one correction; a second one of the same input takes the place of the first."""
        with lock_file(self.folder / LOCK, LOCK_SECONDS) as acquired:
            if not acquired:
                raise busy("Another server is writing to the folder of corrections.")
            self._catch_up()
            return self._add(model, kept)

    def _add(self, model: Model, kept: _Kept) -> int:
        head = self.form.columns(model, kept.value)
        change = Change(head, [[*row, *[""] * (len(head) - len(row))] for row in self.form.rows(kept)])
        if self.head is not None and change.head != self.head:
            raise Refused(422, f"The corrections so far have the columns {', '.join(self.head)}.", "Send those.")
        if self.n_bytes > MOST_BYTES:
            raise Refused(403, "The folder of corrections is full.", "Adapt with them, and empty it.")
        if isinstance(kept.value, bytes):
            self._write_file(change.rows[0][0], kept.value)
        before = self.labels.get(kept.name)
        if before != kept.label:
            self._make(change, is_new=self.head is not None and before is None)
        self.head, self.labels[kept.name], self.state = change.head, kept.label, _state_of(self.path)
        return len(self.labels)

    def _make(self, change: Change, is_new: bool) -> None:
        """Make a change, journal first; both files count for the limit, since each change makes the journal longer."""
        size = _size_of(self.path) + _size_of(self.journal.path)
        self.journal.write(change)
        if is_new:
            self._append(change.rows)
        else:
            self._rewrite(change)
        self.journal.mark_done()
        self.n_bytes += _size_of(self.path) + _size_of(self.journal.path) - size

    def _rewrite(self, change: Change) -> None:
        """Write the whole table with a change in it."""
        name = self.form.name(change.rows[0])
        others = [cells for cells in self._read()[1] if self.form.name(cells) != name]
        write_text(self.path, csv_text([change.head, *others, *change.rows]))
        self.head, self.labels[name] = change.head, change.rows[0][self.form.label]

    def _append(self, rows: Sequence[Cells]) -> None:
        text = csv_text(rows).encode("utf-8")
        before = self.path.stat().st_size
        try:
            with self.path.open("r+b") as handle:
                handle.seek(-1, os.SEEK_END)
                whole = handle.read(1) == b"\n"
                handle.write(text if whole else b"\n" + text)
                handle.flush()
                os.fsync(handle.fileno())
        except OSError:  # The disk is full, say: no half of a row may stay.
            os.truncate(self.path, before)
            raise

    def _write_file(self, name: str, content: bytes) -> None:
        path = self.folder / name
        if not path.exists():
            with written_whole(path) as partial:
                partial.write_bytes(content)
            self.n_bytes += len(content)


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _state_of(path: Path) -> tuple[int, ...] | None:
    """Return what changes when a file is written; None where there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _checked(label: Any, model: Model) -> str:
    """Give a label that can be written and learnt from."""
    text = label.strip() if isinstance(label, str) else ""
    if not text or len(text) > _LONG_LABEL or any(unicodedata.category(mark)[0] == "C" for mark in text):
        raise Refused(422, f"The label is no text of 1 to {_LONG_LABEL} characters.", "Name the right label.")
    return _LABELS.get(model.task, _class)(text, model)


def _spelled(text: str, model: Model) -> str:
    """Return a label in the spelling of the model, where it is one of its labels."""
    return match_names([text], model.classes, merge=True).renamed.get(text, text)


def _several(text: str, model: Model) -> str:
    """Return several labels in the spelling of the model, however they are written."""
    parts = split_labels(text, model.classes)
    return ";".join(_spelled(part, model) for part in parts) if parts else text


def _class(text: str, model: Model) -> str:
    text = _spelled(text, model)
    if guarded(text) != text and text not in model.classes:
        raise Refused(422, "The label looks like a formula.", "Begin it with a letter or a digit.")
    return text


def _grade(text: str, model: Model) -> str:
    text = _spelled(text, model)
    if text not in model.classes:
        raise Refused(422, "The label is none of the grades.", f"Known: {', '.join(model.classes[:20])}.")
    return text


def _number(text: str, model: Model) -> str:
    if not _is_number(text):
        raise Refused(422, "The label is no number.", "Write it like 12.5.")
    return text


_LABELS: dict[str, Callable[[str, Model], str]] = {
    "ordinal": _grade,
    "regression": _number,
    "multi-label": lambda text, model: _class(_several(text, model), model),
}


async def _from_json(request: Request, model: Model, limits: ServeOptions, field: str) -> Any:
    if media_type(request) != "application/json":
        raise Refused(415, "This model's corrections come as JSON.", _SEND)
    document = await read_json(request, model, limits)
    if not isinstance(document, dict) or field not in document or "label" not in document:
        raise Refused(422, f"There is no {field} with a label.", _SEND)
    value = document[field]
    found = in_order(value, model.channels) if field == "series" else value
    kept = found if isinstance(found, Unusable) else _ONE[field](found, limits)
    return _writable(kept), document["label"]


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        value = value.encode("utf-8", "replace").decode("utf-8").replace("\x00", "").replace("\r\n", "\n")
        return value if value.strip() else Unusable("the text is empty")
    if isinstance(value, np.ndarray) and not np.isfinite(value).any():
        return Unusable("it has no values")
    return value


_ONE: dict[str, One] = {"text": one_text, "series": one_series}


async def _text(request: Request, model: Model, limits: ServeOptions) -> Any:
    return await _from_json(request, model, limits, "text")


async def _series(request: Request, model: Model, limits: ServeOptions) -> Any:
    return await _from_json(request, model, limits, "series")


async def _picture(request: Request, model: Model, limits: ServeOptions) -> Any:
    if media_type(request) != "multipart/form-data":
        raise Refused(415, "This model's corrections come as a form.", _SEND)
    parts = await read_form(request, limits)
    contents = [value[1] for _, value in parts if not isinstance(value, str)]
    labels = [value for name, value in parts if name == "label" and isinstance(value, str)]
    if len(contents) != 1 or len(labels) != 1:
        raise Refused(422, "The form does not hold one file and one label.", _SEND)
    return await asyncio.to_thread(one_picture, contents[0], limits), labels[0]


_READ = {"image": _picture, "text": _text, "series": _series}
