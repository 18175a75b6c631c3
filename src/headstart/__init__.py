"""Headstart: adapt pre-trained models to small local data, and report whether it helped.

>>> import headstart as hs  # loads nothing heavy

    data = hs.read("leaves/")
    model = hs.adapt(data)
    print(model.result.verdict.sentence)
    model.predict(["new_leaf.jpg"])
    model.save("leaf-doctor")
    hs.load("leaf-doctor")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headstart.offline import silence_hub

__version__ = "0.5.0"
__all__ = [
    "Adapter",
    "AdapterRegressor",
    "Model",
    "__version__",
    "adapt",
    "adapt_spans",
    "embed",
    "find_spans",
    "load",
    "open_project",
    "read",
    "search",
]

if TYPE_CHECKING:
    from headstart.api.estimator import Adapter, AdapterRegressor
    from headstart.api.functions import adapt, open_project, read
    from headstart.api.model import Model, load
    from headstart.api.spans import adapt_spans, find_spans
    from headstart.api.vectors import embed, search

_PLACES = {
    "Adapter": "headstart.api.estimator",
    "AdapterRegressor": "headstart.api.estimator",
    "Model": "headstart.api.model",
    "load": "headstart.api.model",
    "adapt": "headstart.api.functions",
    "adapt_spans": "headstart.api.spans",
    "find_spans": "headstart.api.spans",
    "embed": "headstart.api.vectors",
    "open_project": "headstart.api.functions",
    "read": "headstart.api.functions",
    "search": "headstart.api.vectors",
}
_ADAPTING = ("Adapter", "AdapterRegressor", "adapt", "adapt_spans", "embed", "find_spans", "open_project", "read")
"""What needs the extra `adapt`; the rest loads bundles and predicts."""


silence_hub()  # From version 1.32 on onnxruntime reports its use unless this is switched off before its import.


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'headstart' has no attribute '{name}'")
    from importlib import import_module

    from headstart.extras import require

    if name in _ADAPTING:
        require("adapt", f"headstart.{name}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
