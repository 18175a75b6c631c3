"""The words that some text bases want before every text, put into their tokenizer.json.

There every reader takes them: Python, predict.py, the web page, and the key of the feature cache.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from headstart.errors import DataError
from headstart.modalities.tokenizer_files import parse_tokenizer

_TEMPLATE = "TemplateProcessing"
SEARCHED_PREFIXES = {"query: ": "passage: "}
"""What stands before a text that is searched, by what the base wants before a question (E5, arXiv:2402.05672)."""


def add_prefix(tokenizer: str, prefix: str) -> str:
    """Return a tokenizer.json whose template puts the tokens of a prefix before every text; added once only.

    Parameters
    ----------
    tokenizer : str
        The content of tokenizer.json.
    prefix : str
        Such as "query: "; "" adds nothing. The space at its end belongs to the text behind it.

    Raises
    ------
    DataError
        If the tokenizer puts its special tokens around texts in another way than by a template.
    """
    return replace_prefix(tokenizer, "", prefix)


def replace_prefix(tokenizer: str, old: str, prefix: str) -> str:
    """Return a tokenizer.json whose template puts the tokens of another prefix before every text.

    Parameters
    ----------
    tokenizer : str
        The content of tokenizer.json.
    old : str
        The prefix that stands in its template, and goes; "" where none does.
    prefix : str
        Such as "passage: "; "" adds nothing.

    Raises
    ------
    DataError
        As `add_prefix`.
    """
    if not (prefix or old):
        return tokenizer
    place = "The base model's tokenizer.json"
    encoder = parse_tokenizer(tokenizer, place)
    tokens = encoder.encode(prefix.rstrip(), add_special_tokens=False)
    former = _list_pieces(encoder.encode(old.rstrip(), add_special_tokens=False).tokens)
    document = json.loads(tokenizer)
    template = document.get("post_processor")
    if not isinstance(template, dict) or template.get("type") != _TEMPLATE:
        raise DataError(f"{place} has no template for the prefix '{prefix}'.", "Use the model's own tokenizer.json.")
    pieces = _list_pieces(tokens.tokens)
    for form in ("single", "pair"):
        items = template[form]
        start = next(number for number, item in enumerate(items) if "Sequence" in item)
        if former and items[max(start - len(former), 0) : start] == former:
            items, start = [*items[: start - len(former)], *items[start:]], start - len(former)
        if items[max(start - len(pieces), 0) : start] != pieces:
            items = [*items[:start], *pieces, *items[start:]]
        template[form] = items
    for token, number in zip(tokens.tokens, tokens.ids, strict=True):
        template["special_tokens"].setdefault(token, {"id": token, "ids": [number], "tokens": [token]})
    return json.dumps(document, ensure_ascii=False)


def _list_pieces(tokens: Sequence[str]) -> list[dict[str, Any]]:
    """Return tokens as the items of a template, JSON."""
    return [{"SpecialToken": {"id": token, "type_id": 0}} for token in tokens]
