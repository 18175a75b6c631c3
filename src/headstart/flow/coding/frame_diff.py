"""`codes diff`: two coding frames, or the frames of two models, and the labelled rows that a change touches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from headstart.bundle.integrity import verify_files
from headstart.bundle.loading import find_bundle, read_frame
from headstart.coding_frames import CodingFrame
from headstart.csv_files import write_csv_rows
from headstart.data.coding.frame_changes import CodeChange, list_code_changes
from headstart.data.coding.frame_files import read_coding_frame
from headstart.home import write_whole
from headstart.options import CodesDiffOptions, ReadOptions, parse
from headstart.projects import read_rows
from headstart.records import Table


@dataclass(frozen=True)
class TouchedCode:
    """A change of a code, with the ids of the labelled rows that bear the old one."""

    change: CodeChange
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FrameDiff:
    """What changed between two frames.

    Parameters
    ----------
    changes : tuple of TouchedCode
    n_old, n_new : int
        Codes of the two frames.
    n_rows : int
        Labelled rows that were looked at; 0 where none were given.
    unknown : tuple of str
        Labels of these rows that the old frame does not have.
    """

    changes: tuple[TouchedCode, ...]
    n_old: int
    n_new: int
    n_rows: int = 0
    unknown: tuple[str, ...] = ()


def open_frame(path: Path) -> CodingFrame:
    """Read the frame of a file, or of a model.

    Parameters
    ----------
    path : Path
        A frame in a table, a bundle, or the output folder of `adapt`.
    """
    if not path.is_dir():
        return read_coding_frame(path, "")
    folder = find_bundle(path)
    return read_frame(folder, verify_files(folder))


def diff_frames(old: Path, new: Path, options: CodesDiffOptions) -> FrameDiff:
    """Return what changed between two frames, and which labelled rows bear a code that changed.

    Parameters
    ----------
    old, new : Path
        As for `open_frame`.
    options : CodesDiffOptions

    Raises
    ------
    HeadstartError
        A frame or the data cannot be read.
    """
    first, second = open_frame(old), open_frame(new)
    changes = list_code_changes(first, second)
    diff = FrameDiff(changes=tuple(map(TouchedCode, changes)), n_old=len(first.codes), n_new=len(second.codes))
    if options.data is None:
        return diff
    read = parse(
        ReadOptions, label=options.label, text=options.text, sheet=options.sheet, encoding=options.encoding,
        id=options.id, task=options.task, unlabelled="drop",
    )  # fmt: skip
    table = read_rows(options.data, read)
    rows = _list_rows_by_code(table, first)
    touched = tuple(TouchedCode(change, tuple(rows.get(change.old, ()))) for change in changes)
    unknown = tuple(name for name in rows if name not in first.by_name)
    return FrameDiff(changes=touched, n_old=diff.n_old, n_new=diff.n_new, n_rows=len(table), unknown=unknown)


def _list_rows_by_code(table: Table, frame: CodingFrame) -> dict[str, list[str]]:
    """Return the ids of rows by the path of their code."""
    rows = defaultdict(list)
    names: dict[str, str] = {}
    for id, labels in zip(table.ids, _list_labels(table), strict=True):
        for label in labels:
            if label not in names:
                paths = frame.find_paths(label)
                names[label] = paths[0] if len(paths) == 1 else label
            rows[names[label]].append(str(id))
    return dict(rows)


def _list_labels(table: Table) -> Sequence[Sequence[str]]:
    if table.targets is not None:
        return [[table.target_names[at] for at in (row == 1).nonzero()[0]] for row in table.targets]
    assert table.labels is not None
    return [[str(label)] for label in table.labels]


def write_touched_rows(diff: FrameDiff, out: Path) -> None:
    """Write a line for each row that bears a code that changed: id, change, old, new.

    Parameters
    ----------
    diff : FrameDiff
    out : Path
        CSV; replaced if it is there.
    """
    with write_whole(out) as partial, partial.open("w", encoding="utf-8", newline="") as handle:
        lines = [
            [row, item.change.kind, item.change.old, item.change.new] for item in diff.changes for row in item.rows
        ]
        write_csv_rows(handle, [["id", "change", "old", "new"], *lines])
