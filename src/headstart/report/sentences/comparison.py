"""Which of two bundles is better?"""

from __future__ import annotations

from headstart.evaluation.settings import SETTINGS
from headstart.report.messages import translate, translate_stored
from headstart.report.words import format_fixed, format_signed
from headstart.results import Comparison


def describe_comparison(comparison: Comparison) -> str:
    """Return the sentences that say which of two bundles is better.

    Parameters
    ----------
    comparison : Comparison
    """
    gain = comparison.difference
    value = format_signed(gain.value, 3)
    low, high = format_signed(gain.low, 3, "low"), format_signed(gain.high, 3, "high")
    sentence = translate(
        "Of {n} rows the new bundle does better on {better} and worse on {worse} (exact test: p = {p}). Its advantage "
        "in {measure} is {value} (95 % interval {low} to {high})",
        n=comparison.n_rows, better=comparison.n_better, worse=comparison.n_worse,
        p=format_fixed(comparison.p_value, 3), measure=translate_stored(comparison.measure), value=value, low=low,
        high=high,
    )  # fmt: skip
    if gain.low > 0:
        return sentence + translate(": it is better.")
    if gain.high < 0:
        return sentence + translate(": it is worse.")
    if comparison.p_value <= SETTINGS.level:
        return sentence + translate(
            ": no evidence that one is better; single rows change more often one way than the other."
        )
    return sentence + translate(": no evidence that one is better.")
