"""Colours of classes: eight that people with any kind of colour vision tell apart, then grey.

Okabe and Ito 2008, "Color Universal Design", as in Wong 2011 (doi:10.1038/nmeth.1618), black being the colour of the
text; figures.css holds them as c0 to c7.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

N_COLOURS = 8
OTHER = "other"


def choose_colours(names: Sequence[str]) -> Mapping[str, str]:
    """Return the class in figures.css of each name that gets a colour: the most frequent ones.

    Parameters
    ----------
    names : sequence of str
        One for each row.

    Examples
    --------
    >>> choose_colours(["b", "a", "b"])
    {'b': 'c0', 'a': 'c1'}
    """
    ordered = sorted(Counter(names).items(), key=lambda item: (-item[1], item[0]))
    return {name: f"c{at}" for at, (name, _) in enumerate(ordered[:N_COLOURS])}
