"""`classic` for texts: TF-IDF of character n-grams and of words, then a linear model; no pre-trained network.

Which n-grams are kept, their idf and the regression are fitted inside each fold. Unlabelled texts, where there are
such, are counted for the idf. N-grams that occur together in them make rows similar that share no word (a linear
kernel: the model stays one coefficient per n-gram); cross-validation decides whether this is used.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from headstart.fitted_state import FittedState
from headstart.records import FloatMatrix, Index, Probabilities, list_held_out_folds
from headstart.strategies.baselines.settings import CLASSIC_TEXT
from headstart.strategies.baselines.text_encoding import (
    NgramProjection,
    TextDesign,
    TextEncoding,
    join_blocks,
    one_hot_classes,
)
from headstart.strategies.fitted import FittedModel
from headstart.strategies.linear import cost_model
from headstart.strategies.linear.config import LINEAR_CONFIG
from headstart.strategies.linear.cross_validation import WORKERS, FittedLinear, StrengthSearch, fit_linear
from headstart.strategies.linear.links import LINK_OF, LINKS
from headstart.strategies.record import CostForecast, StrategyRows, Task
from headstart.strategies.scoring import OBJECTIVES
from headstart.strategies.settings import SETTINGS
from headstart.strategies.text.cooccurrence import MOST_NGRAMS, Cooccurrence, align_columns
from headstart.strategies.text.tfidf import (
    KINDS,
    Vectorizer,
    choose_text_length,
    count_ngrams,
    normalise_texts,
)


@dataclass(frozen=True, kw_only=True)
class TextModel:
    """A vectorizer and a linear model on its columns, and a projection of these to few dimensions."""

    vectorizer: Vectorizer
    coefficients: NDArray[np.float32]
    intercept: NDArray[np.float32]
    link: str = "softmax"
    projection: NgramProjection | None = None

    def predict(self, rows: StrategyRows) -> Probabilities:
        """Return probabilities (n_rows, n_classes)."""
        if len(rows) == 0:
            return np.empty((0, len(self.intercept)))
        raw = join_blocks(self.vectorizer.blocks(rows.table.inputs)) @ self.coefficients
        return LINKS[self.link](raw + self.intercept)

    def represent(self, rows: StrategyRows) -> FloatMatrix | None:
        """Return rows in few dimensions; None where there are no such."""
        if self.projection is None:
            return None
        return self.projection.apply(join_blocks(self.vectorizer.blocks(rows.table.inputs)))

    def state(self) -> FittedState:
        """Return everything as plain data."""
        inner = self.vectorizer.state()
        arrays = {**inner.arrays, "coefficients": self.coefficients, "intercept": self.intercept}
        if self.projection is not None:
            arrays["projection"] = self.projection.directions.astype(np.float16)
            arrays["reach"] = np.array([self.projection.reach], dtype=np.float32)
        return FittedState({**inner.meta, "link": self.link}, arrays)

    @classmethod
    def load(cls, state: FittedState) -> TextModel:
        """Restore what `state` gave."""
        link = str(state.meta.get("link", "softmax"))  # The first bundles knew classes only.
        stored = state.arrays.get("projection")  # Where decisions read features of a base there is none.
        projection = (
            None if stored is None else NgramProjection(stored.astype(np.float32), float(state.arrays["reach"][0]))
        )
        return cls(
            vectorizer=Vectorizer.load(state),
            coefficients=state.arrays["coefficients"],
            intercept=state.arrays["intercept"],
            link=link,
            projection=projection,
        )


def fit(rows: StrategyRows, task: Task) -> FittedModel:
    """Fit TF-IDF and a linear model on the texts of `rows.table.inputs`."""
    inputs = rows.table.inputs
    longest = choose_text_length([len(text) for text in inputs])
    texts = normalise_texts(inputs, longest)
    counts, ngrams = zip(*(count_ngrams(texts, kind) for kind in KINDS), strict=True)
    column_share = min(1.0, CLASSIC_TEXT.max_coefficients / len(task.classes) / sum(MOST_NGRAMS.values()))
    most = [int(MOST_NGRAMS[kind] * column_share) for kind in KINDS]
    designs, all_ngrams = _list_designs(
        TextDesign(counts=counts, most=most, targets=one_hot_classes(task)),
        ngrams,
        _usable_cooccurrence(task, len(rows)),
    )
    linear_fit = _choose_design(designs, task)
    assert isinstance(linear_fit.encoding, TextEncoding)
    vocabularies, weights = {}, {}
    for kind, idf, known in zip(KINDS, linear_fit.encoding.idf, all_ngrams, strict=True):
        vocabularies[kind] = {known[column]: at for at, column in enumerate(idf.columns)}
        weights[kind] = idf.weights
    halves = linear_fit.encoding.to_columns(linear_fit.coefficients)
    cut = (f"read the first {longest} characters of each text",) if longest < max(map(len, inputs)) else ()
    model = TextModel(
        vectorizer=Vectorizer(longest, vocabularies, weights),
        coefficients=halves[0],
        intercept=halves[1],
        link=LINK_OF[task.kind],
    )
    notes = (*linear_fit.notes, *_describe_unlabelled(task, len(rows), linear_fit.encoding), *cut)
    return FittedModel(model, linear_fit.choice.out_of_fold, notes)


def _usable_cooccurrence(task: Task, n_rows: int) -> Cooccurrence | None:
    """Return the counts of unlabelled texts, if the rows are few enough."""
    return task.cooccurrence if task.cooccurrence is not None and n_rows <= SETTINGS.cooccurrence_max_labels else None


def _list_designs(
    plain: TextDesign, ngrams: Sequence[list[str]], cooccurrence: Cooccurrence | None
) -> tuple[tuple[TextDesign, ...], Sequence[list[str]]]:
    """Return the designs that cross-validation compares, and the n-grams of the columns."""
    if cooccurrence is None:
        return (plain,), ngrams
    known = [align_columns(cooccurrence, kind, own) for kind, own in zip(KINDS, ngrams, strict=True)]
    projection = np.concatenate(
        [*(cooccurrence.projection[kind] for kind in KINDS), np.zeros((1, cooccurrence.n_dims))]
    )
    wide = [replace(block, n_columns=len(item.ngrams)) for block, item in zip(plain.counts, known, strict=True)]
    mixes = CLASSIC_TEXT.mixes if cooccurrence.n_dims else (0.0,)
    shared = TextDesign(
        counts=wide, most=plain.most, targets=plain.targets, known=known, projection=projection.astype(np.float32)
    )
    designs = tuple(replace(shared, mix=mix) for mix in mixes)
    return designs, [item.ngrams for item in known]


def _choose_design(designs: Sequence[TextDesign], task: Task) -> FittedLinear:
    """Return the best fit by cross-validation; the first without folds."""
    tried = designs if len(list_held_out_folds(task.folds)) > 1 else designs[:1]
    fits = [
        fit_linear(
            partial(TextEncoding, ground), task, StrengthSearch(CLASSIC_TEXT.strengths, CLASSIC_TEXT.default_strength)
        )
        for ground in tried
    ]
    if len(fits) == 1:
        return fits[0]
    return min(fits, key=lambda item: float(np.nanmean(OBJECTIVES[task.kind].losses(task, item.choice.out_of_fold))))


def _describe_unlabelled(task: Task, n_rows: int, encoding: TextEncoding) -> tuple[str, ...]:
    """Return the note on what unlabelled texts were used for."""
    cooccurrence = _usable_cooccurrence(task, n_rows)
    if cooccurrence is None:
        return ()
    together = " and which go together" if encoding.span is not None and encoding.span.smooth is not None else ""
    return (f"{cooccurrence.n_texts:,} texts without labels told how common words are{together}",)


class _CountedRows(csr_matrix):  # type: ignore[misc]
    """Sparse rows that count how often they are multiplied."""

    n_products = 0

    def __matmul__(self, other: NDArray[np.float32]) -> NDArray[np.float32]:
        self.n_products += 1
        return np.asarray(super().__matmul__(other))


def _forecast_spanned(design: TextDesign, n_rows: int, timed: Task, task: Task) -> float:
    """Return the forecast seconds of few rows, expressed in their span: once a fold, cubic in the rows."""
    timing = cost_model.time_fold(partial(TextEncoding, design), timed, CLASSIC_TEXT.default_strength)
    n_folds = len(list_held_out_folds(task.folds))
    growth = n_rows * max(1, n_folds - 1) / max(1, n_folds) / timing.n_rows
    encoding = timing.encoding_seconds * growth**3 * (cost_model.count_turns(n_folds) + 1)
    return encoding + timing.fit_seconds * growth**2 * cost_model.count_fits(task)


def _forecast_sparse(design: TextDesign, n_rows: int, timed: Task, task: Task) -> float:
    """Return the forecast seconds of many rows: products grow with the rows, all other steps with the columns."""
    encodings: list[TextEncoding] = []

    def encode(rows: Index) -> TextEncoding:
        encoding = TextEncoding(design, rows, spanned=False)
        encoding.matrix = _CountedRows(encoding.matrix)
        encodings.append(encoding)
        return encoding

    timing = cost_model.time_fold(encode, timed, CLASSIC_TEXT.default_strength)
    matrix, n_outputs = encodings[0].matrix, len(task.classes)
    slopes = np.ones((timing.n_columns, timing.n_outputs), np.float32)
    scores = np.ones((timing.n_rows, timing.n_outputs), np.float32)
    n_products = matrix.n_products
    seconds = cost_model.measure_seconds(lambda: (matrix @ slopes, matrix.T @ scores), clock=cost_model.thread_clock())
    products = min(timing.fit_seconds, n_products * seconds)
    n_columns = min(sum(MOST_NGRAMS.values()), CLASSIC_TEXT.max_coefficients // n_outputs)
    other = (timing.fit_seconds - products) * n_columns / max(timing.n_columns, 1)
    fit = (products * n_rows / timing.n_rows + other) * n_outputs / timing.n_outputs
    return float(fit * cost_model.count_fits(task))


def forecast(rows: StrategyRows, task: Task) -> CostForecast:
    """Return the forecast cost of `fit`, from some of the texts."""
    inputs, n_rows = rows.table.inputs, len(rows)
    longest = choose_text_length([len(text) for text in inputs])
    spanned = n_rows <= LINEAR_CONFIG.largest_rotation
    sample = np.arange(0, n_rows, max(1, -(-n_rows // CLASSIC_TEXT.sample_texts)))
    started = time.process_time()  # What other programs take is no part of the forecast.
    texts = normalise_texts([inputs[row] for row in sample], longest)
    counts = [count_ngrams(texts, kind)[0] for kind in KINDS]
    counting = (time.process_time() - started) * n_rows / len(sample)
    design = TextDesign(counts=counts, most=[block.n_columns for block in counts])
    solving = (_forecast_spanned if spanned else _forecast_sparse)(design, n_rows, task.take(sample), task)
    n_encoded = len(list_held_out_folds(task.folds)) + 1
    turns = len(CLASSIC_TEXT.mixes) if _usable_cooccurrence(task, n_rows) else 1
    n_columns = min(sum(MOST_NGRAMS.values()), CLASSIC_TEXT.max_coefficients // len(task.classes))
    values = sum(len(block.values) for block in counts) / len(sample) * n_rows
    memory = 8.0 * values * (1 + WORKERS) + 20 * 8 * n_columns * len(task.classes)
    memory += 16.0 * n_rows**2 if spanned else 0.0
    return CostForecast(counting * (1 + CLASSIC_TEXT.encode_share * n_encoded * turns) + turns * solving, memory)
