"""Are there kinds of rows on which the model fails?"""

from __future__ import annotations

from headstart.report.messages import format_number, translate
from headstart.report.property_names import name_property
from headstart.report.words import (
    IN_UNITS,
    format_amount,
    format_fixed,
    format_hundredths,
    format_shares,
    list_names,
    shorten_name,
)
from headstart.results import Figure, Slice, Slices


def describe_slices(search: Slices) -> str:
    """Return the sentence that says whether there are kinds of rows on which the model fails.

    Parameters
    ----------
    search : Slices
    """
    if search.n_rows_needed is not None:
        if not search.has_features:
            return translate(
                "Cannot tell whether there are kinds of rows on which it fails (no frozen features; it takes {least} "
                "rows).",
                least=search.n_rows_needed,
            )
        return translate(
            "Cannot tell whether there are kinds of rows on which it fails ({rows} independent training rows; it takes "
            "{least} rows).",
            rows=format_number(str(search.n_rows)), least=search.n_rows_needed,
        )  # fmt: skip
    n_slices = len(search.found)
    values = {"clusters": format_number(str(search.n_clusters)), "rows": search.n_rows}
    if n_slices == 0:
        return translate(
            "Among {clusters} clusters of similar rows ({rows} training rows, predicted out of fold) there is none "
            "that fails more often than chance and the mix of classes explain. That does not mean that there is none: "
            "such searches miss most weak points that are small.",
            **values,
        )
    if n_slices == 1:
        return translate(
            "Among {clusters} clusters of similar rows ({rows} training rows, predicted out of fold), 1 fails more "
            "often than chance and the mix of classes explain.",
            **values,
        )
    return translate(
        "Among {clusters} clusters of similar rows ({rows} training rows, predicted out of fold), {n} fail more often "
        "than chance and the mix of classes explain.",
        n=n_slices, **values,
    )  # fmt: skip


def describe_slice(item: Slice) -> str:
    """Return the sentences that say how the model fails on a kind of rows, and what these have in common.

    Parameters
    ----------
    item : Slice
    """
    is_share = item.measure != IN_UNITS
    values = {
        "n": format_number(str(item.n_rows)), "error": _format_error(item.error, is_share),
        "elsewhere": _format_error(item.elsewhere, is_share), "p": format_fixed(item.p_value, 3),
    }  # fmt: skip
    if is_share:
        text = translate(
            "On {n} similar training rows it was wrong on {error}, elsewhere {elsewhere}; p = {p}, corrected for all "
            "clusters tried.",
            **values,
        )
    else:
        text = translate(
            "On {n} similar training rows it was on average {error}, elsewhere {elsewhere}; p = {p}, corrected for all "
            "clusters tried.",
            **values,
        )
    sentences = [text, _describe_on_test_rows(item, is_share)]
    mistakes, differences = list_mistakes(item), list_differences(item)
    if mistakes:
        sentences.append(translate("Most frequent: {names}.", names=list_names(mistakes)))
    if differences:
        sentences.append(translate("What these rows have in common: {names}.", names=list_names(differences)))
    return " ".join(sentences)


def _describe_on_test_rows(item: Slice, is_share: bool) -> str:
    n = format_number(str(item.n_test_rows))
    if not (item.test_error and item.test_elsewhere):
        return translate("On test rows: cannot tell ({n} rows of this kind).", n=n)
    values = {
        "n": n, "error": _format_error(item.test_error, is_share),
        "elsewhere": _format_error(item.test_elsewhere, is_share),
    }  # fmt: skip
    if item.test_error.value > item.test_elsewhere.value:
        return translate("On the {n} test rows of this kind: {error}, other test rows {elsewhere}.", **values)
    return translate(
        "On the {n} test rows of this kind: {error}, other test rows {elsewhere}, so the test rows do not confirm it.",
        **values,
    )


def _format_error(figure: Figure, is_share: bool) -> str:
    if is_share:
        return format_shares(figure)
    return translate(
        "off by {value} ({low} to {high})",
        value=format_amount(figure.value), low=format_amount(figure.low, "low"),
        high=format_amount(figure.high, "high"),
    )  # fmt: skip


def list_mistakes(item: Slice) -> list[str]:
    """Return the most frequent mistakes of a slice, each in words.

    Parameters
    ----------
    item : Slice
    """
    return [
        translate(
            "{label} taken for {answer} ({n})",
            label=shorten_name(mistake.label), answer=shorten_name(mistake.answer),
            n=format_number(str(mistake.n_rows)),
        )
        for mistake in item.mistakes
    ]  # fmt: skip


def list_differences(item: Slice) -> list[str]:
    """Return in what the rows of a slice differ from the others, each in words: groups, then properties.

    Parameters
    ----------
    item : Slice
    """
    groups = [
        translate(
            "{column} {value} ({share} % against {elsewhere} %)",
            column=group.column, value=shorten_name(group.value), share=format_hundredths(group.share),
            elsewhere=format_hundredths(group.elsewhere),
        )
        for group in item.frequent_groups
    ]  # fmt: skip
    medians = [
        (
            shift,
            {
                "name": name_property(shift.name),
                "here": format_amount(shift.median),
                "elsewhere": format_amount(shift.elsewhere),
            },
        )
        for shift in item.shifted_properties
    ]
    return groups + [
        translate("{name} higher ({here} against {elsewhere})", **values)
        if shift.is_higher
        else translate("{name} lower ({here} against {elsewhere})", **values)
        for shift, values in medians
    ]
