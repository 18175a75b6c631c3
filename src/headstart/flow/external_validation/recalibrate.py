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
from headstart.decisions import NO_RULES, Calibrator, Rules
from headstart.decisions.calibrator import BEYOND_NOISE
from headstart.errors import DataError
from headstart.evaluation import Truth
from headstart.evaluation.intervals import compact, mean
from headstart.evaluation.uncertainty.conformal import share
from headstart.flow.exports.reopening import require_same_answers
from headstart.flow.external_validation.site_comparison import LEAST_LABELS, apart_from
from headstart.records import Index, Predictions, Table
from headstart.results import BeforeAfter, Evaluation, Figure, Recalibration

N_FOLDS = 5
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Recalibrated:
    """New rules, what of them is new, and figures before and after."""

    rules: Rules
    calibration_kept: bool
    sets_kept: bool
    gain: Figure | None
    figures: list[BeforeAfter]
    n_rows: int


def require_possible(bundle: Bundle, table: Table, labelled: bool) -> None:
    """Refuse too few labels before anything long begins.

    Raises
    ------
    DataError
        No labels, too few, or nothing to correct for this task.
    """
    if bundle.task == "multi-label":
        raise DataError(
            "--recalibrate: with several labels a row there is neither one probability nor a set to correct.",
            "Leave it out, or adapt again with these rows.",
        )
    if not labelled or len(table) < LEAST_LABELS:
        raise DataError(
            f"--recalibrate: {table.source} has {len(table) if labelled else 0} rows with a label that is known.",
            f"It takes at least {LEAST_LABELS}: label more rows, drawn by chance.",
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
    Each row is judged with what was learnt from the other four fifths. The calibration is kept where it saves
    log-loss, the sets where they lose less in the pinball loss of their quantile (Koenker and Bassett 1978), both by
    more than 1.645 standard errors; new calibration needs new sets. What is written is learnt from all rows.
    """
    clusters = apart_from(table, groups)
    rules = bundle.rules or NO_RULES
    if raw.task == "regression":
        return _ranges(rules, raw, truth[:, 0].astype(np.float64), clusters=clusters, seed=bundle.seed)
    codes = np.asarray(truth, dtype=np.intp)
    folds = data.assign_folds(codes, clusters, N_FOLDS, bundle.seed)
    shares, seed = raw.probabilities, bundle.seed
    old = rules.calibrated(raw).probabilities
    fitted = decisions.fit_way(codes, shares)
    held = decisions.cross_fitted(codes, shares, folds)
    gains = _loss(codes, old) - _loss(codes, held)
    kept = _beyond_noise(gains, clusters)
    calibrator: Calibrator = fitted if kept else rules.calibrator
    new = held if kept else old
    before = _held(rules, codes, old)
    after, marks = np.empty(len(codes)), np.empty(shares.shape, dtype=bool)
    for fold in np.unique(folds):
        out = folds == fold
        made = decisions.fit_sets(codes[~out], new[~out], rules.coverage)
        after[out] = _pinball(new[out], codes[out], np.asarray(made.floors), rules.coverage)
        marks[out] = made.sets(new[out])
    sets_kept = kept or before is None or _beyond_noise(before[0] - after, clusters)
    corrected = calibrator.apply(shares)
    sets = decisions.fit_sets(codes, corrected, rules.coverage) if sets_kept else rules.sets
    figures = _figures(
        raw, codes, (old, held), sets=(None if before is None else before[1], marks), clusters=clusters, seed=seed
    )
    gain = Figure.of(mean(gains, compact(clusters), seed, (-np.inf, np.inf)))
    return Recalibrated(
        rules=replace(
            rules, calibrator=replace(calibrator, gain=float(gains.mean())) if kept else calibrator, sets=sets
        ),
        calibration_kept=kept,
        sets_kept=sets_kept,
        gain=gain,
        figures=figures,
        n_rows=len(codes),
    )


def _loss(codes: Index, shares: Floats) -> Floats:
    return np.asarray(-np.log(np.maximum(shares[np.arange(len(codes)), codes], 1e-9)))


def _beyond_noise(gains: Floats, clusters: Index) -> bool:
    """Whether a mean gain exceeds its noise over clusters."""
    sums = np.bincount(clusters, weights=gains - gains.mean())
    error = float(np.sqrt(np.square(sums).sum())) / len(gains)
    return bool(gains.mean() > BEYOND_NOISE * error + 1e-9)


def _pinball(shares: Floats, codes: Index, floors: Floats, coverage: float) -> Floats:
    """Lose on each row what a quantile loses: the floor should be exceeded by the true class in the stated share."""
    gap = shares[np.arange(len(codes)), codes] - floors[codes]
    return np.where(gap >= 0, (1 - coverage) * gap, -coverage * gap)


def _held(rules: Rules, codes: Index, old: Floats) -> tuple[Floats, NDArray[np.bool_]] | None:
    if rules.sets is None:
        return None
    return _pinball(old, codes, np.asarray(rules.sets.floors), rules.coverage), rules.sets.sets(old)


def _figures(
    raw: Predictions, codes: Index, shares: tuple[Floats, Floats],
    sets: tuple[NDArray[np.bool_] | None, NDArray[np.bool_]], clusters: Index, seed: int,
) -> list[BeforeAfter]:  # fmt: skip
    rows = np.arange(len(codes))
    told = [judging.calibration(codes, replace(raw, probabilities=part), clusters, seed) for part in shares]
    found = []
    for name in ("log_loss", "error", "overconfidence"):
        ends = [getattr(item, name) for item in told]
        found.append(BeforeAfter(name="calibration_error" if name == "error" else name, before=ends[0], after=ends[1]))
    covers = [None if part is None else Figure.of(share(part[rows, codes], clusters)) for part in sets]
    within = (1.0, float(raw.probabilities.shape[1]))
    sizes = [
        None if part is None else Figure.of(mean(part.sum(axis=1).astype(float), compact(clusters), seed, within))
        for part in sets
    ]
    assert covers[1] is not None and sizes[1] is not None
    found.append(BeforeAfter(name="coverage", before=covers[0], after=covers[1]))
    found.append(BeforeAfter(name="mean_set_size", before=sizes[0], after=sizes[1]))
    return found


def _ranges(rules: Rules, raw: Predictions, truth: Floats, clusters: Index, seed: int) -> Recalibrated:
    off, coverage = np.abs(truth - raw.values), rules.coverage
    folds = data.assign_folds(np.zeros(len(off), dtype=np.intp), clusters, N_FOLDS, seed)
    margins = np.empty(len(off))
    for fold in np.unique(folds):
        out = folds == fold
        margins[out] = decisions.fit_margin(truth[~out], raw.values[~out], coverage)[0]
    old = np.full(len(off), np.inf if rules.margin is None else rules.margin)
    kept = bool(np.isfinite(margins).all())
    if kept and np.isfinite(old).all():
        losses = [np.where(off <= m, (1 - coverage) * (m - off), coverage * (off - m)) for m in (old, margins)]
        kept = _beyond_noise(losses[0] - losses[1], clusters)
    ends = [Figure.of(share(off <= m, clusters)) for m in (old, margins)]
    made = replace(rules, margin=decisions.fit_margin(truth, raw.values, coverage)[0]) if kept else rules
    figures = [BeforeAfter(name="coverage", before=ends[0], after=ends[1])]
    return Recalibrated(rules=made, calibration_kept=False, sets_kept=kept, gain=None, figures=figures, n_rows=len(off))


def write(
    bundle: Bundle, places: tuple[Path, Path], made: Recalibrated, found: Evaluation, table: Table
) -> Recalibration:  # fmt: skip
    """Write the bundle with the new rules; a bundle is replaced only where its own path was named.

    Parameters
    ----------
    bundle : Bundle
    places : (Path, Path)
        Where it lies, and where to write.
    made : Recalibrated
    found : Evaluation
    table : Table
        Rows that both the bundle in memory and the one written must answer alike.
    """
    there, out = places
    place = bundles.find(there) if out.resolve() == there.resolve() else out
    if place.resolve() != bundles.find(there).resolve() and place.exists() and any(place.iterdir()):
        raise DataError(f"--recalibrate: {out} exists.", "Name a folder that does not exist, or the bundle itself.")
    parts = {"calibration": made.calibration_kept, "sets": made.sets_kept}
    about = {**bundle.about, "recalibrated": {"data": found.data, "n_rows": made.n_rows, **parts}}
    corrected = replace(bundle, rules=made.rules, about=about)
    bundles.save(corrected, place, check=partial(require_same_answers, bundle=corrected, table=table))
    return Recalibration(
        bundle=str(place), n_rows=made.n_rows, least_rows=LEAST_LABELS, calibration_kept=made.calibration_kept,
        sets_kept=made.sets_kept, gain=made.gain, figures=made.figures, reading=_reading(made),
    )  # fmt: skip


def _reading(made: Recalibrated) -> str:
    names = [name for name, kept in (("probabilities", made.calibration_kept), ("sets", made.sets_kept)) if kept]
    cover = next(item for item in made.figures if item.name == "coverage")
    ends = [_share(part) if part else "-" for part in (cover.before, cover.after)]
    told = (
        f"On {made.n_rows:,} rows sets or ranges held the truth in {ends[0]} before, in {ends[1]} after, cross-fitted."
    )
    if not names:
        return f"Nothing was changed: new corrections did not help by more than chance. {told}"
    return f"Learnt anew from these rows: {' and '.join(names)}. {told}"


def _share(figure: Figure) -> str:
    return f"{100 * figure.value:.0f} % (95 % interval {100 * figure.low:.0f} to {100 * figure.high:.0f})"
