"""Markdown tables, and the pages they are kept on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

HEAD = "# {subject}\n\nWritten by `make bench`; see docs/explanation/benchmarks.md. Do not edit by hand.\n"


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


def subject_of(title: str) -> str:
    """Return what a section is about: its title up to the colon."""
    return title.partition(":")[0].strip()


def page_of(folder: Path, title: str) -> Path:
    """Return the page of a section: one page a subject."""
    return folder / (re.sub(r"[^a-z0-9]+", "-", subject_of(title).lower()).strip("-") + ".md")


def replace_section(text: str, title: str, body: str) -> str:
    """Put `body` under the second-level heading `title`, in place of what was there."""
    parts = (text or HEAD.format(subject=subject_of(title))).split("\n## ")
    others = [part for part in parts[1:] if part.split("\n", 1)[0] != title]
    return "\n## ".join([parts[0].rstrip() + "\n", *[part.rstrip() + "\n" for part in others], f"{title}\n\n{body}\n"])


def keep(folder: Path, title: str, body: str) -> None:
    """Print a section and keep it on the page of its subject, in place of its last state."""
    print(f"\n## {title}\n\n{body}\n", flush=True)
    write_section(folder, title, body)


def write_section(folder: Path, title: str, body: str) -> None:
    """Write a section on the page of its subject, in place of its last state; braces mean that a figure is missing."""
    if braces := re.search(r"\{[^}\n]*\}", body):
        raise ValueError(f"{braces.group()} stands where a figure belongs.")
    page = page_of(folder, title)
    before = page.read_text(encoding="utf-8") if page.is_file() else ""
    folder.mkdir(parents=True, exist_ok=True)
    page.write_text(replace_section(before, title, body), encoding="utf-8")
