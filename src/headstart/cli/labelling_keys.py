"""Judging examples in the terminal: one at a time, one key for each kind."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from headstart.cli.surface import news
from headstart.flow.labelling.key_rounds import KeyAnswer, KeyQuestion

KEYS = "123456789abcdefghijklm"
"""Of the kinds, in their order; of more kinds the name is typed."""
OTHERS = {"?": "not_sure", "0": "none", "s": "skip", "-": "back", "q": "stop"}
"""Other keys, and what they answer."""


def ask_by_keys(question: KeyQuestion) -> KeyAnswer:
    """Show an example, and return what a person answers.

    Parameters
    ----------
    question : KeyQuestion
    """
    news.print()
    news.print(f"{question.number} of {question.n_open:,} open: {question.content}", markup=False, soft_wrap=True)
    news.print(_list_keys(question.kinds), markup=False, soft_wrap=True)
    while True:
        answer = read_answer(question.kinds, _read_key(len(question.kinds)))
        if answer is not None:
            return answer
        news.print("That is none of the keys.", markup=False)


def read_answer(kinds: Sequence[str], key: str) -> KeyAnswer | None:
    """Return what a key, or the name of a kind, means; None where it means nothing.

    Parameters
    ----------
    kinds : sequence of str
    key : str
        As it was typed; nothing at all: stop.

    Examples
    --------
    >>> read_answer(["water", "health"], "2")
    KeyAnswer(answer='label', kind='health')
    >>> read_answer(["water", "health"], "?").answer, read_answer(["water", "health"], "7")
    ('not_sure', None)
    """
    text = key.strip()
    if not key or text in OTHERS:
        return KeyAnswer(OTHERS.get(text, "stop"))
    if len(text) == 1 and text in KEYS and KEYS.index(text) < len(kinds):
        return KeyAnswer("label", kinds[KEYS.index(text)])
    by_name = {kind.casefold(): kind for kind in kinds}
    return KeyAnswer("label", by_name[text.casefold()]) if text.casefold() in by_name else None


def _list_keys(kinds: Sequence[str]) -> str:
    pairs = [f"[{key}] {kind}" for key, kind in zip(KEYS, kinds, strict=False)]
    more = f"  or type one of {len(kinds) - len(KEYS)} further kinds" if len(kinds) > len(KEYS) else ""
    return "  ".join(pairs) + more + "  [?] not sure  [0] none of these  [s] skip  [-] back  [q] stop"


def _read_key(n_kinds: int) -> str:
    """Return one key where a terminal gives it at once, else a line; nothing at the end of the input."""
    if sys.stdin.isatty() and n_kinds <= len(KEYS):
        try:
            return str(typer.getchar())
        except (EOFError, KeyboardInterrupt):
            return ""
    return sys.stdin.readline()
