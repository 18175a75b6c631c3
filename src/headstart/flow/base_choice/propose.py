"""Bases to fetch for some data: what the rows tell, and the proposals that follow from it. No connection is opened."""

from __future__ import annotations

from headstart import bases
from headstart.bases import CATALOGUE, DEFAULTS
from headstart.bases.catalogue_loading import list_present
from headstart.checks.vocabulary import measure_coverage
from headstart.flow.adaptation.text_scripts import count_scripts
from headstart.flow.base_choice.choose import RankingData, state_need
from headstart.flow.base_choice.proposals import BaseProposal, DataFacts, ProposalLimits, propose_bases
from headstart.flow.base_choice.settings import SETTINGS
from headstart.modalities import MODALITIES
from headstart.offline import offline
from headstart.ranking.vocabulary import judge_language
from headstart.records import TRAIN


def propose_for(source: RankingData) -> tuple[BaseProposal, ...]:
    """Return the bases of the catalogue that are not here and suit the data, best first.

    Parameters
    ----------
    source : RankingData
    """
    options, present = source.options, list_present(CATALOGUE.values())
    limits = ProposalLimits(max_bytes=options.max_mb * 1e6, any_licence=options.licence == "any")
    with offline(True):
        facts = _collect_facts(source)
    return propose_bases(CATALOGUE.values(), present, facts, limits)[: SETTINGS.proposed_bases]


def _collect_facts(source: RankingData) -> DataFacts:
    table, domain = source.table, source.options.domain or ""
    if not MODALITIES[table.modality].has_words:
        return DataFacts(modality=table.modality, domain=domain)
    train = table.select_split(TRAIN)
    default = bases.load_base(DEFAULTS[table.modality], state_need(table, source.adapting))
    coverage = measure_coverage(default, train)
    return DataFacts(
        modality=table.modality,
        scripts=tuple(count_scripts(train)),
        is_english=coverage is not None and judge_language(coverage)[0] == "known",
        domain=domain,
    )
