"""Sentences of result.json: English texts that never change, other languages, and documents of older versions."""

from __future__ import annotations

import pytest

from headstart.report import fill_sentences, write_sentence
from headstart.report.messages import LANGUAGES, use_language
from headstart.report.sentences import WORDINGS, mark_sentence
from headstart.results import (
    Abstention,
    Advice,
    AttributeProbe,
    BaseChoice,
    BaseRanking,
    BeforeAfter,
    Calibration,
    ClassGap,
    ClassShare,
    Comparison,
    Conformal,
    Correction,
    Counterfactual,
    CurveForecast,
    CurvePoint,
    Drift,
    Figure,
    FlipShare,
    GapOrigin,
    GroupColumn,
    GroupValue,
    LeakageGap,
    LearningCurve,
    MitigatedCell,
    MitigatedFigures,
    Mitigation,
    PriorShift,
    RankedBase,
    Recalibration,
    Record,
    RegressionMetrics,
    Result,
    Slice,
    SliceGroup,
    SliceMistake,
    Slices,
    SliceShift,
    Verdict,
    VocabularyFit,
)  # fmt: skip


def figure(value: float, low: float, high: float) -> Figure:
    return Figure(value=value, low=low, high=high)


HALF, MORE, LESS = figure(0.5, 0.25, 0.75), figure(0.123, 0.021, 0.2), figure(-0.123, -0.2, -0.021)
ZERO = figure(0.0, -0.1, 0.1)
OFF = RegressionMetrics(
    n_rows=30, mean_absolute_error=figure(2.984, 2.5, 3.5), root_mean_squared_error=MORE, median_absolute_error=MORE,
    absolute_error_90=MORE, r2=None, spearman=None,
)  # fmt: skip
NEAR = OFF.model_copy(update={"mean_absolute_error": figure(0.0771, 0.05, 0.1)})
CELLS = [MitigatedCell(label="a", group="x", n_rows=9, before=LESS, after=MORE)]
CHANGED = MitigatedFigures(
    n_rows=1400, worst_before=HALF, worst_after=HALF, worst_gain=ZERO, mean_before=HALF, mean_after=HALF,
    mean_gain=ZERO, cells=CELLS,
)  # fmt: skip


def verdict(**values: object) -> Verdict:
    return Verdict.model_validate(
        {
            "transfer": "no evidence", "strategy": "blend", "against": "classic", "difference": None, "n_rows": 1400,
            "pretrained": True, "n_rows_needed": None, **values,
        }
    )  # fmt: skip


def conformal(**values: object) -> Conformal:
    return Conformal.model_validate(
        {
            "n_rows": 40,
            "n_rows_learnt": 9,
            "stated": 0.9,
            "measured": HALF,
            "method": "residuals",
            "below": True,
            **values,
        }
    )


def curve(**values: object) -> LearningCurve:
    points = [CurvePoint(labels=100, labels_per_class=None, n_draws=1, value=HALF)]
    forecast = [CurveForecast(labels=200, more_labels=1100, gain=MORE)]
    return LearningCurve.model_validate(
        {"metric": "accuracy", "shape": "flat", "n_rows": 12, "points": points, "forecast": forecast, **values}
    )


def column(**values: object) -> GroupColumn:
    listed = [GroupValue(value=name, n_rows=30, told=True, metrics=item) for name, item in (("A", NEAR), ("B", OFF))]
    return GroupColumn.model_validate(
        {
            "column": "site", "values": listed, "gap": MORE, "gap_between": ["A", "B"], "p_value": 0.004,
            "n_columns_compared": 2, "n_values": 2, "measure": "mean absolute error", **values,
        }
    )  # fmt: skip


def slice_of(**values: object) -> Slice:
    return Slice.model_validate(
        {
            "n_rows": 1400, "error": HALF, "elsewhere": MORE, "p_value": 0.0012, "n_test_rows": 3, "test_error": None,
            "test_elsewhere": None, "examples": [], "measure": "accuracy", "mistakes": [], **values,
        }
    )  # fmt: skip


def strong(label: str = "strong", *, tie: bool = False) -> RankedBase:
    return RankedBase(
        base=label, label=label, probe=MORE, head="linear-probe", logme=None, hscore=None, knn=None, log_loss=None,
        seconds=1.0, n_rows=1400, licence="mit", size_bytes=9, tie=tie, taken=label == "near" or not tie,
        unknown_share=None, pieces_per_word=None,
    )  # fmt: skip


def ranking(*bases: RankedBase, task: str = "classification") -> BaseRanking:
    return BaseRanking.model_validate({"ranking": list(bases), "left_out": [], "task": task})


def fit(knowledge: str, sign: str, share: float, base: str = "small", **values: object) -> VocabularyFit:
    facts = {"n_words": 900, "unknown_share": 0.12, "pieces_per_word": 2.4, "script": "Ethiopic", **values}
    return VocabularyFit.model_validate(
        {"base": base, "knowledge": knowledge, "sign": sign, "known_words_share": share, **facts}
    )


def choice(reason: str, taken: str, *fits: VocabularyFit, **values: object) -> BaseChoice:
    facts = {"default": "small", "other": "many", "taken": taken, "reason": reason, "task": "classification", **values}
    return BaseChoice.model_validate({**facts, "fits": list(fits)})


ENGLISH: list[tuple[Record, str]] = [
    (
        choice("language", "small", fit("known", "words", 0.92)),
        "small knows the language of these texts: it holds 92 of 100 longer words whole.",
    ),
    (
        choice("few-words", "small", fit("unclear", "few-words", 0.0)),
        "These texts have too few words to tell their language; small is the default.",
    ),
    (
        choice("not-installed", "small", fit("unknown", "words", 0.1), install="pip install x", size_bytes=72_000_000),
        "small does not know the language of these texts: it holds 10 of 100 longer words whole. This language needs "
        "many: 72 MB, pip install x",
    ),
    (
        choice("not-installed", "small", fit("unclear", "tokens", 0.9), install="pip install x", size_bytes=72_000_000),
        "small knows the language of these texts, but not 12\N{NARROW NO-BREAK SPACE}% of the signs that they are "
        "made of. many may know it better: 72 MB, pip install x",
    ),
    (
        choice(
            "tie", "many", fit("unknown", "script", 0.0), fit("unclear", "words", 0.21, "many"), lead=ZERO, n_rows=200
        ),
        "small does not know the script of these texts (Ethiopic). many, made for about 100 languages, knows it better "
        "(21 of 100). On 200 training rows in cross-validation, many is right 0.0 points more often than small (95 % "
        "interval −10.0 to 10.0). That is within noise, so the language decides: many is taken.",
    ),
    (
        choice(
            "probe", "small", fit("unclear", "words", 0.6), fit("unknown", "words", 0.1, "many"), lead=LESS,
            n_rows=200, task="regression",
        ),
        "small knows the language of these texts in part: it holds 60 of 100 longer words whole. many, made for about "
        "100 languages, knows no more of its words (10 of 100). On 200 training rows in cross-validation, small takes "
        "away 12.3 points more of the error than many (95 % interval 2.1 to 20.0). small is taken.",
    ),
    (
        strong().model_copy(
            update={"vocabulary": fit("unknown", "words", 0.1), "knn": 0.4, "knn_chance": 0.35, "agreement": "little"}
        ),
        "small does not know the language of these texts: it holds 10 of 100 longer words whole. For 40 of 100 rows "
        "the rows that it finds most alike have the same label (35 by always saying the most frequent one). It sees "
        "little of what matters here; expect less help from it.",
    ),
    (
        strong().model_copy(update={"knn": 0.9, "knn_chance": 0.5, "agreement": "much"}),
        "For 90 of 100 rows the rows that it finds most alike have the same label (50 by always saying the most "
        "frequent one). It sees much of what matters here.",
    ),
    (
        strong().model_copy(update={"knn": 0.65, "knn_chance": 0.5, "agreement": "some"}),
        "For 65 of 100 rows the rows that it finds most alike have the same label (50 by always saying the most "
        "frequent one). It sees some of what matters here.",
    ),
    (
        choice("no-time", "small", fit("unknown", "tokens", 0.0)),
        "small does not know 12\N{NARROW NO-BREAK SPACE}% of the signs that these texts are made of. There was too "
        "little time to compare it with many; more time allows it (--time).",
    ),
    (
        verdict(difference=MORE, transfer="helped"),
        "On 1,400 test rows the adapted model (blend) was right 12.3 points more often than the best model without "
        "pre-training (classic); the 95 % interval is 2.1 to 20.0 points, so transfer helped.",
    ),
    (
        verdict(difference=LESS, transfer="hurt", measure="quadratic kappa", n_rows=1),
        "On 1 test row the quadratic kappa of the adapted model (blend) was 0.123 lower than that of the best model "
        "without pre-training (classic); the 95 % interval is −0.2 to −0.021, so transfer hurt.",
    ),
    (
        verdict(difference=ZERO, measure="macro-F1", n_rows_needed=0),
        "On 1,400 test rows the macro-F1 of the adapted model (blend) was the same as that of the best model without "
        "pre-training (classic); the 95 % interval is −10.0 to 10.0 points, which includes no difference, so there is "
        "no evidence that transfer helped or hurt. More test rows would show whether the difference is real.",
    ),
    (
        verdict(difference=MORE, measure="mean absolute error", strategy_error=1.0, against_error=1.123,
                pretrained=False),
        "On 1,400 test rows the model on the untrained base (blend) was off by 0.123 less on average than the best "
        "model without it (classic) (1 against 1.12, in the unit of the label); the 95 % interval of its advantage is "
        "0.021 to 0.2. Nothing pre-trained was used, so this says nothing about transfer.",
    ),
    (
        verdict(n_rows=0, pretrained=False),
        "There were no test rows, so it cannot be said whether transfer helped. Nothing pre-trained was used either.",
    ),
    (
        verdict(n_rows=1200),
        "The 1,200 test rows belong together, which says nothing of others, so it cannot be said whether transfer "
        "helped.",
    ),
    (
        Calibration(n_rows=1400, error=MORE, overconfidence=LESS, brier=HALF, bins=[], mean_probability=0.754,
                    share_right=0.9),
        "On 1,400 test rows it gave its answers a probability of 75 % on average, and 90 % of them were right: it is "
        "right more often than it says. Its probabilities are typically off by 12 points (95 % interval 2 to 20).",
    ),
    (
        Correction(method="temperature", temperature=1.5, gain=0.01234, n_rows=9),
        "Made less sure by one factor (temperature 1.50), which saved 0.012 nats a row on training rows held out; no "
        "answer changes.",
    ),
    (
        conformal(width=2.5),
        "Of 40 test rows 50 % lie in the range given (95 % interval 25 to 75); stated were 90 %. A range is 2.5 wide. "
        "That is less often than stated: do not rely on it.",
    ),
    (
        conformal(method="marginal", mean_size=figure(1.0, 1.0, 1.0), below=False),
        "Of 40 test rows 50 % have their true class in the set given (95 % interval 25 to 75); stated were 90 %. A set "
        "holds 1 class on average.",
    ),
    (
        Abstention(
            n_rows=1400, n_answered=9, shares={"label": HALF, "not sure": MORE, "none of these": ZERO},
            accuracy_answered=HALF, accuracy_all=MORE, wrong=None, referred=HALF, refused=HALF, risk_coverage=None,
            novelty=None, costs=None,
        ),
        'Of 1,400 test rows 50 % get an answer, 12 % "not sure" and 0 % "none of these". Of the answers 50.0 % are '
        "right (95 % interval 25.0 to 75.0); if every row had to be answered it would be 12.3 %.",
    ),
    (
        column(),
        "For site B the model was off by 2.98 on average, for site A 0.0771: a gap of 0.123 (95 % interval 0.021 to "
        "0.2); "
        "chance alone gives such a gap in 4 of 1,000 cases (corrected for the 2 columns compared), so it is very "
        "likely real.",
    ),
    (
        column(gap=ZERO, p_value=0.3, n_columns_compared=1),
        "For site B the model was off by 2.98 on average, for site A 0.0771: a gap of 0 (95 % interval −0.1 to 0.1); "
        "chance alone gives such a gap in 30 of 100 cases, so this is no evidence that the groups differ; 0.1 is not "
        "ruled out either.",
    ),
    (
        column(gap=None, gap_between=None, p_value=None, values=[], n_values=1400, has_numeric_values=True),
        "Not compared: 1,400 values with few rows each; they only keep rows together. To compare ages or days, write "
        "bands (0-17, 18-59, 60+) into a column.",
    ),
    (
        ClassGap(label="x", between=["a", "b"], found=[0.75, 0.25], n_rows=[1400, 20], gap=MORE, p_value=0.00051,
                 n_classes=2),
        "Class 'x' is found 12.3 points more often in 'a' (a: 75 % of 1400 rows, b: 25 % of 20 rows; 95 % interval 2.1 "
        "to 20.0): the answer leans on the group itself, or rows of this class are harder in the other (p = 0.0005).",
    ),
    (
        AttributeProbe(name="brightness", kind="property", values=["high", "low"], n_rows=1400, chance=0.5, frozen=HALF,
                       adapted=MORE, answers=None, without_base=HALF),
        "No evidence that whether a row is high or low in brightness can be read off the frozen features: 50 % (25 to "
        "75 %), guessing gives 50 %; off the adapted ones 12 % (2 to 20 %), off simple descriptors without the base 50 "
        "% (25 to 75 %); 1,400 rows.",
    ),
    (
        GapOrigin(column="site", between=["a", "b"], measure="accuracy", n_rows=1400, without_base=ZERO,
                  without_base_strategy="classic", frozen=MORE, chosen=HALF, brought=MORE, adaptation=ZERO),
        "site: between 'a' and 'b' (1,400 test rows) the gap is 50.0 points (95 % interval 25.0 to 75.0); with the "
        "frozen base it was 12.3 points (95 % interval 2.1 to 20.0); without any base (classic) 0.0 points (95 % "
        "interval −10.0 to 10.0). The base widened it, by 12.3 points (95 % interval 2.1 to 20.0). Whether adapting it "
        "changed it cannot be told: change 0.0 points (95 % interval −10.0 to 10.0).",
    ),
    (
        Counterfactual(
            name="darker", says="made 30 % darker", n_rows=1400, flips=MORE, without_base_strategy="classic",
            without_base_flips=HALF, parts=[FlipShare(column="", value="x", n_rows=40, flips=HALF)],
        ),
        "Of 1400 test rows made 30 % darker, 12 % (2 to 20 %) got another answer; with classic, which uses no base, 50 "
        "% (25 to 75 %). Most for class 'x': 50 % (25 to 75 %) of 40.",
    ),
    (
        slice_of(
            mistakes=[SliceMistake(label="a", answer="b", n_rows=4)],
            frequent_groups=[SliceGroup(column="site", value="hill", share=0.8, elsewhere=0.1)],
            shifted_properties=[SliceShift(name="brightness", is_higher=False, median=0.25, elsewhere=0.5)],
        ),
        "On 1400 similar training rows it was wrong on 50 % (25 to 75 %), elsewhere 12 % (2 to 20 %); p = 0.001, "
        "corrected for all clusters tried. On test rows: cannot tell (3 rows of this kind). Most frequent: a taken for "
        "b (4). What these rows have in common: site hill (80 % against 10 %), brightness lower (0.25 against 0.5).",
    ),
    (
        slice_of(measure="mean absolute error", test_error=MORE, test_elsewhere=HALF, n_test_rows=30),
        "On 1400 similar training rows it was on average off by 0.5 (0.25 to 0.75), elsewhere off by 0.123 (0.021 to "
        "0.2); p = 0.001, corrected for all clusters tried. On the 30 test rows of this kind: off by 0.123 (0.021 to "
        "0.2), other test rows off by 0.5 (0.25 to 0.75), so the test rows do not confirm it.",
    ),
    (
        Slices(n_rows=1400, n_clusters=14, measure="accuracy", found=[slice_of()], has_features=True),
        "Among 14 clusters of similar rows (1,400 training rows, predicted out of fold), 1 fails more often than "
        "chance and the mix of classes explain.",
    ),
    (
        Slices(n_rows=60, n_clusters=0, measure="accuracy", has_features=True, n_rows_needed=100),
        "Cannot tell whether there are kinds of rows on which it fails (60 independent training rows; it takes 100 "
        "rows).",
    ),
    (
        Mitigation(way="group-balance", columns=["site"], before="blend", after="balanced-probe", out_of_fold=CHANGED,
                   test=CHANGED, kept=False, mean_may_lose=0.0, n_rows_needed=5),
        "Out of fold, on training rows, (1,400 rows) the worst group went from 50 % right (a, x) to 50 % (a, x), a "
        "change of 0.0 points (95 % interval −10.0 to 10.0), and all rows from 50 % to 50 %; on the test rows (1,400 "
        "rows) the worst group went from 50 % right (a, x) to 50 % (a, x), a change of 0.0 points (95 % interval −10.0 "
        "to 10.0), and all rows from 50 % to 50 %. It was not kept, because out of fold the worst group did not gain; "
        "blend stays the model.",
    ),
    (curve(outlook="clear"), "1,100 more labels of this kind: +2 to +20 points of accuracy."),
    (
        curve(outlook="open", metric="mean absolute error"),
        "Whether more labels would help cannot be told yet: 1,100 more may bring -40 to -4 % of the mean absolute "
        "error.",
    ),
    (
        curve(outlook="few-rows", points=[], forecast=[]),
        "How much more labels would help was not measured: 12 training rows are too few.",
    ),
    (
        ranking(strong()),
        "strong is the only one that could be tried: it is right on 12.3% (2%-20%) of 1400 training rows in "
        "cross-validation.",
    ),
    (
        ranking(strong(tie=True), strong("near", tie=True), strong("c", tie=True), strong("d", tie=True),
                strong("e", tie=True), task="regression"),
        "A tie: strong is first (it takes away 12.3% (2%-20%) of the error of always saying the average, on 1400 "
        "training rows in cross-validation), but chance explains its lead over near, c, d and 1 more; near is taken, "
        "because it is smaller and no worse in log-loss.",
    ),
    (
        Drift(n_rows=1400, n_rows_trained=900, auroc=HALF, p_value=0.25, found=False),
        "Shown a new row and a training row, a simple classifier finds the new one in 50 % of pairs (95 % interval 25 "
        "to 75; by chance 50; 1,400 new and 900 training rows; p = 0.250): no drift beyond noise.",
    ),
    (
        PriorShift(kind="labels", n_rows=1, n_rows_there=9, classes=[ClassShare(label="x", there=HALF, here=MORE)],
                   p_value=0.001, found=True),
        "The classes are not as frequent as where the model was made: x is 12 % of the labelled rows here (95 % "
        "interval 2 to 20) and 50 % of the training rows.",
    ),
    (
        PriorShift(kind="predictions", n_rows=1, n_rows_there=9, classes=[], p_value=0.5, found=False),
        "The classes are as frequent as where the model was made, as far as 1 row can tell.",
    ),
    (
        Advice(action="re-train", code="none-of-these", here=HALF),
        "50 % (95 % interval 25 to 75) of the rows are unlike everything the model learnt from ('none of these'). "
        "Label some of them (headstart label-next names which) and adapt again with both.",
    ),
    (
        Advice(action="cannot tell", code="spellings", n_rows=1200, n_rows_total=1400, spellings={"Ax": "ax"}),
        "1,200 of 1,400 rows have labels that the model does not know, but which look like other spellings of its own "
        "('Ax' for 'ax'). Write them alike, or pass --merge-labels, and evaluate again.",
    ),
    (
        Advice(action="re-train", code="worse", measure="mean_absolute_error", here=MORE, there=HALF),
        "The mean absolute error is 0.123 (95 % interval 0.021 to 0.2) here and 0.5 (95 % interval 0.25 to 0.75) on "
        "the test rows of training: worse by more than chance. Adapt again with labelled rows of this place.",
    ),
    (
        Advice(action="recalibrate", code="too-unsure", here=LESS, n_labels=30),
        "The model is less sure of itself here than it is right, by 12 points. About 30 labelled rows of this place "
        "mend that (--recalibrate).",
    ),
    (
        Advice(action="use", code="coverage", here=HALF, stated=0.9, n_labels=30, recalibrated="corrected",
               bundle="new"),
        "Sets were stated to hold the truth in 90 % of rows and do in 50 % (95 % interval 25 to 75). That is corrected "
        "in new: use that one.",
    ),
    (
        Recalibration(
            bundle="new", n_rows=1400, least_rows=30, calibration_kept=True, sets_kept=True, gain=None,
            figures=[BeforeAfter(name="coverage", before=None, after=HALF)],
        ),
        "Learnt anew from these rows: probabilities and sets. On 1,400 rows sets or ranges held the truth in - before, "
        "in 50 % (95 % interval 25 to 75) after, cross-fitted.",
    ),
    (
        Comparison(
            old="a", new="b", data="d", classes=["x"], n_rows=1400, unknown_labels={}, measure="row F1",
            old_value=HALF, new_value=HALF, difference=ZERO, p_value=0.04, n_better=9, n_worse=1, set_aside=[],
        ),
        "Of 1,400 rows the new bundle does better on 9 and worse on 1 (exact test: p = 0.040). Its advantage in row F1 "
        "is +0.000 (95 % interval -0.100 to +0.100): no evidence that one is better; single rows change more often one "
        "way than the other.",
    ),
    (
        LeakageGap(measure="accuracy", n_rows=2000, n_together=1400, naive=HALF, honest=HALF, gap=MORE),
        "1,400 training rows have copies or belong to groups. Dealt out by chance they would make the score 12.3 "
        "points too good; here they are kept together.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("record", "sentence"), ENGLISH)
def test_the_english_sentence_of_a_record_is_what_it_always_was(record: Record, sentence: str) -> None:
    filled = fill_sentences(record)
    assert write_sentence(record) == sentence == getattr(filled, WORDINGS[type(record)].field)


def test_every_kind_of_record_that_has_a_sentence_is_tried() -> None:
    assert {type(record) for record, _ in ENGLISH} == set(WORDINGS) - {Result}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"split_kind": "none"}, "no test rows: there are too few rows, or they all belong together"),
        ({"split_kind": "separate", "test_data": "new.csv"}, "test rows from new.csv"),
        ({"split_kind": "given"}, "test rows as given in the data"),
        (
            {"split_kind": "drawn", "task": "regression"},
            "test rows drawn from the data, stratified by size of the number, duplicates and groups kept on one side",
        ),
        ({"split": "Stored text."}, "Stored text."),
    ],
)
def test_the_choice_of_test_rows_is_written_out(values: dict[str, str], sentence: str) -> None:
    assert write_sentence(Result.model_construct(**{"task": "classification", **values})) == sentence


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_no_english_is_left_in_the_sentence_of_another_language(code: str) -> None:
    with use_language(code):
        for record, english in ENGLISH:
            sentence = write_sentence(record)
            assert sentence != english and "{" not in sentence
            assert not {"the", "rows", "of", "was"} & set(sentence.split()), sentence


def test_a_name_cannot_turn_the_figures_behind_it_around() -> None:
    overridden, isolated = "si\N{RIGHT-TO-LEFT OVERRIDE}te", "\N{RIGHT-TO-LEFT ISOLATE}A"
    values = [item.model_copy(update={"value": isolated}) if item.value == "A" else item for item in column().values]
    sentence = write_sentence(column(column=overridden, values=values, gap_between=[isolated, "B"]))
    assert sentence == write_sentence(column())


@pytest.mark.parametrize(("code", "mark"), [("fr", " ; "), ("ar", "؛ ")])
def test_clauses_are_joined_with_the_semicolon_of_the_language(code: str, mark: str) -> None:
    with use_language(code):
        sentences = [write_sentence(record) for record, _ in ENGLISH]
    assert any(mark in sentence for sentence in sentences)
    assert [sentence for sentence in sentences if ";" in sentence.replace(mark, "")] == []


@pytest.mark.parametrize("record", [record for record, _ in ENGLISH if WORDINGS[type(record)].facts])
def test_a_record_of_an_older_version_shows_its_stored_sentence(record: Record) -> None:
    wording = WORDINGS[type(record)]
    document = record.model_dump(exclude=set(wording.facts)) | {wording.field: "Stored text."}
    old = type(record).model_validate(document)
    for again in (old, type(record).model_validate(old.model_dump())):  # Written again, what it lacks is null.
        with use_language("fr"):
            assert write_sentence(again) == "Stored text."
        assert getattr(fill_sentences(again), wording.field) == "Stored text."


@pytest.mark.parametrize("code", LANGUAGES)
def test_braces_in_names_and_stored_texts_are_no_places(code: str) -> None:
    hostile = "{x} {0} {} %s <b>"
    for record in (
        column(column=hostile),
        next(record for record, _ in ENGLISH if isinstance(record, Counterfactual)).model_copy(
            update={"says": hostile}
        ),
    ):
        with use_language(code):
            assert hostile in write_sentence(record) and hostile.replace("<b>", "&lt;b&gt;") in mark_sentence(record)


def test_a_slice_lists_mistakes_and_differences_in_english() -> None:
    record = next(record for record, _ in ENGLISH if isinstance(record, Slice))
    filled = fill_sentences(record)
    assert filled.labels == ["a taken for b (4)"]
    assert filled.properties == ["site hill (80 % against 10 %)", "brightness lower (0.25 against 0.5)"]
