"""`predict` and `evaluate`: a bundle on new inputs, streamed to a CSV that a killed run continues."""

from __future__ import annotations

import csv
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from headstart import bundle as bundles
from headstart import data, evaluation, progress
from headstart.bundle import Bundle
from headstart.errors import DataError, unknown
from headstart.flow.model import predict_table, stream
from headstart.offline import offline
from headstart.options import PredictOptions, ReadOptions
from headstart.records import TEST, SetAside, Table
from headstart.results import Confusion, Evaluation, SetAsideRow

TOP = 3


def header(n_classes: int) -> list[str]:
    """Name the columns of the CSV: input, label, probability, then the runners-up as far as there are classes."""
    further = range(2, min(TOP, n_classes) + 1)
    return [
        "input",
        "label",
        "probability",
        *(f"{what}_{rank}" for rank in further for what in ("label", "probability")),
    ]


def rows_of(ids: Iterable[Any], classes: tuple[str, ...], probabilities: np.ndarray) -> Iterator[list[str]]:
    """Write one CSV row an input: the most probable classes first, ties in the order of the classes."""
    for name, shares in zip(ids, probabilities, strict=True):
        order = np.argsort(-shares, kind="stable")[:TOP]
        yield [str(name), *(part for code in order for part in (classes[code], f"{shares[code]:.6f}"))]


def _columns(bundle: Bundle, options: PredictOptions) -> dict[str, str]:
    said = {"text": options.text, "label": options.label}
    return {**bundle.columns, **{role: name for role, name in said.items() if name}}


def _mark(bundle: Bundle, table: Table) -> str:
    parts = [*map(str, table.ids), *map(str, table.hashes), *bundle.classes, bundle.strategy]
    parts.append(bundle.backbone.fingerprint if bundle.backbone else "")
    parts += [str(value.tobytes()) for value in bundle.fitted.state().arrays.values()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


@contextmanager
def _resumable(out: Path, mark: str, first: list[str]) -> Iterator[tuple[TextIO, int]]:
    """Open OUT's hidden partial file, cut to its last whole line; gives it and the number of inputs already there."""
    partial = out.with_name(f".{out.name}.{mark}.partial")
    out.parent.mkdir(parents=True, exist_ok=True)
    done = 0
    if partial.is_file():
        raw = partial.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        rows = list(csv.reader(whole.decode("utf-8").splitlines(keepends=True)))
        done = len(rows) - 1 if rows and rows[0] == first else 0
        partial.write_bytes(whole if done else b"")
    handle = partial.open("a", encoding="utf-8", newline="")
    try:
        if done <= 0:
            csv.writer(handle, lineterminator="\n").writerow(first)
        yield handle, max(0, done)
        handle.flush()
        os.fsync(handle.fileno())
        handle.close()
        partial.replace(out)
    finally:
        handle.close()


def predict(bundle_path: Path, inputs: Sequence[Path], out: Path | None, options: PredictOptions) -> list[SetAside]:
    """Predict files, folders and tables; one CSV row an input, in a stable order.

    Parameters
    ----------
    bundle_path : Path
        A bundle or the OUT folder of `adapt`.
    inputs : sequence of Path
    out : Path or None
        The CSV; a killed run goes on where it stopped. None: standard output.
    options : PredictOptions

    Returns
    -------
    list of SetAside
        Inputs that could not be read; they have a row with an empty label.
    """
    with offline(options.offline):
        bundle = bundles.load(bundle_path)
        table = data.read_inputs(inputs, bundle.modality, _columns(bundle, options))
        first = header(len(bundle.classes))
        if out is None:
            csv.writer(sys.stdout, lineterminator="\n").writerow(first)
            failed = _write(bundle, table, options, sys.stdout, 0)
        else:
            with _resumable(out, _mark(bundle, table), first) as (handle, done):
                if done:
                    progress.say(f"Going on after {done} inputs that an earlier run predicted.")
                failed = _write(bundle, table, options, handle, done)
    return [*table.set_aside, *failed]


def _write(bundle: Bundle, table: Table, options: PredictOptions, handle: TextIO, done: int) -> list[SetAside]:
    writer = csv.writer(handle, lineterminator="\n")
    left = table.take(np.arange(done, len(table)))
    width = len(header(len(bundle.classes))) - 1
    failed = []
    with progress.bar("Predicting", len(left), "inputs") as shown:
        for piece in stream(bundle, left, options.precision):
            lines = dict(
                zip(
                    piece.rows.tolist(), rows_of(left.ids[piece.rows], bundle.classes, piece.probabilities), strict=True
                )
            )
            for row, reason in piece.failed.items():
                lines[row] = [str(left.ids[row]), *([""] * width)]
                failed.append(SetAside(str(left.ids[row]), reason))
            writer.writerows(lines[row] for row in sorted(lines))
            handle.flush()
            shown.advance(len(lines))
    return failed


def evaluate(bundle_path: Path, path: Path, options: PredictOptions) -> Evaluation:
    """Score a bundle on labelled data that it has not seen.

    Parameters
    ----------
    bundle_path, path : Path
    options : PredictOptions

    Raises
    ------
    DataError
        If no row has one of the bundle's classes.
    """
    with offline(options.offline):
        bundle = bundles.load(bundle_path)
        table = _labelled(bundle, path, options)
        assert table.labels is not None
        known = np.asarray([str(label) in bundle.classes for label in table.labels])
        strangers = sorted({str(label) for label in table.labels[~known]})
        if not known.any():
            raise unknown("class", strangers[0] if strangers else "", bundle.classes, f" among the labels of {path}")
        rows = table.take(np.flatnonzero(known))
        predictions, failed = predict_table(bundle, rows, options.precision)
    place = {name: position for position, name in enumerate(rows.ids)}
    kept = rows.take(np.asarray([place[name] for name in predictions.ids], dtype=np.intp))
    assert kept.labels is not None
    codes = np.asarray([bundle.classes.index(str(label)) for label in kept.labels], dtype=np.intp)
    clusters = data.clusters(kept, options.group) if options.group else None
    aside = [*table.set_aside, *(SetAside(str(rows.ids[row]), reason) for row, reason in failed.items())]
    return Evaluation(
        bundle=str(bundle_path),
        data=str(path),
        classes=list(bundle.classes),
        n_rows=len(kept),
        unknown_labels={name: int((table.labels == name).sum()) for name in strangers},
        metrics=evaluation.evaluate(codes, predictions, clusters, bundle.seed),
        confusion=Confusion(matrix=evaluation.confusion(codes, predictions).tolist()),
        set_aside=[SetAsideRow(id=item.id, reason=item.reason) for item in aside],
        trained_on=str(bundle.about.get("data", "")),
    )


def _labelled(bundle: Bundle, path: Path, options: PredictOptions) -> Table:
    wanted = ReadOptions.model_validate(
        {"modality": bundle.modality, "label": options.label, "text": options.text, "group": options.group}
    )
    table = data.read(path, wanted)
    if table.modality != bundle.modality:
        raise DataError(f"{path} holds {table.modality} data; the bundle reads {bundle.modality}.", "Give its kind.")
    if not (table.splits == TEST).any():
        return table
    progress.say(f"Only the test rows of {path} are scored.")
    return table.where_split(TEST)
