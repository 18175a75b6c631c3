"""How well a base fits a language, measured without labels, and what follows in one sentence."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from headstart import progress
from headstart.errors import DataError
from headstart.language import reading, scoring
from headstart.language.masked import MaskedBase, MaskedNet, build_masked_net
from headstart.language.masked_training import MaskedTrainingConfig, train_masked_net
from headstart.language.reading import RawText
from headstart.language.settings import SETTINGS
from headstart.language.spelling import SpellingModel, TokenizerFit, measure_tokenizer_fit
from headstart.language.tokens import (
    SpecialTokens,
    build_corpus,
    encode_texts,
    find_special_tokens,
    join_documents,
    open_tokenizer,
)
from headstart.records import Interval


@dataclass(frozen=True, kw_only=True)
class LanguageEvaluation:
    """The result of `evaluate-language`."""

    base: str
    bits_per_character: Interval
    tokenizer_bits_per_character: Interval
    pseudo_perplexity: float
    n_documents: int
    n_characters: int
    fit: TokenizerFit
    head: str
    calibration: scoring.TokenCalibration
    sentence: str

    def document(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "format": 1,
            "base": self.base,
            "bits_per_character": self.bits_per_character.as_dict(),
            "tokenizer_bits_per_character": self.tokenizer_bits_per_character.as_dict(),
            "pseudo_perplexity": self.pseudo_perplexity,
            "n_documents": self.n_documents,
            "n_characters": self.n_characters,
            **asdict(self.fit),
            "head": self.head,
            "calibration": self.calibration.as_dict(),
            "reading": self.sentence,
        }


def train_masked_head(
    base: MaskedBase, special_tokens: SpecialTokens, texts: Sequence[str], seconds: float, seed: int
) -> MaskedNet:
    """Return the network of a base; if the base has no masked-token head, one is trained while all else is frozen."""
    tokenizer = open_tokenizer(base.parts.tokenizer)
    corpus = build_corpus(
        tokenizer, take_first_documents(texts, int(seconds * SETTINGS.fit_head_characters_per_second))
    )
    n_vocabulary = int(base.parts.architecture["config"].get("vocab_size") or tokenizer.get_vocab_size())
    net = build_masked_net(base, scoring.count_tokens(corpus, n_vocabulary), seed)
    if base.head is None:
        config = MaskedTrainingConfig(
            part="head",
            seconds=seconds,
            seed=seed,
            n_tokens=4_096,
            learning_rate=6e-4,
            pair_weight=0.0,
            name="Training a head",
        )
        train_masked_net(net, corpus, special_tokens, config)
    return net


def take_first_documents(texts: Sequence[str], n_characters: int) -> list[str]:
    """Return the first documents with at most so many characters together, at least one."""
    documents: list[str] = []
    total = 0
    for text in texts:
        if documents and total + len(text) > n_characters:
            break
        documents.append(text)
        total += len(text)
    return documents


def evaluate_base(name: str, base: MaskedBase, raw: RawText, seconds: float, seed: int) -> LanguageEvaluation:
    """Measure a base on text.

    Parameters
    ----------
    name : str
        As the user named it.
    base : MaskedBase
    raw : RawText
    seconds : float
        For training a head where the base has none; measuring takes some time besides.
    seed : int

    Notes
    -----
    Documents are split into two halves; each is measured with what was fitted on the other: the costs of what the
    tokenizer loses and, if the base has no head of its own, the head. Every document counts once.
    """
    if raw.n_characters < SETTINGS.min_fit_characters or len(raw.documents) < SETTINGS.min_fit_documents:
        raise DataError(
            f"{raw.source}: {raw.n_characters:,} characters in {len(raw.documents):,} documents are too few to "
            "measure.",
            f"Give at least {SETTINGS.min_fit_characters:,} characters in {SETTINGS.min_fit_documents} documents "
            "(lines, paragraphs, rows).",
        )
    tokenizer = open_tokenizer(base.parts.tokenizer)
    special_tokens = find_special_tokens(tokenizer, int(base.parts.spec["pad_id"]))
    sides = reading.halve_documents(raw, seed)
    started = time.monotonic()
    parts, texts = [], []
    for test, train in (sides, sides[::-1]):
        net = train_masked_head(base, special_tokens, train, seconds=SETTINGS.fit_head_share * seconds, seed=seed)
        spelling = SpellingModel(tokenizer, special_tokens.unknown)
        spelling_texts = take_first_documents(train, 2_000_000)
        spelling.fit(spelling_texts, encode_texts(tokenizer, spelling_texts))
        measured_texts = take_first_documents(test, SETTINGS.max_fit_characters // 2)
        parts.append(
            scoring.measure_documents(
                net,
                special_tokens,
                spelling,
                texts=measured_texts,
                encodings=encode_texts(tokenizer, measured_texts),
                budget=SETTINGS.max_measured_tokens // 2,
            )
        )
        texts += measured_texts
        progress.say(f"Measured {len(texts):,} documents ({time.monotonic() - started:.0f} s).")
    bits, lost, characters = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("bits", "lost_bits", "characters")
    )
    predictions = scoring.MaskedPredictions(
        np.concatenate([part.predictions.confidence for part in parts]),
        np.concatenate([part.predictions.is_correct for part in parts]),
        np.concatenate([parts[0].predictions.document, parts[1].predictions.document + len(parts[0].bits)]),
    )
    figure = scoring.compute_bits_per_character(bits, characters, seed)
    encodings = encode_texts(tokenizer, texts)
    tokenizer_fit = measure_tokenizer_fit(texts, encodings, tokenizer, special_tokens.unknown)
    n_tokens = len(join_documents(encodings).ids)
    return LanguageEvaluation(
        base=name,
        bits_per_character=figure,
        tokenizer_bits_per_character=scoring.compute_bits_per_character(lost, characters, seed),
        pseudo_perplexity=float(2 ** ((bits.sum() - lost.sum()) / max(n_tokens, 1))),
        n_documents=len(texts),
        n_characters=int(characters.sum()),
        fit=tokenizer_fit,
        head="its own" if base.head is not None else "new, trained here on the other half of the text, all else frozen",
        calibration=scoring.measure_calibration(predictions, seed),
        sentence=describe_fit(tokenizer_fit, figure),
    )


def describe_fit(fit: TokenizerFit, figure: Interval | None = None) -> str:
    """Return sentences on how well the tokenizer fits, and what follows."""
    sentences = []
    if fit.unknown_character_share >= SETTINGS.unknown_character_share:
        sentences.append(
            f"This base cannot see {fit.unknown_character_share:.0%} of your characters; its tokenizer has to be "
            "replaced (`headstart adapt-language` does that)."
        )
    elif fit.pieces_per_word >= SETTINGS.max_tokens_per_word:
        sentences.append(
            f"This base cuts your words into {fit.pieces_per_word:.1f} pieces each (about 1.3 is usual where a "
            "tokenizer knows the language); a new tokenizer may pay (`headstart adapt-language` tries it)."
        )
    else:
        sentences.append(
            f"The tokenizer of this base fits: {fit.pieces_per_word:.1f} pieces a word, almost none unknown."
        )
    if fit.changed_character_share >= SETTINGS.unknown_character_share:
        sentences.append(f"It drops accents or capitals of {fit.changed_character_share:.0%} of the characters.")
    if figure is not None:
        sentences.append(
            f"A character costs it {figure.value:.2f} bits (95 % interval {figure.low:.2f} to {figure.high:.2f}; lower "
            "is better)."
        )
    return " ".join(sentences)
