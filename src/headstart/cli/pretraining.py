"""The command that trains a base model of our own: parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from headstart.cli.surface import command, news
from headstart.options import PretrainOptions


@command(PretrainOptions)
def pretrain(
    kind: Annotated[str, typer.Argument(help="Modality of the base model: series.")],
    options: PretrainOptions,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the base model.")] = Path("series-encoder"),
) -> Any:
    """Train a base model for series from random weights, on synthetic series: needs no data and no network."""
    from headstart.flow import pretraining

    document = pretraining.pretrain(kind, output, options)
    news.print(f"[bold]{document['sentence']}[/bold]")
    news.print(f"Base: {output}   Use it: headstart adapt DATA --base file:{output} -o OUT", soft_wrap=True)
    return document
