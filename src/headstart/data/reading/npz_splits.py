"""Arrays of an NPZ file that come in splits (x_train, y_train, x_test, y_test), put together as one of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headstart.data.columns.names import SPLITS, fold_column_name
from headstart.errors import DataError

_WORDS = "|".join(sorted(filter(None, SPLITS), key=len, reverse=True))
_SPLIT = re.compile(
    rf"(?P<name>.+?)[\s_.\-]?(?P<split>{_WORDS})|(?P<first>{_WORDS})[\s_.\-](?P<last>.+)", re.IGNORECASE
)


def join_splits(path: Path, arrays: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    """Return the arrays with those of all splits joined row by row, and a further one called split.

    Parameters
    ----------
    path : Path
        For messages.
    arrays : mapping of str to array
        Left as they are where no name ends with a split word, or an array called X is there already.

    Raises
    ------
    DataError
        An array is there for one split and not for the other, or arrays of the splits have different shapes.

    Examples
    --------
    >>> made = join_splits(Path("a.npz"), {"x_train": np.zeros((2, 9)), "x_test": np.zeros((1, 9))})
    >>> made["x"].shape, made["split"].tolist()
    ((3, 9), ['train', 'train', 'test'])
    """
    parts: dict[str, dict[str, str]] = {}
    for name in arrays:
        matched = _SPLIT.fullmatch(name)
        if matched is not None:
            stem, split = matched["name"] or matched["last"], matched["split"] or matched["first"]
            parts.setdefault(stem.casefold(), {})[split.casefold()] = name
    if "x" not in parts or {"x", "split"} & set(map(fold_column_name, arrays)):
        return dict(arrays)
    splits = list(parts["x"])
    joined = {}
    for stem, names in parts.items():
        if set(names) != set(splits):
            raise DataError(
                f"{path} has {' and '.join(parts['x'].values())}, but only {' and '.join(names.values())}.",
                "Save the labels of each split too, or leave the split without labels out.",
            )
        joined[stem] = _concatenate(path, [(names[split], arrays[names[split]]) for split in splits])
    words = np.repeat(splits, [len(arrays[parts["x"][split]]) for split in splits])
    used = {name for names in parts.values() for name in names.values()}
    return {**joined, "split": words, **{name: array for name, array in arrays.items() if name not in used}}


def _concatenate(path: Path, parts: list[tuple[str, NDArray[np.generic]]]) -> NDArray[np.generic]:
    shapes = {array.shape[1:] for _, array in parts} if all(array.ndim for _, array in parts) else set()
    if len(shapes) != 1:
        shapes_text = ", ".join(f"{name} {array.shape}" for name, array in parts)
        raise DataError(
            f"{path}: the arrays of the splits have different shapes ({shapes_text}).", "Give them the same shape."
        )
    return np.concatenate([array for _, array in parts])
