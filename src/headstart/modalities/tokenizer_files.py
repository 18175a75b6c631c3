"""Read the content of a tokenizer.json that nobody vouches for: bounded in size, in patterns and in growth.

The `tokenizers` library is written for files that it wrote itself: others end in plain `Exception`s, in Rust panics
(which derive from `BaseException`), in regular expressions without an end, or in replacements that fill the memory.
This is the one place where such a file becomes a tokenizer.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tokenizers import Encoding, Tokenizer

from headstart.errors import DataError

MOST_BYTES = 100_000_000
"""The largest vocabularies in use (a quarter of a million pieces) take about 20 MB."""
MODEL_TYPES = ("WordPiece", "BPE", "Unigram", "WordLevel")
MOST_PIECES = 2_000_000
MOST_STEPS, DEEPEST = 64, 8
LONGEST_PATTERN, LONGEST_REPLACEMENT = 1_000, 64
MOST_GROWTH = 64
"""How many times longer a normalizer may make a text."""
MOST_REPEATS = 2
"""Unbounded repetitions in one alternative of a regular expression: two cost at most the square of a text's length."""
_SAMPLE = "Water 12, eau; ماء 水 \U0001f600 a"
_HINT = "Use the tokenizer.json that came with the base model, or choose another base model."
_STEPS = ("normalizer", "pre_tokenizer", "post_processor", "decoder")
_STDERR = threading.Lock()


def read_tokenizer(text: str, place: str, longest: int | None = None) -> Tokenizer:
    """Return the tokenizer of a tokenizer.json, without padding, after it has encoded a sample.

    Parameters
    ----------
    text : str
        Content of the file.
    place : str
        Where it came from, for the error.
    longest : int or None
        Tokens that a text is cut to; None: not cut.

    Raises
    ------
    DataError
        If it is no tokenizer, or one that could stall or fill the memory.
    """
    _check_document(text, place)
    with _without_panic_messages():
        try:
            tokenizer = Tokenizer.from_str(text)
            tokenizer.no_padding()
            tokenizer.no_truncation()
            if longest is not None:
                tokenizer.enable_truncation(longest)
            encoding = tokenizer.encode(_SAMPLE)
            highest = highest_id(tokenizer)
        except BaseException as error:  # The library raises plain Exception, its panics are BaseException.
            raise _as_data_error(error, place) from error
    if longest is not None and len(encoding.ids) > longest:
        raise DataError(f"{place} adds more special tokens than the {longest} tokens that a text may have.", _HINT)
    if highest > MOST_PIECES:
        raise DataError(f"{place} numbers its pieces up to {highest:,}, at most {MOST_PIECES:,} are allowed.", _HINT)
    return tokenizer


def read_tokenizer_file(file: str, longest: int | None = None) -> Tokenizer:
    """Return the tokenizer of a file; see `read_tokenizer`."""
    path = Path(file)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{path} is too large for a tokenizer (at most {MOST_BYTES // 1_000_000} MB).", _HINT)
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"The tokenizer {path} cannot be read ({error}).", _HINT) from error
    return read_tokenizer(text, str(path), longest)


def highest_id(tokenizer: Tokenizer) -> int:
    """Return the highest number that a tokenizer gives to a piece or to a mark around a text."""
    return max((*tokenizer.get_vocab().values(), *encode_text(tokenizer, _SAMPLE).ids), default=0)


def encode_text(tokenizer: Tokenizer, text: str) -> Encoding:
    """Return the encoding of one text.

    Raises
    ------
    DataError
        If the tokenizer fails on it.
    """
    try:
        return tokenizer.encode(text)
    except BaseException as error:  # As in `read_tokenizer`.
        raise _as_data_error(error, "The tokenizer") from error


def _as_data_error(error: BaseException, place: str) -> DataError:
    """Turn what the library raises into two lines; what is not its own (Ctrl-C, no memory) goes on."""
    if type(error).__name__ != "PanicException" and type(error) not in (Exception, ValueError, TypeError, KeyError):
        raise error
    message = " ".join(str(error).split())[:200]
    return DataError(f"{place} holds no tokenizer that works ({message}).", _HINT)


class _Unusable(ValueError):
    """What speaks against a tokenizer.json, as the end of a sentence."""


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise _Unusable(problem)


def _check_document(text: str, place: str) -> None:
    if len(text) > MOST_BYTES:
        raise DataError(f"{place} is too large for a tokenizer (at most {MOST_BYTES // 1_000_000} MB).", _HINT)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place} is no valid JSON ({str(error)[:100]}).", _HINT) from error
    try:
        _check_model(document)
        for part in _STEPS:
            growth = _measure_growth(document.get(part), part, 0)
            _require(growth <= MOST_GROWTH, f"its {part} makes texts more than {MOST_GROWTH} times longer")
    except _Unusable as error:
        raise DataError(f"{place} holds no tokenizer that may be used: {error}.", _HINT) from error


def _check_model(document: Any) -> None:
    _require(isinstance(document, dict) and isinstance(document.get("model"), dict), "it has no model")
    model, added = document["model"], document.get("added_tokens") or []
    kind = model.get("type", MODEL_TYPES[0])
    _require(kind in MODEL_TYPES, f"its model is of the type {str(kind)[:40]!r}, known are {', '.join(MODEL_TYPES)}")
    vocabulary = model.get("vocab")
    sized = isinstance(vocabulary, dict | list) and 0 < len(vocabulary) <= MOST_PIECES
    _require(sized, f"its vocabulary must hold 1 to {MOST_PIECES:,} pieces")
    _require(isinstance(added, list) and len(added) <= MOST_PIECES, "its added tokens are no list")
    numbers = vocabulary.values() if isinstance(vocabulary, dict) else ()
    added_numbers = [item.get("id") if isinstance(item, dict) else None for item in added]
    numbered = all(type(number) is int and 0 <= number < MOST_PIECES for number in (*numbers, *added_numbers))
    _require(numbered, f"its pieces must be numbered from 0 to {MOST_PIECES:,}")


def _measure_growth(step: Any, part: str, depth: int) -> float:
    """Return how many times longer a step, with those inside it, may make a text."""
    if step is None:
        return 1.0
    if not isinstance(step, dict) or depth > DEEPEST:
        raise _Unusable(f"its {part} is no list of steps that can be read")
    lists = ("normalizers", "pretokenizers", "processors", "decoders")
    inner: list[Any] = next((step[name] for name in lists if name in step), [])
    _require(isinstance(inner, list) and len(inner) <= MOST_STEPS, f"its {part} must have at most {MOST_STEPS} steps")
    pattern = step.get("pattern")
    quick = not (isinstance(pattern, dict) and "Regex" in pattern) or is_quick_pattern(pattern["Regex"])
    _require(quick, f"its {part} has a regular expression that may take without end")
    words = [step[name] for name in ("content", "prepend", "prefix", "replacement") if step.get(name) is not None]
    short = all(isinstance(word, str) and len(word) <= LONGEST_REPLACEMENT for word in words)
    _require(short, f"its {part} puts in more than {LONGEST_REPLACEMENT} characters")
    n_special = sum(len(side) for side in _templates(step))
    _require(n_special <= MOST_STEPS, f"its {part} adds more than {MOST_STEPS} special tokens")
    growth = float(max([1, *(len(word) for word in words)])) if step.get("type") == "Replace" else 1.0
    return growth * math.prod(_measure_growth(item, part, depth + 1) for item in inner)


def _templates(step: Mapping[str, Any]) -> Iterator[list[Any]]:
    for name in ("single", "pair"):
        if isinstance(step.get(name), list):
            yield step[name]


def is_quick_pattern(pattern: object) -> bool:
    r"""Return whether a regular expression takes at most the square of a text's length.

    Nothing that repeats may stand in a group that repeats, and an alternative has at most `MOST_REPEATS` unbounded
    repetitions. Stricter than need be; the patterns of GPT-2, Llama 3, Qwen and their like pass.

    Examples
    --------
    >>> is_quick_pattern(r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
    True
    >>> is_quick_pattern("(a+)+$"), is_quick_pattern("a*a*a*b"), is_quick_pattern(r"(a|a)*b")
    (False, False, False)
    """
    if not isinstance(pattern, str) or len(pattern) > LONGEST_PATTERN:
        return False
    plain = re.sub(r"\\[pP]\{[^}]*\}|\\x\{[^}]*\}|\\.", "x", pattern, flags=re.DOTALL)
    plain = re.sub(r"\[\^?\]?(?:[^\[\]]|\[:?[^\]]*\])*\]", "x", plain)
    plain = re.sub(r"(?<=[*+?}])\+", "", plain)  # Possessive ones never give back.
    if re.search(r"\)(?:[*+]|\{\d*,\d*\}|\{\d{2,}\})", plain):
        return False
    alternatives = re.sub(r"\(\?[a-zA-Z]*[:=!>]|\(\?<[=!]", "(", plain)
    return all(
        len(re.findall(r"[*+]|\{\d*,\}|\{\d*,?\d{3,}\}", part)) <= MOST_REPEATS for part in alternatives.split("|")
    )


@contextmanager
def _without_panic_messages() -> Iterator[None]:
    """Keep what Rust writes to standard error when it panics from the user; takes milliseconds, once a file."""
    try:
        number = sys.__stderr__.fileno() if sys.__stderr__ is not None else -1
    except (OSError, ValueError):
        number = -1
    if number < 0:
        yield
        return
    with _STDERR, Path(os.devnull).open("wb") as nowhere:
        original = os.dup(number)
        try:
            os.dup2(nowhere.fileno(), number)
            yield
        finally:
            os.dup2(original, number)
            os.close(original)
