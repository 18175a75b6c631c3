"""Golden rows run through a bundle's graph on this machine, and held against what it gave where it was made."""

from __future__ import annotations

from zipfile import BadZipFile

import numpy as np

from headstart.bundle.golden import GoldenRows
from headstart.bundle.records.schema import raise_bundle_errors
from headstart.bundle.runtime.agreement import Agreement, compare_outputs
from headstart.bundle.runtime.session import FAILURES, GraphRun, PortableModel, open_graph
from headstart.errors import BundleError
from headstart.records import FloatMatrix

REPLAY_FAILURES: tuple[type[Exception], ...] = (KeyError, ValueError, OSError, BadZipFile, *FAILURES)
"""What damaged golden rows or a damaged graph raise."""


def replay_golden_rows(
    portable: PortableModel, task: str, thresholds: tuple[float, ...]
) -> tuple[GoldenRows, Agreement]:
    """Return the golden rows of a bundle, and how far its graph answers them here as it did.

    Parameters
    ----------
    portable : PortableModel
        Whose graph was checked.
    task : str
    thresholds : tuple of float

    Raises
    ------
    BundleError
        The rows or the graph are damaged.
    """
    folder = portable.folder
    with raise_bundle_errors(folder):
        golden = GoldenRows.read(folder, portable.contract)
    try:
        outputs = _run_one_by_one(open_graph(folder / str(portable.config["file"]), tuple(golden.arrays)), golden)
        return golden, compare_outputs(task, golden.outputs, outputs, thresholds)
    except REPLAY_FAILURES as error:
        raise BundleError(
            f"The golden rows of {folder} cannot be replayed ({type(error).__name__}: {str(error)[:200]}).",
            "Copy the bundle again, or update onnxruntime.",
        ) from error


def _run_one_by_one(run: GraphRun, golden: GoldenRows) -> FloatMatrix:
    """Return the outputs of each golden row as it would be answered alone, padding aside."""
    parts = [
        run(*(values[row : row + 1] for values in golden.arrays.values()))[0] for row in range(len(golden.outputs))
    ]
    return np.concatenate(parts)
