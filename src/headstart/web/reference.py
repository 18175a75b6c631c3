"""The page at /docs: the OpenAPI document as HTML, made here, with nothing fetched from anywhere."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

_EXAMPLES = {
    "/predict": (
        'curl -F files=@photo.jpg http://127.0.0.1:8000/predict\n'
        "curl -H 'Content-Type: application/json' -d '{\"texts\": [\"The pump is broken\"]}' "
        "http://127.0.0.1:8000/predict"
    ),
    "/feedback": "curl -F file=@photo.jpg -F label=rust http://127.0.0.1:8000/feedback",
    "/v2/models/{name}/infer": (
        "curl -H 'Content-Type: application/json' -d '{\"inputs\": [{\"name\": \"input\", \"datatype\": \"BYTES\", "
        "\"shape\": [1], \"data\": [\"The pump is broken\"]}]}' http://127.0.0.1:8000/v2/models/NAME/infer"
    ),
}  # fmt: skip


@lru_cache(maxsize=1)
def _make_environment() -> Environment:
    return Environment(
        loader=PackageLoader("headstart.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip


def render_reference(document: dict[str, Any]) -> str:
    """Write the page of an OpenAPI document."""
    routes = [
        {
            "method": method.upper(),
            "path": path,
            "text": operation.get("description", ""),
            "parameters": operation.get("parameters", []),
            "body": _list_body_schemas(operation.get("requestBody", {}).get("content", {})),
            "answer": _list_answer_fields(operation["responses"].get("200", {}), document),
            "example": _EXAMPLES.get(path, ""),
        }
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return _make_environment().get_template("reference.html").render(title=document["info"], routes=routes)


def _list_body_schemas(content: dict[str, Any]) -> list[tuple[str, str]]:
    return [(kind, json.dumps(part["schema"], indent=1)) for kind, part in content.items()]


def _list_answer_fields(answer: dict[str, Any], document: dict[str, Any]) -> list[tuple[str, str]]:
    """List the fields of an answer."""
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    fields = document.get("components", {}).get("schemas", {}).get(name, {}).get("properties", {})
    return [(field, part.get("description", "")) for field, part in fields.items()]
