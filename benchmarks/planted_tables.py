"""The tables of `verdict.py`: shares of trials with their 95 % intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import NormalDist

import numpy as np
from planted_trials import READY_ROWS, TEST_ROWS, Cell, Record, name_cell
from tables import table

from headstart.evaluation.intervals import compute_wilson_interval

SIZES = ((0.0, 0.01), (0.01, 0.02), (0.02, 0.05), (0.05, 0.1), (0.1, 0.2), (0.2, 1.0))
DESIGN_EFFECT = 2.0
"""Of clusters of five in which two rows have the same luck with probability 1/4: 1 + 4 / 4."""
Trials = dict[str, list[Record]]


def format_share(hits: int, n: int) -> str:
    """Print a share of trials in percent, with its interval."""
    if not n:
        return "-"
    low, high = compute_wilson_interval(np.array([float(hits)]), np.array([float(n)]))
    return f"{100 * hits / n:.1f} ({100 * low[0]:.1f}-{100 * high[0]:.1f})"


def _share(records: Sequence[Record], is_hit: Callable[[Record], bool]) -> str:
    return format_share(sum(map(is_hit, records)), len(records))


def is_wrong(record: Record) -> bool:
    """Return whether a verdict has the wrong sign: of no true difference neither is right."""
    truth = record["truth"]
    return bool((record["outcome"] == "helped" and truth <= 1e-9) or (record["outcome"] == "hurt" and truth >= -1e-9))


def _is_right(record: Record) -> bool:
    return record["outcome"] != "no evidence" and not is_wrong(record)


def _holds(record: Record) -> bool:
    return bool(record["low"] - 1e-9 <= record["truth"] <= record["high"] + 1e-9)


def _describe(cell: Cell) -> Record:
    return {key: {True: "yes", False: "no"}[value] if isinstance(value, bool) else value for key, value in cell.items()}


def summarize_verdicts(trials: Trials, cells: Sequence[Cell]) -> Iterator[tuple[str, str]]:
    """Make three tables: verdicts, power, and coverage of the interval of the difference."""
    n_trials = len(trials[name_cell(cells[0])]) // len(TEST_ROWS)
    verdicts: list[Record] = []
    coverage: list[Record] = []
    for cell in cells:
        records = trials[name_cell(cell)]
        truth = 100 * np.quantile([record["truth"] for record in records], (0.1, 0.5, 0.9))
        verdicts.append({
            **_describe(cell), "true difference": f"{truth[1]:.1f} ({truth[0]:.1f} to {truth[2]:.1f})",
            **{f"{n} rows": _count_outcomes([record for record in records if record["n"] == n]) for n in TEST_ROWS},
            "wrong-signed": _share(records, is_wrong),
            "worst": max((_share_of(records, n) for n in TEST_ROWS), key=lambda each: each[0])[1],
        })  # fmt: skip
        coverage.append({
            **_describe(cell),
            **{f"{n} rows": _share([record for record in records if record["n"] == n], _holds) for n in TEST_ROWS},
            "all": _share(records, _holds),
        })  # fmt: skip
    yield (
        "helped or hurt",
        f"{n_trials} trials a cell at each number of test rows, 20 to 200 training rows, the head of each side chosen "
        "by cross-validation. True difference: median (10th and 90th percentile), in points (ordinal: kappa, "
        "regression: mean absolute error, times 100). Rows: helped / hurt in %. Wrong-signed: in % of all trials (95 % "
        "interval), and the worst number of rows; with random labels of equally frequent classes any verdict is wrong."
        f"\n\n{table(verdicts)}",
    )
    yield (
        "power",
        "Verdicts in % of trials with such a true difference that have the right sign; accuracy, independent rows, "
        f"all three modalities.\n\n{table(list(_measure_power(trials, cells)))}",
    )
    yield (
        "coverage",
        "How often in % the interval of the difference holds the true difference (95 % interval of that share). "
        f"Aim: 92 to 98.\n\n{table(coverage)}",
    )


def _share_of(records: Sequence[Record], n: int) -> tuple[float, str]:
    wrong = [is_wrong(record) for record in records if record["n"] == n]
    return float(np.mean(wrong)), f"{100 * float(np.mean(wrong)):.1f} at {n}"


def _count_outcomes(records: Sequence[Record]) -> str:
    shares = [sum(record["outcome"] == name for record in records) / len(records) for name in ("helped", "hurt")]
    return " / ".join(f"{100 * share:.0f}" for share in shares)


def _measure_power(trials: Trials, cells: Sequence[Cell]) -> Iterator[Record]:
    chosen = [cell for cell in cells if cell["task"] == "classification" and cell["rows"] == "independent"]
    records = [record for cell in chosen for record in trials[name_cell(cell)] if abs(record["truth"]) > 1e-9]
    for low, high in SIZES:
        inside = [record for record in records if low <= abs(record["truth"]) < high]
        shares = {}
        for n in TEST_ROWS:
            mine = [record for record in inside if record["n"] == n]
            shares[f"{n} rows"] = _share(
                mine, lambda record: record["outcome"] != "no evidence" and not is_wrong(record)
            )
        yield {"true difference, points": f"{100 * low:.0f}-{100 * high:.0f}", "trials": len(inside) // len(TEST_ROWS),
               **shares}  # fmt: skip


def summarize_gaps(trials: Trials, cells: Sequence[Cell]) -> Iterator[tuple[str, str]]:
    """Make the table of gaps between groups."""
    rows = []
    for cell in cells:
        records = trials[name_cell(cell)]
        has_power = records[0]["power"] is not None
        rows.append({
            **_describe(cell), "trials": len(records),
            "power": _share(records, lambda record: record["power"]) if has_power else "-",
            "limit": f"{100 * _compute_z_power(cell):.1f}" if has_power else "-",
            "false alarm": _share(records, lambda record: record["false"]),
            "false alarm of a class": _share(records, lambda record: record["false by class"]),
            "interval holds": _share(records, lambda record: record["holds"]) if cell["values"] == 2 else "-",
        })  # fmt: skip
    yield (
        "gaps between groups",
        "Share of trials in % in which a gap is called real: its interval lies above 0, which takes p of at most .05 "
        "after Holm. The last value is planted. Limit: power of the z test of two shares, which knows the planted pair "
        "and, in clusters, the design effect (2: half of the rows of five copy the luck of their cluster); "
        "over columns its level is divided by their number. False alarm: any column without a planted gap."
        f"\n\n{table(rows)}",
    )


def _compute_z_power(cell: Cell) -> float:
    """Return the power of the two-sided z test of two shares, at the rows of the last value and of the one before."""
    n = np.broadcast_to(cell["rows a value"], cell["values"])[-2:] / (DESIGN_EFFECT if cell["clusters"] else 1.0)
    shares = np.array([cell["accuracy"], cell["accuracy"] - cell["gap"]])
    pooled = float(shares @ n / n.sum())
    null = np.sqrt(pooled * (1 - pooled) * (1 / n).sum())
    error = np.sqrt((shares * (1 - shares) / n).sum())
    normal = NormalDist()
    return normal.cdf((cell["gap"] - normal.inv_cdf(1 - 0.025 / cell["columns"]) * null) / error)


def summarize_readiness(trials: Trials, cells: Sequence[Cell]) -> Iterator[tuple[str, str]]:
    """Make the table of how often a model is called ready."""
    rows = []
    for cell in cells:
        records = trials[name_cell(cell)]
        mine = {n: [record for record in records if record["n"] == n] for n in READY_ROWS}
        shares = {f"{n} rows": _share(mine[n], lambda record: record["level"] == "ready") for n in READY_ROWS}
        rows.append({**_describe(cell), "trials": len(mine[READY_ROWS[0]]), **shares})
    yield (
        "readiness",
        "Share of trials in % called ready, by test rows. `right`: true share right of three classes. The rule that is "
        "broken lies a point below its bound (answered right .895 of .9, worst class .79 and worst group .79 of .8, "
        f"answered .49 of .5).\n\n{table(rows)}",
    )


def summarize_sets(trials: Trials, cells: Sequence[Cell]) -> Iterator[tuple[str, str]]:
    """Make the table of how often sets hold the truth."""
    rows = []
    for cell in cells:
        records = trials[name_cell(cell)]
        rows.append({
            **_describe(cell), "trials": len(records),
            **{name: _mean(records, name) for name in ("exact", "as given", "least class")},
            "interval holds": _share(records, lambda record: record["holds"]),
        })  # fmt: skip
    yield (
        "coverage of sets",
        "True coverage in % of sets that state 90 %, mean over trials (95 % interval; 10th and 90th percentile): "
        "as the method makes them, and as given (the most probable class always in), also of the class that is covered "
        "least often. Imbalanced: 85 % of one class, 5 % of each other. Interval: of the coverage on 200 rows. The "
        f"same on real sets: [trust](trust.md).\n\n{table(rows)}",
    )


def _mean(records: Sequence[Record], name: str) -> str:
    values = 100 * np.array([record[name] for record in records])
    half = 1.96 * values.std() / np.sqrt(len(values))
    low, high = np.quantile(values, (0.1, 0.9))
    return f"{values.mean():.1f} ± {half:.1f} ({low:.0f}-{high:.0f})"


def summarize_origins(trials: Trials, cells: Sequence[Cell]) -> Iterator[tuple[str, str]]:
    """Make the table of where gaps are said to come from."""
    rows = []
    for cell in cells:
        records = trials[name_cell(cell)]
        known = [record for record in records if record["holds"] is not None]
        rows.append({
            **_describe(cell), "trials": len(records),
            "true part of the base": f"{100 * float(np.mean([record['truth'] for record in records])):.1f}",
            **{f"says {place}": _share(records, lambda record, place=place: record["origin"] == place)
               for place in ("base", "labels", "neither")},
            "says the base narrowed it": _share(records, lambda record: record["sign"] < 0),
            "interval holds": _share(known, lambda record: record["holds"]),
        })  # fmt: skip
    yield (
        "where a gap comes from",
        "Share of trials in %. Base: the interval of what the base brought lies above 0; labels: it does not, and the "
        "gap without a base does; else neither. Both models are equally good.\n\n" + table(rows),
    )


def summarize_adapt(trials: Trials, cells: Sequence[Cell]) -> Iterator[tuple[str, str]]:
    """Make the table of whole runs."""
    rows = []
    for cell in cells:
        records = trials[name_cell(cell)]
        rows.append({
            **_describe(cell), "runs": len(records),
            "helped / hurt / no evidence": " / ".join(
                str(sum(record["outcome"] == name for record in records)) for name in ("helped", "hurt", "no evidence")
            ),
            "the trial's own": " / ".join(
                str(sum(record["trial"] == name for record in records)) for name in ("helped", "hurt", "no evidence")
            ),
            "opposite": str(sum({record["outcome"], record["trial"]} == {"helped", "hurt"} for record in records)),
            "same from its predictions": str(sum(record["agrees"] for record in records)),
            "wrong-signed": f"{sum(map(is_wrong, records))}",
            "interval holds": _share(records, _holds),
            "seconds a run": f"{float(np.mean([record['seconds'] for record in records])):.1f}",
        })  # fmt: skip
    yield (
        "whole runs",
        "Rows of the families through `adapt` (`linear-probe`, `shrinkage-lda`, `classic`), the features of the base "
        "planted, the rival reading the images, texts or series themselves; twin: noisy views of the useful one. "
        "The trial's own: verdict of the heads of the trials on the same rows; their rival reads pixels, words or "
        "the spectrum with another head, so that opposite verdicts may both be right. Truth: what the fitted models "
        "score on 1,000 fresh rows, or 0 with random labels. "
        "Same from its predictions: runs whose verdict and interval follow from their predictions, judged once more."
        f"\n\n{table(rows)}",
    )
