"""Read the content of a tokenizer.json that nobody vouches for: bounded in size, in patterns and in growth.

The `tokenizers` library is written for files that it wrote itself: others end in plain `Exception`s, in Rust panics
(which derive from `BaseException`), in regular expressions without an end, or in replacements that fill the memory.
This is the one place where such a file becomes a tokenizer.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from tokenizers import Encoding, Tokenizer

from headstart.errors import DataError
from headstart.modalities.tokenizer_limits import (
    MOST_BYTES,
    UnusableTokenizer,
    find_highest_id,
    is_quick_pattern,
    make_tokenizer,
    to_unusable_error,
)

__all__ = ["MOST_BYTES", "encode_text", "find_highest_id", "is_quick_pattern", "parse_tokenizer", "read_tokenizer_file"]
_CHECKED: set[bytes] = set()
"""SHA-256 of the texts that passed every check."""
_HINT = "Use the tokenizer.json that came with the base model, or choose another base model."


def parse_tokenizer(text: str, place: str, longest: int | None = None) -> Tokenizer:
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
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    if longest is None and digest in _CHECKED:
        return _open_checked(text)
    try:
        tokenizer = make_tokenizer(text, longest)
        _CHECKED.add(digest)
        return tokenizer
    except UnusableTokenizer as error:
        raise DataError(f"{place} {error}.", _HINT) from error


def _open_checked(text: str) -> Tokenizer:
    """Return the tokenizer of a text that passed every check in this process; checking a large one takes seconds."""
    tokenizer = Tokenizer.from_str(text)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def read_tokenizer_file(file: str, longest: int | None = None) -> Tokenizer:
    """Return the tokenizer of a file; see `parse_tokenizer`.

    Parameters
    ----------
    file : str
        Path of a tokenizer.json, at most `MOST_BYTES` long.
    longest : int or None
        Tokens that a text is cut to; None: not cut.

    Raises
    ------
    DataError
        If it cannot be read, is no tokenizer, or could stall or fill the memory.
    """
    path = Path(file)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{path} is too large for a tokenizer (at most {MOST_BYTES // 1_000_000} MB).", _HINT)
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"The tokenizer {path} cannot be read ({error}).", _HINT) from error
    return parse_tokenizer(text, str(path), longest)


def encode_text(tokenizer: Tokenizer, text: str) -> Encoding:
    """Return the encoding of one text.

    Parameters
    ----------
    tokenizer : Tokenizer
    text : str
        It is cut where the tokenizer has a truncation.

    Raises
    ------
    DataError
        If the tokenizer fails on it.
    """
    try:
        return tokenizer.encode(text)
    except BaseException as error:  # As in `make_tokenizer`.
        raise DataError(f"The tokenizer {to_unusable_error(error)}.", _HINT) from error
