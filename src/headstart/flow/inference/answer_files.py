"""Files with answers, made from the finished CSV for programs: tables, workbooks, photos in folders."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from headstart import bundle as bundles
from headstart import progress
from headstart.bundle import Bundle
from headstart.data import OrderedInputs
from headstart.errors import OptionError
from headstart.flow.inference.answer_csv import has_decimal_comma, write_answer_csv
from headstart.flow.inference.answer_layout import AnsweredTable, AnswerTable, lay_out_answers, read_answers
from headstart.flow.inference.answer_workbook import is_workbook, write_answer_workbook
from headstart.flow.inference.answers import UNUSABLE
from headstart.flow.inference.codes import write_codes
from headstart.flow.inference.lining_up import order_inputs
from headstart.flow.inference.reviewed_answers import PersonAnswer, put_in_reviewed, read_reviewed
from headstart.flow.inference.sorted_photos import PhotoAnswer, sort_photos
from headstart.flow.model_names import name_model
from headstart.options import PredictFileOptions, PredictOptions

_KIND_WORDS = {
    "label": "answered",
    "not_sure": "not sure",
    "none_of_these": "none of these",
    UNUSABLE: "could not be read",
}


@dataclass(frozen=True, kw_only=True)
class AnswerFiles:
    """What is written where.

    Parameters
    ----------
    table : Path or None
        The CSV for programs; hidden where the answers are laid out for people afterwards. None: standard output.
    out : Path or None
        What the user gets.
    source : AnsweredTable or None
        The one table that is predicted.
    model : str
        Name of the model, for the answers.
    is_workbook, is_for_excel : bool
    has_codes : bool
        The columns code, certainty, coded_by and coded_at are written.
    sort_into : Path or None
        Folder for copies of photos.
    copy : Path or None
        Where the CSV for programs is written as well.
    reviewed : mapping of str to PersonAnswer
        Answers of people by name of the input.
    """

    table: Path | None
    out: Path | None
    source: AnsweredTable | None
    model: str
    is_workbook: bool = False
    is_for_excel: bool = False
    has_codes: bool = False
    sort_into: Path | None = None
    copy: Path | None = None
    reviewed: Mapping[str, PersonAnswer] = field(default_factory=dict)


def plan_answer_files(
    out: Path | None, paths: Sequence[Path], options: PredictOptions, bundle_path: Path
) -> AnswerFiles:
    """Decide which files are written; what exists and is no plain file (a pipe) gets the layout for programs."""
    files = options if isinstance(options, PredictFileOptions) else None
    excel, is_for_people = (files.excel, files.layout != "machine") if files else (False, False)
    has_codes = files is not None and files.layout == "codes"
    if has_codes and (out is None or len(paths) != 1):
        raise OptionError(
            "--layout codes is for one table and a file.", "Name both: predict MODEL answers.xlsx -o coded.xlsx."
        )
    sort_into = files.sort_into.expanduser() if files and files.sort_into else None
    if excel and out is None:
        raise OptionError("--excel is for a file.", "Name it with -o, such as -o answers.csv.")
    if files and files.reviewed is not None and (out or sort_into) is None:
        raise OptionError("--reviewed is for a file.", "Name it with -o, such as -o answers.xlsx.")
    if files and files.table is not None and (out or sort_into) is None:
        raise OptionError("--table is written beside another file.", "Name that with -o, such as -o answers.xlsx.")
    if out is None and sort_into is not None:
        out = sort_into / "answers.csv"
    workbook = out is not None and is_workbook(out)
    plain = out is not None and (not out.exists() or out.is_file())
    table = out
    if out is not None and (workbook or (plain and (excel or is_for_people))):
        beside = out if sort_into is None or out.parent != sort_into else sort_into
        table = beside.with_name(f".{beside.name}.csv")
    return AnswerFiles(
        table=table,
        out=out,
        source=AnsweredTable(paths[0], options) if len(paths) == 1 else None,
        model=name_model(bundle_path),
        is_workbook=workbook,
        is_for_excel=excel,
        has_codes=has_codes,
        sort_into=sort_into,
        copy=files.table if files else None,
        reviewed=read_reviewed(files.reviewed) if files and files.reviewed else {},
    )


def finish_answer_files(files: AnswerFiles, bundle: Bundle, inputs: OrderedInputs | None) -> None:
    """Lay out the answers of a CSV that is complete, sort photos, and tell how many inputs were answered."""
    table, out = files.table, files.out
    if table is None or out is None or not table.is_file():
        return
    if files.copy is not None and files.copy != table:
        files.copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(table, files.copy)
    _write_files(files, bundle, inputs, table=table)
    if table != out:
        table.unlink()


def rewrite_answers(
    bundle_path: Path, paths: Sequence[Path], *, table: Path, out: Path, options: PredictFileOptions
) -> None:
    """Write the files of answers once more, from what `predict --table` wrote; nothing is predicted.

    Parameters
    ----------
    bundle_path : Path
        That gave the answers.
    paths : sequence of Path
        What was predicted.
    table : Path
        The CSV for programs.
    out : Path
        CSV or workbook, replaced.
    options : PredictFileOptions
        `reviewed` names the answers of people; an emptied folder `sort_into` is filled again.

    Raises
    ------
    HeadstartError
        A file cannot be read or written.
    """
    files = plan_answer_files(out, paths, options, bundle_path)
    bundle = bundles.load_bundle(
        bundle_path, "quickest" if options.runtime == "auto" else options.runtime, options.base
    )
    inputs = order_inputs(bundle, paths, options, {}) if files.sort_into else None
    _write_files(files, bundle, inputs, table=table)


def _write_files(files: AnswerFiles, bundle: Bundle, inputs: OrderedInputs | None, table: Path) -> None:
    out = files.out
    assert out is not None
    content = put_in_reviewed(read_answers(table), files.reviewed) if files.reviewed else read_answers(table)
    if files.sort_into is not None and inputs is not None:
        _sort_photos(content, inputs, files.sort_into)
    if files.has_codes:
        write_codes(
            content, out, bundle=bundle, model=files.model, source=files.source, is_for_excel=files.is_for_excel
        )
    elif files.is_workbook:
        write_answer_workbook(content, out, bundle=bundle, model=files.model, source=files.source)
    elif table != out:
        sheet = lay_out_answers(content, bundle, files.model, files.source)
        write_answer_csv(sheet, out, files.is_for_excel, files.is_for_excel and has_decimal_comma())
    kinds = Counter(content.column("kind"))
    counts = ", ".join(
        f"{kinds[kind]:,} {words}" for kind, words in _KIND_WORDS.items() if kinds[kind] or kind == "label"
    )
    progress.say(f"{kinds.total():,}: {counts} -> {out}")


def _sort_photos(content: AnswerTable, inputs: OrderedInputs, folder: Path) -> None:
    """Copy the photos of a complete CSV into one folder per answer."""
    paths = {name: Path(name if row is None else inputs.table.inputs[row]) for name, row in inputs.order}
    columns = (content.column(name) for name in ("input", "kind", "answer"))
    photos = [
        PhotoAnswer(paths[name], kind, text, PurePosixPath(name).name)
        for name, kind, text in zip(*columns, strict=True)
        if name in paths
    ]
    counts = sort_photos([photo for photo in photos if photo.path.is_file()], folder)
    each = ", ".join(f"{n:,} {place}" for place, n in sorted(counts.items(), key=lambda item: -item[1]))
    progress.say(
        f"Copied {sum(counts.values()):,} photos into {folder}: {each}. The originals stay where they are, and the "
        "copies hold all that the camera wrote into them (such as the place)."
    )
