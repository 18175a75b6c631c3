"""`--base default` for texts: the default where its vocabulary knows the language, else a probe of two bases decides.

The other base is run only where the language asks for it: for English nothing is loaded or computed beyond the default.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from headstart import bases, data, progress, ranking
from headstart.bases import CATALOGUE, DEFAULTS, OTHER_LANGUAGES, Backbone, BaseRequest
from headstart.checks.vocabulary import measure_coverage
from headstart.errors import HeadstartError, MissingExtra
from headstart.flow.base_choice.installing import state_installation
from headstart.flow.base_choice.measure import OutOfTime, Sample, measure_backbone
from headstart.flow.base_choice.settings import SETTINGS
from headstart.options import AdaptOptions
from headstart.ranking import Candidate, TextBaseDecision, VocabularyCoverage
from headstart.records import TRAIN, Finding, Interval, Table
from headstart.report import write_sentence
from headstart.results import BaseChoice, Figure
from headstart.results.findings import make_finding
from headstart.strategies import Clock


@dataclass(frozen=True, kw_only=True)
class ChosenTextBase:
    """The base of `--base default`, and why; no record for data without words."""

    backbone: Backbone
    record: BaseChoice | None = None

    def list_findings(self) -> tuple[Finding, ...]:
        """Return what there is to say beside the record: another base was taken, or has to be installed."""
        if self.record is None:
            return ()
        summary = write_sentence(self.record)
        if self.record.taken != self.record.default:
            return (make_finding("base-chosen", summary),)
        if self.record.reason == "not-installed" and self.record.fits[0].knowledge == "unknown":
            return (make_finding("base-not-installed", summary, command=self.record.install),)
        return ()


def choose_default_base(table: Table, options: AdaptOptions, need: BaseRequest, clock: Clock) -> ChosenTextBase:
    """Load the default base, or for texts in a language that it does not know the one of many languages.

    Parameters
    ----------
    table : Table
        Every split decided; only its training rows are looked at.
    options : AdaptOptions
        `group`, `precision` and `seed` are used.
    need : BaseRequest
    clock : Clock
        A share of it is left for the comparison.
    """
    compare = partial(_compare, options=options, clock=clock.start_share(SETTINGS.time_share))
    return _choose(table, need, compare)


def choose_by_language(table: Table, need: BaseRequest) -> ChosenTextBase:
    """Load the base that the language of the texts asks for, without running any.

    Parameters
    ----------
    table : Table
        Every split decided; only its training rows are looked at.
    need : BaseRequest
    """
    return _choose(table, need, lambda train, default, other: _Comparison())


@dataclass(frozen=True)
class _Comparison:
    """Lead of the other base on so many training rows; None where they could not be compared."""

    lead: Interval | None = None
    n_rows: int = 0


def _choose(
    table: Table,
    need: BaseRequest,
    compare: Callable[[Table, Backbone, Backbone], _Comparison],
) -> ChosenTextBase:
    default = bases.load_base(DEFAULTS[table.modality], need)
    train, name = table.select_split(TRAIN), OTHER_LANGUAGES.get(table.modality, "")
    coverage = measure_coverage(default, train) if name else None
    if coverage is None:
        return ChosenTextBase(backbone=default)
    make_record = partial(_make_record, table, default, coverage)
    if not ranking.needs_other_base(coverage):
        return ChosenTextBase(backbone=default, record=make_record(ranking.decide_text_base(coverage, None, None)))
    try:
        other = bases.load_base(name, replace(need, offline=True))  # Nothing is downloaded that nobody asked for.
    except MissingExtra:
        return ChosenTextBase(backbone=default, record=make_record(TextBaseDecision(False, "not-installed")))
    except HeadstartError as error:
        progress.warn(f"{name} cannot be used: {error.problem}")
        return ChosenTextBase(backbone=default, record=make_record(TextBaseDecision(False, "unusable")))
    other_coverage = measure_coverage(other, train)
    try:
        comparison = compare(train, default, other)
    except OutOfTime:
        record = make_record(TextBaseDecision(False, "no-time"), other_coverage)
        return ChosenTextBase(backbone=default, record=record)
    decision = ranking.decide_text_base(coverage, other_coverage, comparison.lead)
    record = make_record(decision, other_coverage, comparison)
    return ChosenTextBase(backbone=other if decision.takes_other else default, record=record)


def _compare(train: Table, default: Backbone, other: Backbone, *, options: AdaptOptions, clock: Clock) -> _Comparison:
    """Measure both bases on the same folds of the same training rows; their features are cached for the run."""
    rows = ranking.draw_stratified_sample(data.number_strata(train), SETTINGS.probe_rows, options.seed)
    clusters = data.find_dependence(train, options.group).for_resampling
    sample = Sample(data.drop_unlearnable_labels(train.take(rows)), clusters[rows], 0)
    names = f"{default.record.name} and {other.record.name}"
    progress.say(f"Comparing {names} on {len(sample.table)} training rows.")
    try:
        first, second = (
            measure_backbone(
                backbone,
                Candidate(backbone.record.name, "catalogue", backbone.record.licence, backbone.record.size_bytes),
                sample,
                options,
                seconds=clock.remaining_seconds(),
            )
            for backbone in (default, other)
        )
    except OutOfTime:
        raise
    except HeadstartError as error:
        progress.say(f"{names} were not compared: {error.problem}")
        return _Comparison()
    return _Comparison(ranking.compute_lead(second, first, options.seed), int(np.isin(first.ids, second.ids).sum()))


def _make_record(
    table: Table,
    default: Backbone,
    coverage: VocabularyCoverage,
    decision: TextBaseDecision,
    other_coverage: VocabularyCoverage | None = None,
    comparison: _Comparison = _Comparison(),
) -> BaseChoice:
    other = CATALOGUE[OTHER_LANGUAGES[table.modality]]
    fits = [ranking.make_fit(default.record.name, coverage, len(default.record.languages))]
    fits += [ranking.make_fit(other.name, other_coverage, len(other.languages))] if other_coverage else []
    installation = state_installation(other) if decision.reason == "not-installed" else None
    return BaseChoice(
        default=default.record.name,
        other=other.name,
        taken=other.name if decision.takes_other else default.record.name,
        reason=decision.reason,
        fits=fits,
        task=table.task,
        lead=Figure.from_interval(comparison.lead) if comparison.lead else None,
        n_rows=comparison.n_rows,
        install=installation.command if installation else "",
        size_bytes=installation.size_bytes if installation else 0,
    )
