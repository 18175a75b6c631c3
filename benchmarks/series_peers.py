"""Series beside aeon: the strategies of `default` for series, and MiniRocket, MultiRocket-Hydra and QUANT of aeon.

`python benchmarks/series_peers.py [--data FOLDER] [--sets NAME ...] [--kept FILE] [--part I/N] [--measure-only]
[--results FOLDER]`

The UCR sets but Crop, and three sets of several channels: 1, 5 and 20 labels a class in three draws, and all (at most
600, one draw); at most 500 test rows, drawn once. All tools get the same rows. Ours are fitted and chosen by the ladder
on features computed once; `default` is what it chose (cross-validation is not repeated here). Seconds are those of one
thread, learning and answering, without imports; those of `default` hold the frozen pass and all strategies.

Sets at odd places of the list were looked at (out of fold, on training rows) while methods were tried; the others
confirm.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import machine
import numpy as np
import torch
from material import DATA
from scipy.stats import wilcoxon
from series_base import SEVERAL, OneSet, differ, drawn, features, mean_over_sets, name_labels
from tables import keep, table

from headstart import data
from headstart.ladder import fit_strategies
from headstart.modalities import MODALITIES, series
from headstart.records import Features
from headstart.strategies.record import Clock, StrategyRows, Task

DRAWS, LABELS, MOST_ROWS, MOST_TEST = 3, (1, 5, 20, 0), 600, 500
STRATEGIES_OF_OURS = ("linear-probe", "shrinkage-lda", "classic", "quant", "blend")
OURS, PEERS = ("default", *STRATEGIES_OF_OURS), ("MiniRocket", "MultiRocket-Hydra", "QUANT")
LEFT_OUT = ("Crop",)
HEADING = "Series beside aeon"
Records = dict[tuple[str, int, str], dict[str, Any]]


def fit_peer(name: str, series_in: np.ndarray, labels: np.ndarray, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Fit a classifier of aeon with its defaults; return what predicts."""
    from aeon.classification.convolution_based import MiniRocketClassifier, MultiRocketHydraClassifier
    from aeon.classification.interval_based import QUANTClassifier

    make = {
        "MiniRocket": MiniRocketClassifier,
        "MultiRocket-Hydra": MultiRocketHydraClassifier,
        "QUANT": QUANTClassifier,
    }[name]
    model = make(random_state=seed)
    model.fit(series_in.astype(np.float64), labels)
    return lambda other: np.asarray(model.predict(other.astype(np.float64)))


def time_call(call: Callable[[], Any]) -> tuple[Any, float]:
    """Return what a function gives, and its seconds."""
    started = time.monotonic()
    return call(), time.monotonic() - started


class Comparison:
    """One set's rows."""

    def __init__(self, path: Path) -> None:
        whole = OneSet(path)
        self.train, test = whole.sides
        chosen = np.sort(np.random.default_rng(0).permutation(len(test))[:MOST_TEST])
        self.test = test.take(chosen)
        self.classes, self.codes = np.unique(self.train.labels.astype(str), return_inverse=True)
        self.truth = np.searchsorted(self.classes, self.test.labels.astype(str))
        (self.learnt, self.asked), self.encoding = time_call(lambda: features("encoder", self.train, self.test, 0))

    def measure(self, per: int, arms: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Measure tools at so many labels a class."""
        lines: dict[str, list[tuple[np.ndarray, float]]] = {}
        for seed in range(DRAWS if per else 1):
            rows = drawn(self.codes, per, seed)
            rows = np.sort(np.random.default_rng(seed).permutation(rows)[:MOST_ROWS])
            if set(OURS) & set(arms):
                for arm, right, seconds in self._measure_ours(rows, seed):
                    lines.setdefault(arm, []).append((right, seconds))
            for arm in PEERS:
                if arm in arms:
                    lines.setdefault(arm, []).append(self._measure_peer(arm, rows, seed))
        for arm, draws in lines.items():
            yield {
                "labels": per, "arm": arm, "right": np.mean([right for right, _ in draws], axis=0).round(4).tolist(),
                "seconds": float(np.mean([seconds for _, seconds in draws])),
            }  # fmt: skip

    def _measure_ours(self, rows: np.ndarray, seed: int) -> Iterator[tuple[str, np.ndarray, float]]:
        codes, table_of = self.codes[rows], self.train.take(rows)
        (folds,) = data.mark_lone_classes((data.assign_folds(codes, np.arange(len(rows)), 5, seed),), codes, table_of)
        task = Task(
            classes=tuple(self.classes), codes=codes, folds=folds, balance="auto", seed=seed, clock=Clock(np.inf),
            spec=series.derive_spec(list(table_of.inputs)),
        )  # fmt: skip
        learnt = StrategyRows(table_of, Features(table_of.ids, self.learnt[rows], "benchmark", {}))
        asked = StrategyRows(self.test, Features(self.test.ids, self.asked, "benchmark", {}))
        started = time.monotonic()
        strategies = fit_strategies(learnt, task, STRATEGIES_OF_OURS)
        fitting = time.monotonic() - started
        share = (len(rows) + len(self.truth)) / (len(self.codes) + len(self.truth))
        for name, fitted in strategies.fitted.items():
            probabilities, seconds = time_call(lambda fitted=fitted: fitted.predict(asked))
            is_right = probabilities.argmax(1) == self.truth
            yield name, is_right, strategies.seconds[name] + seconds
            if name == strategies.chosen:
                yield "default", is_right, fitting + seconds + share * self.encoding

    def _measure_peer(self, arm: str, rows: np.ndarray, seed: int) -> tuple[np.ndarray, float]:
        table_of = self.train.take(rows)
        spec = series.derive_spec(list(table_of.inputs))
        plain, asked = _prepare(table_of, spec), _prepare(self.test, spec)
        predicted, seconds = time_call(lambda: fit_peer(arm, plain, self.codes[rows], seed)(asked))
        return predicted == self.truth, seconds


def _prepare(rows: Any, spec: Any) -> np.ndarray:
    """Return series (n, channels, time) as all tools get them: filled, of one length."""
    modality = MODALITIES["series"]
    return np.stack([modality.prepare(modality.load(item, spec), spec)[0] for item in rows.inputs])


def read_records(path: Path | None) -> Records:
    """Read what was measured before."""
    lines = path.read_text().splitlines() if path and path.is_file() else []
    return {
        (item["set"], item["labels"], item["arm"]): {**item, "right": np.asarray(item["right"])}
        for item in map(json.loads, lines)
    }


def render(records: Records, names: Sequence[str], chosen: Sequence[str]) -> str:
    """Make the tables: means, pairs over sets, both halves, every set."""
    arms = (*OURS, *PEERS)

    def accuracies(arm: str, per: int, some: Sequence[str] = names) -> np.ndarray:
        return np.array([records[name, per, arm]["right"].mean() for name in some])

    means = [
        {"labels a class": name_labels(per), **{arm: mean_over_sets(accuracies(arm, per)) for arm in arms}}
        for per in LABELS
    ]
    seconds = [
        {"labels a class": name_labels(per)}
        | {arm: f"{np.mean([records[name, per, arm]['seconds'] for name in names]):.1f}" for arm in arms}
        for per in LABELS
    ]
    pairs: list[dict[str, object]] = []
    for per in LABELS:
        for peer in PEERS:
            for sets, some in (
                ("all", names),
                ("confirmed on", [name for name in names if name not in chosen]),
            ):
                gaps = accuracies("default", per, some) - accuracies(peer, per, some)
                verdicts = [
                    differ(records[name, per, "default"]["right"], records[name, per, peer]["right"]) for name in some
                ]
                p = f"{wilcoxon(gaps).pvalue:.3f}" if np.any(gaps) else "1.000"
                pairs.append(
                    {"labels a class": name_labels(per), "default minus": peer, "sets": f"{sets} ({len(some)})"}
                    | {"difference": mean_over_sets(list(gaps), "+"), "p": p, "better": verdicts.count("helped")}
                    | {"no evidence": verdicts.count("no evidence"), "worse": verdicts.count("hurt")}
                )
    each = [
        {"set": name, "labels a class": name_labels(per)}
        | {arm: f"{100 * records[name, per, arm]['right'].mean():.1f}" for arm in arms}
        for name in names
        for per in LABELS
    ]
    intro = f"{len(names)} sets. Accuracy on test rows in %; mean over sets (95% interval), over {DRAWS} draws."
    return "\n\n".join([intro, table(means), "Seconds:", table(seconds), table(pairs), table(each)])


def main() -> None:
    """Measure set after set, keep each, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--sets", nargs="*", default=[])
    parser.add_argument("--kept", type=Path, help="File with one JSON line for each measurement; it is gone on with.")
    parser.add_argument("--part", default="0/1", help="Measure each N-th set from I, for several processes: 0/2.")
    parser.add_argument("--measure-only", action="store_true", help="Write no table.")
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results"))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    by_name = {path.stem: path for path in sorted(options.data.joinpath("ucr").glob("*.parquet"))}
    by_name |= {name: options.data / name for name in SEVERAL}
    chosen = list(by_name)[0::2]
    names = [name for name in by_name if name not in LEFT_OUT and (not options.sets or name in options.sets)]
    part, n_parts = map(int, options.part.split("/"))
    records = read_records(options.kept)
    for name in names[part::n_parts]:
        missing = {per: [arm for arm in (*OURS, *PEERS) if (name, per, arm) not in records] for per in LABELS}
        one = Comparison(by_name[name]) if any(missing.values()) else None
        for per, arms in missing.items():
            for line in one.measure(per, arms) if one else ():
                records[name, per, line["arm"]] = {**line, "right": np.asarray(line["right"])}
                if options.kept:
                    with options.kept.open("a") as file:
                        file.write(json.dumps({"set": name, **line}) + "\n")
            print(name, per, flush=True)
    if not options.measure_only:
        keep(options.results, HEADING, f"{machine.describe()}\n\n{render(records, names, chosen)}")


if __name__ == "__main__":
    main()
