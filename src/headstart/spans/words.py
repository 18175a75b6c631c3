"""Words of a text as offsets: runs of letters, marks and digits; every other sign is a word of its own.

Splitting more finely never hides where a span begins or ends, so nothing is joined: no apostrophe, no hyphen.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_JOINERS = "\u200c\u200d"
"""Without a width of their own; scripts need them inside words."""
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")
"""Beginnings of the names of signs of scripts that are written without spaces: each sign is a word."""
LETTER, MARK, SIGN, SPACE, ALONE = "letter", "mark", "sign", "space", "alone"


@lru_cache(maxsize=65_536)
def _classify(character: str) -> str:
    category = unicodedata.category(character)
    if character in _JOINERS or category in ("Mn", "Mc", "Me"):
        return MARK
    if category[0] in "LN":
        return ALONE if unicodedata.name(character, "").startswith(_UNSPACED) else LETTER
    return SPACE if category[0] in "ZC" else SIGN


def find_words(text: str) -> tuple[tuple[int, int], ...]:
    r"""Return the offsets of the words of a text, in code points.

    Parameters
    ----------
    text : str
        Of any script and length; it is not changed or normalised.

    Examples
    --------
    >>> text = "Ìbàdàn, 3km"
    >>> [text[start:end] for start, end in find_words(text)]
    ['Ìbàdàn', ',', '3km']
    """
    words: list[tuple[int, int]] = []
    start = -1
    for place, character in enumerate(text):
        kind = _classify(character)
        if kind == LETTER:
            start = place if start < 0 else start
            continue
        if kind == MARK:
            if start < 0 and words and words[-1][1] == place:  # A mark on a sign that stands alone.
                words[-1] = (words[-1][0], place + 1)
            else:
                start = place if start < 0 else start
            continue
        if start >= 0:
            words.append((start, place))
            start = -1
        if kind in (SIGN, ALONE):
            words.append((place, place + 1))
    if start >= 0:
        words.append((start, len(text)))
    return tuple(words)
