"""Read a base model from a folder: Headstart's own form, timm's, or transformers' - safetensors only.

Every source (embedded packages, the hub's cache, `file:`) ends in a folder, so this is the one reader.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from headstart.array_files import DamagedArrays, read_arrays, write_arrays
from headstart.bases.record import Array, BaseRecord, Parts
from headstart.errors import DataError, offenders
from headstart.home import write_json, write_text

WEIGHTS, CONFIG, TOKENIZER, WORDS = "model.safetensors", "config.json", "tokenizer.json", "words.safetensors"
OWN = "headstart_base"
MAX_TOKENS = 256


def sha256_of(path: Path) -> str:
    """Hash a file (hex)."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def as_float32(weights: Mapping[str, Array]) -> dict[str, Array]:
    """Turn half-precision tensors into float32 and leave the rest."""
    return {name: value.astype(np.float32) if value.dtype == np.float16 else value for name, value in weights.items()}


def read_weights(path: Path) -> dict[str, Array]:
    """Read a safetensors file as numpy arrays, floating ones as float32.

    Raises
    ------
    DataError
        If the file is absent or damaged.
    """
    if not path.is_file():
        raise DataError(
            f"{path.parent} has no {path.name}.",
            "Headstart loads safetensors files only (never pickled weights); convert the model first.",
        )
    try:
        return as_float32(read_arrays(path))
    except DamagedArrays as error:
        raise DataError(f"{path} is damaged ({error}).", "Copy or download it again.") from error


def fitting(found: Mapping[str, Array], wanted: Mapping[str, tuple[int, ...]], path: Path) -> dict[str, Array]:
    """Keep the tensors that a network wants and check every shape; a classifier beyond them is left out.

    Raises
    ------
    DataError
        Naming at most five tensors that are missing or of another shape.
    """
    bad = [name for name, shape in wanted.items() if name not in found or tuple(found[name].shape) != tuple(shape)]
    if bad:
        raise DataError(
            f"{path} does not fit its architecture: {len(bad)} tensors are missing or of another shape "
            f"({offenders(bad)}).",
            "Check that config.json and the weights belong together.",
        )
    return {name: found[name] for name in wanted}


def shapes(net: Any) -> dict[str, tuple[int, ...]]:
    """List the shape of every tensor of a torch network."""
    return {name: tuple(value.shape) for name, value in net.state_dict().items()}


def _timm_parts(folder: Path, config: Mapping[str, Any], record: BaseRecord) -> Parts:
    vision = import_module("headstart.bases.vision")
    name = str(config["architecture"])
    if not vision.known(name):
        raise DataError(f"{folder / CONFIG} names the architecture '{name}', which timm does not have.", "Update timm.")
    architecture = {"library": "timm", "name": name, "kwargs": dict(config.get("model_args", {}))}
    net = vision.build(architecture)
    spec = vision.spec_of(config.get("pretrained_cfg", config))
    weights = fitting(read_weights(folder / WEIGHTS), shapes(net), folder / WEIGHTS)
    n_dims = vision.final_dims(vision.wrap(net.eval()), spec)
    return Parts(replace(record, modality="image", n_dims=n_dims), architecture, spec, weights)


def _transformers_parts(folder: Path, config: Mapping[str, Any], record: BaseRecord) -> Parts:
    encoders = import_module("headstart.bases.encoders")
    try:
        full, tensors = encoders.load_folder(str(folder))
    except (ValueError, OSError) as error:
        said = " ".join(str(error).split())[:200]
        raise DataError(f"transformers cannot load {folder}: {said}", "Choose another base model.") from error
    weights = {name: value.contiguous().numpy() for name, value in tensors.items()}
    architecture = {"library": "transformers", "config": json.loads(json.dumps(full, default=str))}
    if encoders.is_vision(architecture):
        spec = _picture_spec(folder, config)
        return Parts(replace(record, modality="image", n_dims=_width(config)), architecture, spec, weights)
    limit = int(config.get("max_position_embeddings") or MAX_TOKENS)
    reserved = 2 if config.get("model_type") in {"roberta", "xlm-roberta", "camembert"} else 0
    spec = {"max_length": min(MAX_TOKENS, limit - reserved), "pad_id": int(config.get("pad_token_id") or 0)}
    return Parts(
        replace(record, modality="text", n_dims=_width(config)), architecture, spec, weights, _tokenizer(folder)
    )


def _width(config: Mapping[str, Any]) -> int:
    sizes = config.get("hidden_sizes")
    return int(sizes[-1] if sizes else config.get("hidden_size") or config.get("dim") or config.get("d_model") or 0)


def _picture_spec(folder: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    path = folder / "preprocessor_config.json"
    said = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    stated = said.get("size", config.get("image_size", 224))
    if isinstance(stated, Mapping):
        stated = stated.get("height") or stated.get("shortest_edge") or 224
    return {
        "size": int(stated),
        "resize": round(int(stated) / float(said.get("crop_pct") or 1.0)),
        "fit": "crop",
        "interpolation": "bilinear" if said.get("resample") == 2 else "bicubic",
        "mean": said.get("image_mean", [0.485, 0.456, 0.406]),
        "std": said.get("image_std", [0.229, 0.224, 0.225]),
    }


def _tokenizer(folder: Path) -> str:
    path = folder / TOKENIZER
    if path.is_file():
        return path.read_text("utf-8")
    transformers = import_module("transformers")
    try:
        made = transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
        return str(made.backend_tokenizer.to_str())
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(
            f"{folder} has no usable tokenizer.json ({error}).", "Add the model's tokenizer.json."
        ) from error


def _own_parts(folder: Path, config: Mapping[str, Any], record: BaseRecord) -> Parts:
    tokenizer = folder / TOKENIZER
    return Parts(
        BaseRecord(**config["record"]),
        config["architecture"],
        config["spec"],
        read_weights(folder / WEIGHTS),
        tokenizer.read_text("utf-8") if tokenizer.is_file() else "",
        _words(folder / WORDS),
    )


def _words(path: Path) -> dict[str, Array]:
    """Read what raw text said of words; nothing where the base comes without."""
    if not path.is_file():
        return {}
    try:
        return read_arrays(path)
    except DamagedArrays as error:
        raise DataError(f"{path} is damaged ({error}).", "Copy the base again, or take this file out.") from error


READERS: dict[str, Callable[[Path, Mapping[str, Any], BaseRecord], Parts]] = {
    OWN: _own_parts,
    "pretrained_cfg": _timm_parts,
    "model_type": _transformers_parts,
}


def read_folder(folder: Path, record: BaseRecord) -> Parts:
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
        If the folder is incomplete, damaged or of a kind that is not known.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise DataError(
            f"{folder} is no base model: it has no {CONFIG}.", "Give a folder in timm's or transformers' form."
        )
    try:
        config = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise DataError(f"{path} is no valid JSON ({error}).", "Copy or download it again.") from error
    for key, reader in READERS.items():
        if key in config:
            weights = folder / WEIGHTS
            sized = record
            if weights.is_file():
                sized = replace(record, size_bytes=weights.stat().st_size, sha256=sha256_of(weights))
            return reader(folder, config, sized)
    kind = config.get("library") or config.get("architecture") or "unknown"
    raise DataError(
        f"{path} describes a model of a kind that Headstart cannot build ({kind}).",
        "Supported are folders written by timm, by transformers and by Headstart itself.",
    )


def write_folder(parts: Parts, folder: Path) -> None:
    """Write parts in Headstart's own form, each file whole or not at all; config.json comes last."""
    write_arrays(folder / WEIGHTS, parts.weights)
    if parts.tokenizer:
        write_text(folder / TOKENIZER, parts.tokenizer)
    document = {OWN: 1, "record": asdict(parts.record), "architecture": parts.architecture, "spec": parts.spec}
    write_json(folder / CONFIG, document)
