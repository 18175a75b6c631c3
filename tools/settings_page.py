"""The reference page of the tunable numbers, made from the records of all rooms; `tools/reference.py` writes it."""

from __future__ import annotations

import inspect
import re

from headstart.flow.room_settings import SETTINGS, collect_settings

INTRO = """# Settings

The numbers that Headstart works with and that change a result. They are fixed within a version: there is no option for
them. [result.json](result.md) and `config.json` of a [bundle](bundle.md) store those that the run and the model were
made with; those of `site`, `label_next`, `language` and `pretraining` belong to other commands and are not stored.
"""


def describe_settings(record: object) -> dict[tuple[str, ...], str]:
    """Return what the fields of a settings record mean, those described together as one key: from its docstring."""
    pattern = r"^(\w[\w, ]*) : .+\n?((?:    .+\n?)*)"
    entries = re.findall(pattern, inspect.getdoc(type(record)) or "", flags=re.MULTILINE)
    return {tuple(names.split(", ")): " ".join(meaning.split()) for names, meaning in entries}


def describe_all_settings() -> str:
    """Return the page of the tunable numbers, without its first line."""
    lines = [INTRO]
    for room, numbers in collect_settings(SETTINGS).items():
        summary = (inspect.getdoc(type(SETTINGS[room])) or "").split("\n\n")[0]
        lines.append(f"## `{room}`\n\n{summary}\n\n| number | value | meaning |\n|---|---|---|")
        for names, meaning in describe_settings(SETTINGS[room]).items():
            listed = ", ".join(f"`{name}`" for name in names)
            lines.append(f"| {listed} | {'; '.join(f'`{numbers[name]}`' for name in names)} | {meaning} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"
