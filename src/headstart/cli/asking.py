"""Ask once before a download: how large it is, and what its licence allows."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from headstart.cli.surface import console, news
from headstart.errors import OptionError

if TYPE_CHECKING:
    from headstart.flow.base_choice.obtain import FetchOffer

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Download without asking (for scripts).")]
_MEANINGS = {
    "permissive": "every use is allowed",
    "attribution": "every use is allowed; name the authors",
    "non-commercial": "not for commercial use",
    "restricted": "it has conditions: read it first",
    "unknown": "what is allowed is not known",
}


def fetch_missing_bases(references: Sequence[str], offline: bool, yes: bool) -> None:
    """Fetch the bases of the catalogue that are named and not here, after asking once.

    Parameters
    ----------
    references : sequence of str
        What `--base` or `--candidate` got; other references than names of the catalogue are passed over.
    offline : bool
        Whether nothing may be fetched; then what is missing is named where it is loaded.
    yes : bool
        Whether the answer was given before.
    """
    from headstart import flow

    if offline:
        return
    offers = [offer for offer in map(flow.plan_missing_base, references) if offer is not None]
    ask_before_fetch(offers, yes)
    for offer in offers:
        flow.run_base_fetch(offer)


def ask_before_fetch(offers: Sequence[FetchOffer], yes: bool) -> None:
    """Show what would be downloaded, and ask whether it may be; nothing is asked where nothing is to come.

    Parameters
    ----------
    offers : sequence of FetchOffer
    yes : bool
        Whether the answer was given before.

    Raises
    ------
    OptionError
        The answer is no, or nobody is there to answer.
    """
    costly = [offer for offer in offers if offer.plan is not None and offer.plan.missing]
    if not costly:
        return
    must_answer = not yes
    for offer in costly:
        line = (
            f"{offer.reference}: {_describe_size(offer)} from {offer.host}; licence {offer.licence} "
            f"({_MEANINGS[offer.licence_class]})."
        )
        (console if must_answer else news).print(line, markup=False, soft_wrap=True)
        if offer.package is not None:
            smaller = (
                f"Smaller: {offer.package.command} ({offer.package.size_bytes / 1e6:,.0f} MB), then the same again."
            )
            (console if must_answer else news).print(smaller, markup=False, soft_wrap=True)
    if yes:
        return
    names = ", ".join(offer.reference for offer in costly)
    if not is_terminal():
        raise OptionError(
            f"{names} would be downloaded, and nobody is there to agree (no terminal).",
            "Add --yes to download without being asked.",
        )
    if not typer.confirm("Download?", default=False, err=True):
        raise OptionError(f"{names}: nothing was downloaded.", "headstart bases lists those that are here.")


def _describe_size(offer: FetchOffer) -> str:
    """State the size of a download; what a server does not state is not taken for nothing."""
    is_stated = offer.plan is None or all(file.size_bytes >= 0 for file in offer.plan.missing)
    return f"{'' if is_stated else 'at least '}{offer.size_bytes / 1e6:,.0f} MB"


def is_terminal() -> bool:
    """Return whether somebody can answer."""
    return sys.stdin.isatty()
