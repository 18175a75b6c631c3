"""What page one and the field card say: figures of a hundred, when to ask a person, what is mixed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from headstart.modalities.preview_records import AnyPreview
from headstart.report.group_names import name_group
from headstart.report.kinds import NOUNS
from headstart.report.messages import translate
from headstart.report.people_words import count_of_hundred, format_surely_between
from headstart.report.previews import PreviewBudget
from headstart.results import Result
from headstart.results.report_rows import ReportRows

CARD_KINDS = 12
CARD_PAIRS = 3
CARD_PREVIEW_BYTES = 40_000
SHOWN_OPTION = 200


@dataclass(frozen=True, kw_only=True)
class ConfusedPair:
    """Test rows of one class that were taken for another: the numbers of the classes, and their names."""

    true_at: int
    predicted_at: int
    label: str
    predicted: str
    n_rows: int
    support: int


@dataclass(frozen=True, kw_only=True)
class FirstPage:
    """What page one, the field card and the list of options show.

    Parameters
    ----------
    tested : str
        What it was tested on and learnt from.
    answered : str
        How many of a hundred inputs it answers; "" if that is not known.
    reasons_to_ask : list of str
        When a person has to look.
    kinds : list of (str, Markup)
        The classes of the field card, each with a snippet that shows it, where there is one.
    pairs : sequence of ConfusedPair
        Classes that were confused most often.
    options : list of (str, str)
        Options of the run, with their values.
    """

    tested: str
    answered: str
    reasons_to_ask: list[str]
    kinds: list[tuple[str, AnyPreview | Markup | None]]
    pairs: Sequence[ConfusedPair]
    options: list[tuple[str, str]]


def gather_first_page(
    result: Result, pairs: Sequence[ConfusedPair], rows: ReportRows | None, budget: PreviewBudget, *, noun: str
) -> FirstPage:
    """Gather what page one, the field card and the list of options show, in the language spoken.

    Parameters
    ----------
    result : Result
    pairs : sequence of ConfusedPair
        Classes that were confused, the most frequent pair first.
    rows : ReportRows or None
    budget : PreviewBudget
        Of the page; the examples of the card take from it.
    noun : str
        What the inputs are.
    """
    return FirstPage(
        tested=describe_tested(result, noun),
        answered=describe_answered(result),
        reasons_to_ask=list_reasons_to_ask(result),
        kinds=list_kinds_with_example(result, rows, budget),
        pairs=pairs[:CARD_PAIRS],
        options=[
            (f"--{name.replace('_', '-')}", str(value)[:SHOWN_OPTION])
            for name, value in result.options.items()
            if value not in (None, "", [], {}, ())
        ],
    )


def describe_tested(result: Result, noun: str) -> str:
    """Return what it was tested on and learnt from; where copies were in both, not that it had never seen them.

    Parameters
    ----------
    result : Result
    noun : str
        What the inputs are.
    """
    counts = {"test": result.n_rows.test, "train": result.n_rows.train, "noun": noun}
    reasons = result.readiness.reasons if result.readiness else []
    if any(item.code == "test_copies" for item in reasons):
        return translate("Tested on {test} {noun}; it learnt from {train} others.", **counts)
    return translate("Tested on {test} {noun} it had never seen; it learnt from {train} others.", **counts)


def list_kinds_with_example(
    result: Result, rows: ReportRows | None, budget: PreviewBudget
) -> list[tuple[str, AnyPreview | Markup | None]]:
    """List the classes for the field card, each with a training row that shows it, where there is one.

    Parameters
    ----------
    result : Result
    rows : ReportRows or None
    budget : PreviewBudget
        Of the page; the examples of the card take from it.
    """
    examples = rows.examples if rows else {}
    first = {label: next(iter(examples.get(label, ())), "") for label in result.classes[:CARD_KINDS]}
    return [(label, budget.take(name, CARD_PREVIEW_BYTES)) for label, name in first.items()]


def describe_answered(result: Result) -> str:
    """Return how many of a hundred inputs it answers, and how many it leaves to a person; "" if that is not known.

    Parameters
    ----------
    result : Result
    """
    abstention, noun = result.abstention, translate(NOUNS[result.modality])
    if abstention is None or "label" not in abstention.shares:
        return ""
    n_answered = count_of_hundred(abstention.shares["label"].value)
    right = abstention.accuracy_answered
    if right is None:
        return translate(
            "Of 100 {noun} it answers {n} and leaves {left} to you.", noun=noun, n=n_answered, left=100 - n_answered
        )
    return translate(
        "Of 100 {noun} it answers {n} and leaves {left} to you; of 100 answers {right} are right ({ends}).",
        noun=noun, n=n_answered, left=100 - n_answered, right=count_of_hundred(right.value),
        ends=format_surely_between(right),
    )  # fmt: skip


def list_reasons_to_ask(result: Result) -> list[str]:
    """List when a person has to look, for the field card.

    Parameters
    ----------
    result : Result
    """
    abstention = result.abstention
    lines = []
    if abstention and "sets" not in abstention.without:
        lines.append(
            translate("When it says “not sure”: it gives no label, and cannot leave every label out.")
            if result.conformal and result.conformal.per_label
            else translate("When it says “not sure”: more than one answer is likely.")
        )
    if abstention and abstention.novelty:
        lines.append(translate("When it says “none of these”: it is unlike all that it learnt from."))
    worst = result.readiness.worst_group if result.readiness else None
    if worst is not None:
        lines.append(translate("For {value}: there it does worst.", value=name_group(worst.column, worst.value)))
    lines.append(translate("At a new place, with another device or in another season: it was not tested there."))
    lines.append(translate("Wherever a mistake would do harm."))
    return lines
