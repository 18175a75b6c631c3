"""The two functions that Python users start with; the same options as the command line, by keyword."""

from __future__ import annotations

from contextlib import nullcontext
from os import PathLike
from pathlib import Path
from typing import Any, Unpack

from headstart import data
from headstart.api.keywords import AdaptKeywords, ReadKeywords
from headstart.api.model import Model, make_model
from headstart.data.reading.frames import is_frame
from headstart.errors import InputTypeError, OptionError
from headstart.flow.adaptation.prepare import read_test_data
from headstart.flow.adaptation.run import adapt_table
from headstart.flow.adaptation.steps import show_steps
from headstart.flow.projects.adapting import adapt_project, adapt_source
from headstart.flow.reporting import read_run
from headstart.flow.run_records import WrittenRun
from headstart.offline import offline
from headstart.options import AdaptOptions, ReadOptions, parse
from headstart.progress import listen
from headstart.projects import Project, is_project, read_rows
from headstart.records import Table
from headstart.report.live_progress import choose_listener


def read(source: Any, labels: Any = None, *, groups: Any = None, **options: Unpack[ReadKeywords]) -> Table:
    """Read labelled images, texts or series.

    Parameters
    ----------
    source : str, Path, DataFrame, sequence or array
        Folder, table or zip; a table in memory (pandas, Arrow, polars), read like one from a file; or, with `labels`,
        texts, image files, images (of Pillow, or an array (n_rows, height, width, 3)) or series.
    labels : sequence, shape (n_rows,) or (n_rows, n_labels), optional
        Labels of rows in memory. Of a DataFrame `label="COLUMN"` names them.
    groups : sequence, shape (n_rows,), optional
        Patient, site ... of rows in memory: the rows of one group stay together. Pass `group="group"` to `adapt`.
    **options
        Fields of `headstart.options.ReadOptions`: label, text, group, modality, task, merge_labels ...

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If it cannot be read; says where and what to do.
    TypeError
        The source is none of these (`InputTypeError`).

    Examples
    --------
    >>> read(["the pump is dry", "no books"], ["water", "school"]).modality
    'text'
    """
    return _read(source, labels, groups, parse(ReadOptions, **options))


def _read(source: Any, labels: Any, groups: Any, options: ReadOptions) -> Table:
    if is_frame(source):
        return data.read_frame(source, options)
    if labels is None:
        if not isinstance(source, str | PathLike):
            raise InputTypeError(
                f"Data of type {type(source).__name__} has no labels.", "Give a path, a DataFrame, or labels=[...]."
            )
        return read_rows(Path(source), options)
    modality = None if options.modality == "auto" else options.modality
    metadata = {} if groups is None else {"group": groups}
    task = "classification" if options.task_type is None else options.task
    return data.from_arrays(source, labels, modality, axes=options.axes, metadata=metadata, task=task)


def adapt(
    source: Any,
    output: str | Path | None = None,
    *,
    labels: Any = None,
    groups: Any = None,
    progress: bool | None = None,
    **options: Unpack[AdaptKeywords],
) -> Model:
    """Adapt a base model to labelled rows.

    Parameters
    ----------
    source : Table, Project, str, Path, DataFrame, sequence or array
        What `read` or `open_project` gave, or what `read` takes.
    output : str, Path or None
        Folder for report, result and bundle; only possible if `source` is a path or a project (there: models/N).
    labels, groups : sequence, optional
        Of rows in memory, as for `read`.
    progress : bool, optional
        Show one bar over the whole run with the time left; by default in a notebook and on a terminal.
    **options
        Fields of `headstart.options.AdaptOptions`: base, strategy, time, seed, group, test, balance, offline ...

    Returns
    -------
    Model
        With `.result`, the same document as result.json.

    Raises
    ------
    HeadstartError
        What the user can fix.
    """
    if groups is not None:
        options.setdefault("group", ("group",))
    chosen = parse(AdaptOptions, **options)
    is_path = isinstance(source, str | PathLike) and labels is None
    place = None if output is None else Path(output)
    if output is not None and not is_path and not isinstance(source, Project):
        raise OptionError("output= is for data from a path.", "Leave it out and call model.save(folder).")
    listener = choose_listener(progress)
    with nullcontext() if listener is None else listen(listener):
        if isinstance(source, Project):
            return _open_written(adapt_project(source, place, chosen))
        if place is not None or (is_path and is_project(source)):
            return _open_written(adapt_source(Path(source), place, chosen))
        return _adapt_in_memory(source, labels, groups, chosen)


def _open_written(written: WrittenRun) -> Model:
    model = Model(written.bundle, written.result)
    model.keep_previews(read_run(written.folder)[1])
    return model


def open_project(folder: str | Path) -> Project:
    """Open a project: examples, labels, models in one folder. `Project.create` makes one.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    Project

    Raises
    ------
    DataError
        There is none, it is damaged, or of a newer format.
    """
    return Project.open(folder)


def _adapt_in_memory(source: Any, labels: Any, groups: Any, chosen: AdaptOptions) -> Model:
    with offline(chosen.offline), show_steps(chosen):
        table = source if isinstance(source, Table) else _read(source, labels, groups, chosen)
        test = read_test_data(table, chosen) if chosen.test else None
        return make_model(adapt_table(table, test, chosen))
