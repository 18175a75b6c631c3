"""The published networks for series that Headstart builds: one record each.

Left out, and needed for forecasts: `head.*` of MOMENT; `decoder.*` and `output_patch_embedding.*` of Chronos-Bolt;
`decoder.*` and `head.*` of TinyTimeMixer. Left out for good: `prj.*` of Mantis (pre-training), tables that are computed
(positions, scales), embeddings of words that no series uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.bases.series_bodies.layout import SeriesLayout
from headstart.bases.settings import FlagRule, RealRule, Rule, WholeRule

_LENGTH, _WIDTH, _BLOCKS, _HEADS = WholeRule(8, 8_192), WholeRule(4, 4_096), WholeRule(1, 64), WholeRule(1, 64)
_PATCH = WholeRule(1, 1_024)


def _explain_patches(settings: Mapping[str, Any]) -> str:
    length, patch = settings["length"], settings["patch"]
    return f"its length ({length}) is no multiple of its patch ({patch})" if length % patch else ""


def _explain_mantis(settings: Mapping[str, Any]) -> str:
    if settings["heads"] == 1 and settings["head_width"] == settings["width"]:
        return "it has one head as wide as itself"
    if settings["patch"] < 2 or settings["width"] % 2 or not settings["scales"]:
        return "its patches are shorter than two steps, its width is odd or it has no scales"
    return _explain_patches(settings)


def _read_mantis(config: Mapping[str, Any]) -> Mapping[str, Any]:
    def read(name: str, default: int) -> Any:
        return config.get(f"transf_{name}", config.get(f"vit_{name}", default))

    length, patches = config.get("seq_len", 512), config["num_patches"]
    if type(length) is not int or type(patches) is not int or patches < 1 or length % patches:
        raise ValueError("seq_len is no multiple of num_patches")
    return {
        "length": length,
        "patch": length // patches,
        "width": config["hidden_dim"],
        "blocks": read("depth", 6),
        "heads": read("num_heads", 8),
        "head_width": read("dim_head", 128),
        "inner_width": read("mlp_dim", 512),
        "scalar_width": config["hidden_dim_scalar_enc"],
        "scales": config.get("scalar_scales") or [10.0**power for power in range(-4, 5)],
        "epsilon": config.get("epsilon_scalar_enc", 1.1),
    }


MANTIS = SeriesLayout(
    library="mantis",
    title="Mantis",
    module="headstart.bases.series_bodies.mantis",
    rules={
        "length": _LENGTH, "patch": _PATCH, "width": _WIDTH, "blocks": _BLOCKS, "heads": _HEADS,
        "head_width": WholeRule(1, 1_024), "inner_width": WholeRule(1, 16_384), "scalar_width": WholeRule(1, 1_024),
        "scales": RealRule(1e-9, 1e9), "epsilon": RealRule(1.000_001, 10.0),
    },
    lists=("scales",),
    explain_conflict=_explain_mantis,
    recognises=lambda config: "hidden_dim_scalar_enc" in config and "num_patches" in config,
    read_settings=_read_mantis,
    fixed={"kernel_size": ()},  # MantisV2 has it.
    renames=(
        (r"tokgen_unit\.convs\.([01])\.conv\.(weight|bias)", r"convolutions.\1.\2"),
        (r"tokgen_unit\.layer_norms\.([01])\.(weight|bias)", r"convolution_norms.\1.\2"),
        (r"tokgen_unit\.scalar_encoders\.([01])\.encoders\.(\d+)\.w", r"scalars.\1.\2.slope"),
        (r"tokgen_unit\.scalar_encoders\.([01])\.encoders\.(\d+)\.b", r"scalars.\1.\2.shift"),
        (r"tokgen_unit\.scalar_encoders\.([01])\.encoders\.(\d+)\.layer_norm\.(\w+)", r"scalars.\1.\2.norm.\3"),
        (r"tokgen_unit\.linear_encoder\.linear\.(weight|bias)", r"join.\1"),
        (r"tokgen_unit\.linear_encoder\.layer_norm\.(weight|bias)", r"join_norm.\1"),
        (r"(?:vit|transf)_unit\.cls_token", r"class_token"),
        (r"(?:vit|transf)_unit\.transformer\.layers\.(\d+)\.0\.norm\.(weight|bias)", r"blocks.\1.norm1.\2"),
        (r"(?:vit|transf)_unit\.transformer\.layers\.(\d+)\.0\.fn\.to_qkv\.weight", r"blocks.\1.qkv.weight"),
        (r"(?:vit|transf)_unit\.transformer\.layers\.(\d+)\.0\.fn\.to_out\.0\.(weight|bias)", r"blocks.\1.proj.\2"),
        (r"(?:vit|transf)_unit\.transformer\.layers\.(\d+)\.1\.norm\.(weight|bias)", r"blocks.\1.norm2.\2"),
        (r"(?:vit|transf)_unit\.transformer\.layers\.(\d+)\.1\.fn\.net\.0\.(weight|bias)", r"blocks.\1.wide.\2"),
        (r"(?:vit|transf)_unit\.transformer\.layers\.(\d+)\.1\.fn\.net\.3\.(weight|bias)", r"blocks.\1.narrow.\2"),
    ),
    stretches=True,
    pooled_parts=2,
)  # fmt: skip

_T5_RULES: Mapping[str, Rule] = {
    "length": _LENGTH, "patch": _PATCH, "width": _WIDTH, "blocks": _BLOCKS, "heads": _HEADS,
    "head_width": WholeRule(1, 1_024), "inner_width": WholeRule(1, 16_384), "buckets": WholeRule(4, 1_024),
    "distance": WholeRule(8, 65_536), "norm_epsilon": RealRule(1e-12, 1e-2),
}  # fmt: skip
_T5_NAMES = (
    (r"encoder\.block\.0\.layer\.0\.SelfAttention\.relative_attention_bias\.weight", r"places.weight"),
    *(
        (rf"encoder\.block\.(\d+)\.layer\.0\.SelfAttention\.{name[0]}\.weight", rf"blocks.\1.{name}.weight")
        for name in ("query", "key", "value", "out")
    ),
    (r"encoder\.block\.(\d+)\.layer\.0\.layer_norm\.weight", r"blocks.\1.norm1.weight"),
    (r"encoder\.block\.(\d+)\.layer\.1\.DenseReluDense\.(wi|wi_0)\.weight", r"blocks.\1.wide.weight"),
    (r"encoder\.block\.(\d+)\.layer\.1\.DenseReluDense\.wi_1\.weight", r"blocks.\1.gate.weight"),
    (r"encoder\.block\.(\d+)\.layer\.1\.DenseReluDense\.wo\.weight", r"blocks.\1.narrow.weight"),
    (r"encoder\.block\.(\d+)\.layer\.1\.layer_norm\.weight", r"blocks.\1.norm2.weight"),
    (r"encoder\.final_layer_norm\.weight", r"norm.weight"),
)


def _explain_t5(settings: Mapping[str, Any]) -> str:
    if settings["buckets"] % 4 or settings["distance"] <= settings["buckets"] // 4:
        return "its buckets of distances are no multiple of four or reach beyond its largest distance"
    if settings["width"] % 2:
        return "its width is odd"
    return _explain_patches(settings)


def _read_t5(config: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "width": config["d_model"],
        "blocks": config["num_layers"],
        "heads": config["num_heads"],
        "head_width": config["d_kv"],
        "inner_width": config["d_ff"],
        "buckets": config.get("relative_attention_num_buckets", 32),
        "distance": config.get("relative_attention_max_distance", 128),
        "norm_epsilon": config.get("layer_norm_epsilon", 1e-6),
    }


def _read_moment(config: Mapping[str, Any]) -> Mapping[str, Any]:
    t5 = config["t5_config"]
    if t5.get("feed_forward_proj") != "gated-gelu" or config.get("d_model") not in (None, t5["d_model"]):
        raise ValueError("the transformer is not a gated T5 of the same width")
    if config["patch_stride_len"] != config["patch_len"]:
        raise ValueError("patches overlap")
    return {"length": config["seq_len"], "patch": config["patch_len"], **_read_t5(t5)}


MOMENT = SeriesLayout(
    library="moment",
    title="MOMENT",
    module="headstart.bases.series_bodies.moment",
    rules=_T5_RULES,
    lists=(),
    explain_conflict=_explain_t5,
    recognises=lambda config: config.get("model_name") == "MOMENT" and "t5_config" in config,
    read_settings=_read_moment,
    fixed={
        "transformer_type": ("encoder_only",), "revin_affine": (False,), "value_embedding_bias": (False,),
        "add_positional_embedding": (True,),
    },
    renames=(
        (r"patch_embedding\.value_embedding\.weight", r"patches.weight"),
        (r"patch_embedding\.mask_embedding", r"masked"),
        *_T5_NAMES,
    ),
    stretches=False,
    pooled_parts=1,
)  # fmt: skip


def _read_chronos_bolt(config: Mapping[str, Any]) -> Mapping[str, Any]:
    own = config["chronos_config"]
    if own.get("input_patch_stride", own["input_patch_size"]) != own["input_patch_size"]:
        raise ValueError("patches overlap")
    return {
        "length": own["context_length"],
        "patch": own["input_patch_size"],
        "register": own.get("use_reg_token", False),
        **_read_t5(config),
    }


CHRONOS_BOLT = SeriesLayout(
    library="chronos-bolt",
    title="Chronos-Bolt",
    module="headstart.bases.series_bodies.chronos_bolt",
    rules={**_T5_RULES, "register": FlagRule()},
    lists=(),
    explain_conflict=_explain_t5,
    recognises=lambda config: isinstance(config.get("chronos_config"), dict)
    and "input_patch_size" in config["chronos_config"],
    read_settings=_read_chronos_bolt,
    fixed={
        "model_type": ("t5",), "feed_forward_proj": ("relu",), "dense_act_fn": ("relu",), "is_gated_act": (False,),
        "architectures": (["ChronosBoltModelForForecasting"],),
    },
    renames=(
        (r"shared\.weight", r"register.weight"),
        (r"input_patch_embedding\.hidden_layer\.(weight|bias)", r"hidden.\1"),
        (r"input_patch_embedding\.output_layer\.(weight|bias)", r"output.\1"),
        (r"input_patch_embedding\.residual_layer\.(weight|bias)", r"residual.\1"),
        *_T5_NAMES,
    ),
    stretches=False,
    pooled_parts=2,
)  # fmt: skip


def _explain_tiny_time_mixer(settings: Mapping[str, Any]) -> str:
    largest = 2 ** (settings["blocks"] - 1)
    if settings["width"] % largest or settings["width"] // largest <= 4:
        return f"its width ({settings['width']}) is too small for {settings['blocks']} levels of patches"
    if settings["length"] <= settings["patch"]:
        return "it has one patch only"
    return _explain_patches(settings)


def _read_tiny_time_mixer(config: Mapping[str, Any]) -> Mapping[str, Any]:
    if config.get("patch_stride", config["patch_length"]) != config["patch_length"]:
        raise ValueError("patches overlap")
    return {
        "length": config["context_length"],
        "patch": config["patch_length"],
        "width": config["d_model"],
        "blocks": config["adaptive_patching_levels"],
        "layers": config["num_layers"],
        "expansion": config.get("expansion_factor", 2),
        "norm_epsilon": config.get("norm_eps", 1e-5),
    }


_MIXER = r"backbone\.encoder\.mlp_mixer_encoder\.mixers\.(\d+)\.mixer_layers\.(\d+)\.(patch|feature)_mixer\."
TINY_TIME_MIXER = SeriesLayout(
    library="tiny-time-mixer",
    title="TinyTimeMixer",
    module="headstart.bases.series_bodies.tiny_time_mixer",
    rules={
        "length": _LENGTH, "patch": _PATCH, "width": _WIDTH, "blocks": WholeRule(1, 8), "layers": WholeRule(1, 64),
        "expansion": WholeRule(1, 16), "norm_epsilon": RealRule(1e-12, 1e-2),
    },
    lists=(),
    explain_conflict=_explain_tiny_time_mixer,
    recognises=lambda config: config.get("model_type") == "tinytimemixer",
    read_settings=_read_tiny_time_mixer,
    fixed={
        "mode": ("common_channel",), "gated_attn": (True,), "gate_mode": ("softmax",), "norm_mlp": ("LayerNorm",),
        "self_attn": (False,), "scaling": ("std", True), "use_positional_encoding": (False,),
        "resolution_prefix_tuning": (False,), "multi_scale": (False,), "register_tokens": (0,), "fft_length": (0,),
        "enable_base_norm_always": (False,), "use_register_context_gating": (False,), "decompose": (False,),
        "masked_context_length": (),
    },
    renames=(
        (r"backbone\.encoder\.patcher\.(weight|bias)", r"patches.\1"),
        (_MIXER + r"norm\.norm\.(weight|bias)", r"blocks.\1.layers.\2.\3.norm.\4"),
        (_MIXER + r"mlp\.fc1\.(weight|bias)", r"blocks.\1.layers.\2.\3.wide.\4"),
        (_MIXER + r"mlp\.fc2\.(weight|bias)", r"blocks.\1.layers.\2.\3.narrow.\4"),
        (_MIXER + r"gating_block\.attn_layer\.(weight|bias)", r"blocks.\1.layers.\2.\3.gate.\4"),
    ),
    stretches=True,
    pooled_parts=3,
)  # fmt: skip

SERIES_LAYOUTS: Mapping[str, SeriesLayout] = {
    layout.library: layout for layout in (MANTIS, MOMENT, CHRONOS_BOLT, TINY_TIME_MIXER)
}
"""By library. A new network is one record here and one module with its layers."""


def find_layout(config: Mapping[str, Any]) -> SeriesLayout | None:
    """Return the layout that a published config.json belongs to; None if to none.

    Parameters
    ----------
    config : mapping
        As the file has it.
    """
    return next((layout for layout in SERIES_LAYOUTS.values() if layout.recognises(config)), None)
