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

from headstart.csv_files import format_csv, guard_cell, read_csv_rows
from headstart.data.columns.text_columns import list_text_columns
from headstart.data.labels.label_cells import split_labels
from headstart.data.reading.rows import make_encodable
from headstart.errors import OptionError
from headstart.file_locks import lock_file
from headstart.flow.inference.predict_memory import UnusableInput
from headstart.home import write_text, write_whole
from headstart.http.errors import RequestRefused, make_busy_error
from headstart.http.uploads import check_image, read_form, read_json, read_media_type
from headstart.options import ServeOptions
from headstart.projects import Project, is_project
from headstart.spellings import match_names
from headstart.web.bodies import SeriesCorrection, TextCorrection, parse_body
from headstart.web.journal import JOURNAL, Change, Journal
from headstart.web.models import ServedModel
from headstart.web.project_feedback import ProjectCorrections
from headstart.web.request_inputs import CheckInput, check_series, check_text, order_channels

MAX_FOLDER_BYTES = 2_000_000_000
"""So much is kept of one model; then no more, so that nobody can fill the disk."""
LOCK, LOCK_SECONDS = ".lock", 10.0
_LONG_LABEL = 200
_SUFFIXES = ((b"\x89PNG", ".png"), (b"\xff\xd8", ".jpg"), (b"GIF8", ".gif"), (b"BM", ".bmp"), (b"RIFF", ".webp"))
_SEND = 'Send {"text": ..., "label": ...}, {"series": [...], "label": ...}, or a form with file and label.'
Cells = Sequence[str]


@dataclass(frozen=True)
class _Correction:
    """Correction on its way to the table: a name made of its content, its input, its label."""

    name: str
    value: Any
    label: str


@dataclass(frozen=True, kw_only=True)
class _CorrectionFormat:
    """Format of the corrections of a modality: table, columns, rows of a correction, and back."""

    table: str
    columns: Callable[[ServedModel, Any], list[str]]
    rows: Callable[[_Correction], list[Cells]]
    name: Callable[[Cells], str]
    label: int


def _list_text_columns(model: ServedModel, value: Any) -> list[str]:
    first, *more = list_text_columns(model.columns) or ("text",)
    return [first, _find_label_column(model), *more]  # The first holds all of a joined text, which is read alike.


def _list_series_columns(model: ServedModel, value: Any) -> list[str]:
    unnamed = tuple(f"channel_{row + 1}" for row in range(len(value)))
    return ["series_id", "time", _find_label_column(model), *(model.channels or unnamed)]


def _find_label_column(model: ServedModel) -> str:
    return model.columns.get("label", "label")


def _write_series_rows(correction: _Correction) -> list[Cells]:
    steps = correction.value.T
    cells = [["" if np.isnan(number) else repr(float(number)) for number in step] for step in steps]
    return [[correction.name, str(time), correction.label, *step] for time, step in enumerate(cells)]


def _choose_suffix(content: bytes) -> str:
    return next((suffix for magic, suffix in _SUFFIXES if content.startswith(magic)), ".tif")


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _hash_content(value: Any) -> str:
    raw: bytes = value.encode("utf-8") if isinstance(value, str) else bytes(value)
    return hashlib.sha256(raw).hexdigest()[:32]


_FORMS: dict[str, _CorrectionFormat] = {
    "image": _CorrectionFormat(
        table="metadata.csv",
        columns=lambda model, value: ["file_name", _find_label_column(model)],
        rows=lambda one: [[one.name + _choose_suffix(one.value), one.label]],
        name=lambda cells: cells[0].partition(".")[0],
        label=1,
    ),
    "text": _CorrectionFormat(
        table="corrections.csv",
        columns=_list_text_columns,
        rows=lambda one: [[one.value, one.label]],
        name=lambda cells: _hash_content(cells[0]),
        label=1,
    ),
    "series": _CorrectionFormat(
        table="corrections.csv",
        columns=_list_series_columns,
        rows=_write_series_rows,
        name=lambda cells: cells[0],
        label=2,
    ),
}


class CorrectionStore:
    """A folder of corrections, or a project that takes them into its journal.

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
        self._tables: dict[str, _CorrectionTable] = {}
        self._turn = asyncio.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OptionError(
                f"{folder} cannot be made ({error.strerror}).", "Name another with --feedback."
            ) from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OptionError(f"{folder} cannot be written to.", "Name another with --feedback.")
        self._project: ProjectCorrections | None = None
        if is_project(folder):
            self._project = ProjectCorrections(Project.open(folder), _choose_suffix, MAX_FOLDER_BYTES)

    async def take(self, request: Request, model: ServedModel, limits: ServeOptions) -> int:
        """Keep the correction in a request; gives how many there are of this model.

        Raises
        ------
        RequestRefused
            Input or label cannot be used, or no more can be kept.
        """
        value, label = await _READ[model.modality](request, model, limits)
        if isinstance(value, UnusableInput):
            raise RequestRefused(422, f"The input cannot be used: {value.reason}.", "Correct it.")
        value = make_encodable(value) if isinstance(value, str) else value
        correction = _Correction(_hash_content(value), value, _normalise_label(label, model))
        async with self._turn:
            return await asyncio.to_thread(self._store, model, correction)

    def _store(self, model: ServedModel, correction: _Correction) -> int:
        try:
            if self._project is not None:
                return self._project.add(model, correction.value, correction.label)
            if model.name not in self._tables:
                self._tables[model.name] = _CorrectionTable(self.folder / model.name, _FORMS[model.modality])
            return self._tables[model.name].add(model, correction)
        except OSError as error:
            raise RequestRefused(503, f"The correction could not be written ({error.strerror}).",
                          "Tell the owner of the server.",
                          {"Retry-After": "60"}) from error  # fmt: skip
        except (UnicodeDecodeError, csv.Error) as error:
            raise RequestRefused(503, "The table of corrections cannot be read.",
                          "Tell the owner: it should be CSV in UTF-8.",
                          {"Retry-After": "60"}) from error  # fmt: skip


class _CorrectionTable:
    """The corrections of one model on disk: the newest label of each input. Labels alone are held in memory.

    Several servers may share a folder: each change is made under a lock, on the table as it then is. It is written to
    the journal first, and noted there as done afterwards; who finds a change that is not done makes it.
    """

    def __init__(self, folder: Path, form: _CorrectionFormat) -> None:
        self.folder, self.form = folder, form
        self.path, self.journal = folder / form.table, Journal(folder / JOURNAL)
        folder.mkdir(parents=True, exist_ok=True)
        self.state: tuple[int, ...] | None = None
        self.head: list[str] | None = None
        self.labels: dict[str, str] = {}
        self.n_bytes = 0

    def _catch_up(self) -> None:
        """Read the table again where somebody else wrote it, and make a change that was only written to the journal."""
        state = _file_state(self.path)
        pending = self.journal.read_pending()
        if state != self.state or pending is not None:
            self.n_bytes = sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file())
            self.head, rows = self._read()
            self.labels = {self.form.name(cells): cells[self.form.label] for cells in rows}
        if pending is not None:
            self._rewrite(pending)
            self.journal.mark_done()
        self.state = _file_state(self.path)

    def _read(self) -> tuple[list[str] | None, list[Cells]]:
        if not self.path.is_file():
            return None, []
        with self.path.open(encoding="utf-8-sig", newline="") as handle:  # Spreadsheets put a mark before the head.
            head, *rows = read_csv_rows(handle) or [[]]
        return head or None, [cells for cells in rows if len(cells) == len(head)]

    def add(self, model: ServedModel, correction: _Correction) -> int:
        """Write one correction; a second one of the same input takes the place of the first."""
        with lock_file(self.folder / LOCK, LOCK_SECONDS) as acquired:
            if not acquired:
                raise make_busy_error("Another server is writing to the folder of corrections.")
            self._catch_up()
            return self._add(model, correction)

    def _add(self, model: ServedModel, correction: _Correction) -> int:
        head = self.form.columns(model, correction.value)
        change = Change(head, [[*row, *[""] * (len(head) - len(row))] for row in self.form.rows(correction)])
        if self.head is not None and change.head != self.head:
            raise RequestRefused(422, f"The corrections so far have the columns {', '.join(self.head)}.", "Send those.")
        if self.n_bytes > MAX_FOLDER_BYTES:
            raise RequestRefused(403, "The folder of corrections is full.", "Adapt with them, and empty it.")
        if isinstance(correction.value, bytes):
            self._write_file(change.rows[0][0], correction.value)
        before = self.labels.get(correction.name)
        if before != correction.label:
            self._make(change, is_new=self.head is not None and before is None)
        self.head, self.labels[correction.name], self.state = change.head, correction.label, _file_state(self.path)
        return len(self.labels)

    def _make(self, change: Change, is_new: bool) -> None:
        """Write a change, journal first; both files count for the limit, since each change makes the journal longer."""
        size = _file_size(self.path) + _file_size(self.journal.path)
        self.journal.write(change)
        if is_new:
            self._append(change.rows)
        else:
            self._rewrite(change)
        self.journal.mark_done()
        self.n_bytes += _file_size(self.path) + _file_size(self.journal.path) - size

    def _rewrite(self, change: Change) -> None:
        """Write the whole table with a change in it."""
        name = self.form.name(change.rows[0])
        others = [cells for cells in self._read()[1] if self.form.name(cells) != name]
        write_text(self.path, format_csv([change.head, *others, *change.rows]))
        self.head, self.labels[name] = change.head, change.rows[0][self.form.label]

    def _append(self, rows: Sequence[Cells]) -> None:
        text = format_csv(rows).encode("utf-8")
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
            with write_whole(path) as partial:
                partial.write_bytes(content)
            self.n_bytes += len(content)


def _file_size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _file_state(path: Path) -> tuple[int, ...] | None:
    """Return what changes when a file is written; None where there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _normalise_label(label: Any, model: ServedModel) -> str:
    """Return a label that can be written and learnt from."""
    text = label.strip() if isinstance(label, str) else ""
    if not text or len(text) > _LONG_LABEL or any(unicodedata.category(mark)[0] == "C" for mark in text):
        raise RequestRefused(422, f"The label is not a text of 1 to {_LONG_LABEL} characters.", "Name the right label.")
    return _LABELS.get(model.task, _normalise_class)(text, model)


def _match_spelling(text: str, model: ServedModel) -> str:
    """Return a label in the spelling of the model, where it is one of its labels."""
    return match_names([text], model.classes, merge=True).renamed.get(text, text)


def _normalise_labels(text: str, model: ServedModel) -> str:
    """Return several labels in the spelling of the model, however they are written."""
    parts = split_labels(text, model.classes)
    return ";".join(_match_spelling(part, model) for part in parts) if parts else text


def _normalise_class(text: str, model: ServedModel) -> str:
    text = _match_spelling(text, model)
    if guard_cell(text) != text and text not in model.classes:
        raise RequestRefused(422, "The label looks like a formula.", "Begin it with a letter or a digit.")
    return text


def _normalise_grade(text: str, model: ServedModel) -> str:
    text = _match_spelling(text, model)
    if text not in model.classes:
        raise RequestRefused(422, "The label is not one of the grades.", f"Known: {', '.join(model.classes[:20])}.")
    return text


def _normalise_number(text: str, model: ServedModel) -> str:
    if not _is_number(text):
        raise RequestRefused(422, "The label is not a number.", "Write it like 12.5.")
    return text


_LABELS: dict[str, Callable[[str, ServedModel], str]] = {
    "ordinal": _normalise_grade,
    "regression": _normalise_number,
    "multi-label": lambda text, model: _normalise_class(_normalise_labels(text, model), model),
}


async def _read_json_correction(request: Request, model: ServedModel, limits: ServeOptions, field: str) -> Any:
    if read_media_type(request) != "application/json":
        raise RequestRefused(415, "This model's corrections come as JSON.", _SEND)
    document = await read_json(request, model.bound_json(limits))
    body_model, check_input = _JSON_BODIES[field]
    problem = (f"There is no {field} with a label.", _SEND)
    body = parse_body(body_model, document, {field: problem, "label": problem})
    value = getattr(body, field)
    ordered = order_channels(value, model.channels) if field == "series" else value
    checked = ordered if isinstance(ordered, UnusableInput) else check_input(ordered, limits)
    return _make_writable(checked), body.label


def _make_writable(value: Any) -> Any:
    if isinstance(value, str):
        value = value.encode("utf-8", "replace").decode("utf-8").replace("\x00", "").replace("\r\n", "\n")
        return value if value.strip() else UnusableInput("the text is empty")
    if isinstance(value, np.ndarray) and not np.isfinite(value).any():
        return UnusableInput("it has no values")
    return value


_JSON_BODIES: dict[str, tuple[type[TextCorrection | SeriesCorrection], CheckInput]] = {
    "text": (TextCorrection, check_text),
    "series": (SeriesCorrection, check_series),
}


async def _read_text_correction(request: Request, model: ServedModel, limits: ServeOptions) -> Any:
    return await _read_json_correction(request, model, limits, "text")


async def _read_series_correction(request: Request, model: ServedModel, limits: ServeOptions) -> Any:
    return await _read_json_correction(request, model, limits, "series")


async def _read_image_correction(request: Request, model: ServedModel, limits: ServeOptions) -> Any:
    if read_media_type(request) != "multipart/form-data":
        raise RequestRefused(415, "This model's corrections come as a form.", _SEND)
    parts = await read_form(request, limits)
    contents = [value[1] for _, value in parts if not isinstance(value, str)]
    labels = [value for name, value in parts if name == "label" and isinstance(value, str)]
    if len(contents) != 1 or len(labels) != 1:
        raise RequestRefused(422, "The form does not hold one file and one label.", _SEND)
    return await asyncio.to_thread(check_image, contents[0], limits), labels[0]


_READ = {"image": _read_image_correction, "text": _read_text_correction, "series": _read_series_correction}
