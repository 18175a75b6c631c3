"""Is our own series base worth anything? Frozen features and a linear head, beside MiniRocket and random weights.

`python benchmarks/series_base.py [--data FOLDER] [--sets NAME ...] [--arms NAME ...] [--kept FILE] [--tuned 3m]
[--results FOLDER]`

Official splits of the UCR sets and of the series of several channels: all training labels once, and 20, 5 and 1 a
class in three draws. Every arm has the same rows and the same head (that of `linear-probe`). `before` is the same
network with the read-out that it had up to 0.2.0; `random` has the read-out of today and weights that were not trained.
`blend` joins `encoder` and `minirocket` as the strategy of that name does. Test rows are only counted. Over sets:
bootstrap intervals of means, and Wilcoxon's signed ranks. A verdict of one set compares rows in pairs, averaged over
draws: "helped" or "hurt" where the 95% interval of the difference is above or below 0.

The read-out was chosen on training rows of the sets at odd places of the list; the other half confirms it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import machine
import numpy as np
import torch
from material import DATA
from scipy.stats import wilcoxon
from tables import keep, percent, table
from timed import adapt

from headstart import bases, data
from headstart.bases import BaseRequest, series_encoder, series_shape
from headstart.modalities import MODALITIES, series
from headstart.options import ReadOptions
from headstart.pretraining.training import SyntheticPairs, add_read_out, build_untrained
from headstart.strategies.blend import HeldOutOutputs, choose_weights, pool_outputs
from headstart.strategies.linear.config import LINEAR_CONFIG
from headstart.strategies.linear.head import fit_head
from headstart.strategies.record import Clock, Task

BATCH, DRAWS, LABELS = 64, 3, (1, 5, 20, 0)
SEVERAL = ("basic_motions", "epilepsy_motion", "japanese_vowels")
ARMS = ("minirocket", "before", "encoder", "blend", "random")
JOINED = {"linear-probe": "encoder", "classic": "minirocket"}
"""Which arm stands for which strategy in the blend: one with a base, one without."""
PAIRS = (
    ("encoder", "before"), ("encoder", "minirocket"), ("encoder", "random"), ("blend", "minirocket"),
    ("blend", "encoder"),
)  # fmt: skip
VERDICTS = ("helped", "no evidence", "hurt")
RESAMPLES = 10_000
TUNED = ("linear-probe", "last-stages", "full")
HEAD_TUNED = "Series base: trained further"
HEAD = "Series base: frozen features and a linear head"


def features(name: str, train: Any, test: Any, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Run a base over training and test rows."""
    spec = series.derive_spec(list(train.inputs))
    modality = MODALITIES["series"]
    sample = [modality.prepare(modality.load(item, spec), spec)[0] for item in train.inputs[:500]]
    base = bases.load_base(
        "minirocket" if name == "minirocket" else "series-encoder",
        BaseRequest(modality="series", offline=True, seed=seed, sample=sample, spec=spec),
    )
    module = base.module() if base.module else None
    if name in NETWORKS:
        module = series_encoder.wrap_network(NETWORKS[name](seed))

    def run(*arrays: np.ndarray) -> np.ndarray:
        if module is None:
            return base.transform(*arrays)[-1]
        with torch.inference_mode():
            return module(*(torch.from_numpy(part) for part in arrays))[-1].numpy()

    made = []
    for rows in (train, test):
        ready = [modality.prepare(modality.load(item, base.spec), base.spec) for item in rows.inputs]
        parts = [modality.collate(ready[at : at + BATCH], base.spec) for at in range(0, len(ready), BATCH)]
        made.append(np.concatenate([run(*part) for part in parts]))
    return made[0], made[1]


@lru_cache
def _untrained(seed: int) -> series_encoder.SeriesNet:
    return build_untrained(seed)


@lru_cache
def _before(seed: int) -> series_encoder.SeriesNet:
    """Give the shipped network without today's read-out."""
    parts = bases.load_base("series-encoder", BaseRequest(modality="series", offline=True)).parts
    architecture = {name: value for name, value in parts.architecture.items() if name not in series_shape.READ_OUT}
    learned = {name: torch.from_numpy(value.copy()) for name, value in parts.weights.items()}
    return add_read_out(architecture, learned, SyntheticPairs(int(architecture["length"]), seed))


NETWORKS = {"random": _untrained, "before": _before}


def drawn(codes: np.ndarray, per: int, seed: int) -> np.ndarray:
    """Draw so many rows of each class, all of a smaller one; every row for 0."""
    order = np.random.default_rng(seed).permutation(len(codes))
    if not per:
        return np.arange(len(codes))
    return np.sort(np.concatenate([order[codes[order] == code][:per] for code in np.unique(codes)]))


def answers(train: np.ndarray, test: np.ndarray, task: Task, per: int) -> tuple[np.ndarray, np.ndarray]:
    """Fit the head of `linear-probe`; probabilities of test rows, and out of fold (NaN where there are no folds)."""
    head, fitted = fit_head(train, task, LINEAR_CONFIG.default_strength if per == 1 else None)
    return head.predict(test), fitted.choice.out_of_fold


def blended(outputs: Mapping[str, tuple[np.ndarray, np.ndarray]], task: Task, per: int) -> np.ndarray:
    """Join two arms as `blend` does; half and half where there is 1 label a class."""
    weights = dict.fromkeys(JOINED, 0.5)
    if per != 1:
        held_out = {name: outputs[arm][1] for name, arm in JOINED.items()}
        weights = choose_weights(HeldOutOutputs.collect(task, held_out, np.arange(len(task.codes))))
    return pool_outputs({name: outputs[arm][0] for name, arm in JOINED.items()}, weights)


@dataclass
class OneSet:
    """A set's rows, and features of each arm once they were needed."""

    path: Path
    features: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    @cached_property
    def sides(self) -> tuple[Any, Any]:
        """Read training and test rows."""
        whole = data.read_table(self.path, ReadOptions(modality="series"))
        return whole.select_split("train"), whole.select_split("test")

    def measure(self, per: int, arms: Sequence[str]) -> dict[str, np.ndarray]:
        """Give every arm's share of right answers for each test row, mean over draws."""
        train, test = self.sides
        classes, every = np.unique(train.labels.astype(str), return_inverse=True)
        truth = np.searchsorted(classes, test.labels.astype(str))
        members = JOINED.values() if "blend" in arms else ()
        run = [arm for arm in ARMS if arm != "blend" and arm in {*arms, *members}]
        for arm in run:
            if arm not in self.features:
                self.features[arm] = features(arm, train, test, 0)
        right: dict[str, list[np.ndarray]] = {arm: [] for arm in arms}
        for seed in range(DRAWS if per else 1):
            rows = drawn(every, per, seed)
            folds = data.assign_folds(every[rows], np.arange(len(rows)), 5, seed)
            task = Task(
                classes=tuple(classes), codes=every[rows], folds=folds, balance="off", seed=seed, clock=Clock(np.inf)
            )
            outputs = {arm: answers(self.features[arm][0][rows], self.features[arm][1], task, per) for arm in run}
            probabilities = {arm: output[0] for arm, output in outputs.items()}
            if "blend" in arms:
                probabilities["blend"] = blended(outputs, task, per)
            for arm in arms:
                right[arm].append(probabilities[arm].argmax(1) == truth)
        return {arm: np.mean(values, axis=0) for arm, values in right.items()}


Records = dict[tuple[str, int, str], np.ndarray]
"""By set, labels a class (0: all) and arm: each test row's share of right answers."""


def read_records(path: Path | None) -> Records:
    """Read what was measured before."""
    lines = path.read_text().splitlines() if path and path.is_file() else []
    return {(item["set"], item["labels"], item["arm"]): np.asarray(item["right"]) for item in map(json.loads, lines)}


def measure_missing(paths: Sequence[Path], arms: Sequence[str], records: Records) -> Iterator[dict[str, Any]]:
    """Measure what is not among the records, set after set, adding to them."""
    for path in paths:
        one = OneSet(path)
        for per in LABELS:
            missing = [arm for arm in arms if (path.stem, per, arm) not in records]
            started = time.monotonic()
            for arm, right in one.measure(per, missing).items() if missing else ():
                records[path.stem, per, arm] = right
                yield {"set": path.stem, "labels": per, "arm": arm, "right": right.round(4).tolist()}
            print(path.stem, per, *missing, f"{time.monotonic() - started:.0f} s", flush=True)


def differ(one: np.ndarray, two: np.ndarray) -> str:
    """Give the verdict of one set: are rows right more often, beyond chance?"""
    gaps = one - two
    mean, error = gaps.mean(), 1.96 * gaps.std(ddof=1) / np.sqrt(len(gaps))
    return "helped" if mean - error > 0 else "hurt" if mean + error < 0 else "no evidence"


def mean_over_sets(values: Sequence[float], sign: str = "") -> str:
    """Give the mean over sets in %, with its bootstrap interval."""
    array = np.asarray(values)
    means = array[np.random.default_rng(0).integers(0, len(array), (RESAMPLES, len(array)))].mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return f"{100 * array.mean():{sign}.1f} ({100 * low:{sign}.1f} to {100 * high:{sign}.1f})"


def name_labels(per: int) -> str:
    """Give the number of labels a class in words."""
    return str(per) if per else "all"


def render(records: Records, names: Sequence[str], chosen: Sequence[str]) -> str:
    """Make the tables: means, pairs, halves (the read-out was chosen on some sets), every set."""
    arms = [arm for arm in ARMS if all((name, per, arm) in records for name in names for per in LABELS)]
    pairs = [pair for pair in PAIRS if set(pair) <= set(arms)]

    def accuracies(arm: str, per: int, some: Sequence[str] = names) -> np.ndarray:
        return np.array([records[name, per, arm].mean() for name in some])

    means: list[dict[str, object]] = [
        {"labels a class": name_labels(per), **{arm: mean_over_sets(accuracies(arm, per)) for arm in arms}}
        for per in LABELS
    ]
    compared: list[dict[str, object]] = []
    for one, two in pairs:
        for per in LABELS:
            gaps = accuracies(one, per) - accuracies(two, per)
            verdicts = [differ(records[name, per, one], records[name, per, two]) for name in names]
            counts = {word: verdicts.count(word) for word in VERDICTS}
            p = f"{wilcoxon(gaps).pvalue:.3f}" if np.any(gaps) else "1.000"
            compared.append(
                {"pair": f"{one} - {two}", "labels a class": name_labels(per), "difference": mean_over_sets(gaps, "+")}
                | {"p": p, **counts}
            )
    halves: list[dict[str, object]] = []
    for half, some in (
        ("chosen on", [name for name in names if name in chosen]),
        ("confirmed on", [name for name in names if name not in chosen]),
    ):
        for per in LABELS:
            figures = {arm: f"{100 * accuracies(arm, per, some).mean():.1f}" for arm in arms}
            halves.append({"sets": f"{half} ({len(some)})", "labels a class": name_labels(per), **figures})
    each: list[dict[str, object]] = [
        {"set": name, "test rows": len(records[name, 0, arms[0]])}
        | {f"{arm} {name_labels(per)}": f"{100 * records[name, per, arm].mean():.1f}" for per in LABELS for arm in arms}
        for name in names
    ]
    intro = f"{len(names)} sets. Accuracy on test rows in %; mean over sets (95% interval), and over {DRAWS} draws."
    return "\n\n".join([intro, table(means), table(compared), table(halves), _list_aims(accuracies), table(each)])


def _list_aims(accuracies: Any) -> str:
    """Say which aims are reached."""
    lines = []
    for one, two, counts in (
        ("encoder", "minirocket", (5,)),
        ("blend", "minirocket", LABELS),
        ("blend", "encoder", LABELS),
    ):
        for per in counts:
            gap = (accuracies(one, per) - accuracies(two, per)).mean()
            reached = "reached" if gap >= 0 else "not reached"
            lines.append(
                f"- mean of {one} not below {two}, labels a class {name_labels(per)}: {reached} ({100 * gap:+.1f})"
            )
    return "Aims:\n\n" + "\n".join(lines)


def trained_further(paths: Sequence[Path], time_given: str) -> str:
    """Let the public command train the encoder on sets; accuracy on test rows in % beside the frozen one."""
    lines: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            how = ("--base", "series-encoder", "--strategy", ",".join(TUNED), "--time", time_given, "--offline")
            done = adapt(path, Path(folder, path.stem), Path(folder, "home"), *how)
            line: dict[str, object] = {"set": path.stem}
            for item in (done.document or {}).get("strategies", []):
                line[item["name"]] = percent(item["test"]["accuracy"])
            skipped = [item["name"] for item in (done.document or {}).get("skipped", [])]
            lines.append(line | {"left out": ", ".join(skipped) or done.error, "wall s": f"{done.seconds:.0f}"})
    said = f"`--time {time_given}`; a strategy is left out where rows held out say that it does not help."
    return f"{said}\n\n{table(lines)}"


def main() -> None:
    """Measure set after set, keep each, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--sets", nargs="*", default=[])
    parser.add_argument("--arms", nargs="*", default=list(ARMS), choices=ARMS)
    parser.add_argument("--tuned", help="Instead, let `headstart adapt` train it on each set for so long: 3m.")
    parser.add_argument("--kept", type=Path, help="File with one JSON line for each measurement; it is gone on with.")
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results"))
    options = parser.parse_args()
    by_name = {path.stem: path for path in sorted(options.data.joinpath("ucr").glob("*.parquet"))}
    by_name |= {name: options.data / name for name in SEVERAL}
    chosen = list(by_name)[0::2]
    by_name = {name: path for name, path in by_name.items() if not options.sets or name in options.sets}
    paths = sorted(by_name.values(), key=lambda path: path.stat().st_size)
    if options.tuned:
        keep(options.results, HEAD_TUNED, f"{machine.describe()}\n\n{trained_further(paths, options.tuned)}")
        return
    torch.set_num_threads(1)
    records = read_records(options.kept)
    for line in measure_missing(paths, options.arms, records):
        if options.kept:
            with options.kept.open("a") as file:
                file.write(json.dumps(line) + "\n")
    keep(options.results, HEAD, f"{machine.describe()}\n\n{render(records, list(by_name), chosen)}")


if __name__ == "__main__":
    main()
