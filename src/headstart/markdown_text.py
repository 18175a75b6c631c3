"""Names and texts of other people in Markdown that we write: they show as they are, and are no markup and no links."""

from __future__ import annotations

import re

_MARKUP = re.compile(r"([\\`*_\[\]<>|#~&])")
_BEGINNING = re.compile(r"^([-+=]|\d+(?=[.)]))")
_LINKS = (
    (re.compile("://"), r":\\//"),
    (re.compile(r"www\.", re.IGNORECASE), r"www\\."),
    (re.compile(r"(?<=\w)@"), r"\\@"),
)
"""What readers of Markdown make a link of by itself, and how it is written so that they do not."""


def escape_markdown(text: str) -> str:
    r"""Write a text into Markdown so that it shows as it is, on one line.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> escape_markdown("a|b *c* <img src=x>"), escape_markdown("[here](http://x.y)")
    ('a\\|b \\*c\\* \\<img src=x\\>', '\\[here\\](http:\\//x.y)')
    """
    escaped = _MARKUP.sub(r"\\\1", " ".join(text.split()))
    for pattern, broken in _LINKS:
        escaped = pattern.sub(broken, escaped)
    return _BEGINNING.sub(lambda match: f"\\{match[1]}" if not match[1].isdigit() else f"{match[1]}\\", escaped)
