"""Golden rows run through a bundle's graph on this machine, and held against what it gave where it was made."""

from __future__ import annotations

from zipfile import BadZipFile

import numpy as np

from headstart.bundle.golden import Golden
from headstart.bundle.records.schema import reading
from headstart.bundle.runtime.agreement import Agreement, agreement
from headstart.bundle.runtime.session import FAILURES, Portable, Run, opened
from headstart.errors import BundleError
from headstart.records import FloatMatrix

BROKEN: tuple[type[Exception], ...] = (KeyError, ValueError, OSError, BadZipFile, *FAILURES)
"""What damaged golden rows or a damaged graph raise."""


def replay_golden_rows(portable: Portable, task: str, thresholds: tuple[float, ...]) -> tuple[Golden, Agreement]:
    """Return the golden rows of a bundle, and how far its graph answers them here as it did.

    Parameters
    ----------
    portable : Portable
        Whose graph was checked.
    task : str
    thresholds : tuple of float

    Raises
    ------
    BundleError
        The rows or the graph are damaged.
    """
    folder = portable.folder
    with reading(folder):
        golden = Golden.read(folder, portable.contract)
    try:
        outputs = _run_one_by_one(opened(folder / str(portable.told["file"]), tuple(golden.arrays)), golden)
        return golden, agreement(task, golden.outputs, outputs, thresholds)
    except BROKEN as error:
        raise BundleError(
            f"The golden rows of {folder} cannot be replayed ({type(error).__name__}: {str(error)[:200]}).",
            "Copy the bundle again, or update onnxruntime.",
        ) from error


def _run_one_by_one(run: Run, golden: Golden) -> FloatMatrix:
    """Return the outputs of each golden row as it would be answered alone, padding aside."""
    parts = [
        run(*(values[row : row + 1] for values in golden.arrays.values()))[0] for row in range(len(golden.outputs))
    ]
    return np.concatenate(parts)
