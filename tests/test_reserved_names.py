"""Classes called noise, not sure ...: pointed out, answered as the user says, and never taken for an abstention."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headstart import data
from headstart.bundle import standalone
from headstart.bundle.records.decision_records import parse_rules
from headstart.checks.reserved_names import find_reserved_names
from headstart.decisions import ANSWER_WORDS, NONE, NOT_SURE, DecisionPolicy, SetRule, parse_costs, reserved_classes
from headstart.errors import OptionError
from headstart.flow.data_check.check import check
from headstart.flow.inference import answer_tables, answers
from headstart.options import AdaptOptions, CheckOptions, parse
from headstart.records import Predictions, Table, make_column
from headstart.spellings import fold_label

CLASSES = ("noise", "not sure", "potholes")
PAGE = Path(data.__file__).parents[1] / "web" / "static"


def table(*classes: str) -> Table:
    labels = [classes[row % len(classes)] for row in range(12)]
    return data.from_arrays([f"message {row}" for row in range(12)], labels)


def said(*shares: tuple[float, float, float]) -> Predictions:
    return Predictions(
        ids=make_column([str(at) for at in range(len(shares))]), classes=CLASSES, probabilities=np.array(shares)
    )


def rules(**values: object) -> DecisionPolicy:
    return replace(DecisionPolicy(sets=SetRule(0.9, (0.3,) * 3, (False,) * 3, 60)), **values)  # type: ignore[arg-type]


def test_reserved_classes_are_those_whose_name_says_so_unless_the_user_says_otherwise() -> None:
    classes = ("Noise", "_other", "potholes", "road, other")
    assert reserved_classes((), classes) == ("Noise", "_other")
    assert reserved_classes(("none",), classes) == ()
    assert reserved_classes(("potholes,noise",), classes) == ("Noise", "potholes")
    assert reserved_classes(("road, other",), classes) == ("road, other",)
    with pytest.raises(OptionError, match="did you mean 'potholes'"):
        reserved_classes(("pothole",), classes)


def test_a_class_that_will_be_answered_with_none_of_these_is_warned_of_with_the_way_out() -> None:
    (found,) = find_reserved_names(table("Noise", "potholes"), parse(AdaptOptions))
    assert found.severity == "warn" and len(found.rows) == 6
    assert "'Noise' (6 rows)" in found.summary and "'none of these', not with 'Noise'" in found.summary
    assert "--reserved none" in found.advice
    for asked in ("none", "noise", "potholes"):
        assert find_reserved_names(table("Noise", "potholes"), parse(AdaptOptions, reserved=asked)) == ()
    with pytest.raises(OptionError, match="no class 'rats'"):
        find_reserved_names(table("Noise", "potholes"), parse(AdaptOptions, reserved="rats"))


@pytest.mark.parametrize(
    "name", ["not sure", "Not  Sure", "NONE OF THESE", "Pas sûr", "pas su\u0302r", "Hakuna kati ya hizi"]
)
def test_a_class_called_as_an_answer_in_any_language_is_warned_of(name: str) -> None:
    (found,) = find_reserved_names(table(name, "potholes"), parse(AdaptOptions, reserved="none"))
    assert f"'{name}'" in found.summary and "`kind`" in found.advice


def test_the_words_of_the_page_are_known() -> None:
    messages = json.loads((PAGE / "messages.json").read_text("utf-8"))
    words = [{fold_label(word) for word in known} for known in ANSWER_WORDS]
    for language in messages.values():
        assert fold_label(language["not_sure"]) in words[0] and fold_label(language["none_of_these"]) in words[1]


def test_check_says_it_first(tmp_path: Path) -> None:
    rows = [f"message {row},{('noise', 'potholes')[row % 2]}" for row in range(20)]
    (tmp_path / "a.csv").write_text("text,label\n" + "\n".join(rows), encoding="utf-8")
    assert check(tmp_path / "a.csv", parse(CheckOptions, deep="off"))[1][0].kind == "reserved-class"
    found = check(tmp_path / "a.csv", parse(CheckOptions, deep="off", reserved="none"))[1]
    assert "reserved-class" not in {item.kind for item in found}


def test_rules_remember_which_classes_are_reserved() -> None:
    sure = said((0.98, 0.01, 0.01))
    assert rules().decide(sure, None).answers[0] == NONE
    for reserved, answer in (((), "noise"), (("potholes",), "noise"), (("noise",), NONE)):
        made = rules(reserved=reserved)
        again = DecisionPolicy.from_dict(json.loads(json.dumps(made.as_dict())), {})
        assert again.reserved == reserved and again.decide(sure, None).answers[0] == answer
        parse_rules(json.loads(json.dumps(made.as_dict())), {}, 3, single=True)
    old = rules().as_dict()
    del old["reserved"]
    assert DecisionPolicy.from_dict(old, {}).decide(sure, None).answers[0] == NONE


def test_costs_between_reserved_classes_are_those_of_the_user_s_reserved_classes() -> None:
    assert parse_costs([], CLASSES, 0.25, ("noise", "potholes")).matrix[0] == (0.0, 1.0, 0.0)
    assert parse_costs([], ("noise", "_other"), 0.25, ()).matrix == ((0.0, 1.0), (1.0, 0.0))


def test_the_class_not_sure_is_no_abstention() -> None:
    predictions = said((0.01, 0.98, 0.01), (0.0, 0.5, 0.5), (0.98, 0.01, 0.01))
    made = rules().decide(predictions, None)
    answered = answers.make_answers(predictions, made)
    documents = [answers.make_document(answer) for answer in answered]
    assert [answer.outcome for answer in answered] == ["answered", "not_sure", "none_of_these"]
    assert [item["answer"] for item in documents] == [NOT_SURE, NOT_SURE, NONE]
    assert [item["kind"] for item in documents] == ["label", "not_sure", "none_of_these"]
    assert [item["outcome"] for item in documents] == [answer.outcome for answer in answered]
    unusable = answers.make_unusable_document("classification", "why")
    assert unusable["kind"] == "unusable" and unusable["outcome"] is unusable["reason_code"] is None
    row = answer_tables.write_row("a", answered[0])
    assert row[-1] == "label" and answer_tables.list_columns("classification", CLASSES)[-1] == "kind"
    assert answer_tables.write_unusable_row("a", "why", "regression", ("kind",))[1:] == [
        "",
        "",
        "",
        "why",
        "",
        "",
        "unusable",
    ]


@pytest.mark.parametrize("reserved", [None, (), ("potholes",)])
def test_predict_py_answers_reserved_classes_as_the_rules_do(reserved: tuple[str, ...] | None, tmp_path: Path) -> None:
    made = rules(reserved=reserved)
    config = {"task": "classification", "modality": "series", "classes": CLASSES, "thresholds": [], "columns": {}}
    config["portable"] = {"ok": False, "reason": "only the rules are tried"}
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    (tmp_path / "decision.json").write_text(json.dumps(made.as_dict()), "utf-8")
    (tmp_path / "predict.py").write_text(standalone.build_script("series"), "utf-8")
    spec = importlib.util.spec_from_file_location("predict_of_reserved", tmp_path / "predict.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    predictions = said((0.01, 0.98, 0.01), (0.0, 0.5, 0.5), (0.98, 0.01, 0.01), (0.01, 0.01, 0.98))
    answered = answers.make_answers(predictions, made.decide(predictions, None))
    for at, shares in enumerate(predictions.probabilities):
        expected = answer_tables.write_row("a", answered[at])[1:]
        assert script.decide_row(shares, float("nan")) == expected
    assert script.list_columns() == answer_tables.list_columns("classification", CLASSES)


def test_the_page_reads_the_kind_and_guesses_nothing() -> None:
    page = "".join((PAGE / name).read_text("utf-8") for name in ("page.js", "answers.js", "history.js"))
    assert '"not sure"' not in page and '"none of these"' not in page and "answer.kind" in page
