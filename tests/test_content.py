"""Inputs that hold nothing to answer about: refused before the model, alike everywhere, and never wrongly."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import picture
from tests.contentless import CONTENTLESS, blur_edge, write_png

from headstart.checks.content import report_contentless_rows
from headstart.data import read_table
from headstart.decisions import DEFAULT_POLICY, DecisionPolicy, Reason, fit_content_limits
from headstart.flow.inference.answers import make_unusable_document
from headstart.flow.inference.reason_texts import describe_reason
from headstart.modalities import MODALITIES
from headstart.modalities.content import CONTENT_FAULTS, find_content_fault, measure_text_content
from headstart.modalities.settings import SETTINGS
from headstart.records import Predictions, make_column

LIMITS = {code: value for code, value in asdict(SETTINGS).items() if code in CONTENT_FAULTS}


def find_fault(modality: str, source: Any) -> str:
    value = np.asarray(source, np.float32) if modality == "series" else source
    return find_content_fault(MODALITIES[modality].measure_content(value, None), LIMITS)


@pytest.mark.parametrize("modality", list(CONTENTLESS))
def test_each_contentless_input_is_named_by_its_fault(modality: str) -> None:
    for code, sources in CONTENTLESS[modality].items():
        assert [find_fault(modality, source) for source in sources] == [code] * len(sources)
        document = make_unusable_document("classification", CONTENT_FAULTS[code])
        assert (document["outcome"], document["reason_code"]) == (None, code)
        assert describe_reason(Reason(code)) == CONTENT_FAULTS[code]  # type: ignore[arg-type]


def test_a_picture_is_refused_once_nothing_sharp_is_left() -> None:
    assert find_fault("image", write_png(blur_edge())) == "too_blurred"
    assert find_fault("image", write_png(picture(1, 0, 120))) == ""


@given(st.text(min_size=1), st.characters(categories=["L", "N", "So"]), st.text())
def test_one_letter_digit_or_emoji_is_enough(before: str, sign: str, after: str) -> None:
    assert measure_text_content(before + sign + after)["no_words"] == 1.0


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=2, max_size=20))
def test_a_series_is_constant_exactly_where_all_its_values_are_equal(values: list[float]) -> None:
    assert (find_fault("series", [values]) == "constant") == (len(set(np.asarray(values, np.float32).tolist())) == 1)


def test_a_limit_that_a_class_of_training_rows_breaks_is_not_used() -> None:
    sharp, black = {"too_dark": 200.0, "too_bright": 90.0}, {"too_dark": 0.0, "too_bright": 255.0}
    codes = np.repeat([0, 1], 300)
    few = [sharp] * 299 + [black] + [sharp] * 300
    assert set(fit_content_limits(few, codes)) == {"too_dark", "too_bright"}
    assert set(fit_content_limits([sharp] * 300 + [black] * 300, codes)) == {"too_bright"}
    assert fit_content_limits([{}] * 600, codes) == {}


def test_training_rows_without_content_are_reported(tmp_path: Path) -> None:
    for at in range(3):
        (tmp_path / "leaf").mkdir(exist_ok=True)
        picture(0, at).save(tmp_path / "leaf" / f"{at}.png")
    (tmp_path / "leaf" / "black.png").write_bytes(CONTENTLESS["image"]["too_dark"][0])
    (finding,) = report_contentless_rows(read_table(tmp_path))
    assert finding.kind == "no-content" and [Path(row).name for row in finding.rows] == ["black.png"]


def make_predictions(*best: float) -> Predictions:
    probabilities = np.asarray([[one, 1 - one - 0.1, 0.1] for one in best])
    return Predictions(
        ids=make_column([str(row) for row in range(len(best))]), classes=("a", "b", "_other"),
        probabilities=probabilities, task="classification", thresholds=(),
    )  # fmt: skip


def test_a_class_below_the_least_probability_is_no_answer() -> None:
    policy = DecisionPolicy(answer_below=0.5)
    decisions = policy.decide(make_predictions(0.6, 0.46), None)
    assert decisions.outcomes.tolist() == ["answered", "not_sure"]
    assert decisions.reasons[1].code == "below_least_probability"
    assert decisions.reasons[1].values == {"label": "a", "probability": pytest.approx(0.46), "least": 0.5}
    assert DEFAULT_POLICY.decide(make_predictions(0.46), None).outcomes.tolist() == ["answered"]


def test_both_rules_come_back_from_their_file_and_older_files_have_neither() -> None:
    policy = DecisionPolicy(answer_below=0.4, content_limits={"too_dark": 30.0})
    assert DecisionPolicy.from_dict(policy.as_dict(), {}) == policy
    older = {name: value for name, value in policy.as_dict().items() if name not in ("answer_below", "content")}
    assert DecisionPolicy.from_dict(older, {}) == replace(policy, answer_below=None, content_limits={})
