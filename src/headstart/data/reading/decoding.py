"""Encoding of a text file: certain, named by the user, or guessed with a confidence."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from headstart.data.reading import plain_text
from headstart.data.reading.encodings import guess_encoding, read_sample, require_clear_encoding
from headstart.data.reading.plain_text import CertainEncoding, TextFormat, TextProblem
from headstart.data.reading.table_limits import LIMITS, require_bytes
from headstart.errors import DataError, OptionError
from headstart.plain_files import require_plain
from headstart.records import Finding
from headstart.results.findings import make_finding


@dataclass(frozen=True)
class Decoding:
    """The encoding of one text file, and findings on it."""

    encoding: str
    errors: str = "strict"
    findings: tuple[Finding, ...] = ()

    @property
    def text_format(self) -> TextFormat:
        """The same, as `plain_text` takes it."""
        return TextFormat(self.encoding, self.errors)


@contextmanager
def as_data_errors() -> Iterator[None]:
    """Turn what `plain_text` raises into a `DataError`."""
    try:
        yield
    except TextProblem as problem:
        raise DataError(problem.problem, problem.hint) from problem


def require_encoding(name: str) -> str:
    """Return the name of an encoding, or refuse what is none.

    Raises
    ------
    OptionError
        Python knows no encoding of texts of that name.
    """
    try:
        "".encode(name)
    except (LookupError, UnicodeError, ValueError) as error:
        raise OptionError(
            f"--encoding {name}: there is no encoding of that name.",
            "Name one such as utf-8, windows-1251, windows-1252, shift-jis, gb18030 or mac-roman.",
        ) from error
    return codecs.lookup(name).name


def find_encoding(path: Path, encoding: str | None = None) -> Decoding:
    """Find the encoding of a text file.

    Parameters
    ----------
    path : Path
    encoding : str, optional
        The one that the user named; it must fit.

    Returns
    -------
    Decoding
        A UTF-8 file with a few broken bytes stays UTF-8; those become the replacement character.

    Raises
    ------
    DataError
        The file holds no text, or its encoding cannot be known.
    """
    require_plain(path)
    require_bytes(path, path.stat().st_size, LIMITS.text_bytes)
    name = None if encoding is None else require_encoding(encoding)
    with as_data_errors():
        certain = plain_text.detect_certain_encoding(path) if name is None else plain_text.detect_certain_unicode(path)
    if name is not None:
        return _use_named_encoding(path, name, certain)
    if certain is None:
        sample = read_sample(path)
        guess = require_clear_encoding(path, guess_encoding(sample), sample)
        script = f"{guess.language} letters, " if guess.language else ""
        summary = f"{path.name} is not UTF-8; it was read as {guess.name} ({script}{guess.confidence:.0%} sure)."
        severity = "note" if guess.confidence >= LIMITS.clear_confidence else "warn"
        return Decoding(
            guess.encoding,
            "replace",
            (make_finding("encoding", summary, severity=severity),),
        )
    name, n_broken = certain
    if not n_broken:
        return Decoding(name, "replace")
    are = "1 character that is" if n_broken == 1 else f"{n_broken} characters that are"
    summary = f"{path.name} has {are} not UTF-8; they were replaced by �."
    return Decoding(name, "replace", (make_finding("encoding", summary),))


def _use_named_encoding(path: Path, name: str, certain: CertainEncoding | None) -> Decoding:
    """Use the encoding that the user named, but for a file that is Unicode beyond doubt."""
    if certain is None or codecs.lookup(certain.name).name.removesuffix("-sig") == name:
        return Decoding(name if certain is None else certain.name)
    summary = f"{path.name} is {certain.name.removesuffix('-sig').upper()}; --encoding {name} was not used for it."
    note = make_finding("encoding", summary, advice="nothing-if-right")
    return Decoding(certain.name, "replace", (note,))


def find_text_format(path: Path, encoding: str | None = None) -> TextFormat:
    """Return the encoding of a text file, as `plain_text` takes it.

    Parameters
    ----------
    path : Path
    encoding : str, optional
    """
    return find_encoding(path, encoding).text_format


def read_lines(path: Path, text_format: TextFormat) -> Iterator[str]:
    """Yield the lines of a text file with their ends.

    Parameters
    ----------
    path : Path
    text_format : TextFormat

    Raises
    ------
    DataError
        A line is too long, or a byte is not of the encoding that was named.
    """
    with as_data_errors():
        yield from plain_text.read_lines(path, text_format)


def read_text_file(path: Path, encoding: str | None = None) -> tuple[str, tuple[Finding, ...]]:
    """Read a whole text file; returns the text, and findings on its encoding.

    Parameters
    ----------
    path : Path
    encoding : str, optional

    Raises
    ------
    DataError
        As `find_encoding` and `read_lines` do.
    """
    decoding = find_encoding(path, encoding)
    with as_data_errors():
        return plain_text.read_text(path, decoding.encoding, decoding.errors), decoding.findings
