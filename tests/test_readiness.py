"""Readiness: the level of a constructed result under each rule and task, the next step, and what a person reads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.errors import OptionError
from headstart.flow.scoring.commands import write_adapt_command
from headstart.flow.scoring.readiness import find_worst_group, judge_model, judge_result, require_known_figures
from headstart.flow.scoring.readiness_rules import RULES, JudgedModel
from headstart.flow.scoring.settings import READINESS
from headstart.options import AdaptOptions, parse
from headstart.options.requirements import REQUIRABLE, Requirement, parse_requirement
from headstart.report.people_words import format_surely_between
from headstart.report.ready import gather_readiness
from headstart.report.sentences.readiness import describe_next_step, describe_reason, describe_verdict
from headstart.report.words import format_share_range, round_outwards
from headstart.results import (
    READINESS_LEVELS,
    Abstention,
    BaseFigures,
    ClassFigures,
    Conformal,
    Figure,
    FindingRow,
    GroupColumn,
    GroupValue,
    LabelFigures,
    LearningCurve,
    Metrics,
    MultiLabelMetrics,
    NextStep,
    OrdinalMetrics,
    Readiness,
    ReadinessReason,
    RegressionMetrics,
    Result,
    RowCounts,
    StrategyResult,
    Verdict,
)
from headstart.task_types import TASK_TYPES

CLASSES = ("food", "health", "water")
LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")
FLAT = LearningCurve(metric="accuracy", shape="flat", outlook="small")


def figure(value: float, half: float = 0.03) -> Figure:
    return Figure(value=value, low=value - half, high=value + half)


def share(value: float) -> Figure:
    return Figure(value=value, low=max(0.0, value - 0.03), high=min(1.0, value + 0.03))


def classified(
    accuracy: float = 0.95, n_rows: int = 300, recalls: dict[str, tuple[float, int]] | None = None
) -> Metrics:
    parts = recalls if recalls is not None else dict.fromkeys(CLASSES, (accuracy, n_rows // 3))
    return Metrics(
        n_rows=n_rows, accuracy=share(accuracy), macro_f1=share(accuracy), balanced_accuracy=share(accuracy),
        log_loss=figure(0.3),
        per_class=[
            ClassFigures(label=name, support=n, precision=share(recall), recall=share(recall))
            for name, (recall, n) in parts.items()
        ],
    )  # fmt: skip


def food(recall: float, n_rows: int = 100) -> Metrics:
    return classified(recalls={"food": (recall, n_rows), "health": (0.95, 100), "water": (0.95, 100)})


def few(n_rows: int) -> Metrics:
    return classified(n_rows=n_rows, recalls=dict.fromkeys(CLASSES, (0.95, 20)))


def many(recall: float) -> Metrics:
    return classified(recalls=dict.fromkeys(LETTERS, (recall, 5)))


def graded(kappa: float | None = 0.95, **more: Any) -> OrdinalMetrics:
    return OrdinalMetrics(
        **classified(**more).model_dump(), quadratic_kappa=None if kappa is None else share(kappa),
        mean_grade_error=figure(0.2),
    )  # fmt: skip


def labelled(row_f1: float = 0.95, exact: float = 0.9, recall: float = 0.9, n_rows: int = 300) -> MultiLabelMetrics:
    parts = [
        LabelFigures(
            label=name, support=n_rows // 3, threshold=0.5, precision=share(recall), recall=share(recall),
            average_precision=share(recall),
        )
        for name in CLASSES
    ]  # fmt: skip
    return MultiLabelMetrics(
        n_rows=n_rows, macro_f1=share(row_f1), micro_f1=share(row_f1), mean_average_precision=share(row_f1),
        exact_match=share(exact), row_f1=share(row_f1), log_loss=figure(0.3), per_label=parts,
    )  # fmt: skip


def measured(r2: float = 0.9, error: float = 2.0, n_rows: int = 300) -> RegressionMetrics:
    errors = dict.fromkeys(
        ("mean_absolute_error", "root_mean_squared_error", "median_absolute_error", "absolute_error_90"),
        figure(error, 0.1 * error),
    )
    return RegressionMetrics(n_rows=n_rows, r2=figure(r2), spearman=figure(r2), **errors)


def abstaining(answered: float = 0.9, right: float | None = 0.97, n_rows: int = 300) -> Abstention:
    return Abstention(
        n_rows=n_rows, n_answered=round(answered * n_rows),
        shares={"label": share(answered), "not sure": share(1 - answered), "none of these": share(0)},
        accuracy_answered=None if right is None else share(right), accuracy_all=share(0.95), wrong=figure(3),
        referred=figure(5), refused=figure(5), risk_coverage=None, novelty=None, costs=None,
    )  # fmt: skip


def grouped(column: str = "language", measure: str = "accuracy", **values: tuple[Any, int]) -> GroupColumn:
    return GroupColumn(
        column=column, gap=None, gap_between=None, p_value=None, measure=measure,
        values=[
            GroupValue(value=name, n_rows=n, told=n >= 20, metrics=metrics if n >= 20 else None)
            for name, (metrics, n) in values.items()
        ],
    )  # fmt: skip


def languages(accuracy: float, n_rows: int = 27) -> GroupColumn:
    return grouped(sw=(classified(accuracy), n_rows), en=(classified(0.95), 48))


def covering(value: float) -> Conformal:
    return Conformal(
        n_rows=300,
        n_rows_learnt=500,
        stated=0.9,
        measured=share(value),
        method="marginal",
        below=share(value).high < 0.9,
    )


def finding(kind: str, severity: str = "warn", n_rows: int = 0) -> FindingRow:
    return FindingRow(kind=kind, severity=severity, n_rows=n_rows, rows=[], summary="", measure=None, advice="")


def model(task: str = "classification", metrics: Any = None, **more: Any) -> JudgedModel:
    good = {"classification": classified, "ordinal": graded, "multi-label": labelled, "regression": measured}
    right = 0.97 if TASK_TYPES[task].has_one_class else None
    return JudgedModel(
        **{
            "task": task,
            "classes": CLASSES if not TASK_TYPES[task].is_number else ("kilos",),
            "metrics": metrics if metrics is not None else good[task](),
            "abstention": abstaining(right=right),
            **more,
        }
    )


CASES: dict[str, tuple[JudgedModel, str, str]] = {
    "all is well": (model(), "ready", ""),
    "no test rows": (model(metrics=classified(n_rows=0, recalls={})), "not_ready", "no_test_rows"),
    "few test rows": (model(metrics=few(49)), "supervised", "few_test_rows"),
    "enough test rows": (model(metrics=few(50)), "ready", ""),
    "right .90 at the low end": (model(abstention=abstaining(right=0.931)), "ready", ""),
    "right just below .90": (model(abstention=abstaining(right=0.929)), "supervised", "answered_right"),
    "right just below .70": (model(abstention=abstaining(right=0.729)), "not_ready", "answered_right"),
    "half answered": (model(abstention=abstaining(answered=0.52)), "supervised", "answered"),
    "few answered": (model(abstention=abstaining(answered=0.15)), "not_ready", "answered"),
    "none answered": (model(abstention=abstaining(answered=0.0, right=None)), "not_ready", "answered"),
    "a weak class": (model(metrics=food(0.8)), "supervised", "worst_class"),
    "a class that is missed": (model(metrics=food(0.6)), "not_ready", "worst_class"),
    "a small class": (model(metrics=food(1.0, 19)), "supervised", "cannot_tell"),
    "a class without test rows": (
        model(metrics=classified(recalls={"health": (0.95, 100), "water": (0.95, 100)})),
        "supervised",
        "cannot_tell",
    ),
    "many small classes together": (model(classes=LETTERS, metrics=many(1.0)), "ready", ""),
    "many small bad classes": (model(classes=LETTERS, metrics=many(0.6)), "not_ready", "worst_classes_together"),
    "a weak group": (model(groups=[languages(0.7)]), "supervised", "worst_group"),
    "a group that is not served": (model(groups=[languages(0.26)]), "not_ready", "worst_group"),
    "a small group that was asked for": (
        model(groups=[languages(0.9, 7)], asked_columns=frozenset({"language"})),
        "supervised",
        "cannot_tell",
    ),
    "a small group of a column nobody asked for": (model(groups=[languages(0.9, 7)]), "ready", ""),
    "sets that hold too little": (model(conformal=covering(0.8)), "supervised", "coverage"),
    "sets that hold enough": (model(conformal=covering(0.88)), "ready", ""),
    "a few copies": (model(checks=[finding("duplicates-across-splits", n_rows=3)]), "ready", ""),
    "copies": (model(checks=[finding("duplicates-across-splits", n_rows=4)]), "supervised", "test_copies"),
    "many near copies": (
        model(checks=[finding("near-duplicates-across-splits", n_rows=31)]),
        "not_ready",
        "test_copies",
    ),
    "a shortcut": (model(checks=[finding("shortcut")]), "supervised", "shortcut"),
    "a note about a shortcut": (model(checks=[finding("shortcut", "note")]), "ready", ""),
    "not measured": (model(abstention=None), "supervised", "not_measured"),
    "grades": (model("ordinal"), "ready", ""),
    "grades that agree less": (model("ordinal", graded(kappa=0.7)), "supervised", "kappa"),
    "grades that do not agree": (model("ordinal", graded(kappa=0.5)), "not_ready", "kappa"),
    "grades off by one": (
        model("ordinal", graded(kappa=0.9, accuracy=0.75), abstention=abstaining(right=0.85)),
        "ready",
        "",
    ),
    "all of one grade": (model("ordinal", graded(kappa=None)), "supervised", "not_measured"),
    "labels": (model("multi-label"), "ready", ""),
    "labels that fit less": (model("multi-label", labelled(row_f1=0.8)), "supervised", "row_f1"),
    "labels seldom exact": (model("multi-label", labelled(exact=0.4)), "not_ready", "exact_match"),
    "a label that is missed": (model("multi-label", labelled(recall=0.45)), "not_ready", "worst_class"),
    "numbers": (model("regression"), "ready", ""),
    "numbers little better than the mean": (model("regression", measured(r2=0.3)), "not_ready", "explained"),
    "numbers somewhat better": (model("regression", measured(r2=0.6)), "supervised", "explained"),
    "numbers of a group far off": (
        model(
            "regression",
            groups=[grouped(measure="mean absolute error", sw=(measured(error=6.0), 30), en=(measured(), 90))],
        ),
        "not_ready",
        "worst_group_error",
    ),
    "ranges that hold too little": (model("regression", conformal=covering(0.7)), "supervised", "coverage"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_rule_gives_its_level_and_its_reason(name: str) -> None:
    judged, level, code = CASES[name]
    reasons = judge_model(judged)
    assert (reasons[0].level, "" if reasons[0].level == "ready" else reasons[0].code) == (level, code)
    assert all(describe_reason(reason, "text") for reason in reasons)


def test_every_task_has_rules_whose_figures_can_be_required() -> None:
    assert set(RULES) == set(TASK_TYPES)
    assert {rule.figure for rules in RULES.values() for rule in rules} | {"test rows"} == set(REQUIRABLE)
    for rule in (rule for rules in RULES.values() for rule in rules):
        ready, supervised = rule.bounds
        assert (ready < supervised) if rule.is_error else (ready > supervised)


@given(
    answered=st.floats(0, 1), right=st.floats(0, 1), recalls=st.lists(st.floats(0, 1), min_size=3, max_size=3),
    group=st.floats(0, 1), cover=st.floats(0, 1), n_rows=st.integers(1, 400), raised=st.integers(0, 6),
    gain=st.floats(0, 1),
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_raising_a_figure_never_lowers_the_level(
    answered: float,
    right: float,
    recalls: list[float],
    group: float,
    cover: float,
    n_rows: int,
    raised: int,
    gain: float,
) -> None:  # fmt: skip
    def judge(values: list[float], rows: int) -> int:
        judged = model(
            metrics=classified(n_rows=rows, recalls={name: (values[2 + at], 30) for at, name in enumerate(CLASSES)}),
            abstention=abstaining(values[0], values[1]),
            groups=[grouped(sw=(classified(values[5]), 30))],
            conformal=covering(values[6]),
        )
        return READINESS_LEVELS.index(judge_model(judged)[0].level)

    values = [answered, right, *recalls, group, cover]
    better = [value if at != raised else value + gain * (1 - value) for at, value in enumerate(values)]
    assert judge(better, n_rows) >= judge(values, n_rows)
    assert judge(values, n_rows + 60) >= judge(values, n_rows)


def test_requirements_raise_and_lower_the_bound_of_ready_alone() -> None:
    strict = judge_model(model(), [Requirement("answered right", 0.95)])
    assert (strict[0].level, strict[0].code, strict[0].bound, strict[0].is_required) == (
        "supervised", "answered_right", 0.95, True,
    )  # fmt: skip
    lax = judge_model(model(abstention=abstaining(answered=0.3)), [Requirement("answered", 0.1)])
    assert lax[0].level == "ready"
    assert judge_model(model(), [Requirement("test rows", 301)])[0].code == "few_test_rows"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("answered right>0.9", "is not like"),
        ("wisdom>=0.9", "there is no figure 'wisdom'"),
        ("answered right<=0.9", "takes >="),
        ("answered>=90", "a share"),
        ("test rows>=20", "50 or more"),
        ("worst group error<=0", "above 0"),
    ],
)
def test_a_requirement_that_cannot_be_is_refused_with_a_hint(text: str, problem: str) -> None:
    with pytest.raises(OptionError, match="--require") as error:
        parse(AdaptOptions, require=(text,))
    assert problem in error.value.problem


def test_a_figure_that_the_task_does_not_have_is_refused_with_those_it_has() -> None:
    require_known_figures("regression", ("explained>=0.9", "test rows>=80"))
    with pytest.raises(OptionError, match="no figure of the task regression") as error:
        require_known_figures("regression", ("answered right>=0.9",))
    assert error.value.hint == "Its figures: explained, answered, worst group error, test rows."


def test_a_requirement_may_be_written_in_percent_and_with_hyphens() -> None:
    assert parse_requirement(" Worst-Group ≥ 80 % ") == Requirement("worst group", 0.8)


def result_of(judged: JudgedModel, **more: Any) -> Result:
    result = Result(
        **{
            "modality": "text", "task": judged.task, "data": "my data.csv", "classes": list(judged.classes),
            "n_rows": RowCounts(train=225, test=75, set_aside=0),
            "class_counts": {name: {"train": 75, "test": 25} for name in judged.classes},
            "base": BaseFigures(
                name="all-minilm-l6-v2", modality="text", licence="Apache-2.0", pretrained=True, training_data="",
                known_biases="", sha256="", n_dims=384, fingerprint="f", runtime="torch",
            ),
            "chosen": "blend",
            "strategies": [
                StrategyResult(
                    name="blend", kind="transfer", summary="", test=judged.metrics, cross_validation=0.5, seconds=1.0
                )
            ],
            "verdict": Verdict(transfer="no evidence", strategy=None, against=None, difference=None),
            "confusion": None, "abstention": judged.abstention, "groups": list(judged.groups),
            "group_columns": sorted(judged.asked_columns), "checks": list(judged.checks), "seconds": {"total": 1.0},
            "seed": 0, "options": {"time": 480.0, "group": ["language"], "strategy": ["quick"]}, "versions": {},
            "created": "2026-01-01T00:00:00+00:00", **more,
        }
    )  # fmt: skip
    return result.model_copy(update={"readiness": judge_result(result, "out")})


SWAHILI = model(
    abstention=abstaining(answered=0.15, right=0.97),
    groups=[grouped(sw=(classified(0.26), 27), en=(classified(0.73), 48))],
)
ADAPT = "headstart adapt 'my data.csv' --group language"


def test_the_verdict_names_the_language_that_is_not_served_and_the_base_that_knows_it() -> None:
    readiness = result_of(SWAHILI).readiness
    assert readiness is not None
    assert readiness.worst_group is not None
    assert (readiness.worst_group.value, readiness.worst_group.better_value) == ("sw", "en")
    assert describe_verdict(readiness, "text") == (
        "Not ready. Of 100 messages it answers 15 and leaves 85 to a person. Its answers are right in 97 of 100 "
        "(surely between 94 and 100), tested on 45 messages. If it has to answer every one, worst for Swahili: right "
        "in 26 of 100 (surely between 23 and 29). For English it is right in 73 of 100 (surely between 70 and 76). Do "
        "not use it for Swahili."
    )
    assert (readiness.next.code, readiness.next.column, readiness.next.value) == (
        "other_base", "", "multilingual-e5-small",
    )  # fmt: skip
    assert readiness.next.command == f"{ADAPT} --base multilingual-e5-small --strategy quick --time 480s -o out"


def test_few_test_rows_are_counted_and_not_stretched_to_a_hundred() -> None:
    figure = Figure(value=4 / 15, low=0.1, high=0.5)
    reason = ReadinessReason(code="answered", level="not_ready", figure=figure, n_rows=15)
    assert describe_reason(reason, "image") == "Of 15 photos it answers 4 and leaves 11 to a person."


def test_a_kind_that_is_always_right_is_not_called_the_worst() -> None:
    right = ReadinessReason(
        code="answered_right", level="ready", figure=Figure(value=0.99, low=0.96, high=1.0), n_rows=281
    )
    sure = ReadinessReason(
        code="worst_class", level="supervised", value="one", figure=Figure(value=1.0, low=0.75, high=1.0), bound=0.8
    )
    worse = sure.model_copy(update={"value": "two", "figure": Figure(value=0.9, low=0.7, high=1.0)})
    step = NextStep(code="label_test_rows")
    unsure = Readiness(level="supervised", reasons=[sure, right], next=step)
    assert "Least is known of one: right in 100 of 100 (surely between 75" in describe_verdict(unsure, "image")
    both = describe_verdict(Readiness(level="supervised", reasons=[sure, worse, right], next=step), "image")
    assert "Worst for two: right in 90 of 100" in both and "one" not in both


@pytest.mark.parametrize(
    ("judged", "more", "code", "n_rows", "words"),
    [
        (model(), {}, "other_place", None, "test it where it will be used"),
        (
            model(groups=[grouped("clinic", a=(classified(0.5), 27), b=(classified(), 48))]),
            {},
            "label_group",
            90,
            "label another 90 messages of clinic a",
        ),
        (
            model(groups=[grouped("language", English=(classified(0.5), 27), sw=(classified(), 48))]),
            {},
            "label_group",
            90,
            "label another 90 messages of English",
        ),
        (model(metrics=food(0.5, 25)), {}, "label_class", 80, "label another 80 messages of food"),
        (model(metrics=food(1.0, 10)), {}, "label_class", 40, "label another 40 messages of food"),
        (
            model(metrics=few(40)),
            {"split_kind": "drawn", "n_rows": RowCounts(train=120, test=40, set_aside=0)},
            "label_more",
            40,
            "label another 40 messages, add",
        ),
        (
            model(metrics=few(40)),
            {"split_kind": "separate"},
            "label_test_rows",
            20,
            "label another 20 messages to test it on",
        ),
        (model(abstention=abstaining(right=0.5)), {}, "label_more", None, "nobody can tell how many"),
        (
            model(abstention=abstaining(right=0.5)),
            {"learning_curve": FLAT},
            "other_base",
            None,
            "compare other ready-made models",
        ),
        (
            model(abstention=abstaining(right=0.5), checks=[finding("label-errors", n_rows=12)]),
            {"learning_curve": FLAT},
            "look_at_labels",
            12,
            "look at 12 messages",
        ),
        (
            model(checks=[finding("duplicates-across-splits", n_rows=31)]),
            {},
            "remove_copies",
            31,
            "take these copies out",
        ),
        (model(checks=[finding("shortcut")]), {}, "look_at_shortcut", None, "test the model at another place"),
    ],
)
def test_the_next_step_is_made_from_the_worst_reason(
    judged: JudgedModel, more: dict[str, Any], code: str, n_rows: int | None, words: str
) -> None:
    readiness = result_of(judged, **more).readiness
    assert readiness is not None
    assert (readiness.next.code, readiness.next.n_rows) == (code, n_rows)
    assert words in describe_next_step(readiness.next, "text")
    assert readiness.next.command.startswith("headstart ")


def test_the_command_of_a_step_has_the_options_of_the_run() -> None:
    result = result_of(
        model(), options={"group": ["site"], "merge_labels": True, "base": "default", "also": "more.csv"}
    )
    assert (
        write_adapt_command(result, "out", {"duplicates": "drop", "also": None})
        == "headstart adapt 'my data.csv' --group site --merge-labels --duplicates drop -o out"
    )


def test_the_worst_class_stands_in_where_there_are_no_groups() -> None:
    worst = find_worst_group(model(metrics=classified(recalls={"food": (0.5, 25), "water": (0.9, 25)})))
    assert worst is not None
    assert (worst.column, worst.value, worst.measure) == ("", "food", "recall")


def test_the_page_shows_level_verdict_step_and_every_reason() -> None:
    result = result_of(SWAHILI)
    view = gather_readiness(result)
    assert view is not None
    assert result.readiness is not None
    assert view.level_name == "Not ready"
    assert view.verdict.startswith(view.level_name)
    assert [level for level, _ in view.reasons] == [item.level for item in result.readiness.reasons]
    assert "“Only with a person checking” takes surely 60 of 100 or more." in view.reasons[0][1]
    assert gather_readiness(result.model_copy(update={"readiness": None})) is None


@given(value=st.floats(-2, 2), digits=st.integers(0, 3))
def test_ends_of_intervals_are_rounded_outwards(value: float, digits: int) -> None:
    low, high = (float(round_outwards(100 * value, digits, end)) for end in ("low", "high"))
    assert low <= 100 * value + 1e-5
    assert high >= 100 * value - 1e-5
    assert high - low <= 10**-digits + 1e-9


def test_an_interval_reads_the_same_at_the_top_and_in_the_table() -> None:
    interval = Figure(value=0.9, low=0.7694, high=0.9604)
    assert format_share_range(interval) == "76–97"
    assert format_surely_between(interval) == "surely between 76 and 97"


def test_the_page_about_readiness_has_every_bound() -> None:
    page = (Path(__file__).parents[1] / "docs" / "explanation" / "readiness.md").read_text("utf-8")
    rows = re.findall(r"^\| ([a-z-]+) \| `([a-z0-9 ]+)` \| (.*) \| (.*) \|$", page, re.MULTILINE)
    expected = []
    for task, rules in RULES.items():
        bounds = {rule.figure: (rule.bounds, "at most" if rule.is_error else "at least") for rule in rules}
        expected += [(task, name, f"{word} {a:g}", f"{word} {b:g}") for name, ((a, b), word) in bounds.items()]
    assert rows == expected
    assert f"fewer than {READINESS.min_test_rows} test rows" in page
    assert f"more than {READINESS.many_classes} classes" in page
    assert all(f"more than {100 * share:g} % of the test rows" in page for share in READINESS.test_copies)
