"""What a model has not been validated for, from what was not in its data."""

from __future__ import annotations

import re

from headstart.records import TEST
from headstart.report import sentences
from headstart.report.group_names import name_language
from headstart.report.kinds import TASK_WORDINGS
from headstart.report.messages import current_language, format_number, message, translate, translate_count
from headstart.report.people_words import count_inputs
from headstart.report.words import list_names, shorten
from headstart.results import Result

FEW_ROWS = 20
FEW_TEST_ROWS = 100


def list_limits(result: Result, findings: bool = True) -> list[str]:
    """List in plain sentences what the result does not show, the gravest first.

    Parameters
    ----------
    result : Result
        The finished document.
    findings : bool
        Whether to list as well what other parts of the report show: what was noticed about the data, groups that fare
        worse, probabilities that are off, and the biases of the base model.

    Returns
    -------
    list of str
        Never empty: no test on one source of data shows everything.
    """
    sentences_found = [*_rows(result), *_classes(result)]
    if findings:
        sentences_found += [*_warnings(result), *_base(result), *_worse_groups(result)]
    sentences_found += _groups(result)
    return [
        *sentences_found,
        *_sites(result),
        *_writing(result),
        translate(
            _SOME_FOREIGN
            if result.abstention and result.abstention.novelty
            else TASK_WORDINGS[result.task].out_of_distribution
        ),
        *(_probabilities(result) if findings or result.calibration is None else []),
    ]


_SOME_FOREIGN = message(
    "Inputs of another kind than those it learnt from: it says “none of these” to many of them, not to all."
)


def source_name(path: str) -> str:
    r"""Return the last part of a path of any system.

    Examples
    --------
    >>> source_name("C:\\data\\leaves")
    'leaves'
    """
    return re.split(r"[\\/]", path.rstrip("\\/"))[-1] or "data"


def n_test_rows(result: Result, label: str) -> int:
    """Return the number of test rows of a class."""
    return result.class_counts.get(label, {}).get(TEST, 0)


def _sites(result: Result) -> list[str]:
    """Places and times: one source, and columns of groups that hold one value only."""
    single = [shorten(f"{part.column}: {part.values[0].value}", 60) for part in result.groups if len(part.values) == 1]
    sentence = translate(
        "Other places, seasons, devices or ways of writing: all that it saw came from one source, {source}. Test it at "
        "the new place before using it there.",
        source=shorten(source_name(result.data)),
    )
    if not single:
        return [sentence]
    return [sentence, translate("Any other value than the only one tested ({values}).", values=list_names(single))]


def _writing(result: Result) -> list[str]:
    """Languages and ways of writing that no training row is in."""
    named = [_count(name_language(name), n) for name, n in result.languages.items() if name]
    if named:
        unknown = result.languages.get("", 0)
        rest = translate_count("of {n} the language cannot be told", "of {n} the language cannot be told", unknown)
        return [
            translate(
                "Texts in other languages than those it learnt from: {languages}.",
                languages=list_names([*named, *([rest] if unknown else [])]),
            )
        ]
    if not result.scripts:
        return []
    return [
        translate(
            "Texts in other languages or letters than the training rows, which are in letters of these scripts: "
            "{scripts}. Their language was not told.",
            scripts=list_names([_count(name, n) for name, n in result.scripts.items()]),
        )
    ]


def _count(name: str, n: int) -> str:
    return f"{name} ({format_number(f'{n:,}')})"


def _worse_groups(result: Result) -> list[str]:
    """Groups that are worse."""
    return [
        translate("A group that fares worse. {reading}", reading=shorten(sentences.write_sentence(part), 500))
        for part in result.groups
        if part.gap is not None and part.gap.low > 0 and not part.same_as
    ]


def _groups(result: Result) -> list[str]:
    """Groups that were not named, or could not be compared."""
    measured = {part.column: part for part in result.groups}
    if not measured and not result.group_columns:
        return [
            translate(
                "Different people, places or devices: no column of the data tells them apart (see --compare), so "
                "nobody knows whether the model does equally well for all of them."
            )
        ]
    columns = dict.fromkeys([*result.group_columns, *measured])
    unknown = [name for name in columns if name not in measured or measured[name].gap is None]
    lines = []
    few = [
        f"{shorten(part.column, 40)}: {shorten(item.value, 40)} ({item.n_rows})"
        for part in result.groups
        for item in part.values
        if part.gap is not None and item.value and not item.told
    ]
    if unknown:
        lines.append(
            translate(
                "Differences between groups: how well the model does in each could not be told: {columns}.",
                columns=list_names(unknown),
            )
        )
    if few:
        lines.append(translate("Groups with too few tests to say anything about: {groups}.", groups=list_names(few)))
    return lines


def _probabilities(result: Result) -> list[str]:
    """Probabilities that were not checked, or are off."""
    calibration = result.calibration
    if calibration is None:
        return [translate(TASK_WORDINGS[result.task].doubt)]
    off = calibration.error.low > 0 or calibration.overconfidence.low > 0 or calibration.overconfidence.high < 0
    return (
        [
            translate(
                "Its probabilities as they are. {reading}",
                reading=shorten(sentences.write_sentence(calibration), 400),
            )
        ]
        if off
        else []
    )


def _rows(result: Result) -> list[str]:
    """Too few test rows."""
    n = result.n_rows.test
    if n == 0:
        return [
            translate(
                "Anything at all: nothing was left to test it on, so no figure here was measured on what it had not "
                "seen."
            )
        ]
    if n < FEW_TEST_ROWS:
        return [
            translate(
                "Fine differences: it was tested on only {inputs}; believe the low end of what is given.",
                inputs=count_inputs(result.modality, n),
            )
        ]
    return []


def _classes(result: Result) -> list[str]:
    """Too few test rows of a class."""
    few = [name for name in result.classes if n_test_rows(result, name) < FEW_ROWS]
    if not few or result.n_rows.test == 0 or not result.class_counts:
        return []
    names = list_names([f"{shorten(name, 40)} ({n_test_rows(result, name)})" for name in few])
    template = _FEW_CLASSES if TASK_WORDINGS[result.task].one == "class" else _FEW_LABELS
    return [translate(template, few=FEW_ROWS, names=names)]


_FEW_CLASSES = message("Kinds tested on fewer than {few} each; their own figures say little: {names}.")
_FEW_LABELS = message("Labels tested on fewer than {few} each; their own figures say little: {names}.")


def _warnings(result: Result) -> list[str]:
    """Findings that were not corrected."""
    grave = [sentences.write_finding(finding) for finding in result.checks if finding.severity != "note"]
    return [
        translate("Clean data: something was noticed and is still there. {found}", found=shorten(text, 300))
        for text in grave[:5]
    ]


def _base(result: Result) -> list[str]:
    """Yield the known biases of the base model."""
    if not (result.base.pretrained and result.base.known_biases):
        return []
    name, biases = shorten(result.base.name), shorten(result.base.known_biases, 400)
    if current_language() != "en":
        return [translate("Biases of the base model ({name}), which are recorded below.", name=name)]
    return [translate("Biases of the base model ({name}): {biases}", name=name, biases=biases)]
