"""How the data of a run is understood: its columns, and the first answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.flow.using.answer_runs import AnswerRun, make_predict_options
from headstart.flow.using.open_models import OpenModel, ReadInput
from headstart.flow.using.settings import SETTINGS
from headstart.modalities import MODALITIES


@dataclass(frozen=True, kw_only=True)
class RunPreview:
    """How the data of a run was understood, with the first answers.

    Parameters
    ----------
    n_rows : int
    n_unreadable : int
    columns : mapping of str to str
        Columns by role.
    rows : tuple of (name, input, document)
    """

    n_rows: int
    n_unreadable: int
    columns: Mapping[str, str]
    rows: tuple[tuple[str, Any, dict[str, Any]], ...]


def preview_run(run: AnswerRun, model: OpenModel) -> RunPreview:
    """Answer the first rows of a run.

    Parameters
    ----------
    run : AnswerRun
    model : OpenModel

    Raises
    ------
    HeadstartError
        The data cannot be read, such as for want of a column.
    """
    inputs = model.read_file(run.data, make_predict_options(run))
    table = inputs.table
    first = range(min(SETTINGS.preview_rows, len(table)))
    items = [
        ReadInput(
            name=str(table.ids[row]),
            value=_LOADERS[table.modality](table.inputs[row]),
            content_hash=str(table.hashes[row]),
        )
        for row in first
    ]
    documents = model.answer(items)
    return RunPreview(
        n_rows=len(inputs.order),
        n_unreadable=len(inputs.order) - len(table),
        columns=dict(table.columns),
        rows=tuple((item.name, table.inputs[row], documents[row]) for row, item in zip(first, items, strict=True)),
    )


_LOADERS: Mapping[str, Callable[[Any], Any]] = {
    name: (lambda value: Path(value).read_bytes()) if modality.is_file else (lambda value: value)
    for name, modality in MODALITIES.items()
}
