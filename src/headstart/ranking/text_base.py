"""Which of two text bases: the default, or the one of many languages; the language decides, then a probe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from headstart.ranking.vocabulary import VocabularyCoverage, judge_language
from headstart.records import Interval

ChoiceReason = Literal["language", "few-words", "probe", "tie", "not-installed", "unusable", "no-time"]


@dataclass(frozen=True)
class TextBaseDecision:
    """Whether the other base is taken, and what decided."""

    takes_other: bool
    reason: ChoiceReason


def needs_other_base(coverage: VocabularyCoverage) -> bool:
    """Return whether the other base has to be looked at: not where the default knows the language.

    Nor where there are too few words to say anything.

    Parameters
    ----------
    coverage : VocabularyCoverage
        Of the default base.

    Examples
    --------
    >>> needs_other_base(VocabularyCoverage(n_words=900, known_words_share=0.92))
    False
    >>> needs_other_base(VocabularyCoverage(n_words=900, known_words_share=0.1))
    True
    """
    knowledge, sign = judge_language(coverage)
    return knowledge != "known" and sign != "few-words"


def decide_text_base(
    coverage: VocabularyCoverage, other: VocabularyCoverage | None, lead: Interval | None
) -> TextBaseDecision:
    """Decide between the default text base and the other one.

    A language that the default knows stays there unless the other base is better beyond noise; one that it does not
    know goes to the other unless the default is better beyond noise, or the other cannot write the texts either.

    Parameters
    ----------
    coverage : VocabularyCoverage
        Of the default base.
    other : VocabularyCoverage or None
        Of the other base; None where it was not looked at.
    lead : Interval or None
        How much better the other base's probe is on the same training rows, with 95 % interval; None where no row
        could be held out, or the other base was not looked at.

    Examples
    --------
    >>> english = VocabularyCoverage(n_words=900, known_words_share=0.92)
    >>> amharic = VocabularyCoverage(n_words=900, script="Ethiopic", knows_script=False)
    >>> better = VocabularyCoverage(n_words=900, known_words_share=0.21, script="Ethiopic")
    >>> decide_text_base(english, None, None)
    TextBaseDecision(takes_other=False, reason='language')
    >>> decide_text_base(amharic, better, Interval(0.01, -0.02, 0.04))
    TextBaseDecision(takes_other=True, reason='tie')
    >>> decide_text_base(amharic, better, Interval(-0.05, -0.08, -0.02))
    TextBaseDecision(takes_other=False, reason='probe')
    """
    knowledge, sign = judge_language(coverage)
    if sign == "few-words":
        return TextBaseDecision(False, "few-words")
    if knowledge == "known" or other is None:
        return TextBaseDecision(False, "language")
    if lead is not None and (lead.low > 0 or lead.high < 0):
        return TextBaseDecision(lead.low > 0, "probe")
    prefers_other = knowledge == "unknown" and not _is_foreign(other)
    return TextBaseDecision(prefers_other, "language" if lead is None else "tie")


def _is_foreign(coverage: VocabularyCoverage) -> bool:
    """Return whether a vocabulary cannot even write the texts."""
    knowledge, sign = judge_language(coverage)
    return knowledge == "unknown" and sign in ("script", "tokens")
