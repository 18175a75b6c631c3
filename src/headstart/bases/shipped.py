"""The base model that comes inside Headstart itself: our own series encoder."""

from __future__ import annotations

from pathlib import Path

from headstart.bases import series_shape
from headstart.bases.folder import read_weights
from headstart.bases.record import BaseParts, BaseRecord
from headstart.errors import BundleError
from headstart.sealed_folders import hash_file

FOLDER = Path(__file__).parent / "weights"


def load_shipped(record: BaseRecord) -> BaseParts:
    """Return the parts of a shipped base, for series of one channel.

    Raises
    ------
    BundleError
        If the file is not there or does not have the known hash.
    """
    path = FOLDER / f"{record.name}.safetensors"
    if not path.is_file() or hash_file(path) != record.sha256:
        raise BundleError(
            f"The weights of {record.name} ({path}) are not the ones that Headstart came with (sha256 differs).",
            "Reinstall: pip install --force-reinstall headstart",
        )
    architecture = dict(series_shape.ARCHITECTURE)
    return BaseParts(
        record=record,
        architecture=architecture,
        spec=series_shape.make_spec(architecture, 1),
        weights=read_weights(path),
    )
