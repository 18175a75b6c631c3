"""What scikit-learn users expect beside one class a row: embeddings, several labels, numbers, and no answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import is_classifier, is_regressor
from sklearn.pipeline import make_pipeline

import headstart as hs
from headstart.api.targets import read_classes

RNG = np.random.default_rng(0)
LEVELS = np.repeat([0.0, 3.0, 6.0], 12)
SERIES = RNG.normal(size=(36, 12)) * 0.3 + LEVELS[:, None] * np.linspace(0, 1, 12)
OPTIONS: dict[str, Any] = {"strategy": "linear-probe", "offline": True, "time": 60}


def test_embeddings_of_the_base_feed_another_estimator() -> None:
    from sklearn.linear_model import LogisticRegression

    labels = np.where(LEVELS > 1, "high", "low")
    pipeline = make_pipeline(hs.Adapter(abstain=True, **OPTIONS), LogisticRegression(max_iter=500)).fit(SERIES, labels)
    assert pipeline.score(SERIES, labels) > 0.9
    adapter = pipeline[0]
    odd = np.vstack([SERIES[:2], np.full((1, 12), np.nan), SERIES[:1] * -500])
    embeddings = adapter.transform(odd)
    assert embeddings.dtype == np.float32 and embeddings.shape[0] == 4
    assert np.isnan(embeddings).all(axis=1).tolist() == [False, False, True, False]
    with pytest.warns(UserWarning, match="1 of 4 inputs"):
        answers = adapter.predict(odd).tolist()
    assert answers[0] == "low" and answers[2] is None
    kinds = [document["kind"] for document in adapter.model_.answer(odd)]
    assert [answer is None for answer in answers] == [kind != "label" for kind in kinds]


def test_a_number_for_each_row() -> None:
    model = hs.AdapterRegressor(**OPTIONS).fit(SERIES, LEVELS + SERIES[:, 0] * 0.01)
    assert is_regressor(model) and not is_classifier(model)
    assert model.predict(SERIES).dtype == np.float64 and model.score(SERIES, LEVELS) > 0.8
    with pytest.raises(ValueError, match="one number a row"):
        hs.AdapterRegressor(**OPTIONS).fit(["a", "b"], [1.0, np.nan])


def test_several_labels_a_row_come_back_in_the_form_they_came() -> None:
    mask = np.column_stack([LEVELS > 1, LEVELS > 4, LEVELS < 1]).astype(int)
    model = hs.Adapter(**OPTIONS).fit(SERIES, mask)
    assert model.predict(SERIES).shape == model.predict_proba(SERIES).shape == (36, 3)
    assert model.classes_.tolist() == [0, 1, 2] and model.score(SERIES, mask) > 0.8


def test_lists_of_labels_are_columns_and_answers_tuples() -> None:
    lists = [["wet"], [], ["wet", "dry"], ["dry"]]
    read = read_classes(lists)
    targets = read.encode(read.values)
    assert targets.classes.tolist() == ["dry", "wet"] and targets.codes.tolist() == [[0, 1], [0, 0], [1, 1], [1, 0]]
    answers = np.array([("1",), (), ("0", "1"), None, ("0",)], dtype=object)
    decoded = targets.decode_sets(answers, np.array([True, True, True, True, False]))
    assert decoded.tolist() == [("wet",), (), ("dry", "wet"), None, None]
    assert targets.score(decoded, [*lists, ["dry"]]) == pytest.approx(0.6)
    assert np.isnan(targets.order_columns(np.array([[0.2], [np.nan]]), ["1"])).tolist() == [[False] * 2, [True] * 2]


@pytest.mark.parametrize("y", [["a", "b"], [1, 2], [[1], [2]], [[1, 0], [0, 1]], np.array([[1, 0], [0, 1]])])
def test_rows_of_numbers_are_no_lists_of_labels(y: Any) -> None:
    assert not read_classes(y).has_lists


def test_columns_hold_zero_and_one() -> None:
    with pytest.raises(ValueError, match="0 or 1"):
        read_classes([[1, 0], [0, 1]]).encode(np.array([[1, 2], [0, 1]]))
