"""The one comparison of names that people write: labels, classes, grades. Nothing is read or decided here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_DECIMALS = re.compile(r"(-?\d+)\.(\d*?)0*")
_WORDS = {"true": "1", "false": "0"}


def fold_label(label: str) -> str:
    """Return a label so that spellings of one label are equal: letter case, spaces, Unicode form and "1.0" for "1".

    Parameters
    ----------
    label : str

    Examples
    --------
    >>> fold_label("maize  Rust ") == fold_label("Maize rust"), fold_label("1.0"), fold_label("2.50"), fold_label("007")
    (True, '1', '2.5', '007')
    """
    folded = "".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", label).casefold()).split())
    decimals = _DECIMALS.fullmatch(folded)
    return folded if decimals is None else f"{decimals[1]}.{decimals[2]}".removesuffix(".")


def normalise_label(label: str) -> str:
    """Return a label without what no reader can see, and as one program or the other writes the same value.

    Unicode form, blanks around it, TRUE for true, 1.0 for 1.

    Parameters
    ----------
    label : str

    Examples
    --------
    >>> [normalise_label(text) for text in (" Santé ", "TRUE", "True", "1.0", "Water")]
    ['Santé', 'true', 'true', '1', 'Water']
    """
    text = " ".join(unicodedata.normalize("NFC", label).split())
    folded = fold_label(text)
    return folded if folded in _WORDS or _DECIMALS.fullmatch(text) else text


@dataclass(frozen=True)
class NameMatches:
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


def match_names(names: Iterable[str], known: Sequence[str], merge: bool) -> NameMatches:
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
    NameMatches(renamed={'B ': 'B'}, similar={'b': 'B'}, unknown=('c',))
    """
    known_names, new_names = set(known), list(dict.fromkeys(names))
    new_names = [name for name in new_names if name not in known_names]
    renamed, similar, unknown_names = {}, {}, []
    by_plain, by_fold = _index_names(known, normalise_label), _index_names(known, fold_label)
    truths = _match_truth_values(new_names, known)
    for name in new_names:
        same = by_plain.get(normalise_label(name)) or truths.get(fold_label(name))
        close = same or by_fold.get(fold_label(name))
        if same or (close and merge):
            renamed[name] = str(close)
        elif close:
            similar[name] = close
        else:
            unknown_names.append(name)
    return NameMatches(renamed, similar, tuple(unknown_names))


def _index_names(known: Sequence[str], write: Callable[[str], str]) -> dict[str, str]:
    """Return known names by how `write` writes them, where that is one of them only."""
    names_by_key: dict[str, str] = {}
    double = set()
    for name in known:
        key = write(name)
        if key in names_by_key:
            double.add(key)
        names_by_key[key] = name
    return {key: name for key, name in names_by_key.items() if key not in double}


def _match_truth_values(names: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """Match true and false with 1 and 0, where each side has nothing else."""
    sides = [{fold_label(name) for name in side} for side in (names, known)]
    words, numbers = set(_WORDS), set(_WORDS.values())
    if not (sides[0] <= words and sides[1] <= numbers) and not (sides[0] <= numbers and sides[1] <= words):
        return {}
    pairs = {**_WORDS, **{number: word for word, number in _WORDS.items()}}
    written = _index_names(known, fold_label)
    return {side: written[pairs[side]] for side in sides[0] if pairs[side] in written}
