"""What is to be learnt from a table: the names of its classes, and the truth of each row as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.records import Table


def list_classes(train: Table) -> tuple[str, ...]:
    """Return the names of what is to be learnt: classes by name, grades from the lowest, labels, or the number.

    Parameters
    ----------
    train : Table
        Labelled training rows.
    """
    if train.targets is not None:
        return train.target_names
    present = {str(label) for label in _labels(train)}
    return tuple(name for name in train.target_names if name in present) or tuple(sorted(present))


def encode_truth(table: Table, classes: tuple[str, ...]) -> NDArray[Any]:
    """Return the class indices of labelled rows (n_rows,), or their targets (n_rows, n_outputs).

    Parameters
    ----------
    table : Table
    classes : tuple of str
        As `list_classes` gives them; every label must be among them.
    """
    if table.targets is not None:
        return table.targets
    place = {label: code for code, label in enumerate(classes)}
    return np.asarray([place[label] for label in _labels(table)], dtype=np.intp)


def _labels(table: Table) -> list[str]:
    assert table.labels is not None
    return [str(label) for label in table.labels]
