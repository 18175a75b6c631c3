"""Tiny checkpoints with random weights, written as publishers of base models write theirs: names, forms, settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM

from headstart.bases import vision
from headstart.bases.record import BaseRecord

WIDTH, LAYERS, HEADS = 32, 2, 2
VIT = {"embed_dim": WIDTH, "depth": LAYERS, "num_heads": HEADS}
SMALLER: Mapping[str, dict[str, Any]] = {
    "vit_": VIT,
    "resnet": {"layers": [1, 1, 1, 1]},
    "convnext": {"depths": [1] * 4},
}
"""What makes a timm network small, by the beginning of its name."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"
OLD_SETTINGS = {
    "gradient_checkpointing": False, "output_past": True, "directionality": "bidi", "pooler_fc_size": 768,
    "pooler_num_attention_heads": 12, "pooler_num_fc_layers": 3, "pooler_size_per_head": 128,
    "pooler_type": "first_token_transform", "position_embedding_type": "absolute", "use_cache": True,
}  # fmt: skip
"""Settings of config.json that old checkpoints have and that nothing reads."""


def write_timm(record: BaseRecord, folder: Path) -> None:
    """Write a classifier as timm does, in half precision."""
    smaller = next((value for name, value in SMALLER.items() if record.architecture.startswith(name)), {})
    net = vision.timm.create_model(record.architecture, num_classes=5, **smaller)
    weights = {
        name: value.half().numpy() if value.is_floating_point() else value.numpy()
        for name, value in net.state_dict().items()
    }
    stated = vision.read_pretrained_config(record.architecture)
    config = {
        "architecture": record.architecture,
        "num_classes": 5,
        "model_args": smaller,
        "pretrained_cfg": {"input_size": stated["input_size"], "crop_pct": stated["crop_pct"], "license": "apache-2.0"},
    }
    folder.mkdir(parents=True)
    save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))


def make_wordpiece() -> Tokenizer:
    """A tokenizer as BERT has it."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ":", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    words = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(words, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def make_unigram() -> Tokenizer:
    """A tokenizer as XLM-R has it."""
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", ":", *LETTERS, *(f"▁{letter}" for letter in LETTERS)]
    tokenizer = Tokenizer(models.Unigram([(piece, -float(number)) for number, piece in enumerate(pieces)], 3))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


TOKENIZERS = {"bert": make_wordpiece, "xlm-roberta": make_unigram}
PADDING = {"bert": 0, "xlm-roberta": 1}


def write_transformers(record: BaseRecord, folder: Path, *, is_old: bool = False) -> None:
    """Write an encoder as transformers does: bare, or (`is_old`) as years ago and with the head of its training."""
    tokenizer = TOKENIZERS[record.architecture]()
    config = AutoConfig.for_model(
        record.architecture, vocab_size=tokenizer.get_vocab_size(), hidden_size=WIDTH, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, intermediate_size=64, max_position_embeddings=40,
        pad_token_id=PADDING[record.architecture],
    )  # fmt: skip
    net = (AutoModelForMaskedLM if is_old else AutoModel).from_config(config)
    weights = {name: np.array(value.numpy()) for name, value in net.state_dict().items()}
    if is_old:
        weights = {_write_old_name(name): value for name, value in weights.items()}
        prefix = next(name for name in weights if "word_embeddings" in name).partition(".word_embeddings")[0]
        weights[f"{prefix}.position_ids"] = np.arange(40)[None]
    folder.mkdir(parents=True)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    stated = config.to_dict() | {"model_type": record.architecture}
    if is_old:
        stated |= OLD_SETTINGS
    (folder / "config.json").write_text(json.dumps(stated))
    tokenizer.save(str(folder / "tokenizer.json"))


def _write_old_name(name: str) -> str:
    return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")


def write_open_clip(record: BaseRecord, folder: Path) -> None:
    """Write both towers of a CLIP as open_clip does."""
    tower = {"image_size": 32, "layers": LAYERS, "width": 128, "patch_size": 16}
    draw = np.random.default_rng(0)

    def array(*shape: int) -> np.ndarray:
        return draw.normal(scale=0.1, size=shape).astype(np.float32)

    weights = {
        "visual.class_embedding": array(128), "visual.positional_embedding": array(5, 128),
        "visual.conv1.weight": array(128, 3, 16, 16), "visual.proj": array(128, 24), "logit_scale": array(),
        "token_embedding.weight": array(9, 16), "transformer.resblocks.0.attn.in_proj_weight": array(48, 16),
    }  # fmt: skip
    for norm in ("ln_pre", "ln_post"):
        weights |= {f"visual.{norm}.weight": 1 + array(128), f"visual.{norm}.bias": array(128)}
    for layer in range(LAYERS):
        start = f"visual.transformer.resblocks.{layer}"
        for norm in ("ln_1", "ln_2"):
            weights |= {f"{start}.{norm}.weight": 1 + array(128), f"{start}.{norm}.bias": array(128)}
        weights |= {
            f"{start}.attn.in_proj_weight": array(384, 128), f"{start}.attn.in_proj_bias": array(384),
            f"{start}.attn.out_proj.weight": array(128, 128), f"{start}.attn.out_proj.bias": array(128),
            f"{start}.mlp.c_fc.weight": array(512, 128), f"{start}.mlp.c_fc.bias": array(512),
            f"{start}.mlp.c_proj.weight": array(128, 512), f"{start}.mlp.c_proj.bias": array(128),
        }  # fmt: skip
    config = {
        "model_cfg": {"embed_dim": 24, "vision_cfg": tower, "text_cfg": {"width": 16}},
        "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bicubic"},
    }
    folder.mkdir(parents=True)
    save_file(weights, folder / "open_clip_model.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps(config))


def compute_clip_features(weights: Mapping[str, np.ndarray], pixels: torch.Tensor) -> torch.Tensor:
    """Compute what open_clip's vision tower gives before its projection, with torch's own attention."""
    tensors = {name.removeprefix("visual."): torch.from_numpy(value) for name, value in weights.items()}

    def norm(values: torch.Tensor, name: str) -> torch.Tensor:
        return torch.layer_norm(values, (128,), tensors[f"{name}.weight"], tensors[f"{name}.bias"], 1e-5)

    patches = torch.nn.functional.conv2d(pixels, tensors["conv1.weight"], stride=16).flatten(2).transpose(1, 2)
    first = tensors["class_embedding"].expand(len(pixels), 1, 128)
    values = norm(torch.cat([first, patches], 1) + tensors["positional_embedding"], "ln_pre")
    for layer in range(LAYERS):
        start = f"transformer.resblocks.{layer}"
        attention = torch.nn.MultiheadAttention(128, 2, batch_first=True).eval()
        own = {name: tensors[f"{start}.attn.{name}"] for name in attention.state_dict()}
        attention.load_state_dict(own)
        normed = norm(values, f"{start}.ln_1")
        values = values + attention(normed, normed, normed)[0]
        hidden = (
            norm(values, f"{start}.ln_2") @ tensors[f"{start}.mlp.c_fc.weight"].T + tensors[f"{start}.mlp.c_fc.bias"]
        )
        hidden = torch.nn.functional.gelu(hidden)
        values = values + hidden @ tensors[f"{start}.mlp.c_proj.weight"].T + tensors[f"{start}.mlp.c_proj.bias"]
    return norm(values, "ln_post")[:, 0]


WRITERS = {"timm": write_timm, "transformers": write_transformers, "open-clip": write_open_clip}
"""By the form of a record's files."""
