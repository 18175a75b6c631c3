"""Zip files, unpacked once into Headstart's own folder, never beside the user's file."""

from __future__ import annotations

import errno
import hashlib
import shutil
import stat
import uuid
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from headstart.data.reading.table_limits import LIMITS
from headstart.errors import DataError, list_offenders
from headstart.home import make_writable_folder, move_into_place, remove_leftovers

_COPY_BYTES = 1 << 20
_ENCRYPTED = 0x1
_BAD_NAMES = {errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.EINVAL}


def unpack(path: Path) -> Path:
    """Unpack a zip file below `home()`, or find it unpacked already.

    Parameters
    ----------
    path : Path
        The zip file.

    Returns
    -------
    Path
        The folder `unpacked/<sha256 of the zip>`; it is there whole or not at all.

    Raises
    ------
    DataError
        The file is damaged, a member would leave the folder or is a link, or it would unpack to more than 20 GiB,
        a million files or 200 times its size.
    """
    with path.open("rb") as handle:
        name = hashlib.file_digest(handle, "sha256").hexdigest()
    target = make_writable_folder("unpacked") / name
    remove_leftovers(target.parent, ".*.partial")
    if target.is_dir() and _is_complete(path, target):
        return target
    shutil.rmtree(target, ignore_errors=True)
    partial = target.with_name(f".{name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        partial.mkdir(parents=True)
        _extract(path, partial)
        _move_into_place(partial, target)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DataError(f"{path}: the zip file is damaged ({error}).", "Make it again.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _is_complete(path: Path, folder: Path) -> bool:
    """Return whether every member lies in the folder in its full size."""
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        return all(_measure_file(_locate_member(folder, member)) == member.file_size for member in members)


def _measure_file(path: Path) -> int:
    try:
        return path.lstat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return -1


def _locate_member(folder: Path, member: zipfile.ZipInfo) -> Path:
    return folder.joinpath(*PurePosixPath(member.filename.replace("\\", "/")).parts)


def _move_into_place(partial: Path, target: Path) -> None:
    try:
        move_into_place(partial, target)
    except OSError:
        if not target.is_dir():  # another process was not simply faster
            raise


def _extract(path: Path, folder: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        _refuse_unsafe(path, members)
        for member in members:
            with archive.open(member) as source, _create_member_file(path, folder, member) as target:
                _copy(path, source, target, member.file_size)


def _create_member_file(path: Path, folder: Path, member: zipfile.ZipInfo) -> IO[bytes]:
    """Open the file that a member becomes; a name that no file can have is the zip's fault."""
    target = _locate_member(folder, member)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.open("wb")
    except OSError as error:
        if error.errno not in _BAD_NAMES:
            raise
        raise DataError(
            f"{path}: {member.filename[:100]} in the zip cannot be unpacked ({error.strerror}).",
            "Rename it and make the zip again.",
        ) from error


def _copy(path: Path, source: object, target: object, most_bytes: int) -> None:
    """Copy a member; one that holds more than it says is a bomb."""
    copied_bytes = 0
    while chunk := source.read(_COPY_BYTES):  # type: ignore[attr-defined]
        copied_bytes += len(chunk)
        if copied_bytes > most_bytes:
            raise DataError(f"{path}: a file in the zip is larger than the zip says.", "Make the zip again.")
        target.write(chunk)  # type: ignore[attr-defined]


def _refuse_unsafe(path: Path, members: list[zipfile.ZipInfo]) -> None:
    leaving_names = [member.filename for member in members if _leaves_folder(member)]
    if leaving_names:
        point = (
            "1 file in the zip points" if len(leaving_names) == 1 else f"{len(leaving_names)} files in the zip point"
        )
        raise DataError(
            f"{path}: {point} outside of it ({list_offenders(leaving_names)}).",
            "Make the zip again from a plain folder, without links.",
        )
    deep_names = [member.filename[:60] for member in members if member.filename.count("/") > LIMITS.zip_depth]
    if deep_names:
        raise DataError(
            f"{path}: folders in the zip are nested more than {LIMITS.zip_depth} deep ({list_offenders(deep_names)}).",
            "Make the zip again with fewer folders within folders.",
        )
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise DataError(f"{path}: the zip file is locked with a password.", "Unpack it yourself and give the folder.")
    total_bytes, packed_bytes = sum(member.file_size for member in members), max(1, path.stat().st_size)
    if (
        total_bytes > LIMITS.zip_bytes
        or len(members) > LIMITS.zip_files
        or (total_bytes > LIMITS.zip_small_bytes and total_bytes > LIMITS.zip_ratio * packed_bytes)
    ):
        raise DataError(
            f"{path}: the zip would unpack to {total_bytes / 2**20:,.0f} MB in {len(members):,} files, "
            "which is too large.",
            "Unpack it yourself and give the folder.",
        )


def _leaves_folder(member: zipfile.ZipInfo) -> bool:
    name = PurePosixPath(member.filename.replace("\\", "/"))
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    return is_link or name.is_absolute() or ".." in name.parts or any(":" in part for part in name.parts[:1])
