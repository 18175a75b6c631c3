"""The commands for raw text of a language: parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from headstart.cli.asking import Yes, fetch_missing_bases
from headstart.cli.surface import command, news, require_path
from headstart.options import AdaptLanguageOptions, EvaluateLanguageOptions


@command(AdaptLanguageOptions)
def adapt_language(
    raw_text: Annotated[list[Path], typer.Argument(help="Text files, tables with a text column, or folders.")],
    options: AdaptLanguageOptions,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the new base model.")],
    yes: Yes = False,
) -> Any:
    """Make a text base model for your language or dialect from raw text, without labels."""
    from headstart.flow import language

    paths = [require_path(path) for path in raw_text]
    fetch_missing_bases([options.base], options.offline, yes)
    document = language.adapt_language(paths, output, options)
    news.print(f"[bold]{document['sentence']}[/bold]")
    news.print(f"Base: {output}   Use it: headstart adapt DATA --base file:{output} -o OUT", soft_wrap=True)
    return document


@command(EvaluateLanguageOptions)
def evaluate_language(
    base: Annotated[str, typer.Argument(help="Base model: default, a name, hf:REPO, file:FOLDER.")],
    text: Annotated[Path, typer.Argument(help="Text file, table with a text column, or folder.")],
    options: EvaluateLanguageOptions,
    yes: Yes = False,
) -> Any:
    """Measure how well a text base model knows a language: bits per character, unknown tokens, calibration."""
    from headstart.flow import language

    require_path(text)
    fetch_missing_bases([base], options.offline, yes)
    document = language.evaluate_language(base, text, options)
    bits, error = document["bits_per_character"], document["calibration"]["error"]
    news.print(f"[bold]{document['reading']}[/bold]")
    for name, value in (
        ("bits per character", f"{bits['value']:.3f} ({bits['low']:.3f} to {bits['high']:.3f})"),
        ("documents, characters", f"{document['n_documents']:,}, {document['n_characters']:,}"),
        ("unknown tokens", f"{document['unknown_token_share']:.1%}"),
        ("unknown characters", f"{document['unknown_character_share']:.1%}"),
        ("characters that lose an accent or a capital", f"{document['changed_character_share']:.1%}"),
        ("tokens per word", f"{document['pieces_per_word']:.2f}"),
        ("bytes per token", f"{document['bytes_per_token']:.2f}"),
        ("calibration error of its guesses", f"{error['value']:.3f} ({error['low']:.3f} to {error['high']:.3f})"),
        ("head", document["head"]),
    ):
        news.print(f"  {name}: {value}")
    return document
