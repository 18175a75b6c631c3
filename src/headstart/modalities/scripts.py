"""In which script a letter is written, and what a word is in any of them; from the Unicode database alone."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

_MARKS = "".join(character for character in map(chr, range(0x300, 0x3100)) if unicodedata.category(character)[0] == "M")
_WORD = re.compile(f"[^\\W\\d_](?:[^\\W\\d_]|[{_MARKS}\u200c\u200d])*")
"""Letters with their marks: vowel signs, tones, and the joiners that some scripts need inside a word."""


@lru_cache(maxsize=65_536)
def name_script(character: str) -> str:
    """Return the script of a letter, by the first word of its Unicode name; empty for what is no letter.

    Parameters
    ----------
    character : str
        One character.

    Examples
    --------
    >>> name_script("a"), name_script("ሰ"), name_script("ص"), name_script("3")
    ('Latin', 'Ethiopic', 'Arabic', '')
    """
    return unicodedata.name(character, "").split(" ")[0].capitalize() if character.isalpha() else ""


def find_words(text: str) -> list[str]:
    """Return the words of a text: runs of letters; numbers, signs and emoji are none.

    Parameters
    ----------
    text : str
        In Unicode NFC, as `headstart.modalities.text.load_text` gives it.

    Examples
    --------
    >>> find_words("Ọ̀rẹ́ mi, 3 km!"), find_words("हिन्दी में"), find_words("🙂 12")
    (['Ọ̀rẹ́', 'mi', 'km'], ['हिन्दी', 'में'], [])
    """
    return _WORD.findall(text)


def find_main_script(words: Iterable[str]) -> str:
    """Return the script of most letters; empty without letters.

    Parameters
    ----------
    words : iterable of str

    Examples
    --------
    >>> find_main_script(["ሰላም", "OK"]), find_main_script([])
    ('Ethiopic', '')
    """
    counts = Counter(script for word in words for character in word if (script := name_script(character)))
    return counts.most_common(1)[0][0] if counts else ""
