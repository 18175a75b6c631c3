"""Is a bundle whole, and does it say here what it said where it was made? Hashes, then the golden rows replayed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from headstart import bundle as bundles
from headstart.bundle.gate import Agreement, agreement
from headstart.bundle.golden import FILE, Golden
from headstart.bundle.portable import FAILURES, Run, opened
from headstart.bundle.schema import reading
from headstart.errors import BundleError

BROKEN: tuple[type[Exception], ...] = (KeyError, ValueError, OSError, BadZipFile, *FAILURES)
"""What damaged golden rows or a damaged graph raise."""


@dataclass(frozen=True)
class Verified:
    """What was found.

    Parameters
    ----------
    folder : Path
    format : int
    n_files : int
        Files whose hash is right (a wrong one is an error).
    unlisted : tuple of str
        Files beside them that the manifest does not name; they are never read.
    golden : Agreement or None
        Of the golden rows; None where the bundle has none.
    without : str
        Why nothing was replayed.
    """

    folder: Path
    format: int
    n_files: int
    unlisted: tuple[str, ...]
    golden: Agreement | None
    without: str = ""

    @property
    def good(self) -> bool:
        """Whether the model says the same here."""
        return self.golden is None or self.golden.passes


def verified(path: Path) -> Verified:
    """Check a bundle and replay its golden rows on this machine.

    Parameters
    ----------
    path : Path
        A bundle, or the OUT folder of `adapt`.

    Raises
    ------
    BundleError
        A file is missing or was changed, the format is not known, or the graph cannot be run.
    """
    folder = bundles.find(path)
    manifest = bundles.verify(folder)
    listed = set(manifest["sha256"])
    there = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    unlisted = tuple(sorted(there - listed - {bundles.MANIFEST}))
    known = manifest["format"], len(listed), unlisted
    if FILE not in listed:
        return Verified(folder, *known, None, "the bundle has no golden rows: it has no portable form")
    if not any(name.endswith(".onnx") for name in listed):
        return Verified(folder, *known, None, "the bundle was exported for other tools, which run it")
    model = bundles.load(folder, "onnx")
    assert model.portable is not None
    with reading(folder):
        golden = Golden.read(folder, model.portable.contract)
    try:
        run = opened(folder / str(model.portable.told["file"]), tuple(golden.arrays))
        outputs = _replayed(run, golden)
        found = agreement(model.task, golden.outputs, outputs, model.thresholds)
    except BROKEN as error:
        raise BundleError(
            f"The golden rows of {folder} cannot be replayed ({type(error).__name__}: {str(error)[:200]}).",
            "Copy the bundle again, or update onnxruntime.",
        ) from error
    return Verified(folder, *known, found)


def _replayed(run: Run, golden: Golden) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Run the golden rows one by one: each as it would be answered alone, padding aside."""
    parts = [
        run(*(values[row : row + 1] for values in golden.arrays.values()))[0] for row in range(len(golden.outputs))
    ]
    return np.concatenate(parts)
