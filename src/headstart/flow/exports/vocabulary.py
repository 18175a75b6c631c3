"""Which pieces of a vocabulary a bundle keeps: those of its texts, single characters, and those of their language."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from math import log

from headstart.bases import BaseParts, assemble_backbone
from headstart.bases.pruned_vocabulary import Vocabulary, read_vocabulary
from headstart.flow.exports.letter_trigrams import LetterTrigrams
from headstart.flow.exports.settings import SETTINGS
from headstart.modalities import MODALITIES
from headstart.records import Table

SIGNS = ""
"""The script of pieces without letters: numbers, punctuation, emoji."""
_NO_SCRIPT = ("COMBINING", "MODIFIER", "VARIATION")


@lru_cache(maxsize=65_536)
def name_script_of_character(character: str) -> str:
    """Return the script of a letter or of a mark at a letter, by the first word of its Unicode name; else "".

    Examples
    --------
    >>> [name_script_of_character(one) for one in ("a", "\u12b0", "\u093e", "3", "\u0301")]
    ['LATIN', 'ETHIOPIC', 'DEVANAGARI', '', '']
    """
    if unicodedata.category(character)[0] not in "LM":
        return SIGNS
    script = unicodedata.name(character, SIGNS).split(" ")[0]
    return SIGNS if script in _NO_SCRIPT else script


def name_script_of_piece(piece: str) -> str:
    """Return the script of the first letter of a piece; "" where it has none."""
    return next(filter(None, map(name_script_of_character, piece)), SIGNS)


@dataclass(frozen=True)
class UsedPieces:
    """What texts are cut into.

    Parameters
    ----------
    counts : counter of int
        Of the pieces, by id.
    words : counter of str
        Of the words that the pieces make, each after a space; without special tokens and prefix.
    """

    counts: Counter[int]
    words: Counter[str]


def count_used_pieces(parts: BaseParts, tables: Sequence[Table]) -> UsedPieces:
    """Count the pieces that texts are cut into, and the words that these make.

    Parameters
    ----------
    parts : BaseParts
    tables : sequence of Table
        Of texts.
    """
    spec, modality = assemble_backbone(parts).spec, MODALITIES[parts.record.modality]
    vocabulary = read_vocabulary(parts)
    counts, words = Counter[int](), Counter[str]()
    for table in tables:
        for source in table.inputs:
            places = modality.prepare(modality.load(source, spec), spec)[0].tolist()
            counts.update(places)
            text = "".join(_write_piece(vocabulary, place) for place in places if place not in vocabulary.fixed)
            words.update(f" {word}" for word in text.split())
    return UsedPieces(counts, words)


def choose_pieces(vocabulary: Vocabulary, used: UsedPieces, n_pieces: int) -> set[int]:
    """Return ids of the pieces to keep: those of the texts, single characters, and the likeliest others.

    Parameters
    ----------
    vocabulary : Vocabulary
    used : UsedPieces
    n_pieces : int
        How many to keep in all, if the texts and the single characters do not need more.
    """
    scripts = {place: name_script_of_piece(piece) for place, piece in vocabulary.pieces.items()}
    n_used = Counter[str]()
    for place, count in used.counts.items():
        n_used[scripts.get(place, SIGNS)] += count
    least = SETTINGS.min_script_share * max(1, n_used.total())
    present = {SIGNS, *(script for script, count in n_used.items() if count >= least)}
    characters = defaultdict[str, set[int]](set)
    for place, piece in vocabulary.pieces.items():
        if len(piece) <= 1:
            characters[scripts[place]].add(place)
    chosen = vocabulary.fixed | (used.counts.keys() & vocabulary.pieces.keys())
    for script, places in characters.items():
        if script in present or len(places) <= SETTINGS.max_foreign_characters:
            chosen |= places
    others = (place for place in rank_pieces(vocabulary, used.words) if place not in chosen)
    likely = (place for place in others if scripts[place] in present)
    return {*chosen, *islice(likely, max(0, n_pieces - len(chosen)))}


def rank_pieces(vocabulary: Vocabulary, words: Mapping[str, int]) -> list[int]:
    """Return ids of pieces, those first that other texts of the language need most likely.

    A piece counts as likely by the product of two probabilities: that of its letters in the words of the texts, and
    that of the piece in the base's own texts (by its rank, as Zipf's law has it).

    Parameters
    ----------
    vocabulary : Vocabulary
    words : mapping of str to int
        How often each word occurs, each after a space.
    """
    language = LetterTrigrams(words)
    scores = {
        place: language.score(_write_piece(vocabulary, place)) - log(rank)
        for rank, place in enumerate(vocabulary.ranked, start=1)
    }
    return sorted(scores, key=lambda place: -scores[place])


def _write_piece(vocabulary: Vocabulary, place: int) -> str:
    """Return a piece as it stands in a text: after a space where it begins a word."""
    return (" " if place in vocabulary.starts else "") + vocabulary.pieces.get(place, "")
