"""Correct probabilities: one temperature, or one rising curve, learnt on rows that the model did not learn from.

Neither changes which class is more probable than another. It is kept only where it helps on rows held out once more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.decisions.config import CONFIG
from headstart.grid_search import search_grid
from headstart.records import Index, Probabilities
from headstart.shared_settings import SHARED_SETTINGS

Floats = NDArray[np.float64]
TEMPERATURES = np.exp(np.linspace(0.0, np.log(5.0), 49))
"""None below 1: see `fit_calibrator`."""
STRIDE = 6
SMALLEST = 1e-12


@dataclass(frozen=True, kw_only=True)
class Calibrator:
    """A correction of probabilities.

    Parameters
    ----------
    method : str
        "none", "temperature" or "isotonic"; "platt" for labels of which a row may have several.
    temperature : float
        1 or more; the larger, the less sure.
    knots, levels : tuple of float
        The rising curve, for "isotonic".
    slopes, shifts : tuple of float
        For "platt", one a label: what the logit of its probability is multiplied by, 1 or less, and what is added.
    n_rows : int
        Rows it was learnt from.
    gain : float
        Log-loss saved on rows held out, in nats a row; for "none" that of the best way tried.
    """

    method: str = "none"
    temperature: float = 1.0
    knots: tuple[float, ...] = ()
    levels: tuple[float, ...] = ()
    slopes: tuple[float, ...] = ()
    shifts: tuple[float, ...] = ()
    n_rows: int = 0
    gain: float = 0.0

    def apply(self, probabilities: Probabilities) -> Probabilities:
        """Correct probabilities (n_rows, n_classes); rows of NaN stay.

        Examples
        --------
        Odds of 9 to 1 become their square root, 3 to 1:

        >>> Calibrator(method="temperature", temperature=2.0).apply(np.array([[0.9, 0.1]])).round(6).tolist()
        [[0.75, 0.25]]
        """
        if self.method == "none":
            return probabilities
        if self.method == "platt":
            return shift_logits(probabilities, np.asarray(self.slopes), np.asarray(self.shifts))
        return _METHODS[self.method].apply(self, probabilities)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        document = {**vars(self), "knots": list(self.knots), "levels": list(self.levels)}
        lines = {name: list(document.pop(name)) for name in ("slopes", "shifts")}
        return {**document, **(lines if self.method == "platt" else {})}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Calibrator:
        """Read the JSON form."""
        lists = {name: tuple(document.get(name, ())) for name in ("knots", "levels", "slopes", "shifts")}
        return cls(**{**document, **lists})


@dataclass(frozen=True)
class _CorrectionMethod:
    """A method of correction: how it is fitted, and how it is applied."""

    fit: Callable[[Index, Probabilities], Calibrator]
    apply: Callable[[Calibrator, Probabilities], Probabilities]


def fit_calibrator(
    codes: Index, probabilities: Probabilities, folds: Index, clusters: Index | None = None
) -> Calibrator:
    """Learn how to correct, and whether to.

    Parameters
    ----------
    codes : Index, shape (n_rows,)
        True classes.
    probabilities : Probabilities, shape (n_rows, n_classes)
        Of rows that the model which gave them did not see; rows of NaN are left out.
    folds : Index, shape (n_rows,)
        Each method is fitted without one fold at a time and scored on it; what belongs together shares a fold.
    clusters : Index or None, shape (n_rows,)
        Rows that belong together, for the noise of the comparison.

    Returns
    -------
    Calibrator
        Of the lowest held-out log-loss; "none" unless it saves more than 1.645 standard errors, and where it would
        make answers surer.

    Notes
    -----
    No correction makes answers surer. Out-of-fold probabilities are averages over several models, or come from models
    that saw fewer rows, so they look less sure than they should; and rows of a new place are harder than those held
    out.

    Temperature: Guo et al. (2017, arXiv:1706.04599). The curve is one isotonic regression over the probabilities of all
    classes, as in the accuracy-preserving variant of Zhang, Kailkhura and Han (2020, arXiv:2003.07329).
    """
    rows = np.flatnonzero(np.isfinite(probabilities).all(axis=1))
    rows = rows[:: max(1, -(-len(rows) * probabilities.shape[1] // CONFIG.most_probabilities))]
    codes, probabilities_used, folds = codes[rows], probabilities[rows], folds[rows]
    if len(rows) < CONFIG.calibration_rows or len(np.unique(folds)) < 2:
        return Calibrator(n_rows=len(rows))
    before, gains_by_method = _losses(codes, probabilities_used), {}
    for name in ("temperature", "isotonic") if len(rows) >= CONFIG.curve_rows else ("temperature",):
        gains = before - _held_out_losses(_METHODS[name], codes, probabilities_used, folds)
        gains_by_method[name] = (
            float(gains.mean()),
            standard_error(gains, None if clusters is None else clusters[rows]),
        )
    best = max(gains_by_method, key=lambda name: gains_by_method[name][0])
    gain, error = gains_by_method[best]
    if gain <= SHARED_SETTINGS.one_sided_quantile * error + 1e-9:
        return Calibrator(n_rows=len(rows), gain=gain)
    fitted = _METHODS[best].fit(codes, probabilities_used)
    if _METHODS[best].apply(fitted, probabilities_used).max(axis=1).mean() > probabilities_used.max(axis=1).mean():
        return Calibrator(n_rows=len(rows), gain=gain)
    return Calibrator(
        method=best,
        temperature=fitted.temperature,
        knots=fitted.knots,
        levels=fitted.levels,
        n_rows=len(rows),
        gain=gain,
    )


def fit_correction(codes: Index, probabilities: Probabilities, curve: bool | None = None) -> Calibrator:
    """Learn a correction and keep it whatever it brings: a curve from `CONFIG.curve_rows` rows on, else a temperature.

    Parameters
    ----------
    codes : Index, shape (n_rows,)
        True classes.
    probabilities : Probabilities, shape (n_rows, n_classes)
    curve : bool, optional
        Whether to fit the rising curve; by the number of rows if not given.
    """
    curve = len(codes) >= CONFIG.curve_rows if curve is None else curve
    fitted = _METHODS["isotonic" if curve else "temperature"].fit(codes, probabilities)
    return Calibrator(
        method=fitted.method,
        temperature=fitted.temperature,
        knots=fitted.knots,
        levels=fitted.levels,
        n_rows=len(codes),
    )


def cross_fit_probabilities(codes: Index, probabilities: Probabilities, folds: Index) -> Probabilities:
    """Correct each fold (n_rows, n_classes) by what `fit_correction` learns from the others.

    Parameters
    ----------
    codes : Index, shape (n_rows,)
        True classes.
    probabilities : Probabilities, shape (n_rows, n_classes)
    folds : Index, shape (n_rows,)
    """
    corrected = probabilities.copy()
    for fold in np.unique(folds):
        out = folds == fold
        if not out.all():
            corrected[out] = fit_correction(codes[~out], probabilities[~out], len(codes) >= CONFIG.curve_rows).apply(
                probabilities[out]
            )
    return corrected


def _losses(codes: Index, probabilities: Probabilities) -> Floats:
    return np.asarray(-np.log(np.maximum(probabilities[np.arange(len(codes)), codes], SHARED_SETTINGS.min_probability)))


def _held_out_losses(method: _CorrectionMethod, codes: Index, probabilities: Probabilities, folds: Index) -> Floats:
    losses = np.empty(len(codes))
    for fold in np.unique(folds):
        out = folds == fold
        losses[out] = _losses(
            codes[out], method.apply(method.fit(codes[~out], probabilities[~out]), probabilities[out])
        )
    return losses


def standard_error(gains: Floats, clusters: Index | None) -> float:
    """Return the standard error of the mean of gains (n_rows,), over clusters."""
    residual = gains - gains.mean()
    if clusters is not None:
        residual = np.bincount(np.unique(clusters, return_inverse=True)[1], weights=residual)
    return float(np.sqrt(np.square(residual).sum())) / len(gains)


def shift_logits(probabilities: Probabilities, slopes: Floats, shifts: Floats) -> Probabilities:
    """Return probabilities (n_rows, n_labels) whose logits are multiplied by slopes and shifted, each (n_labels,).

    Parameters
    ----------
    probabilities : Probabilities, shape (n_rows, n_labels)
    slopes, shifts : Floats, shape (n_labels,)

    Examples
    --------
    >>> shift_logits(np.array([[0.9, 0.5]]), np.array([0.5, 1.0]), np.array([0.0, np.log(3)])).round(6).tolist()
    [[0.75, 0.75]]
    """
    return np.asarray(1 / (1 + np.exp(-(slopes * clip_logits(probabilities) + shifts))))


def clip_logits(probabilities: Probabilities) -> Floats:
    """Return the logits of probabilities, finite ones also of 0 and 1."""
    inside = np.clip(probabilities, SMALLEST, 1 - SMALLEST)
    return np.asarray(np.log(inside / (1 - inside)))


def _scale_by_temperature(probabilities: Probabilities, temperature: float) -> Probabilities:
    logits = np.log(np.maximum(probabilities, SMALLEST)) / temperature
    logits = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(logits / logits.sum(axis=1, keepdims=True))


def _fit_temperature(codes: Index, probabilities: Probabilities) -> Calibrator:
    def loss(temperature: float) -> float:
        return float(_losses(codes, _scale_by_temperature(probabilities, temperature)).mean())

    return Calibrator(method="temperature", temperature=search_grid(loss, TEMPERATURES, STRIDE))


def _fit_curve(codes: Index, probabilities: Probabilities) -> Calibrator:
    order = np.argsort(probabilities, axis=None, kind="stable")
    ordered = probabilities.ravel()[order]
    true = (np.arange(probabilities.shape[1]) == codes[:, None]).ravel()[order].astype(np.float64)
    starts = np.unique(
        np.searchsorted(ordered, ordered[np.linspace(0, len(ordered), CONFIG.curve_steps, endpoint=False).astype(int)])
    )
    counts = np.diff([*starts, len(ordered)]).astype(np.float64)
    centres, hits = np.add.reduceat(ordered, starts) / counts, np.add.reduceat(true, starts)
    level = (hits + 1 / probabilities.shape[1]) / (counts + 1)
    rising = _pool_adjacent_violators(level, counts)
    return Calibrator(method="isotonic", temperature=1.0, knots=tuple(centres.tolist()), levels=tuple(rising.tolist()))


def _pool_adjacent_violators(values: Floats, weights: Floats) -> Floats:
    """Return the nearest rising sequence (pool adjacent violators)."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        blocks.append((value, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (a, wa, na), (b, wb, nb) = blocks[-2], blocks[-1]
            blocks[-2:] = [((a * wa + b * wb) / (wa + wb), wa + wb, na + nb)]
    return np.repeat([value for value, _, _ in blocks], [n for _, _, n in blocks])


def _apply_curve(calibrator: Calibrator, probabilities: Probabilities) -> Probabilities:
    levels = np.interp(probabilities, calibrator.knots, calibrator.levels) + CONFIG.curve_slope * probabilities
    return np.asarray(levels / levels.sum(axis=1, keepdims=True))


_METHODS: dict[str, _CorrectionMethod] = {
    "temperature": _CorrectionMethod(
        _fit_temperature, lambda fitted, values: _scale_by_temperature(values, fitted.temperature)
    ),
    "isotonic": _CorrectionMethod(_fit_curve, _apply_curve),
}
