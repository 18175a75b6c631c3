"""Counterfactual pairs: the same row, changed in a way that should not change the answer.

What is changed, and how much, stands in two files that anyone can edit: `pairs/edits.json` (every modality) and
`pairs/swaps.csv` (word pairs for texts; a file of the user's takes its place). Nothing here knows a model or a label.
"""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from headstart.errors import OptionError, list_offenders
from headstart.modalities.record import Modality

FOLDER = Path(__file__).with_name("pairs")
COLUMNS = ("language", "kind", "match", "from", "to")
KINDS, MATCHES = ("name", "gender", "spelling"), ("word", "letters")
ANY = "any"
"""Language of pairs that are swapped in texts of every language."""

Change = Callable[[Any, np.random.Generator], Any]
"""(what `Modality.load` gave, generator) -> the same kind of thing, or None where there is nothing to change."""


@dataclass(frozen=True)
class Edit:
    """Change of a row.

    Parameters
    ----------
    name : str
        Permanent, kebab-case.
    description : str
        What is done to the rows, as the end of "test rows were ...".
    change : Change
    is_quick : bool
        Whether it is part of a quick audit.
    """

    name: str
    description: str
    change: Change
    is_quick: bool


@dataclass(frozen=True, kw_only=True)
class WordPair:
    """Two words (or letters) that are swapped: words in both directions, letters from the first to the second."""

    language: str
    kind: str
    match: str
    source: str
    target: str


def list_edits(modality: Modality, inputs: Sequence[Any] = (), swaps: Path | None = None) -> tuple[Edit, ...]:
    """Return the ways to change rows of a modality.

    Parameters
    ----------
    modality : Modality
    inputs : sequence
        The rows; of texts, the language whose words occur most is found in them (the first 2,000).
    swaps : Path or None
        Word pairs in place of the built-in ones.

    Raises
    ------
    OptionError
        If the file of word pairs cannot be read.
    """
    listed = json.loads((FOLDER / "edits.json").read_text("utf-8")).get(modality.name, ())
    changes = dict(modality.changes)
    if modality.has_words:
        pairs = read_pairs(swaps or FOLDER / "swaps.csv")
        language = find_language([str(text) for text in inputs[:2_000]], pairs)
        chosen = [pair for pair in pairs if pair.language in (language, ANY)]
        changes |= {kind: _make_swap([pair for pair in chosen if pair.kind == kind]) for kind in KINDS}
    return tuple(
        Edit(item["name"], item["says"], partial(changes[item["edit"]], item["amount"]), bool(item["quick"]))
        for item in listed
    )


def read_pairs(path: Path) -> list[WordPair]:
    """Read a table of word pairs with the columns language, kind, match, from, to.

    Raises
    ------
    OptionError
        With all bad lines at once (at most five named).
    """
    try:
        lines = list(csv.DictReader(StringIO(path.read_text("utf-8-sig")), restval="", restkey="more"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise OptionError(f"--swaps {path} cannot be read ({error}).", "Give a CSV file in UTF-8.") from error
    lacking = [name for name in COLUMNS if lines and name not in lines[0]]
    if not lines or lacking:
        problem = f"lacks the columns {', '.join(lacking)}" if lacking else "holds no pairs"
        raise OptionError(f"--swaps {path} {problem}.", f"Its first line must be {','.join(COLUMNS)}.")
    bad = [
        f"line {number}"
        for number, line in enumerate(lines, start=2)
        if line["kind"] not in KINDS or line["match"] not in MATCHES or not (line["from"] or "").strip()
        or not (line["to"] or "").strip() or not line["language"]
    ]  # fmt: skip
    if bad:
        raise OptionError(
            f"--swaps {path}: {len(bad)} lines cannot be used ({list_offenders(bad)}).",
            f"kind is {', '.join(KINDS)}; match is {' or '.join(MATCHES)}; from and to are words.",
        )
    return [_parse_pair({name: str(line[name]).strip() for name in COLUMNS}) for line in lines]


def _parse_pair(line: Mapping[str, str]) -> WordPair:
    return WordPair(
        language=line["language"], kind=line["kind"], match=line["match"], source=line["from"], target=line["to"]
    )


def find_language(texts: Sequence[str], pairs: Sequence[WordPair]) -> str:
    """Return the language whose words of the pairs occur in most texts; empty where none occurs.

    Examples
    --------
    >>> names = ("language", "kind", "match", "source", "target")
    >>> swaps = [("en", "gender", "word", "he", "she"), ("fr", "gender", "word", "il", "elle")]
    >>> known = [WordPair(**dict(zip(names, swap, strict=True))) for swap in swaps]
    >>> find_language(["Il pleut.", "Elle chante.", "He!"], known)
    'fr'
    """
    hits: dict[str, float] = {}
    for language in dict.fromkeys(pair.language for pair in pairs if pair.language != ANY):
        own_pairs = [pair for pair in pairs if pair.language == language]
        words = {side.casefold() for pair in own_pairs if pair.match == "word" for side in (pair.source, pair.target)}
        letters = {letter for pair in own_pairs if pair.match == "letters" for letter in pair.source}
        hits_by_text = [
            len(words & set(_WORD.findall(text.casefold()))) + (0.5 if letters & set(text) else 0) for text in texts
        ]
        hits[language] = float(sum(hits_by_text))
    best = max(hits, key=lambda name: hits[name], default="")
    return best if hits.get(best, 0) > 0 else ""


_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")


def _make_swap(pairs: Sequence[WordPair]) -> Callable[[float, str, np.random.Generator], str | None]:
    """Make a change that swaps all pairs at once, so that what was swapped is not swapped back."""
    words = {pair.source.casefold(): pair.target for pair in pairs if pair.match == "word"}
    for pair in pairs:
        if pair.match == "word":
            words.setdefault(pair.target.casefold(), pair.source)
    letters = str.maketrans(
        {pair.source: pair.target for pair in pairs if pair.match == "letters" and len(pair.source) == 1}
    )
    longest = sorted(words, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?!\w)", re.IGNORECASE) if words else None

    def swap_word(match: re.Match[str]) -> str:
        word, other = match[0], words.get(match[0].casefold(), match[0])
        if len(word) > 1 and word.isupper():
            return other.upper()
        return other[:1].upper() + other[1:] if word[:1].isupper() else other

    def change(amount: float, text: str, rng: np.random.Generator) -> str | None:
        swapped = pattern.sub(swap_word, text) if pattern else text
        swapped = swapped.translate(letters)
        return swapped if swapped != text else None

    return change


def strip_accents(text: str) -> str:
    """Remove accents, tone marks and vowel signs.

    Examples
    --------
    >>> strip_accents("Ọjọ́ café")
    'Ojo cafe'
    """
    decomposed = unicodedata.normalize("NFD", text)
    return unicodedata.normalize(
        "NFC", "".join(character for character in decomposed if not unicodedata.combining(character))
    )


def _make_rewrite(rewrite: Callable[[str], str]) -> Callable[[float, str, np.random.Generator], str | None]:
    def change(amount: float, text: str, rng: np.random.Generator) -> str | None:
        rewritten = rewrite(text)
        return rewritten if rewritten != text else None

    return change


def _change_warmth(amount: float, image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Raise red and lower blue by a share, or the other way round."""
    factors = (1 + amount, 1.0, 1 - amount)
    bands = (
        band.point(lambda value, factor=factor: min(255, round(value * factor)))
        for band, factor in zip(image.split(), factors, strict=True)
    )
    return Image.merge("RGB", tuple(bands))


def _crop(amount: float, image: Image.Image, rng: np.random.Generator) -> Image.Image:
    wide, high = image.size
    across, down = int(wide * amount), int(high * amount)
    return image.crop((across, down, max(across + 1, wide - across), max(down + 1, high - down)))


def _rotate(amount: float, image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Turn, with the mean colour in the corners."""
    mean = tuple(int(value) for value in np.asarray(image).reshape(-1, 3).mean(axis=0))
    return image.rotate(amount, Image.Resampling.BILINEAR, fillcolor=mean)


def _blur(amount: float, image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(max(0.6, amount * min(image.size))))


Series = NDArray[np.float32]


def _measure_spread(values: Series) -> NDArray[np.float64]:
    """Standard deviation of each channel (n_channels, 1), missing values left out."""
    is_known = np.isfinite(values)
    filled = np.where(is_known, values, 0.0).astype(np.float64)
    n = np.maximum(is_known.sum(axis=1, keepdims=True), 1)
    mean = filled.sum(axis=1, keepdims=True) / n
    return np.asarray(np.sqrt((np.square(filled - mean) * is_known).sum(axis=1, keepdims=True) / n))


def _change_gain(amount: float, values: Series, rng: np.random.Generator) -> Series:
    return np.asarray(values * np.float32(amount), dtype=np.float32)


def _add_offset(amount: float, values: Series, rng: np.random.Generator) -> Series:
    return np.asarray(values + amount * _measure_spread(values), dtype=np.float32)


def _drop_steps(amount: float, values: Series, rng: np.random.Generator) -> Series:
    dropped = values.copy()
    dropped[:, rng.random(values.shape[1]) < amount] = np.nan
    return dropped


def _jitter_steps(amount: float, values: Series, rng: np.random.Generator) -> Series:
    """Read each value up to `amount` steps too early or too late, by linear interpolation."""
    steps = np.arange(values.shape[1])
    at = np.clip(steps + rng.uniform(-amount, amount, len(steps)), 0, len(steps) - 1)
    return np.stack([np.interp(at, steps, channel) for channel in values]).astype(np.float32)


def _make_enhancement(kind: Any) -> Callable[[float, Image.Image, np.random.Generator], Image.Image]:
    return lambda amount, image, rng: kind(image).enhance(amount)


_Changes = Mapping[str, Callable[[float, Any, np.random.Generator], Any]]
IMAGE_CHANGES: _Changes = {
    "brightness": _make_enhancement(ImageEnhance.Brightness),
    "contrast": _make_enhancement(ImageEnhance.Contrast),
    "warmth": _change_warmth,
    "crop": _crop,
    "rotate": _rotate,
    "blur": _blur,
}
TEXT_CHANGES: _Changes = {
    "upper": _make_rewrite(str.upper),
    "lower": _make_rewrite(str.lower),
    "bare": _make_rewrite(strip_accents),
}
SERIES_CHANGES: _Changes = {"gain": _change_gain, "offset": _add_offset, "drop": _drop_steps, "jitter": _jitter_steps}
"""By the names that stand in `pairs/edits.json`; word pairs come to texts from `pairs/swaps.csv`."""
