"""Tables of pydantic records as Markdown: one section a record, one line a field, from its JSON schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

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
        return f"list of {describe_type(schema.get('items', {}))}"
    if name == "object":
        values = schema.get("additionalProperties")
        return f"by name: {describe_type(values if isinstance(values, dict) else {})}"
    return PLAIN[name] + describe_range(schema)


def describe_range(schema: dict[str, Any]) -> str:
    """Return ", 0 to 1" or ", 0 or more", or nothing where the record states no range."""
    low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    if low is None:
        return ""
    return f", {low:,} or more" if high is None else f", {low:,} to {high:,}"


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


def describe_records(root: type[BaseModel], known: set[str]) -> Iterator[str]:
    """Yield the sections of a record and of all records in it, the outer ones first.

    Parameters
    ----------
    root : type of BaseModel
    known : set of str
        Names of records that already have a section; these are left out, new ones are added.
    """
    schema = root.model_json_schema(mode="serialization")
    records = {root.__name__: schema, **schema.get("$defs", {})}
    waiting = [(root.__name__, "")]
    while waiting:
        name, path = waiting.pop(0)
        if name in known:
            continue
        known.add(name)
        inner = []
        yield f"{'##' if not path else '###'} {name}\n"
        yield f"{records[name].get('description', '')}\n"
        if path:
            yield f"At `{path}`.\n"
        yield "| field | type | meaning |\n|---|---|---|"
        for field, value in records[name]["properties"].items():
            record = records.get(value.get("$ref", "").rpartition("/")[2], {})
            meaning = value.get("description") or record.get("description", "").split("\n\n")[0]
            cells = (f"`{field}`", describe_type(value), meaning)
            yield "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
            inner += list_references(value, f"{path}.{field}" if path else field)
        yield ""
        waiting = inner + waiting
