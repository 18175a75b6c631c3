"""Packages that only some formats need."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from headstart import extras


def import_optional(module: str, kind: str) -> Any:
    """Return a module that reading files of a kind needs.

    Parameters
    ----------
    module : str
        Dotted name.
    kind : str
        Kind of files, for the message.

    Raises
    ------
    MissingExtra
        It is not installed.
    """
    if find_spec(module.split(".", maxsplit=1)[0]) is None:
        extras.require("adapt", f"Reading {kind} files")
    return import_module(module)
