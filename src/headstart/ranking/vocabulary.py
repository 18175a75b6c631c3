"""Vocabulary coverage of a text base in the user's language: unknown tokens, tokens per word, words held whole.

No library guesses the language: the vocabulary itself tells whether it was made for these words.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from headstart.modalities.scripts import find_main_script, find_words, name_script
from headstart.modalities.text import load_text
from headstart.modalities.tokenizer_files import parse_tokenizer
from headstart.ranking.settings import SETTINGS
from headstart.results import VocabularyFit

LATIN = "Latin"
LanguageKnowledge = Literal["known", "unclear", "unknown"]
LanguageSign = Literal["words", "script", "tokens", "few-words"]


@dataclass(frozen=True, kw_only=True)
class VocabularyCoverage:
    """Token and word counts of texts.

    Parameters
    ----------
    unknown_share : float
        Share of unknown tokens, 0 to 1; low is good.
    pieces_per_word : float
        Pieces for each word between spaces; about 1.3 for a language the base was made for.
    counts : array of int, shape (n_texts, 2)
        Unknown tokens and all tokens of each text.
    n_words : int
        Words that tell the language: of four letters and more in Latin letters, any in another script.
    known_words_share : float
        Share of these words (0-1) that are one token; high is good. 0 without such words.
    script : str
        Of most letters, such as "Latin"; empty without letters.
    knows_script : bool
        Whether the vocabulary has words, or parts of them, in this script.
    """

    unknown_share: float = 0.0
    pieces_per_word: float = 0.0
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64), compare=False)
    n_words: int = 0
    known_words_share: float = 0.0
    script: str = ""
    knows_script: bool = True


def measure_vocabulary_coverage(tokenizer: str, texts: Sequence[str]) -> VocabularyCoverage:
    """Measure a tokenizer on texts.

    Parameters
    ----------
    tokenizer : str
        The content of tokenizer.json.
    texts : sequence of str

    Notes
    -----
    Rust et al. 2021 (arXiv:2012.15613) call tokens per word fertility, and one minus the share of words held whole the
    proportion of continued words.
    """
    vocabulary = _open_vocabulary(tokenizer)
    encoder, unknown = vocabulary.encoder, vocabulary.unknown
    loaded = [load_text(text, {}) for text in texts]
    token_ids = [item.ids for item in encoder.encode_batch(loaded, add_special_tokens=False)]
    counts = np.asarray([(0 if unknown is None else ids.count(unknown), len(ids)) for ids in token_ids]).reshape(-1, 2)
    n_unknown, n_pieces = (int(n) for n in counts.sum(axis=0))
    words = Counter(word for text in loaded for word in find_words(text))
    script = find_main_script(words.elements())
    n_words, n_whole = _count_whole_words(words, encoder, unknown)
    return VocabularyCoverage(
        unknown_share=n_unknown / max(n_pieces, 1),
        pieces_per_word=n_pieces / max(sum(len(text.split()) for text in texts), 1),
        counts=counts,
        n_words=n_words,
        known_words_share=n_whole / max(n_words, 1),
        script=script,
        knows_script=not script or vocabulary.knows_script(script),
    )


def judge_language(
    coverage: VocabularyCoverage, is_multilingual: bool = False
) -> tuple[LanguageKnowledge, LanguageSign]:
    """Return whether a vocabulary knows the language of the texts, and by which sign that is seen.

    Parameters
    ----------
    coverage : VocabularyCoverage
    is_multilingual : bool
        Whether several languages share the vocabulary; it holds fewer words of each whole.

    Examples
    --------
    >>> judge_language(VocabularyCoverage(n_words=900, known_words_share=0.92, script="Latin"))
    ('known', 'words')
    >>> judge_language(VocabularyCoverage(n_words=900, known_words_share=0.1, script="Latin"))
    ('unknown', 'words')
    >>> judge_language(VocabularyCoverage(n_words=3, script="Arabic", knows_script=False))
    ('unknown', 'script')
    """
    if not coverage.knows_script:
        return "unknown", "script"
    if coverage.unknown_share >= SETTINGS.most_unknown_tokens:
        return "unknown", "tokens"
    if coverage.n_words < SETTINGS.few_words:
        return "unclear", "few-words"
    known, unknown = (
        (SETTINGS.multilingual_known_share, SETTINGS.multilingual_unknown_share)
        if is_multilingual
        else (SETTINGS.known_words_share, SETTINGS.unknown_words_share)
    )
    if coverage.known_words_share < unknown:
        return "unknown", "words"
    if coverage.unknown_share >= SETTINGS.some_unknown_tokens:
        return "unclear", "tokens"
    return ("known" if coverage.known_words_share >= known else "unclear"), "words"


def make_fit(name: str, coverage: VocabularyCoverage, n_languages: int) -> VocabularyFit:
    """Return the record of how well a vocabulary fits the texts.

    Parameters
    ----------
    name : str
        Of the base.
    coverage : VocabularyCoverage
    n_languages : int
        That the base was trained on; 0 where that is not known.
    """
    knowledge, sign = judge_language(coverage, n_languages != 1)
    return VocabularyFit(
        base=name,
        knowledge=knowledge,
        sign=sign,
        known_words_share=coverage.known_words_share,
        n_words=coverage.n_words,
        unknown_share=coverage.unknown_share,
        pieces_per_word=coverage.pieces_per_word,
        script=coverage.script,
    )


class _Vocabulary:
    """An opened tokenizer, and what is asked of it again and again: a large one takes a second to open."""

    def __init__(self, tokenizer: str) -> None:
        document = json.loads(tokenizer)
        self.encoder = parse_tokenizer(tokenizer, "The base model's tokenizer.json")
        self.unknown = _find_unknown_id(document.get("model", {}), self.encoder)
        self.has_bytes = "ByteLevel" in json.dumps([document.get("pre_tokenizer"), document.get("decoder")])
        self._known_scripts: dict[str, bool] = {}

    def knows_script(self, script: str) -> bool:
        """Return whether many tokens have two or more letters in this script; True where tokens are bytes."""
        if self.has_bytes:
            return True
        if script not in self._known_scripts:
            tokens = (token for token in self.encoder.get_vocab(False) if script == LATIN or not token.isascii())
            known = (token for token in tokens if sum(name_script(character) == script for character in token) >= 2)
            n_known = len(list(islice(known, SETTINGS.known_script_tokens)))
            self._known_scripts[script] = n_known == SETTINGS.known_script_tokens
        return self._known_scripts[script]


@lru_cache(maxsize=1)
def _open_vocabulary(tokenizer: str) -> _Vocabulary:
    """Open a tokenizer; the last one stays open, as it is asked for each language of the texts."""
    return _Vocabulary(tokenizer)


def _find_unknown_id(model: Mapping[str, Any], encoder: Tokenizer) -> int | None:
    number, token = model.get("unk_id"), model.get("unk_token")
    token_id = encoder.token_to_id(token) if number is None and token is not None else number
    return None if token_id is None else int(token_id)


def _count_whole_words(words: Mapping[str, int], encoder: Tokenizer, unknown: int | None) -> tuple[int, int]:
    """Count the words that tell the language, and those of them that are one token; a word stands after a space."""
    telling = [word for word in words if len(word) >= SETTINGS.judged_letters or name_script(word[0]) != LATIN]
    encodings = encoder.encode_batch([f" {word}" for word in telling], add_special_tokens=False)
    whole = [
        word for word, item in zip(telling, encodings, strict=True) if len(item.ids) == 1 and item.ids[0] != unknown
    ]
    return sum(words[word] for word in telling), sum(words[word] for word in whole)
