"""The scikit-learn estimator keeps scikit-learn's promises, on numbers, texts, pictures and ragged series."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks
from tests.tiny import BASES

import headstart as hs
from headstart.api.keywords import AdaptKeywords, ReadKeywords
from headstart.bases.folder import write_folder
from headstart.errors import HeadstartError, OptionError
from headstart.options import AdaptOptions, ReadOptions

NOT_FOR_US = {
    "check_estimators_nan_inf": "missing values are filled, as in series read from files",
}


def expected_failures(estimator: Any) -> dict[str, str]:
    return NOT_FOR_US


@pytest.mark.filterwarnings("default")
@parametrize_with_checks([hs.Adapter(strategy="linear-probe", offline=True)], expected_failed_checks=expected_failures)
def test_the_estimator_passes_scikit_learns_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def messages() -> tuple[list[str], list[str]]:
    words = {"water": ["well", "pump", "tap", "borehole"], "roads": ["bridge", "road", "bus", "hole"]}
    return zip(
        *[(f"the {w} is bad {i}", label) for label, ws in words.items() for w in ws for i in range(4)], strict=True
    )  # type: ignore[return-value]


def test_texts_work_in_cross_validation_and_a_pipeline() -> None:
    texts, labels = messages()
    model = make_pipeline(FunctionTransformer(), hs.Adapter(strategy="linear-probe", offline=True))
    scores = cross_val_score(model, list(texts), list(labels), cv=3)
    assert scores.mean() > 0.65, "chance is one half; the held-out words were not seen in training"


def test_one_model_answers_several_threads_at_once_and_a_copy_of_it_as_well() -> None:
    texts, labels = messages()
    model = hs.Adapter(strategy="linear-probe", offline=True).fit(list(texts), list(labels)).model_
    expected = model.predict_proba(list(texts))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda some: some.predict_proba(list(texts)), [model, model, copy(model), model] * 3))
    assert all(np.array_equal(answer, expected) for answer in answers)


def test_it_can_be_searched() -> None:
    texts, labels = messages()
    search = GridSearchCV(hs.Adapter(strategy="linear-probe", offline=True), {"balance": ["on", "off"]}, cv=2)
    assert search.fit(list(texts), list(labels)).best_score_ > 0.6


def test_pictures_by_path_and_ragged_series(image_folder: Path) -> None:
    paths = sorted(image_folder.rglob("*.png"))
    labels = [path.parent.name for path in paths]
    model = hs.Adapter(strategy="linear-probe", offline=True).fit(paths, labels)
    assert model.score(paths, labels) > 0.9
    rng = np.random.default_rng(0)
    series = [
        np.sin(np.arange(20 + i % 5) * (0.3, 1.2)[i % 2])[None] + rng.normal(0, 0.1, (1, 20 + i % 5)) for i in range(24)
    ]
    labels = [i % 2 for i in range(24)]
    assert hs.Adapter(strategy="linear-probe", offline=True).fit(series, labels).score(series, labels) > 0.9


def test_groups_stay_together_in_its_folds() -> None:
    texts, labels = messages()
    model = hs.Adapter(strategy="linear-probe", offline=True)
    assert len(model.fit(list(texts), list(labels), groups=[i % 8 for i in range(len(texts))]).classes_) == 2
    assert set(model.model_.predict(list(texts))) <= {"roads", "water"}, "its model answers with the names of y"


@pytest.mark.parametrize("as_list", [False, True])
def test_axes_of_series_may_be_named(as_list: bool) -> None:
    labels = np.array(["dry", "wet"] * 8)
    series = np.random.default_rng(0).normal(size=(16, 12, 3)) + (labels == "wet")[:, None, None] * 3.0
    rows = list(series) if as_list else series
    model = hs.Adapter(strategy="classic", time=60, axes="time-first", offline=True).fit(rows, labels)
    columns = model.model_.bundle.input_columns
    assert columns is not None and (columns.n_channels, columns.most_steps) == (3, 12)
    assert np.mean(model.predict(rows) == labels) > 0.9


def test_axes_of_texts_are_refused() -> None:
    with pytest.raises(HeadstartError, match="--axes is for arrays of series"):
        hs.Adapter(axes="time-first").fit(["dry field", "wet field"] * 4, ["dry", "wet"] * 4)


def test_keywords_are_those_of_the_options() -> None:
    for keywords, options in ((ReadKeywords, ReadOptions), (AdaptKeywords, AdaptOptions)):
        assert set(keywords.__annotations__) | set(ReadKeywords.__annotations__) == set(options.model_fields)
    with pytest.raises(OptionError, match="no option tiem; did you mean time"):
        hs.adapt("nothing", tiem=3)  # type: ignore[call-arg]


def test_a_model_in_memory_shows_and_measures_itself(tmp_path: Path) -> None:
    words = {"water": "pump well dry tap leak", "school": "teacher lesson book pupil class"}
    rows = [(f"{' '.join(text.split()[n % 5 :])} {n}", label) for n in range(20) for label, text in words.items()]
    texts, labels = zip(*rows, strict=True)
    table = hs.read(list(texts), labels)
    assert "40 text rows" in repr(table) and "pump" not in repr(table)
    write_folder(BASES["text"]().parts, tmp_path / "base")
    base = f"file:{tmp_path / 'base'}"
    model = hs.adapt(table, base=base, strategy="linear-probe,majority", offline=True, audit="none", time="1m")
    assert repr(model).startswith("Model(classification of text: school, water") and "water" in model._repr_html_()
    assert "<table" in model.plot_confusion().html and "<table" in model.show_worst(3).html
    model.report(tmp_path / "report.html")
    assert "</html>" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert len(model.label_next(["the tap is dry", "new books"])["rows"]) == 2
    assert len(model.explain(["the tap is dry"])["explained"]) == 1
    assert copy(model)._base is None and len(copy(model).embed(["the tap is dry"])) == 1  # The bundle reads it, too.
    model.save(tmp_path / "bundle")
    loaded = hs.load(tmp_path / "bundle")
    assert (
        loaded.result is None and loaded.predict("the tap is dry").tolist() == model.predict("the tap is dry").tolist()
    )
    with pytest.raises(OptionError, match="loaded from a bundle"):
        loaded.show_worst()
