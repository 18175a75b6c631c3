"""Arrays on disk: one writer and one reader for every safetensors file of Headstart, and one writer of .npz files.

safetensors 0.8 writes the memory of an array as it lies, whatever its order (its issue 825). The writer therefore puts
every array in C order first, and notes a checksum of the values of each. The reader checks sizes before it allocates
anything, and distinguishes a damaged file (`DamagedArrays`) from one that cannot be read just now (`OSError`).
No other module may write arrays; what the arrays mean is not known here.
"""

from __future__ import annotations

import json
import math
import os
import re
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save, save_file

from headstart.home import write_whole

Array = NDArray[Any]
FORMAT = 1
"""Of what is noted in the header beside the arrays, as JSON under one key (the order of several is left to chance)."""
OWN_KEY, METADATA_KEY = "headstart_arrays", "__metadata__"
_SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")
MOST_HEADER_BYTES = 100_000_000
_DTYPES: dict[str, str] = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip
"""How values of each type lie in a file. Numpy has no BF16: it is the upper half of a float32."""


class DamagedArrays(ValueError):
    """A file that was read and does not hold what it should; the message names the file."""


@dataclass(frozen=True)
class ArraySpec:
    """Type and shape that an array in a file must have.

    Parameters
    ----------
    dtype : str
        Numpy's name of the type; several that are allowed are joined by "|".
    shape : tuple of int or str
        Sizes. A name stands for one size wherever it is used; "" for any size.
    finite : bool
        Whether every value must be a finite number.
    """

    dtype: str
    shape: tuple[int | str, ...]
    finite: bool = False


@dataclass(frozen=True)
class ArrayEntry:
    """Entry of an array in the header of a file: type in the file, shape, first and last byte of the data."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True)
class Header:
    """Header of a file, checked against the size of the file.

    Parameters
    ----------
    arrays : mapping of str to ArrayEntry
        With places counted from the beginning of the file.
    notes : mapping of str to str
        What `write_arrays` was given beside the arrays.
    checksums : mapping of str to int or None
        Of the values of each array; None in files that `write_arrays` did not write.
    """

    arrays: Mapping[str, ArrayEntry]
    notes: Mapping[str, str] = field(default_factory=dict)
    checksums: Mapping[str, int] | None = None


def write_arrays(path: Path, arrays: Mapping[str, Any], notes: Mapping[str, str] | None = None) -> None:
    """Write arrays to a safetensors file, whole or not at all; what is read back equals what was in memory.

    Parameters
    ----------
    path : Path
    arrays : mapping of str to array
        Of any memory order.
    notes : mapping of str to str or None
        Kept in the header of the file beside the checksums.
    """
    ordered, metadata = _prepare(arrays, notes or {})
    with write_whole(path) as partial:
        try:
            save_file(ordered, partial, metadata)
        except SafetensorError as error:  # It names the system's error in words only.
            number = _SYSTEM_ERROR.search(str(error))
            if number is None:
                raise
            raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error


def encode_arrays(arrays: Mapping[str, Any], notes: Mapping[str, str] | None = None) -> bytes:
    """Return the content of the file that `write_arrays` would write.

    Parameters
    ----------
    arrays : mapping of str to anything
        Array-likes, by name.
    notes : mapping of str to str or None
        Texts kept beside the arrays.
    """
    return bytes(save(*_prepare(arrays, notes or {})))


def _prepare(arrays: Mapping[str, Any], notes: Mapping[str, str]) -> tuple[dict[str, Array], dict[str, str]]:
    """Return the arrays in C order, and the metadata of the file."""
    ordered = {name: _convert_to_c_order(value) for name, value in arrays.items()}
    checksums = {name: _compute_checksum(value) for name, value in ordered.items()}
    return ordered, {OWN_KEY: json.dumps({"format": FORMAT, "crc32": checksums, "notes": dict(notes)})}


def _convert_to_c_order(value: Any) -> Array:
    """Return an array (an array-like, a tensor) in C order and in the byte order of the file; its shape stays."""
    array = np.asarray(value)
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _compute_checksum(array: Array) -> int:
    return zlib.crc32(array.reshape(-1).view(np.uint8).data) if array.size else 0


def read_header(path: Path) -> Header:
    """Read the header of a safetensors file and check every size in it against the size of the file.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OSError
        If the file cannot be read.
    DamagedArrays
        If it is not such a file, or not whole.
    """
    with path.open("rb") as handle:
        return _read_header(handle, path)


def _read_header(handle: IO[bytes], path: Path) -> Header:
    size = handle.seek(0, 2)
    handle.seek(0)
    n_bytes = int.from_bytes(handle.read(8), "little")
    if size < 8 or n_bytes > min(size - 8, MOST_HEADER_BYTES):
        raise DamagedArrays(f"{path} is not whole: it has {size:,} bytes and its header does not fit into them.")
    try:
        document = json.loads(handle.read(n_bytes).decode("utf-8"))
        own = json.loads(document.pop(METADATA_KEY, {}).get(OWN_KEY, "{}"))
        notes = {str(key): str(value) for key, value in own.get("notes", {}).items()}
        checksums = {str(key): int(value) for key, value in own["crc32"].items()} if "format" in own else None
        entries = {str(name): _read_entry(item, 8 + n_bytes) for name, item in document.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DamagedArrays(f"The header of {path} cannot be understood ({type(error).__name__}: {error}).") from error
    end = 8 + n_bytes
    for name, entry in sorted(entries.items(), key=lambda pair: (pair[1].start, pair[1].stop)):
        if entry.start != end:
            raise DamagedArrays(f"In {path} the array '{name}' does not begin where the one before it ends.")
        end = entry.stop
    if end != size:
        raise DamagedArrays(f"{path} has {size:,} bytes; its header describes {end:,}.")
    return Header(entries, notes, checksums if own.get("format") == FORMAT else None)


def _read_entry(item: Any, offset: int) -> ArrayEntry:
    """Return one entry of a header.

    Raises
    ------
    ValueError, TypeError, KeyError
        If it is not one, or its type, shape and place do not belong together.
    """
    shape, (start, stop) = tuple(item["shape"]), item["data_offsets"]
    if not all(type(number) is int and number >= 0 for number in (*shape, start, stop)):
        raise ValueError("sizes are not whole numbers of at least 0")
    if item["dtype"] not in _DTYPES:
        raise ValueError(f"values of the type {item['dtype']} are not read")
    n_bytes = math.prod(shape) * np.dtype(_DTYPES[item["dtype"]]).itemsize
    if stop - start != n_bytes:
        raise ValueError(f"an array of shape {list(shape)} takes {n_bytes:,} bytes, not {stop - start:,}")
    return ArrayEntry(item["dtype"], shape, offset + start, offset + stop)


def read_arrays(
    path: Path, specs: Mapping[str, ArraySpec] | None = None, *, names: Collection[str] | None = None,
    need_checksums: bool = False,
) -> dict[str, Array]:  # fmt: skip
    """Read arrays back and check them.

    Parameters
    ----------
    path : Path
    specs : mapping of str to ArraySpec or None
        Arrays that must be there, and what they must be; others are read and not checked.
    names : collection of str or None
        Which arrays are read; None: all.
    need_checksums : bool
        Refuse a file that `write_arrays` did not write. Checksums that are there are always compared.

    Returns
    -------
    dict of str to array
        In C order, and writable. BF16 comes as float32.

    Raises
    ------
    OSError
        If the file cannot be read.
    DamagedArrays
        If it is not whole, or an array is missing or not what it should be.
    """
    with path.open("rb") as handle:
        header = _read_header(handle, path)
        _require_specs(header, specs or {}, path)
        if need_checksums and header.checksums is None:
            raise DamagedArrays(f"{path} was not written by this version: it has no checksums.")
        arrays = {}
        for name, entry in header.arrays.items():
            if names is not None and name not in names:
                continue
            values = _read_values(handle, entry, path)
            if header.checksums is not None and header.checksums.get(name) != _compute_checksum(values):
                raise DamagedArrays(f"The values of '{name}' in {path} are not the ones that were written.")
            arrays[name] = _decode(values, entry)
    missing = sorted(set(names or ()) - set(arrays))
    if missing:
        raise DamagedArrays(f"{path} has no array '{missing[0]}'.")
    for name, spec in (specs or {}).items():
        if spec.finite and name in arrays and not np.isfinite(arrays[name]).all():
            raise DamagedArrays(f"'{name}' in {path} has values that are not finite numbers.")
    return arrays


def _read_values(handle: IO[bytes], entry: ArrayEntry, path: Path) -> Array:
    """Return the values as they lie in the file."""
    values = np.empty(entry.shape, dtype=_DTYPES[entry.dtype])
    handle.seek(entry.start)
    if values.size and handle.readinto(values.reshape(-1).view(np.uint8)) != values.nbytes:  # type: ignore[attr-defined]
        raise DamagedArrays(f"{path} ends before its header says.")
    return values


def _decode(values: Array, entry: ArrayEntry) -> Array:
    if entry.dtype != "BF16":
        return values
    return (values.astype(np.uint32) << np.uint32(16)).view(np.float32)


def _dtype_name(entry: ArrayEntry) -> str:
    return "float32" if entry.dtype == "BF16" else np.dtype(_DTYPES[entry.dtype]).name


def _require_specs(header: Header, specs: Mapping[str, ArraySpec], path: Path) -> None:
    """Compare names, types and shapes with what they must be, before a value is read."""
    sizes: dict[str, int] = {}
    for name, spec in specs.items():
        if name not in header.arrays:
            raise DamagedArrays(f"{path} has no array '{name}'.")
        entry = header.arrays[name]
        if _dtype_name(entry) not in spec.dtype.split("|"):
            raise DamagedArrays(f"'{name}' in {path} has the type {_dtype_name(entry)}, not {spec.dtype}.")
        if len(entry.shape) != len(spec.shape):
            raise DamagedArrays(f"'{name}' in {path} has {len(entry.shape)} axes, not {len(spec.shape)}.")
        for size, expected in zip(entry.shape, spec.shape, strict=True):
            if expected == "":
                continue
            expected_size = sizes.setdefault(expected, size) if isinstance(expected, str) else expected
            if size != expected_size:
                raise DamagedArrays(f"'{name}' in {path} has the shape {list(entry.shape)}, not {list(spec.shape)}.")


def map_array(path: Path, name: str, *, is_private: bool = False) -> Array:
    """Map one array of a file into memory without loading it; its checksum is not compared.

    Parameters
    ----------
    path : Path
    name : str
        Of an array in the file.
    is_private : bool
        Values may then be changed in memory; the file stays as it is. Else they are read-only.

    Raises
    ------
    OSError, DamagedArrays
        As `read_header`; also where there is no such array.
    """
    header = read_header(path)
    if name not in header.arrays:
        raise DamagedArrays(f"{path} has no array '{name}'.")
    entry = header.arrays[name]
    if math.prod(entry.shape) == 0:
        return np.empty(entry.shape, dtype=_DTYPES[entry.dtype])
    return np.memmap(path, np.dtype(_DTYPES[entry.dtype]), "c" if is_private else "r", entry.start, entry.shape)


def write_npz(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays to a compressed .npz file, in C order, whole or not at all.

    Parameters
    ----------
    path : Path
    arrays : mapping of str to anything
        Array-likes, by name.
    """
    with write_whole(path) as partial, partial.open("wb") as handle:
        np.savez_compressed(handle, **{name: _convert_to_c_order(value) for name, value in arrays.items()})  # type: ignore[arg-type]
