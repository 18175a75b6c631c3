"""Read the vision tower of a folder as open_clip writes it: its tensors under timm's names, for timm's network.

Text tower and projection are left out. What the names mean is as in open_clip's `VisionTransformer`; a tower that timm
built (`trunk`) has timm's names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from headstart.bases.architectures import HINT, parse_architecture
from headstart.bases.files import read_json_file, read_weights
from headstart.bases.record import Architecture, Array, BaseParts, BaseRecord
from headstart.bases.specs import parse_spec
from headstart.errors import DataError, list_offenders
from headstart.modalities.record import Spec

CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"
_TOWER, _TRUNK = "visual.", "visual.trunk."
_NAMES = (
    (r"conv1\.", "patch_embed.proj."),
    (r"class_embedding$", "cls_token"),
    (r"positional_embedding$", "pos_embed"),
    (r"ln_pre\.", "norm_pre."),
    (r"ln_post\.", "norm."),
    (r"transformer\.resblocks\.", "blocks."),
    (r"\.ln_([12])\.", r".norm\1."),
    (r"\.attn\.in_proj_", ".attn.qkv."),
    (r"\.attn\.out_proj\.", ".attn.proj."),
    (r"\.mlp\.c_fc\.", ".mlp.fc1."),
    (r"\.mlp\.c_proj\.", ".mlp.fc2."),
)
"""Names inside the tower, and timm's."""
_LEADING_AXES = {"cls_token": 2, "pos_embed": 1}
_HEAD_WIDTH, _MLP_RATIO = 64, 4.0
_NETWORKS = {False: "vit_base_patch32_clip_224", True: "vit_base_patch32_clip_quickgelu_224"}
"""By whether the activation is QuickGELU; every size is given as an argument."""
_SETTINGS = frozenset(
    {
        "image_size", "patch_size", "width", "layers", "head_width", "mlp_ratio", "timm_model_name", "timm_pool",
        "timm_proj", "timm_model_pretrained", "timm_proj_bias", "timm_drop", "timm_drop_path", "patch_dropout",
        "output_tokens",
    }
)  # fmt: skip
"""Settings of a tower that are read, or that its features do not depend on."""
_WRONG_FORM = (TypeError, ValueError, KeyError, IndexError)


def read_open_clip_folder(folder: Path, record: BaseRecord) -> BaseParts:
    """Return the parts of the vision tower.

    Parameters
    ----------
    folder : Path
        Holds open_clip_config.json and open_clip_model.safetensors.
    record : BaseRecord

    Raises
    ------
    DataError
        If the folder is incomplete or damaged, or describes a tower that timm's vision transformer is not.
    """
    path = folder / CONFIG
    document = read_json_file(path)
    try:
        architecture = parse_architecture(_describe_tower(document["model_cfg"], path), path)
        spec = parse_spec(_describe_inputs(document), "image", path)
    except _WRONG_FORM as error:
        raise DataError(f"{path} does not describe a vision tower ({str(error)[:100]}).", HINT) from error
    weights = rename_tower(read_weights(folder / WEIGHTS))
    vision, building = import_module("headstart.bases.vision"), import_module("headstart.bases.building")
    shapes = {name: tuple(value.shape) for name, value in weights.items()}
    net = building.build_network(vision, architecture, shapes, folder / WEIGHTS, side=spec["size"])
    return BaseParts(
        record=replace(record, modality="image", n_dims=net.num_features),
        architecture=architecture,
        spec=spec,
        weights={name: weights[name] for name in net.state_dict() if name in weights},
    )


def rename_tower(tensors: Mapping[str, Array]) -> dict[str, Array]:
    """Return the tensors of the vision tower under timm's names; the others are left out.

    Parameters
    ----------
    tensors : mapping of str to array
        By open_clip's names.
    """
    trunk = {name.removeprefix(_TRUNK): value for name, value in tensors.items() if name.startswith(_TRUNK)}
    if trunk:
        return trunk
    tower: dict[str, Array] = {}
    for name, value in tensors.items():
        if name.startswith(_TOWER):
            renamed = name.removeprefix(_TOWER)
            for pattern, replacement in _NAMES:
                renamed = re.sub(pattern, replacement, renamed)
            tower[renamed] = value.reshape((1,) * _LEADING_AXES.get(renamed, 0) + value.shape)
    return tower


def _describe_tower(config: Mapping[str, Any], place: Path) -> Architecture:
    """Return the architecture of a tower: timm's by its name, or open_clip's own transformer as timm builds it."""
    tower = config["vision_cfg"]
    unknown = sorted(name for name, value in tower.items() if name not in _SETTINGS and value)
    if unknown:
        raise DataError(f"{place} has settings that Headstart does not know ({list_offenders(unknown)}).", HINT)
    if tower.get("timm_model_name"):
        return {"library": "timm", "name": tower["timm_model_name"], "kwargs": {}}
    arguments = {
        "img_size": tower["image_size"],
        "patch_size": tower["patch_size"],
        "embed_dim": tower["width"],
        "depth": tower["layers"],
        "num_heads": tower["width"] // tower.get("head_width", _HEAD_WIDTH),
        "mlp_ratio": tower.get("mlp_ratio", _MLP_RATIO),
    }
    return {"library": "timm", "name": _NETWORKS[bool(config.get("quick_gelu"))], "kwargs": arguments}


def _describe_inputs(document: Mapping[str, Any]) -> Spec:
    stated = document.get("preprocess_cfg") or {}
    size = document["model_cfg"]["vision_cfg"].get("image_size", 224)
    return {
        "size": size,
        "resize": size,
        "fit": "crop",
        "interpolation": "bilinear" if stated.get("interpolation") == "bilinear" else "bicubic",
        "mean": stated.get("mean", [0.48145466, 0.4578275, 0.40821073]),
        "std": stated.get("std", [0.26862954, 0.26130258, 0.27577711]),
    }
