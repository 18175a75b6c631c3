"""The bounds of a tokenizer.json that nobody vouches for: size, patterns, growth, and what breaks the library.

A part of predict.py as well, word for word: nothing of Headstart is needed.
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

from tokenizers import Tokenizer

# --- code ---
MOST_BYTES = 100_000_000
"""The largest vocabularies in use (a quarter of a million pieces) take about 20 MB."""
MODEL_TYPES = ("WordPiece", "BPE", "Unigram", "WordLevel")
MOST_TOKENS = 2_000_000
MOST_STEPS, DEEPEST = 64, 8
LONGEST_PATTERN, LONGEST_REPLACEMENT = 1_000, 64
MOST_GROWTH = 64
"""How many times longer a normalizer may make a text."""
MOST_REPEATS = 2
"""Unbounded repetitions in one alternative of a regular expression: two cost at most the square of a text's length."""
_SAMPLE = "Water 12, eau; ماء 水 \U0001f600 a"
_STEPS = ("normalizer", "pre_tokenizer", "post_processor", "decoder")
_STDERR = threading.Lock()


class UnusableTokenizer(ValueError):
    """Reason against a tokenizer.json, as the end of a sentence that begins with the name of the file."""


def make_tokenizer(text: str, longest: int | None) -> Tokenizer:
    """Return the tokenizer of a tokenizer.json, without padding, after it has encoded a sample.

    Parameters
    ----------
    text : str
        Content of a tokenizer.json.
    longest : int or None
        Tokens that a text is cut to; None: not cut.

    Raises
    ------
    UnusableTokenizer
        It is none, or one that could stall or fill the memory.
    """
    _check_document(text)
    with _without_panic_messages():
        try:
            tokenizer = Tokenizer.from_str(text)
            tokenizer.no_padding()
            tokenizer.no_truncation()
            if longest is not None:
                tokenizer.enable_truncation(longest)
            n_sample, highest = len(tokenizer.encode(_SAMPLE).ids), find_highest_id(tokenizer)
        except BaseException as error:  # The library raises plain Exception, its panics are BaseException.
            raise to_unusable_error(error) from error
    if longest is not None and n_sample > longest:
        raise UnusableTokenizer(f"adds more special tokens than the {longest} tokens that a text may have")
    if highest > MOST_TOKENS:
        raise UnusableTokenizer(f"numbers its pieces up to {highest:,}, at most {MOST_TOKENS:,} are allowed")
    return tokenizer


def find_highest_id(tokenizer: Tokenizer) -> int:
    """Return the highest id that a tokenizer gives to a token or to a special token around a text.

    Parameters
    ----------
    tokenizer : Tokenizer
    """
    return max((*tokenizer.get_vocab().values(), *tokenizer.encode(_SAMPLE).ids), default=0)


def to_unusable_error(error: BaseException) -> UnusableTokenizer:
    """Return what the library raised as one kind of error; what is not its own (Ctrl-C, no memory) goes on.

    Parameters
    ----------
    error : BaseException
        It is raised again if it is not the library's own.
    """
    if type(error).__name__ != "PanicException" and type(error) not in (Exception, ValueError, TypeError, KeyError):
        raise error
    return UnusableTokenizer(f"holds no tokenizer that works ({' '.join(str(error).split())[:200]})")


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise UnusableTokenizer(f"holds no tokenizer that may be used: {problem}")


def _check_document(text: str) -> None:
    if len(text) > MOST_BYTES:
        raise UnusableTokenizer(f"is too large for a tokenizer (at most {MOST_BYTES // 1_000_000} MB)")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnusableTokenizer(f"is no valid JSON ({str(error)[:100]})") from error
    _check_model(document)
    for part in _STEPS:
        growth = _measure_growth(document.get(part), part, 0)
        _require(growth <= MOST_GROWTH, f"its {part} makes texts more than {MOST_GROWTH} times longer")


def _check_model(document: Any) -> None:
    _require(isinstance(document, dict) and isinstance(document.get("model"), dict), "it has no model")
    model, added = document["model"], document.get("added_tokens") or []
    kind = model.get("type", MODEL_TYPES[0])
    _require(kind in MODEL_TYPES, f"its model is of the type {str(kind)[:40]!r}, known are {', '.join(MODEL_TYPES)}")
    vocabulary = model.get("vocab")
    sized = isinstance(vocabulary, dict | list) and 0 < len(vocabulary) <= MOST_TOKENS
    _require(sized, f"its vocabulary must hold 1 to {MOST_TOKENS:,} pieces")
    _require(isinstance(added, list) and len(added) <= MOST_TOKENS, "its added tokens are no list")
    numbers = vocabulary.values() if isinstance(vocabulary, dict) else ()
    added_numbers = [item.get("id") if isinstance(item, dict) else None for item in added]
    numbered = all(type(number) is int and 0 <= number < MOST_TOKENS for number in (*numbers, *added_numbers))
    _require(numbered, f"its pieces must be numbered from 0 to {MOST_TOKENS:,}")


def _measure_growth(step: Any, part: str, depth: int) -> float:
    """Return how many times longer a step, with those inside it, may make a text."""
    if step is None:
        return 1.0
    if not isinstance(step, dict) or depth > DEEPEST:
        raise UnusableTokenizer(f"holds no tokenizer that may be used: its {part} is no list of steps that can be read")
    lists = ("normalizers", "pretokenizers", "processors", "decoders")
    inner: list[Any] = next((step[name] for name in lists if name in step), [])
    _require(isinstance(inner, list) and len(inner) <= MOST_STEPS, f"its {part} must have at most {MOST_STEPS} steps")
    pattern = step.get("pattern")
    quick = not (isinstance(pattern, dict) and "Regex" in pattern) or is_quick_pattern(pattern["Regex"])
    _require(quick, f"its {part} has a regular expression that may take without end")
    words = [step[name] for name in ("content", "prepend", "prefix", "replacement") if step.get(name) is not None]
    short = all(isinstance(word, str) and len(word) <= LONGEST_REPLACEMENT for word in words)
    _require(short, f"its {part} puts in more than {LONGEST_REPLACEMENT} characters")
    n_special = sum(len(side) for side in _iterate_templates(step))
    _require(n_special <= MOST_STEPS, f"its {part} adds more than {MOST_STEPS} special tokens")
    growth = float(max([1, *(len(word) for word in words)])) if step.get("type") == "Replace" else 1.0
    return growth * math.prod(_measure_growth(item, part, depth + 1) for item in inner)


def _iterate_templates(step: Mapping[str, Any]) -> Iterator[list[Any]]:
    for name in ("single", "pair"):
        if isinstance(step.get(name), list):
            yield step[name]


def is_quick_pattern(pattern: object) -> bool:
    r"""Return whether a regular expression takes at most the square of a text's length.

    Parameters
    ----------
    pattern : object
        Of a tokenizer.json; what is no text is not quick.

    Notes
    -----
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
