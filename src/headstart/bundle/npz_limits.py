"""Read an .npz file within bounds: what its headers say is held against the file and a limit first."""

from __future__ import annotations

import ast
import struct
import zipfile
import zlib
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from headstart.bundle.file_names import make_printable
from headstart.bundle.records.schema import Misfit

MOST_ARRAYS, MOST_AXES, MOST_HEADER = 64, 8, 4_096
_MAGIC = b"\x93NUMPY"
_TYPES = frozenset(("<f2", "<f4", "<f8", "<i4", "<i8", "|u1", "|i1", "|b1", "<u4", "<u8"))
ARCHIVE_FAILURES: tuple[type[Exception], ...] = (
    zipfile.BadZipFile, zlib.error, struct.error, ValueError, OSError, EOFError, NotImplementedError, RuntimeError,
    KeyError, SyntaxError, RecursionError, MemoryError,
)  # fmt: skip
"""What reading damaged archives raises."""


def read_npz(path: Path, most_bytes: int) -> dict[str, NDArray[Any]]:
    """Return all arrays of an .npz file; numbers only, nothing is unpickled.

    Parameters
    ----------
    path : Path
    most_bytes : int
        Of all arrays together, unpacked.

    Raises
    ------
    Misfit
        It is damaged, holds something else, or states more than `most_bytes`, or than it holds.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            total = sum(member.file_size for member in members)
            if total > most_bytes or len(members) > MOST_ARRAYS:
                raise Misfit(f"{path.name}: it states {total / 1e6:,.0f} MB; {most_bytes / 1e6:,.0f} MB are the most")
            return {_name_of(path, member): _read_member(path, archive, member) for member in members}
    except Misfit:
        raise
    except ARCHIVE_FAILURES as error:
        raise Misfit(f"{path.name}: it is damaged ({type(error).__name__}: {make_printable(error, 100)})") from error


def _name_of(path: Path, member: zipfile.ZipInfo) -> str:
    name, _, suffix = member.filename.rpartition(".")
    if suffix != "npy" or not name.isidentifier():
        raise Misfit(f"{path.name}: {make_printable(member.filename)}: it is no array")
    return name


def _read_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(member) as handle:
        kind, sizes, in_columns, start = _read_header(handle)
        stated = prod(sizes) * np.dtype(kind).itemsize
        if start + stated != member.file_size:
            raise Misfit(f"{path.name}: {member.filename}: {sizes} numbers are stated, others are there")
        content = handle.read(stated)
    if len(content) != stated:
        raise Misfit(f"{path.name}: {member.filename}: it ends too early")
    return np.frombuffer(content, kind).reshape(sizes, order="F" if in_columns else "C").copy()


def _read_header(handle: IO[bytes]) -> tuple[str, tuple[int, ...], bool, int]:
    """Return type, sizes, whether columns come first, and where the numbers start."""
    first = handle.read(len(_MAGIC) + 2)
    if first[: len(_MAGIC)] != _MAGIC or first[len(_MAGIC) :] not in (b"\x01\x00", b"\x02\x00", b"\x03\x00"):
        raise ValueError("no array")
    width = 2 if first[-2] == 1 else 4
    size = int.from_bytes(handle.read(width), "little")
    if size > MOST_HEADER:
        raise ValueError("the header is too long")
    header = ast.literal_eval(handle.read(size).decode("latin-1").strip())
    kind, in_columns, sizes = header["descr"], header["fortran_order"], header["shape"]
    whole = isinstance(sizes, tuple) and all(type(one) is int and 0 <= one < 2**40 for one in sizes)
    if kind not in _TYPES or not whole or len(sizes) > MOST_AXES or not isinstance(in_columns, bool):
        raise ValueError("no array of numbers")
    return kind, sizes, in_columns, len(first) + width + size
