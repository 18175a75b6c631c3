"""`headstart bases`: list and rank base models, fetch one, add those of a stick."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any

import typer

from headstart.cli import commands
from headstart.cli.asking import Yes, ask_before_fetch
from headstart.cli.help_panels import write_epilog
from headstart.cli.surface import command, news, require_path
from headstart.options import AddBaseOptions, FetchBaseOptions

app = typer.Typer(name="bases", help=commands.bases.__doc__, rich_markup_mode="rich", epilog=write_epilog("bases"))


def _list_or_rank(context: typer.Context, **values: Any) -> None:
    if context.invoked_subcommand is None:
        commands.bases(**values)


_list_or_rank.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
    [
        inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context),
        *inspect.signature(commands.bases).parameters.values(),
    ]
)
_list_or_rank.__doc__ = commands.bases.__doc__
app.callback(invoke_without_command=True)(_list_or_rank)


@command(FetchBaseOptions)
def fetch(
    name: Annotated[str, typer.Argument(help="A name of `headstart bases`, hf:OWNER/NAME or timm:NAME.")],
    options: FetchBaseOptions,
    yes: Yes = False,
) -> Any:
    """Fetch a base model from the hub; a broken download is continued by the same command."""
    from headstart import flow

    offer = flow.plan_base_fetch(name, options)
    ask_before_fetch([offer], yes)
    folder = flow.run_base_fetch(offer)
    if offer.target is None:
        news.print(f"{name} is here. Use it: headstart adapt DATA -o OUT --base {name}", markup=False, soft_wrap=True)
    else:
        news.print(
            f"Written to {folder}. On the other machine give the place that this folder has there: headstart bases add "
            "FOLDER",
            markup=False,
            soft_wrap=True,
        )
    return {
        "format": 1,
        "base": name,
        "folder": None if folder is None else str(folder),
        "fetched_bytes": offer.size_bytes,
        "licence": offer.licence,
        "licence_class": offer.licence_class,
    }


@command(AddBaseOptions)
def add(
    folder: Annotated[Path, typer.Argument(help="A folder that `headstart bases fetch NAME --to` wrote.")],
    options: AddBaseOptions,
) -> Any:
    """Take base models from a folder, such as a USB stick; every file is checked."""
    from headstart import flow

    added = flow.add_bases(require_path(folder), options)
    for item in added:
        state = f"added ({item.size_bytes / 1e6:,.1f} MB)" if item.is_new else "was here already"
        news.print(f"{item.reference}: {state}. Use it: --base {item.reference}", markup=False, soft_wrap=True)
    return {
        "format": 1,
        "bases": [
            {"base": item.reference, "folder": str(item.folder), "bytes": item.size_bytes, "new": item.is_new}
            for item in added
        ],
    }


for body in (fetch, add):
    app.command(name=body.__name__)(body)
