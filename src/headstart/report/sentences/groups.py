"""Is the model equally good for every group, and does it find a class equally often in each?"""

from __future__ import annotations

from functools import partial

from headstart.evaluation.settings import SETTINGS as EVALUATION_SETTINGS
from headstart.report.group_names import name_group
from headstart.report.messages import format_number, message, translate, translate_count
from headstart.report.words import (
    IN_UNITS,
    format_amount,
    format_fixed,
    format_hundredths,
    format_points,
    list_names,
    shorten_name,
)
from headstart.results import AnyMetrics, ClassGap, GroupColumn, Metrics, MultiLabelMetrics

_LEVELS = {
    "accuracy": message(
        "For {worse} the model was right {first} % of the time, for {better} {second} %: a gap of {gap} points "
        "(95 % interval {low} to {high}); chance alone gives such a gap in {chance}"
    ),
    "row F1": message(
        "For {worse} the labels of a row fit by {first} % (mean F1), for {better} {second} %: a gap of {gap} "
        "points (95 % interval {low} to {high}); chance alone gives such a gap in {chance}"
    ),
    "mean absolute error": message(
        "For {worse} the model was off by {first} on average, for {better} {second}: a gap of {gap} (95 % "
        "interval {low} to {high}); chance alone gives such a gap in {chance}"
    ),
}


def describe_group_gap(part: GroupColumn) -> str:
    """Return the sentence about the gap between the groups of a column, or why they cannot be compared.

    Parameters
    ----------
    part : GroupColumn
    """
    if part.gap is None or part.gap_between is None or part.p_value is None:
        return _explain_not_compared(part)
    gap, is_share = part.gap, part.measure != IN_UNITS
    write = partial(format_points, digits=0) if is_share else format_amount
    better, worse = ({item.value: item for item in part.values}[name] for name in part.gap_between)
    assert better.metrics is not None and worse.metrics is not None
    n_columns = part.n_columns_compared or 0
    sentence = translate(
        _LEVELS[part.measure],
        worse=name_group(part.column, worse.value),
        better=name_group(part.column, better.value),
        first=_format_level(worse.metrics),
        second=_format_level(better.metrics),
        gap=write(gap.value),
        low=write(gap.low, end="low"),
        high=write(gap.high, end="high"),
        chance=_format_chance(part.p_value),
    )
    if n_columns > 1:
        sentence += " " + translate("(corrected for the {n} columns compared)", n=n_columns)
    if gap.low > 0 and part.same_as:
        return sentence + translate(
            ", so it is very likely real; most of these rows are those of the gap in {column}.",
            column=shorten_name(part.same_as),
        )
    if gap.low > 0:
        mix = " " + translate("The two do not hold the same mix of classes, which may be why.")
        return sentence + translate(", so it is very likely real.") + (mix if part.has_other_mix else "")
    not_excluded = (
        translate(
            ", so this is no evidence that the groups differ; {high} points are not ruled out either.",
            high=write(gap.high, end="high"),
        )
        if is_share
        else translate(
            ", so this is no evidence that the groups differ; {high} is not ruled out either.",
            high=write(gap.high, end="high"),
        )
    )
    return sentence + not_excluded


def _format_level(metrics: AnyMetrics) -> str:
    if isinstance(metrics, Metrics):
        return format_hundredths(metrics.accuracy.value)
    if isinstance(metrics, MultiLabelMetrics):
        return format_hundredths(metrics.row_f1.value)
    return format_amount(metrics.mean_absolute_error.value)


def _format_chance(p_value: float) -> str:
    """Write a p-value as people say it.

    Examples
    --------
    >>> _format_chance(0.0005), _format_chance(0.004), _format_chance(0.3)
    ('1 of 2,000 cases or fewer', '4 of 1,000 cases', '30 of 100 cases')
    """
    if p_value <= 1 / (1 + EVALUATION_SETTINGS.permutations):
        return translate("1 of {n} cases or fewer", n=1 + EVALUATION_SETTINGS.permutations)
    if p_value < 0.01:
        return translate("{k} of {n} cases", k=max(1, round(1000 * p_value)), n=1000)
    return translate("{k} of {n} cases", k=round(100 * p_value), n=100)


def _explain_not_compared(part: GroupColumn) -> str:
    """Return the sentence that says why no two values can be compared."""
    if not part.values and part.origin != "named":
        return translate("Cannot tell: {n} values with too few test rows each.", n=part.n_values or 0)
    if not part.values:
        sentence = translate(
            "Not compared: {n} values with few rows each; they only keep rows together.", n=part.n_values or 0
        )
        bands = translate("To compare ages or days, write bands (0-17, 18-59, 60+) into a column.")
        return f"{sentence} {bands}" if part.has_numeric_values else sentence
    named = [item for item in part.values if item.value]
    if not named:
        return translate("Cannot tell: the test rows do not differ, none of them has a value.")
    if len(named) == 1:
        return translate(
            "Cannot tell: the test rows do not differ, all of them have the value '{value}'.",
            value=shorten_name(named[0].value),
        )
    sizes = [f"{shorten_name(item.value)}: {translate_count('{n} row', '{n} rows', item.n_rows)}" for item in named]
    return translate(
        "Cannot tell: it takes two groups with at least {rows} test rows each, from at least {units} independent ones "
        "({groups}).",
        rows=EVALUATION_SETTINGS.min_rows, units=EVALUATION_SETTINGS.min_clusters, groups=list_names(sizes),
    )  # fmt: skip


def describe_class_gap(class_gap: ClassGap) -> str:
    """Return the sentence that says in which group a class is found more often.

    Parameters
    ----------
    class_gap : ClassGap
    """
    names = [shorten_name(name) for name in class_gap.between]
    groups = [
        translate("{group}: {share} % of {n} rows", group=name, share=format_hundredths(share), n=format_number(str(n)))
        for name, share, n in zip(names, class_gap.found, class_gap.n_rows, strict=True)
    ]
    gap, p_value = class_gap.gap, class_gap.p_value
    sentence = translate(
        "Class '{label}' is found {gap} points more often in '{group}' ({groups}; 95 % interval {low} to {high})",
        label=shorten_name(class_gap.label), gap=format_points(gap.value), group=names[0],
        groups=list_names(groups), low=format_points(gap.low, end="low"), high=format_points(gap.high, end="high"),
    )  # fmt: skip
    if gap.low > 0:
        return sentence + translate(
            ": the answer leans on the group itself, or rows of this class are harder in the other (p = {p}).",
            p=format_fixed(p_value, 4),
        )
    return sentence + translate(
        "; chance explains that (p = {p}), so this is no evidence of a difference.", p=format_fixed(p_value, 2)
    )
