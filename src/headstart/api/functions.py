"""The two functions that Python users start with; the same options as the command line, by keyword."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headstart import data
from headstart.api.model import Model, make_model
from headstart.data.reading.frames import is_frame
from headstart.flow.adaptation.prepare import read_test_data
from headstart.flow.adaptation.run import adapt_table, adapt_to_folder
from headstart.offline import offline
from headstart.options import AdaptOptions, ReadOptions, parse
from headstart.records import Table


def read(path: Any, **options: object) -> Table:
    """Read labelled images, texts or series.

    Parameters
    ----------
    path : str, Path or DataFrame
        Folder, table or zip; or a table in memory (pandas, Arrow, polars), read like one from a file.
    **options
        Fields of `headstart.options.ReadOptions`: label, text, group, modality, task, merge_labels ...

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If it cannot be read; says where and what to do.
    """
    chosen = parse(ReadOptions, **options)
    return data.read_frame(path, chosen) if is_frame(path) else data.read_table(Path(path), chosen)


def adapt(source: Any, output: str | Path | None = None, **options: object) -> Model:
    """Adapt a base model to labelled rows.

    Parameters
    ----------
    source : Table, str, Path or DataFrame
        What `read` gave, a path, or a table in memory.
    output : str, Path or None
        Folder for report, result and bundle; only possible if `source` is a path.
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
    chosen = parse(AdaptOptions, **options)
    if is_frame(source):
        source = data.read_frame(source, chosen)
    if not isinstance(source, Table) and output is not None:
        written = adapt_to_folder(Path(source), Path(output), chosen)
        return Model(written.bundle, written.result)
    with offline(chosen.offline):
        table = source if isinstance(source, Table) else data.read_table(Path(source), chosen)
        test = read_test_data(table, chosen) if chosen.test else None
        return make_model(adapt_table(table, test, chosen))
