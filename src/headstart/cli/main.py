"""The entry point: `headstart COMMAND ...`. Loads typer and nothing heavy."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from headstart import __version__
from headstart.cli import (
    bases,
    carefulness,
    coding,
    commands,
    connecting,
    forgetting,
    labelling,
    language,
    machine,
    pretraining,
    project,
    shipping,
    spans,
    studio,
    vectors,
)
from headstart.cli.help_panels import START, find_command_panel, sort_commands, write_epilog

app = typer.Typer(
    name="headstart",
    help=START,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
COMMANDS = (
    studio.studio,
    commands.adapt,
    commands.predict,
    commands.evaluate,
    commands.compare,
    commands.explain,
    carefulness.set_care,
    labelling.label,
    commands.label_next,
    vectors.embed,
    vectors.search,
    vectors.similar,
    shipping.export,
    shipping.verify,
    spans.redact,
    commands.check,
    commands.report,
    commands.cache,
    machine.doctor,
    forgetting.forget,
    commands.serve,
    commands.demo,
    language.adapt_language,
    language.evaluate_language,
    pretraining.pretrain,
)
_BODIES = {body.__name__.replace("_", "-"): body for body in COMMANDS}
_GROUPS = {"bases": bases.app, "codes": coding.app, "connect": connecting.app, "project": project.app}
for name in sort_commands([*_BODIES, *_GROUPS]):
    layout: dict[str, Any] = {"name": name, "rich_help_panel": find_command_panel(name), "epilog": write_epilog(name)}
    if name in _GROUPS:
        app.add_typer(_GROUPS[name], **layout)
    else:
        app.command(**layout)(_BODIES[name])


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
