"""Encoding of a text file that is neither Unicode nor named: a guess with a confidence."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from charset_normalizer import CharsetMatch, from_bytes

from headstart.data.reading.table_limits import LIMITS
from headstart.errors import DataError

_OTHER_SCRIPTS = (
    "cp1251", "cp1253", "cp1255", "cp1256", "cp874", "koi8_r", "koi8_u", "cp866", "cp932", "euc_jp", "gb18030", "big5",
    "cp949",
)  # fmt: skip
_LATIN_HANDICAPS = {
    "cp1252": 0.0, "mac_roman": 0.02, "cp1250": 0.02, "cp1254": 0.02, "cp1257": 0.03, "iso8859_2": 0.03, "cp850": 0.05,
    "cp437": 0.05,
}  # fmt: skip
"""Encodings of Latin letters, with how much better than others the rarer ones have to fit."""
_NAMES = {
    "cp1250": "Windows-1250", "cp1251": "Windows-1251", "cp1252": "Windows-1252", "cp1253": "Windows-1253",
    "cp1254": "Windows-1254", "cp1255": "Windows-1255", "cp1256": "Windows-1256", "cp1257": "Windows-1257",
    "cp874": "Windows-874", "cp932": "Shift-JIS", "cp949": "EUC-KR", "gb18030": "GB18030", "big5": "Big5",
    "mac_roman": "Mac Roman", "koi8_r": "KOI8-R", "koi8_u": "KOI8-U", "iso8859_2": "ISO 8859-2", "cp850": "DOS 850",
    "cp437": "DOS 437", "cp866": "DOS 866", "euc_jp": "EUC-JP",
}  # fmt: skip
_ALPHABETS = {
    "French": "àâæçéèêëîïôœùûüÿ", "German": "äöüß", "Spanish": "áéíóúüñ", "Portuguese": "ãõáâàéêíóôúüç",
    "Italian": "àèéìíòóùú", "Scandinavian": "åäöæøé", "Icelandic": "áéíóúýðþæö", "Dutch": "éèëïöüó",
    "Catalan": "àèéíïòóúüç", "Czech or Slovak": "áčďéěíľňóôřšťúůýžä", "Polish": "ąćęłńóśźż",
    "Hungarian": "áéíóöőúüű", "Croatian or Slovene": "čćđšž", "Romanian": "ăâîșşțţ", "Turkish": "çğıöşüİâîû",
    "Baltic": "ąčęėįšųūžāēģīķļņāōŗõäöü", "Albanian": "çë",
}  # fmt: skip
"""The letters outside ASCII of languages in Latin letters: a text in one of them has no others, but for a few names."""
_SIGNS = frozenset("–—‘’“”„…€£°ºª«»¿¡·•§©®™\u00a0×÷½¼¾²³±´¨‚‹›")


@dataclass(frozen=True)
class EncodingGuess:
    """An encoding that a file may be in; `confidence` (0 to 1) says how much better it fits than any other."""

    encoding: str
    language: str
    confidence: float
    rivals: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The encoding's name, as people know it."""
        return describe_encoding(self.encoding)


def describe_encoding(encoding: str) -> str:
    """Return the name of an encoding as people know it.

    Examples
    --------
    >>> describe_encoding("cp1251"), describe_encoding("utf-16-le")
    ('Windows-1251', 'utf-16-le')
    """
    return _NAMES.get(encoding, encoding)


def guess_encoding(sample: bytes) -> EncodingGuess | None:
    """Guess the encoding of a text that is not Unicode.

    Parameters
    ----------
    sample : bytes
        Whole lines.

    Returns
    -------
    EncodingGuess or None
        None where nothing fits.

    Notes
    -----
    charset-normalizer knows texts in other than Latin letters well. Latin letters it mixes up: there, what counts is
    how many of the letters outside ASCII belong to one language.

    Examples
    --------
    >>> guess_encoding("l'été à côté du marché fermé".encode("mac_roman")).name
    'Mac Roman'
    """
    return _guess_other_scripts(sample) or _guess_latin(sample)


def _guess_other_scripts(sample: bytes) -> EncodingGuess | None:
    matches = [match for match in from_bytes(sample, cp_isolation=list(_OTHER_SCRIPTS)) if _is_script(str(match))]
    if not matches:
        return None
    best, others = matches[0], matches[1:]
    rivals = tuple(describe_encoding(match.encoding) for match in others if _is_as_good(match, best))
    return EncodingGuess(best.encoding, _find_script(str(best)), 0.5 if rivals else 1.0 - best.chaos, rivals)


def _find_script(text: str) -> str:
    """Return the script of most letters outside ASCII: "Cyrillic", "Arabic", "Cjk"."""
    letters = re.findall(r"[^\W\d_a-zA-Z]", text[:10_000])
    names = Counter(unicodedata.name(letter, "").partition(" ")[0] for letter in letters)
    return names.most_common(1)[0][0].replace("-", " ").split()[0].capitalize().replace("Cjk", "Chinese")


def _is_as_good(match: CharsetMatch, best: CharsetMatch) -> bool:
    return match.chaos <= best.chaos + 0.01 and match.coherence >= best.coherence - 0.1 and str(match) != str(best)


def _is_script(text: str) -> bool:
    """Return whether a text is mostly in letters other than Latin ones, not mixed within words, and in no odd forms."""
    letters = re.findall(r"[^\W\d_a-zA-Z]", text)
    other_letters = [letter for letter in letters if not unicodedata.name(letter, "LATIN").startswith("LATIN")]
    n_odd = sum("\uff61" <= letter <= "\uff9f" or unicodedata.category(letter) == "Co" for letter in letters)
    n_signs = sum(ord(character) > 127 and not character.isalnum() and character not in _SIGNS for character in text)
    words = [word for word in re.findall(r"[^\W\d_]+", text) if not word.isascii()]
    n_mixed = sum(bool(re.search(r"[a-zA-Z]", word)) for word in words)
    if not other_letters or len(other_letters) < 0.8 * len(letters) or n_odd > 0.2 * len(letters):
        return False
    return n_mixed <= 0.1 * len(words) and n_signs <= 0.3 * len(letters) + 3


@dataclass(frozen=True)
class _LatinFit:
    """A text decoded by one encoding, the language that fits it best, and the share of characters that it explains.

    `fit` is that share, less the handicap of a rare encoding.
    """

    encoding: str
    text: str
    language: str
    share: float

    @property
    def fit(self) -> float:
        return self.share - _LATIN_HANDICAPS[self.encoding]


def _guess_latin(sample: bytes) -> EncodingGuess | None:
    candidates: list[_LatinFit] = []
    for encoding in _LATIN_HANDICAPS:
        try:
            text = sample.decode(encoding)
        except UnicodeDecodeError:
            continue
        candidates.append(_LatinFit(encoding, text, *_find_best_language(text)))
    if not candidates:
        return None
    best = max(candidates, key=lambda candidate: candidate.fit)
    others = [candidate for candidate in candidates if candidate.text != best.text]
    rivals = [candidate for candidate in others if candidate.fit > best.fit - 0.02]
    lead = best.fit - max((candidate.fit for candidate in others), default=0.0)
    confidence = 0.5 if rivals else min(1.0, best.share) * min(1.0, 0.7 + lead)
    names = tuple(describe_encoding(candidate.encoding) for candidate in rivals)
    return EncodingGuess(best.encoding, best.language, confidence, names)


def _find_best_language(text: str) -> tuple[str, float]:
    """Return the language that explains most characters outside ASCII, and their share."""
    non_ascii = re.findall(r"[^\x00-\x7f]", text)
    n_odd_capitals = sum(character.isupper() for character in re.findall(r"(?<=[a-z])[^\x00-\x7f]", text))
    inner_characters = re.findall(r"(?<=[a-z])[^\x00-\x7f](?=[a-z])", text)
    n_odd_signs = sum(character in _SIGNS and character not in "’·" for character in inner_characters)
    if not non_ascii:
        return "", 1.0
    n_signs = sum(character in _SIGNS for character in non_ascii)
    letters = [character.lower() for character in non_ascii if character not in _SIGNS]
    shares = {
        language: (sum(letter in alphabet for letter in letters) + n_signs - n_odd_capitals - n_odd_signs)
        / len(non_ascii)
        for language, alphabet in _ALPHABETS.items()
    }
    best_language = max(shares, key=lambda language: shares[language])
    return best_language if letters else "", shares[best_language]


def read_sample(path: Path) -> bytes:
    """Return the lines of a file that hold bytes outside ASCII, as many as a guess needs.

    Parameters
    ----------
    path : Path
    """
    lines, n_bytes = [], 0
    with path.open("rb") as handle:
        while n_bytes < LIMITS.encoding_sample_bytes and (line := handle.readline(LIMITS.encoding_sample_bytes)):
            if not line.isascii():
                lines.append(line)
                n_bytes += len(line)
    return b"".join(lines)


def require_clear_encoding(path: Path, guess: EncodingGuess | None, sample: bytes) -> EncodingGuess:
    """Return a guess that can be relied on, or that spoils little if it is wrong.

    Parameters
    ----------
    path : Path
        For messages.
    guess : EncodingGuess, optional
        None where no encoding fits.
    sample : bytes
        Lines that the guess was made from.

    Raises
    ------
    DataError
        The encoding cannot be known.
    """
    save = "Name it with --encoding NAME, or save the file as UTF-8."
    if guess is None:
        raise DataError(f"{path}: it is not UTF-8: the encoding has to be named (--encoding).", save)
    if guess.confidence < LIMITS.doubtful_confidence and _spoils_much(sample, guess.encoding):
        names = " or ".join(dict.fromkeys((guess.name, *guess.rivals[:2])))
        raise DataError(f"{path}: it is not UTF-8 and may be {names}: the encoding has to be named (--encoding).", save)
    return guess


def _spoils_much(sample: bytes, encoding: str) -> bool:
    text = sample.decode(encoding, "replace")
    letters: Sequence[str] = re.findall(r"[^\x00-\x7f]", text)
    return sum(letter.isalpha() for letter in letters) > max(2, LIMITS.few_characters_share * len(text))
