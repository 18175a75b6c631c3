"""Which base: candidates -> features of a sample of training rows -> scores -> order. Test rows are never looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from headstart import bases, checks, data, progress, ranking
from headstart.bases import DEFAULTS, OTHER_LANGUAGES, Backbone
from headstart.checks.settings import SETTINGS as CHECK_SETTINGS
from headstart.checks.vocabulary import measure_coverage
from headstart.extras import require
from headstart.flow.base_choice.measure import (
    Sample,
    describe_failure,
    list_expected_errors,
    measure_candidate,
)
from headstart.flow.base_choice.settings import SETTINGS
from headstart.flow.base_choice.text_default import choose_by_language, choose_default_base
from headstart.modalities import MODALITIES, series
from headstart.modalities.image_values import VALUE_RANGES
from headstart.offline import offline
from headstart.options import AdaptOptions, BasesOptions
from headstart.projects import read_rows
from headstart.ranking import Candidate, CandidateFilter, MeasuredCandidate, Ranking
from headstart.records import TRAIN, Finding, Table
from headstart.report import write_sentence
from headstart.results import BaseChoice
from headstart.results.findings import make_finding
from headstart.strategies import Clock

AUTO, DEFAULT = "auto", "default"


@dataclass(frozen=True, kw_only=True)
class ChosenBase:
    """The base of a run.

    Parameters
    ----------
    backbone : Backbone
    findings : tuple of Finding
    ranking : Ranking or None
        How `--base auto` chose it.
    record : BaseChoice or None
        How `--base default` chose it for texts.
    """

    backbone: Backbone
    findings: tuple[Finding, ...] = ()
    ranking: Ranking | None = None
    record: BaseChoice | None = None


def choose_base(table: Table, options: AdaptOptions, clock: Clock) -> ChosenBase:
    """Load the base that the options name; with `default` and `auto`, the one that suits the training rows, and why.

    Parameters
    ----------
    table : Table
        Every split decided.
    options : AdaptOptions
    clock : Clock
    """
    need = state_need(table, options)
    if options.base == DEFAULT:
        chosen = choose_default_base(table, options, need, clock)
        if chosen.record:
            progress.say(f"Base model: {chosen.record.taken}. {write_sentence(chosen.record)}")
        shares = {fit.base: fit.unknown_share for fit in chosen.record.fits} if chosen.record else {}
        findings = chosen.list_findings() or _warn_of_unknown_script(shares.get(chosen.backbone.record.name, 0.0))
        return ChosenBase(backbone=chosen.backbone, findings=findings, record=chosen.record)
    if options.base != AUTO:
        named = bases.load_base(options.base, need)
        return ChosenBase(backbone=named, findings=_find_unknown_script(named, table))
    criteria = CandidateFilter(table.modality, max_bytes=SETTINGS.max_bytes)
    candidates, _ = ranking.list_candidates(criteria)
    ranked = None
    reference, reason = (
        DEFAULTS[table.modality],
        f"{DEFAULTS[table.modality]} is the only base model at hand for this data.",
    )
    if len(candidates) > 1:
        ranked = compare_bases(
            table, options, criteria, n_rows=SETTINGS.max_rows, clock=clock.start_share(SETTINGS.time_share)
        )
        reference, reason = ranked.taken or reference, write_sentence(ranked.to_record())
        if not ranked.taken:
            reason += f" The default is taken: {reference}."
    progress.say(f"Base model: {reference}. {reason}")
    on_disk = any(item.reference == reference and item.origin == "hub" for item in candidates)
    taken = bases.load_base(reference, replace(need, offline=need.offline or on_disk))
    missing = _find_missing_base(table, options, candidates) or _find_unknown_script(taken, table)
    findings = (make_finding("base-chosen", reason), *missing)
    return ChosenBase(backbone=taken, findings=findings, ranking=ranked)


def _find_missing_base(table: Table, options: AdaptOptions, candidates: Sequence[Candidate]) -> tuple[Finding, ...]:
    """Name the base of many languages where the texts need it and it is not among the candidates."""
    name = OTHER_LANGUAGES.get(table.modality, "")
    if not name or any(item.reference == name for item in candidates):
        return ()
    chosen = choose_by_language(table, state_need(table, options))
    return chosen.list_findings() if chosen.backbone.record.name != name else ()


def _find_unknown_script(backbone: Backbone, table: Table) -> tuple[Finding, ...]:
    """Warn where the base's vocabulary knows too little of the training texts."""
    coverage = measure_coverage(backbone, table.select_split(TRAIN))
    return _warn_of_unknown_script(coverage.unknown_share if coverage else 0.0)


def _warn_of_unknown_script(unknown_share: float) -> tuple[Finding, ...]:
    if unknown_share < CHECK_SETTINGS.many_unknown_share:
        return ()
    summary = (
        f"The base model's vocabulary does not know {unknown_share:.0%} of what these texts are made of: "
        "their script or their signs are foreign to it."
    )
    finding = make_finding("foreign-script", summary)
    progress.warn(f"{summary} {finding.advice}")
    return (finding,)


def state_need(table: Table, options: AdaptOptions) -> bases.BaseRequest:
    """Return the requirements of these rows on a base; transforms of series are fitted on training rows.

    Parameters
    ----------
    table : Table
    options : AdaptOptions
    """
    sample: list[np.ndarray] = []
    spec: Mapping[str, object] = {}
    modality = MODALITIES[table.modality]
    if modality.has_channels:
        inputs = list(table.select_split(TRAIN).inputs)
        spec = series.derive_spec(inputs)
        sample = [modality.prepare(modality.load(item, spec), spec)[0] for item in inputs[:500]]
    if ranges := data.measure_value_ranges(table):
        spec = {VALUE_RANGES: ranges}
    return bases.BaseRequest(
        modality=table.modality, offline=options.offline, seed=options.seed, sample=sample, spec=spec
    )


@dataclass(frozen=True, kw_only=True)
class RankingData:
    """Data that was read to rank bases on.

    Parameters
    ----------
    table : Table
        Every split decided; only its training rows are looked at.
    options : BasesOptions
    adapting : AdaptOptions
        Those of the options that `adapt` has, too.
    """

    table: Table
    options: BasesOptions
    adapting: AdaptOptions


def rank(path: Path, options: BasesOptions) -> Ranking:
    """Rank base models on the training rows of the data at `path`.

    Parameters
    ----------
    path : Path
    options : BasesOptions

    Raises
    ------
    DataError
        If nothing can be learnt from the data.
    """
    return rank_on(read_ranking_data(path, options))


def read_ranking_data(path: Path, options: BasesOptions) -> RankingData:
    """Read the data that bases are ranked on.

    Parameters
    ----------
    path : Path
    options : BasesOptions

    Raises
    ------
    DataError
        If nothing can be learnt from the data.
    """
    require("adapt", "Ranking base models")
    shared = set(AdaptOptions.model_fields) & set(BasesOptions.model_fields)
    adapting = AdaptOptions.model_validate(options.model_dump(include=shared))
    with offline(options.offline):
        table = read_rows(path, options)
        checks.require_trainable(table)
        decided = data.assign_splits(table, adapting)
        checks.require_trainable(decided)
    return RankingData(table=decided, options=options, adapting=adapting)


def rank_on(source: RankingData) -> Ranking:
    """Rank the base models on this machine.

    Parameters
    ----------
    source : RankingData
    """
    options, table = source.options, source.table
    criteria = CandidateFilter(table.modality, options.licence, options.max_mb * 1e6, options.candidate)
    with offline(options.offline):
        return compare_bases(table, source.adapting, criteria, n_rows=options.rows, clock=Clock(np.inf))


def compare_bases(table: Table, options: AdaptOptions, criteria: CandidateFilter, n_rows: int, clock: Clock) -> Ranking:
    """Measure candidates by successive halving: all on few training rows, the better ones on up to `n_rows`.

    Parameters
    ----------
    table : Table
        Every split decided; only its training rows are used.
    options : AdaptOptions
        `group`, `precision`, `seed` and `offline` are used.
    criteria : CandidateFilter
    n_rows : int
    clock : Clock
        Candidates that it leaves no time for are left out.

    Notes
    -----
    Successive halving: Jamieson and Talwalkar 2016 (arXiv:1502.07943).
    """
    remaining, left_out = ranking.list_candidates(criteria)
    train, need = table.select_split(TRAIN), state_need(table, options)
    strata = data.number_strata(train)
    clusters = data.find_dependence(train, options.group).for_resampling
    measured: dict[str, MeasuredCandidate] = {}
    for round_number, size in enumerate(ranking.plan_sample_sizes(len(train), n_rows, len(remaining))):
        if round_number:
            remaining = ranking.select_survivors(list(measured.values()), options.seed)
            if len(remaining) < 2:
                break
        rows = ranking.draw_stratified_sample(strata, size, options.seed)
        sample = Sample(data.drop_unlearnable_labels(train.take(rows)), clusters[rows], round_number)
        models = f"{len(remaining)} base models" if len(remaining) > 1 else "one base model"
        progress.say(f"Trying {models} on {len(rows)} training rows.")
        for place, candidate in enumerate(remaining):
            name, share = candidate.reference, clock.remaining_seconds() / (len(remaining) - place)
            try:
                measurement = measure_candidate(candidate, sample, options, need=need, seconds=share)
            except list_expected_errors(candidate) as error:
                if name not in measured:
                    left_out[name] = describe_failure(error)
                continue
            before = measured[name].seconds if name in measured else 0.0
            measured[name] = replace(measurement, seconds=measurement.seconds + before)
    return ranking.rank_candidates(list(measured.values()), left_out, table.task, options.seed)
