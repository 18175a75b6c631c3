"""Can the probabilities be believed, and were they corrected?"""

from __future__ import annotations

from headstart.report.messages import message, translate
from headstart.report.words import format_fixed, format_hundredths
from headstart.results import Calibration, Correction

_TOO_SURE = message(
    "On {n} test rows it gave its answers a probability of {sure} % on average, and {right} % of them were right: it "
    "is too sure of itself. Its probabilities are typically off by {error} points (95 % interval {low} to {high})."
)
_TOO_UNSURE = message(
    "On {n} test rows it gave its answers a probability of {sure} % on average, and {right} % of them were right: it "
    "is right more often than it says. Its probabilities are typically off by {error} points (95 % interval {low} to "
    "{high})."
)
_UNEVEN = message(
    "On {n} test rows it gave its answers a probability of {sure} % on average, and {right} % of them were right, but "
    "high and low probabilities are not equally true: they are typically off by {error} points (95 % interval {low} to "
    "{high})."
)
_FINE = message(
    "On {n} test rows it gave its answers a probability of {sure} % on average, and {right} % of them were right: no "
    "evidence that its probabilities are wrong. They may be off by up to {high} points."
)
_LABELS_TOO_HIGH = message(
    "On {n} test rows it gave each label a probability of {sure} % on average, and {right} % of these labels were "
    "there: its probabilities are too high. They are typically off by {error} points (95 % interval {low} to {high})."
)
_LABELS_TOO_LOW = message(
    "On {n} test rows it gave each label a probability of {sure} % on average, and {right} % of these labels were "
    "there: its probabilities are too low. They are typically off by {error} points (95 % interval {low} to {high})."
)
_LABELS_UNEVEN = message(
    "On {n} test rows it gave each label a probability of {sure} % on average, and {right} % of these labels were "
    "there, but high and low probabilities are not equally true: they are typically off by {error} points (95 % "
    "interval {low} to {high})."
)
_LABELS_FINE = message(
    "On {n} test rows it gave each label a probability of {sure} % on average, and {right} % of these labels were "
    "there: no evidence that its probabilities are wrong. They may be off by up to {high} points."
)
_CORRECTIONS = {
    "none": message(
        "Nothing is corrected: on training rows held out, being less sure did not help by more than chance."
    ),
    "temperature": message(
        "Made less sure by one factor (temperature {temperature}), which saved {gain} nats a row on training rows held "
        "out; no answer changes."
    ),
    "isotonic": message(
        "Made less sure by a rising curve, which saved {gain} nats a row on training rows held out; no answer changes."
    ),
    "platt": message(
        "Corrected by a slope and a shift for each label, drawn to those of all labels, which saved {gain} nats a row "
        "on training rows held out; no answer changes."
    ),
}

_ANSWERS = (_TOO_SURE, _TOO_UNSURE, _UNEVEN, _FINE)
_LABELS = (_LABELS_TOO_HIGH, _LABELS_TOO_LOW, _LABELS_UNEVEN, _LABELS_FINE)


def describe_calibration(figures: Calibration) -> str:
    """Return the sentence that says whether the probabilities can be believed.

    Parameters
    ----------
    figures : Calibration
    """
    off, error = figures.overconfidence, figures.error
    high, low, uneven, fine = _LABELS if figures.per_label else _ANSWERS
    template = high if off.low > 0 else low if off.high < 0 else uneven if error.low > 0 else fine
    return translate(
        template,
        n=figures.n_rows,
        sure=format_hundredths(figures.mean_probability or 0.0),
        right=format_hundredths(figures.share_right or 0.0),
        error=format_hundredths(abs(error.value)),
        low=format_hundredths(abs(error.low), end="low"),
        high=format_hundredths(abs(error.high), end="high"),
    )


def describe_correction(correction: Correction) -> str:
    """Return the sentence that says whether the probabilities were corrected, and what it saved.

    Parameters
    ----------
    correction : Correction
    """
    return translate(
        _CORRECTIONS[correction.method],
        temperature=format_fixed(correction.temperature or 0.0, 2),
        gain=format_fixed(correction.gain, 3),
    )
