"""Is the model ready for use, in the words of people who know no statistics: verdict, reasons, next step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from headstart.report.group_names import name_group
from headstart.report.messages import format_number, message, translate, translate_count
from headstart.report.people_words import count_inputs, count_of_hundred, format_in_hundred
from headstart.report.sentences.carefulness import FEWEST_FOR_HUNDRED, format_count
from headstart.report.words import format_amount, format_hundredths, join_clauses, shorten_name
from headstart.results import READINESS_LEVELS, NextStep, Readiness, ReadinessLevel, ReadinessReason

LEVEL_NAMES: Mapping[ReadinessLevel, str] = {
    "ready": message("Ready to try"),
    "supervised": message("Only with a person checking"),
    "not_ready": message("Not ready"),
}
_PARTS = ("worst_class", "worst_group", "worst_group_error", "worst_classes_together", "cannot_tell")
"""Reasons about a part of the rows; the worst two of them are named in the verdict."""
_QUALITY = ("answered", "answered_right", "kappa", "row_f1", "explained")
"""Figures that the verdict always names, where they are known."""
_MOST_PARTS = 2


def name_level(level: ReadinessLevel) -> str:
    """Return a level in words.

    Parameters
    ----------
    level : "ready", "supervised" or "not_ready"
    """
    return translate(LEVEL_NAMES[level])


def describe_verdict(readiness: Readiness, modality: str) -> str:
    """Return the verdict: the level, how often it answers and how well, and where it is worst.

    Parameters
    ----------
    readiness : Readiness
    modality : str
    """
    level = translate("{sentence}.", sentence=name_level(readiness.level))
    return f"{level} {describe_facts(readiness, modality)}"


def describe_facts(readiness: Readiness, modality: str) -> str:
    """Return the verdict without the level.

    Parameters
    ----------
    readiness : Readiness
    modality : str
    """
    first, below = readiness.reasons[0], [item for item in readiness.reasons if item.level != "ready"]
    sentences = []
    if below and first.code not in (*_PARTS, *_QUALITY):
        sentences.append(describe_reason(first, modality))
    by_code = {item.code: item for item in readiness.reasons}
    if _leaves_all(by_code.get("answered")):
        sentences.append(translate("Of {inputs} it answers none.", inputs=count_inputs(modality, 100)))
    else:
        sentences += [describe_reason(by_code[code], modality) for code in _QUALITY if code in by_code]
    parts = [item for item in below if item.code in _PARTS and item.code != "cannot_tell"]
    worse = [item for item in parts if not _is_only_unsure(item, by_code.get("answered_right"))][:_MOST_PARTS]
    if worse:
        clauses = join_clauses([_describe_part(item) for item in worse])
        sentences.append(_write_worst(clauses, by_code.get("answered")))
        sentences += _compare_worst_group(readiness, worse)
    elif parts:
        clauses = join_clauses([_describe_part(item) for item in parts[:_MOST_PARTS]])
        sentences.append(translate("Least is known of {parts}.", parts=clauses))
    elif below and first.code == "cannot_tell":
        sentences.append(describe_reason(first, modality))
    return " ".join(sentences)


def _compare_worst_group(readiness: Readiness, parts: Sequence[ReadinessReason]) -> list[str]:
    """Return how the best value of the column does, and a warning where the worst is clearly too bad for use."""
    worst = readiness.worst_group
    reason = next((item for item in parts if item.code == "worst_group"), None)
    if reason is None or worst is None or reason.figure is None or reason.bound is None or not worst.column:
        return []
    sentences = []
    if worst.better_figure is not None:
        better, share = name_group(worst.column, worst.better_value), format_in_hundred(worst.better_figure)
        sentences.append(translate("For {name} it is right in {share}.", name=better, share=share))
    if reason.level == "not_ready" and reason.figure.value < reason.bound:
        sentences.append(translate("Do not use it for {name}.", name=name_group(worst.column, worst.value)))
    return sentences


def describe_reason(reason: ReadinessReason, modality: str) -> str:
    """Return one reason as a sentence.

    Parameters
    ----------
    reason : ReadinessReason
    modality : str
    """
    return _REASONS[reason.code](reason, modality)


def describe_requirement(reason: ReadinessReason) -> str:
    """Return what the next level takes; empty where a reason has no bound that can be written, or keeps nothing back.

    Parameters
    ----------
    reason : ReadinessReason
    """
    if reason.level == "ready" or reason.bound is None or reason.code not in (*_QUALITY, *_PARTS, "exact_match"):
        return ""
    wanted_level = READINESS_LEVELS[READINESS_LEVELS.index(reason.level) + 1]
    if reason.code == "cannot_tell":
        return ""
    if reason.code == "worst_group_error":
        return translate(
            "“{level}” takes {bound} times at most.", level=name_level(wanted_level), bound=format_amount(reason.bound)
        )
    return translate(
        "“{level}” takes surely {bound} of 100 or more.",
        level=name_level(wanted_level), bound=format_hundredths(reason.bound),
    )  # fmt: skip


def describe_next_step(step: NextStep, modality: str) -> str:
    """Return what to do next, without its command.

    Parameters
    ----------
    step : NextStep
    modality : str
    """
    inputs = "" if step.n_rows is None else count_inputs(modality, step.n_rows)
    template = _STEPS[step.code] if step.n_rows is not None else _STEPS_WITHOUT_NUMBER.get(step.code, _STEPS[step.code])
    if step.code == "other_base" and not step.value:
        template = _COMPARE_BASES
    name = shorten_name(step.value) if step.code == "other_base" else name_group(step.column, step.value)
    return translate(template, inputs=inputs, name=name)


def _write_worst(parts: str, answered: ReadinessReason | None) -> str:
    """Return the worst parts; their figures count first guesses, also where the model leaves the input to a person."""
    if answered is None or answered.figure is None or answered.figure.value == 1:
        return translate("Worst for {parts}.", parts=parts)
    return translate("If it has to answer every one, worst for {parts}.", parts=parts)


def _is_only_unsure(part: ReadinessReason, answered_right: ReadinessReason | None) -> bool:
    """Return whether a part is as good as all answers, and only too few tests keep it below its bound."""
    if part.code not in ("worst_class", "worst_group") or part.figure is None:
        return False
    return bool(answered_right and answered_right.figure and part.figure.value >= answered_right.figure.value)


def _leaves_all(answered: ReadinessReason | None) -> bool:
    return answered is not None and answered.figure is not None and answered.figure.value == 0


def _describe_part(reason: ReadinessReason) -> str:
    assert reason.figure is not None
    if reason.code == "worst_classes_together":
        return translate("the kinds with few tests each: right in {share}", share=format_in_hundred(reason.figure))
    name = name_group(reason.column, reason.value)
    if reason.code == "worst_group_error":
        return translate(
            "{name}: its error is {times} times that of all (surely at most {most} times)",
            name=name, times=format_amount(reason.figure.value), most=format_amount(reason.figure.high),
        )  # fmt: skip
    return translate("{name}: right in {share}", name=name, share=format_in_hundred(reason.figure))


def _describe_worst(reason: ReadinessReason, modality: str) -> str:
    return translate("Worst for {parts}.", parts=_describe_part(reason))


def _describe_answered(reason: ReadinessReason, modality: str) -> str:
    assert reason.figure is not None
    n_rows, share = reason.n_rows or FEWEST_FOR_HUNDRED, reason.figure.value
    of, n = (100, count_of_hundred(share)) if n_rows >= FEWEST_FOR_HUNDRED else (n_rows, round(share * n_rows))
    inputs = count_inputs(modality, of)
    if n == of:
        return translate("Of {inputs} it answers all.", inputs=inputs)
    return translate(
        "Of {inputs} it answers {n} and leaves {rest} to a person.",
        inputs=inputs, n=format_number(str(n)), rest=format_number(str(of - n)),
    )  # fmt: skip


def _write_share(template: str, is_counted: bool = False) -> Callable[[ReadinessReason, str], str]:
    """Return a sentence with a share; one of rows that were counted is "7 of 9" where there are few."""

    def write(reason: ReadinessReason, modality: str) -> str:
        assert reason.figure is not None
        n_rows, share = reason.n_rows or 0, format_in_hundred(reason.figure)
        if is_counted and n_rows:
            share = format_count(round(reason.figure.value * n_rows), n_rows, reason.figure)
        return translate(
            template, share=share, inputs=count_inputs(modality, n_rows), stated=format_hundredths(reason.bound or 0.0)
        )

    return write


def _describe_test_rows(reason: ReadinessReason, modality: str) -> str:
    tested = translate("It was tested on {inputs}.", inputs=count_inputs(modality, reason.n_rows or 0))
    if reason.level == "ready":
        return tested
    few = translate("On fewer than {n} nobody can call it ready.", n=format_number(f"{reason.bound or 0:.0f}"))
    return f"{tested} {few}"


def _describe_cannot_tell(reason: ReadinessReason, modality: str) -> str:
    sentence = translate(
        "Cannot tell for {name}: {inputs} to test on are too few.",
        name=name_group(reason.column, reason.value), inputs=count_inputs(modality, reason.n_rows or 0),
    )  # fmt: skip
    if not reason.n_more:
        return sentence
    more = translate_count("The same holds for {n} more.", "The same holds for {n} more.", reason.n_more)
    return f"{sentence} {more}"


def _describe_copies(reason: ReadinessReason, modality: str) -> str:
    return translate(
        "{inputs} of its test were also among what it learnt from, so its figures are too good.",
        inputs=count_inputs(modality, reason.n_rows or 0),
    )


def _write_plain(template: str) -> Callable[[ReadinessReason, str], str]:
    return lambda reason, modality: translate(template)


_REASONS: Mapping[str, Callable[[ReadinessReason, str], str]] = {
    "no_test_rows": _write_plain(message("It was not tested: nothing was left to test it on.")),
    "few_test_rows": _describe_test_rows,
    "answered": _describe_answered,
    "answered_right": _write_share(message("Its answers are right in {share}, tested on {inputs}."), is_counted=True),
    "kappa": _write_share(message("Its grades agree with the true ones by {share}.")),
    "row_f1": _write_share(message("Its labels fit by {share}.")),
    "exact_match": _write_share(message("All labels are exactly right in {share}."), is_counted=True),
    "explained": _write_share(
        message("It explains {share} of the differences between the numbers; always saying the mean explains none.")
    ),
    "worst_class": _describe_worst,
    "worst_group": _describe_worst,
    "worst_group_error": _describe_worst,
    "worst_classes_together": _describe_worst,
    "cannot_tell": _describe_cannot_tell,
    "not_measured": _write_plain(message("Cannot tell how often it is right: this was not measured.")),
    "coverage": _write_share(
        message("The possible answers that it names hold the true one in {share}; it promises {stated}.")
    ),
    "test_copies": _describe_copies,
    "shortcut": _write_plain(
        message("Something beside the point tells the answer here; it may have learnt that instead.")
    ),
    "worse_here": _write_plain(message("It is worse here than where it was made, by more than chance.")),
}
_STEPS: Mapping[str, str] = {
    "label_class": message("Next: label another {inputs} of {name}, add them to your data and run it again."),
    "label_group": message("Next: label another {inputs} of {name}, add them to your data and run it again."),
    "label_more": message("Next: label another {inputs}, add them to your data and run it again."),
    "label_test_rows": message("Next: label another {inputs} to test it on and run it again."),
    "other_base": message(
        "Next: take the ready-made model of many languages, {name}; this one does not know these texts."
    ),
    "other_place": message("Next: test it where it will be used, with labels from there."),
    "learn_here": message(
        "Next: let it learn from these labelled rows as well, and test it on others from here (about {inputs})."
    ),
    "use": message("Next: try it on new data; look at some of its answers now and then."),
    "look_at_labels": message("Next: look at {inputs} whose label may be wrong."),
    "remove_copies": message("Next: take these copies out and run it again."),
    "look_at_shortcut": message("Next: read what the check says about it, and test the model at another place."),
}
_STEPS_WITHOUT_NUMBER: Mapping[str, str] = {
    "label_class": message(
        "Next: label more of {name} (nobody can tell how many it takes), add them to your data and run it again."
    ),
    "label_group": message(
        "Next: label more of {name} (nobody can tell how many it takes), add them to your data and run it again."
    ),
    "label_more": message(
        "Next: label more (nobody can tell how many it takes), add them to your data and run it again."
    ),
}
_COMPARE_BASES = message("Next: let it compare other ready-made models on your data.")
