"""What a model that is passed on holds of the rows of its owner, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from headstart.report.messages import translate, translate_count

_WORDS: Mapping[str, Callable[[int], str]] = {
    "thumbnails": lambda n: translate_count(
        "{n} small copy of your own inputs, which you asked for (--thumbnails)",
        "{n} small copies of your own inputs, which you asked for (--thumbnails)",
        n,
    ),
    "row-names": lambda n: translate_count(
        "the name of {n} input: this model was made by an older version, adapt again to be rid of it",
        "the names of {n} inputs: this model was made by an older version, adapt again to be rid of them",
        n,
    ),
    "prepared-rows": lambda n: translate_count(
        "{n} of your inputs as numbers: this model was made by an older version, adapt again to be rid of it",
        "{n} of your inputs as numbers: this model was made by an older version, adapt again to be rid of them",
        n,
    ),
    "words": lambda n: translate_count(
        "{n} word or part of a word of your texts, rare ones too: names and phone numbers may be among them",
        "{n} words and parts of words of your texts, rare ones too: names and phone numbers may be among them",
        n,
    ),
    "features": lambda n: translate_count(
        "{n} input as features (numbers that show how alike two inputs are)",
        "{n} inputs as features (numbers that show how alike two inputs are)",
        n,
    ),
    "looks": lambda n: translate_count(
        "256 bits of how {n} photo looks", "256 bits of how each of {n} photos looks", n
    ),
    "hashes": lambda n: translate_count(
        "a short hash of {n} input: whoever has the very same file can tell that it was used",
        "short hashes of {n} inputs: whoever has the very same file can tell that it was used",
        n,
    ),
    "names": lambda n: translate("the names of your answers and of the columns that were used"),
}


def describe_data_inside(counts: Mapping[str, int]) -> list[str]:
    """Return what is inside, one clause each; nothing of which is an input itself, but for what an owner asked for.

    Parameters
    ----------
    counts : mapping of str to int
        How many by code (see `headstart.flow.exports.data_inside`).
    """
    return [_WORDS[code](n) for code, n in counts.items() if code in _WORDS]
