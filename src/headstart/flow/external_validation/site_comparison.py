"""A bundle at another place: its figures beside those of the training site, what differs, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import numpy as np

from headstart import bundle as bundles
from headstart.bundle import Bundle
from headstart.decisions import NONE
from headstart.evaluation.settings import SETTINGS as EVALUATION_SETTINGS
from headstart.evaluation.shift.drift import measure_drift
from headstart.evaluation.shift.prior_shift import independent_difference, measure_prior_shift
from headstart.flow.external_validation.readiness_here import judge_evaluation
from headstart.flow.external_validation.settings import SETTINGS
from headstart.flow.scoring.predictions import ModelFigures
from headstart.flow.scoring.training_site import ANSWERED_RIGHT, SITE_FIGURES, name_figures, summarise_site
from headstart.options.requirements import Requirement
from headstart.records import FloatMatrix, Index
from headstart.results import (
    Advice,
    BesideTraining,
    Drift,
    Evaluation,
    PriorShift,
    Result,
    SiteFigures,
)
from headstart.spellings import fold_label
from headstart.task_types import TASK_TYPES

_LOWER_IS_BETTER = {"mean_absolute_error"}
_NO_REFERENCE = "The bundle keeps no sample of its training rows: it reads no features, or is of an older version."
_SAME_ROWS = "These rows are the test rows of training: both figures would be the same."
_NO_SITE = (
    "The bundle keeps no figures of its own test rows: it was made without any, or by an older version and lies apart "
    "from its result.json."
)


def load_site(bundle: Bundle, path: Path) -> SiteFigures | None:
    """Return the figures of the training site: those in the bundle, else those of the result.json beside it."""
    if bundle.training_facts.site is not None:
        return bundle.training_facts.site
    beside = bundles.find_bundle(path).parent / "result.json"
    if not beside.is_file():
        return None
    try:
        return _summarise_result(Result.model_validate_json(beside.read_text("utf-8")))
    except (OSError, ValueError, StopIteration, AttributeError, RecursionError):
        return None


def _summarise_result(result: Result) -> SiteFigures | None:
    """Return the figures of a run's test rows; None without any."""
    metrics = result.strategy(result.chosen).test
    if metrics is None:
        return None
    figures = ModelFigures(
        metrics=metrics,
        confusion=result.confusion,
        calibration=result.calibration,
        conformal=result.conformal,
        abstention=result.abstention,
    )
    return summarise_site(result.data, result.task, result.classes, figures)


def compare_with_site(
    result: Evaluation, bundle: Bundle, path: Path, codes: Index, clusters: Index, placed: FloatMatrix | None
) -> Evaluation:
    """Return a result with what differs from the training site.

    Parameters
    ----------
    result : Evaluation
        With all figures of the new rows.
    bundle : Bundle
    path : Path
        Where the bundle lies.
    codes : Index, shape (n_rows,)
        True classes, or without labels the answers; not looked at where a row has no single class.
    clusters : Index, shape (n_rows,)
        Rows with one number belong together.
    placed : FloatMatrix or None, shape (n_rows, n_kept)
        The rows as the bundle's sample of training rows is kept.
    """
    training_site, not_measured = load_site(bundle, path), dict(result.not_measured)
    beside: list[BesideTraining] = []
    if training_site is None:
        not_measured["beside_training"] = _NO_SITE
    else:
        beside = _list_figures_beside(result, training_site)
        if _are_test_rows(result, beside):
            beside, not_measured["beside_training"] = [], _SAME_ROWS
            result = result.model_copy(update={"n_tested": result.n_rows})
    shift, reason = _measure_prior_shift(result, bundle, training_site, codes=codes, clusters=clusters)
    if reason:
        not_measured["prior_shift"] = reason
    drift, reason = _measure_drift(bundle, clusters, placed)
    if reason:
        not_measured["drift"] = reason
    changes = {"beside_training": beside, "prior_shift": shift, "drift": drift, "not_measured": not_measured}
    return result.model_copy(update=changes)


def add_advice(
    result: Evaluation, training_site: SiteFigures | None, requirements: Sequence[Requirement]
) -> Evaluation:
    """Return a result with whether the model is ready here, and what to do.

    Parameters
    ----------
    result : Evaluation
        As `compare_with_site` returns it.
    training_site : SiteFigures or None
        Figures of the test rows of training.
    requirements : sequence of Requirement
        Bounds of readiness that the user set.
    """
    main = _find_main(result)
    worse = main if main is not None and _is_worse(main) else None
    judged = result.model_copy(update={"readiness": judge_evaluation(result, worse, requirements)})
    return judged.model_copy(update={"advice": choose_advice(judged, training_site)})


def _are_test_rows(result: Evaluation, beside: list[BesideTraining]) -> bool:
    """Return whether all rows are the test rows of training; of older bundles only their figures can tell."""
    if result.n_tested:
        return result.n_tested >= result.n_rows
    return result.labelled and bool(beside) and all(row.here == row.there for row in beside)


def _list_figures_beside(result: Evaluation, training_site: SiteFigures) -> list[BesideTraining]:
    here = dict(result.shares)
    if result.metrics is not None:
        here |= name_figures(
            result.metrics, result.task, result.calibration, conformal=result.conformal, abstention=result.abstention
        )
    return [
        BesideTraining(
            name=name, there=figure, n_rows_there=training_site.n_rows, here=here[name], n_rows=result.n_rows,
            difference=independent_difference(here[name], figure),
        )
        for name, figure in training_site.figures.items() if name in here
    ]  # fmt: skip


def _measure_prior_shift(
    result: Evaluation, bundle: Bundle, training_site: SiteFigures | None, codes: Index, clusters: Index
) -> tuple[PriorShift | None, str]:
    """Return how the frequencies of the classes differ, or why that cannot be measured."""
    if not TASK_TYPES[bundle.task].has_one_class:
        return None, "A row has no single class."
    counts: Mapping[str, int] = training_site.predicted if training_site else {}
    if result.labelled:
        counts = bundle.training_facts.labels_per_class
    kind = "labels" if result.labelled else "predictions"
    shift = measure_prior_shift(bundle.classes, counts, codes, clusters=clusters, kind=kind, seed=bundle.seed)
    return shift, "" if shift else "The bundle does not say how many rows of each class there were."


def _measure_drift(bundle: Bundle, clusters: Index, placed: FloatMatrix | None) -> tuple[Drift | None, str]:
    """Return how the features of the rows differ, or why that cannot be measured."""
    reference = bundle.reference_sample
    if reference is None or placed is None:
        return None, _NO_REFERENCE
    drift = measure_drift(reference.values, placed, reference.clusters, clusters_new=clusters, seed=bundle.seed)
    if drift is not None:
        return drift, ""
    sides = [(placed, clusters), (reference.values, reference.clusters)]
    here, there_too = (f"{len(rows):,} rows ({len(np.unique(own)):,} independent)" for rows, own in sides)
    return None, (
        f"Cannot tell: it takes {EVALUATION_SETTINGS.min_rows} rows on either side, "
        f"{EVALUATION_SETTINGS.min_clusters} of them independent; here are {here}, of training {there_too}."
    )


_ACTIONS: Mapping[str, Literal["use", "use with a person checking", "do not use"]] = {
    "ready": "use",
    "supervised": "use with a person checking",
    "not_ready": "do not use",
}
"""By level of readiness."""


def choose_advice(result: Evaluation, training_site: SiteFigures | None = None) -> Advice:
    """Return what to do.

    Parameters
    ----------
    result : Evaluation
        With `readiness`.
    training_site : SiteFigures or None
        Figures of the test rows of training.

    Notes
    -----
    Cannot tell, where most rows were test rows of training. Else the first rule that holds, with labels: a fifth of
    the rows have labels that look like other spellings of the classes: cannot tell; fewer than 20 rows: cannot tell.
    Re-train: at least a fifth of the rows are none of these (the lower end of the interval), or of classes that the
    model does not know; or the first figure of the task is worse than at the training site, by more than noise and by
    more than 5 points (an error: a tenth). Recalibrate: probabilities are too sure or too unsure beyond noise and by
    a point or more, or sets hold the truth less often than stated. Else what the rules of
    readiness allow on these rows: use, use with a person checking, or do not use. Without labels: re-train where a
    fifth is none of these; recalibrate where there is drift beyond noise; else cannot tell, for nobody knows how good
    it is here. No rule is fitted to data.
    """
    if 2 * result.n_tested > result.n_rows:
        return Advice(action="cannot tell", code="tested-before", n_rows=result.n_tested, n_rows_total=result.n_rows)
    none_of_these = result.shares.get(NONE)
    if none_of_these is not None and none_of_these.low >= SETTINGS.unknown_share:
        return Advice(action="re-train", code="none-of-these", here=none_of_these)
    return _advise_with_labels(result) if result.labelled else _advise_without_labels(result, training_site)


def _advise_with_labels(result: Evaluation) -> Advice:
    n_unknown = sum(result.unknown_labels.values())
    n_total = n_unknown + result.n_rows
    spellings = _find_misspelt(result)
    if spellings:
        return Advice(
            action="cannot tell", code="spellings", n_rows=n_unknown, n_rows_total=n_total, spellings=spellings
        )
    if result.n_rows < SETTINGS.min_rows:
        return Advice(action="cannot tell", code="few-rows", n_rows=result.n_rows, n_labels=SETTINGS.min_labels)
    if not TASK_TYPES[result.task].has_label_sets and n_unknown >= SETTINGS.unknown_share * n_total:
        return Advice(action="re-train", code="unknown-classes", n_rows=n_unknown, n_rows_total=n_total)
    main = _find_main(result)
    if main is not None and _is_worse(main):
        return Advice(action="re-train", code="worse", measure=main.name, here=main.here, there=main.there)
    return _advise_recalibration(result) or _advise_use(result, main)


def _find_main(result: Evaluation) -> BesideTraining | None:
    """Return the figure that decides, beside that of the training site."""
    return next((row for row in result.beside_training if row.name == SITE_FIGURES[result.task][0]), None)


def _find_misspelt(result: Evaluation) -> dict[str, str]:
    """Return labels spelt almost as a class is, with that class, where a fifth of the rows or more bear such."""
    class_of = {fold_label(name): name for name in result.classes}
    spellings: dict[str, str] = {}
    n_rows = 0
    for label, count in result.unknown_labels.items():
        near = get_close_matches(fold_label(label), class_of, n=1, cutoff=SETTINGS.spelling_similarity)
        if near and _may_be_one(fold_label(label), near[0]):
            spellings[label] = class_of[near[0]]
            n_rows += count
    return spellings if n_rows >= SETTINGS.unknown_share * (n_rows + result.n_rows) else {}


def _may_be_one(first: str, second: str) -> bool:
    """Return whether two similar labels may be one: not "grade1" and "grade2", nor "healthy" and "unhealthy"."""
    digits = ["".join(filter(str.isdigit, label)) for label in (first, second)]
    return digits[0] == digits[1] and first[:1] == second[:1]


def _advise_recalibration(result: Evaluation) -> Advice | None:
    """Advise to recalibrate where probabilities or sets are off, and the task can be."""
    if TASK_TYPES[result.task].has_label_sets:
        return None
    sure, cover = result.calibration and result.calibration.overconfidence, result.conformal
    if sure and (sure.low > 0 or sure.high < 0) and abs(sure.value) >= SETTINGS.least_miscalibration:
        return Advice(
            action="recalibrate",
            code="too-sure" if sure.low > 0 else "too-unsure",
            here=sure,
            n_labels=SETTINGS.min_labels,
        )
    if cover is not None and cover.below:
        return Advice(
            action="recalibrate",
            code="coverage",
            stated=cover.stated,
            here=cover.measured,
            n_labels=SETTINGS.min_labels,
        )
    return None


def advise_after_recalibration(result: Evaluation) -> Advice:
    """Return what to do once `--recalibrate` has been tried: not to try it again with the same rows.

    Parameters
    ----------
    result : Evaluation
        With `recalibration` and the advice from before it.
    """
    recalibration, before = result.recalibration, result.advice
    assert recalibration is not None and before is not None
    if before.action != "recalibrate":
        return before
    is_corrected = recalibration.calibration_kept or recalibration.sets_kept
    return before.model_copy(
        update={
            "action": _ACTIONS[result.readiness.level] if result.readiness else "cannot tell",
            "recalibrated": "corrected" if is_corrected else "unchanged",
            "bundle": recalibration.bundle,
            "n_rows": recalibration.n_rows,
        }
    )


def _advise_use(result: Evaluation, main: BesideTraining | None) -> Advice:
    readiness = result.readiness
    if readiness is not None and readiness.level != "ready":
        code: Literal["supervised", "not-ready"] = "supervised" if readiness.level == "supervised" else "not-ready"
        return Advice(action=_ACTIONS[readiness.level], code=code, because=readiness.reasons[0], n_rows=result.n_rows)
    if main is None or readiness is None:
        return Advice(action="cannot tell", code="no-site")
    return Advice(
        action="use", code="not-worse", measure=main.name, here=main.here, there=main.there, n_rows=result.n_rows
    )


def _advise_without_labels(result: Evaluation, training_site: SiteFigures | None) -> Advice:
    if result.drift is None:
        return Advice(action="cannot tell", code="drift-not-measured", n_labels=SETTINGS.min_labels)
    if result.drift.found:
        return Advice(action="recalibrate", code="drift", n_labels=SETTINGS.min_labels)
    figures = training_site.figures if training_site else {}
    return Advice(
        action="cannot tell", code="no-labels", here=result.shares.get("label"), there=figures.get(ANSWERED_RIGHT),
        n_labels=SETTINGS.min_labels,
    )  # fmt: skip


def _is_worse(row: BesideTraining) -> bool:
    lost = row.difference
    if row.name in _LOWER_IS_BETTER:
        return lost.low > 0 and lost.value > SETTINGS.lost_error_share * row.there.value
    return lost.high < 0 and lost.value < -SETTINGS.lost_share
