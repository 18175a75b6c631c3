"""Rows of a data set with their frozen features, for measurements that refit heads many times."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart import bases, data, features
from headstart.flow.base_choice.choose import state_need
from headstart.options import AdaptOptions
from headstart.records import TEST, TRAIN
from headstart.strategies.record import StrategyRows

MOST_TRAIN, MOST_TEST = 2_500, 1_000


@dataclass(frozen=True)
class Learnt:
    """Training rows first, then test rows; `codes` and `clusters` go with them."""

    rows: StrategyRows
    codes: np.ndarray
    clusters: np.ndarray
    classes: tuple[str, ...]
    n_train: int

    @property
    def values(self) -> np.ndarray:
        """The base's features."""
        assert self.rows.features is not None
        return self.rows.features.final


def read(path: Path, modality: str) -> Learnt:
    """Read at most 2,500 training and 1,000 test rows, by the official split, with the default base's features."""
    options = AdaptOptions(offline=True)
    whole = data.assign_splits(data.read_table(path, options), options)
    rng = np.random.default_rng(0)
    parts = [
        np.sort(rng.permutation(np.flatnonzero(whole.splits == name))[:most])
        for name, most in ((TRAIN, MOST_TRAIN), (TEST, MOST_TEST))
    ]
    some = whole.take(np.concatenate(parts))
    made = features.extract_features(some, bases.load_base("default", state_need(some, options)))
    kept = some.take(made.readable_rows)
    train = np.flatnonzero(kept.splits == TRAIN)
    classes = tuple(sorted(set(kept.labels[train])))
    test = np.flatnonzero((kept.splits == TEST) & np.isin(kept.labels.astype(str), classes))
    rows = StrategyRows(kept, made.features, made.descriptors).take(np.concatenate([train, test]))
    codes = np.searchsorted(classes, rows.table.labels.astype(str))
    return Learnt(rows, codes, data.number_clusters(rows.table), classes, len(train))
