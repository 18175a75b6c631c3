"""Do the checks find what is wrong with data? Planted copies, near copies, flipped labels and a shortcut, on real sets.

`python benchmarks/checks.py [--data FOLDER] [--rows N] [--small] [--results FILE]`
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import machine
import material
import numpy as np
from PIL import Image, ImageEnhance, ImageOps
from tables import keep, table

from headstart import bases, data, features
from headstart.checks import confident_learning
from headstart.checks.shortcuts import check_properties
from headstart.data.duplicates import near_duplicates
from headstart.flow.base_choice.choose import state_need
from headstart.options import AdaptOptions
from headstart.records import Table, make_column
from headstart.strategies import STRATEGIES
from headstart.strategies.record import Clock, StrategyRows, Task

SETS = {
    "corn_leaf": "image", "sign_digits": "image", "masakhanews/eng.csv": "text", "ucr/ECG5000.parquet": "series",
}  # fmt: skip
ONLY_ALARMS = ("chest_xray_pneumonia", "hurricane_damage", "masakhanews/hau.csv", "ucr/Wafer.parquet")
PLANTED, FLIPPED, TOP, FOLLOWS = 60, 0.10, 0.15, 0.95


def _compressed(picture: Image.Image, to: Path) -> None:
    picture.save(to, "JPEG", quality=45)


def _resized(picture: Image.Image, to: Path) -> None:
    picture.resize((picture.width * 6 // 10, picture.height * 6 // 10)).save(to, "JPEG", quality=90)


def _brighter(picture: Image.Image, to: Path) -> None:
    ImageEnhance.Brightness(picture).enhance(1.2).save(to, "JPEG", quality=90)


def _cropped(picture: Image.Image, to: Path) -> None:
    width, height = picture.size
    picture.crop((width // 33, height // 33, width - width // 33, height - height // 33)).save(to, "JPEG", quality=90)


def _fewer_words(text: str, rng: np.random.Generator) -> str:
    words = text.split()
    left = rng.permutation(len(words))[: max(1, len(words) // 20)]
    return " ".join(word for at, word in enumerate(words) if at not in left)


Edit = Callable[[object, np.random.Generator, Path], object]


def _of_file(change: Callable[[Image.Image, Path], None]) -> Edit:
    def made(source: object, rng: np.random.Generator, to: Path) -> object:
        with Image.open(Path(str(source))) as picture:
            change(picture.convert("RGB"), to)
        return to

    return made


def _rescaled(noise: float) -> Edit:
    def made(source: object, rng: np.random.Generator, to: Path) -> object:
        values = np.asarray(source)
        spread = float(np.nanstd(values))
        changed = 1.7 * values + 3.0 + noise * spread * rng.normal(size=values.shape)
        return changed.astype(np.float32)

    return made


EDITS: dict[str, dict[str, Edit]] = {
    "image": {
        "compressed": _of_file(_compressed), "resized": _of_file(_resized), "brighter": _of_file(_brighter),
        "cropped by 3 %": _of_file(_cropped),
    },
    "text": {
        "capitals": lambda text, rng, to: str(text).upper(),
        "spaces, no punctuation": lambda text, rng, to: "  ".join(
            "".join(mark for mark in str(text) if mark.isalnum() or mark.isspace()).split(" ")
        ),
        "a word in 20 left out": lambda text, rng, to: _fewer_words(str(text), rng),
    },
    "series": {"gain and offset": _rescaled(0.0), "with 0.5 % noise": _rescaled(0.005)},
}  # fmt: skip


def read(path: Path, n_rows: int) -> Table:
    """Read at most so many rows, drawn by chance, no two equal."""
    whole = data.read_table(path)
    _, first = np.unique(whole.hashes.astype(str), return_index=True)
    return whole.take(np.sort(np.random.default_rng(0).permutation(first)[:n_rows]))


def with_copies(rows: Table, edit: Edit, folder: Path, digest: str) -> tuple[Table, np.ndarray]:
    """Put changed copies of some rows below them; `digest` begins their hashes ("" keeps those of the originals)."""
    rng = np.random.default_rng(1)
    chosen = rng.permutation(len(rows))[:PLANTED]
    made = [edit(rows.inputs[row], rng, folder / f"{number}.jpg") for number, row in enumerate(chosen)]
    index = np.concatenate([np.arange(len(rows)), chosen])
    more = rows.take(index)
    hashes = [*rows.hashes, *(f"{digest}{number}" if digest else rows.hashes[row] for number, row in enumerate(chosen))]
    ids = [*rows.ids, *(f"copy/{number}" for number in range(len(chosen)))]
    inputs = [*rows.inputs, *made]
    return replace(
        more, ids=make_column(ids), inputs=make_column(inputs), hashes=make_column(hashes), findings=()
    ), chosen


def copies_found(rows: Table, kind: str) -> dict[str, str]:
    """Measure recall of exact and near copies: a copy counts if it is kept together with its original."""
    found = {}
    edits: dict[str, Edit] = {"exact": lambda source, rng, to: source, **EDITS[kind]}
    for name, edit in edits.items():
        with tempfile.TemporaryDirectory() as folder:
            planted, chosen = with_copies(rows, edit, Path(folder), "" if name == "exact" else "planted")
            clusters = data.number_clusters(data.add_near_duplicate_groups(planted))
        hits = int((clusters[chosen] == clusters[len(rows) :]).sum())
        found[name] = f"{hits} of {len(chosen)}"
    return found


def probed(rows: Table) -> StrategyRows:
    """Give rows with the default base's features."""
    options = AdaptOptions(offline=True)
    given = replace(rows, splits=make_column(["train"] * len(rows)))
    made = features.extract_features(
        given, bases.load_base("default", state_need(given, options)), uses=frozenset({"features"})
    )
    return StrategyRows(given.take(made.readable_rows), made.features)


def flips_found(rows: StrategyRows, seed: int) -> tuple[float, float, float]:
    """Flip labels and give the share found among the top rows and among the suspects, and the share that is suspect."""
    codes = data.number_strata(rows.table)
    n_classes, rng = int(codes.max()) + 1, np.random.default_rng(seed)
    flipped = rng.permutation(len(codes))[: round(FLIPPED * len(codes))]
    given = codes.copy()
    given[flipped] = (codes[flipped] + rng.integers(1, n_classes, len(flipped))) % n_classes
    folds = data.assign_folds(given, data.number_clusters(rows.table), 5, seed)
    task = Task(
        classes=tuple(map(str, range(n_classes))),
        codes=given,
        folds=folds,
        balance="off",
        seed=seed,
        clock=Clock(600.0),
    )
    found = confident_learning.find_class_errors(given, STRATEGIES["linear-probe"].fit(rows, task, {}).out_of_fold)
    top = np.isin(flipped, found.order[: round(TOP * len(codes))]).mean()
    suspect = np.isin(flipped, found.order[: found.n_suspect])
    return float(top), float(suspect.mean()), found.n_suspect / len(codes)


def border_found(rows: Table, seed: int) -> str:
    """Give pictures of one class a red border, 95 % of them and 5 % of the others, and say what is reported."""
    labels = sorted(set(rows.labels.tolist())) if rows.labels is not None else []
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        made = []
        for number, (source, label) in enumerate(zip(rows.inputs, rows.labels, strict=True)):  # type: ignore[arg-type]
            to = Path(folder) / f"{number}.jpg"
            with Image.open(source) as opened:
                picture = opened.convert("RGB")
            wide = max(2, min(picture.size) // 20)
            inner = picture.crop((wide, wide, picture.width - wide, picture.height - wide))
            marked = (label == labels[0]) == (rng.random() < FOLLOWS)
            (ImageOps.expand(inner, wide, (200, 30, 30)) if marked else picture).save(to, "JPEG", quality=92)
            made.append(to)
        two = replace(
            rows,
            inputs=make_column(made),
            labels=make_column(["marked" if label == labels[0] else "other" for label in rows.labels]),
        )  # type: ignore[union-attr]
        return told(two)


def told(rows: Table) -> str:
    """Say in short what is reported of shortcuts in the inputs, without columns."""
    found = [item for item in check_properties(replace(rows, metadata={}), (), 0) if item.kind == "shortcut"]
    if not found or found[0].measure is None:
        return "nothing"
    share = found[0].measure
    best = found[0].summary.partition("Best alone: ")[2].partition(")")[0]
    return f"{found[0].severity}: {share.value:.0%} ({share.low:.0%}-{share.high:.0%}); {best})"


def alarms(rows: Table, name: str) -> dict[str, object]:
    """Give what is reported of a set as it is."""
    found = near_duplicates.find_near_duplicates(rows)
    sizes = np.unique([family for family in found.groups if family], return_counts=True)[1]
    return {
        "set": name, "rows": len(rows), "rows in sets of near copies": int(sizes.sum()),
        "largest set": int(sizes.max(initial=0)), "much alike": sum(map(len, found.implausible_groups)),
        "shortcut": told(rows),
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--rows", type=int, default=600, help="rows of each set")
    parser.add_argument("--small", action="store_true", help="one set of each kind")
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    given = parser.parse_args(arguments)
    there = {name: kind for name, kind in SETS.items() if (given.data / name).exists()}
    there = {name: kind for name, kind in there.items() if not given.small or name != "sign_digits"}
    if not there:
        print(f"No data in {given.data}: nothing to run on (--data FOLDER).")
        return
    about, copies, flips, false = machine.describe(), list[dict[str, object]](), list[dict[str, object]](), []
    border = "not measured"
    for name, kind in there.items():
        rows = read(given.data / name, given.rows)
        copies += [
            {"set": name, "rows": len(rows), "change": change, "found": n}
            for change, n in copies_found(rows, kind).items()
        ]
        runs = np.asarray([flips_found(probed(rows), seed) for seed in range(3)])
        top, suspect, size = 100 * runs.mean(axis=0)
        flips.append({
            "set": name, "rows": len(rows), f"flips in the top {TOP:.0%}": f"{top:.0f} %",
            "flips among the suspects": f"{suspect:.0f} %", "suspects": f"{size:.0f} % of rows",
        })  # fmt: skip
        false.append(alarms(rows, name))
        if name == "corn_leaf":
            border = border_found(rows, 0)
        print(copies[-1], flips[-1], false[-1], flush=True)
    for name in () if given.small else ONLY_ALARMS:
        if (given.data / name).exists():
            false.append(alarms(read(given.data / name, given.rows), name))
    legend = (
        f"{PLANTED} copies planted in each set; a copy is found if it is kept together with its original. "
        f"{FLIPPED:.0%} of the labels flipped at random, mean of 3 seeds, linear probe on the default base's features. "
        f"A red border on {FOLLOWS:.0%} of one class of corn_leaf and {1 - FOLLOWS:.0%} of the others: {border}. "
        "Last: what is reported of the sets as they are; `shortcut` is balanced accuracy from plain properties, then "
        "the property that tells most alone."
    )
    body = [about, legend, *map(table, (copies, flips, false))]
    keep(given.results, "Checks: planted faults", "\n\n".join(body))


if __name__ == "__main__":
    main()
