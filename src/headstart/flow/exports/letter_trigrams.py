"""How probable a string is anywhere in texts of a language, judged by their letters.

`language.ngram` measures whole texts from their first character on; pieces of words stand in the middle as well.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import lru_cache
from math import log

ORDER = 3
END = "\n"


class LetterTrigrams:
    """Character trigrams of words, interpolated with shorter ones (Witten and Bell 1991).

    Parameters
    ----------
    words : mapping of str to int
        How often each word occurs.

    Examples
    --------
    >>> model = LetterTrigrams({" omi": 5, " ile": 5})
    >>> model.score(" om") > model.score(" th")
    True
    """

    def __init__(self, words: Mapping[str, int]) -> None:
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        for word, n_times in words.items():
            text = word + END
            for place, character in enumerate(text):
                for length in range(min(ORDER - 1, place) + 1):
                    self._counts[text[place - length : place]][character] += n_times
        self._totals = {context: counts.total() for context, counts in self._counts.items()}
        self._probability = lru_cache(maxsize=None)(self._compute_probability)

    def score(self, text: str) -> float:
        """Return the log-probability of a string.

        Parameters
        ----------
        text : str
        """
        return sum(
            log(self._probability(text[max(0, place - ORDER + 1) : place], character))
            for place, character in enumerate(text)
        )

    def _compute_probability(self, context: str, character: str) -> float:
        total = self._totals.get(context, 0)
        if not context:
            return (self._counts[""][character] + 0.5) / (total + 0.5 * (len(self._counts[""]) + 50))
        shorter = self._probability(context[1:], character)
        if not total:
            return shorter
        counts = self._counts[context]
        return (counts[character] + len(counts) * shorter) / (total + len(counts))
