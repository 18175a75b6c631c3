"""Examples as pages get them: one JSON form for every screen, drawn by `static/drawing.js`."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from headstart.modalities.previews import preview_series, preview_text
from headstart.modalities.series import Series
from headstart.projects import Example

Document = dict[str, Any]
"""A JSON object that a script of a page reads."""
DrawnInput = Path | str | Series
_TEXT_BYTES = 4_000
_SERIES_BYTES = 4_000


def describe_example(project_id: str, example: Example) -> Document:
    """Return an example as `drawExample` takes it, with its kind and where that comes from.

    Parameters
    ----------
    project_id : str
    example : Example
    """
    address = f"/api/p/{quote(project_id, safe='')}/examples/{example.id}"
    return {
        "id": example.id,
        "name": example.name,
        "kind": example.label,
        "answer": example.answer,
        "state": example.state,
        "reason": example.reason,
        "split": example.split,
        "label_by": example.label_by,
        "label_origin": example.label_origin,
        "group": {column: str(value) for column, value in example.metadata.items()},
        **describe_input("" if example.input is None else example.input, f"{address}/thumbnail", f"{address}/picture"),
    }


def describe_input(value: DrawnInput, small: str, large: str) -> Document:
    """Return what is drawn of an input: addresses of a picture, a text, or values.

    Parameters
    ----------
    value : Path, str or float32 array, shape (n_channels, n_steps)
    small, large : str
        Addresses of the pictures of a file.

    Examples
    --------
    >>> describe_input("no water", "", "")
    {'text': 'no water', 'is_cut': False}
    """
    if isinstance(value, Path):
        return {"picture": small, "large": large}
    if isinstance(value, str):
        return preview_text(value, _TEXT_BYTES).model_dump()
    return {"series": preview_series(value, _SERIES_BYTES).model_dump()}
