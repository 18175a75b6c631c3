"""The space of a `classic` model of texts: TF-IDF in the few directions in which training rows vary most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from headstart.fitted_state import FittedState
from headstart.records import FloatMatrix, Index, list_held_out_folds
from headstart.strategies.baselines.classic import load
from headstart.strategies.baselines.settings import CLASSIC_TEXT
from headstart.strategies.baselines.text_encoding import NgramProjection, join_blocks
from headstart.strategies.fitted import FittedModel
from headstart.strategies.record import Fitted, OwnSpace, RepresentedFold, StrategyRows, Task
from headstart.strategies.text.tfidf import KINDS, Idf, Vectorizer, count_ngrams, normalise_texts

ROUNDING = 1e-6


def find_directions(rows: csr_matrix) -> FloatMatrix:
    """Return the directions of largest spread (n_columns, n_dims), as in latent semantic analysis.

    Parameters
    ----------
    rows : csr_matrix, shape (n_rows, n_columns)

    Notes
    -----
    Deerwester et al. 1990. Numbers are rounded as they are stored.

    Examples
    --------
    >>> abs(find_directions(csr_matrix([[2.0, 0.0], [0.0, 1.0]]))).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    strengths, vectors = np.linalg.eigh((rows @ rows.T).toarray().astype(np.float64))
    most = CLASSIC_TEXT.projection_cells // max(rows.shape[1], 1)
    most = int(np.clip(most, CLASSIC_TEXT.least_projection_dims, CLASSIC_TEXT.projection_dims))
    largest = np.flatnonzero(strengths > ROUNDING * max(float(strengths[-1]), ROUNDING))[::-1][:most]
    if len(largest) == 0:  # No row has a known n-gram.
        return np.zeros((rows.shape[1], 1), dtype=np.float32)
    directions = rows.T @ (vectors[:, largest] / np.sqrt(strengths[largest]))
    return np.asarray(directions.astype(np.float16), dtype=np.float32)


class NgramSpace:
    """The `headstart.strategies.record.OwnSpace` of models of n-grams."""

    def add_space(self, rows: StrategyRows, task: Task, fitted: Fitted) -> Fitted:
        """Return the model with a projection of its columns."""
        state = fitted.state()
        known = join_blocks(Vectorizer.load(state).blocks(rows.table.inputs))
        reach = _find_reach(_encode_folds(rows, task, state))
        arrays = {
            **state.arrays,
            "projection": find_directions(known).astype(np.float16),
            "reach": np.array([reach], dtype=np.float32),
        }
        restored: Any = load(FittedState(state.meta, arrays), task.classes)
        return FittedModel(restored.predictor, fitted.out_of_fold, fitted.notes)

    def hold_out(self, rows: StrategyRows, task: Task, fitted: Fitted) -> Iterator[RepresentedFold]:
        """Yield each fold in the space that the other folds give: n-grams, their idf and directions."""
        folds = list(_encode_folds(rows, task, fitted.state()))
        reach = _find_reach(folds)
        for fold in folds:
            projection = NgramProjection(fold.directions, reach)
            yield RepresentedFold(
                learnt=fold.learnt,
                held_out=fold.held_out,
                learnt_values=projection.apply(fold.learnt_rows),
                held_out_values=projection.apply(fold.held_out_rows),
            )


@dataclass(frozen=True, kw_only=True)
class _NgramFold:
    """Rows of TF-IDF that was fitted without a fold, and the directions of those outside the fold."""

    learnt: Index
    held_out: Index
    learnt_rows: csr_matrix
    held_out_rows: csr_matrix
    directions: FloatMatrix


def _encode_folds(rows: StrategyRows, task: Task, state: FittedState) -> Iterator[_NgramFold]:
    vectorizer = Vectorizer.load(state)
    texts = normalise_texts(rows.table.inputs, vectorizer.longest, vectorizer.composed)
    counts = [count_ngrams(texts, kind)[0] for kind in vectorizer.vocabularies]
    limits = [len(known) for known in vectorizer.vocabularies.values()]
    for fold in list_held_out_folds(task.folds):
        learnt, held_out = np.flatnonzero(task.folds != fold), np.flatnonzero(task.folds == fold)
        idf = [Idf.fit(block.take(learnt), most) for block, most in zip(counts, limits, strict=True)]
        learnt_rows, held_out_rows = (
            join_blocks([item.apply(block.take(part)) for item, block in zip(idf, counts, strict=True)])
            for part in (learnt, held_out)
        )
        yield _NgramFold(
            learnt=learnt,
            held_out=held_out,
            learnt_rows=learnt_rows,
            held_out_rows=held_out_rows,
            directions=find_directions(learnt_rows),
        )


def _find_reach(folds: Iterable[_NgramFold]) -> float:
    """Return the length that few held-out rows have more of outside the directions; the longest without such rows."""
    outside = [NgramProjection(fold.directions, 0.0).split(fold.held_out_rows)[1] for fold in folds]
    lengths = np.concatenate([np.empty(0, dtype=np.float32), *outside])
    longest = float(len(KINDS) ** 0.5)
    return float(np.quantile(lengths, 1 - CLASSIC_TEXT.outside_share, method="higher")) if len(lengths) else longest


OWN_SPACES: dict[str, OwnSpace] = {"text": NgramSpace()}
"""By modality. Images have descriptors, and series a small base, that tell rows apart."""
