"""Read the files of a base folder: JSON, text and safetensors, bounded in size; nothing is ever unpickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from headstart.array_files import DamagedArrays, read_arrays
from headstart.bases.record import Array
from headstart.errors import DataError

MOST_JSON_BYTES = 50_000_000
MOST_WEIGHT_BYTES = 20_000_000_000
_AGAIN = "Copy or download it again."


def read_text_file(path: Path, most_bytes: int = MOST_JSON_BYTES) -> str:
    """Return the content of a text file in UTF-8.

    Raises
    ------
    DataError
        If it is too large or cannot be read.
    """
    try:
        if path.stat().st_size > most_bytes:
            raise DataError(f"{path} is too large ({path.stat().st_size / 1e6:,.0f} MB).", "Do not use it.")
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text ({error.reason}).", _AGAIN) from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).", "Check that the file may be read.") from error


def read_json_file(path: Path) -> Mapping[str, Any]:
    """Return the content of a JSON file that holds a mapping.

    Parameters
    ----------
    path : Path
        Size is checked before it is read.

    Raises
    ------
    DataError
        If it is too large, no JSON, or no mapping.
    """
    try:
        document = json.loads(read_text_file(path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not valid JSON ({str(error)[:100]}).", _AGAIN) from error
    if not isinstance(document, dict):
        raise DataError(f"{path} is not a mapping of names to values.", _AGAIN)
    return document


def read_weights(path: Path) -> dict[str, Array]:
    """Return the arrays of a safetensors file, floating ones as float32.

    Parameters
    ----------
    path : Path
        At most `MOST_WEIGHT_BYTES` long.

    Raises
    ------
    DataError
        If the file is absent or damaged, or holds what is no number.
    """
    if not path.is_file():
        raise DataError(
            f"{path.parent} has no {path.name}.",
            "Headstart loads safetensors files only (never pickled weights); convert the model first.",
        )
    if path.stat().st_size > MOST_WEIGHT_BYTES:
        raise DataError(f"{path} is too large ({path.stat().st_size / 1e9:,.0f} GB).", "Choose a smaller base model.")
    try:
        weights = read_arrays(path)
    except DamagedArrays as error:
        raise DataError(f"{path} is damaged ({error}).", _AGAIN) from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).", "Check that the file may be read.") from error
    return check_weights(weights, path)


def check_weights(weights: Mapping[str, Array], path: Path) -> dict[str, Array]:
    """Return weights with floating ones as float32.

    Parameters
    ----------
    weights : mapping of str to array
    path : Path
        Where they were read from, for the error.

    Raises
    ------
    DataError
        If a floating value is not finite.
    """
    weights = convert_to_float32(weights)
    non_finite = [name for name, value in weights.items() if value.dtype.kind == "f" and not np.isfinite(value).all()]
    if non_finite:
        raise DataError(f"{path} is damaged: {non_finite[0][:80]} has values that are not numbers.", _AGAIN)
    return weights


def convert_to_float32(weights: Mapping[str, Array]) -> dict[str, Array]:
    """Return half-precision arrays in float32 and the rest as they are."""
    return {name: value.astype(np.float32) if value.dtype == np.float16 else value for name, value in weights.items()}
