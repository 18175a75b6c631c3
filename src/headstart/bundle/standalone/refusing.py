"""The part of `predict.py` that refuses inputs."""

from __future__ import annotations

from pathlib import Path

# --- code ---


class RefusedInput(Exception):
    """An input that cannot be predicted, and what to do; the exit code is 2."""


def require_kind(path: Path, suffixes: tuple[str, ...]) -> None:
    """Refuse folders and files of other kinds."""
    if path.is_dir() or path.suffix.lower() not in suffixes:
        what = "is a folder" if path.is_dir() else "is of a kind that this script does not read"
        raise RefusedInput(f"{path} {what}. It reads {', '.join(suffixes)}; for all others use: headstart predict.")
