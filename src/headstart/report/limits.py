"""What a model has not been validated for, told from what was not in its data."""

from __future__ import annotations

import re

from headstart.errors import offenders
from headstart.records import TEST
from headstart.report.kinds import KINDS
from headstart.results import Result

FEW_ROWS = 20
FEW_TEST_ROWS = 100


def limits(result: Result) -> list[str]:
    """List in plain sentences what the result does not show, the gravest first.

    Parameters
    ----------
    result : Result
        The finished document.

    Returns
    -------
    list of str
        Never empty: no test on one source of data shows everything.
    """
    said = [*_rows(result), *_classes(result), *_warnings(result), *_base(result)]
    said += _groups(result)
    return [
        *said,
        "Other sites, seasons, cameras or ways of writing: all rows came from one source, "
        f"{short(source_name(result.data))}. Test it on rows from the new place before using it there.",
        KINDS[result.task].foreign,
        *_probabilities(result),
    ]


def short(text: str, limit: int = 80) -> str:
    """Cut a long text, and say so with three dots.

    Examples
    --------
    >>> short("abcdefgh", 5)
    'abcd…'
    """
    return text if len(text) <= limit else text[: limit - 1] + "…"


def source_name(path: str) -> str:
    r"""Give the last part of a path of any system.

    Examples
    --------
    >>> source_name("C:\\data\\leaves")
    'leaves'
    """
    return re.split(r"[\\/]", path.rstrip("\\/"))[-1] or "data"


def n_test_rows(result: Result, label: str) -> int:
    """Give the number of test rows of a class."""
    return result.class_counts.get(label, {}).get(TEST, 0)


def _groups(result: Result) -> list[str]:
    """Groups that were not named, could not be told, or fare worse."""
    if not result.group_columns:
        return [
            "Different people, places or devices: the data named no groups (see --group), so nobody knows "
            "whether the model does equally well for all of them."
        ]
    measured = {part.column: part for part in result.groups}
    unknown = [name for name in result.group_columns if name not in measured or measured[name].gap is None]
    said = [
        f"A group that fares worse. {short(part.reading, 500)}"
        for part in result.groups
        if part.gap is not None and part.gap.low > 0
    ]
    few = [
        f"{short(part.column, 40)}: {short(item.value, 40)} ({item.n_rows})"
        for part in result.groups
        for item in part.values
        if part.gap is not None and item.value and not item.told
    ]
    if unknown:
        said.append(
            f"Differences between groups: how well the model does in each could not be told: {offenders(unknown)}."
        )
    if few:
        said.append(f"Groups with too few test rows to say anything about: {offenders(few)}.")
    return said


def _probabilities(result: Result) -> list[str]:
    """Probabilities that were not checked, or are off."""
    found = result.calibration
    if found is None:
        return [KINDS[result.task].doubt]
    off = found.error.low > 0 or found.overconfidence.low > 0 or found.overconfidence.high < 0
    return [f"Its probabilities as they are. {short(found.reading, 400)}"] if off else []


def _rows(result: Result) -> list[str]:
    """Too few test rows."""
    n = result.n_rows.test
    if n == 0:
        return ["Anything at all: there were no test rows, so no figure here was measured on rows kept apart."]
    if n < FEW_TEST_ROWS:
        return [f"Fine differences: with only {n} test rows the intervals are wide; believe the low end."]
    return []


def _classes(result: Result) -> list[str]:
    """Too few test rows of a class."""
    few = [name for name in result.classes if n_test_rows(result, name) < FEW_ROWS]
    if not few or result.n_rows.test == 0 or not result.class_counts:
        return []
    shown = offenders([f"{short(name, 40)} ({n_test_rows(result, name)})" for name in few])
    many = {"class": "Classes"}.get(KINDS[result.task].one, "Labels")
    return [f"{many} with fewer than {FEW_ROWS} test rows; their own figures say little: {shown}."]


def _warnings(result: Result) -> list[str]:
    """Findings that were not mended."""
    grave = [finding.summary for finding in result.checks if finding.severity != "note"]
    return [f"Clean data: something was noticed and is still there. {short(text, 300)}" for text in grave[:5]]


def _base(result: Result) -> list[str]:
    """What is known of the base model's biases."""
    if not (result.base.pretrained and result.base.known_biases):
        return []
    return [f"Biases of the base model ({short(result.base.name)}): {short(result.base.known_biases, 400)}"]
