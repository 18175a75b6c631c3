"""Optional packages, and the extra that brings each: the one place that knows.

A module that needs an optional package is reached through a table and begins with `require("adapt")`; a bare
`ModuleNotFoundError` never reaches a user.
"""

from __future__ import annotations

from importlib.util import find_spec

from headstart.errors import MissingExtra

EXTRAS: dict[str, tuple[str, ...]] = {
    "adapt": ("torch", "timm", "transformers", "sklearn", "openvino", "pyarrow", "openpyxl"),
    "serve": ("fastapi", "uvicorn", "python_multipart", "prometheus_client"),
    "search": ("usearch",),
    "studio": ("fastapi", "uvicorn", "python_multipart", "prometheus_client", "segno"),
}


def find_missing(extra: str) -> list[str]:
    """List the packages of an extra that are not installed, without importing any.

    Parameters
    ----------
    extra : str
        Name of an extra of the package, such as "adapt".
    """
    return [name for name in EXTRAS[extra] if find_spec(name) is None]


def require(extra: str, purpose: str) -> None:
    """Raise `MissingExtra` with the pip line if any package of the extra is absent.

    Parameters
    ----------
    extra : str
        A key of `EXTRAS`.
    purpose : str
        What the user wanted, as the beginning of a sentence ("Adapting a model").
    """
    absent = find_missing(extra)
    if absent:
        raise MissingExtra(
            f"{purpose} needs packages that are not installed ({', '.join(absent)}).",
            f"Run: pip install 'headstart[{extra}]'",
        )
