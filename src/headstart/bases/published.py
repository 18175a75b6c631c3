"""Read a base model from a folder in timm's or transformers' form, as people publish them.

Only what is known by name is taken from its files; the weights are read here, from safetensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from headstart.bases.architectures import HINT, parse_architecture
from headstart.bases.files import read_json_file, read_text_file, read_weights
from headstart.bases.record import Architecture, Array, BaseParts, BaseRecord
from headstart.bases.specs import find_modality, parse_spec
from headstart.bases.text_sizes import count_reserved_positions
from headstart.errors import DataError
from headstart.modalities import MODALITIES
from headstart.modalities.record import Spec
from headstart.modalities.tokenizer_files import MOST_BYTES as MOST_TOKENIZER_BYTES

WEIGHTS, CONFIG, TOKENIZER, INDEX = "model.safetensors", "config.json", "tokenizer.json", "model.safetensors.index.json"
MAX_TOKENS, MOST_SHARDS = 256, 100
_WRONG_FORM = (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError)


def read_timm_folder(folder: Path, config: Mapping[str, Any], record: BaseRecord) -> BaseParts:
    """Return the parts of a folder as timm writes it."""
    vision, building = import_module("headstart.bases.vision"), import_module("headstart.bases.building")
    path = folder / CONFIG
    document = {"library": "timm", "name": config.get("architecture"), "kwargs": config.get("model_args")}
    architecture = parse_architecture(document, path)
    if not vision.is_known(architecture["name"]):
        name = architecture["name"]
        raise DataError(f"{path} names the architecture '{name}', which timm does not have.", "Update timm.")
    settings = config.get("pretrained_cfg") or config
    try:
        spec = parse_spec(vision.derive_spec(settings), "image", path)
    except _WRONG_FORM as error:
        raise DataError(f"{path}: pretrained_cfg has entries of the wrong form ({str(error)[:100]}).", HINT) from error
    weights = read_weights(folder / WEIGHTS)
    if record.image_size:
        architecture, spec, weights = _change_image_size(architecture, spec, weights, record.image_size)
    shapes = {name: tuple(value.shape) for name, value in weights.items()}
    net = building.build_network(vision, architecture, shapes, folder / WEIGHTS, side=spec["size"])
    with building.building_errors(path):
        n_dims = vision.measure_final_dims(vision.wrap_network(net.eval()), spec)
    network_weights = {name: weights[name] for name in net.state_dict() if name in weights}
    return BaseParts(
        record=replace(record, modality="image", n_dims=n_dims),
        architecture=architecture,
        spec=spec,
        weights=network_weights,
    )


def _change_image_size(
    architecture: Architecture, spec: Spec, weights: Mapping[str, Array], size: int
) -> tuple[Architecture, Spec, dict[str, Array]]:
    """Return a vision transformer for images of another size: its table of positions is stretched."""
    changed = {**architecture, "kwargs": {**architecture["kwargs"], "img_size": size}}
    resize = round(size * spec["resize"] / spec["size"])
    vision = import_module("headstart.bases.vision")
    return changed, {**spec, "size": size, "resize": resize}, vision.stretch_positions(changed, weights)


def read_transformers_folder(folder: Path, config: Mapping[str, Any], record: BaseRecord) -> BaseParts:
    """Return the parts of a folder as transformers writes it."""
    path = folder / CONFIG
    architecture = parse_architecture({"library": "transformers", "config": config}, path)
    encoders, torch = import_module("headstart.bases.encoders"), import_module("torch")
    encoders.check_settings(config, path)
    tensors = {name: torch.from_numpy(value) for name, value in _read_shards(folder).items()}
    converted = encoders.convert_weights(architecture, tensors, folder / WEIGHTS)
    weights = {name: value.contiguous().numpy() for name, value in converted.items()}
    settings, modality = architecture["config"], find_modality(architecture)
    has_words = MODALITIES[modality].has_words
    known = replace(record, modality=modality, n_dims=_width(settings))
    try:
        spec = _text_spec(config, weights) if has_words else _image_spec(folder, config)
    except _WRONG_FORM as error:
        raise DataError(f"{folder} does not describe its inputs in a usable way ({str(error)[:100]}).", HINT) from error
    tokenizer = _read_tokenizer(folder, settings["model_type"]) if has_words else ""
    return BaseParts(
        record=known,
        architecture=architecture,
        spec=parse_spec(spec, modality, folder),
        weights=weights,
        tokenizer=tokenizer,
    )


def _read_shards(folder: Path) -> dict[str, Array]:
    """Read the weights of a folder, in one file or in several that lie beside their index."""
    index = folder / INDEX
    if (folder / WEIGHTS).is_file() or not index.is_file():
        return read_weights(folder / WEIGHTS)
    listed = read_json_file(index).get("weight_map")
    names = sorted(set(listed.values())) if isinstance(listed, dict) and all(map(_is_shard, listed.values())) else []
    if not 0 < len(names) <= MOST_SHARDS:
        raise DataError(f"{index} does not list weights that lie beside it.", HINT)
    return {name: value for shard in names for name, value in read_weights(folder / shard).items()}


def _is_shard(name: object) -> bool:
    return isinstance(name, str) and name.endswith(".safetensors") and Path(name).name == name and "\\" not in name


def _width(config: Mapping[str, Any]) -> int:
    sizes = config.get("hidden_sizes")
    width = sizes[-1] if sizes else config.get("hidden_size") or config.get("dim") or config.get("d_model") or 0
    return width if isinstance(width, int) else 0


def _text_spec(config: Mapping[str, Any], weights: Mapping[str, Array]) -> Spec:
    tables = [len(value) for name, value in weights.items() if name.endswith("position_embeddings.weight")]
    limit = min([int(config.get("max_position_embeddings") or MAX_TOKENS), *tables])
    reserved = count_reserved_positions(str(config["model_type"]))
    return {"max_length": min(MAX_TOKENS, limit - reserved), "pad_id": int(config.get("pad_token_id") or 0)}


def _image_spec(folder: Path, config: Mapping[str, Any]) -> Spec:
    path = folder / "preprocessor_config.json"
    stated = read_json_file(path) if path.is_file() else {}
    size = stated.get("size", config.get("image_size", 224))
    if isinstance(size, Mapping):
        size = size.get("height") or size.get("shortest_edge") or 224
    if isinstance(size, list):
        size = size[0]
    return {
        "size": int(size),
        "resize": round(int(size) / float(stated.get("crop_pct") or 1.0)),
        "fit": "crop",
        "interpolation": "bilinear" if stated.get("resample") == 2 else "bicubic",
        "mean": stated.get("image_mean", [0.485, 0.456, 0.406]),
        "std": stated.get("image_std", [0.229, 0.224, 0.225]),
    }


def _read_tokenizer(folder: Path, model_type: str) -> str:
    """Read tokenizer.json, or make one of vocab.txt; nothing else is taken for a tokenizer."""
    path, words = folder / TOKENIZER, folder / "vocab.txt"
    if path.is_file():
        return read_text_file(path, MOST_TOKENIZER_BYTES)
    if not words.is_file():
        raise DataError(f"{folder} has no {TOKENIZER}.", "Add the model's tokenizer.json.")
    settings = folder / "tokenizer_config.json"
    stated = read_json_file(settings) if settings.is_file() else {}
    pieces = dict.fromkeys(line.rstrip("\r\n") for line in read_text_file(words, MOST_TOKENIZER_BYTES).splitlines())
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    if not {"[UNK]", "[SEP]", "[CLS]"} <= set(vocabulary):
        raise DataError(f"{words} lacks [UNK], [SEP] or [CLS].", "Add the model's tokenizer.json.")
    tokenizer = import_module("tokenizers").BertWordPieceTokenizer(
        vocabulary,
        lowercase=stated.get("do_lower_case") is not False,
        strip_accents=stated.get("strip_accents") if isinstance(stated.get("strip_accents"), bool) else None,
        handle_chinese_chars=stated.get("tokenize_chinese_chars") is not False,
    )
    return str(tokenizer.to_str())
