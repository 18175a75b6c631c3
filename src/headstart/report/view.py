"""What the templates show: rows of the result, chosen, ordered and bounded so that the page stays small."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from headstart.report.limits import FEW_ROWS, limits, n_test_rows, source_name
from headstart.results import ClassFigures, Figure, GroupColumn, Metrics, Result, SetAsideRow, StrategyResult, WorstRow

NOUNS = {"image": "images", "text": "texts", "series": "series"}
EXAMPLE_INPUTS = {"image": "photos/", "text": "messages.csv", "series": "recordings.csv"}
MATRIX_CLASSES = 15
SHOWN_CLASSES = 60
GROUP_CLASSES = 6
SHOWN_PAIRS = 20
SHOWN_ROWS = 50
PREVIEW_BUDGET_BYTES = 1_200_000
PREVIEW_LIMIT_BYTES = 200_000


@dataclass(frozen=True)
class Pair:
    """Test rows of one class that were taken for another."""

    label: str
    predicted: str
    n_rows: int
    support: int


@dataclass(frozen=True)
class Cell:
    """One cell of the confusion matrix; `share` of its true class, 0-1."""

    n_rows: int
    share: float
    right: bool


@dataclass(frozen=True)
class GroupRow:
    """One group; `classes` in the order of the table's labels, None where the group has no row of a class."""

    value: str
    n_rows: int
    told: bool
    metrics: Metrics | None
    classes: list[ClassFigures | None]


@dataclass(frozen=True)
class Group:
    """One group column: its rows, and the classes shown (none where they are too many for a table)."""

    column: str
    reading: str
    gap: Figure | None
    labels: list[str]
    rows: list[GroupRow]
    any_told: bool


def view(result: Result, previews: Mapping[str, str]) -> dict[str, Any]:
    """Gather what the templates need.

    Parameters
    ----------
    result : Result
        The finished document.
    previews : mapping of str to str
        Safe HTML snippets by row id; those beyond the budget are left out.

    Returns
    -------
    dict
        Names used by the templates.
    """
    chosen = result.strategy(result.chosen)
    per_class = sorted(chosen.test.per_class, key=lambda item: item.recall.value) if chosen.test else []
    return {
        "result": result,
        "chosen": chosen,
        "noun": NOUNS[result.modality],
        "example_input": EXAMPLE_INPUTS[result.modality],
        "source": source_name(result.data),
        "weakest": weakest(per_class),
        "compared": compared(result),
        "limits": limits(result),
        "per_class": per_class[:SHOWN_CLASSES],
        "untested": untested(result),
        "matrix": matrix(result) if len(result.classes) <= MATRIX_CLASSES else None,
        "pairs": pairs(result),
        "groups": [group(part, result.classes) for part in result.groups],
        "many_classes": len(result.classes) > GROUP_CLASSES,
        "calibration": result.calibration,
        "few_rows": FEW_ROWS,
        "worst": with_previews(result.worst[:SHOWN_ROWS], previews),
        "set_aside": by_reason(result.set_aside),
        "costs": costs(result.cost),
        "shown_rows": SHOWN_ROWS,
    }


def weakest(per_class: list[ClassFigures]) -> ClassFigures | None:
    """Give the class that is found least often, among classes with the most trustworthy counts.

    Classes with at least 20 test rows are preferred, so that a single unlucky row does not make the headline.
    """
    enough = [item for item in per_class if item.support >= 20] or per_class
    return min(enough, key=lambda item: item.recall.value, default=None)


def compared(result: Result) -> list[StrategyResult]:
    """Give the chosen strategy, then those it is measured against, in the order of the ladder."""
    chosen = [item for item in result.strategies if item.name == result.chosen]
    against = {result.verdict.strategy, result.verdict.against}
    others = [
        item
        for item in result.strategies
        if item.name != result.chosen and (item.kind in ("baseline", "scratch") or item.name in against)
    ]
    return [item for item in chosen + others if item.test is not None]


def untested(result: Result) -> list[str]:
    """Name the classes without a test row."""
    if result.n_rows.test == 0:
        return []
    return [name for name in result.classes if n_test_rows(result, name) == 0]


def matrix(result: Result) -> list[list[Cell]] | None:
    """Give the confusion matrix with each cell's share of its row."""
    if result.confusion is None:
        return None
    return [
        [Cell(n, n / max(sum(row), 1), at == position) for at, n in enumerate(row)]
        for position, row in enumerate(result.confusion.matrix)
    ]


def pairs(result: Result) -> list[Pair]:
    """List the classes most often confused, most rows first."""
    if result.confusion is None:
        return []
    found = [
        Pair(result.classes[true], result.classes[given], n, sum(row))
        for true, row in enumerate(result.confusion.matrix)
        for given, n in enumerate(row)
        if n and true != given
    ]
    return sorted(found, key=lambda pair: (-pair.n_rows, pair.label, pair.predicted))[:SHOWN_PAIRS]


def group(part: GroupColumn, classes: list[str]) -> Group:
    """Gather one group column for the chart and the table."""
    labels = classes if len(classes) <= GROUP_CLASSES else []
    rows = []
    for item in part.values:
        found = {figures.label: figures for figures in item.metrics.per_class} if item.metrics else {}
        rows.append(GroupRow(item.value, item.n_rows, item.told, item.metrics, [found.get(name) for name in labels]))
    return Group(part.column, part.reading, part.gap, labels, rows, any(row.told for row in rows))


def with_previews(rows: list[WorstRow], previews: Mapping[str, str]) -> list[tuple[WorstRow, Markup]]:
    """Pair rows with their snippets; what would make the page too heavy is left empty."""
    made, left = [], PREVIEW_BUDGET_BYTES
    for row in rows:
        snippet = previews.get(row.id, "")
        size = len(snippet.encode("utf-8", "replace"))
        fits = size <= min(left, PREVIEW_LIMIT_BYTES)
        left -= size if fits else 0
        made.append((row, Markup(snippet if fits else "")))
    return made


def by_reason(rows: list[SetAsideRow]) -> list[tuple[str, list[str], int]]:
    """Group what was set aside: reason, the first ids, how many in all; the most frequent reason first."""
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(row.reason, []).append(row.id)
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
    return [(reason, ids[:5], len(ids)) for reason, ids in ordered]


def costs(cost: Mapping[str, float]) -> list[tuple[str, float | None, float | None]]:
    """Pair each figure with its forecast: name, forecast, actual.

    Examples
    --------
    >>> costs({"features_forecast_seconds": 60.0, "features_seconds": 48.0})
    [('features_seconds', 60.0, 48.0)]
    """
    forecast = {name.replace("forecast_", ""): value for name, value in cost.items() if "forecast_" in name}
    actual = {name: value for name, value in cost.items() if "forecast_" not in name}
    return [(name, forecast.get(name), actual.get(name)) for name in dict.fromkeys([*forecast, *actual])]
