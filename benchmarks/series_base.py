"""Is our series base worth anything? Frozen features and a linear head, beside random weights and MiniRocket.

`python benchmarks/series_base.py [--data FOLDER] [--sets NAME ...] [--kept FILE] [--tuned 3m] [--results FILE]`

Official splits of the UCR sets and of the series of several channels: all training labels, and 5 and 1 a class in
three draws. Every arm has the same rows and the same head (that of `linear-probe`). `blend` is the mean of the
logarithms of the probabilities of encoder and MiniRocket, its weight (0, 1/4 ... 1) chosen by cross-validation on the
training rows, one half where there is 1 label a class. Test rows are only counted. Paired over sets: Wilcoxon's signed
ranks.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
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
from headstart.bases import BaseRequest, series_encoder
from headstart.modalities import MODALITIES, series
from headstart.options import ReadOptions
from headstart.pretraining.training import build_untrained
from headstart.strategies.linear.config import LINEAR_CONFIG
from headstart.strategies.linear.head import fit_head
from headstart.strategies.record import Clock, Task

BATCH, DRAWS, LABELS = 64, 3, (0, 5, 1)
SEVERAL = ("basic_motions", "epilepsy_motion", "japanese_vowels")
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
ARMS = ("random", "encoder", "minirocket", "blend")
PAIRS = (("encoder", "random"), ("encoder", "minirocket"), ("blend", "minirocket"))
AIM = 0.87
TUNED = ("linear-probe", "last-stages", "full")
HEAD_TUNED = "Series base: trained further"
HEAD = "Series base: frozen features and a linear head"


def features(name: str, train: Any, test: Any, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Run a base over training and test rows; "random" is the encoder before any training."""
    spec = series.derive_spec(list(train.inputs))
    modality = MODALITIES["series"]
    sample = [modality.prepare(modality.load(item, spec), spec)[0] for item in train.inputs[:500]]
    base = bases.load_base(
        "minirocket" if name == "minirocket" else "series-encoder",
        BaseRequest(modality="series", offline=True, seed=seed, sample=sample, spec=spec),
    )
    module = base.module() if base.module else None
    if name == "random":
        module = series_encoder.wrap_network(_untrained(seed))

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


def drawn(codes: np.ndarray, per: int, seed: int) -> np.ndarray:
    """Draw so many rows of each class, all of a smaller one; every row for 0."""
    order = np.random.default_rng(seed).permutation(len(codes))
    if not per:
        return np.arange(len(codes))
    return np.sort(np.concatenate([order[codes[order] == code][:per] for code in np.unique(codes)]))


def answers(train: np.ndarray, test: np.ndarray, task: Task, per: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Fit the head of `linear-probe`; log-probabilities of test rows, and out of fold where there are folds."""
    if per == 1:
        head, _ = fit_head(train, task, LINEAR_CONFIG.default_strength)
        return np.log(np.maximum(head.predict(test), 1e-9)), None
    head, learnt = fit_head(train, task)
    return (np.log(np.maximum(part, 1e-9)) for part in (head.predict(test), learnt.choice.out_of_fold))  # type: ignore[return-value]


def blended(found: Mapping[str, tuple[Any, Any]], codes: np.ndarray) -> np.ndarray:
    """Average two arms' log-probabilities with the weight that has the lowest log-loss out of fold."""
    (one, own), (two, other) = found["encoder"], found["minirocket"]
    weight = 0.5
    if own is not None:
        losses = {}
        for share in sorted(WEIGHTS, key=lambda item: abs(item - 0.5)):
            mixed = (1 - share) * own + share * other
            norm = np.log(np.exp(mixed).sum(axis=1))
            losses[share] = float(np.nanmean(norm - mixed[np.arange(len(codes)), codes]))
        weight = min(losses, key=lambda item: losses[item])
    return (1 - weight) * one + weight * two


def measure(path: Path, arms: tuple[str, ...]) -> dict[str, Any]:
    """Give the share of right answers of every arm, by labels a class; mean over draws."""
    whole = data.read_table(path, ReadOptions(modality="series"))
    train, test = whole.select_split("train"), whole.select_split("test")
    classes, codes = np.unique(train.labels.astype(str), return_inverse=True)
    truth = np.searchsorted(classes, test.labels.astype(str))
    made = {name: features(name, train, test, 0) for name in arms}
    found: dict[str, Any] = {"n_train": len(train), "n_test": len(test), "n_classes": len(classes)}
    for per in LABELS:
        right: dict[str, list[float]] = {name: [] for name in ARMS}
        for seed in range(DRAWS if per else 1):
            rows = drawn(codes, per, seed)
            folds = data.assign_folds(codes[rows], np.arange(len(rows)), 5, seed)
            task = Task(
                classes=tuple(classes), codes=codes[rows], folds=folds, balance="off", seed=seed, clock=Clock(np.inf)
            )
            said = {name: tuple(answers(made[name][0][rows], made[name][1], task, per)) for name in arms}
            for name, (answer, _) in said.items():
                right[name].append(float((answer.argmax(1) == truth).mean()))
            right["blend"].append(float((blended(said, codes[rows]).argmax(1) == truth).mean()))
        found[str(per)] = {name: float(np.mean(values)) for name, values in right.items()}
    return found


def shown(found: Mapping[str, Any]) -> str:
    """Make the tables: means and tests over sets, then every set."""
    lines: list[dict[str, object]] = []
    called = {"0": "all", "5": "5", "1": "1"}
    for per, word in called.items():
        means = {name: np.mean([item[per][name] for item in found.values()]) for name in ARMS}
        lines.append({"labels a class": word, **{name: f"{100 * mean:.1f}" for name, mean in means.items()}})
        for one, two in PAIRS:
            gaps = np.array([item[per][one] - item[per][two] for item in found.values()])
            p = wilcoxon(gaps).pvalue if np.any(gaps) else 1.0
            won, lost = int((gaps > 0).sum()), int((gaps < 0).sum())
            lines[-1][f"{one} - {two}"] = f"{100 * gaps.mean():+.1f} ({won} won, {lost} lost, p {p:.3f})"
    each = [
        {"set": name, "train / test": f"{item['n_train']} / {item['n_test']}", "classes": item["n_classes"]}
        | {f"{arm} {word}": f"{100 * item[per][arm]:.1f}" for per, word in called.items() for arm in ARMS}
        for name, item in sorted(found.items())
    ]
    said = f"{len(found)} sets. Accuracy on test rows in %; mean over sets, and over 3 draws."
    return f"{said}\n\n{table(lines)}\n\n{_aims(found)}\n\n{table(each)}"


def _aims(found: Mapping[str, Any]) -> str:
    """Say which aims are reached."""
    reached = {True: "reached", False: "not reached"}
    mean = np.mean([item["0"]["encoder"] for item in found.values()])
    lines = [f"- encoder alone at least {AIM:.0%} with all labels: {reached[bool(mean >= AIM)]} ({mean:.1%})"]
    for per, word in (("5", "5 labels a class"), ("1", "1 label a class"), ("0", "all labels")):
        gaps = np.array([item[per]["blend"] - item[per]["minirocket"] for item in found.values()])
        p = wilcoxon(gaps).pvalue if np.any(gaps) else 1.0
        above = gaps.mean() >= 0 if per == "0" else bool(gaps.mean() > 0 and p < 0.05)
        wanted = "not below" if per == "0" else "significantly above"
        lines.append(
            f"- blend {wanted} MiniRocket with {word}: {reached[bool(above)]} ({100 * gaps.mean():+.1f}, p {p:.3f})"
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
    parser.add_argument("--tuned", help="Instead, let `headstart adapt` train it on each set for so long: 3m.")
    parser.add_argument("--kept", type=Path, help="JSON file of sets that are done; it is gone on with.")
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results"))
    asked = parser.parse_args()
    paths = sorted(asked.data.joinpath("ucr").glob("*.parquet"), key=lambda path: path.stat().st_size)
    paths = [*(asked.data / name for name in SEVERAL), *paths]
    paths = [path for path in paths if not asked.sets or path.stem in asked.sets]
    if asked.tuned:
        keep(asked.results, HEAD_TUNED, f"{machine.describe()}\n\n{trained_further(paths, asked.tuned)}")
        return
    found = json.loads(asked.kept.read_text()) if asked.kept and asked.kept.is_file() else {}
    torch.set_num_threads(1)
    for path in paths:
        if path.stem in found:
            continue
        began = time.monotonic()
        found[path.stem] = measure(path, ARMS[:3])
        print(path.stem, f"{time.monotonic() - began:.0f} s", found[path.stem], flush=True)
        if asked.kept:
            asked.kept.write_text(json.dumps(found))
    keep(asked.results, HEAD, f"{machine.describe()}\n\n{shown(found)}")


if __name__ == "__main__":
    main()
