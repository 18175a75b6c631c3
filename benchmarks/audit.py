"""Is a planted shortcut reported, and does mitigation help the worst group? And what of real groups?

`python benchmarks/audit.py [--data FOLDER] [--small] [--results FILE]`
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine
import material
import numpy as np
from PIL import Image, ImageDraw
from tables import keep, percent, table
from timed import adapt

SHARE, MOST_TRAIN, MOST_TEST, WIDE = 0.95, 400, 200, 12
COLOURS = {"red": (200, 40, 40), "blue": (40, 60, 200)}


@dataclass(frozen=True)
class Planted:
    """A set to plant a shortcut in: which of its classes become which of two labels."""

    source: str
    label_of: Callable[[str], str | None]


PLANTED = {
    "sign_digits, 0-4 or 5-9": Planted("sign_digits", lambda name: "low" if int(name[-1]) < 5 else "high"),
    "corn_leaf, two diseases": Planted(
        "corn_leaf", lambda name: name if name in ("blight", "gray_leaf_spot") else None
    ),
}
REAL: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("corn_leaf", ("domain",)),
    ("hurricane_damage", ("region",)),
    ("chest_xray_pneumonia", ("patient",)),
    ("covid_xray_audit", ("view", "sex", "age_group")),
    ("gunpoint_groups", ("sex",)),
    ("disaster_messages", ("genre",)),
)
TEXT_ROWS, TIME = 1_000, "5m"


def plant(found: Planted, data: Path, folder: Path, share: float, seed: int = 0) -> None:
    """Copy images with a border: in training its colour goes with the label in `share` of the rows, in test in half."""
    rng, rows = np.random.default_rng(seed), []
    with (data / found.source / "metadata.csv").open(encoding="utf-8", newline="") as opened:
        listed = list(csv.DictReader(opened))
    labels = sorted({found.label_of(row["label"]) or "" for row in listed} - {""})
    for split, most, agree in (("train", MOST_TRAIN, share), ("test", MOST_TEST, 0.5)):
        mine = [row for row in listed if row["split"] == split and found.label_of(row["label"])]
        for number in np.sort(rng.permutation(len(mine))[:most]):
            row, label = mine[number], str(found.label_of(mine[number]["label"]))
            first = (labels.index(label) == 0) == (rng.random() < agree)
            colour = "red" if first else "blue"
            target = folder / split / label / f"{number:05d}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            with Image.open(data / found.source / row["file"]) as picture:
                small = picture.convert("RGB").resize((160, 160))
            ImageDraw.Draw(small).rectangle((0, 0, 159, 159), outline=COLOURS[colour], width=WIDE)
            small.save(target)
            rows.append({"file": str(target.relative_to(folder)), "label": label, "split": split, "border": colour})
    with (folder / "metadata.csv").open("w", encoding="utf-8", newline="") as written:
        writer = csv.DictWriter(written, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _gap(document: Mapping[str, Any], column: str) -> str:
    found = next((item for item in document["groups"] if item["column"] == column), None)
    if found is None or found["gap"] is None:
        return "cannot tell"
    return f"{percent(found['gap'])}, p = {found['p_value']:.4f}"


def _class_gap(document: Mapping[str, Any], column: str) -> str:
    found = next((item["class_gap"] for item in document["groups"] if item["column"] == column), None)
    return f"{found['label']}: {percent(found['gap'])}, p = {found['p_value']:.4f}" if found else "cannot tell"


def _read_off(document: Mapping[str, Any], name: str) -> str:
    found = next((item for item in document["inherited"]["readable"] if item["name"] == name), None)
    if found is None:
        return "cannot tell"
    return " / ".join(percent(found[place]) for place in ("frozen", "answers", "without_base"))


WAYS: dict[str, tuple[str, ...]] = {
    "group-balance": ("--group", "border", "--mitigate", "group-balance"),
    "none": ("--group", "border"),
    "none, border not named": ("--audit", "quick"),
    "reweight": ("--group", "border", "--mitigate", "reweight"),
}


def planted_rows(given: argparse.Namespace) -> Iterator[list[dict[str, object]]]:
    """Plant a border, and for control one that says nothing, and run the public command in several ways."""
    rows: list[dict[str, object]] = []
    for name, found in list(PLANTED.items())[: 1 if given.small else None]:
        if not (given.data / found.source).is_dir():
            continue
        for share, ways in ((SHARE, WAYS), (0.5, ("none",))):
            with tempfile.TemporaryDirectory() as folder:
                place = Path(folder)
                plant(found, given.data, place / "data", share)
                for at, way in enumerate(ways):
                    options = ("--strategy", "quick", "--offline", "--time", TIME, *WAYS[way])
                    done = adapt(place / "data", place / str(at), place / "home", *options)
                    about = {"set": name, "border goes with label": f"{100 * share:.0f} %", "mitigation": way}
                    rows.append({**about, **(_planted(done.document) if done.document else {"chosen": done.error})})
                    yield rows


def _planted(document: Mapping[str, Any]) -> dict[str, object]:
    chosen = next(item for item in document["strategies"] if item["name"] == document["chosen"])
    flips = {item["name"]: percent(item["flips"]) for item in document["inherited"]["counterfactuals"]}
    mended = document["mitigation"]
    test = mended and mended["test"]
    return {
        "chosen": document["chosen"],
        "accuracy": percent(chosen["test"]["accuracy"]),
        "worst group before -> after": _change(test, "worst") if test else "",
        "all rows before -> after": _change(test, "mean") if test else "",
        "kept": "" if mended is None else "yes" if mended["kept"] else "no",
        "a class found more often with one border": _class_gap(document, "border"),
        "border read off frozen / answers / no base": _read_off(document, "border"),
        "slices": len(document["slices"]["found"]),
        "flips when the border is cropped / when turned": f"{flips.get('border-cropped', '-')} / "
        f"{flips.get('rotated', '-')}",
    }


def _change(figures: Mapping[str, Any], what: str) -> str:
    return f"{percent(figures[f'{what}_before'])} -> {percent(figures[f'{what}_after'])}"


def _source(name: str, data: Path, folder: Path) -> Path:
    """Give the data; of the large table of texts a sample, drawn by seed."""
    if name != "disaster_messages":
        return data / name
    rows = material.read_csv(data / name / f"{name}.csv")
    drawn = np.sort(np.random.default_rng(0).permutation(len(rows))[:TEXT_ROWS])
    path = folder / "messages.csv"
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, ["text", "label", "split", "genre"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows[at] for at in drawn)
    return path


def real_rows(given: argparse.Namespace) -> Iterator[list[dict[str, object]]]:
    """Run the public command with the group columns of real sets."""
    rows: list[dict[str, object]] = []
    for name, columns in REAL[: 1 if given.small else None]:
        if not (given.data / name).is_dir():
            continue
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            groups = [part for column in columns for part in ("--group", column)]
            balanced = ("--mitigate", "reweight" if columns == ("patient",) else "group-balance")
            source = _source(name, given.data, place)
            done = adapt(source, place / "out", place / "home", "--strategy", "quick", "--offline", "--time", TIME,
                         "--max-memory", "2gb", *groups, *balanced)  # fmt: skip
            rows += _real(name, columns, done.document, done.error)
            yield rows


def _real(name: str, columns: Sequence[str], document: Mapping[str, Any] | None, error: str) -> list[dict[str, object]]:
    if document is None:
        return [{"set": name, "group": error}]
    origin = {item["column"]: item for item in document["inherited"]["gaps"]}
    flips = [item for item in document["inherited"]["counterfactuals"] if item["flips"]]
    most = max(flips, key=lambda item: item["flips"]["value"], default=None)
    mended = document["mitigation"]["test"]
    whole = {
        "worst group before -> after": _change(mended, "worst") if mended else "cannot tell",
        "mean before -> after": f"{percent(mended['mean_before'])} -> {percent(mended['mean_after'])}"
        if mended
        else "-",
        "kept": "yes" if document["mitigation"]["kept"] else "no",
        "slices": len(document["slices"]["found"]),
        "most flips": f"{most['name']} {percent(most['flips'])}" if most else "-",
        "audit s": f"{document['seconds']['audit']:.1f}",
    }
    rows: list[dict[str, object]] = []
    for column in columns:
        found = origin.get(column)
        rows.append({
            "set": name if not rows else "", "group": column, "gap of the chosen model": _gap(document, column),
            "a class found more often in one group": _class_gap(document, column),
            "frozen gap - gap without base": percent(found["brought"]) if found else "cannot tell",
            "read off frozen / answers / no base": _read_off(document, column),
            **(whole if not rows else {}),
        })  # fmt: skip
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--small", action="store_true", help="one set of each kind")
    parser.add_argument("--only", choices=("planted", "real"))
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    given = parser.parse_args(arguments)
    if not given.data.is_dir():
        print(f"No data folder {given.data}: nothing to run on (--data FOLDER).")
        return
    parts = {
        "planted": (planted_rows, "Audit: planted shortcut",
                    "A red or blue border around real images; in training its colour goes with the label as said, in "
                    "test in half of the rows. Test figures in percent with 95 % intervals, `--strategy quick`; worst "
                    "group = the worst pair of label and colour. Kept by out-of-fold training rows only."),
        "real": (real_rows, "Audit: real groups",
                 "`--strategy quick --mitigate group-balance` (chest_xray_pneumonia: reweight, as patients only keep "
                 "rows together), official splits; of disaster_messages 1,000 rows drawn by seed. Gaps and shares in "
                 "percent with 95 % intervals; read off = balanced accuracy of a probe for the group on test rows."),
    }  # fmt: skip
    for name, (measure, title, legend) in parts.items():
        if given.only in (None, name):
            about = machine.describe()
            for rows in measure(given):  # After every run, so that one that is cut off leaves what it had.
                keep(given.results, title, f"{about}\n\n{legend}\n\n{table(rows)}")


if __name__ == "__main__":
    main()
