"""Correct the probabilities of labels: for each a slope and a shift of its logit, drawn to those of all labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.decisions.calibrator import Calibrator, clip_logits, shift_logits, standard_error
from headstart.decisions.config import CONFIG
from headstart.records import FloatMatrix, Index, Probabilities
from headstart.shared_settings import SHARED_SETTINGS

Floats = NDArray[np.float64]
_STEPS, _LONGEST_STEP = 25, 1.0
_LEAST_SLOPE = 0.1
"""The correction keeps the order of rows."""


def fit_label_calibrator(
    truth: FloatMatrix, probabilities: Probabilities, folds: Index, clusters: Index | None = None
) -> Calibrator:
    """Learn how to correct the probability of each label, and whether to.

    Parameters
    ----------
    truth : FloatMatrix, shape (n_rows, n_labels)
        0 or 1.
    probabilities : Probabilities, shape (n_rows, n_labels)
        Of rows that the model which gave them did not see; rows of NaN are left out.
    folds : Index, shape (n_rows,)
        The correction is fitted without one fold at a time and scored on it.
    clusters : Index or None, shape (n_rows,)
        Rows that belong together, for the noise of the comparison.

    Returns
    -------
    Calibrator
        "platt"; "none" unless it saves more than 1.645 standard errors of the held-out log-loss (sum over labels).

    Notes
    -----
    Platt (1999), with the slope and the shift of a label drawn to those of all labels: a label that few rows have gets
    nearly the common correction. No slope is above 1, as no correction of classes makes answers surer (see
    `fit_calibrator`); a shift may, where a label was given too high or too low a probability throughout.
    """
    rows = np.flatnonzero(np.isfinite(probabilities).all(axis=1))
    rows = rows[:: max(1, -(-len(rows) * probabilities.shape[1] // CONFIG.most_probabilities))]
    true, known, parts = (truth[rows] == 1).astype(np.float64), probabilities[rows], folds[rows]
    if len(rows) < CONFIG.calibration_rows or len(np.unique(parts)) < 2:
        return Calibrator(n_rows=len(rows))
    corrected = known.copy()
    for fold in np.unique(parts):
        out = parts == fold
        corrected[out] = shift_logits(known[out], *_fit_lines(true[~out], known[~out]))
    gains = _sum_losses(true, known) - _sum_losses(true, corrected)
    gain, error = float(gains.mean()), standard_error(gains, None if clusters is None else clusters[rows])
    if gain <= SHARED_SETTINGS.one_sided_quantile * error + 1e-9:
        return Calibrator(n_rows=len(rows), gain=gain)
    slopes, shifts = (tuple(values.tolist()) for values in _fit_lines(true, known))
    return Calibrator(method="platt", slopes=slopes, shifts=shifts, n_rows=len(rows), gain=gain)


def _sum_losses(true: Floats, probabilities: Probabilities) -> Floats:
    """Return the nats lost on each row, sum over labels (n_rows,)."""
    right = np.where(true == 1, probabilities, 1 - probabilities)
    return np.asarray(-np.log(np.maximum(right, SHARED_SETTINGS.min_probability)).sum(axis=1))


def _fit_lines(true: Floats, probabilities: Probabilities) -> tuple[Floats, Floats]:
    """Return the slope and the shift of each label (n_labels,)."""
    logits = clip_logits(probabilities)
    known = true.any(axis=0)  # A label that no row has stays at its probability, nearly 0.
    if not known.any():
        return np.ones(true.shape[1]), np.zeros(true.shape[1])
    common = _fit_line(true[:, known].reshape(-1, 1), logits[:, known].reshape(-1, 1), np.array([[1.0], [0.0]]), (1, 1))
    start = np.repeat(common, true.shape[1], axis=1)
    lines = _fit_line(true, logits, start, (CONFIG.label_slope_rows, CONFIG.label_shift_rows))
    lines[:, ~known] = [[1.0], [0.0]]
    return lines[0], lines[1]


def _fit_line(true: Floats, logits: Floats, centre: Floats, weights: tuple[float, float]) -> Floats:
    """Fit a line for each column by Newton's steps, drawn to `centre` (2, n_labels) by a quadratic penalty."""
    lines = centre.copy()
    for _ in range(_STEPS):
        probabilities = 1 / (1 + np.exp(-(lines[0] * logits + lines[1])))
        off, spread = probabilities - true, probabilities * (1 - probabilities)
        slope_gradient = (off * logits).sum(axis=0) + weights[0] * (lines[0] - centre[0])
        shift_gradient = off.sum(axis=0) + weights[1] * (lines[1] - centre[1])
        a = (spread * logits**2).sum(axis=0) + weights[0]
        b, c = (spread * logits).sum(axis=0), spread.sum(axis=0) + weights[1]
        determinant = a * c - b**2
        step = np.array([c * slope_gradient - b * shift_gradient, a * shift_gradient - b * slope_gradient])
        step /= determinant
        is_held = ((lines[0] >= 1) & (step[0] < 0)) | ((lines[0] <= _LEAST_SLOPE) & (step[0] > 0))
        step = np.clip(np.where(is_held, [np.zeros_like(c), shift_gradient / c], step), -_LONGEST_STEP, _LONGEST_STEP)
        lines = lines - step
        lines[0] = np.clip(lines[0], _LEAST_SLOPE, 1.0)
        if np.abs(step).max() < 1e-9:
            break
    return np.asarray(lines)
