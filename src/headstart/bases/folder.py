"""Read a base model from a folder: Headstart's own form, timm's, transformers', series - safetensors only.

Every source (embedded packages, the hub's cache, `file:`) ends in a folder, so this is the one reader. Folders come
from strangers: each file is parsed into what is known by name before anything is built.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from headstart.array_files import DamagedArrays, read_arrays, write_arrays
from headstart.bases import open_clip
from headstart.bases.architectures import parse_architecture
from headstart.bases.files import read_json_file, read_text_file, read_weights
from headstart.bases.published import CONFIG, TOKENIZER, WEIGHTS, read_timm_folder, read_transformers_folder
from headstart.bases.record import Array, BaseParts, BaseRecord
from headstart.bases.series_bodies import find_layout
from headstart.bases.series_bodies.reading import read_series_folder
from headstart.bases.specs import parse_base_record, parse_spec
from headstart.errors import DataError, list_offenders
from headstart.home import write_json, write_text
from headstart.modalities.tokenizer_files import MOST_BYTES as MOST_TOKENIZER_BYTES
from headstart.sealed_folders import hash_file

__all__ = [
    "CONFIG",
    "COOCCURRENCE_FILE",
    "OWN",
    "TOKENIZER",
    "WEIGHTS",
    "list_shapes",
    "read_config",
    "read_folder",
    "read_weights",
    "select_fitting",
    "write_config",
    "write_folder",
]  # fmt: skip

COOCCURRENCE_FILE, OWN = "words.safetensors", "headstart_base"


def select_fitting(
    weights: Mapping[str, Array], shapes_by_name: Mapping[str, tuple[int, ...]], path: Path
) -> dict[str, Array]:
    """Keep the tensors that a network wants and check every shape; a classifier beyond them is left out.

    Raises
    ------
    DataError
        Naming at most five tensors that are missing or of another shape.
    """
    bad = [
        name
        for name, shape in shapes_by_name.items()
        if name not in weights or tuple(weights[name].shape) != tuple(shape)
    ]
    if bad:
        raise DataError(
            f"{path} does not fit its architecture: {len(bad)} tensors are missing or of another shape "
            f"({list_offenders(bad)}).",
            "Check that config.json and the weights belong together.",
        )
    return {name: weights[name] for name in shapes_by_name}


def list_shapes(net: Any) -> dict[str, tuple[int, ...]]:
    """List the shape of every tensor of a torch network."""
    return {name: tuple(value.shape) for name, value in net.state_dict().items()}


def _read_own_folder(folder: Path, config: Mapping[str, Any], record: BaseRecord) -> BaseParts:
    tokenizer = folder / TOKENIZER
    content = read_text_file(tokenizer, MOST_TOKENIZER_BYTES) if tokenizer.is_file() else ""
    parts = read_config(folder, read_weights(folder / WEIGHTS), content)
    return replace(parts, cooccurrence=_read_cooccurrence(folder / COOCCURRENCE_FILE))


def _read_cooccurrence(path: Path) -> dict[str, Array]:
    """Read what raw text said of words; nothing where the base comes without."""
    if not path.is_file():
        return {}
    try:
        return read_arrays(path)
    except DamagedArrays as error:
        raise DataError(f"{path} is damaged ({error}).", "Copy the base again, or take this file out.") from error


def _read_series_folder(folder: Path, config: Mapping[str, Any], record: BaseRecord) -> BaseParts:
    layout = find_layout(config)
    assert layout is not None
    return read_series_folder(layout, config, folder / WEIGHTS, record)


Reader = Callable[[Path, Mapping[str, Any], BaseRecord], BaseParts]
READERS: tuple[tuple[Callable[[Mapping[str, Any]], bool], Reader], ...] = (
    (lambda config: OWN in config, _read_own_folder),
    (lambda config: find_layout(config) is not None, _read_series_folder),
    (lambda config: "pretrained_cfg" in config, read_timm_folder),
    (lambda config: "model_type" in config, read_transformers_folder),
)
"""Which config.json each reader takes, the first that does."""


def read_folder(folder: Path, record: BaseRecord) -> BaseParts:
    """Read the parts of a base model.

    Parameters
    ----------
    folder : Path
        Holds config.json, model.safetensors and, for texts, tokenizer.json.
    record : BaseRecord
        What is known of it already; modality, size and hash are filled in.

    Raises
    ------
    DataError
        If the folder is incomplete, damaged or of a kind that is not known, or names what it may not.
    """
    path = folder / CONFIG
    if not path.is_file() and (folder / open_clip.CONFIG).is_file():
        return open_clip.read_open_clip_folder(folder, _measure_weights(record, folder / open_clip.WEIGHTS))
    if not path.is_file():
        raise DataError(
            f"{folder} is not a base model: it has no {CONFIG}.", "Give a folder in timm's or transformers' form."
        )
    config = read_json_file(path)
    for takes, reader in READERS:
        if takes(config):
            return reader(folder, config, _measure_weights(record, folder / WEIGHTS))
    kind = str(config.get("library") or config.get("architecture") or "unknown")[:60]
    raise DataError(
        f"{path} describes a model of a kind that Headstart cannot build ({kind}).",
        "Supported are folders written by timm, by transformers and by Headstart itself, and some networks for series.",
    )


def _measure_weights(record: BaseRecord, weights: Path) -> BaseRecord:
    """Return a record with size and hash of a file of weights."""
    if not weights.is_file():
        return record
    return replace(record, size_bytes=weights.stat().st_size, sha256=hash_file(weights))


def write_folder(parts: BaseParts, folder: Path) -> None:
    """Write parts in Headstart's own form, each file whole or not at all; config.json comes last.

    Parameters
    ----------
    parts : BaseParts
    folder : Path
        Files of the same names are replaced.
    """
    write_arrays(folder / WEIGHTS, parts.weights)
    if parts.tokenizer:
        write_text(folder / TOKENIZER, parts.tokenizer)
    write_config(parts, folder)


def write_config(parts: BaseParts, folder: Path) -> None:
    """Write the config.json of Headstart's own form alone: weights and tokenizer are stored elsewhere.

    Parameters
    ----------
    parts : BaseParts
    folder : Path
    """
    document = {OWN: 1, "record": asdict(parts.record), "architecture": parts.architecture, "spec": parts.spec}
    write_json(folder / CONFIG, document)


def read_config(folder: Path, weights: Mapping[str, Array], tokenizer: str) -> BaseParts:
    """Read parts whose config.json `write_config` wrote.

    Parameters
    ----------
    folder : Path
    weights : mapping of str to array
        Checked with `check_weights`.
    tokenizer : str
        Content of tokenizer.json for texts, else "".

    Raises
    ------
    DataError
        If the file is damaged, or names what it may not.
    """
    path = folder / CONFIG
    config = read_json_file(path)
    own = parse_base_record(config.get("record"), path)
    return BaseParts(
        record=own,
        architecture=parse_architecture(config.get("architecture"), path),
        spec=parse_spec(config.get("spec"), own.modality, path),
        weights=weights,
        tokenizer=tokenizer,
    )
