"""Write the report and the model card of a run: at its end, or again later from its result.json, in any language."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from headstart import report
from headstart.errors import DataError
from headstart.flow.scoring.readiness import judge_result
from headstart.home import read_json, require_place, write_text
from headstart.modalities.preview_records import AnyPreview
from headstart.options import ReportOptions
from headstart.report.previews import Previews
from headstart.results import FORMAT, Result
from headstart.results.report_rows import ReportRows

PREVIEWS = "previews.json"
"""Thumbnails, texts and values of the rows that the report shows, so that it can be written again without the data."""
ROWS = "report_rows.json"
"""Answers to the rows that the report shows one by one."""
_SNIPPET = re.compile(
    r"""<span(?:\ dir="auto")?>[^<>]*</span>
    |<img\ src="data:image/jpeg;base64,[A-Za-z0-9+/=]*"\ alt="[^"<>]*"\ width="\d+"\ height="\d+">
    |<svg\ viewBox="[\d\ ]+"\ width="\d+"\ height="\d+"\ role="img"><title>[^<>]*</title>
     (?:<polyline\ points="[\d.,\ \-]*"\ fill="none"\ stroke="\#[0-9a-fA-F]+"\ stroke-width="[\d.]+"
     \ stroke-linecap="round"/>)*</svg>""",
    re.VERBOSE,
)
"""HTML of an image, a text and a series as versions up to 0.3.0 kept it; other HTML in the file is not ours."""
_PREVIEW: TypeAdapter[AnyPreview] = TypeAdapter(AnyPreview)


def write_report(
    result: Result, previews: Previews, out: Path, language: str, *, rows: ReportRows | None = None
) -> str:
    """Write report.html, README.md and its picture into `out`; gives the code of the language they are in.

    Parameters
    ----------
    result : Result
    previews : Previews
        Thumbnails, texts and values, by row.
    out : Path
        The run folder.
    language : str
        A code, or "auto".
    rows : ReportRows or None
        The rows that are shown one by one; None in runs of older versions.
    """
    code = report.choose_language(language)
    write_text(out / "report.html", report.render_html(result, previews, code, rows))
    write_text(out / "README.md", report.render_card(result, code))
    if plot := report.render_card_plot(result, code):
        write_text(out / report.CARD_PLOT, plot)
    return code


def write_previews(previews: Mapping[str, AnyPreview], out: Path) -> None:
    """Keep the thumbnails and texts of the report.

    Parameters
    ----------
    previews : mapping of str to preview
        Thumbnails, texts and values, by row.
    out : Path
        The run folder.
    """
    values = {name: preview.model_dump(exclude_defaults=True) for name, preview in previews.items()}
    write_text(out / PREVIEWS, json.dumps({"format": 2, "previews": values}, ensure_ascii=True) + "\n")


def write_report_rows(rows: ReportRows, out: Path) -> None:
    """Keep the rows that the report shows one by one.

    Parameters
    ----------
    rows : ReportRows
    out : Path
        The run folder.
    """
    document = {"format": rows.format, **rows.model_dump(mode="json", exclude_defaults=True)}
    write_text(out / ROWS, json.dumps(document, ensure_ascii=True) + "\n")


def rewrite_report(run: Path, out: Path | None, options: ReportOptions) -> dict[str, Any]:
    """Write the report and the model card of a finished run again; nothing is trained.

    Parameters
    ----------
    run : Path
        The output folder of `adapt`, or its result.json.
    out : Path or None
        Folder to write into, or an .html file for the report alone; the folder of the run if None.
    options : ReportOptions

    Returns
    -------
    dict
        `format`, `language`, and the paths written as `report` and `card` (None: not written).

    Raises
    ------
    DataError
        If there is no result.json, or it cannot be read.
    OptionError
        If the folder cannot be made.
    """
    source = run / "result.json" if run.is_dir() else run
    result, folder = read_result(source), out or source.parent
    if result.readiness is None:  # Of an older version.
        result = result.model_copy(update={"readiness": judge_result(result, str(source.parent))})
    previews: Previews = {}
    rows = None
    if options.without_examples:
        result = report.remove_rows(result)
    else:
        previews, rows = _read_previews(source.parent / PREVIEWS), read_report_rows(source.parent / ROWS)
    if out is not None and out.suffix.lower() in (".html", ".htm") and not out.is_dir():
        require_place(out.parent)
        code = report.choose_language(options.language)
        write_text(out, report.render_html(result, previews, code, rows))
        return {"format": 1, "language": code, "report": str(out), "card": None}
    require_place(folder)
    code = write_report(result, previews, folder, options.language, rows=rows)
    return {
        "format": 1,
        "language": code,
        "report": str(folder / "report.html"),
        "card": str(folder / "README.md"),
    }


def read_run(folder: Path) -> tuple[Result, Previews]:
    """Return the result of a finished run, and what is kept of the rows that its report shows.

    Parameters
    ----------
    folder : Path
        The output folder of `adapt`.

    Raises
    ------
    DataError
        There is no result.json, or it cannot be read.
    """
    return read_result(folder / "result.json"), _read_previews(folder / PREVIEWS)


def read_result(source: Path) -> Result:
    """Read the document of a run, of this version or an older one.

    Parameters
    ----------
    source : Path
        A result.json.

    Raises
    ------
    DataError
        If it is not there, or cannot be read.
    """
    if not source.is_file():
        raise DataError(f"There is no result.json in {source.parent}.", "Name the output folder of a finished `adapt`.")
    try:
        read = read_json(source)
        newer = isinstance(read, dict) and isinstance(read.get("format"), int) and read["format"] > FORMAT
        if newer:
            raise DataError(f"{source} was written by a newer version (format {read['format']}).", "Update Headstart.")
        return Result.model_validate(read)
    except UnicodeDecodeError as error:
        raise DataError(f"{source} is not UTF-8 text.", "Name the output folder of a finished `adapt`.") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise DataError(f"{source} is not JSON ({where}).", "Name the output folder of a finished `adapt`.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        problem = f"{source} is not the result of `adapt`: {where}: {first['msg']} ({error.error_count()} in all)."
        raise DataError(problem, "Run `adapt` again, or use the version of Headstart that wrote it.") from error
    except ValueError as error:
        raise DataError(f"{error}.", "Name the output folder of a finished `adapt`.") from error


def read_report_rows(source: Path) -> ReportRows | None:
    """Read the rows that are shown one by one; none where the file is damaged, or of an older version.

    Parameters
    ----------
    source : Path
        A report_rows.json.
    """
    try:
        return ReportRows.model_validate(read_json(source))
    except (OSError, ValueError):
        return None


def _read_previews(source: Path) -> dict[str, AnyPreview | str]:
    """Read the kept previews; none where there are none (runs of older versions) or they are damaged.

    HTML of format 1 becomes part of a page as it is: what we did not write ourselves is left out.
    """
    try:
        read = read_json(source)
    except (OSError, ValueError):
        return {}
    previews = read.get("previews") if isinstance(read, dict) else None
    if not isinstance(previews, dict):
        return {}
    read_one = {str(name): _read_preview(value) for name, value in previews.items()}
    return {name: preview for name, preview in read_one.items() if preview is not None}


def _read_preview(value: object) -> AnyPreview | str | None:
    if isinstance(value, str):
        return value if _SNIPPET.fullmatch(value) else None
    try:
        return _PREVIEW.validate_python(value)
    except ValidationError:
        return None
