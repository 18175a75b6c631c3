"""`predict` and `evaluate`: a bundle on new inputs, streamed to a CSV that a killed run continues."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from headstart import bundle as bundles
from headstart import progress
from headstart.bundle import Bundle
from headstart.csv_files import read_csv_rows, write_csv_rows
from headstart.data import InputOrder, OrderedInputs
from headstart.errors import NothingRead, OptionError, cut_problem, make_nothing_read
from headstart.flow.inference.answer_files import finish_answer_files, plan_answer_files
from headstart.flow.inference.answer_tables import list_columns, write_row, write_unusable_row
from headstart.flow.inference.answer_workbook import require_rows_fit
from headstart.flow.inference.answers import Answer, make_answers, make_document, make_unusable_document
from headstart.flow.inference.first_look import require_inputs_of_model
from headstart.flow.inference.lining_up import order_inputs
from headstart.flow.inference.neighbours import Neighbour, find_neighbours, format_neighbours
from headstart.flow.inference.predict_table import predict_batches
from headstart.flow.inference.sorted_photos import require_sortable
from headstart.home import move_into_place, require_place
from headstart.offline import offline
from headstart.options import PredictOptions
from headstart.records import SetAside, Table

NEAREST = "nearest"


def _open_bundle(path: Path, options: PredictOptions) -> Bundle:
    """Load a bundle in the form that answers soonest, unless another is named."""
    return bundles.load_bundle(path, "quickest" if options.runtime == "auto" else options.runtime, options.base)


def _choose_columns(options: PredictOptions) -> dict[str, str]:
    return {"label": options.label[0]} if options.label else {}


def _compute_key(bundle: Bundle, table: Table, order: InputOrder = ()) -> str:
    parts = [*map(str, table.ids), *map(str, table.hashes), *bundle.classes, bundle.strategy]
    parts += [f"{place} {name}" for place, (name, row) in enumerate(order) if row is None]
    parts.append(bundle.backbone.fingerprint if bundle.backbone else "")
    parts.append(json.dumps(bundle.decision_policy.as_dict()))
    digest = hashlib.sha256("\0".join(parts).encode())
    for value in bundle.fitted.state().arrays.values():  # One by one: a base that was trained may take 500 MB.
        digest.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()[:24]


@contextmanager
def _open_resumable(out: Path, key: str, first: list[str]) -> Iterator[tuple[TextIO, int]]:
    """Open OUT's hidden partial file, cut to its last whole line; gives it and the number of inputs already there.

    What exists and is no plain file (a pipe, a device) is written to as it is.
    """
    if out.exists() and not out.is_file():
        with out.open("w", encoding="utf-8", newline="") as handle:
            write_csv_rows(handle, [first])
            yield handle, 0
        return
    partial = out.with_name(f".{out.name}.{key}.partial")
    done = 0
    if partial.is_file():
        raw = partial.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        rows = read_csv_rows(StringIO(whole.decode("utf-8"), newline=""))
        done = len(rows) - 1 if rows and rows[0] == first else 0
        partial.write_bytes(whole if done else b"")
    handle = partial.open("a", encoding="utf-8", newline="")
    try:
        if done <= 0:
            write_csv_rows(handle, [first])
        yield handle, max(0, done)
        handle.flush()
        os.fsync(handle.fileno())
        handle.close()
        move_into_place(partial, out)
    finally:
        handle.close()


def predict(bundle_path: Path, paths: Sequence[Path], out: Path | None, options: PredictOptions) -> list[SetAside]:
    """Predict files, folders and tables; one CSV row an input, in a stable order.

    Parameters
    ----------
    bundle_path : Path
        A bundle or the OUT folder of `adapt`.
    paths : sequence of Path
    out : Path or None
        The CSV, or a workbook if it ends in .xlsx; a killed run goes on where it stopped. None: standard output, or
        `answers.csv` among sorted photos.
    options : PredictOptions
        `PredictFileOptions` to lay the CSV out for people and to sort photos; else it has the columns for programs.

    Returns
    -------
    list of SetAside
        Inputs that could not be read; they have a row with an empty label.

    Raises
    ------
    HeadstartError
        The bundle, an input or the output cannot be used, or no input can be read (`NothingRead`; the reasons are
        written all the same).
    """
    files = plan_answer_files(out, paths, options, bundle_path)
    table, out, done = files.table, files.out, 0
    require_inputs_of_model(bundle_path, paths)
    with offline(options.offline):
        bundle = _open_bundle(bundle_path, options)
        if files.sort_into is not None:
            require_sortable(bundle, files.sort_into)
        if out is not None:
            _require_writable(out)
        first = [*list_columns(bundle.task, bundle.classes), *([NEAREST] if options.explain else [])]
        try:
            inputs = order_inputs(bundle, paths, options, _choose_columns(options))
        except NothingRead as error:
            _write_unread(bundle, error, table, first)
            finish_answer_files(files, bundle, None)
            raise
        if out is not None and files.is_workbook:
            require_rows_fit(len(inputs.order), out)
        if table is None:
            write_csv_rows(sys.stdout, [first])
            failed = _write_answers(bundle, inputs, options, handle=sys.stdout, done=0)
        else:
            with _open_resumable(table, _compute_key(bundle, inputs.table, inputs.order), first) as (handle, done):
                if done:
                    progress.say(f"Continuing after {done} inputs that an earlier run has predicted.")
                failed = _write_answers(bundle, inputs, options, handle=handle, done=done)
        finish_answer_files(files, bundle, inputs)
    if not done and len(failed) == len(inputs.order):
        raise make_nothing_read([vars(item) for item in failed], "" if out is None else str(out))
    return failed


def _write_unread(bundle: Bundle, error: NothingRead, out: Path | None, first: list[str]) -> None:
    """Write one row with its reason for every input, where not one could be read."""
    rows = [write_unusable_row(item["id"], item["reason"], bundle.task, bundle.classes) for item in error.failed]
    rows = [first, *(row + [""] * (len(first) - len(row)) for row in rows)]
    if out is None:
        write_csv_rows(sys.stdout, rows)
        return
    with out.open("w", encoding="utf-8", newline="") as handle:
        write_csv_rows(handle, rows)


def predictions(bundle_path: Path, paths: Sequence[Path], options: PredictOptions) -> list[dict[str, Any]]:
    """Predict files, folders and tables; one JSON-able record an input, in a stable order.

    Parameters
    ----------
    bundle_path : Path
        A bundle or the OUT folder of `adapt`.
    paths : sequence of Path
    options : PredictOptions

    Returns
    -------
    list of dict
        `input`, what the model says (None where it could not be read), `answer` (a label, "not sure" or "none of
        these"; None where it could not be read), `set` (what is likely enough) and `reason` (why that answer, or why it
        could not be read). What the model says is, for classes, `label`, `probability` and `top` (the answer and the
        runners-up, each as `label` and `probability`); for several labels `labels` and `probabilities` by label; for
        numbers `value`, `low` and `high`.
    """
    with offline(options.offline):
        bundle, inputs = _open_inputs(bundle_path, paths, options)
        answers = [answer for batch in _iterate_answers(bundle, inputs, options, 0) for answer in batch]
    return [_make_document(bundle.task, item, options.explain) for item in answers]


def _open_inputs(bundle_path: Path, paths: Sequence[Path], options: PredictOptions) -> tuple[Bundle, OrderedInputs]:
    require_inputs_of_model(bundle_path, paths)
    bundle = _open_bundle(bundle_path, options)
    return bundle, order_inputs(bundle, paths, options, _choose_columns(options))


def _require_writable(out: Path) -> None:
    if out.is_dir():
        raise OptionError(f"{out} is a folder.", "Name a file to write with -o, such as predictions.csv.")
    if not out.exists():
        require_place(out.parent)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"{out} cannot be made ({error.strerror}).", "Name another file with -o.") from error


@dataclass(frozen=True, kw_only=True)
class AnsweredInput:
    """An input with its answer; None where it could not be read, and why."""

    id: str
    answer: Answer | None
    unusable_reason: str = ""
    nearest: tuple[Neighbour, ...] = ()


def _make_document(task: str, item: AnsweredInput, explain: bool) -> dict[str, Any]:
    fields = make_unusable_document(task, item.unusable_reason) if item.answer is None else make_document(item.answer)
    return {"input": item.id, **fields, **({NEAREST: [vars(row) for row in item.nearest]} if explain else {})}


def _iterate_answers(
    bundle: Bundle, inputs: OrderedInputs, options: PredictOptions, done: int
) -> Iterator[list[AnsweredInput]]:
    """Answer every input after the first `done`, batch by batch, in order."""
    waiting = inputs.order[done:]
    left = inputs.table.take(np.asarray([row for _, row in waiting if row is not None], dtype=np.intp))
    reasons = {item.id: item.reason for item in inputs.table.set_aside}
    queue, row = iter(waiting), 0
    for batch in predict_batches(bundle, left, options.precision):
        answers = make_answers(batch.predictions, batch.decisions)
        place_of_row = {int(at): place for place, at in enumerate(batch.row_numbers)}
        nearest = find_neighbours(bundle, batch.model_inputs) if options.explain else [()] * len(answers)
        items, stop = [], row + len(answers) + len(batch.failed)
        while row < stop:
            name, table_row = next(queue)
            if table_row is None:
                items.append(AnsweredInput(id=name, answer=None, unusable_reason=reasons[name]))
                continue
            place = place_of_row.get(row)
            if place is None:
                reason = cut_problem(batch.failed.get(row, ""), left.inputs[row])
                items.append(AnsweredInput(id=name, answer=None, unusable_reason=reason))
            else:
                items.append(AnsweredInput(id=name, answer=answers[place], nearest=nearest[place]))
            row += 1
        yield items
    yield [AnsweredInput(id=name, answer=None, unusable_reason=reasons[name]) for name, _ in queue]


def _write_answers(
    bundle: Bundle, inputs: OrderedInputs, options: PredictOptions, handle: TextIO, done: int
) -> list[SetAside]:
    """Write one CSV row for every input after the first `done`; gives those that have no label."""
    failed = []
    with progress.open_bar("Predicting", len(inputs.order) - done, "inputs") as bar:
        for batch in _iterate_answers(bundle, inputs, options, done):
            for item in batch:
                if item.answer is None:
                    failed.append(SetAside(item.id, item.unusable_reason))
                    cells = write_unusable_row(item.id, item.unusable_reason, bundle.task, bundle.classes)
                else:
                    cells = write_row(item.id, item.answer)
                write_csv_rows(handle, [[*cells, *([format_neighbours(item.nearest)] if options.explain else [])]])
            handle.flush()
            bar.advance(len(batch))
    return failed
