"""The words that some text bases want before every text, put into their tokenizer.json.

There every reader takes them: Python, predict.py, the web page, and the key of the feature cache.
"""

from __future__ import annotations

import json

from headstart.errors import DataError
from headstart.modalities.tokenizer_files import parse_tokenizer

_TEMPLATE = "TemplateProcessing"


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
    if not prefix:
        return tokenizer
    place = "The base model's tokenizer.json"
    tokens = parse_tokenizer(tokenizer, place).encode(prefix.rstrip(), add_special_tokens=False)
    document = json.loads(tokenizer)
    template = document.get("post_processor")
    if not isinstance(template, dict) or template.get("type") != _TEMPLATE:
        raise DataError(f"{place} has no template for the prefix '{prefix}'.", "Use the model's own tokenizer.json.")
    pieces = [{"SpecialToken": {"id": token, "type_id": 0}} for token in tokens.tokens]
    for form in ("single", "pair"):
        items = template[form]
        start = next(number for number, item in enumerate(items) if "Sequence" in item)
        if items[max(start - len(pieces), 0) : start] != pieces:
            template[form] = [*items[:start], *pieces, *items[start:]]
    for token, number in zip(tokens.tokens, tokens.ids, strict=True):
        template["special_tokens"].setdefault(token, {"id": token, "ids": [number], "tokens": [token]})
    return json.dumps(document, ensure_ascii=False)
