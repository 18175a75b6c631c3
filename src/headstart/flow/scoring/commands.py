"""Commands that a person can copy: `adapt` again with the options of a run, and one thing changed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from headstart.options import AdaptOptions, flag
from headstart.results import Result


def write_adapt_command(result: Result, out: str, changes: Mapping[str, Any]) -> str:
    """Return the command of a run with some options changed.

    Parameters
    ----------
    result : Result
        Its data and options are those of the command.
    out : str
        The run folder.
    changes : mapping of str to value
        Options by the name of their field; None takes one out.
    """
    defaults = AdaptOptions.model_validate({}).model_dump(mode="json")
    options = {**result.options, **changes}
    words = ["headstart", "adapt", result.data]
    for name, default in defaults.items():
        value = options.get(name, default)
        if value is not None and value != default:
            words += _write_option(name, value)
    return shlex.join([*words, "-o", out or "out"])


def _write_option(name: str, value: Any) -> list[str]:
    """Write one option that is not at its default."""
    if isinstance(value, bool):
        return [flag(name)] if value else []
    if name in _LISTS and not isinstance(value, str):
        value = ",".join(map(str, value))
    unit = _UNITS.get(name, "")
    values = value if isinstance(value, list | tuple) else [f"{value:g}{unit}" if isinstance(value, float) else value]
    return [word for item in values for word in (flag(name), str(item))]


_LISTS = frozenset({"strategy", "channels", "order"})
"""Options that take names with commas between them."""
_UNITS = {"time": "s", "max_memory": "gb"}
