"""The base model that lies in a bundle: in files of its own, or once, as part of the graph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from headstart.bases import Backbone, assemble_backbone, read_config, read_folder
from headstart.bases.files import check_weights
from headstart.bases.record import BaseRecord
from headstart.bundle.file_names import make_printable
from headstart.bundle.integrity import BASE, CONFIG, read_json, verify_files
from headstart.bundle.records.schema import make_misfit, raise_bundle_errors
from headstart.bundle.shared_weights import BASE_ARRAYS, BASE_TOKENIZER, Arrays, read_shared
from headstart.bundle.shared_weights import FILE as SHARED
from headstart.errors import BundleError, list_offenders


def select_arrays(arrays: Arrays, start: str) -> Arrays:
    """Return the arrays whose names begin so, without that beginning.

    Parameters
    ----------
    arrays : mapping of str to array
    start : str
    """
    return {name.removeprefix(start): value for name, value in arrays.items() if name.startswith(start)}


def read_base(
    folder: Path, modality: str, listed: Mapping[str, str], arrays: Arrays | None
) -> Backbone | None:  # fmt: skip
    """Read the base of a bundle from files that its manifest lists, or shared arrays; None where there is none."""
    if f"{BASE}/{CONFIG}" not in listed:
        return None
    beside = [f"{BASE}/{path.name}" for path in (folder / BASE).iterdir()]
    unlisted = sorted(name for name in beside if name not in listed)
    if unlisted:
        names = list_offenders([make_printable(name) for name in unlisted])
        raise BundleError(
            f"{folder} holds files that its manifest does not list ({names}).",
            "Remove them, or copy the bundle again.",
        )
    blank = BaseRecord(
        name="",
        modality=modality,
        source="file",
        licence="unknown",
        n_dims=0,
        size_bytes=0,
        training_data="",
        known_biases="",
        sha256="",
        url="",
        pretrained=True,
        summary="",
    )
    if arrays is None:
        parts = read_folder(folder / BASE, blank)
    else:
        tokenizer = bytes(arrays[BASE_TOKENIZER]).decode("utf-8") if BASE_TOKENIZER in arrays else ""
        weights = check_weights(select_arrays(arrays, BASE_ARRAYS), folder / SHARED)
        parts = read_config(folder / BASE, weights, tokenizer)
    if parts.record.modality != modality:
        raise make_misfit(f"{BASE}/{CONFIG}", ("record", "modality"), f"should be {modality}", parts.record.modality)
    return assemble_backbone(parts)


def open_stored_base(folder: Path) -> Backbone | None:
    """Return the base model of a bundle whose weights are stored once; None for any other folder.

    Parameters
    ----------
    folder : Path
        Perhaps a bundle.

    Raises
    ------
    BundleError
        It is damaged or was changed.
    """
    if not (folder / SHARED).is_file():
        return None
    listed = verify_files(folder)["sha256"]
    with raise_bundle_errors(folder):
        modality = read_json(folder / CONFIG)["modality"]
        return read_base(folder, str(modality), listed, read_shared(folder, listed))
