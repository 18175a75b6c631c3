"""Fixed views of images (mirrored, cropped) for probes on frozen features: as training rows, at prediction, or both.

`python benchmarks/image_views.py [--data FOLDER] [--sets NAME ...] [--draws 4] [--kept FOLDER] [--results FOLDER]`

Only training rows are read: 40 in 100 of them are held out to judge, the others are drawn from. Features are computed
once and kept, every draw is kept at once, so that a run that was cut off goes on where it was. `--measure-only` ends
without a page. The fitting is that of `linear-probe` (last features) and `multi-stage-probe` (all stages).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import machine
import material
import numpy as np
from PIL import Image
from tables import keep, table

from headstart import bases, data
from headstart.features.chunks import run_rows
from headstart.features.extractors import make_backbone_extractor
from headstart.features.runtimes import ChosenRuntime, open_runtime
from headstart.flow.base_choice.choose import state_need
from headstart.modalities import MODALITIES
from headstart.modalities.image import augment_image
from headstart.options import AdaptOptions
from headstart.strategies.linear.head import fit_head
from headstart.strategies.record import Clock, Task

SETS = {"potato_leaf": 200, "natural_scenes": 240, "omniglot_small": 240}
"""Sets, and the training rows taken of each (of natural_scenes those with one label, of omniglot_small 20 classes)."""
OMNIGLOT_CLASSES = 20
LABELS = (5, 20, 0)
HELD_SHARE, N_FOLDS = 0.4, 5
LEAST = 1e-7
KINDS = {"final": "last features", "multi": "all stages"}


def crop(image: Image.Image, area: float, left: float, top: float) -> Image.Image:
    """Cut a part of an image.

    Parameters
    ----------
    image : PIL.Image.Image
    area : float
        Share (0-1) of its area.
    left, top : float
        Where the part lies, from 0 (left, top) to 1.
    """
    width, height = image.size
    side = area**0.5
    box = ((1 - side) * left * width, (1 - side) * top * height)
    corner = (box[0] + side * width, box[1] + side * height)
    size = (max(1, round(side * width)), max(1, round(side * height)))
    return image.resize(size, Image.Resampling.BILINEAR, box=(*box, *corner))


FLIP = Image.Transpose.FLIP_LEFT_RIGHT
VIEWS: tuple[Callable[[Image.Image, int], Image.Image], ...] = (
    lambda image, row: image,
    lambda image, row: image.transpose(FLIP),
    lambda image, row: crop(image, 0.75, 0.5, 0.5),
    lambda image, row: crop(image, 0.7, 0, 0),
    lambda image, row: crop(image, 0.7, 1, 1).transpose(FLIP),
    lambda image, row: augment_image(image, np.random.default_rng([1, row])),
    lambda image, row: augment_image(image, np.random.default_rng([2, row])),
)
GROUPS = {"k2": (0, 1), "k3": (0, 1, 2), "k5": (0, 1, 2, 3, 4), "c3": (0, 2, 3), "aug3": (0, 5, 6)}
"""Views of a group: flip; flip and crop; flip and crops; crops alone; two random views as `last-stages` has them."""


def read_rows(folder: Path, most: int) -> list[tuple[Path, str]]:
    """Read training images and labels, in a fixed random order."""
    if (folder / "metadata.csv").is_file() and not any(folder.glob("train/*/*")):
        lines = material.read_csv(folder / "metadata.csv")
        rows = [(folder / line["file"], line["labels"]) for line in lines if line["split"] != "test"]
        rows = [(path, label) for path, label in rows if "|" not in label]
    else:
        split = material.images(folder)
        rows = list(zip(split.train, split.train_labels, strict=True))
    if folder.name == "omniglot_small":
        names = sorted({label for _, label in rows})
        kept = set(np.random.default_rng(0).permutation(names)[:OMNIGLOT_CLASSES])
        rows = [row for row in rows if row[1] in kept]
    order = np.random.default_rng(0).permutation(len(rows))[:most]
    return [rows[place] for place in order]


def extract(folder: Path, most: int, path: Path) -> Mapping[str, Any]:
    """Return features (n_views, n_rows, n_dims) of all views by kind, labels, and CPU seconds; kept at `path`."""
    if path.is_file():
        return np.load(path, allow_pickle=False)
    options = AdaptOptions(offline=True)
    backbone = bases.load_base("default", state_need(data.read_table(folder, options), options))
    modality, rows = MODALITIES["image"], read_rows(folder, most)
    runtime = ChosenRuntime("openvino-float32", "float32", 0.0)
    extractor, run = make_backbone_extractor(backbone, runtime), open_runtime(backbone, runtime)
    final, multi, began = [], [], time.process_time()
    for start in range(0, len(rows), 16):
        images = [modality.load(item, backbone.spec) for item, _ in rows[start : start + 16]]
        parts = [
            run_rows(
                extractor,
                run,
                [modality.prepare(view(image, start + i), backbone.spec) for i, image in enumerate(images)],
            )
            for view in VIEWS
        ]
        final.append(np.stack([part[-1] for part in parts]))
        multi.append(np.stack([np.concatenate(part, axis=1).astype(np.float16) for part in parts]))
    arrays = {"final": np.concatenate(final, 1), "multi": np.concatenate(multi, 1)}
    labels, seconds = np.array([label for _, label in rows]), np.array(time.process_time() - began)
    np.savez(path, y=labels, cpu=seconds, **arrays)
    return {**arrays, "y": labels, "cpu": seconds}


def log_loss(probabilities: np.ndarray, codes: np.ndarray) -> float:
    """Return the mean log-loss of rows that have an answer; lower is better."""
    known = np.isfinite(probabilities).all(axis=1)
    true = probabilities[known][np.arange(int(known.sum())), codes[known]]
    return float(-np.log(np.clip(true, LEAST, 1)).mean())


def judge(probabilities: np.ndarray, codes: np.ndarray, out_of_fold: float) -> list[float]:
    """Return accuracy and log-loss on the rows held out to judge, and the log-loss out of fold."""
    return [float((probabilities.argmax(1) == codes).mean()), log_loss(probabilities, codes), out_of_fold]


def mix(values: np.ndarray, task: Task, generator: np.random.Generator) -> tuple[np.ndarray, Task]:
    """Add a mixture with another row of the same fold to every row (mixup, Zhang et al. 2018); labels are weights."""
    n = len(values)
    share = generator.beta(0.4, 0.4, n)
    share, partner = np.maximum(share, 1 - share), generator.permutation(n)
    for fold in range(N_FOLDS):
        rows = np.flatnonzero(task.folds == fold)
        partner[rows] = generator.permutation(rows)
    mixed = share[:, None] * values + (1 - share)[:, None] * values[partner]
    weights = np.concatenate([np.ones(n), share, 1 - share]) * 1.5
    codes = np.concatenate([task.codes, task.codes, task.codes[partner]])
    task = replace(task, codes=codes, folds=np.tile(task.folds, 3), weights=weights)
    return np.concatenate([values, mixed, mixed]).astype(np.float32), task


def compare(views: np.ndarray, codes: np.ndarray, train: np.ndarray, held: np.ndarray, task: Task) -> dict[str, Any]:
    """Fit every arm on `train` and judge it on `held`."""
    truth, n = codes[held], len(train)

    def fitted(values: np.ndarray, own: Task) -> tuple[Any, np.ndarray]:
        head, found = fit_head(values, own)
        return head, found.choice.out_of_fold

    plain, outputs = fitted(views[0][train], task)
    found = {"plain": judge(plain.predict(views[0][held]), truth, log_loss(outputs[:n], task.codes))}
    for name, group in GROUPS.items():
        tiled = replace(task, codes=np.tile(task.codes, len(group)), folds=np.tile(task.folds, len(group)))
        at_test = np.mean([plain.predict(views[view][held]) for view in group], axis=0)
        found[f"test-{name}"] = judge(at_test, truth, np.nan)
        head, outputs = fitted(np.concatenate([views[view][train] for view in group]), tiled)
        own = log_loss(outputs[:n], task.codes)
        found[f"train-{name}"] = judge(head.predict(views[0][held]), truth, own)
        averaged = np.mean(outputs.reshape(len(group), n, -1), axis=0)
        both = np.mean([head.predict(views[view][held]) for view in group], axis=0)
        found[f"both-{name}"] = judge(both, truth, log_loss(averaged, task.codes))
        mean = views[list(group)].mean(axis=0)
        head, outputs = fitted(mean[train], task)
        found[f"mean-{name}"] = judge(head.predict(mean[held]), truth, log_loss(outputs, task.codes))
    head, outputs = fitted(*mix(views[0][train], task, np.random.default_rng(task.seed)))
    found["mixup"] = judge(head.predict(views[0][held]), truth, log_loss(outputs[:n], task.codes))
    return found


def draw_rows(codes: np.ndarray, labels: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw training rows (`labels` a class, 0 for all) and the rows that judge."""
    order = np.random.default_rng(seed).permutation(len(codes))
    n_held = int(HELD_SHARE * len(codes))
    pool = order[n_held:]
    chosen = [pool[codes[pool] == code][: labels or len(pool)] for code in range(int(codes.max()) + 1)]
    return np.concatenate(chosen), order[:n_held]


def measure(name: str, arrays: Mapping[str, Any], seeds: int, done: set[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    """Measure what is not in `done`, draw by draw."""
    classes, codes = np.unique(arrays["y"], return_inverse=True)
    codes = codes.astype(np.intp)
    features = {kind: np.asarray(arrays[kind], dtype=np.float32) for kind in KINDS}
    for seed in range(seeds):
        for labels in LABELS:
            train, held = draw_rows(codes, labels, seed)
            if labels and len(train) >= 0.95 * (len(codes) - len(held)):
                continue
            folds = data.assign_folds(codes[train], np.arange(len(train)), N_FOLDS, seed)
            task = Task(
                classes=tuple(map(str, classes)), codes=codes[train], folds=folds, balance="off", seed=seed,
                clock=Clock(np.inf),
            )  # fmt: skip
            about = {"set": name, "labels": labels, "seed": seed, "n": len(train)}
            if (name, "pair", labels, seed) not in done:
                yield {**about, "feat": "pair", "pair": compare_pairs(features, codes, (train, held), task)}
            for kind, views in features.items():
                if (name, kind, labels, seed) not in done:
                    found = compare(views, codes, train, held, task)
                    yield {**about, "feat": kind, "res": found}


PAIR_ARMS = ("train-c3", "train-k5", "both-c3", "both-k5")


def compare_pairs(
    features: Mapping[str, np.ndarray], codes: np.ndarray, rows: tuple[np.ndarray, np.ndarray], task: Task
) -> dict[str, list[float]]:
    """Judge the mean of both probes, the last features' and all stages', with and without views."""
    (train, held), answers = rows, dict[str, list[np.ndarray]]()
    for views in features.values():
        plain = fit_head(views[0][train], task)[0]
        answers.setdefault("plain", []).append(plain.predict(views[0][held]))
        for name in ("c3", "k5"):
            group = GROUPS[name]
            tiled = replace(task, codes=np.tile(task.codes, len(group)), folds=np.tile(task.folds, len(group)))
            head = fit_head(np.concatenate([views[view][train] for view in group]), tiled)[0]
            by_view = [head.predict(views[view][held]) for view in group]
            answers.setdefault(f"train-{name}", []).append(by_view[0])
            answers.setdefault(f"both-{name}", []).append(np.mean(by_view, axis=0))
    return {arm: judge(np.mean(parts, axis=0), codes[held], np.nan) for arm, parts in answers.items()}


def render_pairs(rows: Sequence[Mapping[str, Any]]) -> str:
    """Make one line a set and number of labels of the mean of both probes, and their mean."""
    cells: dict[tuple[str, int], list[Any]] = {}
    for row in rows:
        cells.setdefault((row["set"], row["labels"]), []).append(row["pair"])
    lines: list[dict[str, object]] = []
    gains: dict[str, list[Any]] = {arm: [] for arm in PAIR_ARMS}
    for (name, labels), draws in cells.items():
        line: dict[str, object] = {"set": name, "labels": labels or "all", "draws": len(draws)}
        line["plain"] = f"{100 * np.mean([one['plain'][0] for one in draws]):.1f}"
        for arm in PAIR_ARMS:
            line[arm] = difference(draws, lambda _, arm=arm: arm)
            gains[arm].append(np.mean([np.subtract(one[arm][:2], one["plain"][:2]) for one in draws], axis=0))
        lines.append(line)
    means = {arm: np.mean(values, axis=0) for arm, values in gains.items()}
    lines.append({"set": "mean", **{arm: f"{100 * one[0]:+.1f} ({one[1]:+.3f})" for arm, one in means.items()}})
    return table(lines)


def choose(found: Mapping[str, Sequence[float]], prefix: tuple[str, ...]) -> str:
    """Name the arm with the lowest log-loss out of fold among `plain` and those with a prefix."""
    names = [name for name in found if name == "plain" or name.startswith(prefix)]
    return min(names, key=lambda name: found[name][2])


def difference(draws: Sequence[Mapping[str, Sequence[float]]], pick: Callable[[Any], str]) -> str:
    """Print the mean differences to `plain`: points of accuracy, and log-loss in brackets."""
    pairs = np.array([[np.subtract(draw[pick(draw)][:2], draw["plain"][:2])] for draw in draws]).mean(axis=(0, 1))
    return f"{100 * pairs[0]:+.1f} ({pairs[1]:+.3f})"


def render(rows: Sequence[Mapping[str, Any]]) -> str:
    """Make one line a set, kind of features and number of labels."""
    cells: dict[tuple[str, str, int], list[Any]] = {}
    for row in rows:
        cells.setdefault((row["set"], row["feat"], row["labels"]), []).append(row["res"])
    lines: list[dict[str, object]] = []
    for (name, kind, labels), draws in sorted(
        cells.items(), key=lambda item: (item[0][1], item[0][0], item[0][2] or 999)
    ):
        line: dict[str, object] = {"features": KINDS[kind], "set": name, "labels": labels or "all", "draws": len(draws)}
        line["plain"] = f"{100 * np.mean([one['plain'][0] for one in draws]):.1f}"
        arms = ("train-k2", "train-k3", "train-k5", "train-aug3", "test-k2", "test-k5", "both-k2", "both-k3", "both-k5",
                "mean-k5", "mixup")  # fmt: skip
        line |= {arm: difference(draws, lambda _, arm=arm: arm) for arm in arms}
        line["chosen, one view"] = difference(draws, lambda draw: choose(draw, ("train-",)))
        line["chosen, any"] = difference(draws, lambda draw: choose(draw, ("train-", "both-", "mean-")))
        lines.append(line)
    return table(lines)


def summarise(rows: Sequence[Mapping[str, Any]]) -> str:
    """Make one line an arm: its mean over the cells of the table, and its worst and best cell."""
    cells: dict[tuple[str, str, int], list[Any]] = {}
    for row in rows:
        cells.setdefault((row["feat"], row["set"], row["labels"]), []).append(row["res"])
    names = [name for name in rows[0]["res"] if name != "plain"]
    picks: dict[str, Callable[[Any], str]] = {name: lambda _, name=name: name for name in names}
    picks["chosen, one view"] = lambda draw: choose(draw, ("train-",))
    picks["chosen, any"] = lambda draw: choose(draw, ("train-", "both-", "mean-"))
    lines: list[dict[str, object]] = []
    for arm, pick in picks.items():
        line: dict[str, object] = {"arm": arm}
        for kind, title in KINDS.items():
            gains = [
                np.array([np.subtract(draw[pick(draw)][:2], draw["plain"][:2]) for draw in draws]).mean(axis=0)
                for (own, *_), draws in cells.items()
                if own == kind
            ]
            points, losses = 100 * np.array(gains)[:, 0], np.array(gains)[:, 1]
            line[title] = f"{points.mean():+.1f} ({points.min():+.1f} to {points.max():+.1f})"
            line[f"log-loss, {title}"] = f"{losses.mean():+.3f}; lower in {int((losses < 0).sum())} of {len(losses)}"
        lines.append(line)
    return table(lines)


LEGEND = (
    "`plain`: accuracy in % on held-out training rows without views. All other columns: points more or less than "
    "it, and in brackets the difference of the log-loss (negative is better), means over draws. `train`: views are "
    "further training rows, one view at prediction; `test`: probabilities are averaged over views at prediction; "
    "`both`; `mean`: features are averaged over views, in training and at prediction. k2: flip; k3: flip and a "
    "centre crop; k5: flip, centre and two corner crops; aug3: two random views. `chosen`: the arm with the lowest "
    "log-loss out of fold, `plain` among them; with one view at prediction, or any. Cost: every further view is one "
    "more pass through the base for each training row (`train`) and each row to predict (`test`, `both`, `mean`)."
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Extract, measure, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--kept", type=Path, default=Path(__file__).with_name("image_views"))
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results"))
    parser.add_argument("--measure-only", action="store_true", help="write no page")
    asked = parser.parse_args(arguments)
    asked.kept.mkdir(parents=True, exist_ok=True)
    path = asked.kept / "draws.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    rows = [json.loads(line) for line in lines]
    done = {(row["set"], row["feat"], row["labels"], row["seed"]) for row in rows}
    seconds = []
    for name in asked.sets:
        arrays = extract(asked.data / name, SETS[name], asked.kept / f"{name}.npz")
        seconds.append(float(arrays["cpu"]) / (len(arrays["y"]) * len(VIEWS)))
        for row in measure(name, arrays, asked.draws, done):
            rows.append(row)
            with path.open("a", encoding="utf-8") as opened:
                opened.write(json.dumps(row) + "\n")
    if asked.measure_only:
        return
    pairs, rows = [row for row in rows if "pair" in row], [row for row in rows if "res" in row]
    cost = f"A view of a row took {1000 * min(seconds):.0f} to {1000 * max(seconds):.0f} ms of one core."
    keep(asked.results, "Views of images for probes", f"{machine.describe()}\n\n{LEGEND} {cost}\n\n{render(rows)}")
    told = (
        "Points and log-loss against `plain`: mean over the cells of the table above, in brackets worst and best cell."
    )
    keep(asked.results, "Views of images for probes: means", f"{told}\n\n{summarise(rows)}")
    told = "The mean of the probabilities of both probes against the same without views; columns as above."
    keep(asked.results, "Views of images for probes: both probes together", f"{told}\n\n{render_pairs(pairs)}")


if __name__ == "__main__":
    main()
