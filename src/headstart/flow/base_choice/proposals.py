"""Bases of the catalogue that are not on this machine and suit the data: a list, best first, from records alone.

Nothing is measured here: whether one is better than those that are here, only ranking it can tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from headstart.bases import BaseRecord
from headstart.bases.catalogue_loading import find_obstacle
from headstart.bases.licences import FREE_CLASSES
from headstart.bases.record import find_licence_class
from headstart.flow.base_choice.installing import state_installation

ProposalReason = Literal["script", "languages", "domain", "broad", "modality"]
ISO_SCRIPTS: Mapping[str, tuple[str, ...]] = {
    "Arabic": ("Arab",), "Armenian": ("Armn",), "Bengali": ("Beng",), "Cjk": ("Hans", "Hant", "Jpan"),
    "Cyrillic": ("Cyrl",), "Devanagari": ("Deva",), "Ethiopic": ("Ethi",), "Georgian": ("Geor",), "Greek": ("Grek",),
    "Gujarati": ("Gujr",), "Gurmukhi": ("Guru",), "Hangul": ("Hang",), "Hebrew": ("Hebr",), "Hiragana": ("Jpan",),
    "Kannada": ("Knda",), "Katakana": ("Jpan",), "Khmer": ("Khmr",), "Lao": ("Laoo",), "Latin": ("Latn",),
    "Malayalam": ("Mlym",), "Meetei": ("Mtei",), "Myanmar": ("Mymr",), "Nko": ("Nkoo",), "Ol": ("Olck",),
    "Oriya": ("Orya",), "Sinhala": ("Sinh",), "Tamil": ("Taml",), "Telugu": ("Telu",), "Thai": ("Thai",),
    "Tibetan": ("Tibt",), "Tifinagh": ("Tfng",),
}  # fmt: skip
"""ISO 15924 codes by the first word of the Unicode names of a script's letters."""


@dataclass(frozen=True, kw_only=True)
class DataFacts:
    """What proposals rest on.

    Parameters
    ----------
    modality : str
    scripts : tuple of str
        Of the texts, by the first word of the Unicode names of their letters, the most frequent first.
    is_english : bool
        Whether a base that knows English only knows the words of the texts.
    domain : str
        As the user states it; "" for none.
    """

    modality: str
    scripts: tuple[str, ...] = ()
    is_english: bool = False
    domain: str = ""


@dataclass(frozen=True, kw_only=True)
class ProposalLimits:
    """Which bases may be proposed.

    Parameters
    ----------
    max_bytes : float
        Of what has to be fetched.
    any_licence : bool
        Whether licences with conditions, and bases for people who accepted terms, are proposed, too.
    """

    max_bytes: float = 1e9
    any_licence: bool = False


@dataclass(frozen=True, kw_only=True)
class BaseProposal:
    """A base that is not here.

    Parameters
    ----------
    record : BaseRecord
    reason : str
        `script` (it was trained on the script of the texts and on few others), `languages` (on many languages in this
        script), `domain` (on images or series of the stated domain), `broad` (on images of many kinds), `modality`.
    size_bytes : int
        To be fetched.
    command : str
        What brings it here.
    is_on_hub : bool
        Whether it comes from the hub; else a package brings it.
    """

    record: BaseRecord
    reason: ProposalReason
    size_bytes: int
    command: str
    is_on_hub: bool = True


def propose_bases(
    records: Iterable[BaseRecord], present: frozenset[str], facts: DataFacts, limits: ProposalLimits
) -> tuple[BaseProposal, ...]:
    """Return the bases worth fetching, best first; of each family only the first.

    Parameters
    ----------
    records : iterable of BaseRecord
    present : frozenset of str
        Names of the bases that are here.
    facts : DataFacts
    limits : ProposalLimits

    Notes
    -----
    Texts: bases that were trained on whole sentences come first, their frozen features tell more than those of a base
    that has only filled gaps (Reimers and Gurevych 2019, arXiv:1908.10084). Then, the fewer scripts a base shares its
    vocabulary among, the better it knows each (Rust et al. 2021, arXiv:2012.15613); Latin letters do not tell the
    language, so there many languages are better than few. English has such a base by default.

    Images and series: those of the stated domain, the most special first; else those that were trained on most domains.
    Among equals the smaller one.
    """
    proposals = [
        _make_proposal(record, facts)
        for record in records
        if record.name not in present and _is_allowed(record, facts, limits) and _suits(record, facts)
    ]
    affordable = [item for item in proposals if item.size_bytes <= limits.max_bytes]
    families: dict[str, BaseProposal] = {}
    for item in sorted(affordable, key=lambda item: (*_rate(item.record, facts), item.size_bytes)):
        families.setdefault(item.record.name.partition("-")[0], item)
    return tuple(families.values())


def _is_allowed(record: BaseRecord, facts: DataFacts, limits: ProposalLimits) -> bool:
    if record.modality != facts.modality or record.task == "forecasting":
        return False
    if not record.repository or find_obstacle(record):
        return False
    return limits.any_licence or (find_licence_class(record) in FREE_CLASSES and not record.gated)


def _suits(record: BaseRecord, facts: DataFacts) -> bool:
    if facts.domain and record.domains:
        return facts.domain in record.domains
    if not facts.scripts:
        return True
    codes = ISO_SCRIPTS.get(facts.scripts[0], ())
    is_for_english = record.languages == ("en",)
    return any(code in record.scripts for code in codes) and (facts.is_english or not is_for_english)


def _rate(record: BaseRecord, facts: DataFacts) -> tuple[float, ...]:
    """Return what is sorted by, the smallest first."""
    if facts.scripts:
        if facts.is_english:
            return (len(record.languages) != 1,)
        breadth = -len(record.languages) if facts.scripts[0] == "Latin" else len(record.scripts)
        return (record.task != "sentences", breadth)
    return (len(record.domains),) if facts.domain else (-len(record.domains),)


def _make_proposal(record: BaseRecord, facts: DataFacts) -> BaseProposal:
    reason: ProposalReason = "modality"
    if facts.scripts:
        reason = "script" if len(record.scripts) <= 3 else "languages"
    elif facts.domain:
        reason = "domain"
    elif len(record.domains) > 2:
        reason = "broad"
    command = f"headstart bases fetch {record.name}"
    if record.package:
        installation = state_installation(record)
        return BaseProposal(
            record=record,
            reason=reason,
            size_bytes=installation.size_bytes,
            command=installation.command,
            is_on_hub=installation.command == command,
        )
    return BaseProposal(record=record, reason=reason, size_bytes=record.size_bytes, command=command)
