"""Tables of pydantic records as Markdown: one section a record, one line a field, from its JSON schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

HUGE = 1e9
PLAIN = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "null": "`null`",
    "": "any value",
}


def describe_type(schema: dict[str, Any]) -> str:
    """Return the type of a field in plain words, with its range where the record states one."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(describe_type(option) for option in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " or ".join(f"`{json.dumps(value)}`" for value in schema.get("enum", [schema.get("const")]))
    name = schema.get("type", "")
    if name == "array":
        least, most = schema.get("minItems"), schema.get("maxItems")
        length = f"{least:,} " if least is not None and least == most else ""
        return f"list of {length}{describe_type(schema.get('items', {}))}"
    if name == "object":
        values = schema.get("additionalProperties")
        return f"by name: {describe_type(values if isinstance(values, dict) else {})}"
    return PLAIN[name] + describe_range(schema)


def describe_range(schema: dict[str, Any]) -> str:
    """Return ", 0 to 1" or ", 0 or more", or nothing without a range (or with one that is never reached)."""
    low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    if low is None or low < -HUGE:
        return ""
    return f", {low:,g} or more" if high is None or high > HUGE else f", {low:,g} to {high:,g}"


def list_references(schema: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the records that a field refers to, with the place of each in the document."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2], path
        for key, value in schema.items():
            steps = {"items": "[]", "additionalProperties": ".NAME"}
            yield from list_references(value, path + steps.get(key, ""))
    elif isinstance(schema, list):
        for value in schema:
            yield from list_references(value, path)


def describe_records(root: type[BaseModel], known: set[str], place: str = "") -> Iterator[str]:
    """Yield the sections of a record and of all records in it, the outer ones first.

    Parameters
    ----------
    root : type of BaseModel
    known : set of str
        Names of records that already have a section; these are left out, new ones are added.
    place : str
        Where the record stands in its document; "" for a document.
    """
    schema = root.model_json_schema(mode="serialization")
    records = {root.__name__: schema, **schema.get("$defs", {})}
    waiting = [(root.__name__, place)]
    while waiting:
        name, path = waiting.pop(0)
        if name in known:
            continue
        known.add(name)
        inner = []
        yield f"{'##' if not path else '###'} {name}\n"
        text, _, parameters = records[name].get("description", "").partition("\n\nParameters\n----------\n")
        documented = dict(re.findall(r"^(\w+) : .*\n((?:    .+\n?)+)", parameters, flags=re.MULTILINE))
        yield f"{text}\n"
        if path:
            yield f"At `{path}`.\n"
        fields = records[name].get("properties", {})
        meanings = [
            value.get("description") or documented.get(field) or _find_summary(value, records)
            for field, value in fields.items()
        ]
        columns = ["field", "type", "meaning"][: 3 if any(meanings) else 2]
        if fields:
            yield f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}"
        for (field, value), meaning in zip(fields.items(), meanings, strict=True):
            cells = (f"`{field}`", describe_type(value), meaning)[: len(columns)]
            yield "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
            step = ": " if path.endswith(".json") else "."
            inner += list_references(value, f"{path}{step}{field}" if path else field)
        yield ""
        waiting = inner + waiting


def _find_summary(schema: dict[str, Any], records: dict[str, Any]) -> str:
    """Return the first sentence about the record of a field; pydantic leaves out a description that is the same."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return str(records.get(name, {}).get("description", "")).split("\n\n")[0]
