"""News and opinions in many languages: what `adapt` chooses against TF-IDF alone, on the same rows.

`python benchmarks/text_aims.py [--data FOLDER] [--kind news|opinions] [--preset quick] [--draws 3] [--time 10m]
[--sets hau ...] [--small] [--results FILE]`

News (MasakhaNEWS): 8 labels a class, accuracy. Opinions (AfriSenti): all labels, F1 weighted by the rows of each class.
TF-IDF is the rung `classic` of the same run. The official test rows decide nothing.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine
import material
import numpy as np
from tables import keep, percent, table
from timed import adapt

from headstart.evaluation.intervals import mean_interval

FEW = 8


@dataclass(frozen=True)
class Kind:
    """A family of sets: its folder, its languages, options of every run, and what is compared."""

    folder: str
    sets: tuple[str, ...]
    options: tuple[str, ...]
    figure: str
    drawn: bool


KINDS = {
    "news": Kind(
        "masakhanews",
        ("eng", "hau", "ibo", "lug", "pcm", "som", "swa", "yor"),
        ("--labels-per-class", str(FEW)),
        "accuracy",
        True,
    ),
    "opinions": Kind("afrisenti", ("am", "ha", "ig", "ma", "pcm", "sw", "yo"), (), "weighted F1", False),
}


def weighted_f1(test: Mapping[str, Any]) -> float:
    """Give the F1 score of the classes, weighted by their rows (0 to 1)."""
    scores, weights = [], []
    for item in test["per_class"]:
        precision, recall = (float((item[name] or {"value": 0.0})["value"]) for name in ("precision", "recall"))
        scores.append(2 * precision * recall / (precision + recall) if precision + recall else 0.0)
        weights.append(item["support"])
    return float(np.average(scores, weights=weights))


FIGURES = {"accuracy": lambda test: float(test["accuracy"]["value"]), "weighted F1": weighted_f1}


def pairs(kind: Kind, name: str, given: argparse.Namespace, home: Path) -> list[dict[str, Any]]:
    """Run the command once a draw; gives figures of the chosen model and of TF-IDF (percent), and what was chosen."""
    found = []
    for seed in range(given.draws if kind.drawn else 1):
        with tempfile.TemporaryDirectory() as out:
            options = (*kind.options, "--strategy", given.preset, "--time", given.time, "--seed", str(seed))
            path = given.data / kind.folder / f"{name}.csv"
            done = adapt(path, Path(out), home, *options, "--audit", "none")
        if done.document is None:
            raise SystemExit(f"{path}: {done.error}")
        told = {item["name"]: item["test"] for item in done.document["strategies"]}
        chosen = done.document["chosen"]
        ours, rival = (100 * FIGURES[kind.figure](told[of]) for of in (chosen, "classic"))
        found.append({"ours": ours, "rival": rival, "chosen": chosen, "rows": done.document["n_rows"]})
        print(name, seed, found[-1], f"{done.seconds:.0f} s", flush=True)
    return found


def over_languages(gaps: Sequence[float]) -> str:
    """Give the mean difference over languages (points) with its 95 % interval, as text."""
    figure = mean_interval(np.asarray(gaps) / 100, None, 0, (-1.0, 1.0))
    return percent({"value": figure.value, "low": figure.low, "high": figure.high})


def measure(title: str, kind: Kind, given: argparse.Namespace) -> None:
    """Write the table of one kind, after every language, so that a run that is cut off leaves what it had."""
    about, rows, gaps = machine.describe(), [], []
    wanted = [name for name in kind.sets if not given.sets or name in given.sets]
    wanted = [name for name in wanted if (given.data / kind.folder / f"{name}.csv").is_file()]
    with tempfile.TemporaryDirectory() as home:
        for name in wanted[: 1 if given.small else None]:
            found = pairs(kind, name, given, Path(home))
            ours, rival = (float(np.mean([item[side] for item in found])) for side in ("ours", "rival"))
            gaps.append(ours - rival)
            rows.append({
                "language": name,
                "labelled / test": f"{found[0]['rows']['train']} / {found[0]['rows']['test']}",
                "draws": len(found),
                f"chosen: {kind.figure}": f"{ours:.1f}",
                "TF-IDF": f"{rival:.1f}",
                "difference": f"{ours - rival:+.1f}",
                "chosen": ", ".join(sorted({item["chosen"] for item in found})),
            })  # fmt: skip
            mean_row = {"language": "mean", "difference": over_languages(gaps) if len(gaps) > 1 else ""}
            said = (
                f"`adapt --strategy {given.preset} --time {given.time}` {' '.join(kind.options)}, default base, "
                f"official test rows; {kind.figure} in percent, differences in points, the mean with its 95 % "
                "interval over languages. TF-IDF: the rung `classic` of the same run."
            )
            keep(given.results, title, f"{about}\n\n{said}\n\n{table([*rows, mean_row])}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--kind", choices=KINDS, action="append")
    parser.add_argument("--preset", default="quick", help="what --strategy is given")
    parser.add_argument("--draws", type=int, default=3, help="of few labels")
    parser.add_argument("--time", default="10m", help="time limit of each run")
    parser.add_argument("--sets", nargs="*", help="languages, such as hau yor")
    parser.add_argument("--small", action="store_true", help="one language of each kind")
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    given = parser.parse_args(arguments)
    for kind in given.kind or KINDS:
        measure(f"Texts against TF-IDF: {kind}, {given.preset}", KINDS[kind], given)


if __name__ == "__main__":
    main()
