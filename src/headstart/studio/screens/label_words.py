"""What the Label screen says about counts, learning and people; numbers come from `headstart.flow.labelling`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headstart.flow.labelling.records import HumanReference, KindShare, LabelAgreement, LabelCount, LabellingAdvice
from headstart.report.messages import translate, translate_count
from headstart.report.sentences.carefulness import FEWEST_FOR_HUNDRED
from headstart.report.words import format_hundredths, shorten


def describe_progress(n_labelled: int, advice: LabellingAdvice | None) -> str:
    """Return how many are labelled and what more would bring.

    Parameters
    ----------
    n_labelled : int
    advice : LabellingAdvice or None
    """
    labelled = translate_count("{n} labelled", "{n} labelled", n_labelled)
    if advice is None or advice.code == "too-few":
        return labelled
    if advice.code == "more-helps":
        more = translate_count("{n} more would tell much more", "{n} more would tell much more", advice.n_more)
    elif advice.code == "little":
        more = translate("more would change little")
    else:
        more = translate("what more would bring cannot be told yet")
    return translate("{labelled}; {more}", labelled=labelled, more=more)


def describe_advice(advice: LabellingAdvice | None) -> str:
    """Return how often the guesses are right so far; empty where nobody knows.

    Parameters
    ----------
    advice : LabellingAdvice or None
    """
    if advice is None or advice.right is None or advice.right.n == 0:
        return ""
    return translate("Guessed right, each without seeing its label: {count}.", count=write_count(advice.right))


def write_count(count: LabelCount) -> str:
    """Return "14 of 20", with the range in a hundred where there are enough.

    Parameters
    ----------
    count : LabelCount
    """
    of = translate("{k} of {n}", k=count.n_hits, n=count.n)
    if count.n < FEWEST_FOR_HUNDRED:
        return of
    low, high = format_hundredths(count.share.low, end="low"), format_hundredths(count.share.high, end="high")
    return translate("{count} (surely {low} to {high} of 100)", count=of, low=low, high=high)


def draw_bar(title: str, count: LabelCount) -> dict[str, Any]:
    """Return a bar of a range for the page (JSON).

    Parameters
    ----------
    title : str
    count : LabelCount
    """
    share = count.share
    return {"title": title, "words": write_count(count), "share": share.value, "low": share.low, "high": share.high}


def describe_shares(shares: Sequence[KindShare]) -> dict[str, Any]:
    """Return how often each kind is among the examples that were taken by chance (JSON).

    Parameters
    ----------
    shares : sequence of KindShare
    """
    n = shares[0].count.n if shares else 0
    words = translate_count("Of the first one, taken by chance:", "Of the first {n}, taken by chance:", n) if n else ""
    return {
        "shares": [draw_bar(share.kind or translate("None of these, or not sure"), share.count) for share in shares],
        "shares_words": words,
    }


def describe_agreement(agreement: LabelAgreement) -> dict[str, Any]:
    """Return how far two people agree (JSON).

    Parameters
    ----------
    agreement : LabelAgreement
    """
    if agreement.same.n == 0:
        words = translate("Nobody has labelled the same examples twice yet.")
        return {"words": words, "bars": []}
    first, second = (*agreement.people, "", "")[:2]
    words = translate(
        "{first} and {second} say the same on {count}.", first=first, second=second, count=write_count(agreement.same)
    )
    return {"words": words, "bars": [draw_bar(translate("The same"), agreement.same)]}


def describe_reference(reference: HumanReference) -> dict[str, Any]:
    """Return a person beside the model on the same examples of the check (JSON).

    Parameters
    ----------
    reference : HumanReference
    """
    if reference.person.n == 0:
        words = translate("Nobody has done this yet.")
        if reference.n_waiting == 0:
            words = translate("None are put away for the check yet: that happens when it learns.")
        return {"words": words, "bars": [], "n_waiting": reference.n_waiting}
    words = translate("{n} of {all} are done.", n=reference.person.n, all=reference.person.n + reference.n_waiting)
    bars = [draw_bar(translate("A person"), reference.person)]
    if reference.model is not None:
        bars.append(draw_bar(translate("The model"), reference.model))
    return {"words": words, "bars": bars, "n_waiting": reference.n_waiting}


def describe_cohort(kind: str, n: int) -> str:
    """Return the question about a cohort.

    Parameters
    ----------
    kind : str
    n : int
    """
    return translate_count("This one looks like {kind}", "These {n} look like {kind}", n, kind=shorten(kind))


def describe_learning(n_labels: int, n_needed: int, *, is_learning: bool, has_enough: bool) -> str:
    """Return what the learning in the background does.

    Parameters
    ----------
    n_labels : int
        That the newest round knew; -1 before the first.
    n_needed : int
        Labels a kind that a round needs.
    is_learning, has_enough : bool
    """
    if is_learning:
        return translate("Learning from your answers ...")
    if not has_enough:
        return translate(
            "Once two kinds have {n} examples each, it learns by itself and puts the most useful next.", n=n_needed
        )
    return translate("It has learnt from {n} answers.", n=n_labels) if n_labels >= 0 else ""
