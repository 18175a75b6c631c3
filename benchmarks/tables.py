"""Markdown tables, and the file they are kept in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

HEAD = "# Results\n\nWritten by `make bench`; see docs/benchmarks.md. Do not edit by hand.\n"


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Make a Markdown table; the columns are the keys of all rows, in order of appearance."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(str(row.get(name, "")) for name in names) + " |" for row in rows]
    return "\n".join(lines)


def percent(figure: Mapping[str, float] | None) -> str:
    """Print a figure with its interval, in percent."""
    if figure is None:
        return "-"
    return f"{100 * figure['value']:.1f} ({100 * figure['low']:.1f}-{100 * figure['high']:.1f})"


def replace_section(text: str, title: str, body: str) -> str:
    """Put `body` under the second-level heading `title`, in place of what stood there."""
    parts = (text or HEAD).split("\n## ")
    kept = [part for part in parts[1:] if part.split("\n", 1)[0] != title]
    return "\n## ".join([parts[0].rstrip() + "\n", *[part.rstrip() + "\n" for part in kept], f"{title}\n\n{body}\n"])


def keep(path: Path, title: str, body: str) -> None:
    """Print a section and keep it in the results file, in place of its last state."""
    print(f"\n## {title}\n\n{body}\n", flush=True)
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    path.write_text(replace_section(before, title, body), encoding="utf-8")
