"""Photos copied into one folder per answer; the originals stay where they are, as they are."""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from headstart import progress
from headstart.bundle import Bundle
from headstart.errors import DataError, OptionError
from headstart.flow.inference.answers import UNUSABLE
from headstart.home import move_into_place, require_place
from headstart.modalities import MODALITIES
from headstart.task_types import TASK_TYPES

KIND_FOLDERS = {"not_sure": "not sure", "none_of_these": "none of these", UNUSABLE: "could not be read"}
_NO_ANSWER = "no label"
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]+')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that mean a device on Windows, with any ending."""
_MOST_BYTES = 100
_SPARE_SHARE = 1.02


@dataclass(frozen=True)
class PhotoAnswer:
    """A photo with the kind of its answer (`headstart.flow.inference.answers.Answer.kind`) and its text.

    `name` is what the copy is called; the file's own name if empty.
    """

    path: Path
    kind: str
    text: str
    name: str = ""


def require_sortable(bundle: Bundle, folder: Path) -> None:
    """Refuse to sort what is no photo or has no kind, and a folder that holds something already.

    Parameters
    ----------
    bundle : Bundle
    folder : Path

    Raises
    ------
    OptionError
    """
    modality = MODALITIES[bundle.modality]
    if not modality.is_file:
        raise OptionError(
            f"--sort-into is for photos; this model reads {modality.nouns[1]}.", "Write a table with -o answers.xlsx."
        )
    if TASK_TYPES[bundle.task].is_number:
        raise OptionError(
            "--sort-into needs a model that names kinds; this one gives numbers.", "Write a table with -o answers.xlsx."
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OptionError(f"{folder} holds something already.", "Name a new folder with --sort-into.")
    require_place(folder)


def make_folder_name(name: str) -> str:
    r"""Return a name that every file system takes for a folder.

    Examples
    --------
    >>> [make_folder_name(name) for name in ("leaf rust", "a/b: c?", "..", "NUL", "x. ", "\u00e9" * 80)][:5]
    ['leaf rust', 'a_b_ c_', '_', 'NUL_', 'x']
    """
    plain = _FORBIDDEN.sub("_", name).strip().rstrip(". ")
    plain = plain.encode("utf-8", "replace")[:_MOST_BYTES].decode("utf-8", "ignore").rstrip(". ")
    if not plain.strip("."):
        return "_"
    return f"{plain}_" if _DEVICES.fullmatch(plain) else plain


def name_folders(classes: Iterable[str]) -> dict[str, str]:
    """Return a folder for each class; none is one of the folders without an answer, or another's in other letters.

    Parameters
    ----------
    classes : iterable of str

    Examples
    --------
    >>> name_folders(["Rust", "rust", "not sure"])
    {'Rust': 'Rust', 'rust': 'rust (2)', 'not sure': 'not sure (2)'}
    """
    taken = {name.casefold() for name in (*KIND_FOLDERS.values(), _NO_ANSWER)}
    folders = {}
    for label in classes:
        folders[label] = _make_unique(make_folder_name(label), "", taken)
    return folders


def _make_unique(stem: str, suffix: str, taken: set[str]) -> str:
    """Return a name that is not taken, whatever its letters' case, and take it."""
    name, number = f"{stem}{suffix}", 2
    while name.casefold() in taken:
        name, number = f"{stem} ({number}){suffix}", number + 1
    taken.add(name.casefold())
    return name


def _split_name(answer: PhotoAnswer) -> tuple[str, str]:
    """Return stem and ending of the copy's name; one that is not the file's own may come from anywhere."""
    return (make_folder_name(PurePath(answer.name).stem) if answer.name else answer.path.stem), answer.path.suffix


def sort_photos(answers: Sequence[PhotoAnswer], folder: Path) -> dict[str, int]:
    """Copy photos into one folder per answer; all of them take their place at once, or none.

    Parameters
    ----------
    answers : sequence of PhotoAnswer
    folder : Path
        New, or empty.

    Returns
    -------
    dict of str to int
        Photos by folder.

    Raises
    ------
    DataError
        There is not enough room.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    n_bytes = sum(answer.path.stat().st_size for answer in answers)
    free = shutil.disk_usage(folder.parent).free
    if n_bytes * _SPARE_SHARE > free:
        raise DataError(
            f"The copies would take {n_bytes / 1e6:,.0f} MB; {folder.parent} has {free / 1e6:,.0f} MB.",
            "Name a folder on a larger disk with --sort-into.",
        )
    folders = name_folders(dict.fromkeys(answer.text for answer in answers if answer.kind == "label" and answer.text))
    fresh = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.partial")
    taken: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    try:
        with progress.open_bar("Copying", len(answers), "photos") as bar:
            for answer in answers:
                place = KIND_FOLDERS.get(answer.kind) or folders.get(answer.text, _NO_ANSWER)
                (fresh / place).mkdir(parents=True, exist_ok=True)
                name = _make_unique(*_split_name(answer), taken.setdefault(place, set()))
                shutil.copy2(answer.path, fresh / place / name)
                counts[place] = counts.get(place, 0) + 1
                bar.advance(1)
        if folder.is_dir():
            folder.rmdir()
        if fresh.is_dir():
            move_into_place(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return counts
