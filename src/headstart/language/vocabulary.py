"""Tokenizer repair: a new vocabulary of the same kind, fitted on the text, and embeddings that start from the old ones.

After FOCUS (Dobler and de Melo 2023, arXiv:2305.14481) and WECHSEL (Minixhofer et al. 2022, arXiv:2112.06598): tokens
that both vocabularies have keep their embedding, others start from old ones that are like them. Here "like" is what
spells the token (the mean of the old tokens that it would be cut into); tokens that the old tokenizer cannot spell
start from the mean of the old embeddings plus noise of their spread. Old tokens that the text does not
need go, so nothing grows.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from headstart.bases import BaseParts
from headstart.errors import OptionError
from headstart.language.settings import SETTINGS
from headstart.modalities.tokenizer_files import parse_tokenizer

_TRAINERS: dict[str, type] = {
    "WordPiece": trainers.BpeTrainer,
    "Unigram": trainers.UnigramTrainer,
    "BPE": trainers.BpeTrainer,
}
_STRIPPING = frozenset({"StripAccents"})


@dataclass(frozen=True)
class RepairedBase:
    """A base with a new vocabulary of `n_pieces`; `n_kept` stood in the old one, `n_spelled` were spelled by it."""

    parts: BaseParts
    n_vocabulary: int
    n_kept: int
    n_spelled: int


def choose_vocabulary_size(n_characters: int, n_old: int) -> int:
    """Return the size of a new vocabulary: fit for the text, never larger than the old one.

    Examples
    --------
    >>> [choose_vocabulary_size(n, 30_522) for n in (1_500_000, 20_000, 100_000_000)]
    [10000, 1500, 30522]
    """
    return int(min(max(n_characters // SETTINGS.characters_per_token, SETTINGS.min_tokens), n_old))


def _keep_accents(normalizer: Any) -> Any:
    """Return a normalizer that keeps accents: they are letters in many languages."""
    if not isinstance(normalizer, Mapping):
        return normalizer
    if normalizer.get("type") == "BertNormalizer":
        return {**normalizer, "strip_accents": False}
    if normalizer.get("type") == "Sequence":
        inner = [_keep_accents(item) for item in normalizer["normalizers"] if item.get("type") not in _STRIPPING]
        return {**normalizer, "normalizers": [{"type": "NFC"} if item.get("type") == "NFD" else item for item in inner]}
    return None if normalizer.get("type") in _STRIPPING else normalizer


def _renumber(processor: Any, ids: Mapping[str, int]) -> Any:
    """Write the new ids of the special tokens around a text into a post-processor."""
    if not isinstance(processor, Mapping):
        return processor
    renumbered = dict(copy.deepcopy(dict(processor)))
    for name in renumbered.get("special_tokens", {}):
        renumbered["special_tokens"][name] = {"id": name, "ids": [ids[name]], "tokens": [name]}
    for side in ("cls", "sep"):
        if side in renumbered:
            renumbered[side] = [renumbered[side][0], ids[renumbered[side][0]]]
    if "processors" in renumbered:
        renumbered["processors"] = [_renumber(item, ids) for item in renumbered["processors"]]
    return renumbered


def learn_tokenizer(old: str, texts: Sequence[str], n_vocabulary: int) -> str:
    """Fit a vocabulary of the same kind as an old tokenizer's; return the content of a tokenizer.json.

    Raises
    ------
    OptionError
        The tokenizer is of a kind that cannot be fitted here.
    """
    document = json.loads(old)
    kind = document["model"].get("type", "WordPiece")
    if kind not in _TRAINERS:
        raise OptionError(f"A tokenizer of the kind {kind} cannot be trained again.", "Choose another base.")
    used = {item["content"]: int(item["id"]) for item in document["added_tokens"]}
    for name in (document["model"].get("unk_token"), "[MASK]", "<mask>"):
        if name and name not in used and name in document["model"].get("vocab", {}):
            used[name] = int(document["model"]["vocab"][name])
    specials = sorted(used, key=lambda name: used[name])
    blank = {
        **document,
        "normalizer": _keep_accents(document["normalizer"]),
        "truncation": None,
        "padding": None,
        "post_processor": None,
        "added_tokens": [],
        "model": {**document["model"], **_empty_vocabulary(document["model"], kind)},
    }
    tokenizer = Tokenizer.from_str(json.dumps(blank))
    if kind == "WordPiece":
        head = document["model"].get("continuing_subword_prefix", "##")
        vocabulary = _learn_word_pieces(tokenizer, texts, n_vocabulary, specials=specials, head=head)
        blank["model"]["vocab"] = vocabulary
        blank["added_tokens"] = [
            {**item, "id": vocabulary[item["content"]]}
            for item in sorted(document["added_tokens"], key=lambda item: vocabulary[item["content"]])
        ]
        blank["post_processor"] = _renumber(document["post_processor"], vocabulary)
        return json.dumps(blank, ensure_ascii=False)
    more: dict[str, Any] = {"unk_token": "<unk>"} if kind == "Unigram" else {"limit_alphabet": SETTINGS.max_letters}
    trainer = _TRAINERS[kind](vocab_size=n_vocabulary, special_tokens=specials, show_progress=False, **more)
    tokenizer.train_from_iterator(_cut_blocks(texts), trainer)
    new_document = json.loads(tokenizer.to_str())
    ids = {name: int(tokenizer.token_to_id(name) or 0) for name in specials}
    new_document["post_processor"] = _renumber(document["post_processor"], ids)
    flags = {item["content"]: item for item in document["added_tokens"]}
    new_document["added_tokens"] = [
        {**flags.get(item["content"], item), "id": item["id"]} for item in new_document["added_tokens"]
    ]
    return json.dumps(new_document, ensure_ascii=False)


def _learn_word_pieces(
    tokenizer: Tokenizer, texts: Sequence[str], n_vocabulary: int, specials: Sequence[str], head: str
) -> dict[str, int]:
    """Fit word pieces: special tokens, all letters, then the most frequent tokens that byte-pair merges make.

    The library's own trainer of word pieces numbers letters in a random order, so that ties fall differently each time.
    """
    words: Counter[str] = Counter()
    for text in texts:
        normal = tokenizer.normalizer.normalize_str(text) if tokenizer.normalizer is not None else text
        cut = tokenizer.pre_tokenizer.pre_tokenize_str(normal) if tokenizer.pre_tokenizer is not None else [(normal, 0)]
        words.update(word for word, _ in cut)
    ordered = sorted(words.items(), key=lambda item: (-item[1], item[0]))
    letters: Counter[str] = Counter()
    for word, n in ordered:
        for letter in word:
            letters[letter] += n
    alphabet = {letter for letter, n in letters.most_common(SETTINGS.max_letters) if n > 1}
    pairs = Tokenizer(models.BPE())
    pairs.pre_tokenizer = pre_tokenizers.Split("\n", "removed")
    repeated = ("\n".join([word] * min(n, SETTINGS.max_word_repeats)) for word, n in ordered)
    pairs.train_from_iterator(
        repeated, trainers.BpeTrainer(vocab_size=n_vocabulary, limit_alphabet=SETTINGS.max_letters, show_progress=False)
    )
    counts: Counter[str] = Counter()
    for word, n in ordered:
        for place, piece in enumerate(pairs.encode(word).tokens):
            counts[head + piece if place else piece] += n
    single = sorted({*alphabet, *(head + letter for letter in alphabet)}, key=lambda x: (-counts[x], x))
    common = sorted((piece for piece in counts if set(piece.removeprefix(head)) <= alphabet),
                    key=lambda x: (-counts[x], x))  # fmt: skip
    return {
        piece: number for number, piece in enumerate([*dict.fromkeys((*specials, *single, *common))][:n_vocabulary])
    }


def _empty_vocabulary(model: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return the entries of tokenizer.json for a model without tokens."""
    if kind == "Unigram":
        return {"vocab": [["<unk>", 0.0]], "unk_id": 0}
    return {"vocab": {}, **({"merges": []} if kind == "BPE" else {})}


def _cut_blocks(texts: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(texts), 1_000):
        yield list(texts[start : start + 1_000])


def _spell(piece: str, vocabulary: Mapping[str, int], head: str) -> list[int]:
    """Cut a token greedily into old ones (empty if that cannot be done)."""
    inside = head if piece.startswith(head) else ""
    text, ids = piece.removeprefix(head) if head else piece, []
    at = 0
    while at < len(text):
        prefix = head if (at or inside) else ""
        end = next((e for e in range(len(text), at, -1) if prefix + text[at:e] in vocabulary), 0)
        if not end:
            return []
        ids.append(vocabulary[prefix + text[at:end]])
        at = end
    return ids


def initialise_embeddings(
    old: Mapping[str, int], rows: NDArray[np.float32], new: Mapping[str, int], head: str, seed: int
) -> tuple[NDArray[np.float32], int, int]:
    """Return embeddings of new tokens, and how many were kept and how many spelled.

    Parameters
    ----------
    old, new : mapping of token to id
    rows : float32, shape (n_old, n_dims)
        Old embeddings.
    head : str
        What tokens inside a word begin with ("##"), or "".

    Examples
    --------
    "ab" is in both, "abc" is spelled by "ab" and "##c":

    >>> rows = np.array([[1, 0], [0, 1]], dtype=np.float32)
    >>> embeddings, n_kept, n_spelled = initialise_embeddings({"ab": 0, "##c": 1}, rows, {"ab": 0, "abc": 1}, "##", 0)
    >>> embeddings[0].tolist(), n_kept, n_spelled
    ([1.0, 0.0], 1, 1)
    """
    rng = np.random.default_rng(seed)
    middle, spread = rows.mean(axis=0), rows.std(axis=0)
    length = float(np.linalg.norm(rows, axis=1).mean())
    embeddings = (middle + spread * rng.standard_normal((max(new.values()) + 1, rows.shape[1]))).astype(np.float32)
    n_kept = n_spelled = 0
    for piece, place in new.items():
        if piece in old:
            embeddings[place] = rows[old[piece]]
            n_kept += 1
            continue
        spelt = _spell(piece, old, head)
        if spelt:
            mean = rows[spelt].mean(axis=0)
            embeddings[place] = mean * (length / max(float(np.linalg.norm(mean)), 1e-6))
            n_spelled += 1
    return embeddings, n_kept, n_spelled


def repair_tokenizer(parts: BaseParts, texts: Sequence[str], n_vocabulary: int, seed: int) -> RepairedBase:
    """Return a base with a vocabulary fitted on texts; its layers stay as they are.

    Parameters
    ----------
    parts : BaseParts
    texts : sequence of str
        Documents to learn from.
    n_vocabulary : int
        Largest size; the text may hold fewer.
    seed : int
        Of the embeddings that start from nothing.
    """
    tokenizer = learn_tokenizer(parts.tokenizer, texts, n_vocabulary)
    old, new = parse_tokenizer(parts.tokenizer, "The base model's tokenizer.json"), Tokenizer.from_str(tokenizer)
    name = find_embedding_name(parts)
    rows = np.asarray(parts.weights[name], dtype=np.float32)
    head = json.loads(tokenizer)["model"].get("continuing_subword_prefix") or ""
    embeddings, n_kept, n_spelled = initialise_embeddings(old.get_vocab(), rows, new.get_vocab(), head=head, seed=seed)
    pad = json.loads(parts.tokenizer).get("padding") or {}
    config = dict(parts.architecture["config"])
    pad_token = pad.get("pad_token") or old.id_to_token(int(parts.spec["pad_id"])) or "[PAD]"
    pad_id = new.token_to_id(pad_token)
    pad_id = int(parts.spec["pad_id"]) if pad_id is None else int(pad_id)
    config |= {"vocab_size": len(embeddings), "pad_token_id": pad_id}
    return RepairedBase(
        BaseParts(
            record=parts.record,
            architecture={**parts.architecture, "config": config},
            spec={**parts.spec, "pad_id": pad_id},
            weights={**parts.weights, name: embeddings},
            tokenizer=tokenizer,
        ),
        len(embeddings),
        n_kept,
        n_spelled,
    )


def find_embedding_name(parts: BaseParts) -> str:
    """Find the tensor of the input embeddings: the largest with one row per token.

    Raises
    ------
    OptionError
        There is none.
    """
    n_vocabulary = int(parts.architecture["config"].get("vocab_size") or 0)
    names = [name for name, value in parts.weights.items() if value.ndim == 2 and len(value) == n_vocabulary]
    if not names:
        raise OptionError(
            f"{parts.record.name} has no embeddings of {n_vocabulary} tokens that could be replaced.",
            "Choose another base.",
        )
    return max(names, key=lambda name: "word" in name)
