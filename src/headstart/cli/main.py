"""The entry point: `headstart COMMAND ...`. Loads typer and nothing heavy."""

from __future__ import annotations

from typing import Annotated

import typer

from headstart import __version__
from headstart.cli import bases, commands, forgetting, language, pretraining, shipping

app = typer.Typer(
    name="headstart",
    help="Adapt a pre-trained model to your own images, texts or time series, and learn whether it helped.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
COMMANDS = (
    commands.adapt,
    commands.predict,
    commands.evaluate,
    commands.compare,
    commands.explain,
    commands.label_next,
    shipping.export,
    shipping.verify,
    commands.check,
    commands.report,
    commands.cache,
    forgetting.forget,
    commands.serve,
    commands.demo,
    language.adapt_language,
    language.evaluate_language,
    pretraining.pretrain,
)
for body in COMMANDS:
    app.command(name=body.__name__.replace("_", "-"))(body)
app.add_typer(bases.app, name="bases")


def _print_version(is_requested: bool) -> None:
    if is_requested:
        typer.echo(__version__)
        raise typer.Exit()


@app.callback()
def _accept_common_options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    return None


def run() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    run()
