"""`add_data`: images, texts or series enter a project, with the labels that they have."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart import progress
from headstart.data.columns.text_columns import list_text_columns
from headstart.flow.projects.reading import LostRow, SourceRows, read_source_rows
from headstart.flow.projects.records import AddedData
from headstart.flow.projects.settings import SETTINGS
from headstart.home import write_whole
from headstart.modalities import MODALITIES
from headstart.options import AddDataOptions, parse
from headstart.projects import Example, NewExample, NewLabel, Project
from headstart.projects.places import ORIGINALS
from headstart.records import TEST

_ROLE = "examples"


def add_data(project: Project, path: Path | str, options: AddDataOptions | None = None) -> AddedData:
    """Add what a file, a folder or a zip holds; a call that was cut short is completed by the same call.

    Parameters
    ----------
    project : Project
    path : Path or str
        Folder of images, table or workbook of texts or series, or a zip of either; rows need no label.
    options : AddDataOptions, optional

    Returns
    -------
    AddedData

    Raises
    ------
    HeadstartError
        Nothing can be read, or it is not of the project's kind.
    """
    options = options or parse(AddDataOptions)
    place = Path(path).expanduser()
    rows = read_source_rows(project, place, options)
    documents = options.model_dump(mode="json", exclude_defaults=True)
    origin = _Origin(
        number=_find_unfinished(project, place) or project.add_source(place.resolve(), _ROLE, documents),
        folder=project.folder,
        is_copied=options.copy_files or place.suffix.lower() == ".zip",
    )
    _remember(project, rows, options)
    hashes = rows.table.hashes
    known = set() if options.copies == "keep" else project.find_known_hashes(hashes.tolist(), origin.number)
    fresh = [row for row, digest in enumerate(hashes) if digest not in known]
    seen = [row for row, digest in enumerate(hashes) if digest in known]
    added = _add_rows(project, rows, fresh, origin)
    left_out = project.add_examples([_make_lost(item, origin) for item in rows.lost])
    project.finish_source(origin.number)
    return AddedData(
        source=origin.number,
        modality=rows.table.modality,
        columns=rows.table.columns,
        n_rows=len(rows.table) + len(rows.lost),
        n_added=len(added),
        n_labelled=len(added & {row for row in fresh if _has_answer(rows, row)}),
        n_known=len(rows.table) - len(added),
        n_relabelled=_label_known(project, rows, seen, place.name),
        n_left_out=len(left_out),
        findings=rows.table.findings,
    )


@dataclass(frozen=True)
class _Origin:
    """Where examples come from: its number, the project's folder, and whether files are copied there."""

    number: int
    folder: Path
    is_copied: bool


def _find_unfinished(project: Project, place: Path) -> int | None:
    """Return the number of the source if an earlier call read a part of it only."""
    path = str(place.resolve())
    sources = (source for source in project.list_sources() if source.path == path and source.role == _ROLE)
    return next((source.id for source in sources if not source.options.get("finished")), None)


def _remember(project: Project, rows: SourceRows, options: AddDataOptions) -> None:
    """Keep how the first data was read: later data is read in the same way."""
    table = rows.table
    first: dict[str, Any] = {
        "modality": table.modality,
        "columns": dict(table.columns),
        "input_columns": None if table.input_columns is None else table.input_columns.as_dict(),
        "left_out_columns": dict(table.left_out),
        "text_column": next(iter(list_text_columns(table.columns)), None),
    }
    if not project.get_setting("modality"):
        for key, value in first.items():
            project.set_setting(key, value or None)
    label = table.columns.get("label")
    if rows.task and not project.get_setting("task"):
        later = {"task": rows.task, "order": list(options.order), "label_column": label}
        for key, value in later.items():
            project.set_setting(key, value or None)
        project.set_setting("columns", {**project.get_setting("columns", {}), **table.columns})
    if options.group:
        groups = [*project.get_setting("group_columns", []), *options.group]
        project.set_setting("group_columns", list(dict.fromkeys(groups)))
    if options.compare:
        project.set_setting("compare_columns", list(options.compare))
    if (table.splits == TEST).any() and not project.get_setting("split_kind"):
        project.set_setting("split_kind", "given")


def _add_rows(project: Project, rows: SourceRows, fresh: Sequence[int], origin: _Origin) -> set[int]:
    """Add rows in blocks, each whole or not at all; return those that were new."""
    added: set[int] = set()
    with progress.open_bar("adding", len(fresh), MODALITIES[rows.table.modality].plural) as bar:
        for start in range(0, len(fresh), SETTINGS.block_rows):
            block = fresh[start : start + SETTINGS.block_rows]
            examples = [_make_example(rows, row, origin) for row in block]
            ids = project.add_examples(examples)
            names = {(item.content_hash, item.name) for item in project.get_examples(ids)}
            new = {row for row, item in zip(block, examples, strict=True) if (item.content_hash, item.name) in names}
            _answer_none(project, rows, ids)
            added |= new
            bar.advance(len(block))
    return added


def _answer_none(project: Project, rows: SourceRows, ids: Sequence[int]) -> None:
    """Write the answer of rows to which the data says that no label applies."""
    if not rows.no_label_applies:
        return
    examples = [item for item in project.get_examples(ids) if item.name in rows.no_label_applies]
    project.add_labels([NewLabel(example=item.id, answer="none", origin="import") for item in examples])


def _has_answer(rows: SourceRows, row: int) -> bool:
    assert rows.table.labels is not None
    return bool(rows.table.labels[row]) or rows.table.ids[row] in rows.no_label_applies


def _make_example(rows: SourceRows, row: int, origin: _Origin) -> NewExample:
    table = rows.table
    value, digest = table.inputs[row], str(table.hashes[row])
    if isinstance(value, Path) and origin.is_copied:
        value = _copy_file(value, digest, origin.folder)
    assert table.labels is not None
    return NewExample(
        name=str(table.ids[row]),
        content_hash=digest,
        path=value.absolute() if isinstance(value, Path) else None,
        text=value if isinstance(value, str) else None,
        series=None if isinstance(value, Path | str) else value,
        metadata={name: values[row] for name, values in table.metadata.items()},
        label=table.labels[row] or None,
        split=str(table.splits[row]),
        source=origin.number,
    )


def _make_lost(item: LostRow, origin: _Origin) -> NewExample:
    path = item.path
    if path is not None and origin.is_copied:
        path = _copy_file(path, "unread", origin.folder)
    return NewExample(
        name=item.name,
        content_hash="",
        path=None if path is None else path.absolute(),
        source=origin.number,
        state="left_out",
        reason=item.reason,
    )


def _copy_file(path: Path, digest: str, folder: Path) -> Path:
    """Copy a file into the project, unless it is there; its name keeps what people know it by."""
    if path.resolve().is_relative_to(folder.resolve()):
        return path
    stem = re.sub(r"[^\w.-]+", "_", path.stem)[:60].strip("._") or "file"
    target = folder / ORIGINALS / f"{stem}-{digest[:12]}{path.suffix.lower()}"
    if not target.exists():
        with write_whole(target) as partial:
            shutil.copyfile(path, partial)
    return target


def _label_known(project: Project, rows: SourceRows, seen: Sequence[int], who: str) -> int:
    """Let examples that the project had get the labels of a source that has more of them; a person's label stays."""
    assert rows.table.labels is not None
    labels = {(str(rows.table.hashes[row]), str(rows.table.ids[row])): rows.table.labels[row] for row in seen}
    by_hash: dict[str, set[str]] = {}
    for (digest, _), label in labels.items():
        by_hash.setdefault(digest, set()).add(label)
    changed = [
        NewLabel(example=example.id, label=label, who=who, origin="import")
        for example, label in _match_known(project, labels, by_hash)
        if label and label != example.label and example.label_origin != "person"
    ]
    project.add_labels(changed)
    return len(changed)


def _match_known(
    project: Project, labels: Mapping[tuple[str, str], str], by_hash: Mapping[str, set[str]]
) -> Iterator[tuple[Example, str]]:
    """Yield examples with their label in the source: that of the same name, or the only one of the same content."""
    for example in project.get_examples(project.find_ids_of_hashes(by_hash)):
        candidates = by_hash[example.content_hash]
        only = next(iter(candidates)) if len(candidates) == 1 else ""
        yield example, labels.get((example.content_hash, example.name), only)
