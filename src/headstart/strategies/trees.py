"""A forest of decision trees as plain arrays: grown by scikit-learn, stored and read without it, never pickled."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from headstart.fitted_state import FittedState
from headstart.records import FloatMatrix, Index
from headstart.strategies.settings import SETTINGS

LEAF = -1
ROWS_AT_ONCE = 256
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Forest:
    """Trees, one after the other; a node's children are named by their place among all nodes.

    Parameters
    ----------
    roots : Index, shape (n_trees,)
    feature : NDArray of int32, shape (n_nodes,)
        `LEAF` for leaves.
    threshold : NDArray of float32, shape (n_nodes,)
        Rows whose feature is at most this go left.
    children : NDArray of int32, shape (n_nodes, 2)
        Left and right.
    leaf : NDArray of int32, shape (n_nodes,)
        Row of `values` for a leaf.
    values : NDArray of float32, shape (n_leaves, n_outputs)
        Mean target of the training rows of each leaf.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    children: NDArray[np.int32]
    leaf: NDArray[np.int32]
    values: NDArray[np.float32]

    def predict(self, rows: FloatMatrix) -> Floats:
        """Return the mean over trees of the leaves' values: (n_rows, n_features) to (n_rows, n_outputs)."""
        outputs = np.empty((len(rows), self.values.shape[1]))
        for start in range(0, len(rows), ROWS_AT_ONCE):
            block = np.asarray(rows[start : start + ROWS_AT_ONCE], dtype=np.float32)
            for place, reached in enumerate(self._leaves(block)):
                outputs[start + place] = self.values[reached].mean(axis=0, dtype=np.float64)
        return outputs

    def _leaves(self, block: FloatMatrix) -> NDArray[np.int32]:
        """Return the rows of `values` that a block of rows reaches (n_rows, n_trees)."""
        node = np.tile(self.roots, (len(block), 1))
        row, tree = np.nonzero(self.feature[node] != LEAF)
        while len(row):
            now = node[row, tree]
            right = block[row, self.feature[now]] > self.threshold[now]
            node[row, tree] = after = self.children[now, right.astype(np.intp)]
            inside = self.feature[after] != LEAF
            row, tree = row[inside], tree[inside]
        return self.leaf[node]

    def state(self) -> FittedState:
        """Return the arrays."""
        return FittedState({}, {name: getattr(self, name) for name in self.__dataclass_fields__})

    @classmethod
    def load(cls, state: FittedState) -> Forest:
        """Restore what `state` gave."""
        return cls(**{name: state.arrays[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class ForestConfig:
    """Configuration of a forest: number of trees, the rows of the smallest leaf, the seed."""

    n_trees: int
    min_leaf: int = 1
    seed: int = 0


def _round_down(thresholds: Floats) -> NDArray[np.float32]:
    """Return thresholds rounded down, so that single-precision rows fall to the same side."""
    rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def grow_classifier(rows: FloatMatrix, codes: Index, weights: Floats | None, config: ForestConfig) -> Forest:
    """Fit extremely randomised trees (Geurts et al. 2006) for classes.

    Parameters
    ----------
    rows : FloatMatrix, shape (n_rows, n_features)
    codes : Index, shape (n_rows,)
    weights : Floats or None, shape (n_classes,)
        Weight of the rows of each class; None: equal.
    config : ForestConfig

    Returns
    -------
    Forest
        Its outputs are the classes that occur in `codes`, in their order.
    """
    grown = ExtraTreesClassifier(
        config.n_trees, criterion="entropy", max_features=SETTINGS.tree_feature_share, min_samples_leaf=config.min_leaf,
        random_state=config.seed,
    )  # fmt: skip
    with warnings.catch_warnings():  # Many classes of few rows each look like numbers to scikit-learn.
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        grown.fit(rows, codes, None if weights is None else weights[codes])
    return _make_forest([tree.tree_ for tree in grown.estimators_])


def grow_regressor(rows: FloatMatrix, targets: FloatMatrix, config: ForestConfig) -> Forest:
    """Fit extremely randomised trees for values, or for probabilities of labels.

    Parameters
    ----------
    rows : FloatMatrix, shape (n_rows, n_features)
    targets : FloatMatrix, shape (n_rows, n_outputs)
    config : ForestConfig
    """
    targets_for_fit = targets[:, 0] if targets.shape[1] == 1 else targets
    grown = ExtraTreesRegressor(
        config.n_trees,
        max_features=SETTINGS.tree_feature_share,
        min_samples_leaf=config.min_leaf,
        random_state=config.seed,
    ).fit(rows, targets_for_fit)
    return _make_forest([tree.tree_ for tree in grown.estimators_])


def _make_forest(trees: list) -> Forest:  # type: ignore[type-arg]  # scikit-learn's trees have no types
    """Join trees into one forest."""
    sizes = [tree.node_count for tree in trees]
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
    feature = np.concatenate([tree.feature for tree in trees])
    inside = np.concatenate([tree.children_left for tree in trees]) != LEAF
    children = [
        np.stack([tree.children_left, tree.children_right], axis=1) + root
        for tree, root in zip(trees, roots, strict=True)
    ]
    values = np.concatenate([np.squeeze(tree.value, axis=1 if tree.value.shape[1] == 1 else 2) for tree in trees])
    leaf = np.cumsum(~inside) - 1
    return Forest(
        roots=roots,
        feature=np.where(inside, feature, LEAF).astype(np.int32),
        threshold=_round_down(np.concatenate([tree.threshold for tree in trees])),
        children=np.where(inside[:, None], np.concatenate(children), 0).astype(np.int32),
        leaf=np.where(inside, 0, leaf).astype(np.int32),
        values=values[~inside].astype(np.float32),
    )
