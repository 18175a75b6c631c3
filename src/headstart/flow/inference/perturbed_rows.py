"""Rows that were changed after they were opened, put back into a form that models read. Nothing is predicted here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from headstart.bundle import Bundle
from headstart.modalities import MODALITIES
from headstart.records import Column, make_column

DECODED_PIXELS = 256
"""Images are opened at least this large, so that what is changed in them is not changed in a thumbnail."""


def make_input_spec(bundle: Bundle) -> Mapping[str, Any]:
    """Return how rows are opened before they are changed.

    Parameters
    ----------
    bundle : Bundle
    """
    spec = dict(bundle.input_spec)
    if MODALITIES[bundle.modality].has_pixels:
        spec["resize"] = max(int(spec.get("resize", 0)), DECODED_PIXELS)
    return spec


def store_inputs(modality: str, changed: Sequence[Any], folder: Path, names: Sequence[str]) -> Column:
    """Return changed rows as a table holds them: images become files in `folder`, everything else stays as it is.

    Parameters
    ----------
    modality : str
    changed : sequence of anything
        Changed inputs, as the modality loads them.
    folder : Path
        Where images are written.
    names : sequence of str
        One for each input.
    """
    stored = _STORE.get(modality, _keep_in_memory)
    return make_column([stored(one, folder / f"{name}.png") for one, name in zip(changed, names, strict=True)])


def _keep_in_memory(changed: Any, path: Path) -> Any:
    return changed


def _write_image(changed: Any, path: Path) -> Path:
    changed.save(path, compress_level=1)
    return path


_STORE: Mapping[str, Callable[[Any, Path], Any]] = {"image": _write_image}
