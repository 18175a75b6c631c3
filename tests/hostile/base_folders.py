"""Base models of strangers: bundles and `file:` folders whose config asks for what it may not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file
from tests.hostile.bundles import open_door
from tests.hostile.case import Case, Command, Random, Seeds, copy_bundle, read_document, seal, write_document

URL = "http://127.0.0.1:9/weights.pth"
TIMM: Mapping[str, dict[str, Any]] = {
    "hub-name": {"name": "hf-hub:someone/something"},
    "folder-name": {"name": "local-dir:/etc"},
    "path-name": {"name": "/etc/passwd"},
    "parent-name": {"name": "../resnet18"},
    "unknown-name": {"name": "no_such_network"},
    "number-name": {"name": 7},
    "list-name": {"name": ["test_resnet"]},
    "no-name": {"name": None},
    "long-name": {"name": "x" * 100_000},
    "larger": {"name": "vit_giant_patch14_224"},
    "enormous": {"name": "eva02_enormous_patch14_clip_224"},
    "checkpoint": {"kwargs": {"checkpoint_path": "/etc/passwd"}},
    "checkpoint-url": {"kwargs": {"checkpoint_path": URL}},
    "pretrained": {"kwargs": {"pretrained": True}},
    "pretrained-url": {"kwargs": {"pretrained": True, "pretrained_cfg": {"url": URL}, "cache_dir": "victim"}},
    "pretrained-file": {"kwargs": {"pretrained": True, "pretrained_cfg": {"file": "/etc/passwd"}}},
    "pretrained-hub": {"kwargs": {"pretrained": True, "pretrained_cfg": {"hf_hub_id": "someone/something"}}},
    "overlay": {"kwargs": {"pretrained": True, "pretrained_cfg_overlay": {"url": URL}}},
    "overlay-file": {"kwargs": {"pretrained": True, "pretrained_cfg_overlay": {"file": "x.pth"}}},
    "tag": {"kwargs": {"pretrained_tag": "../../x"}},
    "depth": {"kwargs": {"layers": [10**9] * 4}},
    "width": {"kwargs": {"channels": [10**6] * 4}},
    "channels": {"kwargs": {"in_chans": 10**6}},
    "classes": {"kwargs": {"num_classes": 10**9}},
    "features-only": {"kwargs": {"features_only": True}},
    "scriptable": {"kwargs": {"scriptable": True, "exportable": True}},
    "arguments-list": {"kwargs": [1, 2]},
    "arguments-text": {"kwargs": "pretrained"},
    "activation": {"kwargs": {"act_layer": "os.system"}},
    "unknown-argument": {"kwargs": {"no_such_argument": 1}},
    "image-size": {"kwargs": {"img_size": 10**6}},
    "no-library": {"library": None},
    "other-library": {"library": "os"},
    "series-library": {"library": "headstart-series"},
    "minirocket": {"library": "minirocket"},
}
"""Changes of a picture base's architecture."""

TRANSFORMERS: Mapping[str, dict[str, Any]] = {
    **{
        f"backbone-{name}": {"model_type": name, "num_channels": 3, "backbone": "someone/something",
                             "use_pretrained_backbone": True}
        for name in ("detr", "dpt", "mask2former", "maskformer", "rt_detr", "table-transformer", "conditional_detr",
                     "timm_wrapper", "timm_backbone", "upernet", "vitmatte", "depth_anything", "zoedepth", "tvp",
                     "deformable_detr", "d_fine", "omdet-turbo", "grounding-dino")
    },
    "layers": {"model_type": "vit", "num_channels": 3, "num_hidden_layers": 10**9, "hidden_size": 12},
    "layers-minus": {"model_type": "vit", "num_channels": 3, "num_hidden_layers": -1},
    "width": {"model_type": "vit", "num_channels": 3, "hidden_size": 10**6, "num_attention_heads": 10},
    "inner-width": {"model_type": "vit", "num_channels": 3, "intermediate_size": 10**9},
    "image-size": {"model_type": "vit", "num_channels": 3, "image_size": 10**6},
    "no-heads": {"model_type": "vit", "num_channels": 3, "num_attention_heads": 0},
    "vocabulary": {"model_type": "bert", "vocab_size": 10**10},
    "positions": {"model_type": "bert", "max_position_embeddings": 10**10},
    "depths": {"model_type": "convnext", "depths": [10**8] * 4},
    "kernels": {"model_type": "bert", "_attn_implementation": "someone/something"},
    "attention": {"model_type": "bert", "attn_implementation": "someone/something"},
    "remote-code": {"model_type": "bert", "auto_map": {"AutoModel": "someone/something--evil.Evil"}},
    "quantized": {"model_type": "bert", "quantization_config": {"quant_method": "gptq"}},
    "weights-name": {"model_type": "bert", "transformers_weights": "../../x.bin"},
    "decoder": {"model_type": "gpt2"},
    "encoder-decoder": {"model_type": "encoder-decoder", "encoder": {"model_type": "bert"}, "decoder": {"model_type": "bert"}},
    "vision-text": {"model_type": "clip"},
    "type-list": {"model_type": ["bert"]},
    "type-number": {"model_type": 7},
    "type-path": {"model_type": "../bert"},
    "activation": {"model_type": "bert", "hidden_act": "os.system"},
    "rope": {"model_type": "modernbert", "rope_parameters": {"full_attention": {"rope_type": "x" * 1_000}}},
    "rope-deep": {"model_type": "modernbert", "rope_parameters": {"a": {"b": {"c": {"d": 1}}}}},
    "padding": {"model_type": "bert", "pad_token_id": 10**6},
    "text-for-pictures": {"model_type": "bert"},
}  # fmt: skip
"""Configurations of transformers in the place of a base's own."""

SPEC: Mapping[str, dict[str, Any]] = {
    "size-huge": {"size": 10**6}, "size-zero": {"size": 0}, "size-text": {"size": "32"}, "resize-huge": {"resize": 10**9},
    "fit": {"fit": "nothing"}, "interpolation": {"interpolation": ["bicubic"]}, "mean": {"mean": []},
    "std-zero": {"std": [0, 0, 0]}, "std-nan": {"std": [float("nan")] * 3}, "mean-many": {"mean": [0.5] * 10_000},
    "tokenizer-file": {"tokenizer_file": "/etc/passwd"},
}  # fmt: skip

RECORD: Mapping[str, dict[str, Any]] = {
    "modality": {"modality": "text"}, "modality-odd": {"modality": "smell"}, "name-lines": {"name": "a\nb\x1b[31m"},
    "n-dims": {"n_dims": 10**12}, "n-dims-minus": {"n_dims": -1}, "more": {"more": 1}, "name-number": {"name": 7},
    "long": {"summary": "x" * 10**6},
}  # fmt: skip

FOLDERS: Mapping[str, dict[str, Any]] = {
    "model-args-url": {
        "architecture": "test_resnet", "pretrained_cfg": {"input_size": [3, 32, 32]},
        "model_args": {"pretrained": True, "pretrained_cfg": {"url": URL}, "cache_dir": "fromfile"},
    },
    "model-args-list": {"architecture": "test_resnet", "pretrained_cfg": {}, "model_args": [1]},
    "architecture-hub": {"architecture": "hf-hub:someone/something", "pretrained_cfg": {}},
    "architecture-number": {"architecture": 7, "pretrained_cfg": {}},
    "pretrained-cfg-list": {"architecture": "test_resnet", "pretrained_cfg": [1]},
    "input-size": {"architecture": "test_resnet", "pretrained_cfg": {"input_size": [3, 10**6, 10**6]}},
    "input-size-text": {"architecture": "test_resnet", "pretrained_cfg": {"input_size": "big"}},
    "crop-zero": {"architecture": "test_resnet", "pretrained_cfg": {"input_size": [3, 32, 32], "crop_pct": 1e-300}},
    "mean-text": {"architecture": "test_resnet", "pretrained_cfg": {"mean": "grey"}},
    "remote-code": {"model_type": "vit", "auto_map": {"AutoModel": "evil.Evil", "AutoConfig": "evil.Evil"}},
    "adapter": {"model_type": "vit", "adapter_name_or_path": "someone/something"},
    "own-nothing": {"headstart_base": 1},
    "own-lists": {"headstart_base": 1, "record": [], "architecture": [], "spec": []},
    "own-format": {"headstart_base": {"a": 1}, "record": None, "architecture": None, "spec": None},
    "nothing": {},
}  # fmt: skip
"""Configurations of a `file:` folder for pictures."""


def _in_bundle(change: dict[str, Any], part: str, door: str, folder: Path, seeds: Seeds, random: Random) -> Command:
    bundle = copy_bundle(seeds.bundles["image"], folder)
    path = bundle / "base" / "config.json"
    config = read_document(path)
    if part == "config":
        config["architecture"] = {"library": "transformers", "config": change}
    else:
        config[part] = {**config[part], **change}
    write_document(path, config)
    seal(bundle)
    return open_door(door, "image", bundle, seeds)


def _as_folder(config: dict[str, Any], folder: Path, seeds: Seeds, random: Random) -> Command:
    base = folder / "base"
    shutil.copytree(seeds.bases["image"], base)
    write_document(base / "config.json", config)
    (base / "evil.py").write_text("import pathlib\npathlib.Path('/tmp/headstart-evil').write_text('ran')\n")
    return _adapt(seeds, base)


def _adapt(seeds: Seeds, base: Path, modality: str = "image") -> Command:
    arguments = ("adapt", str(seeds.data[modality]), "-o", "out", "--base", f"file:{base}")
    return Command(arguments=(*arguments, "--strategy", "linear-probe", "--time", "20s"), codes=(2,))


def _odd_weights(change: str, folder: Path, seeds: Seeds, random: Random) -> Command:
    base = Path(shutil.copytree(seeds.bases["image"], folder / "base"))
    path = base / "model.safetensors"
    arrays = dict(load_file(path))
    first = sorted(arrays)[0]
    if change == "missing":
        del arrays[first]
    elif change == "shape":
        arrays[first] = arrays[first].reshape(-1)
    elif change == "not-finite":
        arrays = {name: np.full_like(value, np.nan) for name, value in arrays.items()}
    elif change == "texts":
        arrays = {name: np.zeros(value.shape, np.uint8) for name, value in arrays.items()}
    if change in ("cut", "pickled", "empty", "no-file", "link"):
        content = path.read_bytes()
        path.unlink()
        if change == "link":
            path.symlink_to("/dev/zero")
        elif change == "pickled":
            (base / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch /tmp/headstart-evil'\ntR.")
        elif change != "no-file":
            path.write_bytes(content[: len(content) // 2] if change == "cut" else b"")
    else:
        save_file({name: np.ascontiguousarray(value) for name, value in arrays.items()}, path)
    return _adapt(seeds, base)


def _index(names: Any, folder: Path, seeds: Seeds, random: Random) -> Command:
    base = folder / "base"
    base.mkdir()
    config = {
        "model_type": "bert",
        "vocab_size": 40,
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }
    write_document(base / "config.json", config)
    write_document(base / "model.safetensors.index.json", {"weight_map": names})
    return _adapt(seeds, base, "text")


def _language(change: str, folder: Path, seeds: Seeds, random: Random) -> Command:
    base = Path(shutil.copytree(seeds.bases["text"], folder / "base"))
    config = read_document(base / "config.json")
    settings = config["architecture"]["config"]
    settings.update(
        {"layers": {"num_hidden_layers": 10**9}, "kernels": {"_attn_implementation": "a/b"}}.get(change, {})
    )
    if change == "type":
        settings["model_type"] = "detr"
    if change == "tokenizer":
        (base / "tokenizer.json").write_text(json.dumps({"model": {"type": "WordPiece", "vocab": {}}}))
    write_document(base / "config.json", config)
    text = folder / "raw.txt"
    text.write_text("\n".join(f"some words of a language number {number} and more" for number in range(400)), "utf-8")
    return Command(
        arguments=("adapt-language", str(text), "--base", f"file:{base}", "-o", "new", "--time", "10s"), codes=(2,)
    )


def list_cases() -> Iterator[Case]:
    """Return the cases of this kind."""
    doors = ("torch", "evaluate", "export")
    for part, changes in (("architecture", TIMM), ("config", TRANSFORMERS), ("spec", SPEC), ("record", RECORD)):
        for number, (name, change) in enumerate(changes.items()):
            door = doors[number % 8 // 6] if number % 8 < 7 else "export"
            yield Case(name=f"base-{part}/{name}", make=partial(_in_bundle, change, part, door))
    for name, config in FOLDERS.items():
        yield Case(name=f"base-folder/{name}", make=partial(_as_folder, config))
    for name in ("missing", "shape", "not-finite", "texts", "cut", "pickled", "empty", "no-file", "link"):
        yield Case(name=f"base-weights/{name}", make=partial(_odd_weights, name))
    indexes = {"parent": {"a": "../../x.safetensors"}, "absolute": {"a": "/etc/passwd"}, "list": [1], "number": {"a": 7},
               "pickled": {"a": "pytorch_model.bin"}, "none": {}}  # fmt: skip
    for name, names in indexes.items():
        yield Case(name=f"base-index/{name}", make=partial(_index, names))
    for name in ("layers", "kernels", "type", "tokenizer"):
        yield Case(name=f"base-language/{name}", make=partial(_language, name))
