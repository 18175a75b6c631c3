"""Training the last blocks on activations kept at a cut, against running the frozen part for every batch.

`python benchmarks/tail.py SET ... [--data FOLDER] [--rows 300] [--results FILE]`: pictures or texts. Both train the
same blocks from the same start on the same rows, views and batches; what differs is where the tail's inputs come from.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import machine
import numpy as np
import torch
from tables import keep, table

from headstart import bases, data, features
from headstart.bases import cutting
from headstart.flow.base_choice.choose import state_need
from headstart.options import AdaptOptions
from headstart.strategies.fine_tuning import last_stages, search
from headstart.strategies.fine_tuning.live_rows import LiveRows
from headstart.strategies.fine_tuning.records import RowSource, TrainingVariant
from headstart.strategies.fine_tuning.trainer import Trainer
from headstart.strategies.record import Clock, StrategyRows, Task

EPOCHS = 3
AIM = 5.0


def problem(path: Path, n_rows: int) -> tuple[StrategyRows, Task]:
    """Read some training rows with their features."""
    options = AdaptOptions(offline=True)
    table_ = data.assign_splits(data.read_table(path, options), options).select_split("train")
    some = table_.take(np.sort(np.random.default_rng(0).permutation(len(table_))[:n_rows]))
    backbone = bases.load_base("default", state_need(some, options))
    made = features.extract_features(some, backbone, "float32", frozenset({"features"}))
    classes = tuple(sorted(set(some.labels)))
    codes = np.searchsorted(classes, some.labels.astype(str)).astype(np.intp)
    folds = data.assign_folds(codes, data.number_clusters(some, ()), 5, 0)
    task = Task(
        classes=classes,
        codes=codes,
        folds=folds,
        balance="off",
        seed=0,
        clock=Clock(1e6),
        spec=backbone.spec,
        architecture=backbone.parts.architecture,
        backbone=backbone,
        precision="float32",
    )
    return StrategyRows(some, made.features), task


def uncached(trainer: Trainer, n_tail: int) -> RowSource:
    """Rows decoded, augmented and sent through the frozen part anew for every batch, in torch."""
    assert trainer.base.module is not None
    halves = cutting.cut_network(trainer.base.module(), n_tail)
    assert halves is not None
    live = LiveRows(trainer.rows.table, trainer.base, 0.0)

    def batch(view: int, rows: Sequence[int]) -> tuple[torch.Tensor, ...]:
        arrays = live.load_batch(view, rows)
        with torch.no_grad():
            return (halves.trunk(*arrays)[0].half().float(), *arrays[1:])

    return RowSource(n_tail, trainer.n_views, batch)


def timed(make: Callable[[], RowSource], trainer: Trainer) -> tuple[float, float, float]:
    """Seconds to make the source, seconds an epoch, and accuracy on the fold held out."""
    began = time.perf_counter()
    source = make()
    making = time.perf_counter() - began
    task = trainer.task
    inside, held = np.flatnonzero(task.folds != 0), np.flatnonzero(task.folds == 0)
    began = time.perf_counter()
    made = trainer.train_variant(TrainingVariant(source, bool(source.n_views), EPOCHS), inside, held, (1.0,))
    learning = time.perf_counter() - began
    right = made.scores[1.0][0].argmax(axis=1) == task.codes[held]
    return making, learning / EPOCHS, float(right.mean())


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=["corn_leaf", "masakhanews/eng.csv"])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results"))
    asked = parser.parse_args(arguments)
    rows = []
    for name in asked.sets:
        given, task = problem(asked.data / name, asked.rows)
        trainer = Trainer(replace(last_stages.CONFIG, n_views=3), given, task)
        for n_tail in trainer.list_tails()[:1]:
            once, fast, kept = timed(lambda n=n_tail, s=trainer: search.make_source(s, n, np.inf), trainer)
            _, slow, anew = timed(lambda n=n_tail, s=trainer: uncached(s, n), trainer)
            rows.append(
                {
                    "set": name, "rows": len(given), "blocks trained": f"{n_tail} of {trainer.n_blocks}",
                    "frozen pass once, s": f"{once:.1f}", "cached, s an epoch": f"{fast:.2f}",
                    "uncached, s an epoch": f"{slow:.2f}", "ratio": f"{slow / fast:.1f}",
                    "accuracy cached": f"{100 * kept:.1f}", "accuracy uncached": f"{100 * anew:.1f}",
                }
            )  # fmt: skip
    said = (
        f"An epoch includes its share of judging the held-out fold once. Aim: a ratio of at least {AIM:.0f}, same "
        "accuracy (held-out fold; equal up to rounding to half precision and the runtime of the frozen part)."
    )
    keep(asked.results, "Tail on cached activations", f"{machine.describe()}\n\n{said}\n\n{table(rows)}")


if __name__ == "__main__":
    main()
