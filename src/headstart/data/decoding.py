"""How a text file is written: its encoding, its separator, its decimal sign. Found by looking, never asked for."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATORS = ",;\t|"
_SAMPLE_CHARACTERS, _SAMPLE_ROWS = 1 << 18, 100
_CHUNK_BYTES = 1 << 20
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True)
class Writing:
    """How one text file is written."""

    encoding: str
    errors: str = "strict"
    separator: str = ","
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL
    skipped: int = 0

    @property
    def decimal_comma(self) -> bool:
        """Whether "1,5" may be a number (the comma is not the separator)."""
        return self.separator != ","


def encoding_of(path: Path) -> Writing:
    """Find the encoding: a byte order mark, UTF-16 by its zero bytes, UTF-8 where it fits, else Windows-1252.

    A UTF-8 file with a few broken bytes stays UTF-8; those become the replacement character.
    """
    with path.open("rb") as handle:
        head = handle.read(4096)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return Writing(name, "replace")
    zeros = [head[start::2].count(0) / max(1, len(head) // 2) for start in (0, 1)]
    if max(zeros) > 0.3:
        return Writing("utf-16-le" if zeros[1] > zeros[0] else "utf-16-be", "replace")
    return _eight_bit(path)


def _eight_bit(path: Path) -> Writing:
    if _is_utf8(path):
        return Writing("utf-8")
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    broken = foreign = 0
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK_BYTES):
            text = decoder.decode(chunk)
            broken += text.count("\ufffd")
            foreign += 0 if text.isascii() else sum(map(len, re.findall(r"[^\x00-\x7f]+", text)))
    broken += decoder.decode(b"", final=True).count("\ufffd")
    return Writing("utf-8", "replace") if broken < 0.05 * foreign else Writing("cp1252", "replace")


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    with path.open("rb") as handle:
        try:
            while chunk := handle.read(_CHUNK_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def writing_of(path: Path) -> Writing:
    """Find encoding, separator and quoting of a table."""
    known = encoding_of(path)
    with path.open(encoding=known.encoding, errors=known.errors, newline="") as handle:
        sample = handle.read(_SAMPLE_CHARACTERS)
    named = re.match(r"sep=(.)\r?\n", sample)
    skipped = 1 if named else 0
    whole = sample[named.end() :] if named else sample
    if len(sample) == _SAMPLE_CHARACTERS:
        whole = whole[: whole.rfind("\n") + 1]
    separator = named[1] if named else max(_SEPARATORS, key=lambda mark: _regularity(whole, mark))
    found = Writing(known.encoding, known.errors, separator, csv.QUOTE_MINIMAL, skipped)
    if separator == "\t" and _has_stray_quotes(path, found):
        return Writing(known.encoding, known.errors, separator, csv.QUOTE_NONE, skipped)
    return found


def _regularity(text: str, separator: str) -> tuple[float, int]:
    """Share of rows with as many cells as the first row, and that number; (0, 0) if it never separates."""
    rows = islice((row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if row), _SAMPLE_ROWS)
    counts = [len(row) for row in rows]
    if not counts or counts[0] < 2:
        return 0.0, 0
    return sum(count == counts[0] for count in counts) / len(counts), counts[0]


def _has_stray_quotes(path: Path, writing: Writing) -> bool:
    """Whether a tab-separated file uses quotation marks as letters: every line is a full row, some quotes are odd."""
    odd, cells = False, 0
    for line in lines(path, writing):
        if not line.strip():
            continue
        cells = cells or line.count("\t")
        if line.count("\t") != cells:
            return False
        odd = odd or line.count('"') % 2 == 1
    return odd


def lines(path: Path, writing: Writing) -> Iterator[str]:
    """Give the lines of the file with their ends, without those before the header."""
    with path.open(encoding=writing.encoding, errors=writing.errors, newline="") as handle:
        yield from islice(handle, writing.skipped, None)
