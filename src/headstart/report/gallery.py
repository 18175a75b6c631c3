"""The gallery of test rows and the examples of each class, as the templates show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from headstart.modalities.preview_records import AnyPreview
from headstart.report.group_names import name_value, rank_value
from headstart.report.messages import message, translate_count
from headstart.report.previews import PreviewBudget
from headstart.results import Result
from headstart.results.report_rows import Outcome, ReportRow, ReportRows

FILTER_COLUMNS, FILTER_VALUES, FILTER_CLASSES = 6, 12, 200
"""More group columns, values of one, or classes cannot be chosen from a list."""
OUTCOME_WORDS: Mapping[Outcome | None, str] = {
    "wrong": message("Wrong"),
    "not_answered": message("Not answered"),
    "right": message("Right"),
    None: message("Furthest off first"),
}
INSIDE: Mapping[str, Callable[[int], str]] = {
    "image": lambda n: translate_count(
        "This page holds {n} photo of yours.", "This page holds {n} photos of yours.", n
    ),
    "text": lambda n: translate_count(
        "This page holds {n} message of yours.", "This page holds {n} messages of yours.", n
    ),
    "series": lambda n: translate_count(
        "This page holds {n} recording of yours.", "This page holds {n} recordings of yours.", n
    ),
}
"""What of the user's data can be seen on the page, by modality."""


@dataclass(frozen=True, kw_only=True)
class GalleryItem:
    """A test row: its place on the page, what it looks like, and the numbers of its class and its answer (-1: none).

    Parameters
    ----------
    row : ReportRow
    anchor : str
    preview : AnyPreview, Markup or None
    true_at, predicted_at : int
    values : list of str
        In the columns that can be filtered by.
    groups : list of (str, str)
        Column and value of all that were compared.
    """

    row: ReportRow
    anchor: str
    preview: AnyPreview | Markup | None
    true_at: int
    predicted_at: int
    values: list[str]
    groups: list[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class GalleryPart:
    """Test rows of one outcome; `n_rows` counts those that are not shown as well."""

    outcome: Outcome | None
    title: str
    n_rows: int
    items: list[GalleryItem]


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Test rows by outcome, and what they can be filtered by."""

    parts: list[GalleryPart]
    n_rows: int
    n_test: int
    classes: list[str]
    columns: list[tuple[str, list[str]]]
    anchors: dict[tuple[int, int], str] = field(repr=False)

    @property
    def row_anchors(self) -> dict[str, str]:
        """Return the anchor of each row that is shown, by its id."""
        return {item.row.id: item.anchor for part in self.parts for item in part.items}

    def find_pair(self, true_at: int, predicted_at: int) -> str:
        """Return the anchor of the first row of a class with an answer; empty where none is shown."""
        return self.anchors.get((true_at, predicted_at), "")


@dataclass(frozen=True, kw_only=True)
class ClassExamples:
    """Training rows of one class, with their previews."""

    label: str
    n_rows: int
    items: list[tuple[str, AnyPreview | Markup]]


def gather_gallery(result: Result, rows: ReportRows | None, budget: PreviewBudget) -> Gallery | None:
    """Gather the gallery; None without test rows, and in runs of older versions.

    Parameters
    ----------
    result : Result
    rows : ReportRows or None
    budget : PreviewBudget
        Of the page; the gallery takes from it.
    """
    if rows is None or not rows.n_shown:
        return None
    columns = _list_columns(rows.gallery)
    numbers = {name: at for at, name in enumerate(result.classes)} if result.confusion else {}
    items = [
        GalleryItem(
            row=row,
            anchor=f"row-{at}",
            preview=budget.take(row.id),
            true_at=numbers.get(row.true, -1),
            predicted_at=numbers.get(row.predicted, -1),
            values=[name_value(name, row.groups.get(name, "")) for name, _ in columns],
            groups=[(name, name_value(name, value)) for name, value in row.groups.items() if value],
        )
        for at, row in enumerate(_order_by_pair(rows.gallery))
    ]
    outcomes = [name for name in OUTCOME_WORDS if any(item.row.outcome == name for item in items)]
    has_list = bool(numbers) and len(result.classes) <= FILTER_CLASSES
    return Gallery(
        parts=[_make_part(name, items, rows) for name in outcomes],
        n_rows=len(items),
        n_test=rows.n_test,
        classes=result.classes if has_list else [],
        columns=columns,
        anchors={(item.true_at, item.predicted_at): item.anchor for item in reversed(items)},
    )


def _make_part(outcome: Outcome | None, items: Sequence[GalleryItem], rows: ReportRows) -> GalleryPart:
    inside = [item for item in items if item.row.outcome == outcome]
    n_rows = rows.n_outcomes.get(outcome, len(inside)) if outcome else rows.n_test
    return GalleryPart(outcome=outcome, title=OUTCOME_WORDS[outcome], n_rows=n_rows, items=inside)


def _order_by_pair(rows: Sequence[ReportRow]) -> list[ReportRow]:
    """Put the wrong rows of one class and one answer together, the most frequent mistake first."""
    counts = Counter((row.true, row.predicted) for row in rows if row.outcome == "wrong")

    def rank(row: ReportRow) -> tuple[int, str, str]:
        pair = (row.true, row.predicted)
        return (-counts[pair], *pair) if row.outcome == "wrong" else (1, "", "")

    return sorted(rows, key=rank)


def _list_columns(rows: Sequence[ReportRow]) -> list[tuple[str, list[str]]]:
    """List the group columns and their values that rows can be filtered by."""
    names = list(dict.fromkeys(name for row in rows for name in row.groups))
    columns = [
        (name, sorted({name_value(name, row.groups.get(name, "")) for row in rows}, key=rank_value)) for name in names
    ]
    return [(name, values) for name, values in columns if 1 < len(values) <= FILTER_VALUES][:FILTER_COLUMNS]


def gather_examples(result: Result, rows: ReportRows | None, budget: PreviewBudget) -> list[ClassExamples]:
    """Gather the examples of each class, in the order of the classes; those without any are left out.

    Parameters
    ----------
    result : Result
    rows : ReportRows or None
    budget : PreviewBudget
        Of the page; the examples take from it.
    """
    gathered = []
    for label in result.classes if rows else []:
        previews = [(name, budget.take(name)) for name in rows.examples.get(label, [])] if rows else []
        items = [(name, preview) for name, preview in previews if preview is not None]
        if items:
            n_rows = sum(result.class_counts.get(label, {}).values())
            gathered.append(ClassExamples(label=label, n_rows=n_rows, items=items))
    return gathered


def describe_inside(modality: str, n_previews: int) -> str:
    """Return what of the user's data can be seen on the page; empty where there is nothing.

    Parameters
    ----------
    modality : str
    n_previews : int
        Rows that are shown.
    """
    return INSIDE.get(modality, INSIDE["series"])(n_previews) if n_previews else ""
