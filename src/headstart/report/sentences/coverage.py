"""Do prediction sets and ranges hold the truth as often as stated, and when does the model abstain?"""

from __future__ import annotations

from headstart.report.messages import translate
from headstart.report.people_words import count_of_hundred
from headstart.report.words import format_amount, format_hundredths
from headstart.results import Abstention, Conformal


def describe_coverage(figures: Conformal) -> str:
    """Return the sentence that says how often sets or ranges hold the truth.

    Parameters
    ----------
    figures : Conformal
    """
    shares = {
        "measured": format_hundredths(figures.measured.value),
        "low": format_hundredths(figures.measured.low, end="low"),
        "high": format_hundredths(figures.measured.high, end="high"), "stated": format_hundredths(figures.stated),
    }  # fmt: skip
    if figures.method == "residuals":
        sentence = translate(
            "Of {n} test rows {measured} % lie in the range given (95 % interval {low} to {high}); stated were "
            "{stated} %.",
            n=figures.n_rows, **shares,
        )  # fmt: skip
    elif figures.method == "per-label":
        sentence = translate(
            "Of the true labels of {n} test rows {measured} % were possible (95 % interval {low} to {high}); stated "
            "were {stated} %.",
            n=figures.n_rows, **shares,
        )  # fmt: skip
    else:
        sentence = translate(
            "Of {n} test rows {measured} % have their true class in the set given (95 % interval {low} to {high}); "
            "stated were {stated} %.",
            n=figures.n_rows, **shares,
        )  # fmt: skip
    warning = " " + translate("That is less often than stated: do not rely on it.") if figures.below else ""
    return f"{sentence} {_describe_size(figures)}{warning}"


def describe_missing_rows(n_rows: int | None) -> str:
    """Return how many more rows prediction sets need at least; "" where they have enough, or there are no sets.

    Parameters
    ----------
    n_rows : int or None
        As `Result.rows_missing_for_sets`.
    """
    if not n_rows:
        return ""
    return translate(
        "Prediction sets cannot leave any class out yet: at least {n} more labelled rows are needed, in classes with "
        "two rows or more.",
        n=n_rows,
    )


def _describe_labels(figures: Conformal) -> str:
    """Return how many labels are possible, how often the sure ones are true, and of which labels it is not stated."""
    sentences = []
    if figures.mean_size is not None:
        sentences.append(
            translate("Of a row {size} labels are possible on average.", size=format_amount(figures.mean_size.value))
        )
    right = figures.sure
    if all(item.sure_from is None for item in figures.per_label):
        sentences.append(translate("No label can be called sure: that takes more rows."))
    elif right is None:
        sentences.append(translate("No label was sure of a test row."))
    else:
        sentences.append(
            translate(
                "Of the labels called sure {right} % are true (95 % interval {low} to {high}); stated were at least "
                "{stated} %, with a confidence of {confidence} %.",
                right=format_hundredths(right.value), low=format_hundredths(right.low, end="low"),
                high=format_hundredths(right.high, end="high"), stated=format_hundredths(figures.stated),
                confidence=format_hundredths(figures.confidence or 0.0),
            )
        )  # fmt: skip
    rare = [f"{item.label} ({item.n_positives})" for item in figures.per_label if item.possible_from is None]
    if rare:
        names = ", ".join(rare[:_MOST_RARE]) + (" ..." if len(rare) > _MOST_RARE else "")
        sentences.append(
            translate("Nothing is stated of labels with too few training rows (in parentheses): {names}.", names=names)
        )
    return " ".join(sentences)


def _describe_size(figures: Conformal) -> str:
    if figures.method == "per-label":
        return _describe_labels(figures)
    if figures.mean_size is not None:
        size = format_amount(figures.mean_size.value)
        if size == format_amount(1):
            return translate("A set holds 1 class on average.")
        return translate("A set holds {size} classes on average.", size=size)
    if figures.width is None:
        return translate("A range has no ends: too few rows.")
    return translate("A range is {width} wide.", width=format_amount(figures.width))


def describe_abstention(figures: Abstention) -> str:
    """Return the sentence that says how often it answers, and how often it is then right.

    Parameters
    ----------
    figures : Abstention
    """
    label, unsure, none = (count_of_hundred(figures.shares[kind].value) for kind in _KINDS)
    sentence = translate(
        'Of {n} test rows {label} % get an answer, {unsure} % "not sure" and {none} % "none of these".',
        n=figures.n_rows, label=label, unsure=unsure, none=none,
    )  # fmt: skip
    right, always = figures.accuracy_answered, figures.accuracy_all
    if right is None or always is None:
        return sentence
    accuracy = translate(
        "Of the answers {right} % are right (95 % interval {low} to {high}); if every row had to be answered it would "
        "be {always} %.",
        right=format_hundredths(right.value, 1), low=format_hundredths(right.low, 1, end="low"),
        high=format_hundredths(right.high, 1, end="high"), always=format_hundredths(always.value, 1),
    )  # fmt: skip
    return f"{sentence} {accuracy}"


_MOST_RARE = 5
"""Labels that are named."""
_KINDS = ("label", "not sure", "none of these")
