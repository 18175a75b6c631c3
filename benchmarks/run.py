"""Measure Headstart against the limit of this machine and against other tools, side by side in one run.

`python benchmarks/run.py [--data FOLDER] [--part limit|peers] [--small] [--results FILE]`
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import machine
import material
from tables import keep, table
from timed import Measured, adapt, script

FAST = "quick"
RUNS: dict[str, tuple[str, ...]] = {"all strategies": (), "without scratch": ("--strategy", FAST)}
STATES = {"all strategies": ("cold",), "without scratch": ("cold", "base known", "warm")}
"""Cold: nothing kept; base known: the base was used here before, the rows are new; warm: the same rows again."""
AIMS = {500: 3.0, 2000: 1.5}
MOST_ROWS_WITH_SCRATCH = 500
"""The run with `scratch` takes its share of --time whatever the rows: one size shows that."""
PEERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "image": ("fastai", ("covid_xray_audit", "potato_leaf", "corn_leaf")),
    "text": ("sentence-transformers", ("masakhanews/eng.csv", "masakhanews/swa.csv", "arsarcasm/arsarcasm.csv")),
    "series": (
        "aeon",
        ("ucr/ECG200.parquet", "ucr/ItalyPowerDemand.parquet", "ucr/Strawberry.parquet", "basic_motions/data.npz"),
    ),
}


def against_limit(kind: str, data: Path, n_rows: int, folder: Path) -> list[dict[str, object]]:
    """Measure cold and warm runs on `n_rows` rows, with the limit measured directly before and after."""
    rows = folder / (f"{kind}-{n_rows}" + (".csv" if kind == "text" else ""))
    source = {"image": material.image_folder, "text": material.text_table}[kind](data, n_rows, rows)
    print(f"{kind}: {source}", flush=True)
    before = script("limit.py", kind, str(rows))
    found = []
    for name, options in RUNS.items():
        if name == "all strategies" and n_rows > MOST_ROWS_WITH_SCRATCH:
            continue
        home = folder / f"home-{kind}-{n_rows}-{name.split()[0]}"
        for state in STATES[name]:
            if state == "base known":
                forget_features(home)
            done = adapt(rows, folder / f"out-{home.name}-{state}", home, *options)
            found.append({"rows": f"{n_rows} ({kind})", "run": name, "cache": state, **_timing(done)})
    after = script("limit.py", kind, str(rows))
    limits = [item.document for item in (before, after) if item.document]
    if not limits:
        return [{**row, "limit s": "failed"} for row in found]
    fastest = min(limits, key=lambda item: item["limit_seconds"])
    return [{**row, **_ratio(row, fastest, n_rows)} for row in found]


def forget_features(home: Path) -> None:
    """Empty the feature cache and keep what is known of base models."""
    command = [sys.executable, "-m", "headstart.cli.main", "cache", "--prune", "--older-than", "0", "-q"]
    subprocess.run(command, check=True, env={**os.environ, "HEADSTART_HOME": str(home)}, stderr=subprocess.DEVNULL)


def _timing(done: Measured) -> dict[str, object]:
    if done.document is None:
        return {"wall s": f"{done.seconds:.1f}", "parts s": done.error}
    parts = ", ".join(f"{name} {value:.1f}" for name, value in done.document["seconds"].items())
    return {
        "wall s": f"{done.seconds:.1f}",
        "peak GiB": f"{done.peak_gib:.2f}",
        "parts s": parts,
        "runtime": done.document["base"]["runtime"],
    }


def _ratio(row: dict[str, object], limit: dict[str, float], n_rows: int) -> dict[str, object]:
    seconds = limit["limit_seconds"]
    told = f"{seconds:.2f} = decode {limit['decode_seconds']:.2f} + {limit['fastest']} {limit['forward_seconds']:.2f}"
    ratio = float(str(row["wall s"])) / seconds
    cold = f"<= {AIMS[n_rows]:.1f} x" if n_rows in AIMS else ""
    aim = "< 5 s + head" if row["cache"] == "warm" else cold
    return {"limit s": told, "wall / limit": f"{ratio:.1f} x", "aim": aim}


def _row(done: Measured, accuracy: float, macro_f1: float, note: str) -> dict[str, object]:
    figures = {"accuracy": f"{100 * accuracy:.1f}", "macro-F1": f"{100 * macro_f1:.1f}"}
    return {**figures, "wall s": f"{done.seconds:.1f}", "peak GiB": f"{done.peak_gib:.2f}", "note": note}


def _ours(done: Measured) -> dict[str, object]:
    if done.document is None:
        return {"wall s": f"{done.seconds:.1f}", "note": done.error}
    chosen = next(item for item in done.document["strategies"] if item["name"] == done.document["chosen"])
    test = chosen["test"]
    return _row(done, test["accuracy"]["value"], test["macro_f1"]["value"], f"chose {chosen['name']}")


def _theirs(done: Measured, note: str) -> dict[str, object]:
    if done.document is None:
        return {"wall s": f"{done.seconds:.1f}", "note": done.error}
    return _row(done, done.document["accuracy"], done.document["macro_f1"], note)


def against_peer(kind: str, path: Path, epochs: int, folder: Path) -> list[dict[str, object]]:
    """Measure Headstart and the peer on one set with its official split."""
    name = f"{path.parent.name}/{path.stem}" if path.is_file() else path.name
    peer = PEERS[kind][0]
    run = "without scratch"
    own = adapt(path, folder / name / "out", folder / name / "home", *RUNS[run])
    found = [{"set": name, "tool": f"headstart, {run}", **_ours(own)}]
    done = script("peers.py", peer, str(path), str(epochs))
    return [*found, {"set": name, "tool": peer, **_theirs(done, f"{epochs} epochs" if kind == "image" else "")}]


LIMIT_LEGEND = (
    "`wall` is the whole process `headstart adapt`, start and imports included; cold = empty HEADSTART_HOME (the "
    "base is converted and the runtimes compared), base known = only the features are computed. `limit` is decoding "
    "plus one forward pass of the fastest correct runtime over the same rows at steady state (the better of two "
    "measurements, before and after)."
)


def limits(data: Path, small: bool, results: Path) -> None:
    """Write the table of times over the limit."""
    plan = (("image", 40), ("text", 60)) if small else (("image", 500), ("image", 2000), ("text", 2000))
    about = machine.describe()
    with tempfile.TemporaryDirectory() as folder:
        rows: list[dict[str, object]] = []
        for kind, n_rows in plan:
            rows += against_limit(kind, data, n_rows, Path(folder))
            keep(results, "Time over the limit", f"{about}\n\n{LIMIT_LEGEND}\n\n{table(rows)}")


PEERS_LEGEND = (
    "Official splits, the same pre-trained weights, cold caches, one process each, imports included. Accuracy and "
    "macro-F1 in percent on the test rows, which decide nothing. The quickest sets of each kind come first."
)


def peers(data: Path, small: bool, results: Path) -> None:
    """Write the table of accuracy and time beside other tools."""
    if not data.is_dir():
        print(f"No data folder {data}: the comparison with other tools needs real sets (--data FOLDER).")
        return
    about = machine.describe()
    with tempfile.TemporaryDirectory() as folder:
        for kind, (_, names) in reversed(PEERS.items()):
            rows: list[dict[str, object]] = []
            for name in [name for name in names if (data / name).exists()][: 1 if small else None]:
                rows += against_peer(kind, data / name, 1 if small else 10, Path(folder))
                keep(results, f"Other tools: {kind}", f"{about}\n\n{PEERS_LEGEND}\n\n{table(rows)}")


PARTS = {"limit": limits, "peers": peers}


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--small", action="store_true", help="a quick try, not a measurement")
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "RESULTS.md")
    given = parser.parse_args(arguments)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    for part in given.part or PARTS:
        PARTS[part](given.data, given.small, given.results)


if __name__ == "__main__":
    main()
