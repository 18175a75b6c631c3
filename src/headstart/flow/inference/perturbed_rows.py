"""Rows that were changed after they were opened, put back into a form that models read. Nothing is predicted here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from headstart.bundle import Bundle
from headstart.records import Column, make_column

DECODED_PIXELS = 256
"""Pictures are opened at least this large, so that what is changed in them is not changed in a thumbnail."""


def spec_of(bundle: Bundle) -> Mapping[str, Any]:
    """Say how rows are opened before they are changed."""
    spec = dict(bundle.backbone.spec if bundle.backbone else bundle.spec)
    if bundle.modality == "image":
        spec["resize"] = max(int(spec.get("resize", 0)), DECODED_PIXELS)
    return spec


def inputs_of(modality: str, made: Sequence[Any], folder: Path, names: Sequence[str]) -> Column:
    """Give changed rows as a table holds them: pictures become files in `folder`, everything else stays as it is."""
    stored = _STORED.get(modality, _as_it_is)
    return make_column([stored(one, folder / f"{name}.png") for one, name in zip(made, names, strict=True)])


def _as_it_is(made: Any, path: Path) -> Any:
    return made


def _as_file(made: Any, path: Path) -> Path:
    made.save(path, compress_level=1)
    return path


_STORED: Mapping[str, Callable[[Any, Path], Any]] = {"image": _as_file}
