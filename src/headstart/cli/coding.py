"""`headstart codes`: what changed between two coding frames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from headstart.cli.help_panels import write_epilog
from headstart.cli.surface import command, news, require_path
from headstart.options import CodesDiffOptions

if TYPE_CHECKING:
    from headstart.flow.coding.frame_diff import FrameDiff, TouchedCode

Frame = Annotated[Path, typer.Argument(help="Coding frame (CSV or Excel), or a model with codes in levels.")]
app = typer.Typer(
    name="codes",
    help="Compare coding frames.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog=write_epilog("codes"),
)
_MOST_SHOWN = 40
_NEXT = {
    "removed": "Removed: give their rows another code, or leave them out; a new model does not know these codes.",
    "renamed": "Renamed: the rows stay good. With ids in both frames `adapt --frame NEW` reads them by itself; "
    "without ids, write the new names into the data.",
    "moved": "Moved: as renamed; the levels above are counted anew.",
    "added": "Added: no row has these yet. Find some with `headstart search` or `headstart label --codes NEW`.",
}


@command(CodesDiffOptions)
def diff(
    old: Frame,
    new: Frame,
    options: CodesDiffOptions,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="CSV to write: rows that bear a changed code.")
    ] = None,
) -> Any:
    """Show which codes were added, removed, renamed or moved, and which labelled rows that touches."""
    from headstart import flow

    frame_diff = flow.diff_frames(require_path(old), require_path(new), options)
    if output is not None:
        flow.write_touched_rows(frame_diff, output)
    _show(frame_diff)
    return {
        "format": 1,
        "output": None if output is None else str(output),
        "n_codes": {"old": frame_diff.n_old, "new": frame_diff.n_new},
        "n_rows": frame_diff.n_rows,
        "changes": [
            {**vars(item.change), "n_rows": len(item.rows), "rows": list(item.rows)} for item in frame_diff.changes
        ],
        "unknown": list(frame_diff.unknown),
    }


def _show(frame_diff: FrameDiff) -> None:
    counts = {kind: sum(item.change.kind == kind for item in frame_diff.changes) for kind in _NEXT}
    named = ", ".join(f"{n:,} {kind}" for kind, n in counts.items())
    news.print(f"{frame_diff.n_old:,} codes before, {frame_diff.n_new:,} now: {named}.")
    for item in frame_diff.changes[:_MOST_SHOWN]:
        news.print(escape(_write_line(item, frame_diff.n_rows > 0)), soft_wrap=True)
    if len(frame_diff.changes) > _MOST_SHOWN:
        news.print(f"  ... and {len(frame_diff.changes) - _MOST_SHOWN:,} more (--json lists all).")
    if frame_diff.unknown:
        news.print(
            escape(
                f"{len(frame_diff.unknown):,} labels of the rows are in no frame, such as '{frame_diff.unknown[0]}'."
            )
        )
    for kind, n in counts.items():
        if n:
            news.print(escape(_NEXT[kind]), soft_wrap=True)


def _write_line(item: TouchedCode, has_rows: bool) -> str:
    change = item.change
    arrow = " -> " if change.old and change.new else ""
    certainty = " (by likeness: check it)" if change.known_by == "likeness" else ""
    rows = f"; {len(item.rows):,} rows" if has_rows and change.old else ""
    return f"  {change.kind}: {change.old}{arrow}{change.new}{certainty}{rows}"


app.command(name="diff")(diff)
app.callback()(lambda: None)
