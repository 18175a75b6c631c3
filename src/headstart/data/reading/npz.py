"""NPZ files: what their headers say is held against what the file holds before any array is made."""

from __future__ import annotations

import math
import sys
import zipfile
import zlib
from pathlib import Path
from tokenize import TokenError
from typing import IO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from headstart.data.reading.table_limits import LIMITS, require_bytes
from headstart.errors import DataError

_SAVE_AGAIN = "Save it again with numpy.savez."
_DAMAGE_ERRORS = (
    OSError, KeyError, EOFError, ValueError, TypeError, IndexError, SyntaxError, TokenError, OverflowError, MemoryError,
    NotImplementedError, RecursionError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What zipfile and numpy raise on headers that are broken."""


def read_npz_arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read all arrays of an NPZ file.

    Parameters
    ----------
    path : Path

    Raises
    ------
    DataError
        The file is no NPZ file or damaged, an array holds Python objects, or a header says more than the file holds.
    """
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path} is not an npz file, or a damaged one.", _SAVE_AGAIN)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
            n_bytes = sum(member.file_size for member in members)
            require_bytes(path, n_bytes, LIMITS.array_bytes, "its content")
            if n_bytes > LIMITS.array_small_bytes and n_bytes > LIMITS.array_ratio * path.stat().st_size:
                raise DataError(
                    f"{path} unpacks to {n_bytes / 1e6:,.0f} MB, more than {LIMITS.array_ratio} times its size.",
                    "Its arrays are nearly empty: save only the rows that hold something.",
                )
            for member in members:
                with archive.open(member) as opened:
                    _require_consistent_header(path, member, opened)
        with np.load(path, allow_pickle=False) as arrays:
            return {name: _require_characters(arrays[name]) for name in list(arrays)}
    except _DAMAGE_ERRORS as error:
        raise DataError(f"{path}: the file is damaged ({' '.join(str(error).split())[:200]}).", _SAVE_AGAIN) from error


def _require_characters(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return an array; texts must be made of characters.

    Raises
    ------
    ValueError
        A number in a text stands for no character.
    """
    if array.dtype.kind == "U" and array.size and array.dtype.itemsize:
        code_points = np.ascontiguousarray(array).view(
            np.uint32 if array.dtype.isnative else f"{array.dtype.byteorder}u4"
        )
        if int(code_points.max()) > sys.maxunicode:
            raise ValueError("a text has an invalid character")
    return array


def _require_consistent_header(path: Path, member: zipfile.ZipInfo, opened: IO[bytes]) -> None:
    """Refuse an array whose header says more than is there, or that would have to be unpickled."""
    name = member.filename.removesuffix(".npy")
    version = npy.read_magic(opened)  # type: ignore[no-untyped-call]
    read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
    if read_header is None:
        raise DataError(f"{path}: the array {name} has a version that cannot be read ({version}).", _SAVE_AGAIN)
    shape, _, dtype = read_header(opened)  # type: ignore[no-untyped-call]
    if dtype.hasobject:
        raise DataError(
            f"{path} has arrays of Python objects. These are not opened, because they could run code.",
            "Save plain arrays: numpy.savez(path, X=X.astype('float32'), y=y.astype(str)).",
        )
    n_bytes = math.prod(shape) * dtype.itemsize
    if any(size < 0 for size in shape) or n_bytes > member.file_size:
        raise DataError(
            f"{path}: the file is damaged: the array {name} says {n_bytes:,} bytes (shape {shape}), the file holds "
            f"{member.file_size:,}.",
            _SAVE_AGAIN,
        )
