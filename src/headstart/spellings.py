"""One comparison of names that people write: labels, classes, grades. Nothing is read and nothing is decided here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_DECIMALS = re.compile(r"(-?\d+)\.(\d*?)0*")
_WORDS = {"true": "1", "false": "0"}


def fold(label: str) -> str:
    """Return a label so that spellings of one label are equal: letter case, spaces, Unicode form and "1.0" for "1".

    Examples
    --------
    >>> fold("maize  Rust ") == fold("Maize rust"), fold("1.0"), fold("2.50"), fold("007")
    (True, '1', '2.5', '007')
    """
    folded = "".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", label).casefold()).split())
    decimals = _DECIMALS.fullmatch(folded)
    return folded if decimals is None else f"{decimals[1]}.{decimals[2]}".removesuffix(".")


def plain(label: str) -> str:
    """Return a label without what no reader can see, and as one program or the other writes the same value.

    Unicode form, blanks around it, TRUE for true, 1.0 for 1.

    Examples
    --------
    >>> plain(" Santé "), plain("TRUE"), plain("True"), plain("1.0"), plain("Water")
    ('Santé', 'true', 'true', '1', 'Water')
    """
    text = " ".join(unicodedata.normalize("NFC", label).split())
    folded = fold(text)
    return folded if folded in _WORDS or _DECIMALS.fullmatch(text) else text


@dataclass(frozen=True)
class Matches:
    """Names held against known ones.

    Parameters
    ----------
    renamed : mapping of str to str
        Names that are a known one in another spelling, and that one.
    similar : mapping of str to str
        Names that would be a known one, were spellings merged.
    unknown : tuple of str
        Names like none that is known.
    """

    renamed: Mapping[str, str] = field(default_factory=dict)
    similar: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


def match_names(names: Iterable[str], known: Sequence[str], merge: bool) -> Matches:
    """Find known names in other spellings.

    Parameters
    ----------
    names : iterable of str
    known : sequence of str
    merge : bool
        Whether a name in another letter case or with other blanks is the known one; what no reader can see never
        makes two names.

    Examples
    --------
    >>> match_names(["a", "B ", "b", "c"], ["a", "B"], merge=False)
    Matches(renamed={'B ': 'B'}, similar={'b': 'B'}, unknown=('c',))
    """
    there, fresh = set(known), list(dict.fromkeys(names))
    fresh = [name for name in fresh if name not in there]
    renamed, similar, strange = {}, {}, []
    by_plain, by_fold = _by(known, plain), _by(known, fold)
    truths = _truths(fresh, known)
    for name in fresh:
        same = by_plain.get(plain(name)) or truths.get(fold(name))
        close = same or by_fold.get(fold(name))
        if same or (close and merge):
            renamed[name] = str(close)
        elif close:
            similar[name] = close
        else:
            strange.append(name)
    return Matches(renamed, similar, tuple(strange))


def _by(known: Sequence[str], write: Callable[[str], str]) -> dict[str, str]:
    """Return known names by how `write` writes them, where that is one of them only."""
    made: dict[str, str] = {}
    double = set()
    for name in known:
        key = write(name)
        if key in made:
            double.add(key)
        made[key] = name
    return {key: name for key, name in made.items() if key not in double}


def _truths(names: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """Match true and false with 1 and 0, where each side has nothing else."""
    sides = [{fold(name) for name in side} for side in (names, known)]
    words, numbers = set(_WORDS), set(_WORDS.values())
    if not (sides[0] <= words and sides[1] <= numbers) and not (sides[0] <= numbers and sides[1] <= words):
        return {}
    pairs = {**_WORDS, **{number: word for word, number in _WORDS.items()}}
    written = _by(known, fold)
    return {side: written[pairs[side]] for side in sides[0] if pairs[side] in written}
