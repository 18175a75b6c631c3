"""`evaluate --recalibrate`: probabilities and sets corrected with labelled rows of another place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headstart import bundle as bundles
from headstart import data, decisions
from headstart import evaluation as judging
from headstart.bundle import Bundle
from headstart.decisions import Calibrator, DecisionPolicy
from headstart.decisions.rolling_up import FrameRules, fit_level_sets
from headstart.errors import DataError
from headstart.evaluation import Truth
from headstart.evaluation.intervals import mean_interval, number_clusters
from headstart.evaluation.uncertainty.conformal import share_interval
from headstart.flow.exports.reopening import require_same_answers
from headstart.flow.external_validation.settings import SETTINGS
from headstart.flow.scoring.groups import find_group_dependence
from headstart.records import Index, Predictions, Table
from headstart.results import BeforeAfter, Figure, Recalibration
from headstart.shared_settings import SHARED_SETTINGS
from headstart.task_types import TASK_TYPES

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Recalibrated:
    """New rules, what of them is new, and figures before and after."""

    policy: DecisionPolicy
    calibration_kept: bool
    sets_kept: bool
    gain: Figure | None
    figures: list[BeforeAfter]
    n_rows: int


def require_possible(bundle: Bundle, table: Table, labelled: bool) -> None:
    """Refuse too few labels before anything long begins.

    Parameters
    ----------
    bundle : Bundle
    table : Table
    labelled : bool
        Whether the rows have labels.

    Raises
    ------
    DataError
        No labels, too few, or nothing to correct for this task.
    """
    if TASK_TYPES[bundle.task].has_label_sets:
        raise DataError(
            "--recalibrate: a model for several labels a row has no probability or set that could be corrected.",
            "Leave it out, or adapt again with these rows.",
        )
    if not labelled or len(table) < SETTINGS.min_labels:
        raise DataError(
            f"--recalibrate: {table.source} has {len(table) if labelled else 0} rows with a known label.",
            f"At least {SETTINGS.min_labels} are needed: label more rows, chosen at random.",
        )


def recalibrate(bundle: Bundle, raw: Predictions, truth: Truth, table: Table, groups: tuple[str, ...]) -> Recalibrated:
    """Learn calibration and sets anew, and keep each only where it helps beyond noise.

    Parameters
    ----------
    bundle : Bundle
    raw : Predictions
        Before any correction.
    truth : array, shape (n_rows,) or (n_rows, 1)
    table : Table
        The same rows.
    groups : tuple of str
        Columns whose rows stay in one fold.

    Notes
    -----
    Each row is scored with what was fitted on the other four fifths. The calibration is kept where it saves
    log-loss, the sets where they lose less in the pinball loss of their quantile (Koenker and Bassett 1978), both by
    more than 1.645 standard errors; new calibration needs new sets. What is written is learnt from all rows.
    """
    clusters = find_group_dependence(table, groups).for_splitting
    policy = bundle.decision_policy
    if TASK_TYPES[raw.task].is_number:
        return _recalibrate_ranges(policy, raw, truth[:, 0].astype(np.float64), clusters=clusters, seed=bundle.seed)
    codes = np.asarray(truth, dtype=np.intp)
    folds = data.assign_folds(codes, clusters, SHARED_SETTINGS.n_folds, bundle.seed)
    probabilities, seed = raw.probabilities, bundle.seed
    old = policy.calibrate(raw).probabilities
    fitted = decisions.fit_correction(codes, probabilities)
    cross_fitted = decisions.cross_fit_probabilities(codes, probabilities, folds)
    gains = _compute_log_loss(codes, old) - _compute_log_loss(codes, cross_fitted)
    is_kept = _is_beyond_noise(gains, clusters)
    calibrator: Calibrator = fitted if is_kept else policy.calibrator
    new = cross_fitted if is_kept else old
    before = _apply_old_sets(policy, codes, old)
    after, label_mask = np.empty(len(codes)), np.empty(probabilities.shape, dtype=bool)
    for fold in np.unique(folds):
        is_held_out = folds == fold
        fold_sets = decisions.fit_sets(codes[~is_held_out], new[~is_held_out], policy.coverage)
        after[is_held_out] = _compute_pinball_loss(
            new[is_held_out], codes[is_held_out], np.asarray(fold_sets.floors), policy.coverage
        )
        label_mask[is_held_out] = fold_sets.sets(new[is_held_out])
    sets_kept = is_kept or before is None or _is_beyond_noise(before[0] - after, clusters)
    corrected = calibrator.apply(probabilities)
    sets = decisions.fit_sets(codes, corrected, policy.coverage) if sets_kept else policy.sets
    figures = _compare_figures(
        raw,
        codes,
        (old, cross_fitted),
        sets=(None if before is None else before[1], label_mask),
        clusters=clusters,
        seed=seed,
    )
    gain = Figure.from_interval(mean_interval(gains, number_clusters(clusters), seed, (-np.inf, np.inf)))
    return Recalibrated(
        policy=replace(
            policy,
            calibrator=replace(calibrator, gain=float(gains.mean())) if is_kept else calibrator,
            sets=sets,
            frame=_refit_levels(policy, raw.classes, codes, corrected) if sets_kept else policy.frame,
        ),
        calibration_kept=is_kept,
        sets_kept=sets_kept,
        gain=gain,
        figures=figures,
        n_rows=len(codes),
    )


def _refit_levels(
    policy: DecisionPolicy, classes: tuple[str, ...], codes: Index, probabilities: Floats
) -> FrameRules | None:
    """Learn anew when each level of a coding frame is sure; None for a model without one."""
    if policy.frame is None:
        return None
    return replace(policy.frame, sets=fit_level_sets(classes, codes, probabilities, policy.coverage))


def _compute_log_loss(codes: Index, probabilities: Floats) -> Floats:
    return np.asarray(-np.log(np.maximum(probabilities[np.arange(len(codes)), codes], 1e-9)))


def _is_beyond_noise(gains: Floats, clusters: Index) -> bool:
    """Return whether a mean gain exceeds its noise over clusters."""
    sums = np.bincount(clusters, weights=gains - gains.mean())
    error = float(np.sqrt(np.square(sums).sum())) / len(gains)
    return bool(gains.mean() > SHARED_SETTINGS.one_sided_quantile * error + 1e-9)


def _compute_pinball_loss(probabilities: Floats, codes: Index, floors: Floats, coverage: float) -> Floats:
    """Lose on each row what a quantile loses: the floor should be exceeded by the true class in the stated share."""
    gap = probabilities[np.arange(len(codes)), codes] - floors[codes]
    return np.where(gap >= 0, (1 - coverage) * gap, -coverage * gap)


def _apply_old_sets(policy: DecisionPolicy, codes: Index, old: Floats) -> tuple[Floats, NDArray[np.bool_]] | None:
    if policy.sets is None:
        return None
    return _compute_pinball_loss(old, codes, np.asarray(policy.sets.floors), policy.coverage), policy.sets.sets(old)


def _compare_figures(
    raw: Predictions, codes: Index, probabilities: tuple[Floats, Floats],
    sets: tuple[NDArray[np.bool_] | None, NDArray[np.bool_]], clusters: Index, seed: int,
) -> list[BeforeAfter]:  # fmt: skip
    rows = np.arange(len(codes))
    calibrations = [
        judging.measure_calibration(codes, replace(raw, probabilities=part), clusters, seed) for part in probabilities
    ]
    figures = []
    for name in ("log_loss", "error", "overconfidence"):
        ends = [getattr(item, name) for item in calibrations]
        figures.append(
            BeforeAfter(name="calibration_error" if name == "error" else name, before=ends[0], after=ends[1])
        )
    covers = [
        None if part is None else Figure.from_interval(share_interval(part[rows, codes], clusters)) for part in sets
    ]
    within = (1.0, float(raw.probabilities.shape[1]))
    sizes = [
        None
        if part is None
        else Figure.from_interval(
            mean_interval(part.sum(axis=1).astype(float), number_clusters(clusters), seed, within)
        )
        for part in sets
    ]
    assert covers[1] is not None and sizes[1] is not None
    figures.append(BeforeAfter(name="coverage", before=covers[0], after=covers[1]))
    figures.append(BeforeAfter(name="mean_set_size", before=sizes[0], after=sizes[1]))
    return figures


def _recalibrate_ranges(
    policy: DecisionPolicy, raw: Predictions, truth: Floats, clusters: Index, seed: int
) -> Recalibrated:
    off, coverage = np.abs(truth - raw.values), policy.coverage
    folds = data.assign_folds(np.zeros(len(off), dtype=np.intp), clusters, SHARED_SETTINGS.n_folds, seed)
    margins = np.empty(len(off))
    for fold in np.unique(folds):
        is_held_out = folds == fold
        margins[is_held_out] = decisions.fit_margin(truth[~is_held_out], raw.values[~is_held_out], coverage)[0]
    old = np.full(len(off), np.inf if policy.margin is None else policy.margin)
    is_kept = bool(np.isfinite(margins).all())
    if is_kept and np.isfinite(old).all():
        losses = [np.where(off <= m, (1 - coverage) * (m - off), coverage * (off - m)) for m in (old, margins)]
        is_kept = _is_beyond_noise(losses[0] - losses[1], clusters)
    ends = [Figure.from_interval(share_interval(off <= m, clusters)) for m in (old, margins)]
    new_policy = replace(policy, margin=decisions.fit_margin(truth, raw.values, coverage)[0]) if is_kept else policy
    figures = [BeforeAfter(name="coverage", before=ends[0], after=ends[1])]
    return Recalibrated(
        policy=new_policy, calibration_kept=False, sets_kept=is_kept, gain=None, figures=figures, n_rows=len(off)
    )


def write_recalibrated(
    bundle: Bundle, bundle_path: Path, out: Path, recalibrated: Recalibrated, table: Table, *, base: str | None = None
) -> Recalibration:  # fmt: skip
    """Write the bundle with the new decision policy; a bundle is replaced only where its own path was named.

    Parameters
    ----------
    bundle : Bundle
    bundle_path : Path
        Where it lies.
    out : Path
        Where to write.
    recalibrated : Recalibrated
    table : Table
        Rows that both the bundle in memory and the one written must answer alike.
    base : str or None
        Where the base model of a head lies, as in `load_bundle`.
    """
    place = bundles.find_bundle(bundle_path) if out.resolve() == bundle_path.resolve() else out
    if place.resolve() != bundles.find_bundle(bundle_path).resolve() and place.exists() and any(place.iterdir()):
        raise DataError(f"--recalibrate: {out} exists.", "Name a folder that does not exist, or the bundle itself.")
    parts = {"calibration": recalibrated.calibration_kept, "sets": recalibrated.sets_kept}
    recalibration = {"data": table.source, "n_rows": recalibrated.n_rows, **parts}
    facts = bundle.training_facts.model_copy(update={"recalibrated": recalibration})
    corrected = replace(bundle, decision_policy=recalibrated.policy, training_facts=facts)
    bundles.save_bundle(corrected, place, check=partial(require_same_answers, bundle=corrected, table=table, base=base))
    return Recalibration(
        bundle=str(place), n_rows=recalibrated.n_rows, least_rows=SETTINGS.min_labels,
        calibration_kept=recalibrated.calibration_kept, sets_kept=recalibrated.sets_kept, gain=recalibrated.gain,
        figures=recalibrated.figures,
    )  # fmt: skip
