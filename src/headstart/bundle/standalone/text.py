"""The part of `predict.py` that reads texts."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from headstart.bundle.standalone.checking import HINT, read_document, require_shape
from headstart.bundle.standalone.refusing import RefusedInput, require_kind
from headstart.bundle.standalone.tables import TABLES, read_table, read_text_file
from headstart.modalities.content import EMPTY_TEXT, measure_text_content
from headstart.modalities.tokenizer_limits import UnusableTokenizer, make_tokenizer, to_unusable_error

HERE = Path(__file__).parent
# --- code ---
EMPTY = ("", "na", "n/a", "nan", "null", "none", "?", "-", "--", ".", "missing", "inf", "-inf")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff]+")
TEXTS = (".txt", ".text", ".md")
SPECS = {"text": {
    "tokens": ({"max_length": (1, 100_000), "pad_id": (0, 2**31), "tokenizer_file": str}, 2),
    "pieces": ({"pieces_file": str}, 2),
}}  # fmt: skip
BETWEEN = re.compile(r"[\s!-/:-@\[-`{-~]+")


def iterate_rows(path: Path, config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield name and text of each row of a CSV file, or of a file that is one text."""
    require_kind(path, (*TABLES, *TEXTS))
    if path.suffix.lower() in TEXTS:
        yield path.as_posix(), read_text_file(path)
        return
    names, records, _ = read_table(path, config["columns"])
    places = [find_column(name, names, path) for name in list_text_columns(config["columns"])]
    for name, record in records:
        yield name, record if isinstance(record, ValueError) else join_columns([record[at] for at in places])


def list_text_columns(columns: dict[str, str]) -> list[str]:
    """Return the text columns of training, in their order; a model that learnt from a list of texts knows none."""
    parts = [(int(role[5:]), name) for role, name in columns.items() if role[:5] == "text " and role[5:].isdecimal()]
    return [name for _, name in sorted(parts)] or [columns.get("text", "text")]


def join_columns(parts: list[str]) -> str:
    """Return several columns as one text, a line each, empty ones left out."""
    return parts[0] if len(parts) == 1 else "\n".join(part for part in parts if part.strip().casefold() not in EMPTY)


def find_column(name: str, names: list[str], path: Path) -> int:
    """Return the place of a column: by its exact name, or by one spelling of it."""
    if name in names:
        return names.index(name)
    alike = [at for at, other in enumerate(names) if fold_name(other) == fold_name(name)]
    if len(alike) != 1:
        near = get_close_matches(name.casefold(), [other.casefold() for other in names], n=1)
        guess = next((f" Did you mean '{other}'?" for other in names if [other.casefold()] == near), "")
        raise RefusedInput(f"{path} has no column '{name}'; it has {', '.join(names)}.{guess}")
    print(f"{path}: the column '{names[alike[0]]}' for '{name}' was taken.", file=sys.stderr)
    return alike[0]


def fold_name(name: str) -> str:
    """Return a name so that spellings of one name are equal."""
    return re.sub(r"[\s_\-.]+", "", unicodedata.normalize("NFKC", name).casefold())


def prepare_input(kind: str, source: Any, spec: dict[str, Any]) -> tuple[Any, ...]:
    """Return ids and mask of the tokens of a text, or numbers and weights of its n-grams."""
    if not source.strip():
        raise ValueError(EMPTY_TEXT)
    if kind == "pieces":
        return _count_ngrams(str(source), *_read_ngrams(spec["pieces_file"]))
    longest = int(spec["max_length"])
    whole = CONTROL.sub("", source.encode("utf-8", "replace").decode("utf-8"))
    text = unicodedata.normalize("NFC", whole)[: longest * 64]
    try:
        ids = _read_tokenizer(spec["tokenizer_file"], longest).encode(text).ids or [int(spec["pad_id"])]
    except BaseException as error:  # Panics of the library derive from it.
        raise RefusedInput(f"{spec['tokenizer_file']} {to_unusable_error(error)}.\n{HINT}") from None
    return np.asarray(ids, np.int64), np.ones(len(ids), np.int64)


def measure_content(source: Any, inputs: list[dict[str, Any]]) -> dict[str, float]:
    """Return whether a text says anything, by code of fault."""
    if not source.strip():
        raise ValueError(EMPTY_TEXT)
    return measure_text_content(source)


@lru_cache
def _read_tokenizer(file: str, longest: int) -> Any:
    try:
        return make_tokenizer((HERE / file).read_text("utf-8"), longest)
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedInput(f"{file} cannot be read ({error}).\n{HINT}") from None
    except UnusableTokenizer as error:
        raise RefusedInput(f"{file} {error}.\n{HINT}") from None


@lru_cache
def _read_ngrams(file: str) -> tuple[int, dict[str, dict[str, int]], Any]:
    """Return the length of texts, the number of each n-gram, and the Unicode form in which they were counted."""
    document = read_document(HERE, file)
    require_shape(document, {"longest": (1, 10**9), "pieces": {"characters?": [str], "words?": [str]}}, file)
    require_shape(list(document["pieces"]), [{"characters", "words"}], f"{file}.pieces")
    composed = all(unicodedata.is_normalized("NFC", ngram) for every in document["pieces"].values() for ngram in every)
    numbered = {kind: {ngram: at for at, ngram in enumerate(every)} for kind, every in document["pieces"].items()}
    return document["longest"], numbered, partial(unicodedata.normalize, "NFC") if composed else str


def _count_ngrams(text: str, longest: int, numbered: dict[str, dict[str, int]], form: Any) -> tuple[Any, Any]:
    """Return numbers and weights of the known n-grams: 2 to 5 characters of a word, words, and pairs of words."""
    cut = form(form(text)[:longest].lower())
    padded = [f" {word} " for word in cut.split()]
    words = [word for word in BETWEEN.split(cut) if word]
    ngrams = {
        "characters": [
            p[at : at + n] for p in padded for n in range(2, min(5, len(p)) + 1) for at in range(len(p) - n + 1)
        ],
        "words": [*words, *(f"{one} {two}" for one, two in pairwise(words))],
    }
    ids, weights, first = [], [], 0
    for kind, known in numbered.items():
        for at, count in sorted(Counter(known[ngram] for ngram in ngrams[kind] if ngram in known).items()):
            ids.append(first + at)
            weights.append(1 + np.log(count))
        first += len(known)
    return np.asarray(ids, np.int64), np.asarray(weights, np.float32)
