"""`headstart bases --for DATA`: rank the bases that are here, propose others, and fetch the best if asked to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from headstart import progress
from headstart.cli.asking import ask_before_fetch, fetch_missing_bases
from headstart.cli.surface import news, require_path
from headstart.errors import HeadstartError, OptionError

if TYPE_CHECKING:
    from headstart.flow.base_choice.proposals import BaseProposal
    from headstart.options import BasesOptions

_REASONS = {
    "script": "made for texts in this script",
    "languages": "knows many languages in this script",
    "domain": "trained on data of this domain",
    "broad": "trained on images of many kinds",
    "modality": "for this kind of data",
}


def rank_for_data(options: BasesOptions, yes: bool) -> dict[str, Any]:
    """Rank and propose, and return the JSON document.

    Parameters
    ----------
    options : BasesOptions
        With `for_`.
    yes : bool
        Whether downloads were agreed to.
    """
    from headstart import flow
    from headstart.cli import show
    from headstart.report import fill_sentences

    assert options.for_ is not None
    if options.fetch and options.offline:
        raise OptionError("--fetch downloads, and --offline forbids it.", "Leave one of them out.")
    source = flow.read_ranking_data(require_path(options.for_), options)
    fetch_missing_bases(options.candidate, options.offline, yes)
    if options.fetch:
        _fetch_best(flow.propose_for(source), yes)
    ranking = fill_sentences(flow.rank_on(source).to_record())
    proposals = flow.propose_for(source)
    document = {"format": 1, **ranking.model_dump(mode="json"), "proposals": [_describe(item) for item in proposals]}
    show.show_ranking(document)
    _show_proposals(proposals)
    return document


def _fetch_best(proposals: Sequence[BaseProposal], yes: bool) -> None:
    """Fetch the best two; one that cannot be had is named, and the others are ranked all the same."""
    from headstart import flow
    from headstart.flow.base_choice.settings import SETTINGS

    offers = []
    for item in [item for item in proposals if item.is_on_hub][: SETTINGS.fetched_bases]:
        try:
            offers.append(flow.plan_missing_base(item.record.name))
        except HeadstartError as error:
            progress.warn(str(error))
    missing = [offer for offer in offers if offer is not None]
    ask_before_fetch(missing, yes)
    for offer in missing:
        try:
            flow.run_base_fetch(offer)
        except HeadstartError as error:
            progress.warn(str(error))


def _describe(item: BaseProposal) -> dict[str, Any]:
    """Return a proposal as JSON."""
    return {
        "base": item.record.name,
        "megabytes": round(item.size_bytes / 1e6, 1),
        "licence": item.record.licence,
        "reason": item.reason,
        "good_for": item.record.good_for,
        "command": item.command,
    }


def _show_proposals(proposals: Sequence[BaseProposal]) -> None:
    if not proposals:
        return
    news.print("Not here, and perhaps better (judged by their records alone; only ranking tells):", markup=False)
    for item in proposals:
        line = (
            f"  {item.record.name}: {_REASONS[item.reason]}; would need {item.size_bytes / 1e6:,.0f} MB: {item.command}"
        )
        news.print(line, markup=False, soft_wrap=True)
    news.print("--fetch gets the best two and ranks them with the others.", markup=False)
