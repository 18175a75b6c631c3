"""Run the public command on many real sets and write down what it said, whatever it said.

`python benchmarks/sets.py [--data FOLDER] [--kind image|text|series] [--time 10m] [--small] [--results FILE]`
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import machine
import material
from tables import keep, percent, table
from timed import adapt

SETS: dict[str, tuple[str, ...]] = {
    "image": ("potato_leaf", "sign_digits", "hurricane_damage", "corn_leaf", "chest_xray_pneumonia"),
    "text": (
        "masakhanews/eng.csv", "masakhanews/swa.csv", "masakhanews/yor.csv", "afrisenti/am.csv", "afrisenti/ma.csv",
        "arsarcasm/arsarcasm.csv", "afrisenti/pcm.csv",
    ),
    "series": (
        "ucr/ECG200.parquet", "ucr/GunPoint.parquet", "ucr/ItalyPowerDemand.parquet", "ucr/Coffee.parquet",
        "ucr/Beef.parquet", "ucr/Strawberry.parquet", "ucr/Trace.parquet", "ucr/Plane.parquet", "ucr/CBF.parquet",
        "ucr/MedicalImages.parquet", "ucr/DodgerLoopWeekend.parquet", "ucr/PickupGestureWiimoteZ.parquet",
        "basic_motions/data.npz", "epilepsy_motion/data.npz", "japanese_vowels/data.npz",
    ),
}  # fmt: skip


def lines(path: Path, time: str, folder: Path) -> list[dict[str, object]]:
    """Give one row a strategy; the first also says what was chosen and the verdict."""
    label = f"{path.parent.name}/{path.stem}" if path.is_file() else path.name
    done = adapt(path, folder / "out" / label, folder / "home", "--time", time)
    if done.document is None:
        return [{"set": label, "strategy": "failed", "verdict": done.error, "wall s": f"{done.seconds:.0f}"}]
    found, verdict = done.document, done.document["verdict"]
    rows = found["n_rows"]
    sides = f"{verdict['strategy']} - {verdict['against']}"
    first = {
        "set": label,
        "train / test": f"{rows['train']} / {rows['test']}",
        "verdict": f"{verdict['transfer']}: {sides} {percent(verdict['difference'])}",
        "wall s": f"{done.seconds:.0f}",
    }
    return [
        {
            "set": "",
            **(first if number == 0 else {}),
            "strategy": f"**{item['name']}**" if item["name"] == found["chosen"] else item["name"],
            "accuracy": percent(item["test"]["accuracy"]),
            "macro-F1": percent(item["test"]["macro_f1"]),
            "s": f"{item['seconds']:.1f}",
        }
        for number, item in enumerate(found["strategies"])
    ]


def measure(kind: str, names: Sequence[str], given: argparse.Namespace) -> None:
    """Write the table of one modality, after every set, so that a run that is cut off leaves what it had."""
    about, rows = machine.describe(), []
    order = ("set", "train / test", "strategy", "accuracy", "macro-F1", "s", "verdict", "wall s")
    for name in [name for name in names if (given.data / name).exists()][: 1 if given.small else None]:
        with tempfile.TemporaryDirectory() as folder:
            rows += lines(given.data / name, given.time, Path(folder))
        legend = (
            "Official splits, default options, test figures in percent with 95 % intervals; bold = chosen by "
            "cross-validation; `s` = seconds of the strategy, `wall s` = the whole command with a cold cache."
        )
        ordered = [{column: row.get(column, "") for column in order} for row in rows]
        keep(given.results, f"Real sets: {kind}", f"{about}\n\n{legend}\n\n{table(ordered)}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--kind", choices=SETS, action="append")
    parser.add_argument("--time", default="10m", help="time limit of each run")
    parser.add_argument("--small", action="store_true", help="one set of each kind")
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    given = parser.parse_args(arguments)
    if not given.data.is_dir():
        print(f"No data folder {given.data}: nothing to run on (--data FOLDER).")
        return
    for kind in given.kind or SETS:
        measure(kind, SETS[kind], given)


if __name__ == "__main__":
    main()
