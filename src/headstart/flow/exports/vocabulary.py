"""Which pieces of a vocabulary a bundle keeps: those of its texts, the base's most frequent ones, single characters."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache

from headstart.bases import BaseParts, assemble_backbone
from headstart.bases.pruned_vocabulary import Vocabulary
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


def count_used_pieces(parts: BaseParts, tables: Sequence[Table]) -> Counter[int]:
    """Count the pieces that texts are cut into, by id.

    Parameters
    ----------
    parts : BaseParts
    tables : sequence of Table
        Of texts.
    """
    spec, modality = assemble_backbone(parts).spec, MODALITIES[parts.record.modality]
    counts: Counter[int] = Counter()
    for table in tables:
        for source in table.inputs:
            counts.update(modality.prepare(modality.load(source, spec), spec)[0].tolist())
    return counts


def choose_pieces(vocabulary: Vocabulary, used: Counter[int], n_frequent: int) -> set[int]:
    """Return ids of the pieces to keep.

    Parameters
    ----------
    vocabulary : Vocabulary
    used : counter of ids
        Of the pieces of the texts.
    n_frequent : int
        The base's most frequent pieces that are kept of each script in use; a quarter of that of numbers and signs.
    """
    scripts = {place: name_script_of_piece(piece) for place, piece in vocabulary.pieces.items()}
    n_used = Counter[str]()
    for place, count in used.items():
        n_used[scripts.get(place, SIGNS)] += count
    least = SETTINGS.min_script_share * max(1, n_used.total())
    present = {script for script, count in n_used.items() if count >= least}
    room = Counter(dict.fromkeys(present, n_frequent))
    room[SIGNS] = n_frequent // 4
    chosen = set(used)
    for place in vocabulary.ranked:
        if room[scripts[place]] > 0:
            room[scripts[place]] -= 1
            chosen.add(place)
    characters = defaultdict[str, set[int]](set)
    for place, piece in vocabulary.pieces.items():
        if len(piece) <= 1:
            characters[scripts[place]].add(place)
    for script, places in characters.items():
        if script in present or len(places) <= SETTINGS.max_foreign_characters:
            chosen |= places
    return chosen & vocabulary.pieces.keys()
