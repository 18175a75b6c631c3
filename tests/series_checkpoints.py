"""Tiny checkpoints of series networks as their authors publish them: config.json, names and shapes of all tensors.

The values are random and always the same, so that answers of the authors' own code to them can be recorded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

Shapes = Iterator[tuple[str, tuple[int, ...]]]
Config = dict[str, Any]

MANTIS: Config = {
    "seq_len": 64, "hidden_dim": 8, "num_patches": 8, "scalar_scales": None, "hidden_dim_scalar_enc": 4,
    "epsilon_scalar_enc": 1.1, "transf_depth": 2, "transf_num_heads": 2, "transf_mlp_dim": 16, "transf_dim_head": 6,
    "transf_dropout": 0.1, "device": "cpu", "pre_training": False,
}  # fmt: skip
MOMENT: Config = {
    "task_name": "reconstruction", "model_name": "MOMENT", "transformer_type": "encoder_only", "d_model": None,
    "seq_len": 64, "patch_len": 8, "patch_stride_len": 8, "device": "cpu",
    "transformer_backbone": "google/flan-t5-small", "model_kwargs": {},
    "t5_config": {
        "d_ff": 16, "d_kv": 4, "d_model": 8, "feed_forward_proj": "gated-gelu", "layer_norm_epsilon": 1e-06,
        "model_type": "t5", "n_positions": 512, "num_heads": 3, "num_layers": 2, "is_encoder_decoder": True,
        "relative_attention_max_distance": 128, "relative_attention_num_buckets": 32, "vocab_size": 11,
        "dropout_rate": 0.1, "pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0,
    },
}  # fmt: skip
CHRONOS_BOLT: Config = {
    "architectures": ["ChronosBoltModelForForecasting"], "model_type": "t5", "d_ff": 16, "d_kv": 4, "d_model": 8,
    "num_layers": 2, "num_decoder_layers": 1, "num_heads": 2, "feed_forward_proj": "relu", "dense_act_fn": "relu",
    "is_gated_act": False, "layer_norm_epsilon": 1e-06, "relative_attention_max_distance": 128,
    "relative_attention_num_buckets": 32, "reg_token_id": 1, "vocab_size": 2, "pad_token_id": 0, "eos_token_id": 1,
    "decoder_start_token_id": 0, "dropout_rate": 0.1, "initializer_factor": 0.05, "is_encoder_decoder": True,
    "chronos_config": {
        "context_length": 64, "input_patch_size": 8, "input_patch_stride": 8, "prediction_length": 4,
        "quantiles": [0.1, 0.5, 0.9], "use_reg_token": True,
    },
}  # fmt: skip
TINY_TIME_MIXER: Config = {
    "architectures": ["TinyTimeMixerForPrediction"], "model_type": "tinytimemixer", "context_length": 32,
    "patch_length": 8, "patch_stride": 8, "d_model": 16, "num_layers": 1, "adaptive_patching_levels": 2,
    "expansion_factor": 2, "mode": "common_channel", "gated_attn": True, "norm_mlp": "LayerNorm", "norm_eps": 1e-05,
    "self_attn": False, "scaling": "std", "use_positional_encoding": False, "resolution_prefix_tuning": False,
    "prediction_length": 4, "num_input_channels": 1, "decoder_d_model": 8, "decoder_num_layers": 1,
    "use_decoder": True, "dropout": 0.2, "num_patches": 4,
}  # fmt: skip


def _with_bias(name: str, *shape: int) -> Shapes:
    yield f"{name}.weight", shape
    yield f"{name}.bias", shape[:1]


def _list_mantis(config: Config) -> Shapes:
    width, scalar, patches = config["hidden_dim"], config["hidden_dim_scalar_enc"], config["num_patches"]
    inner, mlp = config["transf_num_heads"] * config["transf_dim_head"], config["transf_mlp_dim"]
    kernel = config["seq_len"] // patches + 1
    for number in range(2):
        yield from _with_bias(f"tokgen_unit.convs.{number}.conv", width, 1, kernel)
        yield from _with_bias(f"tokgen_unit.layer_norms.{number}", width)
        yield f"tokgen_unit.scalar_encoders.{number}.scales", (9,)
        for scale in range(9):
            name = f"tokgen_unit.scalar_encoders.{number}.encoders.{scale}"
            yield f"{name}.w", (1, scalar)
            yield f"{name}.b", (1, scalar)
            yield from _with_bias(f"{name}.layer_norm", scalar)
    yield from _with_bias("tokgen_unit.linear_encoder.linear", width, 2 * (width + scalar))
    yield from _with_bias("tokgen_unit.linear_encoder.layer_norm", width)
    yield "vit_unit.cls_token", (width,)
    yield "vit_unit.pos_encoder.pe", (patches + 1, 1, width)
    for layer in range(config["transf_depth"]):
        name = f"vit_unit.transformer.layers.{layer}"
        yield from _with_bias(f"{name}.0.norm", width)
        yield f"{name}.0.fn.to_qkv.weight", (3 * inner, width)
        yield from _with_bias(f"{name}.0.fn.to_out.0", width, inner)
        yield from _with_bias(f"{name}.1.norm", width)
        yield from _with_bias(f"{name}.1.fn.net.0", mlp, width)
        yield from _with_bias(f"{name}.1.fn.net.3", width, mlp)
    yield from _with_bias("prj.0", width)
    yield from _with_bias("prj.1", width, width)


def _list_t5(t5: Config, stack: str, n_layers: int, *, is_gated: bool, is_decoder: bool = False) -> Shapes:
    width, inner, ff, heads = t5["d_model"], t5["num_heads"] * t5["d_kv"], t5["d_ff"], t5["num_heads"]
    attentions = ["SelfAttention", *(["EncDecAttention"] if is_decoder else [])]
    for layer in range(n_layers):
        for number, attention in enumerate(attentions):
            name = f"{stack}.block.{layer}.layer.{number}"
            for part in "qkv":
                yield f"{name}.{attention}.{part}.weight", (inner, width)
            yield f"{name}.{attention}.o.weight", (width, inner)
            yield f"{name}.layer_norm.weight", (width,)
            if layer == number == 0:
                yield (
                    f"{name}.{attention}.relative_attention_bias.weight",
                    (t5["relative_attention_num_buckets"], heads),
                )
        name = f"{stack}.block.{layer}.layer.{len(attentions)}"
        for part in ("wi_0", "wi_1") if is_gated else ("wi",):
            yield f"{name}.DenseReluDense.{part}.weight", (ff, width)
        yield f"{name}.DenseReluDense.wo.weight", (width, ff)
        yield f"{name}.layer_norm.weight", (width,)
    yield f"{stack}.final_layer_norm.weight", (width,)


def _list_moment(config: Config) -> Shapes:
    t5 = config["t5_config"]
    yield "patch_embedding.value_embedding.weight", (t5["d_model"], config["patch_len"])
    yield "patch_embedding.mask_embedding", (t5["d_model"],)
    yield "patch_embedding.position_embedding.pe", (1, 5000, t5["d_model"])
    yield "encoder.embed_tokens.weight", (t5["vocab_size"], t5["d_model"])
    yield from _list_t5(t5, "encoder", t5["num_layers"], is_gated=True)
    yield from _with_bias("head.linear", config["patch_len"], t5["d_model"])


def _list_chronos_bolt(config: Config) -> Shapes:
    own, width, ff = config["chronos_config"], config["d_model"], config["d_ff"]
    n_outputs = len(own["quantiles"]) * own["prediction_length"]
    yield "shared.weight", (2, width)
    for name, n_in, n_out in (("input", 2 * own["input_patch_size"], width), ("output", width, n_outputs)):
        yield from _with_bias(f"{name}_patch_embedding.hidden_layer", ff, n_in)
        yield from _with_bias(f"{name}_patch_embedding.output_layer", n_out, ff)
        yield from _with_bias(f"{name}_patch_embedding.residual_layer", n_out, n_in)
    yield from _list_t5(config, "encoder", config["num_layers"], is_gated=False)
    yield from _list_t5(config, "decoder", config["num_decoder_layers"], is_gated=False, is_decoder=True)


def _list_mixer(name: str, patches: int, width: int) -> Shapes:
    for kind, mixed in (("patch", patches), ("feature", width)):
        yield from _with_bias(f"{name}.{kind}_mixer.norm.norm", width)
        yield from _with_bias(f"{name}.{kind}_mixer.mlp.fc1", 2 * mixed, mixed)
        yield from _with_bias(f"{name}.{kind}_mixer.mlp.fc2", mixed, 2 * mixed)
        yield from _with_bias(f"{name}.{kind}_mixer.gating_block.attn_layer", mixed, mixed)


def _list_tiny_time_mixer(config: Config) -> Shapes:
    width, narrow, levels = config["d_model"], config["decoder_d_model"], config["adaptive_patching_levels"]
    patches = config["context_length"] // config["patch_length"]
    yield from _with_bias("backbone.encoder.patcher", width, config["patch_length"])
    for number in range(levels):
        parts = 2 ** (levels - 1 - number)
        for layer in range(config["num_layers"]):
            name = f"backbone.encoder.mlp_mixer_encoder.mixers.{number}.mixer_layers.{layer}"
            yield from _list_mixer(name, patches * parts, width // parts)
    yield from _with_bias("decoder.adapter", narrow, width)
    for layer in range(config["decoder_num_layers"]):
        yield from _list_mixer(f"decoder.decoder_block.mixers.{layer}", patches, narrow)
    yield from _with_bias("head.base_forecast_block", config["prediction_length"], narrow * patches)


CHECKPOINTS: dict[str, tuple[Config, Callable[[Config], Shapes]]] = {
    "mantis": (MANTIS, _list_mantis),
    "moment": (MOMENT, _list_moment),
    "chronos-bolt": (CHRONOS_BOLT, _list_chronos_bolt),
    "tiny-time-mixer": (TINY_TIME_MIXER, _list_tiny_time_mixer),
}
"""By library: config.json, and the tensors of it."""


def make_tensors(library: str) -> dict[str, np.ndarray]:
    """Random tensors, the same at every call; norms around 1."""
    config, list_shapes = CHECKPOINTS[library]
    rng = np.random.default_rng(16)
    tensors = {}
    for name, shape in sorted(list_shapes(config)):
        is_norm = "norm" in name and name.endswith(".weight")
        tensors[name] = (is_norm + 0.3 * rng.standard_normal(shape)).astype(np.float32)
    return tensors


def write_checkpoint(library: str, folder: Path, **changes: Any) -> Path:
    """Write config.json with some settings changed, and model.safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**CHECKPOINTS[library][0], **changes}))
    save_file(make_tensors(library), folder / "model.safetensors")
    return folder


def make_waves(n_rows: int, n_channels: int, n_steps: int) -> np.ndarray:
    """Series that can be written down: float32, shape (n_rows, n_channels, n_steps)."""
    steps, rows = np.arange(n_steps), np.arange(n_rows)[:, None, None]
    channels = np.arange(n_channels)[None, :, None]
    return (np.sin((0.1 + 0.05 * rows + 0.03 * channels) * steps) * (1 + channels) + 0.01 * rows * steps).astype(
        np.float32
    )
