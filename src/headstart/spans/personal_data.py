"""Rules for personal data that has a form: numbers of phones, mails, plates, accounts. They know no names.

Rules look for more than they must: a number that is no phone is taken out rather than overlooked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from headstart.spans.records import Span

_DIGIT = r"\d"  # Of any script: Arabic-Indic and Devanagari digits are digits, too.
_BETWEEN = r"[\s()./\u00ad\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060-\u2069\ufeff-]"  # Unseen characters, too.
_WORD_START, _WORD_END = r"(?<![^\W_])", r"(?![^\W_])"


@dataclass(frozen=True)
class PersonalDataRule:
    """What is looked for: its name, a pattern, and how many digits it needs."""

    kind: str
    pattern: re.Pattern[str]
    least_digits: int = 0


RULES: tuple[PersonalDataRule, ...] = (
    PersonalDataRule("mail", re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")),
    PersonalDataRule("url", re.compile(r"(?:https?://|www\.)[^\s<>\"']{1,500}", re.IGNORECASE)),
    PersonalDataRule(
        "iban",
        re.compile(rf"{_WORD_START}[A-Z]{{2}}\d{{2}}(?: ?[A-Z0-9]{{4}}){{3,7}}(?: ?[A-Z0-9]{{1,3}})?{_WORD_END}"),
    ),
    PersonalDataRule("phone", re.compile(rf"(?<!\w)[+(]{{0,3}}{_DIGIT}(?:{_BETWEEN}{{0,3}}{_DIGIT}){{6,}}"), 7),
    PersonalDataRule("plate", re.compile(rf"{_WORD_START}[A-Z]{{2,3}}[ -]?\d{{2,4}}[ -]?[A-Z]{{1,3}}{_WORD_END}")),
    PersonalDataRule(
        "id", re.compile(rf"{_WORD_START}(?=[A-Z0-9/-]{{0,24}}\d{{4}})[A-Z0-9][A-Z0-9/-]{{5,24}}{_WORD_END}"), 5
    ),
)
"""The first rule that finds a part of a text names it."""
RULE_KINDS = tuple(rule.kind for rule in RULES)


def find_personal_data(text: str, kinds: frozenset[str]) -> tuple[Span, ...]:
    """Return what looks like personal data, sorted and without overlap.

    Parameters
    ----------
    text : str
    kinds : frozenset of str
        Of `RULE_KINDS`; what to look for.

    Examples
    --------
    >>> text = "Call 0712 345 678 or amina@example.org, car KBX 123A."
    >>> [(span.kind, text[span.start : span.end]) for span in find_personal_data(text, frozenset(RULE_KINDS))]
    [('phone', '0712 345 678'), ('mail', 'amina@example.org'), ('plate', 'KBX 123A')]
    """
    spans: list[Span] = []
    rest = list(text)
    for rule in RULES:
        if rule.kind not in kinds:
            continue
        for match in rule.pattern.finditer(text):
            if sum(character.isdigit() for character in match[0]) >= rule.least_digits:
                spans.append(Span(match.start(), match.end(), rule.kind))
                rest[match.start() : match.end()] = "\0" * len(match[0])
        text = "".join(rest)  # Later rules do not see it: one that began in it would else lose what follows it.
    return tuple(sorted(spans))
