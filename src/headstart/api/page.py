"""Parts of a report that notebooks show, and inputs in memory as the files that the command line reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

from headstart.bundle import Bundle
from headstart.csv_files import format_csv
from headstart.data.reading.frames import convert_frame, convert_inputs, is_frame
from headstart.data.reading.inputs import INPUT_READERS, names_data
from headstart.data.reading.memory_images import is_image, save_image
from headstart.errors import InputTypeError
from headstart.home import write_text


@dataclass(frozen=True, repr=False)
class Page:
    """HTML that a notebook shows as the value of a cell; elsewhere `save` writes it.

    Parameters
    ----------
    html : str
    text : str
        The same in a line.
    is_whole : bool
        Whether it is a page of its own; notebooks then show it in a frame.
    """

    html: str
    text: str
    is_whole: bool = False

    def __repr__(self) -> str:
        """Return the text."""
        return self.text

    def _repr_html_(self) -> str:
        if not self.is_whole:
            return self.html
        return f'<iframe srcdoc="{escape(self.html)}" style="width:100%;height:40em;border:1px solid"></iframe>'

    def save(self, path: str | PathLike[str]) -> None:
        """Write the HTML to a file."""
        whole = self.html if self.is_whole else f'<!doctype html><meta charset="utf-8">{self.html}'
        write_text(Path(path), whole)


def write_inputs(inputs: Any, bundle: Bundle, folder: Path) -> list[Path]:
    """Return inputs as paths: those that were given, or files in `folder` that hold what is in memory.

    Parameters
    ----------
    inputs : str, Path, DataFrame, or sequence of paths, texts or images
    bundle : Bundle
        The model that reads them.
    folder : Path
        An existing folder.

    Raises
    ------
    InputTypeError
        They are of another type; series in memory have to be written to a table first.
    """
    if isinstance(inputs, PathLike) or (isinstance(inputs, str) and not _is_text(inputs, bundle)):
        return [Path(inputs)]
    if isinstance(inputs, str) or is_image(inputs):
        inputs = [inputs]
    if is_frame(inputs):
        table = convert_frame(inputs)
        return [_write_table(folder, table.names, zip(*(table.texts(name) for name in table.names), strict=True))]
    rows = convert_inputs(inputs)
    if all(is_image(row) for row in rows):
        return [save_image(row) for row in rows]
    if not all(isinstance(row, str | PathLike) for row in rows):
        kinds = ", ".join(sorted({type(row).__name__ for row in rows}))
        raise InputTypeError(
            f"Inputs of type {kinds} cannot be read here.", "Give a path, a DataFrame, texts or images."
        )
    if all(isinstance(row, str) for row in rows) and any(_is_text(row, bundle) for row in rows):
        return [_write_table(folder, [bundle.columns.get("text", "text")], ([str(row)] for row in rows))]
    return [Path(row) for row in rows]


def _is_text(value: str, bundle: Bundle) -> bool:
    """Return whether a string is an input itself."""
    return INPUT_READERS[bundle.modality].reads_words and not names_data(value, "text")


def _write_table(folder: Path, names: Sequence[str], rows: Any) -> Path:
    path = folder / "inputs.csv"
    write_text(path, format_csv([names, *rows]))
    return path
