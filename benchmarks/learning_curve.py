"""Is the learning curve's forecast to be believed? The last doubling of labels is hidden, forecast and then measured.

`python benchmarks/learning_curve.py [--data FOLDER] [--small] [--results FILE]`
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import machine
import material
import numpy as np
from learnt import Learnt, read
from tables import keep, table

from headstart.evaluation.learning_curve import fit_learning_curve
from headstart.flow.adaptation.learning_curve_points import (
    CurveData,
    HeldOutRows,
    measure_points,
    order_nested,
)
from headstart.strategies.linear.ridge_loo import fit_ridge_loo, reduce_to_axes
from headstart.strategies.point_scoring import SCORINGS
from headstart.strategies.record import Clock

SETS = {
    "image": ("corn_leaf", "hurricane_damage", "sign_digits", "chest_xray_pneumonia", "potato_leaf"),
    "text": ("masakhanews/eng.csv", "masakhanews/swa.csv", "masakhanews/yor.csv"),
    "series": tuple(
        f"ucr/{name}.parquet" for name in ("Crop", "MedicalImages", "Strawberry", "SwedishLeaf", "ECG5000")
    ),
}
DRAWS, SHARES = 4, (1, 2, 4, 8, 16)
"""Draws of the rows at hand; parts of the training rows that the forecast is for (all, a half, a quarter ...)."""
LEAST_ROWS, LEAST_A_CLASS = 32, 4


def trials(found: Learnt) -> list[dict[str, float]]:
    """Hide half of several parts of the training rows; give the forecast gain, its interval, and the true gain."""
    n, n_classes = found.n_train, len(found.classes)
    targets, made = np.eye(n_classes)[found.codes], []
    for part in SHARES:
        size = n // part
        if size // 2 < max(LEAST_ROWS, LEAST_A_CLASS * n_classes):
            break
        for draw in range(DRAWS):
            order = order_nested(found.codes[:n], found.clusters[:n], np.random.default_rng(100 * part + draw))
            some, every = order[: size // 2], order[:size]
            axes = reduce_to_axes(found.values, 0, some)
            held = (HeldOutRows(some, np.arange(n, len(found.codes))),)
            points = measure_points(
                CurveData(
                    features=axes,
                    targets=targets,
                    strata=found.codes,
                    clusters=found.clusters,
                    held_out=held,
                    scoring=SCORINGS["classification"],
                ),
                Clock(600.0),
                draw,
            )
            forecast = fit_learning_curve(points, [size], draw).forecasts
            wide = reduce_to_axes(found.values, 0, every)
            said = fit_ridge_loo(wide[every], targets[every]).predict(wide[n:]).argmax(axis=1)
            true = float(points[-1].mean_losses[0]) - float(np.mean(said != found.codes[n:]))
            gain = forecast[0].gain if forecast else None
            made.append(
                {
                    "labels": size // 2,
                    "true": true,
                    "value": gain.value if gain else np.nan,
                    "low": gain.low if gain else np.nan,
                    "high": gain.high if gain else np.nan,
                }
            )
    return made


def row(name: str, made: Sequence[dict[str, float]]) -> dict[str, object]:
    """Sum up trials: how far off the forecast was, how often its interval held the truth, how wide it was."""
    told = [item for item in made if np.isfinite(item["value"])]
    if not told:
        return {"set": name, "trials": len(made)}
    inside = [item["low"] <= item["true"] <= item["high"] for item in told]
    return {
        "set": name,
        "trials": len(made),
        "not forecast": len(made) - len(told),
        "true gain": f"{100 * np.median([item['true'] for item in told]):.1f}",
        "median absolute error": f"{100 * np.median([abs(item['value'] - item['true']) for item in told]):.1f}",
        "error of saying 0": f"{100 * np.median([abs(item['true']) for item in told]):.1f}",
        "interval holds it": f"{100 * np.mean(inside):.0f} %",
        "interval width": f"{100 * np.mean([item['high'] - item['low'] for item in told]):.1f}",
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--small", action="store_true", help="one set of each kind")
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    given = parser.parse_args(arguments)
    about, rows, every = machine.describe(), [], []
    for kind, names in SETS.items():
        for name in [name for name in names if (given.data / name).exists()][: 1 if given.small else None]:
            made = trials(read(given.data / name, kind))
            every += made
            rows.append(row(name, made))
            print(rows[-1], flush=True)
    for low, high in ((0, 50), (50, 150), (150, 500), (500, 10**6)):
        part = [item for item in every if low <= item["labels"] < high]
        if part:
            rows.append(
                row(f"all sets, {low} to {high} labels" if high < 10**6 else f"all sets, from {low} labels", part)
            )
    rows.append(row("**all**", every))
    legend = (
        "Accuracy gain from twice the labels, in points: forecast from one half of the rows, then measured on the "
        f"official test rows. All training rows, a half, a quarter ... of them, {DRAWS} draws each."
    )
    if every:
        keep(given.results, "Learning curve: the last doubling hidden", f"{about}\n\n{legend}\n\n{table(rows)}")


if __name__ == "__main__":
    main()
