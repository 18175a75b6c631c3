"""`tokenizer.json` as a record: known parts, a vocabulary whose numbers are places.

The package `tokenizers` stops the whole process on some files, so its own reader sees only what passed here and the
bounds of `headstart.modalities.tokenizer_limits`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field
from tokenizers import Tokenizer

from headstart.bundle.integrity import parse_json
from headstart.bundle.records.schema import Misfit, StrictRecord, make_misfit, parse_record
from headstart.errors import DataError
from headstart.modalities.tokenizer_files import MOST_BYTES, encode_text, is_quick_pattern, parse_tokenizer
from headstart.modalities.tokenizer_limits import DEEPEST

_NORMALIZERS = """
BertNormalizer ByteLevel Lowercase NFC NFD NFKC NFKD Nmt Precompiled Prepend Replace Sequence Strip StripAccents
"""
_PRE_TOKENIZERS = """
BertPreTokenizer ByteLevel CharDelimiterSplit Digits FixedLength Metaspace Punctuation Sequence Split UnicodeScripts
Whitespace WhitespaceSplit
"""
_POST_PROCESSORS = "BertProcessing ByteLevel RobertaProcessing Sequence TemplateProcessing"
PARTS = {
    "normalizer": frozenset(_NORMALIZERS.split()),
    "pre_tokenizer": frozenset(_PRE_TOKENIZERS.split()),
    "post_processor": frozenset(_POST_PROCESSORS.split()),
}
"""The parts that a tokenizer may be made of."""
_REFERENCE_BACK = re.compile(r"\\[1-9]")
"""A reference to an earlier group: such patterns may never end."""
_TRIAL = ("a", "The pump is broken, and nobody came to help us 3 days long!", "\u12a0\u1208 \U0001f30d")


class AddedToken(StrictRecord):
    """A token beside the vocabulary."""

    id: Annotated[int, Field(ge=0, lt=2**31)]
    content: Annotated[str, Field(min_length=1, max_length=1_000)]
    special: bool = False


class TokenModel(StrictRecord):
    """Model that splits words into tokens."""

    type: Literal["WordPiece", "BPE", "Unigram", "WordLevel"] | None = None
    vocab: dict[str, Annotated[int, Field(ge=0, lt=2**31)]] | list[Any]
    merges: list[Any] | None = None
    unk_id: Annotated[int, Field(ge=0)] | None = None


class TokenizerRecord(StrictRecord):
    """The whole file; parts are checked by `PARTS`."""

    added_tokens: Annotated[list[AddedToken], Field(max_length=100_000)] = []
    normalizer: dict[str, Any] | None = None
    pre_tokenizer: dict[str, Any] | None = None
    post_processor: dict[str, Any] | None = None
    model: TokenModel


def open_tokenizer(path: Path, max_length: int) -> Tokenizer:
    """Return a tokenizer of a bundle, checked and tried.

    Raises
    ------
    Misfit
        It is none, or has parts that are not known here.
    """
    if path.stat().st_size > MOST_BYTES:
        raise Misfit(f"{path.name}: it is too large ({path.stat().st_size / 1e6:,.0f} MB)")
    return check_tokenizer(path.read_bytes(), max_length, path.name)


def check_tokenizer(content: bytes, max_length: int, where: str) -> Tokenizer:
    """Return a tokenizer from the content of tokenizer.json; raise `Misfit` as `open_tokenizer`."""
    try:
        document = parse_json(content)
    except (ValueError, RecursionError) as error:
        raise Misfit(f"{where}: it is damaged ({error})") from error
    record = parse_record(TokenizerRecord, document, where)
    _check_vocabulary(record, where)
    for name, known in PARTS.items():
        part = getattr(record, name)
        _check_parts(list(_parts_in(part, 0)) if part is not None else [], known, name, where)
    try:
        tokenizer = parse_tokenizer(content.decode("utf-8"), where, max_length)
        for text in _TRIAL:
            encode_text(tokenizer, text)
    except (DataError, UnicodeDecodeError) as error:
        reason = error.problem if isinstance(error, DataError) else str(error)
        raise Misfit(f"{where}: it cannot be used ({' '.join(reason.split())[:160]})") from error
    return tokenizer


def _check_vocabulary(record: TokenizerRecord, where: str) -> None:
    """Refuse a vocabulary in which two words have one number, or numbers that leave gaps of any size."""
    vocabulary = record.model.vocab
    if isinstance(vocabulary, dict):
        most = 2 * (len(vocabulary) + len(record.added_tokens)) + 10_000
        if len(set(vocabulary.values())) < len(vocabulary) or max(vocabulary.values(), default=0) > most:
            raise make_misfit(
                where, ("model", "vocab"), "numbers should be places, one for each token", "other numbers"
            )
        return
    for place, entry in enumerate(vocabulary):
        if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)
                and isinstance(entry[1], float | int) and not isinstance(entry[1], bool)):  # fmt: skip
            raise make_misfit(where, ("model", "vocab", place), "should be a token and its score", entry)
    if record.model.unk_id is not None and record.model.unk_id >= len(vocabulary):
        raise make_misfit(where, ("model", "unk_id"), f"there are {len(vocabulary)} tokens", record.model.unk_id)


def _parts_in(part: object, depth: int) -> Iterator[Mapping[str, Any]]:
    """Return a part and all parts inside of it."""
    if not isinstance(part, dict) or depth > DEEPEST:
        raise Misfit("a part is no object, or parts are nested too deeply")
    yield part
    for name in ("normalizers", "pretokenizers", "processors"):
        inner = part.get(name, [])
        for one in inner if isinstance(inner, list) else [inner]:
            yield from _parts_in(one, depth + 1)


def _check_parts(parts: list[Mapping[str, Any]], known: frozenset[str], name: str, where: str) -> None:
    for part in parts:
        if str(part.get("type")) not in known:
            raise make_misfit(where, (name, "type"), "there is no such part of a tokenizer here", part.get("type"))
        pattern = part.get("pattern")
        text = pattern.get("Regex") if isinstance(pattern, dict) else None
        if text is not None and (not is_quick_pattern(text) or _REFERENCE_BACK.search(text)):
            raise make_misfit(where, (name, "pattern"), "no such pattern is used here", text)
