"""`headstart connect`: carry codes into other systems."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from headstart.cli.commands import BundlePath
from headstart.cli.help_panels import write_epilog
from headstart.cli.surface import CommandStopped, command, news, require_path
from headstart.options import ConnectKoboOptions

app = typer.Typer(
    name="connect",
    help="Code what people answered in a form of KoboToolbox, and write the codes into it.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog=write_epilog("connect"),
)
_LEFT_OUT = {
    "empty": "have no answer to the question",
    "of a person": "were coded by a person",
    "of a model": "were coded by a model before (--again codes them anew)",
    "not sure": "stay open: the model is not sure",
}


@app.callback()
def _accept_systems() -> None:
    """Keep `kobo` a command of its own, although it is the only one so far."""


@command(ConnectKoboOptions)
def kobo(
    bundle: BundlePath,
    options: ConnectKoboOptions,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="CSV of the codes, one row a submission.")
    ] = None,
) -> Any:
    """Code the answers to a question of a KoboToolbox form; a code of a person is never changed."""
    from headstart import flow

    outcome = flow.connect_kobo(require_path(bundle), output, options)
    verb = "would get" if options.dry_run else "got"
    n_failed = len(outcome.failed)
    news.print(
        escape(
            f"{outcome.form}: {outcome.n_submissions:,} submissions, {len(outcome.coded) - n_failed:,} {verb} a code."
        ),
        soft_wrap=True,
    )
    for reason, words in _LEFT_OUT.items():
        if outcome.counts[reason]:
            news.print(f"{outcome.counts[reason]:,} {words}.")
    if outcome.missing_questions:
        news.print(f"The form has no question for: {', '.join(outcome.missing_questions)}.", markup=False)
    document = {
        "format": 1,
        "form": outcome.form,
        "output": None if output is None else str(output),
        "n_submissions": outcome.n_submissions,
        "n_coded": len(outcome.coded) - n_failed,
        "left_out": dict(outcome.counts),
        "missing_questions": list(outcome.missing_questions),
        "failed": [{"id": str(item.id), "reason": item.state} for item in outcome.failed],
    }
    if n_failed:
        raise CommandStopped(
            f"{n_failed:,} submissions may not have got their code ({outcome.failed[0].state}).",
            "Run the same command again: what is coded already is left out.", document,
        )  # fmt: skip
    return document


app.command(name="kobo", epilog=write_epilog("connect"))(kobo)
