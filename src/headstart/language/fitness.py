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
from headstart.language.masked import MaskedNet, Opened, build
from headstart.language.pieces import Marks, corpus, encode, gather, marks_of, opened
from headstart.language.reading import RawText
from headstart.language.spelling import Fit, Spelling, fit
from headstart.language.teaching import Course, teach
from headstart.records import Interval

HEAD_SHARE = 0.35
LEAST_CHARACTERS, LEAST_DOCUMENTS = 2_000, 4
MOST_CHARACTERS = 200_000
"""At most so many characters are measured; of longer text a part drawn by content."""
_HEAD_CHARACTERS_PER_SECOND = 15_000
BLIND, FOREIGN = 0.05, 1.8
"""Share of unknown characters, and pieces a word, from which a tokenizer is called unfit."""


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """What `evaluate-language` says of a base and a text."""

    base: str
    bits_per_character: Interval
    tokenizer_bits_per_character: Interval
    pseudo_perplexity: float
    n_documents: int
    n_characters: int
    fit: Fit
    head: str
    trust: scoring.Trust
    reading: str

    def document(self) -> dict[str, Any]:
        """Give the JSON form."""
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
            "calibration": self.trust.as_dict(),
            "reading": self.reading,
        }


def taught_head(found: Opened, marks: Marks, texts: Sequence[str], seconds: float, seed: int) -> MaskedNet:
    """Make the network of a base; where it has no head for hidden pieces, one is trained while all else is frozen."""
    tokenizer = opened(found.parts.tokenizer)
    learnt = corpus(tokenizer, first(texts, int(seconds * _HEAD_CHARACTERS_PER_SECOND)))
    n_pieces = int(found.parts.architecture["config"].get("vocab_size") or tokenizer.get_vocab_size())
    net = build(found, scoring.unigram(learnt, n_pieces), seed)
    if found.head is None:
        course = Course(
            part="head", seconds=seconds, seed=seed, pieces=4_096, rate=6e-4, together=0.0, name="Training a head"
        )
        teach(net, learnt, marks, course)
    return net


def first(texts: Sequence[str], n_characters: int) -> list[str]:
    """Give the first documents of at most so many characters together, at least one."""
    kept: list[str] = []
    total = 0
    for text in texts:
        if kept and total + len(text) > n_characters:
            break
        kept.append(text)
        total += len(text)
    return kept


def evaluate(base: str, found: Opened, raw: RawText, seconds: float, seed: int) -> Evaluated:
    """Measure a base on text.

    Parameters
    ----------
    base : str
        As the user named it.
    found : Opened
    raw : RawText
    seconds : float
        For training a head where the base has none; measuring takes some time besides.
    seed : int

    Notes
    -----
    Documents are dealt into two halves; each is measured with what was learnt on the other: the costs of what the
    tokenizer loses and, where the base has no head of its own, the head. So every document counts once and none is
    measured with what it taught.
    """
    if raw.n_characters < LEAST_CHARACTERS or len(raw.documents) < LEAST_DOCUMENTS:
        raise DataError(
            f"{raw.source}: {raw.n_characters:,} characters in {len(raw.documents):,} documents are too little to "
            "measure.",
            f"Give at least {LEAST_CHARACTERS:,} characters in {LEAST_DOCUMENTS} documents (lines, paragraphs, rows).",
        )
    tokenizer = opened(found.parts.tokenizer)
    marks = marks_of(tokenizer, int(found.parts.spec["pad_id"]))
    sides = reading.halves(raw, seed)
    began = time.monotonic()
    parts, texts = [], []
    for test, train in (sides, sides[::-1]):
        net = taught_head(found, marks, train, seconds=HEAD_SHARE * seconds, seed=seed)
        spelling = Spelling(tokenizer, marks.unknown)
        some = first(train, 2_000_000)
        spelling.learn(some, encode(tokenizer, some))
        asked = first(test, MOST_CHARACTERS // 2)
        parts.append(
            scoring.measure(
                net, marks, spelling, texts=asked, encodings=encode(tokenizer, asked), budget=scoring.BUDGET // 2
            )
        )
        texts += asked
        progress.say(f"Measured {len(texts):,} documents ({time.monotonic() - began:.0f} s).")
    bits, lost, characters = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("bits", "lost_bits", "characters")
    )
    guesses = scoring.Guesses(
        np.concatenate([part.guesses.sure for part in parts]),
        np.concatenate([part.guesses.right for part in parts]),
        np.concatenate([parts[0].guesses.document, parts[1].guesses.document + len(parts[0].bits)]),
    )
    figure = scoring.per_character(bits, characters, seed)
    encodings = encode(tokenizer, texts)
    how = fit(texts, encodings, tokenizer, marks.unknown)
    n_pieces = len(gather(encodings).ids)
    return Evaluated(
        base=base,
        bits_per_character=figure,
        tokenizer_bits_per_character=scoring.per_character(lost, characters, seed),
        pseudo_perplexity=float(2 ** ((bits.sum() - lost.sum()) / max(n_pieces, 1))),
        n_documents=len(texts),
        n_characters=int(characters.sum()),
        fit=how,
        head="its own"
        if found.head is not None
        else "new, trained here on the other half of the text, all else frozen",
        trust=scoring.trust(guesses, seed),
        reading=follows(how, figure),
    )


def follows(how: Fit, figure: Interval | None = None) -> str:
    """Say in plain words how well the tokenizer fits, and what follows."""
    said = []
    if how.unknown_character_share >= BLIND:
        said.append(
            f"This base cannot see {how.unknown_character_share:.0%} of your characters; its tokenizer has to be "
            "replaced (`headstart adapt-language` does that)."
        )
    elif how.pieces_per_word >= FOREIGN:
        said.append(
            f"This base cuts your words into {how.pieces_per_word:.1f} pieces each (about 1.3 is usual where a "
            "tokenizer knows the language); a new tokenizer may pay (`headstart adapt-language` tries it)."
        )
    else:
        said.append(f"The tokenizer of this base fits: {how.pieces_per_word:.1f} pieces a word, almost none unknown.")
    if how.changed_character_share >= BLIND:
        said.append(f"It drops accents or capitals of {how.changed_character_share:.0%} of the characters.")
    if figure is not None:
        said.append(
            f"A character costs it {figure.value:.2f} bits (95 % interval {figure.low:.2f} to {figure.high:.2f}; lower "
            "is better)."
        )
    return " ".join(said)
