"""Which networks a base folder may name, and what each setting of them may be: one table, no torch.

A setting that does not stand here never reaches timm or transformers. The names are theirs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_WORD = re.compile(r"[A-Za-z0-9_-]{0,40}")
LONGEST_LIST, MOST_BLOCKS = 128, 512


@dataclass(frozen=True)
class WholeRule:
    """A whole number from `low` to `high`; a list of them where `listed` (its sum at most `total`)."""

    low: int
    high: int
    total: int = 1 << 40

    def allows(self, value: Any) -> bool:
        """Return whether a value is in range."""
        if isinstance(value, list | tuple):
            return len(value) <= LONGEST_LIST and all(map(self._is_one, value)) and sum(value) <= self.total
        return self._is_one(value)

    def _is_one(self, value: Any) -> bool:
        return type(value) is int and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"a whole number from {self.low:,} to {self.high:,}"


@dataclass(frozen=True)
class RealRule:
    """A number from `low` to `high`, or a list of them."""

    low: float
    high: float

    def allows(self, value: Any) -> bool:
        """Return whether a value is in range."""
        values = value if isinstance(value, list | tuple) else [value]
        return len(values) <= LONGEST_LIST and all(
            type(item) in (int, float) and self.low <= item <= self.high for item in values
        )

    def __str__(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class FlagRule:
    """True or false, or a list of them."""

    def allows(self, value: Any) -> bool:
        """Return whether a value is one."""
        values = value if isinstance(value, list | tuple) else [value]
        return len(values) <= LONGEST_LIST and all(type(item) is bool for item in values)

    def __str__(self) -> str:
        return "true or false"


@dataclass(frozen=True)
class WordRule:
    """A short name without separators, or a list of them."""

    def allows(self, value: Any) -> bool:
        """Return whether a value is one."""
        values = value if isinstance(value, list | tuple) else [value]
        return len(values) <= MOST_BLOCKS and all(
            isinstance(item, str) and _WORD.fullmatch(item) is not None for item in values
        )

    def __str__(self) -> str:
        return "a short name of letters and digits"


@dataclass(frozen=True)
class RopeRule:
    """Settings of rotary positions: names, numbers, and one level of the same inside."""

    depth: int = 0

    def allows(self, value: Any) -> bool:
        """Return whether a value is such a mapping."""
        if not isinstance(value, dict) or len(value) > 16:
            return False
        parts: list[Rule] = [
            WordRule(),
            RealRule(0.0, 1e9),
            FlagRule(),
            *([RopeRule(self.depth + 1)] if self.depth < 1 else []),
        ]
        return all(
            WordRule().allows(name) and (item is None or any(part.allows(item) for part in parts))
            for name, item in value.items()
        )

    def __str__(self) -> str:
        return "a mapping of names to numbers"


Rule = WholeRule | RealRule | FlagRule | WordRule | RopeRule


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


def _each(names: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


SETTINGS: Mapping[str, Rule] = {
    **_each("num_hidden_layers n_layers num_layers num_encoder_blocks num_stages num_hidden_groups "
            "inner_group_num num_feedforward_networks", WholeRule(1, MOST_BLOCKS)),
    **_each("depths depth num_block_repeats n_attn_blocks", WholeRule(0, MOST_BLOCKS, MOST_BLOCKS)),
    **_each("num_attention_heads n_heads num_heads num_key_value_heads", WholeRule(1, 512)),
    **_each("hidden_size intermediate_size embedding_size dim hidden_dim embed_dim embed_dims hidden_sizes "
            "head_dim key_dim attention_head_size pooler_hidden_size neck_hidden_sizes base_attn_unit_dims "
            "in_channels out_channels input_embedding_size intra_bottleneck_size groups_width", WholeRule(1, 65_536)),
    **_each("vocab_size", WholeRule(1, 2_000_000)),
    **_each("max_position_embeddings", WholeRule(1, 131_072)),
    **_each("type_vocab_size task_type_vocab_size", WholeRule(0, 65_536)),
    **_each("relative_attention_num_buckets num_landmarks segment_means_seq_len local_attention", WholeRule(1, 8_192)),
    **_each("max_relative_positions position_buckets", WholeRule(-1, 65_536)),
    **_each("pad_token_id", WholeRule(-1, 2_000_000)),
    **_each("num_channels", WholeRule(3, 3)),
    **_each("image_size", WholeRule(1, 2_048)),
    **_each("patch_size patch_sizes patch_stride window_size kernel_size kernel_sizes kernel_qkv "
            "conv_kernel_size down_patch_size pool_size strides stride stride_q stride_kv down_stride "
            "sr_ratios global_attn_every_n_layers sequence_reduction_ratios query_stride masked_unit_size "
            "focal_windows", WholeRule(1, 256)),
    **_each("padding padding_q padding_kv patch_padding down_pad depthwise_padding pretrained_window_sizes "
            "num_register_tokens num_query_pool focal_levels", WholeRule(0, 256)),
    **_each("num_groups k_groups q_groups v_groups output_groups post_attention_groups intermediate_groups "
            "width_factor head_ratio conv_groups depth_divisible_by depth_divisor min_depth expand_ratios "
            "output_stride ffn_multiplier attention_ratio adapter_reduction_factor", WholeRule(1, 1_024)),
    **_each("mlp_ratio mlp_ratios expand_ratio embed_dim_multiplier depth_multiplier width_coefficient "
            "depth_coefficient width_multiplier squeeze_expansion_ratio", RealRule(0.0, 32.0)),
    **_each("hidden_dropout_prob attention_probs_dropout_prob attention_dropout dropout drop_path_rate "
            "drop_rate attention_drop_rate drop_connect_rate dropout_rate embedding_dropout mlp_dropout "
            "hidden_dropout pooler_dropout cls_dropout partial_rotary_factor activation_dropout attn_dropout "
            "ffn_dropout drop_mlp_rate drop_conv_encoder_rate batch_norm_momentum emb_pdrop embd_pdrop "
            "attn_pdrop resid_pdrop", RealRule(0.0, 1.0)),
    **_each("layer_norm_eps rms_norm_eps norm_eps batch_norm_eps", RealRule(0.0, 1.0)),
    **_each("initializer_range initializer_factor initializer_cutoff_factor layer_scale_init_value "
            "layerscale_value layer_norm_init mask_ratio pos_embed_rescale pos_embed_jitter "
            "pos_embed_shift", RealRule(0.0, 1e3)),
    **_each("rope_theta rotary_emb_base local_rope_theta global_rope_theta", RealRule(1.0, 1e9)),
    **_each("rope_parameters rope_scaling", RopeRule()),
    **_each("hidden_act activation hidden_activation pooler_act pooler_hidden_act position_embedding_type "
            "normalization_type pooling_type layer_type layer_types global_padding pos_att_type norm_rel_ebd "
            "conv_act qkv_projection_method default_language languages", WordRule()),
    **_each("adapter_layer_norm adapter_reuse_layer_norm ln_before_adapter apply_layernorm attention_bias "
            "mlp_bias norm_bias qkv_bias key_bias query_bias value_bias proj_bias cls_token use_mean_pooling "
            "downsamples downsample_in_bottleneck downsample_in_first_stage embedding_dynamic_padding "
            "finegrained_output first_layer_is_expansion inv_coeff_init_option key_query_shared_bottleneck "
            "linear_attention masked_unit_attention normalize_modulator position_biased_input pre_norm "
            "relative_attention share_att_key legacy rotary_value sinusoidal_pos_embds tf_padding "
            "trigram_input use_absolute_embeddings use_absolute_position_embeddings use_bottleneck "
            "use_bottleneck_attention use_conv_embed use_gated_mlp use_layer_scale use_layerscale "
            "use_mask_token use_post_layernorm use_post_layernorm_in_modulation use_relative_position_bias "
            "use_shared_relative_position_bias use_swiglu_ffn use_task_id vision_use_head add_pooling_layer "
            "conv_bias", FlagRule()),
}  # fmt: skip
"""What each setting may be, whichever type it belongs to: the names mean the same in all types that are listed."""

UNUSED = _names(
    "true_hidden_size down_ops "
    "_name_or_path _out_features _out_indices add_cross_attention add_fpn architectures aspp_dropout_prob "
    "aspp_out_channels atrous_rates auxiliary_channels auxiliary_concat_input auxiliary_loss_weight "
    "auxiliary_num_convs bos_token_id chunk_size_feed_forward classifier_activation classifier_bias "
    "classifier_dropout classifier_dropout_prob classifier_pooling cls_token_id decoder_bias "
    "decoder_depth decoder_hidden_size decoder_num_heads deterministic_flash_attn dtype encoder_stride "
    "eos_token_id force_dequant id2label is_decoder is_encoder_decoder label2id mask_token_id model_type "
    "normalize_pixel_loss num_labels out_features out_indices output_attentions output_embedding_size "
    "output_hidden_states pool_scales pooler_output_size pretraining_tp problem_type projection_dim "
    "qa_dropout quant_mode reference_compile repad_logits_with_grad reshape_hidden_states "
    "reshape_last_stage return_class_token return_dict semantic_loss_ignore_index sep_token_id "
    "seq_classif_dropout sparse_pred_ignore_index sparse_prediction stage_names summary_activation "
    "summary_first_dropout summary_last_dropout summary_type summary_use_proj tie_word_embeddings "
    "torch_dtype transformers_version use_auxiliary_head use_cache use_tpu_fourier_optimizations"
)
"""Settings of heads, of training and of bookkeeping: the features do not depend on them; they are left out."""

FORBIDDEN = _names(
    "_attn_implementation _experts_implementation adapter_name_or_path allow_all_kernels "
    "attn_implementation auto_map backbone backbone_config backbone_kwargs cache_dir checkpoint_path "
    "code_revision config_file custom_code decoder encoder esmfold_config experts_implementation file "
    "fusion_config gguf_file hf_hub_filename hf_hub_id kernel_config kernels per_layer_config pretrained "
    "pretrained_cfg pretrained_cfg_overlay quantization_config repo_id subfolder text_config timm_config "
    "transformers_weights trust_remote_code url use_kernels use_pretrained_backbone use_timm_backbone "
    "vision_config weights weights_file"
)
"""Settings that name something else to load or to run: refused where they are set, not passed over."""

MODEL_TYPES: Mapping[str, frozenset[str]] = {
    "text": _names(
        "albert bert camembert convbert data2vec-text deberta deberta-v2 distilbert electra ernie eurobert "
        "ibert jina_embeddings_v3 megatron-bert mobilebert modernbert mpnet nomic_bert nystromformer rembert "
        "roberta roberta-prelayernorm roformer squeezebert xlm-roberta xlm-roberta-xl xmod"
    ),
    "image": _names(
        "beit bit clip_vision_model convnext convnextv2 cvt data2vec-vision deit dinov2 dinov2_with_registers "
        "dinov3_convnext dinov3_vit efficientnet focalnet hiera ijepa levit mobilenet_v1 mobilenet_v2 "
        "mobilevit mobilevitv2 poolformer pvt pvt_v2 regnet resnet segformer siglip_vision_model swiftformer "
        "swin swinv2 vit vit_msn"
    ),
}
"""Types of transformers that read one kind of input by themselves: none has a backbone, a text or a vision part of its
own that could be named."""

TIMM_ARGUMENTS: Mapping[str, Rule] = {
    **_each("img_size", WholeRule(8, 2_048)),
    **_each("patch_size window_size", WholeRule(1, 64)),
    **_each("in_chans", WholeRule(3, 3)),
    **_each("embed_dim num_features", WholeRule(1, 16_384)),
    **_each("depth depths layers", WholeRule(1, MOST_BLOCKS, MOST_BLOCKS)),
    **_each("num_heads", WholeRule(1, 256)),
    **_each("reg_tokens", WholeRule(0, 64)),
    **_each("mlp_ratio", RealRule(0.1, 32.0)),
    **_each("drop_rate drop_path_rate drop_block_rate proj_drop_rate attn_drop_rate pos_drop_rate patch_drop_rate",
            RealRule(0.0, 0.95)),
    **_each("init_values bn_eps bn_momentum", RealRule(0.0, 1.0)),
    **_each("global_pool act_layer norm_layer aa_layer pad_type stem_type block_type pool_type", WordRule()),
    **_each("class_token no_embed_class fc_norm pre_norm final_norm qkv_bias qk_norm dynamic_img_size dynamic_img_pad "
            "always_partition strict_img_size use_fc_norm ref_feat_shape", FlagRule()),
}  # fmt: skip
"""Keyword arguments of timm's architectures that a folder may set (`model_args`)."""
