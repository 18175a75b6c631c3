"""`label`: from data without labels to a project of labelled examples, through a workbook or by keys."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headstart.cli.surface import command, news, require_data
from headstart.options import LabelOptions

if TYPE_CHECKING:
    from headstart.flow.labelling.label_rounds import LabelStep
    from headstart.flow.labelling.records import LabelCount, LabellingAdvice

_STATES = {
    "nothing": "No guesses yet: judge examples of at least two kinds.",
    "names": "Guesses come from the names and descriptions of the kinds; where none fits clearly, there is none.",
    "too-early": "It is too early: guesses come from very few examples of each kind.",
    "learnt": "Guesses come from the judged examples.",
}
MOST_SHARES = 12
"""Kinds whose share is printed."""


@command(LabelOptions)
def label(
    data: Annotated[Path, typer.Argument(help="Data without labels: a folder, a table, a zip; or the project itself.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the project: made, or continued.")],
    options: LabelOptions,
) -> Any:
    """Label examples from nothing: judge 20, fill in the workbook, run the same command again."""
    from headstart import flow
    from headstart.cli.labelling_keys import ask_by_keys

    source = require_data(data)
    step = flow.label_by_keys(source, output, options, ask_by_keys) if options.interactive else flow.label(
        source, output, options
    )  # fmt: skip
    show_label_step(step)
    return {"format": 1, **_make_document(step)}


def _make_document(step: LabelStep) -> dict[str, Any]:
    """Return the JSON document of a step."""
    document = asdict(step)
    return {**document, "folder": str(step.folder), "to_judge": None if step.to_judge is None else str(step.to_judge)}


def show_label_step(step: LabelStep) -> None:
    """Print what a round tells, and what to do next.

    Parameters
    ----------
    step : LabelStep
    """
    n_judged = sum(step.answers.values())
    if step.n_read:
        _print_line(f"{step.n_read} answers read.")
    counts = [f"{kind} {n:,}" for kind, n in step.answers.items() if n]
    others = [f"{words} {n:,}" for words, n in (("not sure", step.n_not_sure), ("none of these", step.n_none)) if n]
    if counts or others:
        _print_line(f"{n_judged:,} of {step.n_examples:,} examples have a kind: {', '.join([*counts, *others])}.")
    if step.shares:
        _print_line(f"How frequent the kinds are, from {step.shares[0].count.n} examples in random order:")
        for share in step.shares[:MOST_SHARES]:
            _print_line(f"  {share.kind or 'none or not sure'}: {_format_range(share.count)}")
    _print_line(_STATES[step.state])
    if step.took_over:
        _print_line("The judged examples do better than the names of the kinds, and have taken over.")
    if step.right is not None:
        without = f", {step.n_unguessed} without a guess" if step.n_unguessed else ""
        low, high = _round_share(step.right)
        _print_line(
            f"{step.right.n} judged: {step.right.n_hits} right{without} (surely between {low} and {high} of 100)."
        )
    if n_judged:
        _print_line(describe_advice(step.advice))
    if step.to_judge is not None:
        _print_line(
            f"Next: fill in the column 'answer' of {step.to_judge} ({step.n_asked} examples), save it, and run the "
            "same command again."
        )
    if step.state == "learnt":
        _print_line(f"To make a model of them: headstart adapt {step.folder}")


def describe_advice(advice: LabellingAdvice) -> str:
    """Return in words what more labels would bring.

    Parameters
    ----------
    advice : LabellingAdvice
    """
    if advice.gain is None and advice.code == "little":
        return "More would tell little more."
    if advice.gain is None:
        return "Whether more would tell much more cannot be told yet."
    low, value, high = (round(100 * part) for part in (advice.gain.low, advice.gain.value, advice.gain.high))
    about = f"about {value} more right of 100, surely between {low} and {high}"
    return {
        "more-helps": f"{advice.n_more} more would tell much more ({about}).",
        "little": f"{advice.n_more} more would tell little more ({about}).",
        "unclear": f"Whether {advice.n_more} more would tell much more is not clear ({about}).",
    }[advice.code]


def _format_range(count: LabelCount) -> str:
    low, high = _round_share(count)
    return f"{count.n_hits} of {count.n} (surely between {low} and {high} of 100)"


def _round_share(count: LabelCount) -> tuple[int, int]:
    return round(100 * count.share.low), round(100 * count.share.high)


def _print_line(text: str) -> None:
    news.print(text, markup=False, soft_wrap=True)
