"""Messages of report and model card: `python tools/messages.py` collects them, and compiles what is translated.

Reads the code and the templates of `headstart.report` and `headstart.studio`, the titles and advice of the checks, the
changes of the counterfactuals, the summaries of the strategies and the facts of packaged base models, brings every
`locale/LANGUAGE/LC_MESSAGES/headstart.po` in step (new messages get an empty translation, old ones go) and writes the
`.mo` beside it, which the library reads. With `--check` nothing is written: it exits with 1 and names what is
missing, empty, left over or not compiled.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from headstart.bases.catalogue import CATALOGUE
from headstart.report import named
from headstart.results.spans import SPAN_NOTICES
from headstart.strategies import STRATEGIES

ROOM = Path(__file__).parents[1] / "src" / "headstart" / "report"
STUDIO = ROOM.parent / "studio"
LOCALE = ROOM / "locale"
EDITS = ROOM.parent / "modalities" / "pairs" / "edits.json"
PACKAGED = ("embedded", "shipped", "transform")
"""Sources of base models that need no download: what is recorded of these is translated, as their names are common."""
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2"), ("templates/**.md", "jinja2")]
OPTIONS = {
    pattern: {"trim_blocks": "true", "lstrip_blocks": "true"} for pattern, method in METHODS if method != "python"
}
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "message": None, "translate": None, "translate_html": None, "translate_count": (1, 2),
    "translate_count_html": (1, 2), "_": None, "_n": (1, 2),
    "_raw": None, "_text": None, "_forms": (1, 2),
}  # fmt: skip


def extract_messages() -> Catalog:
    """Return every message of code and templates, untranslated."""
    messages = Catalog(fuzzy=False)
    for room in (ROOM, STUDIO):
        for path, _, message, comments, context in extract_from_dir(room, METHODS, OPTIONS, KEYWORDS):
            messages.add(message, locations=[(path, 0)], auto_comments=comments, context=context)
    changes = [
        edit["says"]
        for edits in json.loads(EDITS.read_text("utf-8")).values()
        if isinstance(edits, list)
        for edit in edits
    ]
    summaries = [strategy.summary for strategy in STRATEGIES.values()]
    bases = [
        text
        for record in CATALOGUE.values()
        if record.source in PACKAGED
        for text in (record.training_data, record.known_biases)
    ]
    for text in (
        *named.FINDINGS.values(),
        *named.ADVICE.values(),
        *SPAN_NOTICES.values(),
        *changes,
        *summaries,
        *bases,
    ):
        messages.add(text)
    return messages


def read_catalog(path: Path) -> Catalog:
    """Return the translations of one language.

    Parameters
    ----------
    path : Path
        A `.po` file.
    """
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3], abort_invalid=True)


def list_faults(path: Path, messages: Catalog) -> list[str]:
    """Return what is wrong with the translations of one language, one fault a line.

    Parameters
    ----------
    path : Path
        A `.po` file.
    messages : Catalog
        As `extract_messages` returns them.
    """
    catalog = read_catalog(path)
    needed = {message.id for message in messages if message.id}
    stored = {message.id: message for message in catalog if message.id}
    faults = [f"{path}: no translation of {text!r}" for text in needed - set(stored)]
    faults += [f"{path}: nothing uses {text!r}" for text in set(stored) - needed]
    for message in stored.values():
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        if not all(forms) or message.fuzzy:
            faults.append(f"{path}: an empty or doubtful translation of {message.id!r}")
    compiled = path.with_suffix(".mo")
    if not compiled.is_file() or compiled.read_bytes() != compile_catalog(catalog):
        faults.append(f"{compiled}: not compiled from {path.name}; run python tools/messages.py")
    return sorted(faults)


def compile_catalog(catalog: Catalog) -> bytes:
    """Return the bytes of the `.mo` file.

    Parameters
    ----------
    catalog : Catalog
    """
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    return compiled.getvalue()


def write_catalog(path: Path, catalog: Catalog) -> None:
    """Write a `.po` file and its `.mo`.

    Parameters
    ----------
    path : Path
        The `.po` file.
    catalog : Catalog
    """
    with path.open("wb") as file:
        write_po(file, catalog, width=120, no_location=True, sort_output=True, ignore_obsolete=True)
    path.with_suffix(".mo").write_bytes(compile_catalog(read_catalog(path)))


def main() -> int:
    """Bring all languages in step, or check that they are; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if something is not in step")
    options = parser.parse_args()
    messages, paths = extract_messages(), sorted(LOCALE.glob("*/LC_MESSAGES/headstart.po"))
    if not options.check:
        for path in paths:
            catalog = read_catalog(path)
            catalog.update(messages, no_fuzzy_matching=True, update_creation_date=False)
            write_catalog(path, catalog)
    faults = [fault for path in paths for fault in list_faults(path, messages)]
    print("\n".join(faults) or f"{len(messages)} messages in {len(paths)} languages are in step.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
