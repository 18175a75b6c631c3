"""What to do next, made from the worst reason: one step, and its command where there is one."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from headstart.bases import CATALOGUE, OTHER_LANGUAGES
from headstart.evaluation.settings import SETTINGS as EVALUATION_SETTINGS
from headstart.flow.scoring.commands import write_adapt_command
from headstart.flow.scoring.settings import READINESS
from headstart.modalities.languages import LANGUAGE_NAMES
from headstart.records import TRAIN
from headstart.results import NextStep, ReadinessReason, Result

_UNKNOWN_LANGUAGE = frozenset({"foreign-script", "base-not-installed"})
_NO_HELP = frozenset({"small", "falls"})
"""What a learning curve says where more labels of the same kind do not help."""
_COMMON_SCRIPT = "latin"
"""Letters that every base of texts knows."""
_LANGUAGE_CODES = {name.casefold(): code for code, name in LANGUAGE_NAMES.items() if name != "Latin"}
_ABOUT_LANGUAGE = ("language", "lang", "script", "langue", "idioma", "lugha")


def choose_next_step(result: Result, reasons: Sequence[ReadinessReason], out: str) -> NextStep:
    """Return the step that would help most against the first reason below "ready".

    Parameters
    ----------
    result : Result
        Of the run.
    reasons : sequence of ReadinessReason
        The worst first.
    out : str
        The run folder; empty where there is none: then the rows came from memory, and no command would find them.
    """
    step = _choose(result, reasons, out)
    return step if out else step.model_copy(update={"command": ""})


def _choose(result: Result, reasons: Sequence[ReadinessReason], out: str) -> NextStep:
    first = reasons[0]
    if first.level == "ready":
        return NextStep(code="other_place", command=shlex.join(["headstart", "evaluate", out or "out", "NEW_DATA"]))
    if first.code in _ABOUT_MODEL and (step := _propose_other_base(result, first, out)):
        return step
    return _STEPS[first.code](result, first, out)


def _propose_other_base(result: Result, reason: ReadinessReason, out: str) -> NextStep | None:
    """Return the step to the base of many languages, where the base at hand does not know the texts."""
    name = OTHER_LANGUAGES.get(result.modality, "")
    if not name or result.base.name == name or not _is_unknown_language(result, reason, name):
        return None
    command = write_adapt_command(result, out, {"base": name})
    choice = result.base_choice
    return NextStep(
        code="other_base", value=name,
        command=f"{choice.install} && {command}" if choice and choice.install else command,
    )  # fmt: skip


def _is_unknown_language(result: Result, reason: ReadinessReason, other: str) -> bool:
    """Return whether the texts, or those of the worst group, are in a language that the base was not made for."""
    if any(item.kind in _UNKNOWN_LANGUAGE for item in result.checks):
        return True
    if result.base_choice and result.base_choice.lead is not None:
        return False  # Both were compared on these rows, and this one was taken.
    if result.base_choice and result.base_choice.fits[0].knowledge == "unknown":
        return True
    base = CATALOGUE.get(result.base.name)
    if base is None or not base.languages or not _is_about_language(result, reason.column):
        return False
    value = _read_language(reason.value)
    if value == _COMMON_SCRIPT or value in base.languages:
        return False
    return value in CATALOGUE[other].languages or base.languages == ("en",)


def _read_language(value: str) -> str:
    """Return the code of a language, given by its code or its English name; other words as they are.

    Examples
    --------
    >>> _read_language("Swahili"), _read_language("en-GB"), _read_language("Latin")
    ('sw', 'en', 'latin')
    """
    word = value.strip().casefold()
    return _LANGUAGE_CODES.get(word, word.split("-")[0])


def _is_about_language(result: Result, column: str) -> bool:
    part = next((item for item in result.groups if item.column == column), None)
    origin = part.origin if part else ""
    return bool(column) and (origin in _ABOUT_LANGUAGE or column.lower() in _ABOUT_LANGUAGE)


def _label_more(result: Result, reason: ReadinessReason, out: str) -> NextStep:
    """Return how many rows of all kinds to label: as the learning curve says."""
    curve = result.learning_curve
    if curve and curve.outlook in _NO_HELP:
        return _look_elsewhere(result, out)
    n_rows = None
    if curve and curve.outlook == "clear" and curve.points:
        doubled = 2 * curve.points[-1].labels
        nearest = min(curve.forecast, key=lambda item: abs(item.labels - doubled), default=None)
        n_rows = nearest.more_labels if nearest else None
    return NextStep(
        code="label_more", n_rows=n_rows and _round_up(n_rows), command=_write_labelling(result, n_rows, out)
    )


def _look_elsewhere(result: Result, out: str) -> NextStep:
    """Return what may help where more labels do not: labels that are wrong, else another base."""
    n_doubted = next((item.n_rows for item in result.checks if item.kind == "label-errors"), 0)
    if n_doubted:
        command = shlex.join(["headstart", "check", result.data, "--deep", "on"])
        return NextStep(code="look_at_labels", n_rows=n_doubted, command=command)
    if result.ranking is None:
        return NextStep(code="other_base", command=write_adapt_command(result, out, {"base": "auto"}))
    return NextStep(code="label_more", command=_write_labelling(result, None, out))


def _label_until_tested(result: Result, reason: ReadinessReason, out: str) -> NextStep:
    """Return how many rows to add so that there are enough test rows."""
    lacking = (reason.bound or READINESS.min_test_rows) - (reason.n_rows or 0)
    is_apart = result.split_kind in ("separate", "given")
    return NextStep(
        code="label_test_rows" if is_apart else "label_more",
        n_rows=_round_up(lacking if is_apart else lacking / _test_share(result)),
        command=write_adapt_command(result, out, {}),
    )


def _label_part(result: Result, reason: ReadinessReason, out: str) -> NextStep:
    """Return how many rows of one class or group to label.

    A class of few rows gets as many as the median class; else its rows are doubled, which is what a learning curve
    counts in. Where the curve says that more labels do not help, nobody can tell how many.
    """
    n_test = reason.n_rows or 0
    counts = {name: item.get(TRAIN, 0) for name, item in result.class_counts.items()}
    if reason.code == "cannot_tell":
        n_rows: float | None = (EVALUATION_SETTINGS.min_rows - n_test) / _test_share(result)
    elif result.learning_curve and result.learning_curve.outlook in _NO_HELP:
        n_rows = None
    else:
        n_train = n_test * (1 - _test_share(result)) / _test_share(result)
        n_train = n_train if reason.column else counts.get(reason.value, n_train)
        n_rows = max(n_train, 0 if reason.column or not counts else median(counts.values()) - n_train)
    return NextStep(
        code="label_group" if reason.column else "label_class" if reason.value else "label_more",
        column=reason.column, value=reason.value, n_rows=None if n_rows is None else _round_up(n_rows),
        command=write_adapt_command(result, out, {}),
    )  # fmt: skip


def _test_share(result: Result) -> float:
    """Return which share of new labelled rows becomes test rows."""
    n_rows = result.n_rows.train + result.n_rows.test
    return result.n_rows.test / n_rows if result.n_rows.test and n_rows else 0.25


def _round_up(n_rows: float) -> int:
    step = READINESS.label_step
    return min(READINESS.max_labels, max(READINESS.min_labels, step * math.ceil(n_rows / step)))


def _write_labelling(result: Result, n_rows: float | None, out: str) -> str:
    """Return the command that names the rows worth a label, where unlabelled rows are at hand; else the run again."""
    unlabelled = str(result.options.get("unlabelled", "stop"))
    if not out or unlabelled in ("stop", "drop", "use"):
        return write_adapt_command(result, out, {})
    bundle = (Path(out) / "bundle").as_posix()
    n_words = ["-n", str(_round_up(n_rows))] if n_rows else []
    return shlex.join(["headstart", "label-next", bundle, unlabelled, *n_words, "-o", "label-next.csv"])


def _remove_copies(result: Result, reason: ReadinessReason, out: str) -> NextStep:
    exact = any(item.kind == "duplicates-across-splits" for item in result.checks)
    command = (
        write_adapt_command(result, out, {"duplicates": "drop"})
        if exact
        else shlex.join(["headstart", "check", result.data])
    )
    return NextStep(code="remove_copies", n_rows=reason.n_rows, command=command)


def _look_at_shortcut(result: Result, reason: ReadinessReason, out: str) -> NextStep:
    return NextStep(code="look_at_shortcut", command=shlex.join(["headstart", "check", result.data]))


_Propose = Callable[[Result, ReadinessReason, str], NextStep]
_STEPS: Mapping[str, _Propose] = {
    "no_test_rows": _label_until_tested,
    "few_test_rows": _label_until_tested,
    "answered_right": _label_more,
    "answered": _label_more,
    "kappa": _label_more,
    "row_f1": _label_more,
    "exact_match": _label_more,
    "explained": _label_more,
    "coverage": _label_more,
    "not_measured": _label_more,
    "worst_class": _label_part,
    "worst_classes_together": _label_part,
    "worst_group": _label_part,
    "worst_group_error": _label_part,
    "cannot_tell": _label_part,
    "test_copies": _remove_copies,
    "shortcut": _look_at_shortcut,
}
_ABOUT_MODEL = frozenset(
    {"answered_right", "answered", "kappa", "row_f1", "exact_match", "explained", "worst_class", "worst_group",
     "worst_group_error", "worst_classes_together"}
)  # fmt: skip
"""Reasons that another base may mend."""
