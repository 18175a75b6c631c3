"""Check a built wheel as a user gets it: `python tools/check_wheel.py dist/NAME.whl FOLDER`.

Two fresh environments are made below FOLDER, away from this checkout: the light one predicts with the stored bundles,
the one with the extra `adapt` runs the demo. Prints what was checked; ends with 1 and the reason otherwise.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
DATA = ROOT / "tests" / "data"
HEAVY = frozenset(
    {"torch", "timm", "transformers", "scikit-learn", "scipy", "pandas", "onnx", "aeon", "numba", "fastapi"}
)
"""Packages that a light install must not bring."""
TOLERANCE = 2e-3
"""Largest difference of a probability from the stored one."""
BUNDLES = (2, 3)
"""Formats with a portable form; format 1 needs torch."""


class CheckFailed(Exception):
    """What a user would have met."""


def run(*command: str | Path, folder: Path) -> str:
    """Run a command away from the checkout and return what it prints on stdout."""
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment = {**plain, "HEADSTART_HOME": str(folder / "home")}
    done = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        raise CheckFailed(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    return done.stdout


def make_environment(folder: Path, requirement: str) -> Path:
    """Return the folder of commands of a fresh environment in which a requirement is installed."""
    venv.create(folder / "env", with_pip=True, clear=True)
    commands = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
    constraints = ("-c", ROOT / "constraints.txt") if "[" in requirement else ()
    run(
        commands / "python",
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        requirement,
        *constraints,
        folder=folder,
    )
    return commands


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file by the names of their columns."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def compare_answers(path: Path, expected: Path) -> int:
    """Compare predictions with stored ones and return the number of rows.

    Raises
    ------
    CheckFailed
        A label differs, or a probability by more than `TOLERANCE`.
    """
    rows, stored = read_rows(path), read_rows(expected)
    if len(rows) != len(stored):
        raise CheckFailed(f"{path} has {len(rows)} rows, {expected.name} {len(stored)}")
    for number, (row, old) in enumerate(zip(rows, stored, strict=True), start=1):
        for name, value in old.items():
            if name == "probability" and abs(float(row[name]) - float(value)) > TOLERANCE:
                raise CheckFailed(f"row {number}: {name} is {row[name]}, stored is {value}")
        if row["label"] != old["label"]:
            raise CheckFailed(f"row {number}: the label is {row['label']}, stored is {old['label']}")
    return len(rows)


def check_light_install(wheel: Path, folder: Path) -> None:
    """Install the wheel alone and predict with the stored bundles, with Headstart and with their own script."""
    commands = make_environment(folder, str(wheel))
    lines = run(commands / "python", "-m", "pip", "list", "--format", "freeze", folder=folder).splitlines()
    heavy = HEAVY & {line.partition("==")[0].lower() for line in lines}
    if heavy:
        raise CheckFailed(f"the light install brings {', '.join(sorted(heavy))}")
    run(commands / "headstart", "--help", folder=folder)
    for number in BUNDLES:
        bundle = shutil.copytree(DATA / f"bundle-format-{number}", folder / f"bundle-{number}", dirs_exist_ok=True)
        expected = DATA / f"bundle-format-{number}-answers.csv"
        out = folder / f"answers-{number}.csv"
        inputs = DATA / "bundle-rows.csv"
        run(
            commands / "headstart",
            "predict",
            bundle,
            inputs,
            "-o",
            out,
            "--layout",
            "machine",
            "--offline",
            folder=folder,
        )
        print(f"light install: {compare_answers(out, expected)} rows of a bundle of format {number} as stored")
        out.write_text(run(commands / "python", bundle / "predict.py", inputs, folder=folder), encoding="utf-8")
        print(f"light install: {compare_answers(out, expected)} rows of its predict.py as stored")


def check_demo(wheel: Path, folder: Path) -> None:
    """Install the wheel with the extra `adapt` and run the demo."""
    commands = make_environment(folder, f"{wheel}[adapt]")
    run(commands / "headstart", "demo", "-o", folder / "demo", "--time", "1m", folder=folder)
    for modality in ("image", "text", "series"):
        for name in ("report.html", "result.json", "bundle/manifest.json"):
            if not (folder / "demo" / modality / name).is_file():
                raise CheckFailed(f"the demo made no {modality}/{name}")
    print("full install: the demo made three reports and bundles")


def main() -> int:
    """Run the checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--light", action="store_true", help="only the light install")
    arguments = parser.parse_args()
    try:
        for name, check in (("light", check_light_install), ("full", check_demo)):
            if name == "full" and arguments.light:
                continue
            folder = arguments.folder.absolute() / name
            folder.mkdir(parents=True, exist_ok=True)
            check(arguments.wheel.absolute(), folder)
    except CheckFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
