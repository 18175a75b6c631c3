"""Do exported forms say the same, and what do they weigh? Every target on one real set of each kind.

On a quiet core: `OMP_NUM_THREADS=1 taskset -c 0 python benchmarks/export.py [--only ECG200,sign_digits,eng]`
(`--data FOLDER`, `--results FILE`).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import machine
import material
from tables import keep, table

from headstart import flow
from headstart.bundle.onnx.targets import TARGETS
from headstart.options import AdaptOptions, ExportOptions, parse

SETS = {"ECG200": "ucr/ECG200.parquet", "sign_digits": "sign_digits", "eng": "masakhanews/eng.csv"}


def measured(name: str, data: Path, folder: Path) -> Iterator[dict[str, object]]:
    """Adapt to a set with the quick strategies and write every target that needs no page."""
    result = flow.adapt(data, folder / name, parse(AdaptOptions, strategy="quick", offline=True))
    for target in TARGETS.values():
        if getattr(target, "page", False):
            continue
        document = flow.export(folder / name, folder / f"{name}-{target.name}", parse(ExportOptions, to=target.name))
        first = document["tried"][0]
        for form in document["tried"][1:]:
            yield {"set": name, "model": result.chosen, "target": target.name, **shown(form, first, document)}


def shown(form: dict[str, Any], first: dict[str, Any], document: dict[str, Any]) -> dict[str, object]:
    """Give one row of the table."""
    if "failed" in form:
        return {"form": form["form"], "written": f"no: {form['failed'][:60]}"}
    lost = {
        name: found["share"] - form["by_class"][name]["share"]
        for name, found in first["by_class"].items() if found["n_rows"]
    }  # fmt: skip
    worst = max(lost, key=lambda name: lost[name], default="")
    return {
        "form": form["form"],
        "rows": document["n_rows"],
        "same labels": f"{100 * form['same_labels']:.1f} %",
        "largest difference": f"{form['max_difference']:.1e}",
        "worst class loses": f"{100 * lost[worst]:.1f} points ({worst})" if worst else "-",
        "MB": f"{form['size_bytes'] / 1e6:.1f} ({first['size_bytes'] / 1e6:.1f})",
        "ms a row": f"{form['ms_a_row']:.1f} ({form['ms_a_row'] * form['times_as_fast']:.1f})",
        "written": "yes" if document.get("method") == form["form"] else "no",
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--only", default=",".join(SETS))
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    given = parser.parse_args(arguments)
    about, rows = machine.describe(), list[dict[str, object]]()
    with tempfile.TemporaryDirectory() as folder:
        for name in given.only.split(","):
            if (given.data / SETS[name]).exists():
                for row in measured(name, given.data / SETS[name], Path(folder)):
                    rows.append(row)
                    print(row, flush=True)
    if not rows:
        print(f"No data in {given.data}: nothing to run on (--data FOLDER).")
        return
    legend = (
        "Test rows of each set; `quick` strategies, the chosen one. In brackets: model.onnx. int8 is written where no "
        "class loses more than a point and it is 3 times smaller, or 1.1 times as fast and at least 1.2 times smaller."
    )
    keep(given.results, "Exports", "\n\n".join([about, legend, table(rows)]))


if __name__ == "__main__":
    main()
