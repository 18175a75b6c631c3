"""What the base brought in: what can be read off features, where gaps come from, and which answers flip."""

from __future__ import annotations

from headstart.report.messages import format_number, message, translate, translate_stored
from headstart.report.property_names import name_property
from headstart.report.words import (
    IN_UNITS,
    format_amount,
    format_hundredths,
    format_points,
    format_shares,
    join_clauses,
    list_names,
    shorten_name,
)
from headstart.results import AttributeProbe, Counterfactual, Figure, GapOrigin

_OTHER_PLACES = {
    "adapted": message("off the adapted ones {figure}"),
    "answers": message("off the answers of the model {figure}"),
    "without_base": message("off simple descriptors without the base {figure}"),
}
_BASE_CHANGES = {
    "widened": message("The base widened it, by {change}."),
    "narrowed": message("The base narrowed it: change {change}."),
    "unclear": message("Whether the base changed it cannot be told: change {change}."),
}
_ADAPTATION_CHANGES = {
    "widened": message("Adapting it widened it, by {change}."),
    "narrowed": message("Adapting it narrowed it: change {change}."),
    "unclear": message("Whether adapting it changed it cannot be told: change {change}."),
}


def describe_attribute_probe(probe: AttributeProbe) -> str:
    """Return the sentence that says how well a group or a property can be read off.

    Parameters
    ----------
    probe : AttributeProbe
    """
    name = name_property(probe.name) if probe.kind == "property" else shorten_name(probe.name)
    if probe.frozen is None:
        return translate("{name}: not measured.", name=name)
    what = f"'{name}'" if probe.kind == "group" else translate("whether a row is high or low in {name}", name=name)
    values = {"what": what, "figure": format_shares(probe.frozen), "chance": format_hundredths(probe.chance)}
    if probe.frozen.low <= probe.chance:
        text = translate(
            "No evidence that {what} can be read off the frozen features: {figure}, guessing gives {chance} %", **values
        )
    else:
        text = translate(
            "From the frozen features {what} can be read off {figure} of the time, guessing gives {chance} %", **values
        )
    others = {template: getattr(probe, place) for place, template in _OTHER_PLACES.items()}
    parts = [translate(template, figure=format_shares(figure)) for template, figure in others.items() if figure]
    rows = translate("{n} rows.", n=probe.n_rows)
    return join_clauses([text, *([list_names(parts)] if parts else []), rows])


def describe_gap_origin(origin: GapOrigin) -> str:
    """Return the sentence that says where the gap of a column comes from.

    Parameters
    ----------
    origin : GapOrigin
    """
    is_share = origin.measure != IN_UNITS
    clauses = [
        translate(
            "{column}: between '{a}' and '{b}' ({n} test rows) the gap is {gap}",
            column=shorten_name(origin.column), a=shorten_name(origin.between[0]),
            b=shorten_name(origin.between[1]), n=origin.n_rows, gap=_format_gap(origin.chosen, is_share),
        )
    ]  # fmt: skip
    if origin.frozen and origin.adaptation:
        clauses.append(translate("with the frozen base it was {gap}", gap=_format_gap(origin.frozen, is_share)))
    if origin.without_base:
        gap = _format_gap(origin.without_base, is_share)
        clauses.append(translate("without any base ({strategy}) {gap}", strategy=origin.without_base_strategy, gap=gap))
    sentences = [join_clauses(clauses) + "."]
    for change, templates in ((origin.brought, _BASE_CHANGES), (origin.adaptation, _ADAPTATION_CHANGES)):
        if change:
            kind = "widened" if change.low > 0 else "narrowed" if change.high < 0 else "unclear"
            sentences.append(translate(templates[kind], change=_format_gap(change, is_share)))
    return " ".join(sentences)


def _format_gap(figure: Figure, is_share: bool) -> str:
    write = format_points if is_share else format_amount
    template = _GAP_IN_POINTS if is_share else _GAP
    return translate(
        template, value=write(figure.value), low=write(figure.low, end="low"), high=write(figure.high, end="high")
    )


_GAP_IN_POINTS = message("{value} points (95 % interval {low} to {high})")
_GAP = message("{value} (95 % interval {low} to {high})")


def describe_counterfactual(figures: Counterfactual) -> str:
    """Return the sentences that say how many changed rows got another answer, and where most did.

    Parameters
    ----------
    figures : Counterfactual
    """
    whole = figures.flips
    if whole is None:
        return translate("{name}: not measured.", name=shorten_name(figures.name))
    text = translate(
        "Of {n} test rows {change}, {flips} got another answer",
        n=format_number(str(figures.n_rows)), change=translate_stored(figures.says), flips=format_shares(whole),
    )  # fmt: skip
    if figures.without_base_flips:
        text += translate(
            "; with {strategy}, which uses no base, {flips}",
            strategy=figures.without_base_strategy, flips=format_shares(figures.without_base_flips),
        )  # fmt: skip
    text += "."
    above_average = [(part, part.flips) for part in figures.parts if part.flips and part.flips.low > whole.value]
    if not above_average:
        return text
    worst, flips = max(above_average, key=lambda pair: pair[1].value)
    value = shorten_name(worst.value)
    where = (
        translate("{column} '{value}'", column=shorten_name(worst.column), value=value)
        if worst.column
        else translate("class '{value}'", value=value)
    )
    most = translate(
        "Most for {where}: {flips} of {n}.",
        where=where, flips=format_shares(flips), n=format_number(str(worst.n_rows)),
    )  # fmt: skip
    return f"{text} {most}"
