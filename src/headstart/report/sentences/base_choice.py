"""Why was one base model chosen?"""

from __future__ import annotations

from headstart.report.messages import format_number, message, translate
from headstart.report.words import format_hundredths, format_percent, format_points, list_names
from headstart.results import BaseChoice, BaseRanking, Figure, RankedBase, VocabularyFit
from headstart.task_types import TASK_TYPES

_MOST_TIES = 3


def describe_ranking(ranking: BaseRanking) -> str:
    """Return the sentence that says why one base model was chosen.

    Parameters
    ----------
    ranking : BaseRanking
    """
    if not ranking.ranking:
        return translate("No base model could be tried.")
    best = ranking.ranking[0]
    score = _describe_score(best, TASK_TYPES[ranking.task or "classification"].has_one_class)
    if len(ranking.ranking) == 1:
        return translate("{name} is the only one that could be tried: {score}.", name=best.label, score=score)
    ties = [item for item in ranking.ranking if item.tie]
    if not ties:
        second = ranking.ranking[1]
        return translate(
            "{name} is the best: {score}, more than chance explains above {second} ({share}%).",
            name=best.label, score=score, second=second.label, share=format_hundredths(second.probe.value, 1),
        )  # fmt: skip
    others = list_names([item.label for item in ties if item is not best], _MOST_TIES)
    tie = translate(
        "A tie: {name} is first ({score}), but chance explains its lead over {others}",
        name=best.label, score=score, others=others,
    )  # fmt: skip
    if best.taken:
        return f"{tie}."
    taken = next(item for item in ranking.ranking if item.taken)
    return tie + translate("; {name} is taken, because it is smaller and no worse in log-loss.", name=taken.label)


def _describe_score(item: RankedBase, has_one_class: bool) -> str:
    values = {
        "share": format_hundredths(item.probe.value, 1), "low": format_hundredths(item.probe.low, end="low"),
        "high": format_hundredths(item.probe.high, end="high"), "n": format_number(str(item.n_rows)),
    }  # fmt: skip
    if has_one_class:
        return translate("it is right on {share}% ({low}%-{high}%) of {n} training rows in cross-validation", **values)
    return translate(
        "it takes away {share}% ({low}%-{high}%) of the error of always saying the average, on {n} training rows in "
        "cross-validation",
        **values,
    )


_KNOWLEDGE = {
    ("known", "words"): message("{name} knows the language of these texts: it holds {n} of 100 longer words whole."),
    ("unclear", "words"): message(
        "{name} knows the language of these texts in part: it holds {n} of 100 longer words whole."
    ),
    ("unknown", "words"): message(
        "{name} does not know the language of these texts: it holds {n} of 100 longer words whole."
    ),
    ("unclear", "tokens"): message(
        "{name} knows the language of these texts, but not {share} of the signs that they are made of."
    ),
    ("unknown", "tokens"): message("{name} does not know {share} of the signs that these texts are made of."),
    ("unknown", "script"): message("{name} does not know the script of these texts ({script})."),
    ("unclear", "few-words"): message("These texts have too few words to tell their language; {name} is the default."),
}
"""By how well a vocabulary knows the language, and by what that was seen."""

_OBSTACLES = {
    "no-time": message("There was too little time to compare it with {other}; more time allows it (--time)."),
    "unusable": message("{other} could not be used."),
}


_AGREEMENT = {
    "much": message(
        "For {share} of 100 rows the rows that it finds most alike have the same label ({chance} by always saying the "
        "most frequent one). It sees much of what matters here."
    ),
    "some": message(
        "For {share} of 100 rows the rows that it finds most alike have the same label ({chance} by always saying the "
        "most frequent one). It sees some of what matters here."
    ),
    "little": message(
        "For {share} of 100 rows the rows that it finds most alike have the same label ({chance} by always saying the "
        "most frequent one). It sees little of what matters here; expect less help from it."
    ),
}
"""By how well the labels of the rows that a base finds alike agree."""


def describe_relatedness(base: RankedBase) -> str:
    """Return the sentences that say how much a base model has to do with the rows.

    Parameters
    ----------
    base : RankedBase
    """
    sentences = [_describe_fit(base.vocabulary)] if base.vocabulary else []
    if base.agreement and base.knn is not None and base.knn_chance is not None:
        share, chance = format_hundredths(base.knn), format_hundredths(base.knn_chance)
        sentences.append(translate(_AGREEMENT[base.agreement], share=share, chance=chance))
    return " ".join(sentences)


def describe_base_choice(choice: BaseChoice) -> str:
    """Return the sentences that say why one base model of texts was taken.

    Parameters
    ----------
    choice : BaseChoice
    """
    sentences = [_describe_fit(choice.fits[0])]
    if len(choice.fits) > 1:
        sentences.append(_describe_other_fit(choice.fits[1], choice.fits[0]))
    if choice.lead is not None:
        sentences.append(_describe_lead(choice))
    return " ".join([*sentences, *_describe_outcome(choice)])


def _describe_fit(fit: VocabularyFit) -> str:
    return translate(
        _KNOWLEDGE[fit.knowledge, fit.sign], name=fit.base, n=format_hundredths(fit.known_words_share),
        share=format_percent(fit.unknown_share), script=fit.script,
    )  # fmt: skip


def _describe_other_fit(other: VocabularyFit, default: VocabularyFit) -> str:
    if other.sign in ("script", "tokens") and other.knowledge == "unknown":
        return _describe_fit(other)
    n = format_hundredths(other.known_words_share)
    if other.known_words_share > default.known_words_share:
        return translate("{name}, made for about 100 languages, knows it better ({n} of 100).", name=other.base, n=n)
    return translate(
        "{name}, made for about 100 languages, knows no more of its words ({n} of 100).", name=other.base, n=n
    )


def _describe_lead(choice: BaseChoice) -> str:
    assert choice.lead is not None
    lead, first, second = choice.lead, choice.other, choice.default
    if lead.value < 0:
        lead, first, second = Figure(value=-lead.value, low=-lead.high, high=-lead.low), second, first
    values = {
        "n": format_number(str(choice.n_rows)), "first": first, "second": second, "size": format_points(lead.value),
        "low": format_points(lead.low, end="low"), "high": format_points(lead.high, end="high"),
    }  # fmt: skip
    if TASK_TYPES[choice.task].has_one_class:
        return translate(
            "On {n} training rows in cross-validation, {first} is right {size} points more often than {second} (95 % "
            "interval {low} to {high}).",
            **values,
        )
    return translate(
        "On {n} training rows in cross-validation, {first} takes away {size} points more of the error than {second} "
        "(95 % interval {low} to {high}).",
        **values,
    )


def _describe_outcome(choice: BaseChoice) -> list[str]:
    if choice.reason == "not-installed":
        return [_describe_installation(choice)]
    if choice.reason in _OBSTACLES:
        return [translate(_OBSTACLES[choice.reason], other=choice.other)]
    if len(choice.fits) == 1:
        return []
    if choice.reason == "tie" and choice.taken == choice.default:
        return [translate("That is within noise, so the usual base model stays: {name}.", name=choice.taken)]
    if choice.reason == "tie":
        return [translate("That is within noise, so the language decides: {name} is taken.", name=choice.taken)]
    return [translate("{name} is taken.", name=choice.taken)]


def _describe_installation(choice: BaseChoice) -> str:
    values = {"other": choice.other, "n": f"{choice.size_bytes / 1e6:.0f}", "command": choice.install}
    if choice.fits[0].knowledge == "unknown":
        return translate("This language needs {other}: {n} MB, {command}", **values)
    return translate("{other} may know it better: {n} MB, {command}", **values)
