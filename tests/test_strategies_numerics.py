"""The numerics below the strategies: scores, solver, cross-validation, text counts, ridge; against references."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse import random as random_sparse
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, f1_score
from sklearn.metrics import log_loss as sklearn_log_loss
from sklearn.preprocessing import StandardScaler

from headstart.strategies import blend, scoring
from headstart.strategies.baselines import text_encoding
from headstart.strategies.linear import cross_validation, glm, lda, links, ridge, temperature
from headstart.strategies.linear.cross_validation import StrengthSearch, fit_linear
from headstart.strategies.linear.head import RotatedRows, find_principal_axes, fit_head
from headstart.strategies.record import Clock, Task
from headstart.strategies.text import tfidf


def task_of(codes: np.ndarray, n_folds: int = 5, balance: str = "off") -> Task:
    classes = tuple(f"c{code:03d}" for code in range(int(codes.max()) + 1))
    return Task(
        classes=classes,
        codes=codes.astype(np.intp),
        folds=np.arange(len(codes)) % n_folds,
        balance=balance,
        seed=0,
        clock=Clock(600),
    )


def blobs(n: int, n_dims: int, n_classes: int, noise: float = 2.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.arange(n) % n_classes)
    mixing = rng.normal(size=(n_dims, n_dims)) * np.arange(1, n_dims + 1) ** -0.5
    values = (rng.normal(size=(n_classes, n_dims))[codes] + noise * rng.normal(size=(n, n_dims))) @ mixing + 5
    return values.astype(np.float32), codes


def scaled_columns(features: np.ndarray) -> np.ndarray:
    """Centre, and divide by the root of each column's variance plus the median one."""
    variance = features.astype(np.float64).var(axis=0)
    return np.asarray((features - features.mean(axis=0, dtype=np.float64)) / np.sqrt(variance + np.median(variance)))


@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize(("n", "n_dims"), [(200, 30), (60, 150)])
@pytest.mark.parametrize("strength", [1e-3, 0.1])
def test_the_regression_is_that_of_scikit_learn(n: int, n_dims: int, n_classes: int, strength: float) -> None:
    features, codes = blobs(n, n_dims, n_classes)
    encoding = RotatedRows(features, np.arange(n), find_principal_axes(features))
    targets = glm.encode_targets(codes, "softmax", n_classes)
    found = encoding.head(glm.fit_glm(encoding.matrix, targets, strength, weights=np.ones(n))).predict(features)
    scaled = scaled_columns(features)
    expected = LogisticRegression(C=strength, max_iter=10_000, tol=1e-9).fit(scaled, codes).predict_proba(scaled)
    np.testing.assert_allclose(found, expected, atol=2e-3)


@pytest.mark.parametrize(("n", "n_dims"), [(200, 30), (60, 150)])
def test_several_labels_are_as_many_regressions_of_scikit_learn(n: int, n_dims: int) -> None:
    features, codes = blobs(n, n_dims, 5)
    truth = np.column_stack([codes == 0, codes < 3, np.zeros(n)]).astype(np.float32)
    scaled = StandardScaler().fit_transform(features).astype(np.float32)
    targets = glm.encode_targets(truth, "logistic", 3)
    assert targets.columns.tolist() == [0, 1]
    solved = targets.widen(glm.fit_glm(scaled, targets, 0.05, weights=np.ones(n)))
    found = links.logistic(glm.compute_scores(scaled, solved))
    for label in (0, 1):
        model = LogisticRegression(C=0.05, max_iter=10_000, tol=1e-9).fit(scaled, truth[:, label])
        np.testing.assert_allclose(found[:, label], model.predict_proba(scaled)[:, 1], atol=2e-3)
    np.testing.assert_allclose(found[:, 2], 0.5 / (n + 1))


@pytest.mark.parametrize(("n", "n_dims"), [(200, 30), (60, 150)])
def test_numbers_are_the_ridge_regression_of_scikit_learn(n: int, n_dims: int) -> None:
    features, codes = blobs(n, n_dims, 5)
    truth = (1e5 + 300.0 * codes[:, None]).astype(np.float32)
    encoding = RotatedRows(features, np.arange(n), find_principal_axes(features))
    targets = glm.encode_targets(truth, "identity", 1)
    solved = targets.widen(glm.fit_glm(encoding.matrix, targets, 0.05, weights=np.ones(n)))
    scaled = scaled_columns(features)
    expected = Ridge(alpha=20.0).fit(scaled, truth).predict(scaled).reshape(-1, 1)
    np.testing.assert_allclose(encoding.head(solved, "identity").predict(features), expected, atol=1.0)


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    features, codes = blobs(120, 10, 3)
    kept = np.flatnonzero((codes != 0) | (np.arange(120) % 4 == 0))
    features, codes = features[kept], codes[kept]
    weights = scoring.compute_balanced_weights(codes)
    scaled = StandardScaler().fit_transform(features).astype(np.float32)
    solved = glm.fit_glm(scaled, glm.encode_targets(codes, "softmax", 3), 0.1, weights=weights)
    found = links.softmax(glm.compute_scores(scaled, solved))
    model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=10_000, tol=1e-9).fit(scaled, codes)
    np.testing.assert_allclose(found, model.predict_proba(scaled), atol=2e-3)


def test_sparse_rows_give_what_dense_rows_give() -> None:
    sparse = random_sparse(80, 300, 0.1, "csr", np.float32, random_state=0)
    codes = np.arange(80) % 4
    targets, weights = glm.encode_targets(codes, "softmax", 4), np.ones(80)
    one, other = (glm.fit_glm(rows, targets, 10.0, weights=weights) for rows in (sparse, sparse.toarray()))
    np.testing.assert_allclose(glm.compute_scores(sparse, one), glm.compute_scores(sparse.toarray(), other), atol=2e-2)
    span = text_encoding.RowSpan(sparse)
    np.testing.assert_allclose(span.matrix @ span.matrix.T, (sparse @ sparse.T).toarray(), atol=1e-4)
    shrunk = glm.fit_glm(span.matrix, targets, 10.0, weights=weights)
    plain = sparse @ span.to_columns(shrunk[:-1]) + shrunk[-1]
    np.testing.assert_allclose(plain, glm.compute_scores(sparse, one), atol=2e-2)


def test_one_row_a_class_is_fitted_without_a_warning() -> None:
    features, codes = blobs(30, 10, 30)
    head, learnt = fit_head(features, task_of(codes))
    assert np.isfinite(learnt.choice.out_of_fold).all()
    assert head.predict(features).shape == (30, 30)


def test_a_numeric_target_on_columns_that_depend_on_each_other_is_fitted_without_a_warning() -> None:
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(6_000, 8)) @ rng.normal(size=(8, 40))).astype(np.float32)
    features[:, -3:] = 0
    number = features[:, 0] + features[:, 1]
    task = replace(
        task_of(np.zeros(6_000)), classes=("y",), truth=number[:, None].astype(np.float32), kind="regression"
    )
    head, _ = fit_head(features, task)
    np.testing.assert_allclose(head.predict(features)[:, 0], number, atol=0.05)


@pytest.mark.parametrize("columns", [1, 3])
def test_numbers_far_from_zero_keep_their_mean(columns: int) -> None:
    rng = np.random.default_rng(0)
    truth = (1e6 + rng.normal(size=(50_000, columns))).astype(np.float32)
    features = rng.normal(size=(50_000, 2)).astype(np.float32)
    targets = glm.encode_targets(truth, "identity", columns)
    solved = targets.widen(glm.fit_glm(features, targets, 1.0, weights=np.ones(len(truth))))
    intercept = links.LINKS["identity"](glm.compute_scores(np.zeros((1, 2), np.float32), solved))[0]
    np.testing.assert_allclose(intercept, truth.mean(axis=0, dtype=np.float64), atol=0.01)


@pytest.mark.parametrize("rows", [np.zeros((20, 0), np.float32), csr_matrix((20, 0), dtype=np.float32)])
def test_rows_without_columns_get_the_frequencies(rows: object) -> None:
    codes, labels = np.arange(20) % 4 // 3, (np.arange(20) % 4 == 0).astype(np.float32)[:, None]
    for link, truth, n_outputs in (("softmax", codes, 2), ("logistic", labels, 1), ("identity", labels, 1)):
        targets = glm.encode_targets(truth, link, n_outputs)
        solved = targets.widen(glm.fit_glm(rows, targets, 1.0, weights=np.ones(20)))
        found = links.LINKS[link](glm.compute_scores(rows, solved))[0]
        np.testing.assert_allclose(found, [0.75, 0.25] if link == "softmax" else [0.25], atol=1e-3)


def test_the_chosen_strength_is_near_the_best_of_scikit_learn() -> None:
    features, codes = blobs(300, 60, 4, noise=4.0)
    task = task_of(codes)
    _, learnt = fit_head(features, task)
    features = features.astype(np.float64)
    losses = []
    for strength in np.logspace(-6, 2, 17):
        table = np.empty((300, 4))
        for fold in range(5):
            inside, held = task.folds != fold, task.folds == fold
            scaler = StandardScaler().fit(features[inside])
            model = LogisticRegression(C=strength, max_iter=5_000).fit(
                scaler.transform(features[inside]), codes[inside]
            )
            table[held] = model.predict_proba(scaler.transform(features[held]))
        losses.append(sklearn_log_loss(codes, table))
    assert scoring.log_loss(codes, learnt.choice.out_of_fold) < min(losses) * 1.02


def test_a_held_out_row_has_no_say_in_its_own_prediction() -> None:
    features, codes = blobs(50, 80, 2)
    task = task_of(codes)
    _, before = fit_head(features, task)
    moved = features.copy()
    moved[task.folds == 0] += 100.0
    search = StrengthSearch((before.choice.strength, before.choice.strength * 10), before.choice.strength)
    one = fit_linear(lambda rows: RotatedRows(features, rows, None), task, search).choice.out_of_fold
    other = fit_linear(lambda rows: RotatedRows(moved, rows, None), task, search)
    inside = np.flatnonzero(task.folds != 0)
    np.testing.assert_array_equal(RotatedRows(features, inside, None).matrix, RotatedRows(moved, inside, None).matrix)
    assert np.isfinite(one).all() and other.choice.out_of_fold.shape == one.shape


def test_many_rows_are_searched_on_some_folds_and_every_row_is_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross_validation, "LINEAR_CONFIG", replace(cross_validation.LINEAR_CONFIG, enough_rows=30))
    features, codes = blobs(100, 10, 3)
    search = StrengthSearch((1e-3, 1e-2, 1e-1), 1e-2)
    learnt = fit_linear(lambda rows: RotatedRows(features, rows, None), task_of(codes), search)
    assert np.isfinite(learnt.choice.out_of_fold).all()


def test_weights_are_kept_only_where_they_help_beyond_noise() -> None:
    codes = np.array([0] * 90 + [1] * 10)
    never, right = np.tile([0.9, 0.1], (100, 1)), np.eye(2)[codes]
    assert scoring.is_better_beyond_noise(codes, right, never, 0)
    assert not scoring.is_better_beyond_noise(codes, never, right, 0)
    assert not scoring.is_better_beyond_noise(codes, right, right, 0)
    barely = never.copy()
    barely[-1] = [0.1, 0.9]
    assert not scoring.is_better_beyond_noise(codes, barely, never, 0)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_the_selection_score_is_the_mean_of_accuracy_and_macro_f1(pairs: list[tuple[int, int]]) -> None:
    truth, guess = (np.array(part) for part in zip(*pairs, strict=True))
    expected = (accuracy_score(truth, guess) + f1_score(truth, guess, average="macro")) / 2
    assert scoring.selection_score(truth, np.eye(4)[guess]) == pytest.approx(expected)


def test_rows_without_a_prediction_do_not_count() -> None:
    table = np.array([[1.0, 0.0], [np.nan, np.nan], [1.0, 0.0]])
    assert scoring.selection_score(np.array([0, 1, 0]), table) == 1.0
    assert scoring.log_loss(np.array([0, 1, 0]), table) == pytest.approx(0)
    assert np.isnan(scoring.selection_score(np.array([0]), np.full((1, 2), np.nan)))


TEXTS = ["the red cat sat", "a Red dog", "the cat and the dog, the end", "", "cat"]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("characters", {"analyzer": "char_wb", "ngram_range": (2, 5)}),
        ("words", {"ngram_range": (1, 2), "token_pattern": r"[^\s!-/:-@\[-`{-~]+"}),
    ],
)
def test_weighted_counts_are_those_of_scikit_learn(kind: str, options: dict[str, object]) -> None:
    counts, pieces = tfidf.count_ngrams(tfidf.normalise_texts(TEXTS, 1000), kind)
    idf = tfidf.Idf.fit(counts, 10_000)
    ours = text_encoding._to_sparse(idf.apply(counts)).toarray()
    vectorizer = TfidfVectorizer(sublinear_tf=True, **options)
    theirs = vectorizer.fit_transform(TEXTS).toarray()
    order = [vectorizer.vocabulary_[pieces[column]] for column in idf.columns]
    assert len(order) == theirs.shape[1]
    np.testing.assert_allclose(ours, theirs[:, order], atol=1e-6)


def test_a_bounded_vocabulary_keeps_the_pieces_of_most_texts() -> None:
    counts, pieces = tfidf.count_ngrams(["a b", "a c", "a b"], "words")
    kept = tfidf.Idf.fit(counts, 2).columns
    assert [pieces[column] for column in kept] == ["a", "b"]


def test_texts_are_cut_to_what_memory_allows() -> None:
    assert tfidf.choose_text_length([5, 5, 5], 100) == 5
    assert tfidf.choose_text_length([100] * 10, 100) == 10
    assert tfidf.choose_text_length([], 100) == 1


def test_ridge_is_that_of_scikit_learn() -> None:
    for n, n_dims in ((60, 20), (30, 90)):
        features, codes = blobs(n, n_dims, 3)
        made = ridge._Ridge(features, np.arange(n), np.eye(3)[codes], np.ones(n))
        scaled = StandardScaler().fit_transform(features.astype(np.float64))
        model = Ridge(alpha=0.1 * made.unit).fit(scaled, np.eye(3)[codes])
        np.testing.assert_allclose(
            made.scores(made.cross_rows(np.arange(n)), made.solve(0.1)) + made.mean, model.predict(scaled), atol=2e-3
        )


def test_few_well_separated_rows_do_not_make_ridge_certain() -> None:
    scores, codes = np.eye(2)[[0, 1] * 5], np.array([0, 1] * 5)
    sure = links.softmax(scores / temperature.find_class_temperature(codes, scores)).max()
    assert 0.8 < sure < 0.97


def test_the_blend_is_no_worse_than_its_members() -> None:
    rng = np.random.default_rng(0)
    codes = np.arange(200) % 3
    first, second = (links.softmax(2 * np.eye(3)[codes] + rng.normal(0, 1.5, (200, 3))) for _ in range(2))
    shown = {"linear-probe": first, "classic": second}
    weights = blend.choose_weights(blend.HeldOutOutputs.collect(task_of(codes), shown, np.arange(200)))
    losses = [scoring.log_loss(codes, blend.pool_outputs(shown, {name: 1.0})) for name in shown]
    assert scoring.log_loss(codes, blend.pool_outputs(shown, weights)) <= min(losses)
    assert 0.2 < weights["classic"] < 0.8 and sum(weights.values()) == pytest.approx(1)


def test_one_wild_column_does_not_hide_the_others() -> None:
    features, codes = blobs(200, 20, 3, noise=0.5)
    wild = np.column_stack([features, 1e6 * np.random.default_rng(0).normal(size=200)]).astype(np.float32)
    for table in (features, wild):
        _, learnt = fit_head(table, task_of(codes))
        assert (learnt.choice.out_of_fold.argmax(axis=1) == codes).mean() > 0.95


@pytest.mark.parametrize(("n", "n_dims"), [(200, 12), (40, 60)])
@pytest.mark.parametrize("shrinkage", [0.1, 0.6])
def test_clouds_are_the_shrunk_discriminants_of_scikit_learn(n: int, n_dims: int, shrinkage: float) -> None:
    features, codes = blobs(n, n_dims, 3)
    space = lda.SpannedRows(features, np.arange(n))
    clouds = lda.ClassGaussians(lda.ClassMoments.measure(space.select_rows(False), codes, 3))
    scaled = scaled_columns(features)
    means = np.stack([scaled[codes == code].mean(axis=0) for code in range(3)])
    within = (scaled - means[codes]).T @ (scaled - means[codes]) / (n - 3)
    size = np.trace(within) / space.matrix.shape[1]
    shrunk = (1 - shrinkage) * within + shrinkage * size * np.eye(n_dims)
    model = LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=Known(shrunk), priors=np.full(3, 1 / 3))
    expected = model.fit(scaled, codes).predict_proba(scaled)
    head = space.head(clouds.solve(shrinkage), False, 1.0, np.full(3, np.log(1 / 3)))
    np.testing.assert_allclose(head.predict(features), expected, atol=2e-3)


class Known:
    """A covariance estimator of scikit-learn that has been told the answer."""

    def __init__(self, covariance_: np.ndarray) -> None:
        self.covariance_ = covariance_

    def fit(self, rows: np.ndarray) -> None:
        """Know it already."""


def test_moments_of_other_rows_can_be_taken_out_again() -> None:
    features, codes = blobs(50, 6, 3)
    whole, part = (lda.ClassMoments.measure(features[rows], codes[rows], 3) for rows in (slice(0, 50), slice(0, 20)))
    rest, expected = whole.plus(part, -1.0), lda.ClassMoments.measure(features[20:], codes[20:], 3)
    np.testing.assert_allclose(rest.counts, expected.counts)
    np.testing.assert_allclose(rest.sums, expected.sums, rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(rest.squares, expected.squares, rtol=1e-3)


def test_a_temperature_makes_an_overconfident_model_doubt() -> None:
    rng = np.random.default_rng(0)
    codes = np.arange(600) % 3
    scores = np.log(links.softmax(np.eye(3)[codes] + rng.normal(0, 1, (600, 3))))
    fair, loud = (temperature.find_class_temperature(codes, factor * scores) for factor in (1.0, 8.0))
    assert loud == pytest.approx(8 * fair, rel=0.15)


def test_constant_and_wild_columns_do_no_harm() -> None:
    features, codes = blobs(40, 5, 2, noise=0.3)
    odd = np.column_stack([features, np.full(40, 3.0), np.zeros(40), np.arange(40) * 1e6]).astype(np.float32)
    head, learnt = fit_head(odd, task_of(codes))
    assert np.isfinite(head.predict(odd)).all() and np.isfinite(learnt.choice.out_of_fold).all()
    assert (head.coefficients[5:7] == 0).all()
