"""The command that removes a person's rows from what Headstart keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from headstart.cli.surface import command, console, news, require_path
from headstart.errors import list_offenders
from headstart.options import ForgetOptions

_WORDS = {
    "features": ("row in the cache of features", "rows in the cache of features"),
    "unpacked": ("unpacked copy of a zip that may hold them", "unpacked copies of zips that may hold them"),
    "run": ("place in the report, its pictures and its tables", "places in the report, its pictures and its tables"),
    "bundle": ("row that the model remembers (hash, features)", "rows that the model remembers (hashes, features)"),
    "corrections": ("correction that people sent", "corrections that people sent"),
    "project": ("example of the project", "examples of the project"),
    "index": ("index for search that holds them or may", "indexes for search that hold them or may"),
}
"""What was found, for one and for more."""


@command(ForgetOptions)
def forget(
    options: ForgetOptions,
    places: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders with results of `adapt`, models, corrections, projects, indexes; at any depth."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Remove it. Without this nothing is changed.")] = False,
) -> Any:
    """Remove a person's rows from caches, reports, models' references, corrections, projects and indexes."""
    from headstart import flow

    folders = [require_path(path) for path in places or []]
    document = flow.forget(folders, options, yes)
    for item in document["items"]:
        words = _WORDS[item["what"]][item["n"] != 1]
        news.print(f"{item['place']}: {item['n']:,} {words}", markup=False, soft_wrap=True)
    if not document["items"]:
        news.print("Nothing of these rows was found there.")
    for model in document["models"]:
        learnt, tested = model["n_learnt"], model["n_tested"]
        parts = [f"{did} {n:,} of them" for did, n in (("learnt from", learnt), ("was tested on", tested)) if n]
        console.print(f"The model {model['path']} {' and '.join(parts)}.", markup=False, soft_wrap=True)
    if any(model["n_learnt"] for model in document["models"]):
        console.print(
            "A model cannot unlearn: take the rows out of your data and adapt again. Copies that you passed on, and "
            "files that you wrote with -o, are not searched."
        )
    if document["not_searched"]:
        copies = list_offenders(document["not_searched"])
        console.print(
            f"Copies of what was dropped into projects are not searched: {copies}. Delete those that hold the rows.",
            markup=False, soft_wrap=True,
        )  # fmt: skip
    if document["items"]:
        news.print("Removed." if yes else "Nothing was changed. The same command with --yes removes it.")
    return document
