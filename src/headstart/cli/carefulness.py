"""The command that makes a model more or less careful."""

from __future__ import annotations

from typing import Any

from rich.table import Table as Grid

from headstart.cli.commands import BundlePath
from headstart.cli.surface import command, console, news, require_path
from headstart.options import SetCareOptions
from headstart.report import use_language
from headstart.report.sentences.carefulness import describe_level, name_level_columns, write_level_cells
from headstart.results.carefulness import Carefulness


@command(SetCareOptions)
def set_care(model: BundlePath, options: SetCareOptions) -> Any:
    """Make a model leave more or fewer inputs to a person; without options, show what each setting would do."""
    from headstart import flow

    carefulness = flow.set_care(require_path(model), options)
    if carefulness is None:
        news.print("Written. Its test rows are not stored with it, so nothing can be said of how it does now.")
        return {"format": 1, "present": None, "levels": []}
    _show(carefulness)
    return carefulness.model_dump_json(indent=2)


def _show(carefulness: Carefulness) -> None:
    with use_language("en"):
        console.print(describe_level(carefulness.present, carefulness.n_rows), soft_wrap=True)
        grid = Grid(
            *name_level_columns(),
            title=f"What each setting does with 100 examples (measured on {carefulness.n_rows:,})",
        )
        for level in carefulness.levels:
            grid.add_row(*write_level_cells(level, carefulness.n_rows))
        news.print(grid)
