"""The part of `predict.py` that says what it does not read."""

from __future__ import annotations

from pathlib import Path

# --- code ---


class RefusedInput(Exception):
    """What cannot be predicted, and what to do; the script leaves with 2."""


def require_kind(path: Path, suffixes: tuple[str, ...]) -> None:
    """Refuse folders and files of other kinds."""
    if path.is_dir() or path.suffix.lower() not in suffixes:
        what = "is a folder" if path.is_dir() else "is of a kind that this script does not read"
        raise RefusedInput(f"{path} {what}. It reads {', '.join(suffixes)}; for all others use: headstart predict.")
