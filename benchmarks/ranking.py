"""Does the ranking of base models name the one that is best in the end? Real weights, real pictures, public commands.

`python benchmarks/ranking.py [--data FOLDER] [--weights FOLDER] [--set NAME] [--small] [--results FILE]`

`headstart bases --for DATA` ranks on training rows; then every base goes through `headstart adapt --strategy quick` and
its test accuracy is compared. Test rows decide nothing.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine
import material
import numpy as np
import timed
from scipy.stats import weightedtau
from tables import keep, percent, table

SETS = (
    "covid_xray_audit", "potato_leaf", "corn_leaf", "sign_digits", "hurricane_damage", "chest_xray_pneumonia",
)  # fmt: skip
WEIGHTS = material.ROOT.parent / "shared" / "weights"
BASES = (
    "timm/mobilenetv2_100.tfslim_in1k", "timm/mobilenetv2_100.inat_bird", "timm/mobilenetv2_100.inat_insect",
    "timm/mobilenetv2_035.keras_in1k", "timm/resnet18.tv_in1k_partial",
)  # fmt: skip
SCORES = ("probe", "logme", "hscore", "knn")
AIM = 0.01
DRAWS = 2_000


@dataclass(frozen=True)
class Final:
    """What a base came to on the test rows: accuracy with interval, which rows were right, the strategy chosen."""

    accuracy: Mapping[str, float]
    right: np.ndarray
    chosen: str


def ranked(data: Path, bases: Sequence[str], home: Path) -> list[dict[str, Any]]:
    """Rank the embedded base and `bases` with the public command."""
    command = [str(Path(sys.executable).with_name("headstart")), "bases", "--for", str(data), "--json", "--offline"]
    done = timed.run([*command, *(part for base in bases for part in ("--candidate", base))], home_of(home))
    if done.document is None:
        raise SystemExit(f"{data.name}: the ranking failed ({done.error}); set BENCH_VERBOSE=1 to see why.")
    return list(done.document["ranking"])


def home_of(home: Path) -> dict[str, str]:
    """Keep features of ranking and adapting in one cache."""
    return {"HEADSTART_HOME": str(home)}


def final(data: Path, base: str, out: Path, home: Path) -> Final:
    """Adapt one base and read what it did on the test rows."""
    done = timed.adapt(data, out, home, "--base", base, "--strategy", "quick", "--offline")
    if done.document is None:
        raise SystemExit(f"{data.name}: {base} failed ({done.error}); set BENCH_VERBOSE=1 to see why.")
    chosen = next(item for item in done.document["strategies"] if item["name"] == done.document["chosen"])
    with (out / "test_predictions.csv").open(encoding="utf-8", newline="") as handle:
        right = np.asarray([row["label"] == row["predicted"] for row in csv.DictReader(handle)], dtype=float)
    return Final(chosen["test"]["accuracy"], right, str(chosen["name"]))


def short(base: str) -> str:
    """Name a base without its folders."""
    return base.rsplit("/", 1)[-1]


def regret(best: Final, top: Final) -> tuple[float, float, float]:
    """Give how much less often `top` was right than `best`, 0-1, with the 95 % interval over paired test rows."""
    lost = best.right - top.right
    drawn = np.random.default_rng(0).integers(0, len(lost), (DRAWS, len(lost)))
    low, high = np.quantile(lost[drawn].mean(axis=1), (0.025, 0.975))
    return float(lost.mean()), float(low), float(high)


def taus(rows: Sequence[Mapping[str, Any]], finals: Mapping[str, Final]) -> dict[str, float]:
    """Give weighted Kendall's tau (-1 to 1) of every score with the final accuracy; NaN where one has only ties."""
    said = {name: [row[name]["value"] if name == "probe" else row[name] for row in rows] for name in SCORES}
    truth = [finals[row["base"]].accuracy["value"] for row in rows]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all accuracies equal
        return {name: float(weightedtau(values, truth).statistic) for name, values in said.items()}


def lines(
    name: str, rows: Sequence[Mapping[str, Any]], finals: Mapping[str, Final]
) -> tuple[list[dict[str, object]], dict[str, object]]:
    """Give one row a base for the table of all figures, and one row for the set."""
    best = max(finals, key=lambda base: finals[base].accuracy["value"])
    top, taken = rows[0]["base"], next(row["base"] for row in rows if row["taken"])
    figures = [
        {
            "set": name if place == 0 else "", "place": place + 1, "base": short(row["base"]),
            "probe on training rows": percent(row["probe"]) + (" tie" if row["tie"] else ""), "head": row["head"],
            "LogME": f"{row['logme']:.3f}", "H-score": f"{row['hscore']:.2f}", "5-NN": f"{100 * row['knn']:.1f}",
            "s": f"{row['seconds']:.0f}", "final, on test rows": percent(finals[row["base"]].accuracy),
            "chosen": finals[row["base"]].chosen,
        }
        for place, row in enumerate(rows)
    ]  # fmt: skip
    lost, low, high = regret(finals[best], finals[top])
    reached = lost <= AIM + 1e-9 or low <= 0
    summary = {
        "set": name,
        "ranked first": f"{short(top)} {percent(finals[top].accuracy)}",
        "best in the end": f"{short(best)} {percent(finals[best].accuracy)}",
        "regret": f"{100 * lost:.1f} ({100 * low:.1f}-{100 * high:.1f})",
        "within 1 point or interval": "yes" if reached else "no",
        "taken by auto": f"{short(taken)} {percent(finals[taken].accuracy)}",
    }
    return figures, summary


def measure(
    name: str, given: argparse.Namespace, folder: Path
) -> tuple[list[Any], dict[str, object], dict[str, float]]:
    """Rank on one set, adapt every base, compare."""
    data, home = given.data / name, folder / "home"
    bases = [f"file:{given.weights / part}" for part in BASES if (given.weights / part).is_dir()]
    rows = ranked(data, bases, home)
    finals = {row["base"]: final(data, row["base"], folder / name / short(row["base"]), home) for row in rows}
    figures, summary = lines(name, rows, finals)
    return figures, summary, taus(rows, finals)


LEGEND = (
    "Candidates: the embedded base and those of `--weights`, each measured on at most 1,000 training rows by "
    "`headstart bases --for`; `final` is the test accuracy (percent, 95 % interval) of `headstart adapt --base ... "
    "--strategy quick` on all training rows. `regret` is what the base ranked first loses against the best, over "
    "paired test rows; the best is picked on those rows, so that chance alone gives some regret. Weighted Kendall's "
    "tau: of each score with the final accuracy, 1 = same order, 0 = none; bases that went out after the small sample "
    "keep its scores, which puts LogME, H-score and 5-NN at a disadvantage."
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure; the section is written after every set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--set", choices=SETS, action="append", dest="sets")
    parser.add_argument("--small", action="store_true", help="the two smallest sets")
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    given = parser.parse_args(arguments)
    names = [name for name in given.sets or SETS if (given.data / name).is_dir()][: 2 if given.small else None]
    if not names or not given.weights.is_dir():
        print("The ranking is measured on real sets and real weights (--data FOLDER --weights FOLDER): none found.")
        return
    about, figures, summaries, found = machine.describe(), [], [], {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            rows, summary, found[name] = measure(name, given, Path(folder))
            figures, summaries = figures + rows, [*summaries, summary]
            each = [
                {"set": name, **{score: f"{value:.2f}" for score, value in tau.items()}} for name, tau in found.items()
            ]
            means = {score: f"{np.nanmean([tau[score] for tau in found.values()]):.2f}" for score in SCORES}
            parts = (table(summaries), table([*each, {"set": "**mean**", **means}]), table(figures))
            keep(given.results, "Which base", "\n\n".join((about, LEGEND, *parts)))


if __name__ == "__main__":
    main()
