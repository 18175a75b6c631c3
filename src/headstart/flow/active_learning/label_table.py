"""The table that `label-next` writes: what identifies a row, an empty label, why it was chosen, the model's guess."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart import data
from headstart.csv_files import format_csv, is_finite_number
from headstart.flow.inference.answer_tables import format_predictions
from headstart.flow.inference.answer_workbook import is_workbook, write_workbook
from headstart.home import write_text
from headstart.records import InputColumns, Predictions, Table
from headstart.task_types import TASK_TYPES


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """Rows to label, best first.

    Parameters
    ----------
    table : Table
        The rows.
    reasons : list of str
    predictions : Predictions
        What the model says of them.
    mode : str
        "typical" or "unsure": how they were chosen.
    failed : dict of str to str
        Inputs that could not be read, and why.
    n_left_out : int
        Rows passed over because they are labelled already or stand there twice.
    n_learnt : int
        Of these, rows that the model learnt from, and images that are nearly such a row.
    n_tested : int
        Of these, rows that the model was tested on: they have a label, too.
    """

    table: Table
    reasons: list[str]
    predictions: Predictions
    mode: str
    failed: dict[str, str]
    n_left_out: int
    n_learnt: int = 0
    n_tested: int = 0


@dataclass(frozen=True)
class Guess:
    """The label that the model gives a row, and its probability (None where a row has no single class)."""

    guess: str
    probability: float | None


def guess_label(predictions: Predictions, row: int) -> Guess:
    """Return the label that the model gives a row.

    Parameters
    ----------
    predictions : Predictions
    row : int
    """
    one = Predictions(
        ids=predictions.ids[[row]],
        classes=predictions.classes,
        probabilities=predictions.probabilities[[row]],
        task=predictions.task,
        thresholds=predictions.thresholds,
    )
    task = TASK_TYPES[predictions.task]
    has_probability = task.has_one_class and not task.is_ordered
    return Guess(format_predictions(one)[0], float(one.probabilities.max()) if has_probability else None)


def write_label_table(rows: list[list[str]], out: Path) -> None:
    """Write the table as a CSV, or as a workbook if its name says so.

    Parameters
    ----------
    rows : list of list of str
        As `list_table_rows` gives them.
    out : Path
    """
    if not is_workbook(out):
        write_text(out, format_csv(rows))
        return
    names, *cells = rows
    numbers = {name for at, name in enumerate(names) if cells and all(is_finite_number(row[at]) for row in cells)}
    write_workbook(names, cells, out, numbers=numbers - {"id"}, title="to label")


def list_table_rows(proposal: Proposal, columns: Mapping[str, str], folder: Path) -> list[list[str]]:
    """Return the table: what identifies a row, an empty label, the reason, and the model's guess.

    Parameters
    ----------
    proposal : Proposal
    columns : mapping of str to str
        Names of the columns in training; they are used again.
    folder : Path
        Where the table will lie: images are named relative to it.
    """
    names, cells = _TABLE_CELLS[proposal.table.modality](proposal.table, columns, folder)
    rows = [[*names, columns.get("label", "label"), "why", "guess", "sure"]]
    for at, reason in enumerate(proposal.reasons):
        best = guess_label(proposal.predictions, at)
        sure = "" if best.probability is None else f"{100 * best.probability:.0f} %"
        rows.append([*cells[at], "", reason, best.guess, sure])
    return rows


TableCells = tuple[list[str], list[list[str]]]
"""Names of columns, and the cells of each row."""


def locate_image(path: str | Path) -> Path:
    """Return where an image lies for people: its folder resolved, the image itself not, which may be a link.

    Parameters
    ----------
    path : str or Path
    """
    return Path(path).parent.resolve() / Path(path).name


def _image_cells(table: Table, columns: Mapping[str, str], folder: Path) -> TableCells:
    root = folder.resolve()
    paths = [locate_image(path).relative_to(root).as_posix() for path in table.inputs]
    return [columns.get("file", "file_name")], [[path] for path in paths]


def _text_cells(table: Table, columns: Mapping[str, str], folder: Path) -> TableCells:
    texts = data.list_text_columns(columns) or ("text",)
    more = [""] * (len(texts) - 1)  # Of several text columns the first holds the joined text: it is read alike.
    rows = [[str(name), str(text), *more] for name, text in zip(table.ids, table.inputs, strict=True)]
    return ["id", *texts], rows


def _series_cells(table: Table, columns: Mapping[str, str], folder: Path) -> TableCells:
    """Write series as a wide table, channels one after the other; shorter ones end in empty cells."""
    n_channels, n_steps = len(table.inputs[0]), max(values.shape[1] for values in table.inputs)
    names = ["id", *_value_names(table.input_columns or InputColumns(), n_channels, n_steps)]
    rows = []
    for name, values in zip(table.ids, table.inputs, strict=True):
        padded = np.full((n_channels, n_steps), np.nan, dtype=np.float32)
        padded[:, : values.shape[1]] = values
        rows.append([str(name), *("" if np.isnan(value) else repr(float(value)) for value in padded.ravel())])
    return names, rows


def _value_names(known: InputColumns, n_channels: int, n_steps: int) -> list[str]:
    """Name the value columns as the data did, so that the table is read alike when it comes back."""
    flat = [name for steps in known.values for name in steps]
    if len(flat) == n_channels * n_steps and all(flat):
        return flat
    if len(known.channels) == n_channels > 1:
        return [f"{name}_{step}" for name in known.channels for step in range(n_steps)]
    heads = ["t"] if n_channels == 1 else [f"channel{number}_t" for number in range(n_channels)]
    return [f"{head}{step}" for head in heads for step in range(n_steps)]


_TABLE_CELLS: dict[str, Callable[[Table, Mapping[str, str], Path], TableCells]] = {
    "image": _image_cells,
    "text": _text_cells,
    "series": _series_cells,
}
