"""What the Check page says of a model: read from the result of its run, put into words, nothing computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from headstart.report.first_page import describe_tested
from headstart.report.group_names import name_group, name_value
from headstart.report.kinds import NOUNS
from headstart.report.messages import message, translate
from headstart.report.people_words import count_of_hundred
from headstart.report.sentences.carefulness import FEWEST_FOR_HUNDRED, describe_level, format_count, share_hundred
from headstart.report.sentences.readiness import describe_facts, describe_next_step, name_level
from headstart.results import Figure, NextStep, OutcomeShares, Result
from headstart.results.carefulness import Carefulness, CareLevel
from headstart.studio.example_json import Document
from headstart.studio.settings import SETTINGS
from headstart.task_types import TASK_TYPES


@dataclass(frozen=True, kw_only=True)
class StepButton:
    """What to do next, as one button.

    Parameters
    ----------
    words : str
        On the button.
    address : str
        Page that it opens; "" where it starts a job.
    options : tuple of str
        Options of `adapt` for the job.
    """

    words: str
    address: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OutcomeBar:
    """What became of the examples of one kind or group: shares of right, wrong and left (0-1), in words, and a link."""

    name: str
    words: str
    right: float
    wrong: float
    left: float
    query: str


@dataclass(frozen=True, kw_only=True)
class MixCell:
    """A cell of the table of what is mixed up: its number, its shade (0-4), whether it is right, and its filter."""

    n: int
    shade: int
    is_right: bool
    query: str


_LABELLING = ("label_class", "label_group", "label_more", "label_test_rows", "learn_here")
"""Next steps whose button leads to labelling, or to the examples where none is left to label."""


def write_verdict(result: Result) -> Document | None:
    """Return level, sentence and next step of the readiness; None for results of older versions without one.

    Parameters
    ----------
    result : Result
    """
    readiness = result.readiness
    if readiness is None:
        return None
    return {
        "level": readiness.level,
        "name": name_level(readiness.level),
        "facts": describe_facts(readiness, result.modality),
        "tested": describe_tested(result, translate(NOUNS[result.modality])),
        "next": "" if readiness.next.code.startswith("label_") else describe_next_step(readiness.next, result.modality),
    }


def make_step_button(result: Result, project_id: str, has_open: bool) -> StepButton | None:
    """Return the button of the next step; None where there is nothing to press.

    Parameters
    ----------
    result : Result
    project_id : str
        As it stands in addresses.
    has_open : bool
        Whether the project has examples without an answer.
    """
    if result.readiness is None:
        return None
    return _make_button(result.readiness.next, result, f"/p/{project_id}", has_open)


def _make_button(step: NextStep, result: Result, place: str, has_open: bool) -> StepButton:
    name = name_group(step.column, step.value) if step.value else ""
    if step.code in _LABELLING:
        return _make_labelling_button(step, name, place) if has_open else _make_adding_button(place)
    if step.code == "other_base":
        return StepButton(
            words=translate("Use the model for many languages")
            if step.value
            else translate("Compare other ready-made models"),
            options=("--base", step.value or "auto"),
        )
    if step.code == "look_at_labels":
        n = len(result.label_errors)
        return StepButton(words=translate("Look at these {n} labels", n=n), address="?outcome=doubted#wall")
    if step.code == "remove_copies":
        return StepButton(words=translate("Take the copies out and learn again"), options=("--duplicates", "drop"))
    if step.code == "look_at_shortcut":
        return StepButton(words=translate("Look at the examples"), address=f"{place}/examples")
    words = translate("Use it") if step.code == "use" else translate("Test it at another place")
    return StepButton(words=words, address=f"{place}/use" + ("" if step.code == "use" else "#later"))


def _make_labelling_button(step: NextStep, name: str, place: str) -> StepButton:
    chosen = {"kind": step.value} if step.code == "label_class" else {"group": step.column, "value": step.value}
    query = urlencode(chosen) if step.value else ""
    return StepButton(words=_name_labelling(step.n_rows, name), address=f"{place}/label?{query}".rstrip("?"))


def _make_adding_button(place: str) -> StepButton:
    return StepButton(words=translate("Add examples"), address=f"{place}/examples")


def _name_labelling(n: int | None, name: str) -> str:
    if n is None:
        return translate("Label more of {name}", name=name) if name else translate("Label more")
    if name:
        return translate("Label {n} more of {name}", n=n, name=name)
    return translate("Label {n} more", n=n)


def describe_rivals(result: Result) -> str:
    """Return whether a simpler method would do, in one line; "" where nothing was compared on shares.

    Parameters
    ----------
    result : Result
    """
    verdict, task = result.verdict, TASK_TYPES[result.task]
    metrics = {item.name: item.test for item in result.strategies}
    ours, theirs = metrics.get(verdict.strategy or ""), metrics.get(verdict.against or "")
    if ours is None or theirs is None or task.is_number or task.has_label_sets:
        return ""
    figures = [getattr(item, "accuracy", None) for item in (theirs, ours)]
    right = [item for item in figures if isinstance(item, Figure)]
    if len(right) < len(figures):
        return ""
    counts = [format_count(round(item.value * result.n_rows.test), result.n_rows.test, item) for item in right]
    return translate(
        "A simple method: {simple}. The ready-made model: {ours}. {conclusion}",
        simple=counts[0], ours=counts[1], conclusion=translate(_CONCLUSIONS.get(verdict.transfer or "", "")),
    )  # fmt: skip


_CONCLUSIONS = {
    "helped": message("It helps here."),
    "hurt": message("It does harm here: the simple method is better."),
    "no evidence": message("The difference may be chance."),
}


def list_kind_bars(result: Result) -> list[OutcomeBar]:
    """Return the bars of the kinds, the worst first; empty for numbers and for results of older versions.

    Parameters
    ----------
    result : Result
    """
    shares = result.pictures.per_class if result.pictures else []
    bars = [_make_bar(item, item.name, {"true": item.name}) for item in shares]
    return sorted(bars, key=lambda bar: bar.right)


def list_group_bars(result: Result) -> list[tuple[str, list[OutcomeBar]]]:
    """Return the bars of the groups by column.

    Parameters
    ----------
    result : Result
    """
    columns = result.pictures.per_group if result.pictures else []
    return [
        (
            part.column,
            [
                _make_bar(item, name_value(part.column, item.name), {"column": part.column, "value": item.name})
                for item in part.values
            ],
        )
        for part in columns
    ]


def _make_bar(shares: OutcomeShares, name: str, chosen: dict[str, str]) -> OutcomeBar:
    n = shares.n_rows
    counts = [round(item.value * n) for item in (shares.right, shares.wrong, shares.not_answered)]
    if n < FEWEST_FOR_HUNDRED:
        of, parts = n, counts
    else:
        of, parts = 100, [count_of_hundred(count / n) for count in counts]
        parts[parts.index(max(parts))] += of - sum(parts)  # The parts of a hundred make a hundred.
    words = translate(
        "of {of}: {right} right, {wrong} wrong, {left} to you", of=of, right=parts[0], wrong=parts[1], left=parts[2]
    )
    return OutcomeBar(
        name=name, words=words, right=shares.right.value, wrong=shares.wrong.value, left=shares.not_answered.value,
        query=urlencode(chosen),
    )  # fmt: skip


def list_mix_table(result: Result) -> list[tuple[str, list[MixCell]]]:
    """Return the rows of the table of what is mixed up; empty without classes, and with very many.

    Parameters
    ----------
    result : Result
    """
    if result.confusion is None or len(result.classes) > SETTINGS.mixed_kinds:
        return []
    table = []
    for at, counts in enumerate(result.confusion.matrix):
        total = max(sum(counts), 1)
        cells = [
            MixCell(
                n=int(n), shade=_choose_shade(n / total), is_right=at == place,
                query=urlencode({"true": result.classes[at], "answer": result.classes[place]}),
            )
            for place, n in enumerate(counts)
        ]  # fmt: skip
        table.append((result.classes[at], cells))
    return table


def _choose_shade(share: float) -> int:
    return 0 if not share else min(4, 1 + int(4 * share))


def list_filter_groups(result: Result) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the columns by which the wall can be filtered, with values and their names.

    Parameters
    ----------
    result : Result
    """
    return [
        (part.column, [(item.value, name_value(part.column, item.value)) for item in part.values if item.value])
        for part in result.groups[: SETTINGS.filter_columns]
        if len(part.values) <= SETTINGS.filter_values
    ]


def describe_slider(carefulness: Carefulness | None) -> Document | None:
    """Return the settings of the slider as JSON; None where there is no slider.

    Parameters
    ----------
    carefulness : Carefulness or None
    """
    if carefulness is None or not carefulness.levels:
        return None
    levels = _drop_equal(carefulness.levels)
    present = carefulness.present
    nearest = min(range(len(levels)), key=lambda at: (abs(levels[at].n_left - present.n_left), levels[at].n_wrong))
    return {
        "n_rows": carefulness.n_rows,
        "levels": [_describe_level(level, carefulness.n_rows) for level in levels],
        "present": _describe_level(present, carefulness.n_rows),
        "nearest": nearest,
        "can_choose": carefulness.has_calibration_rows,
    }


def _drop_equal(levels: Sequence[CareLevel]) -> list[CareLevel]:
    """Return the settings that differ in what they do, so that every step of the slider is seen."""
    chosen: list[CareLevel] = []
    for level in levels:
        counts = (level.n_right, level.n_wrong)
        if not chosen or counts != (chosen[-1].n_right, chosen[-1].n_wrong):
            chosen.append(level)
    return chosen


def _describe_level(level: CareLevel, n_rows: int) -> Document:
    few = n_rows < FEWEST_FOR_HUNDRED
    people = (level.n_right, level.n_wrong, level.n_left) if few else share_hundred(level)
    figures = (level.right, level.wrong, level.left)
    return {
        "refer_cost": level.refer_cost,
        "questions": level.questions_per_mistake,
        "sentence": describe_level(level, n_rows),
        "people": list(people),
        "parts": [
            {"words": format_count(n, n_rows, figure), "value": figure.value, "low": figure.low, "high": figure.high}
            for n, figure in zip((level.n_right, level.n_wrong, level.n_left), figures, strict=True)
        ],
    }
