"""What is done with whole projects: make, copy, export and import as a zip, delete to a bin and take back, examples."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import tempfile
import unicodedata
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from lzma import LZMAError
from pathlib import Path, PurePosixPath

from headstart import demo, progress
from headstart.errors import DataError, OptionError
from headstart.flow.projects.adding import add_data
from headstart.options import AddDataOptions, parse
from headstart.projects import Project, is_project
from headstart.projects.places import MADE_AGAIN, ORIGINALS
from headstart.projects.transfer import copy_database, is_inside, list_outside_files, secure_database, set_paths

BIN = ".bin"
"""Folder of deleted projects, below that of the projects."""
_DATABASE_FILES = ("project.sqlite", "project.sqlite-wal", "project.sqlite-shm")
_DAMAGES = (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What reading a zip raises that is damaged, or has a password."""
_NAME_ERRORS = {errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ}
"""What a disk answers where two names are one on it, or a name is none."""
_MOST_FILES = 1_000_000
_SPARE_BYTES = 200_000_000
_RESERVED = {"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))}
DEMO_GROUPS: dict[str, tuple[str, ...]] = {"image": (), "text": ("language", "district"), "series": ("site",)}
"""Columns of the demo data by which results are compared."""


@dataclass(frozen=True, kw_only=True)
class DeletedProject:
    """A project in the bin.

    Parameters
    ----------
    id : str
        Name of its folder in the bin.
    name : str
    at : str
        When it was deleted (UTC).
    n_bytes : int
    """

    id: str
    name: str
    at: str
    n_bytes: int


def choose_folder(projects_folder: Path, name: str) -> Path:
    """Return a folder for a new project, named like it and not there yet; it is not made.

    Parameters
    ----------
    projects_folder : Path
    name : str
        As people write it.

    Examples
    --------
    >>> choose_folder(Path("projects"), "Maïs: leaves/2024 ").name
    'Maïs-leaves-2024'
    """
    plain = unicodedata.normalize("NFC", name)
    stem = re.sub(r"[^\w]+", "-", plain).strip("-_")[:60].strip("-_") or "project"
    stem = f"{stem}-1" if stem.lower() in _RESERVED else stem
    number, folder = 1, projects_folder / stem
    while folder.exists():
        number += 1
        folder = projects_folder / f"{stem}-{number}"
    return folder


def create_project(projects_folder: Path, name: str) -> Project:
    """Make an empty project.

    Parameters
    ----------
    projects_folder : Path
    name : str

    Raises
    ------
    OptionError
        The name is empty, or the folder cannot be made.
    """
    with _make_whole(projects_folder, name) as folder:
        Project.create(folder, name).close()
    return Project.open(_finish(folder, projects_folder, name))


def create_demo_project(projects_folder: Path, name: str, modality: str) -> Project:
    """Make a project of one of the demo data sets, without a network.

    Parameters
    ----------
    projects_folder : Path
    name : str
    modality : "image", "text" or "series"
    """
    with _make_whole(projects_folder, name) as folder, tempfile.TemporaryDirectory() as data:
        path = demo.write_demo_data(Path(data))[modality]
        with Project.create(folder, name) as project:
            add_data(project, path, parse(AddDataOptions, copy_files=True))
            project.set_setting("group_columns", list(DEMO_GROUPS[modality]))
            project.set_setting("demo", modality)
    return Project.open(_finish(folder, projects_folder, name))


def copy_project(project: Project, projects_folder: Path, name: str) -> Project:
    """Copy a project with its labels and models; files that lie elsewhere stay there.

    Parameters
    ----------
    project : Project
    projects_folder : Path
    name : str
        Of the copy.
    """
    with _make_whole(projects_folder, name) as folder:
        _copy_files(project.folder, folder)
        copy_database(project.folder, folder)
    copied = Project.open(_finish(folder, projects_folder, name))
    copied.name = name
    return copied


def export_project(project: Project, path: Path) -> None:
    """Write a project as a zip, with the files of its examples wherever they lie.

    Parameters
    ----------
    project : Project
    path : Path
        Of the zip; written whole or not at all.
    """
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        with tempfile.TemporaryDirectory(dir=path.parent) as work, zipfile.ZipFile(partial, "w") as archive:
            copy_database(project.folder, Path(work))
            outside = {number: file for number, file in list_outside_files(project.folder).items() if file.is_file()}
            names = {number: f"{ORIGINALS}/outside-{number}{file.suffix.lower()}" for number, file in outside.items()}
            set_paths(Path(work), names)
            files = [(file, file.relative_to(project.folder).as_posix()) for file in _list_files(project.folder)]
            files += [(outside[number], names[number]) for number in outside]
            files.append((Path(work) / _DATABASE_FILES[0], _DATABASE_FILES[0]))
            with progress.open_bar("zip", len(files), "files") as bar:
                for file, name in files:
                    stored = file.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp", ".zip", ".safetensors")
                    archive.write(file, name, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
                    bar.advance()
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def import_project(path: Path, projects_folder: Path) -> Project:
    """Make a project of a zip that `export_project` wrote, on this machine or another.

    Parameters
    ----------
    path : Path
    projects_folder : Path

    Raises
    ------
    DataError
        It is no zip of a project, is damaged, or takes more room than there is.
    """
    with _make_whole(projects_folder, "imported") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                _extract(archive, folder)
        except (*_DAMAGES, OSError) as error:
            if isinstance(error, OSError) and error.errno not in _NAME_ERRORS:
                raise
            raise DataError("This zip is damaged.", "Export the project once more.") from error
        secure_database(folder)
        with Project.open(folder) as project:
            name = project.name
    return Project.open(_finish(folder, projects_folder, name))


def _extract(archive: zipfile.ZipFile, folder: Path) -> None:
    """Write the members of a zip below a folder, and nothing anywhere else."""
    members = [item for item in archive.infolist() if not item.is_dir()]
    roots = [item.filename for item in members if PurePosixPath(item.filename).name == _DATABASE_FILES[0]]
    if not roots:
        raise DataError("This zip holds no project.", "Choose a zip that Studio exported; data is added on Examples.")
    prefix = min(roots, key=len).removesuffix(_DATABASE_FILES[0])
    inner = [item for item in members if item.filename.startswith(prefix)]
    inner = [item for item in inner if item.filename.removeprefix(prefix).split("/")[0] not in MADE_AGAIN]
    n_bytes = sum(item.file_size for item in inner)
    if len(inner) > _MOST_FILES or n_bytes + _SPARE_BYTES > shutil.disk_usage(folder).free:
        raise DataError(f"The project takes {n_bytes / 1e6:,.0f} MB, and the disk has less.", "Free some space.")
    with progress.open_bar("unzip", len(inner), "files") as bar:
        for item in inner:
            name = item.filename.removeprefix(prefix)
            is_link = stat.S_ISLNK(item.external_attr >> 16)
            if not is_inside(name) or is_link or name in _DATABASE_FILES[1:] or ":" in name or "\\" in name:
                raise DataError("This zip holds names that no project has.", "Export the project once more.")
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(item) as source, target.open("xb") as file:
                left = item.file_size
                while block := source.read(min(1 << 20, left + 1)):
                    left -= len(block)
                    if left < 0:
                        raise DataError("This zip is damaged.", "Export the project once more.")
                    file.write(block)
            bar.advance()


def delete_project(project: Project) -> DeletedProject:
    """Move a project into the bin; nothing of it is lost.

    Parameters
    ----------
    project : Project
        Closed afterwards.

    Raises
    ------
    OptionError
        A job of it is at work.
    """
    if project.list_jobs(("running",)):
        raise OptionError(f"{project.name} is learning at the moment.", "Stop that first.")
    for job in project.list_jobs(("queued",)):
        project.update_job(job.id, "cancelled")
    folder = project.folder
    project.close()
    place = folder.parent / BIN
    place.mkdir(exist_ok=True)
    target = place / f"{folder.name}--{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    folder.rename(target)
    return _describe_deleted(target)


def list_bin(projects_folder: Path) -> list[DeletedProject]:
    """Return the deleted projects, the newest first.

    Parameters
    ----------
    projects_folder : Path
    """
    place = projects_folder / BIN
    folders = [folder for folder in place.iterdir() if is_project(folder)] if place.is_dir() else []
    return sorted(map(_describe_deleted, folders), key=lambda item: item.at, reverse=True)


def restore_project(projects_folder: Path, deleted: str) -> Project:
    """Take a project out of the bin.

    Parameters
    ----------
    projects_folder : Path
    deleted : str
        Its id there.

    Raises
    ------
    OptionError
        The bin has none of this id.
    """
    folder = _find_deleted(projects_folder, deleted)
    target = choose_folder(projects_folder, folder.name.rpartition("--")[0])
    folder.rename(target)
    return Project.open(target)


def erase_project(projects_folder: Path, deleted: str) -> None:
    """Delete a project of the bin for good.

    Parameters
    ----------
    projects_folder : Path
    deleted : str
        Its id there.
    """
    folder = _find_deleted(projects_folder, deleted)
    if folder.is_symlink():  # The project itself lies elsewhere, by somebody's choice.
        folder.unlink()
    else:
        shutil.rmtree(folder)


def _find_deleted(projects_folder: Path, deleted: str) -> Path:
    places = {item.id: projects_folder / BIN / item.id for item in list_bin(projects_folder)}
    if deleted not in places:
        raise OptionError("There is no such project in the bin.", "Open the bin again.")
    return places[deleted]


def _describe_deleted(folder: Path) -> DeletedProject:
    with suppress(DataError), Project.open(folder) as project:
        name = project.name
        stamp = datetime.strptime(folder.name.rpartition("--")[2], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
        n_bytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        return DeletedProject(id=folder.name, name=name, at=stamp.isoformat(timespec="seconds"), n_bytes=n_bytes)
    return DeletedProject(id=folder.name, name=folder.name, at="", n_bytes=0)


@contextmanager
def _make_whole(projects_folder: Path, name: str) -> Iterator[Path]:
    """Yield a hidden folder to be filled; it goes away if that fails."""
    if not name.strip():
        raise OptionError("The project has no name.", "Give it one, such as: Maize leaves.")
    folder = projects_folder / f".new-{uuid.uuid4().hex}"
    folder.mkdir(parents=True)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _finish(folder: Path, projects_folder: Path, name: str) -> Path:
    target = choose_folder(projects_folder, name)
    folder.rename(target)
    return target


def _copy_files(source: Path, target: Path) -> None:
    files = list(_list_files(source))
    with progress.open_bar("copy", len(files), "files") as bar:
        for file in files:
            place = target / file.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, place)
            bar.advance()


def _list_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a project but for its database and what is made again; links are not followed."""
    for place, folders, names in os.walk(folder):
        if Path(place) == folder:
            folders[:] = [name for name in folders if name not in MADE_AGAIN]
        for name in names:
            file = Path(place) / name
            is_partial = name.startswith(".") and name.endswith(".partial")
            is_database = Path(place) == folder and name in _DATABASE_FILES
            if file.is_file() and not file.is_symlink() and not is_partial and not is_database:
                yield file
