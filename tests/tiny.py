"""Tiny base models with random weights that go through the real loading code: for tests of what moves weights."""

from __future__ import annotations

import importlib
from dataclasses import replace
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers

from headstart.bases import (
    Backbone,
    BaseParts,
    BaseRecord,
    assemble_backbone,
    encoders,
    series_encoder,
    series_shape,
    vision,
)
from headstart.strategies.fine_tuning.records import TailCost

PIXELS = 32


def _record(name: str, modality: str, n_dims: int) -> BaseRecord:
    return BaseRecord(
        name=name,
        modality=modality,
        source="file",
        licence="apache-2.0",
        n_dims=n_dims,
        size_bytes=0,
        training_data="none",
        known_biases="none",
        sha256="",
        url="",
        pretrained=True,
        summary="tiny",
    )


@lru_cache(maxsize=1)
def picture_base() -> Backbone:
    """A residual network of four small stages."""
    architecture = {"library": "timm", "name": "test_resnet", "kwargs": {}}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = vision.build_network(architecture).train()
        with torch.no_grad():  # Averages of the batch norms, without which random features hardly vary.
            for _ in range(20):
                net(torch.randn(16, 3, PIXELS, PIXELS))
    weights = {name: np.array(value.numpy()) for name, value in net.state_dict().items()}
    spec = {
        "size": PIXELS, "resize": PIXELS, "fit": "squash", "interpolation": "bilinear",
        "mean": [0.5] * 3, "std": [0.5] * 3,
    }  # fmt: skip
    return assemble_backbone(
        BaseParts(
            record=_record("tiny-resnet", "image", net.num_features),
            architecture=architecture,
            spec=spec,
            weights=weights,
        )
    )


def bert(name: str, tokenizer: Tokenizer, n_layers: int, n_places: int, max_length: int) -> BaseParts:
    """A BERT of 32 dimensions for a tokenizer, with random weights."""
    config = {
        "model_type": "bert", "vocab_size": tokenizer.get_vocab_size(), "hidden_size": 32,
        "num_hidden_layers": n_layers, "num_attention_heads": 2, "intermediate_size": 64,
        "max_position_embeddings": n_places,
    }  # fmt: skip
    architecture = {"library": "transformers", "config": config}
    spec = {"max_length": max_length, "pad_id": 0}
    return BaseParts(
        record=_record(name, "text", 32),
        architecture=architecture,
        spec=spec,
        weights=_weights(encoders, architecture),
        tokenizer=tokenizer.to_str(),
    )


def _weights(room: ModuleType, architecture: dict[str, Any]) -> dict[str, np.ndarray]:
    """Random weights of a network."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = room.build_network(architecture)
    return {key: np.array(value.numpy()) for key, value in net.state_dict().items()}


@lru_cache(maxsize=1)
def text_base() -> Backbone:
    """A BERT of three layers that reads letters."""
    letters = ["[PAD]", "[UNK]", *"abcdefghijklmnopqrstuvwxyz0123456789"]
    words = {letter: number for number, letter in enumerate(letters)}
    words |= {f"##{letter}": len(words) + number for number, letter in enumerate(letters[2:])}
    tokenizer = Tokenizer(models.WordPiece(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return assemble_backbone(bert("tiny-bert", tokenizer, n_layers=3, n_places=32, max_length=16))


@lru_cache(maxsize=1)
def series_base() -> Backbone:
    """Our own encoder with two small blocks, for one channel."""
    small = {
        "length": 64, "width": 16, "kernels": 4, "blocks": 2, "heads": 2, "components": 8, "fixed_dilations": [1, 4],
        "read_blocks": 2,
    }  # fmt: skip
    architecture = {**series_shape.ARCHITECTURE, **small}
    record = _record("tiny-series", "series", series_shape.count_dims(architecture, 1))
    spec = series_shape.make_spec(architecture, 1)
    return assemble_backbone(
        BaseParts(record=record, architecture=architecture, spec=spec, weights=_weights(series_encoder, architecture))
    )


BASES = {"image": picture_base, "text": text_base, "series": series_base}
MOVES = {"last-stages", "contrastive", "norm-bias", "lora", "full"}
"""Strategies that move the base's weights; here they only begin to."""


def train_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let strategies that train networks only begin to."""
    from headstart.strategies.baselines import scratch
    from headstart.strategies.fine_tuning import search

    monkeypatch.setattr(
        scratch,
        "SETTINGS",
        # A busy machine is not what these tests are about.
        replace(scratch.SETTINGS, most_epochs=2, enough_epochs=1, fewest_epochs=1, timed_rows=8, least_seconds=120.0),
    )
    monkeypatch.setattr(search, "SETTINGS", replace(search.SETTINGS, alphas=(1.0,)))  # Something has moved in any case.
    for name in MOVES:
        module = importlib.import_module(f"headstart.strategies.fine_tuning.{name.replace('-', '_')}")
        brief = {library: tails[:1] for library, tails in module.CONFIG.tails.items()}
        config = replace(module.CONFIG, epochs=1, steps=1, n_views=1, tails=brief, learning_rate=1e-3)
        monkeypatch.setattr(module, "CONFIG", config)
    cost = TailCost(
        pass_seconds=0.0, row_seconds=1e-3, memory_bytes=1e6, rows_at_once=0, half_precision=False, n_threads=1
    )
    monkeypatch.setattr(search, "measure_tail", lambda trainer, n_tail: cost)  # Measured for real in test_tuning.
