"""Text files, read with the standard library alone: `predict.py` carries this very code along.

Nothing here guesses: the encoding is a byte order mark, UTF-16 by its zero bytes, or UTF-8; all else is None and is
guessed, named by the user or refused elsewhere.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# --- code ---


BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
HEAD_BYTES, CHUNK_BYTES = 1 << 16, 1 << 20
LONGEST_LINE = 20_000_000
BROKEN_SHARE = 0.05
"""A file with fewer broken bytes, as a share of what is not ASCII, is UTF-8 all the same."""
CONTROL_SHARE = ZERO_SHARE = 0.02
FEWEST_ZEROS = 3
CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


class TextProblem(ValueError):
    """A problem of a text file, and what to do about it."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(f"{problem} {hint}")
        self.problem, self.hint = problem, hint


class CertainEncoding(NamedTuple):
    """An encoding that is no guess, and the number of characters that are broken in it."""

    name: str
    n_broken: int


def read_head(path: Path) -> bytes:
    """Return the first bytes of a file."""
    with path.open("rb") as handle:
        return handle.read(HEAD_BYTES)


def detect_byte_order_mark(head: bytes) -> CertainEncoding | None:
    """Return the encoding that a byte order mark names; None where there is no mark."""
    names = [name for byte_order_mark, name in BYTE_ORDER_MARKS if head.startswith(byte_order_mark)]
    return CertainEncoding(names[0], 0) if names else None


def detect_certain_encoding(path: Path) -> CertainEncoding | None:
    """Return the encoding of a text file and the number of its broken characters; None where it cannot be known.

    Parameters
    ----------
    path : Path

    Raises
    ------
    TextProblem
        The file holds no text.
    """
    head = read_head(path)
    marked = detect_byte_order_mark(head)
    if marked is not None:
        return marked
    utf16 = detect_utf16(head)
    if utf16 is not None:
        return CertainEncoding(utf16, 0)
    sample = head.decode("utf-8", "replace")
    if len(CONTROL_CHARACTERS.findall(sample)) > CONTROL_SHARE * len(sample):
        raise TextProblem(f"{path} has no text.", "Check that this is the right file.")
    n_broken, n_non_ascii = count_broken_characters(path)
    return CertainEncoding("utf-8", n_broken) if n_broken == 0 or n_broken < BROKEN_SHARE * n_non_ascii else None


def detect_certain_unicode(path: Path) -> CertainEncoding | None:
    """Return the Unicode encoding of a file with a byte order mark, or of one that is whole UTF-8 and not ASCII.

    Parameters
    ----------
    path : Path
    """
    marked = detect_byte_order_mark(read_head(path))
    if marked is not None:
        return marked
    n_broken, n_non_ascii = count_broken_characters(path)
    return CertainEncoding("utf-8", 0) if n_non_ascii and not n_broken else None


def detect_utf16(head: bytes) -> str | None:
    """Return UTF-16 of some byte order where zero bytes stand at every other place only; None where they do not."""
    head = head[: len(head) // 2 * 2]
    zeros = [head[start::2].count(0) for start in (0, 1)]
    if max(zeros) < max(FEWEST_ZEROS, ZERO_SHARE * len(head) / 2) or min(zeros) > 0.05 * max(zeros):
        return None
    name = "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
    text = head.decode(name, "replace")
    n_odd = text.count("\ufffd") + len(CONTROL_CHARACTERS.findall(text))
    is_parted = max(zeros) > 0.9 * len(text) or any(
        separator in text for separator in " \n,;\t"
    )  # A stray zero parts nothing.
    return name if is_parted and n_odd <= 1 + CONTROL_SHARE * len(text) else None


def count_broken_characters(path: Path) -> tuple[int, int]:
    """Count the characters of a file that are not UTF-8, and those that are not ASCII."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    n_broken = n_non_ascii = 0
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK_BYTES):
            text = decoder.decode(chunk)
            if not text.isascii():
                n_broken += text.count("\ufffd")
                n_non_ascii += sum(map(len, re.findall(r"[^\x00-\x7f]+", text)))
    return n_broken + decoder.decode(b"", final=True).count("\ufffd"), n_non_ascii


class TextFormat(NamedTuple):
    """The way a table is written as text.

    Parameters
    ----------
    encoding : str
    errors : str
        As `open` takes them.
    separator : str
        What stands between the cells of a table.
    literal_quotes : bool
        Quotation marks are letters.
    n_skipped : int
        Lines before the header ("sep=;").
    """

    encoding: str
    errors: str = "strict"
    separator: str = ","
    literal_quotes: bool = False
    n_skipped: int = 0

    @property
    def decimal_comma(self) -> bool:
        """Return whether "1,5" may be a number: the comma is not the separator."""
        return self.separator != ","


def read_lines(path: Path, text_format: TextFormat) -> Iterator[str]:
    """Yield the lines with their ends.

    Parameters
    ----------
    path : Path
    text_format : TextFormat
        Only its encoding counts.

    Raises
    ------
    TextProblem
        A line is too long to be a row of a table, or a byte cannot be decoded.
    """
    number = 0
    with path.open(encoding=text_format.encoding, errors=text_format.errors, newline="") as handle:
        while True:
            try:
                line = handle.readline(LONGEST_LINE + 1)
            except UnicodeError as error:
                raise TextProblem(
                    f"{path}: what follows line {number} is not {text_format.encoding}.",
                    "Name the encoding that the file was saved in with --encoding, or save it as UTF-8.",
                ) from error
            if not line:
                return
            number += 1
            if len(line) > LONGEST_LINE:
                raise TextProblem(
                    f"{path}: line {number} has more than {LONGEST_LINE:,} characters.",
                    "Check that this is a table with a line for each row.",
                )
            yield line


def read_text(path: Path, encoding: str, errors: str = "strict") -> str:
    """Return a whole text file, with line ends as Python writes them.

    Parameters
    ----------
    path : Path
    encoding : str
    errors : str
        As `open` takes it.
    """
    text = "".join(read_lines(path, TextFormat(encoding, errors)))
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").removeprefix("\ufeff")
