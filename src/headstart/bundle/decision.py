"""How a bundle keeps its rules of decision: decision.json, and the arrays of what is remembered of training rows."""

from __future__ import annotations

import json
from pathlib import Path

from headstart.array_files import read_arrays, write_arrays
from headstart.decisions import Rules
from headstart.home import write_json

FILE, ARRAYS = "decision.json", "decision.safetensors"


def write(rules: Rules, folder: Path) -> None:
    """Write `decision.json` and, where rows are remembered, `decision.safetensors`."""
    write_json(folder / FILE, rules.as_dict())
    if rules.novelty is not None:
        write_arrays(folder / ARRAYS, rules.novelty.arrays())


def read(folder: Path) -> Rules | None:
    """Read them back; None in a bundle of an older version."""
    if not (folder / FILE).is_file():
        return None
    arrays = read_arrays(folder / ARRAYS) if (folder / ARRAYS).is_file() else {}
    return Rules.of(json.loads((folder / FILE).read_text("utf-8")), arrays)
