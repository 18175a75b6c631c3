"""What the templates show: rows of the result, chosen, ordered and bounded so that the page stays small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from markupsafe import Markup

from headstart.modalities.preview_records import AnyPreview
from headstart.report import abstains, sentences
from headstart.report.curve import write_learning_curve
from headstart.report.figures.gather import chart_group, draw_pictures
from headstart.report.figures.outcomes import chart_group_outcomes
from headstart.report.figures.rows import RowChart
from headstart.report.first_page import ConfusedPair, gather_first_page
from headstart.report.gallery import describe_inside, gather_examples, gather_gallery
from headstart.report.group_names import describe_other_columns, list_telling_columns, name_value, rank_value
from headstart.report.inherited import gather_audit
from headstart.report.kinds import NOUNS, SINGULAR, TASK_WORDINGS, ReportedMetric, TaskWording
from headstart.report.levels import describe_rolled_up, list_level_rows
from headstart.report.limits import FEW_ROWS, list_limits, n_test_rows, source_name
from headstart.report.messages import current_language, translate, use_language
from headstart.report.people_words import count_inputs, count_of_hundred
from headstart.report.previews import PreviewBudget, Previews
from headstart.report.property_names import name_property
from headstart.report.ready import gather_readiness
from headstart.report.sentences.coverage import describe_missing_rows
from headstart.report.sentences.plain_slices import describe_slice_plainly, describe_slices_plainly
from headstart.report.words import shorten
from headstart.results import (
    AnyMetrics,
    ClassFigures,
    GroupColumn,
    LabelError,
    LabelFigures,
    Metrics,
    MultiLabelMetrics,
    Result,
    SetAsideRow,
    StrategyResult,
    WorstRow,
)
from headstart.results.report_rows import ReportRows

EXAMPLE_INPUTS = {"image": "photos/", "text": "messages.csv", "series": "recordings.csv"}
MATRIX_CLASSES = 15
SHOWN_CLASSES = 60
GROUP_CLASSES = 6
SHOWN_PAIRS = 20
SHOWN_ROWS = 50
DOUBTED_ROWS = 12
SLICE_PREVIEW_BYTES = 20_000


RowT = TypeVar("RowT", WorstRow, LabelError)


@dataclass(frozen=True)
class Cell:
    """One cell of the confusion matrix; `share` of its true class, 0-1."""

    n_rows: int
    share: float
    right: bool


@dataclass(frozen=True)
class Cells:
    """One figure in a table: in words, and its interval."""

    value: str
    range: str
    ends: str


@dataclass(frozen=True, kw_only=True)
class GroupRow:
    """One group; `classes` in the order of the labels, None where it has no row of a class."""

    value: str
    n_rows: int
    is_testable: bool
    cells: list[Cells]
    classes: list[ClassFigures | None]


@dataclass(frozen=True, kw_only=True)
class GroupView:
    """One group column: its charts, the rows of its table, and the classes shown (none where they are too many)."""

    source: GroupColumn
    labels: list[str]
    outcomes: RowChart | None
    chart: RowChart | None
    rows: list[GroupRow]
    any_testable: bool


def gather_view(result: Result, previews: Previews, rows: ReportRows | None = None) -> dict[str, Any]:
    """Gather what the templates need.

    Parameters
    ----------
    result : Result
        The finished document.
    previews : Previews
        Those beyond the budget are left out.
    rows : ReportRows or None
        The rows that are shown one by one; None in runs of older versions.

    Returns
    -------
    dict
        Names used by the templates.
    """
    chosen = result.strategy(result.chosen)
    kind, noun, of_classes = TASK_WORDINGS[result.task], translate(NOUNS[result.modality]), class_figures(chosen.test)
    per_class = sorted(of_classes, key=lambda item: item.recall.value)
    measures = (kind.main, kind.second, *kind.fields)
    budget = PreviewBudget(previews)
    first = gather_first_page(result, confused_pairs(result), rows, budget, noun=noun)
    groups = [gather_group(part, result, kind, noun) for part in result.groups]
    gallery, class_examples = gather_gallery(result, rows, budget), gather_examples(result, rows, budget)
    worst = [] if gallery else add_previews(result.worst[:SHOWN_ROWS], budget)
    doubted = add_previews(result.label_errors[:DOUBTED_ROWS], budget)
    return {
        "result": result,
        "chosen": chosen,
        "kind": kind,
        "title": translate(kind.title, noun=noun, n=len(result.classes), name=shorten((*result.classes, "")[0])),
        "tag": kind.tags(result),
        "headlines": kind.headlines(chosen.test, (*result.classes, "")[0]) if chosen.test else [],
        "measures": measures,
        "hub_names": hub_names(chosen.test, measures),
        "figures_of_chosen": [write_cells(chosen.test, measure) for measure in measures],
        "card_title": translate(kind.short, noun=noun, n=len(result.classes), name=(*result.classes, "")[0]),
        "strategies": [(item, [write_cells(item.test, measure) for measure in measures]) for item in result.strategies],
        "chart": translate(kind.chart, noun=noun),
        "group_chart": translate(kind.group, noun=noun),
        "group_measures": (kind.group_main, kind.second),
        "pictures": draw_pictures(result, kind, noun, rows=rows, anchors=gallery.row_anchors if gallery else None),
        "noun": noun,
        "singular": translate(SINGULAR[result.modality]),
        "language": current_language(),
        "direction": sentences.text_direction(),
        "sentences": sentences,
        "describe_slice": describe_slice_plainly,
        "name_value": name_value,
        "name_property": name_property,
        "count_inputs": count_inputs,
        "describe_slices": describe_slices_plainly,
        "example_input": EXAMPLE_INPUTS[result.modality],
        "source": source_name(result.data),
        "limits": list_limits(result, findings=False),
        "per_class": per_class[:SHOWN_CLASSES],
        "n_classes": len(per_class),
        "untested": untested_classes(result),
        "matrix": confusion_cells(result) if len(result.classes) <= MATRIX_CLASSES else None,
        "pairs": confused_pairs(result),
        "groups": groups,
        "telling_groups": list_telling_columns(result.groups),
        "other_columns": describe_other_columns(result),
        "worst_groups": find_worst_groups(result, groups),
        "many_classes": len(result.classes) > GROUP_CLASSES,
        "calibration": result.calibration,
        "abstention": result.abstention,
        "abstention_rows": abstains.list_per_hundred(result.abstention),
        "readiness": gather_readiness(result),
        "level_rows": list_level_rows(result.levels),
        "describe_rolled_up": describe_rolled_up,
        "conformal": result.conformal,
        "missing_rows": describe_missing_rows(result.rows_missing_for_sets),
        "curve": write_learning_curve(result.learning_curve),
        "audited": gather_audit(result),
        "previews": slice_previews(result, budget),
        "gallery": gallery,
        "class_examples": class_examples,
        "few_rows": FEW_ROWS,
        "worst": worst,
        "doubted": doubted,
        "set_aside": group_by_reason(result.set_aside),
        "costs": pair_costs(result.cost, result.strategies),
        "shown_rows": SHOWN_ROWS,
        "rows": rows,
        "of_hundred": count_of_hundred,
        "first": first,
        "inside": describe_inside(result.modality, budget.n_taken),
    }


def class_figures(metrics: AnyMetrics | None) -> Sequence[ClassFigures | LabelFigures]:
    """Return the figures of each class or label, where there are such."""
    if isinstance(metrics, MultiLabelMetrics):
        return metrics.per_label
    return metrics.per_class if isinstance(metrics, Metrics) else []


def write_cells(metrics: AnyMetrics | None, measure: ReportedMetric) -> Cells:
    """Write one figure for a table."""
    figure = measure.of(metrics) if metrics else None
    if figure is None:
        return Cells(translate("none"), "", "")
    words = measure.words
    return Cells(words.fine(figure), words.fine_short(figure), words.ends(figure))


def hub_names(metrics: AnyMetrics | None, measures: Sequence[ReportedMetric]) -> list[str]:
    """Name the figures of the card's header, with intervals; in English, as hubs read it."""
    with use_language("en"):
        return [f"{measure.name} (95 % interval {write_cells(metrics, measure).ends})" for measure in measures]


def untested_classes(result: Result) -> list[str]:
    """Name the classes without a test row."""
    if result.n_rows.test == 0 or not result.class_counts:
        return []
    return [name for name in result.classes if n_test_rows(result, name) == 0]


def confusion_cells(result: Result) -> list[list[Cell]] | None:
    """Return the confusion matrix with each cell's share of its row."""
    if result.confusion is None:
        return None
    return [
        [Cell(n, n / max(sum(row), 1), at == position) for at, n in enumerate(row)]
        for position, row in enumerate(result.confusion.matrix)
    ]


def confused_pairs(result: Result) -> list[ConfusedPair]:
    """List the classes most often confused, most rows first.

    Parameters
    ----------
    result : Result
    """
    if result.confusion is None:
        return []
    pairs_found = [
        ConfusedPair(
            true_at=true,
            predicted_at=predicted,
            label=result.classes[true],
            predicted=result.classes[predicted],
            n_rows=n,
            support=sum(row),
        )
        for true, row in enumerate(result.confusion.matrix)
        for predicted, n in enumerate(row)
        if n and true != predicted
    ]
    return sorted(pairs_found, key=lambda pair: (-pair.n_rows, pair.label, pair.predicted))[:SHOWN_PAIRS]


def find_worst_groups(result: Result, groups: Sequence[GroupView]) -> GroupView | None:
    """Return the column of the group that the model does worst on, if it can be drawn; None if that is a class."""
    worst = result.readiness.worst_group if result.readiness else None
    drawn = {part.source.column: part for part in groups if part.outcomes}
    return drawn.get(worst.column) if worst else None


def gather_group(part: GroupColumn, result: Result, kind: TaskWording, noun: str) -> GroupView:
    """Gather one group column for the chart and the table."""
    part = part.model_copy(update={"values": sorted(part.values, key=lambda item: rank_value(item.value))})
    classes = result.classes
    labels = classes if len(classes) <= GROUP_CLASSES and kind.one == "class" else []
    rows = []
    for item in part.values:
        of_classes = item.metrics.per_class if isinstance(item.metrics, Metrics) else []
        figures_by_label = {figures.label: figures for figures in of_classes}
        row_cells = [write_cells(item.metrics, measure) for measure in (kind.group_main, kind.second)]
        per_class = [figures_by_label.get(name) for name in labels]
        rows.append(
            GroupRow(value=item.value, n_rows=item.n_rows, is_testable=item.told, cells=row_cells, classes=per_class)
        )
    any_testable = any(row.is_testable for row in rows)
    return GroupView(
        source=part,
        labels=labels,
        outcomes=chart_group_outcomes(part, result, noun),
        chart=chart_group(part, result, kind),
        rows=rows,
        any_testable=any_testable,
    )


def add_previews(rows: Sequence[RowT], budget: PreviewBudget) -> list[tuple[RowT, AnyPreview | Markup | None]]:
    """Pair rows with their previews; what would make the page too heavy is left out."""
    return [(row, budget.take(row.id)) for row in rows]


def slice_previews(result: Result, budget: PreviewBudget) -> dict[str, AnyPreview | Markup | None]:
    """Return the previews of the rows that slices name, by id; the largest are left out."""
    ids = [name for item in (result.slices.found if result.slices else []) for name in item.examples]
    first = dict.fromkeys(ids[:SHOWN_ROWS])
    return dict.fromkeys(ids) | {name: budget.take(name, SLICE_PREVIEW_BYTES) for name in first}


def group_by_reason(rows: list[SetAsideRow]) -> list[tuple[str, list[str], int]]:
    """Group what was set aside: reason, the first ids, how many in all; the most frequent reason first."""
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(row.reason, []).append(row.id)
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
    return [(reason, ids[:5], len(ids)) for reason, ids in ordered]


def pair_costs(
    cost: Mapping[str, float], strategies: Sequence[StrategyResult] = ()
) -> list[tuple[str, float | None, float | None]]:
    """Pair each figure, and the time of each strategy that had a forecast, with it: name, forecast, actual.

    Examples
    --------
    >>> pair_costs({"features_forecast_seconds": 60.0, "features_seconds": 48.0})
    [('features_seconds', 60.0, 48.0)]
    """
    forecast = {name.replace("forecast_", ""): value for name, value in cost.items() if "forecast_" in name}
    actual = {name: value for name, value in cost.items() if "forecast_" not in name}
    for item in strategies:
        if item.forecast_seconds is not None:
            forecast[f"{item.name} seconds"], actual[f"{item.name} seconds"] = item.forecast_seconds, item.seconds
    return [(name, forecast.get(name), actual.get(name)) for name in dict.fromkeys([*forecast, *actual])]
