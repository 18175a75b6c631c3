"""Why was one base model chosen?"""

from __future__ import annotations

from headstart.report.messages import format_number, translate
from headstart.report.words import format_hundredths, list_names
from headstart.results import BaseRanking, RankedBase
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
        "share": format_hundredths(item.probe.value, 1), "low": format_hundredths(item.probe.low),
        "high": format_hundredths(item.probe.high), "n": format_number(str(item.n_rows)),
    }  # fmt: skip
    if has_one_class:
        return translate("it is right on {share}% ({low}%-{high}%) of {n} training rows in cross-validation", **values)
    return translate(
        "it takes away {share}% ({low}%-{high}%) of the error of always saying the average, on {n} training rows in "
        "cross-validation",
        **values,
    )
