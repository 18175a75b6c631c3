"""What the page says for each kind of task: its words, the figures it shows first, and the template of its details."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from headstart.report.messages import message, translate, translate_count
from headstart.report.people_words import format_of_hundred, format_surely_between
from headstart.report.words import AMOUNTS, SHARES, FigureFormat
from headstart.results import (
    AnyMetrics,
    ClassFigures,
    Figure,
    LabelFigures,
    Metrics,
    MultiLabelMetrics,
    OrdinalMetrics,
    RegressionMetrics,
    Result,
)

NOUNS = {"image": message("photos"), "text": message("messages"), "series": message("recordings")}
SINGULAR = {"image": message("photo"), "text": message("message"), "series": message("recording")}
MODALITY_TAGS = {"image": "image-classification", "text": "text-classification", "series": "other"}


@dataclass(frozen=True)
class ReportedMetric:
    """One figure of the metrics, by the name that people read and the name that model hubs know."""

    name: str
    hub: str
    of: Callable[[AnyMetrics], Figure | None]
    words: FigureFormat = SHARES


@dataclass(frozen=True, kw_only=True)
class Headline:
    """One big figure and what it means, a message with places for {noun} and {name}.

    `ends` says between which figures it surely lies; `note` follows it.
    """

    value: str
    meaning: str
    ends: str
    note: str = ""
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class TaskWording:
    """How one kind of task is shown.

    Parameters
    ----------
    title : str
        Headline of the page, with places for {noun}, {n} and {name} (of the number).
    short : str
        The same for the title of the model card; {name} is that of the number.
    does : str
        What the model gives each input, for the model card; {n} labels follow.
    main, second : ReportedMetric
        The figure that charts show, and the one beside it in tables.
    fields : tuple of ReportedMetric
        Further figures that tables show for every strategy.
    headlines : (metrics, name of the number) -> list of Headline
    chart, group : str
        What the charts of strategies and of groups show, with a place for {noun}.
    group_main : ReportedMetric
        The figure that groups are compared in.
    validated, loss : str
        What the score of cross-validation is, and the loss that the model is chosen by.
    each : str
        Heading of the part about each class.
    details : str
        Template of that part.
    csv : str
        What a line of predictions.csv says.
    one : str
        What a class is called.
    out_of_distribution : str
        What happens with out-of-distribution inputs.
    doubt : str
        What is not known of single answers where nothing was calibrated.
    tags : (result) -> str
        The task as model hubs call it.
    """

    title: str
    short: str
    does: str
    main: ReportedMetric
    second: ReportedMetric
    fields: tuple[ReportedMetric, ...]
    headlines: Callable[[AnyMetrics, str], list[Headline]]
    chart: str
    group_main: ReportedMetric
    group: str
    validated: str
    loss: str
    each: str
    details: str
    csv: str
    one: str
    out_of_distribution: str
    doubt: str
    tags: Callable[[Result], str]


def weakest(figures: Sequence[ClassFigures | LabelFigures]) -> ClassFigures | LabelFigures | None:
    """Return the class or label that is found least often, among those with the most trustworthy counts.

    Those with at least 20 test rows are preferred, so that a single unlucky row does not make the headline.
    """
    enough = [item for item in figures if item.support >= 20] or figures
    return min(enough, key=lambda item: item.recall.value, default=None)


def _weakest(figures: Sequence[ClassFigures | LabelFigures], meaning: str) -> list[Headline]:
    weakest_figures = weakest(figures)
    if weakest_figures is None:
        return []
    return [
        Headline(
            value=format_of_hundred(weakest_figures.recall.value),
            meaning=meaning,
            ends=format_surely_between(weakest_figures.recall),
            note=translate_count("tested on {n}", "tested on {n}", weakest_figures.support),
            name=weakest_figures.label,
        )
    ]


def _surely(figure: Figure) -> str:
    """Write the interval of a number."""
    return translate("surely {ends}", ends=AMOUNTS.ends(figure))


def _class_headlines(metrics: AnyMetrics, number: str) -> list[Headline]:
    assert isinstance(metrics, Metrics)
    right = Headline(
        value=format_of_hundred(metrics.accuracy.value),
        meaning=message("{noun} are answered right if it has to answer every one"),
        ends=format_surely_between(metrics.accuracy),
    )
    return [right, *_weakest(metrics.per_class, message("are recognised of {name}, its weakest kind"))]


def _grade_headlines(metrics: AnyMetrics, number: str) -> list[Headline]:
    assert isinstance(metrics, OrdinalMetrics)
    off = metrics.mean_grade_error
    meaning = message("grades off on average: how far the answers lie from the true grade")
    return [
        _class_headlines(metrics, number)[0],
        Headline(value=AMOUNTS.value(off), meaning=meaning, ends=_surely(off)),
    ]


def _label_headlines(metrics: AnyMetrics, number: str) -> list[Headline]:
    assert isinstance(metrics, MultiLabelMetrics)
    f1, exact = metrics.macro_f1, metrics.exact_match
    return [
        Headline(
            value=format_of_hundred(exact.value),
            meaning=message("{noun} get exactly the right labels"),
            ends=format_surely_between(exact),
        ),
        Headline(
            value=format_of_hundred(f1.value),
            meaning=message("points for finding labels and giving few wrong ones (macro-F1)"),
            ends=format_surely_between(f1),
        ),
        *_weakest(metrics.per_label, message("are recognised of {name}, its weakest label")),
    ]


def _number_headlines(metrics: AnyMetrics, number: str) -> list[Headline]:
    assert isinstance(metrics, RegressionMetrics)
    off, most = metrics.mean_absolute_error, metrics.absolute_error_90
    return [
        Headline(
            value=AMOUNTS.value(off),
            meaning=message("off on average, in the unit of {name}"),
            ends=_surely(off),
            name=number,
        ),
        Headline(
            value=AMOUNTS.value(most),
            meaning=message("off at most, in 9 of 10 answers"),
            ends=_surely(most),
        ),
    ]


def _figure(field: str) -> Callable[[AnyMetrics], Figure | None]:
    def read(metrics: AnyMetrics) -> Figure | None:
        value: Figure | None = getattr(metrics, field)
        return value

    return read


_ACCURACY = ReportedMetric(message("Accuracy"), "accuracy", _figure("accuracy"))
_MACRO_F1 = ReportedMetric(message("Macro-F1"), "f1", _figure("macro_f1"))
_KAPPA = ReportedMetric(message("Quadratic kappa"), "quadratic_kappa", _figure("quadratic_kappa"), AMOUNTS)
_ERROR = ReportedMetric(message("Mean absolute error"), "mae", _figure("mean_absolute_error"), AMOUNTS)
_CLASSES_FOREIGN = message("Inputs that belong to none of its classes: it always answers with one of them.")
_UNCHECKED = message("Its probabilities: whether an answer given with 90 % is right 9 times in 10 was not checked.")

TASK_WORDINGS: dict[str, TaskWording] = {
    "classification": TaskWording(
        title=message("This model sorts {noun} into {n} kinds"),
        short=message("{noun} into {n} kinds"),
        does=message("one of {n} labels"),
        main=_ACCURACY,
        second=_MACRO_F1,
        fields=(),
        headlines=_class_headlines,
        chart=message("Share of test {noun} labelled right, from 0 to 100 %."),
        group_main=_ACCURACY,
        group=message("How many {noun} of each group are answered right."),
        validated=message("mean of accuracy and macro-F1"),
        loss=message("log-loss"),
        each=message("Kind by kind"),
        details="details_classes.html",
        csv=message("its answer (or “not sure”), the best guess and how probable the model thinks it is"),
        one="class",
        out_of_distribution=_CLASSES_FOREIGN,
        doubt=_UNCHECKED,
        tags=lambda result: MODALITY_TAGS[result.modality],
    ),
    "ordinal": TaskWording(
        title=message("This model puts {noun} into {n} grades"),
        short=message("{noun} into {n} grades"),
        does=message("one of {n} grades, the lowest first"),
        main=_ACCURACY,
        second=_KAPPA,
        fields=(ReportedMetric(message("Grades off"), "mae", _figure("mean_grade_error"), AMOUNTS), _MACRO_F1),
        headlines=_grade_headlines,
        chart=message("Share of test {noun} given exactly the right grade, from 0 to 100 %."),
        group_main=_ACCURACY,
        group=message("How many {noun} of each group are given exactly the right grade."),
        validated=message("mean of accuracy and macro-F1"),
        loss=message("log-loss"),
        each=message("Kind by kind"),
        details="details_classes.html",
        csv=message(
            "its answer (or “not sure”), the best guess of the grade (the middle of what the model thinks possible) "
            "and how probable the model thinks it is"
        ),
        one="class",
        out_of_distribution=_CLASSES_FOREIGN,
        doubt=_UNCHECKED,
        tags=lambda result: MODALITY_TAGS[result.modality],
    ),
    "multi-label": TaskWording(
        title=message("This model gives {noun} any of {n} labels"),
        short=message("{noun} and {n} labels"),
        does=message("any of {n} labels, or none"),
        main=_MACRO_F1,
        second=ReportedMetric(message("Micro-F1"), "f1_micro", _figure("micro_f1")),
        fields=(
            ReportedMetric(message("Mean average precision"), "map", _figure("mean_average_precision")),
            ReportedMetric(message("Exactly right"), "exact_match", _figure("exact_match")),
        ),
        headlines=_label_headlines,
        chart=message(
            "Macro-F1 (how well labels are found and how rarely given wrongly, all labels alike), from 0 to 100 %."
        ),
        group_main=ReportedMetric(message("Row F1"), "f1_samples", _figure("row_f1")),
        group=message("How well the labels fit in each group (mean F1)."),
        validated=message("mean of micro- and macro-F1"),
        loss=message("log-loss"),
        each=message("Label by label"),
        details="details_several.html",
        csv=message("its labels, and how probable the model thinks each label is"),
        one="label",
        out_of_distribution=message("Inputs unlike those it learnt from: it gives them labels all the same."),
        doubt="Its probabilities: whether a label given with 90 % is right 9 times in 10 was not checked.",
        tags=lambda result: MODALITY_TAGS[result.modality],
    ),
    "regression": TaskWording(
        title=message("This model predicts {name} for {noun}"),
        short=message("{name} of {noun}"),
        does=message("a number"),
        main=_ERROR,
        second=ReportedMetric(message("Root mean squared error"), "rmse", _figure("root_mean_squared_error"), AMOUNTS),
        fields=(
            ReportedMetric(message("R²"), "r_squared", _figure("r2"), AMOUNTS),
            ReportedMetric(message("Rank correlation"), "spearmanr", _figure("spearman"), AMOUNTS),
        ),
        headlines=_number_headlines,
        chart=message("How far the answers were off on average: further left is better."),
        group_main=_ERROR,
        group=message("How far the answers were off on average, in each group: further left is better."),
        validated=message("share of the spread explained"),
        loss=message("squared error"),
        each=message("Predicted against true"),
        details="details_number.html",
        csv=message("the number that the model gives"),
        one="number",
        out_of_distribution=message(
            "Inputs unlike those it learnt from, or numbers beyond those it saw: it gives a number all the same."
        ),
        doubt="How sure a single answer is: the model gives a number and does not say how far off it may be.",
        tags=lambda result: "other",
    ),
}
