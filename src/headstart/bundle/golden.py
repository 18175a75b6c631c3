"""Golden rows: a few prepared inputs and what the model said of them where it was made, to be replayed anywhere.

They are synthetic (see `headstart.bundle.synthetic_rows`); bundles written before that hold prepared rows of the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.array_files import write_npz
from headstart.bundle.npz_limits import read_npz
from headstart.bundle.onnx.graph_limits import GraphContract
from headstart.bundle.records.array_records import ArrayRule, check_arrays
from headstart.bundle.records.schema import Misfit
from headstart.modalities.record import Array
from headstart.records import FloatMatrix, Probabilities

FILE = "golden.npz"
SYNTHETIC = "made up"
"""What `config.json` says of golden rows that are no rows of the data."""
MOST_ROWS, LEAST_ROWS, MOST_BYTES = 32, 4, 4_000_000
"""Bytes before compression, which halves them about."""
MOST_READ_ROWS, MOST_READ_BYTES = 1_000, 256_000_000
"""What is read; few rows of large images are more than is usual."""
_INPUT = "in_"
KIND_CODES, CLASS_INDICES, LABEL_LEVELS = "kinds", "codes", "labels"
_DECISION_RULES = {
    KIND_CODES: ArrayRule(("n_rows",), "whole", 0, 2),
    CLASS_INDICES: ArrayRule(("n_rows",), "whole", -1_000_000),
    LABEL_LEVELS: ArrayRule(("n_rows", "n_outputs"), "whole", 0, 2),
}


def count_golden_rows(row_bytes: int) -> int:
    """Return how many golden rows are stored: `LEAST_ROWS` to `MOST_ROWS`, as many as fit in `MOST_BYTES`.

    Parameters
    ----------
    row_bytes : int
        Size of the largest prepared row, before compression.

    Examples
    --------
    >>> count_golden_rows(400), count_golden_rows(150_528)
    (32, 26)
    """
    return int(np.clip(MOST_BYTES // max(1, row_bytes), LEAST_ROWS, MOST_ROWS))


@dataclass(frozen=True, kw_only=True)
class GoldenRows:
    """Prepared rows, and what the graph said of each alone.

    Parameters
    ----------
    arrays : mapping of str to array
        By the names of the graph's inputs; the first axis is the row.
    outputs : Probabilities, shape (n_rows, n_outputs)
        Before the rules of decision.
    features : FloatMatrix, shape (n_rows, n_dims)
        What the rules read; no columns where they read nothing.
    kind_codes : array of uint8 or None, shape (n_rows,)
        What was decided of each row, as a place in `headstart.decisions.OUTCOMES`; None before format 3.
    class_indices : array of int64 or None, shape (n_rows,)
        The class answered, -1 where there is none; below -1 a level of a coding frame; None before format 3.
    label_levels : array of uint8 or None, shape (n_rows, n_labels)
        For several labels a row: 0 no, 1 possible, 2 sure; None where the rules do not say it.
    """

    arrays: Mapping[str, Array]
    outputs: Probabilities
    features: FloatMatrix
    kind_codes: NDArray[np.uint8] | None = None
    class_indices: NDArray[np.int64] | None = None
    label_levels: NDArray[np.uint8] | None = None

    def write(self, folder: Path) -> None:
        """Write `golden.npz`."""
        input_arrays: dict[str, NDArray[Any]] = {_INPUT + name: value for name, value in self.arrays.items()}
        parts = ((KIND_CODES, self.kind_codes), (CLASS_INDICES, self.class_indices), (LABEL_LEVELS, self.label_levels))
        decided = {name: value for name, value in parts if value is not None}
        write_npz(folder / FILE, {**input_arrays, "outputs": self.outputs, "features": self.features, **decided})

    @classmethod
    def read(cls, folder: Path, contract: GraphContract | None = None) -> GoldenRows:
        """Read it back, checked.

        Parameters
        ----------
        folder : Path
        contract : GraphContract or None
            Inputs and outputs of the graph; None: only the file itself is checked.

        Raises
        ------
        Misfit
            It is damaged, or does not fit.
        """
        stored_arrays = read_npz(folder / FILE, MOST_READ_BYTES)
        arrays = {name.removeprefix(_INPUT): value for name, value in stored_arrays.items() if name.startswith(_INPUT)}
        sizes = check_arrays(stored_arrays, {"outputs": ArrayRule(("n_rows", "n_outputs"))}, FILE)
        check_arrays(stored_arrays, {"features": ArrayRule(("n_rows", "n_dims"))}, FILE, {"n_rows": sizes["n_rows"]})
        rules = {name: rule for name, rule in _DECISION_RULES.items() if name in stored_arrays}
        check_arrays(stored_arrays, rules, FILE, sizes)
        if contract is not None:
            _check_fit(arrays, stored_arrays, contract)
        return cls(
            arrays=arrays,
            outputs=stored_arrays["outputs"],
            features=stored_arrays["features"],
            kind_codes=stored_arrays.get(KIND_CODES),
            class_indices=stored_arrays.get(CLASS_INDICES),
            label_levels=stored_arrays.get(LABEL_LEVELS),
        )


def _check_fit(arrays: Mapping[str, Array], stored_arrays: Mapping[str, Array], contract: GraphContract) -> None:
    """Refuse rows that do not fit the inputs of the graph, and outputs that do not fit its outputs."""
    n_rows = len(stored_arrays["outputs"])
    if set(arrays) != set(contract.inputs):
        raise Misfit(f"{FILE}: there should be inputs {', '.join(sorted(contract.inputs))}")
    for name, (kind, sizes) in contract.inputs.items():
        values = arrays[name]
        stated = (n_rows, *(size if size is not None else -1 for size in sizes[1:]))
        fits = values.ndim == len(stated) and all(
            one in (two, -1) for one, two in zip(stated, values.shape, strict=True)
        )
        if not fits or values.dtype != np.dtype(kind):
            raise Misfit(f"{FILE}: {_INPUT}{name}: should be {kind} of the shape {stated} (was {values.shape})")
    if stored_arrays["outputs"].shape[1] != contract.n_outputs or not 0 < n_rows <= MOST_READ_ROWS:
        raise Misfit(
            f"{FILE}: outputs: there should be {contract.n_outputs} columns (was {stored_arrays['outputs'].shape})"
        )
    if contract.n_features is not None and stored_arrays["features"].shape[1] != contract.n_features:
        raise Misfit(
            f"{FILE}: features: there should be {contract.n_features} columns (was {stored_arrays['features'].shape})"
        )
