"""The main sentences of a run on a terminal: the first answer, what is kept, what changed since the run before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from headstart.report.messages import message, translate
from headstart.report.sentences.carefulness import format_count
from headstart.report.words import format_amount, format_hundredths
from headstart.results import AnyMetrics, Result

_OTHER_OPTIONS = frozenset({"offline"})
"""Options that change no result."""


def describe_quality(result: Result) -> str:
    """Return how good the chosen model is on test rows, as a clause; "" where there are none.

    Parameters
    ----------
    result : Result
    """
    metrics = next((item.test for item in result.strategies if item.name == result.chosen), None)
    return _QUALITIES[result.task](metrics, result.n_rows.test) if metrics is not None else ""


def describe_first_answer(result: Result, report: Path, seconds_left: float, is_searching: bool) -> str:
    """Return the news that a first answer is there, and what happens now.

    Parameters
    ----------
    result : Result
    report : Path
    seconds_left : float
        What the rest is expected to take at most.
    is_searching : bool
        Whether a better model is looked for, or this one is checked and packed.
    """
    quality = describe_quality(result) or translate("there are no test rows to say how good it is")
    rest = (
        translate("Looking for a better one, at most {time}; Ctrl-C keeps this.", time=describe_seconds(seconds_left))
        if is_searching
        else translate(
            "Now it is checked and packed, about {time}; Ctrl-C keeps this.", time=describe_seconds(seconds_left)
        )
    )
    opened = translate("First answer: {quality}. Open {report}.", quality=quality, report=str(report))
    return f"{opened} {rest}"


def describe_kept_answer(result: Result, report: Path) -> str:
    """Return what a stopped run leaves behind.

    Parameters
    ----------
    result : Result
        Its first answer.
    report : Path
    """
    quality = describe_quality(result)
    if not quality:
        return translate("The first answer stands: {report}.", report=str(report))
    return translate("The first answer stands ({quality}): {report}.", quality=quality, report=str(report))


def describe_end(result: Result) -> str:
    """Return how long a run took.

    Parameters
    ----------
    result : Result
    """
    return translate("Done in {n} s.", n=round(result.seconds["total"]))


def describe_seconds(seconds: float) -> str:
    """Return a length of time as people say it.

    Examples
    --------
    >>> describe_seconds(44), describe_seconds(230)
    ('50 s', '4 min')
    """
    if seconds <= 100:
        return translate("{n} s", n=max(10, -(-int(seconds) // 10) * 10))
    return translate("{n} min", n=round(seconds / 60))


_STEPS = {
    "read": message("reading the data"),
    "base": message("choosing the ready-made model"),
    "features": message("the ready-made model looks at every row"),
    "strategies": message("quick methods, with and without it"),
    "first_answer": message("writing a first answer"),
    "search": message("looking for a better one"),
    "evaluation": message("measuring and checking"),
    "write": message("packing the model and writing the report"),
}
"""What the steps of a run do, in their order."""


def describe_steps() -> dict[str, str]:
    """Return what the steps of a run do, by their codes."""
    return {name: translate(words) for name, words in _STEPS.items()}


def describe_earlier(folder: Path) -> str:
    """Return where a finished run lies that had to make room.

    Parameters
    ----------
    folder : Path
    """
    return translate("The run that lay here before is kept in {folder}.", folder=str(folder))


def describe_changes(before: Result, after: Result, folder: Path) -> list[str]:
    """Return what differs between two runs into one folder, a sentence each.

    Parameters
    ----------
    before, after : Result
    folder : Path
        Where the earlier one lies now.
    """
    lines = [describe_earlier(folder)]
    lines += _compare(message("Before: {old}. Now: {new}."), describe_quality(before), describe_quality(after))
    lines += _compare(message("Answered before: {old} of 100. Now: {new}."), _answered(before), _answered(after))
    lines += _compare(message("Compared groups before: {old}. Now: {new}."), _name_groups(before), _name_groups(after))
    options = _list_changed_options(before.options, after.options)
    if options:
        lines.append(translate("Other options: {options}.", options="; ".join(options)))
    return lines


def _compare(text: str, old: str, new: str) -> list[str]:
    none = translate("none")
    return [translate(text, old=old or none, new=new or none)] if old != new else []


def _answered(result: Result) -> str:
    share = result.abstention.shares.get("label") if result.abstention else None
    return format_hundredths(share.value) if share else ""


def _name_groups(result: Result) -> str:
    return ", ".join(sorted(column.column for column in result.groups))


def _list_changed_options(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """Return the options that both runs know and that differ, as they are written."""
    names = [name for name in after if name in before and name not in _OTHER_OPTIONS and before[name] != after[name]]
    return [f"--{name.replace('_', '-')} {_write(before[name])} -> {_write(after[name])}" for name in names]


def _write(value: object) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(str, value)) or "-"
    return "-" if value is None or value == "" else str(value)


def _format_right(metrics: AnyMetrics, n_rows: int) -> str:
    figure = metrics.accuracy  # type: ignore[union-attr]
    return translate("right in {count}", count=format_count(round(figure.value * n_rows), n_rows, figure))


def _format_macro_f1(metrics: AnyMetrics, n_rows: int) -> str:
    figure = metrics.macro_f1  # type: ignore[union-attr]
    ends = (format_hundredths(figure.low), format_hundredths(figure.high))
    text = message("macro-F1 {n} %, surely between {low} and {high}, on {rows} test rows")
    return translate(text, n=format_hundredths(figure.value), low=ends[0], high=ends[1], rows=n_rows)


def _format_error(metrics: AnyMetrics, n_rows: int) -> str:
    figure = metrics.mean_absolute_error  # type: ignore[union-attr]
    amount, low, high = map(format_amount, (figure.value, figure.low, figure.high))
    text = message("off by {amount} on average, surely between {low} and {high}, on {rows} test rows")
    return translate(text, amount=amount, low=low, high=high, rows=n_rows)


_QUALITIES: Mapping[str, Callable[[AnyMetrics, int], str]] = {
    "classification": _format_right,
    "ordinal": _format_right,
    "multi-label": _format_macro_f1,
    "regression": _format_error,
}
"""By task; walked over by the contract test of tasks."""
