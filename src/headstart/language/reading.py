"""Raw text as people have it: text files, folders, a column of a table; without repeats, split by document."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from headstart import progress
from headstart.data.columns.names import ColumnSpec, find_column
from headstart.data.reading.decoding import read_text_file
from headstart.data.reading.table_files import NAMED_READERS, READERS, read_raw_table
from headstart.data.reading.tree import list_tree
from headstart.errors import DataError, OptionError
from headstart.language.settings import SETTINGS
from headstart.modalities.text import load_text
from headstart.records import Finding

PLAIN = frozenset({".txt", ".text", ".md"})
SUFFIXES = frozenset(READERS) | frozenset(NAMED_READERS) | PLAIN
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f]")


@dataclass(frozen=True)
class RawText:
    """Documents of one language.

    Parameters
    ----------
    documents : tuple of str
        In the order read; no two are equal but for letter case and spaces.
    n_read : int
        Documents before repeats were left out.
    n_repeated : int
        Documents, and lines of longer documents, left out because they stand earlier in the text.
    source : str
        Names of the files and of the columns read, for people.
    """

    documents: tuple[str, ...]
    n_read: int
    n_repeated: int
    source: str

    @property
    def n_characters(self) -> int:
        """Count the characters."""
        return sum(map(len, self.documents))


@dataclass(frozen=True)
class TextSplit:
    """Documents to learn from, to choose and stop by, and to measure on; no document stands in two of them."""

    train: tuple[str, ...]
    dev: tuple[str, ...]
    held: tuple[str, ...]


def read_raw_text(paths: Sequence[Path], column: str | None = None, encoding: str | None = None) -> RawText:
    """Read raw text.

    Parameters
    ----------
    paths : sequence of Path
        Text files (documents are parted by empty lines; without any, each line is one), tables (each row is one), and
        folders of both.
    column : str, optional
        The column of tables that holds the text; found by its name if not given.
    encoding : str, optional
        Of files that are not Unicode; found out if not given.

    Raises
    ------
    DataError
        A path is not there, holds no text, or a table has no text column.
    OptionError
        A column is asked for where there is no table.
    UnknownName
        The column asked for is not there.
    """
    files = [file for path in paths for file in _list_files(path)]
    if not files:
        raise DataError(
            f"No text was found in {', '.join(map(str, paths))}.", f"Give files of {', '.join(sorted(SUFFIXES))}."
        )
    if column and all(file.suffix.lower() in PLAIN for file in files):
        raise OptionError(f"--column {column} was given, but there is no table in the text.", "Leave --column out.")
    documents: list[str] = []
    names: list[str] = []
    for file in files:
        is_plain = file.suffix.lower() in PLAIN
        name, texts = ("", _read_plain_text(file, encoding)) if is_plain else _read_column(file, column, encoding)
        names.append(f"{file.name} (column {name})" if name else file.name)
        documents += texts
    unique_documents, repeated = _drop_repeats(documents)
    if not unique_documents:
        raise DataError(f"{files[0]}: there is no text in it.", "Check that this is the right file.")
    source = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return RawText(tuple(unique_documents), len(documents), repeated, source)


def _list_files(path: Path) -> list[Path]:
    if path.is_dir():
        tree = list_tree(path)
        return [tree.locate(file) for file in tree.list_files(SUFFIXES - frozenset(NAMED_READERS))]
    if not path.is_file():
        raise DataError(f"There is nothing at {path}.", "Check the path.")
    if path.suffix.lower() not in SUFFIXES:
        raise DataError(
            f"{path}: files of this type cannot be read as raw text.", f"Give one of {', '.join(sorted(SUFFIXES))}."
        )
    return [path]


def _read_plain_text(path: Path, encoding: str | None) -> list[str]:
    raw, findings = read_text_file(path, encoding)
    _warn(findings)
    sample = raw[: SETTINGS.control_sample]
    if len(_CONTROL.findall(sample)) > SETTINGS.max_control_share * len(sample):
        raise DataError(f"{path} has no text.", "Check that this is the right file, or leave it out.")
    whole = load_text(raw, {}).replace("\r\n", "\n").replace("\r", "\n").strip()
    parts = re.split(r"\n[ \t]*\n+", whole)
    return parts if len(parts) > 1 else whole.split("\n")


def _warn(findings: Sequence[Finding]) -> None:
    for item in findings:
        if item.severity == "warn":
            progress.warn(f"{item.summary} {item.advice}")


def _read_column(path: Path, column: str | None, encoding: str | None) -> tuple[str, list[str]]:
    """Return the name of the column and its texts."""
    sheet = read_raw_table(path, encoding)
    _warn(sheet.findings)
    name = find_column(sheet.names, "text", ColumnSpec(columns={"text": column} if column else {}), f" in {sheet.name}")
    if name is None and len(sheet.names) == 1:
        name = sheet.names[0]
    if name is None:
        raise DataError(
            f"{path}: no column has a usual name for texts (columns: {', '.join(sheet.names[:20])}).",
            "Name it with --column NAME.",
        )
    return name, [load_text(text, {}) for text in sheet.texts(name)]


def _drop_repeats(texts: Sequence[str]) -> tuple[list[str], int]:
    """Return documents without repeats (of whole documents, and of longer lines of several); long ones are cut."""
    seen: set[bytes] = set()
    wholes: list[str] = []
    repeated = 0
    for text in texts:
        rows = [row.strip() for row in text.split("\n") if row.strip()]
        alone = len(rows) == 1
        if not alone:
            fresh = [row for row in rows if len(row) < SETTINGS.repeated_line_characters or _is_new(row, seen)]
            repeated += len(rows) - len(fresh)
            rows = fresh
        whole = "\n".join(rows)
        known_new = not alone and len(rows) == 1 and len(whole) >= SETTINGS.repeated_line_characters
        if whole and (known_new or _is_new(whole, seen)):
            wholes.append(whole)
        elif whole:
            repeated += 1
    unique_documents: list[str] = []
    longest = _choose_document_length(wholes)
    for whole in wholes:
        parts = list(_cut_document(whole, longest))
        fresh = parts if len(parts) == 1 else [piece for piece in parts if _is_new(piece, seen)]
        repeated += len(parts) - len(fresh)
        unique_documents += fresh
    return unique_documents, repeated


def _choose_document_length(texts: Sequence[str]) -> int:
    """Return where documents are cut: shorter if there are few, so that there are enough to hold some out."""
    if sum(-(-len(text) // SETTINGS.document_characters) for text in texts) >= SETTINGS.few_documents:
        return SETTINGS.document_characters
    return min(
        max(sum(map(len, texts)) // SETTINGS.enough_documents, SETTINGS.shortest_cut), SETTINGS.document_characters
    )


def _is_new(text: str, seen: set[bytes]) -> bool:
    key = hashlib.blake2b(" ".join(text.casefold().split()).encode("utf-8", "replace"), digest_size=12).digest()
    if key in seen:
        return False
    seen.add(key)
    return True


def _cut_document(text: str, longest: int) -> Iterator[str]:
    start = 0
    while len(text) - start > longest:
        least, most = start + longest // 2, start + longest
        at = max(text.rfind(mark, least, most) for mark in "\n ")
        at = at if at > 0 else most
        piece = text[start:at].strip()
        if piece:
            yield piece
        start = at
    piece = text[start:].strip()
    if piece:
        yield piece


def require_enough_text(raw: RawText) -> None:
    """Refuse text that is too little to learn a language from.

    Parameters
    ----------
    raw : RawText

    Raises
    ------
    DataError
        Saying how much there is and how much is needed.
    """
    if raw.n_characters < SETTINGS.min_characters or len(raw.documents) < SETTINGS.min_documents:
        repeated = f" ({raw.n_repeated:,} repeated ones were left out)" if raw.n_repeated else ""
        raise DataError(
            f"{raw.source}: {raw.n_characters:,} characters in {len(raw.documents):,} documents{repeated} are too "
            "few to adapt a base model to a language.",
            f"At least {SETTINGS.min_characters:,} characters in {SETTINGS.min_documents} documents "
            "(paragraphs, lines or rows) are needed; a million characters or more are advised.",
        )


def split_documents(raw: RawText, seed: int) -> TextSplit:
    """Split documents by a hash of their content: the same documents fall on the same side, in any order.

    Parameters
    ----------
    raw : RawText
    seed : int
        Another seed gives another split.

    Returns
    -------
    Split
        About a tenth is held out (at most 300,000 characters), a twentieth chooses (at most 60,000), the rest trains.
    """
    order = sorted(raw.documents, key=lambda text: hashlib.sha256(f"{seed}|{text}".encode("utf-8", "replace")).digest())
    total = raw.n_characters
    held, rest = _cut_at(order, min(SETTINGS.held_out_share * total, SETTINGS.max_held_out))
    dev, train = _cut_at(rest, min(SETTINGS.dev_share * total, SETTINGS.max_dev))
    return TextSplit(tuple(train), tuple(dev), tuple(held))


def halve_documents(raw: RawText, seed: int) -> tuple[list[str], list[str]]:
    """Split documents into two halves of about as many characters each, by a hash of their content."""
    order = sorted(raw.documents, key=lambda text: hashlib.sha256(f"{seed}|{text}".encode("utf-8", "replace")).digest())
    return _cut_at(order, raw.n_characters / 2)


def _cut_at(texts: Sequence[str], n_characters: float) -> tuple[list[str], list[str]]:
    total, at = 0, 0
    while at < len(texts) - 1 and total < n_characters:
        total += len(texts[at])
        at += 1
    return list(texts[:at]), list(texts[at:])
