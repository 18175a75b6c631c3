"""In plain sentences what data was taken for: kind, label, channels and steps, columns, and what was left out."""

from __future__ import annotations

from headstart.data.summary import InputSummary
from headstart.modalities import MODALITIES
from headstart.report.words import list_names

FEW_VALUES = 24
"""So many value columns are named one by one; of more the first and the last."""
_MOST_NAMES = 20
_KINDS = {
    "wide": "series, a row a series",
    "long": "series, a row a time step",
    "files": "series, a file a series",
    "array": "series, as arrays without names of columns",
}
_ROWS = {"image": ("image", "images"), "text": ("text", "texts"), "series": ("series", "series")}


def describe_inputs(summary: InputSummary) -> list[str]:
    """Return the sentences, one a line.

    Parameters
    ----------
    summary : InputSummary

    Examples
    --------
    >>> for line in describe_inputs(InputSummary(modality="text", n_rows=2, roles={"text": "message"}, left_out={})):
    ...     print(line)
    Kind: texts. 2 texts.
    Text: column 'message'. Label: none.
    """
    lines = [f"Kind: {_kind(summary)}. {_amount(summary)}{_lines(summary)}.", f"{_inputs(summary)}{_label(summary)}."]
    others = {"id": "Id", "series": "Series", "time": "Time", "split": "Split"}
    parts = [f"{word}: column '{summary.roles[role]}'" for role, word in others.items() if role in summary.roles]
    parts += [f"Groups: {list_names(summary.groups, _MOST_NAMES)}"] if summary.groups else []
    lines += [f"{'. '.join(parts)}."] if parts else []
    lines += [_languages(summary)] if summary.languages else []
    lines += _rest(summary)
    return lines


def _kind(summary: InputSummary) -> str:
    return _KINDS.get(summary.layout, _ROWS[summary.modality][1])


def _amount(summary: InputSummary) -> str:
    one, many = _ROWS[summary.modality]
    rows = f"{summary.n_rows:,} {one if summary.n_rows == 1 else many}"
    if not MODALITIES[summary.modality].has_channels or not summary.n_channels:
        return rows
    channels = "1 channel" if summary.n_channels == 1 else f"{summary.n_channels} channels"
    named = f" ({list_names(summary.channels, _MOST_NAMES)})" if summary.channels else ""
    least, most = summary.fewest_steps, summary.most_steps
    steps = f"{least} steps" if least == most else f"{least} to {most} steps"
    return f"{rows} of {channels}{named} with {'1 step' if least == most == 1 else steps}"


def _lines(summary: InputSummary) -> str:
    """Return what the rows were read from, and how many could not be used, so that no row vanishes unseen."""
    has_header = summary.n_lines > summary.n_rows + summary.n_set_aside
    read = f", read from {summary.n_lines:,} lines" if summary.n_lines else ""
    read += ", the header included" if summary.n_lines and has_header else ""
    return read + (f"; {summary.n_set_aside:,} set aside" if summary.n_set_aside else "")


def _inputs(summary: InputSummary) -> str:
    if summary.layout == "wide":
        return f"{_values(summary.value_columns)}. "
    if len(summary.texts) > 1:
        return f"Text: {len(summary.texts)} columns, joined in this order ({', '.join(summary.texts)}). "
    words = {"text": "Text", "file": "Picture"}
    parts = [f"{word}: column '{summary.roles[role]}'. " for role, word in words.items() if role in summary.roles]
    return "".join(parts)


def _values(names: tuple[str, ...]) -> str:
    if len(names) <= FEW_VALUES:
        return f"Values: {len(names)} columns ({', '.join(names)})"
    return f"Values: {len(names)} columns, '{names[0]}' to '{names[-1]}'"


def _label(summary: InputSummary) -> str:
    if summary.labels:
        return f"Labels: {len(summary.labels)} columns ({list_names(summary.labels, _MOST_NAMES)})"
    if "label" in summary.roles:
        return f"Label: column '{summary.roles['label']}'"
    return "Label: as the folders or files say it, no column" if summary.is_labelled else "Label: none"


def _languages(summary: InputSummary) -> str:
    named = [f"{name} ({n:,})" for name, n in summary.languages.items() if name]
    unknown = summary.languages.get("", 0)
    if not named:
        return "Languages: cannot tell."
    return f"Languages: {list_names(named, _MOST_NAMES)}{f'; of {unknown:,} cannot tell' if unknown else ''}."


def _rest(summary: InputSummary) -> list[str]:
    lines = []
    numbers = summary.number_columns if MODALITIES[summary.modality].has_channels else ()
    if numbers:
        lines.append(
            f"Columns of numbers that were not read as values: {list_names(numbers, _MOST_NAMES)} (kept as metadata; "
            "--values FROM:TO names the columns of values)."
        )
    words = [name for name in summary.metadata if name not in numbers]
    if words:
        lines.append(f"Kept as metadata: {list_names(words, _MOST_NAMES)}.")
    for reason in dict.fromkeys(summary.left_out.values()):
        names = [name for name, why in summary.left_out.items() if why == reason]
        lines.append(f"Left out: {list_names(names, _MOST_NAMES)} ({reason}).")
    return lines
