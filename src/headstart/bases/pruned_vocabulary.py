"""A text base with a part of its vocabulary: rows of the word table and pieces of the tokenizer that are left out.

Texts made of kept pieces are cut as before (WordPiece takes the longest piece that is there, Unigram the most probable
way, and neither is better without what was left out). The idea and its effect: Abdaoui et al. 2020, "Load What You
Need: Smaller Versions of Multilingual BERT", arXiv:2010.05609.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from headstart.bases.record import BaseParts
from headstart.modalities.tokenizer_files import parse_tokenizer

WORD_TABLE = "embeddings.word_embeddings.weight"
KINDS = ("WordPiece", "Unigram")
_ID_SETTINGS = re.compile(r"(pad|bos|eos|cls|sep|mask|unk|decoder_start)_token_id")
_UNUSED = re.compile(r"\[unused\d+\]")
"""Pieces of BERT that no text has."""
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The pieces of a tokenizer.

    Parameters
    ----------
    pieces : mapping of int to str
        By id, without what marks the beginning or the middle of a word.
    ranked : tuple of int
        Ids, those that the base saw most often first: by the score of Unigram; WordPiece numbers them about so.
    fixed : frozenset of int
        Ids that no text needs and the tokenizer or the network does: special tokens, a prefix, the unknown token.
    starts : frozenset of int
        Ids of pieces that begin a word.
    """

    pieces: Mapping[int, str]
    ranked: tuple[int, ...]
    fixed: frozenset[int]
    starts: frozenset[int]


def explain_no_pruning(parts: BaseParts) -> str:
    """Return why a vocabulary cannot be pruned, as part of a sentence; "" where it can.

    Parameters
    ----------
    parts : BaseParts
    """
    if not parts.tokenizer:
        return "it reads no words"
    kind = json.loads(parts.tokenizer)["model"].get("type")
    if kind not in KINDS:
        return f"its tokenizer is of the kind {kind}"
    tables = _list_tables(parts)
    if len(tables) != 1:
        return f"it has {len(tables)} word tables"
    pieces = read_vocabulary(parts).pieces
    return "its tokenizer numbers more pieces than it has rows" if max(pieces) >= len(parts.weights[tables[0]]) else ""


def read_vocabulary(parts: BaseParts) -> Vocabulary:
    """Return the vocabulary of a base whose tokenizer is of one of `KINDS`.

    Parameters
    ----------
    parts : BaseParts
    """
    document = json.loads(parts.tokenizer)
    model, added = document["model"], {int(item["id"]): str(item["content"]) for item in document["added_tokens"] or []}
    fixed = {*added, *_iterate_stated_ids(document.get("post_processor")), int(parts.spec["pad_id"])}
    fixed |= set(_select_id_settings(parts).values())
    if model["type"] == "Unigram":
        scores = [float(score) for _, score in model["vocab"]]
        written = dict(enumerate(piece for piece, _ in model["vocab"]))
        ranked = sorted(written, key=lambda place: -scores[place])
        fixed |= {scores.index(min(scores))}  # What an unknown character costs is measured from it.
        fixed |= {place for place, piece in written.items() if model.get("byte_fallback") and _BYTE.fullmatch(piece)}
        fixed |= set() if model.get("unk_id") is None else {int(model["unk_id"])}
        pieces = {place: piece.removeprefix("\u2581") for place, piece in written.items()}
        starts = {place for place, piece in written.items() if piece.startswith("\u2581")}
    else:
        middle = str(model.get("continuing_subword_prefix") or "##")
        pieces = {int(place): piece.removeprefix(middle) for piece, place in model["vocab"].items()}
        starts = {int(place) for piece, place in model["vocab"].items() if not piece.startswith(middle)}
        ranked = sorted(place for place, piece in pieces.items() if not _UNUSED.fullmatch(piece))
        fixed |= {int(model["vocab"][model["unk_token"]])} & pieces.keys()
    pieces |= added
    return Vocabulary(
        pieces=pieces, ranked=tuple(ranked), fixed=frozenset(fixed & pieces.keys()), starts=frozenset(starts)
    )


def prune_vocabulary(parts: BaseParts, chosen: Collection[int]) -> BaseParts:
    """Return a base with some of its pieces, numbered anew without gaps in the same order.

    Parameters
    ----------
    parts : BaseParts
        For which `explain_no_pruning` has no reason.
    chosen : collection of int
        Ids of pieces that stay, beside those that are fixed.
    """
    vocabulary = read_vocabulary(parts)
    remaining = sorted((set(chosen) | vocabulary.fixed) & vocabulary.pieces.keys())
    number = {old: new for new, old in enumerate(remaining)}
    (table,) = _list_tables(parts)
    config = {**parts.architecture["config"], "vocab_size": len(remaining)}
    config |= {name: number[place] for name, place in _select_id_settings(parts).items() if place in number}
    smaller = replace(
        parts,
        architecture={**parts.architecture, "config": config},
        spec={**parts.spec, "pad_id": number[int(parts.spec["pad_id"])]},
        weights={**parts.weights, table: parts.weights[table][remaining]},
        tokenizer=_renumber_tokenizer(json.loads(parts.tokenizer), number),
    )
    parse_tokenizer(smaller.tokenizer, "The pruned tokenizer")
    return smaller


def _list_tables(parts: BaseParts) -> list[str]:
    return [name for name in parts.weights if name.endswith(WORD_TABLE)]


def _select_id_settings(parts: BaseParts) -> dict[str, int]:
    """Return the settings of a network that are ids of special tokens, as far as there are such pieces."""
    config = parts.architecture.get("config", {})
    return {name: value for name, value in config.items() if _ID_SETTINGS.fullmatch(name) and isinstance(value, int)}


def _iterate_stated_ids(part: Any) -> Iterator[int]:
    """Yield the ids that a post-processor puts around texts."""
    if not isinstance(part, dict):
        return
    for token in (part.get("special_tokens") or {}).values():
        yield from (int(place) for place in token["ids"])
    for name in ("sep", "cls"):
        if name in part:
            yield int(part[name][1])
    for inner in part.get("processors") or []:
        yield from _iterate_stated_ids(inner)


def _renumber_tokenizer(document: dict[str, Any], number: Mapping[int, int]) -> str:
    model = document["model"]
    if model["type"] == "Unigram":
        model["vocab"] = [entry for place, entry in enumerate(model["vocab"]) if place in number]
        if model.get("unk_id") is not None:
            model["unk_id"] = number[int(model["unk_id"])]
    else:
        model["vocab"] = {piece: number[place] for piece, place in model["vocab"].items() if place in number}
    for token in document["added_tokens"] or []:
        token["id"] = number[int(token["id"])]
    _renumber_post_processor(document.get("post_processor"), number)
    if document.get("padding"):
        document["padding"]["pad_id"] = number.get(int(document["padding"].get("pad_id", 0)), 0)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _renumber_post_processor(part: Any, number: Mapping[int, int]) -> None:
    if not isinstance(part, dict):
        return
    for token in (part.get("special_tokens") or {}).values():
        token["ids"] = [number[int(place)] for place in token["ids"]]
    for name in ("sep", "cls"):
        if name in part:
            part[name] = [part[name][0], number[int(part[name][1])]]
    for inner in part.get("processors") or []:
        _renumber_post_processor(inner, number)
