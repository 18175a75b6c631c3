"""Do 95 % intervals hold the truth in 95 % of cases, on simulated rows whose truth is known?

`python benchmarks/intervals.py [--times N] [--results FILE]`
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import machine
import numpy as np
from tables import keep, table

from headstart.evaluation.comparison.transfer_verdict import compare_accuracy
from headstart.evaluation.fairness.groups import score_groups
from headstart.evaluation.intervals import compute_wilson_interval
from headstart.evaluation.metrics.per_task import score_predictions
from headstart.evaluation.settings import SETTINGS
from headstart.evaluation.uncertainty.calibration import measure_calibration
from headstart.evaluation.uncertainty.conformal import share_interval
from headstart.records import Interval, Predictions, make_column
from headstart.results import Figure

PRIOR = np.array([0.4, 0.3, 0.2, 0.1])
SKILL, WEAKER = np.array([0.85, 0.8, 0.75, 0.7]), np.array([0.75, 0.7, 0.7, 0.6])
GAP, SAID_SHARE = 0.2, 0.9
HONEST = 0.5
"""The simulated probabilities are right half of the way from one half: a known calibration error."""
CLASSES = tuple("abcd")


@dataclass(frozen=True)
class Rows:
    """One simulated test set: truths, two models' answers, their first model's certainty, a group, clusters."""

    codes: np.ndarray
    answers: tuple[np.ndarray, np.ndarray]
    site: np.ndarray
    right_by_site: np.ndarray
    sure: np.ndarray
    right_if_sure: np.ndarray
    clusters: np.ndarray | None


def drawn(n: int, clustered: bool, rng: np.random.Generator) -> Rows:
    """Draw rows; in clusters of five, half of the rows copy the luck of their cluster."""
    clusters = np.arange(n) // 5 if clustered else None
    copies = (rng.random(n) < 0.5) if clustered else np.zeros(n, dtype=bool)

    def luck() -> np.ndarray:
        return np.where(copies, rng.random(n)[np.arange(n) // 5], rng.random(n))

    codes = np.searchsorted(np.cumsum(PRIOR)[:3], luck())
    other = (codes + 1 + rng.integers(0, 3, n)) % 4
    first, second, mixed = luck(), luck(), luck()
    answers = (
        np.where(first < SKILL[codes], codes, other),
        np.where(np.where(mixed < 0.5, first, second) < WEAKER[codes], codes, other),
    )
    site = np.arange(n) // 5 % 2
    sure = 0.5 + 0.5 * rng.beta(3, 1.5, n)
    return Rows(
        codes, answers, site, luck() < np.where(site == 0, 0.85, 0.85 - GAP), sure,
        luck() < 0.5 + HONEST * (sure - 0.5), clusters,
    )  # fmt: skip


def said(codes: np.ndarray, classes: tuple[str, ...] = CLASSES, sure: np.ndarray | None = None) -> Predictions:
    """Make predictions that name these classes."""
    shares = np.full((len(codes), len(classes)), 0.01) if sure is None else np.repeat(1 - sure[:, None], 2, axis=1)
    shares[np.arange(len(codes)), codes] = 1 - 0.01 * (len(classes) - 1) if sure is None else sure
    return Predictions(ids=make_column(list(map(str, range(len(codes))))), classes=classes, probabilities=shares)


def truths() -> dict[str, float]:
    """Compute what the intervals should hold."""
    joint = PRIOR[:, None] * np.where(np.eye(4) == 1, SKILL[:, None], (1 - SKILL[:, None]) / 3)
    whole = 0.5 + 0.5 * np.sort(np.random.default_rng(0).beta(3, 1.5, 1_000_000))
    right = 0.5 + HONEST * (whole - 0.5)
    parts = np.array([part.mean() - 0.5 for part in np.array_split(whole, SETTINGS.max_calibration_bins)])
    return {
        "accuracy": float(PRIOR @ SKILL),
        "balanced accuracy": float(SKILL.mean()),
        "macro-F1": float((2 * joint.diagonal() / (joint.sum(axis=0) + joint.sum(axis=1))).mean()),
        "difference of two models": float(PRIOR @ (SKILL - WEAKER)),
        "gap between two groups": GAP,
        "coverage of sets": SAID_SHARE,
        "overconfidence": float((1 - HONEST) * (whole.mean() - 0.5)),
        "Brier score": float(np.mean(right * (1 - whole) ** 2 + (1 - right) * whole**2)),
        "calibration error": float((1 - HONEST) * np.sqrt(np.mean(parts**2))),
    }


def measured(rows: Rows, rng: np.random.Generator, seed: int) -> dict[str, Interval | Figure | None]:
    """Measure one simulated test set as `headstart adapt` does."""
    n, clusters = len(rows.codes), rows.clusters
    metrics = score_predictions(rows.codes, said(rows.answers[0]), clusters, seed)
    answers = np.where(rows.right_by_site, 0, 1)
    site = {"site": make_column(["north" if at else "south" for at in rows.site])}
    compared = score_groups(np.zeros(n, dtype=np.intp), said(answers, ("a", "b")), site, clusters=clusters, seed=seed)
    found = measure_calibration(
        np.where(rows.right_if_sure, 0, 1), said(np.zeros(n, dtype=np.intp), ("a", "b"), rows.sure), clusters, seed
    )
    hits = rng.random(n) < SAID_SHARE
    return {
        "accuracy": metrics.accuracy,
        "balanced accuracy": metrics.balanced_accuracy,
        "macro-F1": metrics.macro_f1,
        "difference of two models": compare_accuracy(rows.codes, *map(said, rows.answers), clusters, seed),
        "gap between two groups": compared[0].gap,
        "coverage of sets": share_interval(hits, None),
        "overconfidence": found and found.overconfidence,
        "Brier score": found and found.brier,
        "calibration error": found and found.error if n >= 200 else None,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=1_000)
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    given = parser.parse_args(arguments)
    wanted, made = truths(), []
    for n in (30, 100, 400):
        for clustered in (False, True):
            inside, told = dict.fromkeys(wanted, 0), dict.fromkeys(wanted, 0)
            for repeat in range(given.times):
                rng = np.random.default_rng([n, clustered, repeat])
                for name, found in measured(drawn(n, clustered, rng), rng, repeat).items():
                    told[name] += found is not None
                    inside[name] += found is not None and found.low - 1e-12 <= wanted[name] <= found.high + 1e-12
            shares = {name: _share(inside[name], told[name], given.times) for name in wanted}
            made.append({"test rows": n, "rows": "in clusters of 5" if clustered else "independent", **shares})
    legend = (
        f"Share in % of {given.times:,} simulated test sets whose 95 % interval holds the truth (95 % interval of that "
        "share). Wanted: 92 to 98. In clusters half of the rows copy the luck of their cluster (not for the coverage "
        "of sets). -: not told with so few rows, or not simulated (the truth of the calibration error depends on bins)."
    )
    keep(given.results, "Intervals", f"{machine.describe()}\n\n{legend}\n\n{table(made)}")


def _share(inside: int, told: int, times: int) -> str:
    if told < times / 2:
        return "-"
    low, high = compute_wilson_interval(np.array([float(inside)]), np.array([float(told)]))
    return f"{100 * inside / told:.1f} ({100 * low[0]:.1f}-{100 * high[0]:.1f})"


if __name__ == "__main__":
    main()
