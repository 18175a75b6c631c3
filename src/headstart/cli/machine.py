"""The command that says what is wrong with a machine: call, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from headstart.cli.surface import CommandStopped, command, news
from headstart.options import DoctorOptions

_SIGNS = {"problem": "[bold red]✗[/]", "notice": "[yellow]![/]", "fine": "[green]✓[/]"}


@command(DoctorOptions)
def doctor(
    options: DoctorOptions,
    folder: Annotated[Path, typer.Argument(help="Where you want to work (default: here).")] = Path(),
) -> Any:
    """Say what is wrong with this machine, and how to mend it: memory, disk, folders, packages, proxy, graphics."""
    from headstart import flow
    from headstart.report import choose_language, use_language
    from headstart.report.messages import translate, translate_count
    from headstart.report.sentences.machine import describe_machine_finding, describe_repair

    report = flow.examine_machine(folder)
    with use_language(choose_language(options.language)):
        news.print(f"Headstart {report.headstart}, {report.system}", markup=False, soft_wrap=True)
        for finding in report.findings:
            news.print(f"{_SIGNS[finding.level]} {escape(describe_machine_finding(finding))}", soft_wrap=True)
            if repair := describe_repair(finding):
                news.print(f"    {escape(repair)}", soft_wrap=True)
        n_problems = sum(finding.level == "problem" for finding in report.findings)
        if not n_problems:
            news.print(translate("Nothing here keeps Headstart from working."))
            return report.model_dump()
        raise CommandStopped(
            translate_count(
                "{n} thing keeps Headstart from working here.",
                "{n} things keep Headstart from working here.",
                n_problems,
            ),
            translate("Do what stands under the lines marked ✗, then run the same command again."),
            report.model_dump(),
        )  # fmt: skip
