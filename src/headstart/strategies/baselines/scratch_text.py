"""`scratch` for texts: a small transformer, or the base's own, with a vocabulary trained on the training texts.

Nothing of the base but its shape is used: its tokenizer has read other people's texts, in other languages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import Tensor

from headstart.modalities import MODALITIES
from headstart.modalities.tokenizer_files import parse_tokenizer
from headstart.records import Column
from headstart.strategies.baselines.scratch_sizes import SETTINGS, NetworkSize, ScratchMethod
from headstart.strategies.record import Task
from headstart.strategies.text.tfidf import choose_text_length
from headstart.training.loop import Inputs

PAD, UNKNOWN = "[PAD]", "[UNK]"


def learn_tokenizer(texts: Sequence[str]) -> Tokenizer:
    """Fit byte-pair merges (Sennrich, Haddow and Birch 2016) on texts; letter case is ignored."""
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=SETTINGS.vocabulary_tokens,
        min_frequency=2,
        special_tokens=[PAD, UNKNOWN],
        show_progress=False,
        limit_alphabet=2_000,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _load_texts(inputs: Column) -> list[str]:
    load = MODALITIES["text"].load
    return [load(text, {}) for text in inputs]


def list_sizes(inputs: Column, task: Task) -> list[NetworkSize]:
    """Return two small networks and the base's own, if its configuration has the usual names."""
    texts = _load_texts(inputs)
    cut = choose_text_length([len(text) for text in texts])
    tokenizer = learn_tokenizer([text[:cut] for text in texts])
    spec = {"tokenizer": tokenizer.to_str(), "max_tokens": SETTINGS.text_tokens}
    size = tokenizer.get_vocab_size()
    shapes = zip(SETTINGS.text_layers, SETTINGS.text_widths, strict=True)
    offered = [_make_small_size(layers, width, size, spec) for layers, width in shapes]
    own: Any = task.architecture.get("config", {})
    if {"hidden_size", "num_hidden_layers", "vocab_size"} <= set(own):
        config = {**own, "vocab_size": size, "pad_token_id": 0}
        cost = float(own["num_hidden_layers"] * own["hidden_size"] ** 2)
        if cost > offered[-1].cost:
            label = f"the base's own {own['num_hidden_layers']} layers"
            offered.append(
                NetworkSize(
                    label=label,
                    architecture={**task.architecture, "config": config},
                    spec=spec,
                    cost=cost,
                    learning_rate=3e-4,
                )
            )
    return offered


def _make_small_size(layers: int, width: int, vocabulary: int, spec: Mapping[str, Any]) -> NetworkSize:
    config = {
        "model_type": "bert",
        "vocab_size": vocabulary,
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": width // 64,
        "intermediate_size": 2 * width,
        "max_position_embeddings": SETTINGS.text_tokens,
        "pad_token_id": 0,
    }
    architecture = {"library": "transformers", "config": config}
    return NetworkSize(
        label=f"{layers} layers of width {width}",
        architecture=architecture,
        spec=spec,
        cost=float(layers * width**2),
        learning_rate=1e-3,
    )


def load_inputs(inputs: Column, spec: Mapping[str, Any]) -> Inputs:
    """Return texts as token ids; a batch is padded to its longest row."""
    tokenizer = parse_tokenizer(str(spec["tokenizer"]), "The model's tokenizer", int(spec["max_tokens"]))
    token_ids = [np.asarray(item.ids or [0], dtype=np.int64) for item in tokenizer.encode_batch(_load_texts(inputs))]

    def batch(rows: Tensor, generator: torch.Generator | None) -> tuple[Tensor, ...]:
        chosen = [token_ids[row] for row in rows.tolist()]
        ids = np.zeros((len(chosen), max(map(len, chosen))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for number, row in enumerate(chosen):
            ids[number, : len(row)] = row
            mask[number, : len(row)] = 1
        return torch.from_numpy(ids), torch.from_numpy(mask)

    return batch


METHOD = ScratchMethod(list_sizes, load_inputs)
