"""Every sentence of result.json: made here alone, in any language, from the codes and numbers of its record.

`fill_sentences` writes them in English into a document, `write_sentence` in the language spoken. Where a document of an
older version lacks a fact, its stored English sentence stands in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from markupsafe import Markup

from headstart.report.messages import (
    LANGUAGES,
    current_language,
    translate,
    translate_count,
    use_language,
)
from headstart.report.named import advice_for, kind_of_finding
from headstart.report.sentences.base_choice import describe_base_choice, describe_ranking, describe_relatedness
from headstart.report.sentences.calibration import describe_calibration, describe_correction
from headstart.report.sentences.comparison import describe_comparison
from headstart.report.sentences.coverage import describe_abstention, describe_coverage
from headstart.report.sentences.groups import describe_class_gap, describe_group_gap
from headstart.report.sentences.inherited import (
    describe_attribute_probe,
    describe_counterfactual,
    describe_gap_origin,
)
from headstart.report.sentences.learning import describe_leakage, describe_learning_curve
from headstart.report.sentences.mitigation import describe_mitigation
from headstart.report.sentences.other_place import (
    describe_advice,
    describe_drift,
    describe_prior_shift,
    describe_recalibration,
)
from headstart.report.sentences.record import Wording
from headstart.report.sentences.slices import describe_slice, describe_slices, list_differences, list_mistakes
from headstart.report.sentences.split import describe_split
from headstart.report.sentences.stored import translate_fact
from headstart.report.sentences.transfer import describe_verdict
from headstart.report.words import (
    format_percent,
    format_rounded_interval,
    format_share_interval,
    format_significant,
    join_clauses,
    shorten,
)
from headstart.results import (
    Abstention,
    Advice,
    AttributeProbe,
    BaseChoice,
    BaseRanking,
    Calibration,
    ClassGap,
    Comparison,
    Conformal,
    Correction,
    Counterfactual,
    Drift,
    Figure,
    FindingRow,
    GapOrigin,
    GroupColumn,
    LeakageGap,
    LearningCurve,
    Mitigation,
    PriorShift,
    RankedBase,
    Recalibration,
    Record,
    Result,
    Slice,
    Slices,
    Verdict,
)

WORDINGS: Mapping[type[Record], Wording] = {
    Advice: Wording("reason", describe_advice, frozenset({"code"})),
    Abstention: Wording("reading", describe_abstention),
    AttributeProbe: Wording("reading", describe_attribute_probe),
    BaseChoice: Wording("why", describe_base_choice),
    BaseRanking: Wording("why", describe_ranking, frozenset({"task"})),
    Calibration: Wording("reading", describe_calibration, frozenset({"mean_probability", "share_right"})),
    ClassGap: Wording("reading", describe_class_gap),
    Comparison: Wording("reading", describe_comparison),
    Conformal: Wording("reading", describe_coverage),
    Correction: Wording("reading", describe_correction),
    Counterfactual: Wording("reading", describe_counterfactual),
    Drift: Wording("reading", describe_drift),
    GapOrigin: Wording("reading", describe_gap_origin),
    GroupColumn: Wording(
        "reading", describe_group_gap, frozenset({"n_columns_compared", "n_values", "origin", "same_as"})
    ),
    LeakageGap: Wording("sentence", describe_leakage),
    LearningCurve: Wording("sentence", describe_learning_curve, frozenset({"outlook"})),
    Mitigation: Wording("reading", describe_mitigation, frozenset({"n_rows_needed"})),
    PriorShift: Wording("reading", describe_prior_shift),
    RankedBase: Wording("reading", describe_relatedness),
    Recalibration: Wording("reading", describe_recalibration),
    Result: Wording("split", describe_split, frozenset({"split_kind"})),
    Slice: Wording("reading", describe_slice, frozenset({"measure"})),
    Slices: Wording("reading", describe_slices, frozenset({"has_features"})),
    Verdict: Wording("sentence", describe_verdict, frozenset({"n_rows", "pretrained"})),
}
"""By kind of record."""
RecordT = TypeVar("RecordT", bound=Record)


def write_sentence(record: Record) -> str:
    """Return the sentence of a record in the language spoken; the stored English one where a fact is missing.

    Parameters
    ----------
    record : Record
        Of a kind in `WORDINGS`.
    """
    wording = WORDINGS[type(record)]
    return wording.describe(record) if has_facts(record) else str(getattr(record, wording.field))


def mark_sentence(record: Record, limit: int = 600) -> Markup:
    """Return the sentence of a record for a page, cut to a length; English inside another language is marked.

    Parameters
    ----------
    record : Record
        Of a kind in `WORDINGS`.
    limit : int
        Characters.
    """
    text = write_sentence(record)
    return Markup("{}").format(shorten(text, limit)) if has_facts(record) else mark_english(text, limit)


def has_facts(record: Record) -> bool:
    """Return whether a record has all that its sentence says; documents of older versions may not.

    Parameters
    ----------
    record : Record
        Of a kind in `WORDINGS`.
    """
    return all(getattr(record, name) is not None for name in WORDINGS[type(record)].facts)


def fill_sentences(document: RecordT) -> RecordT:
    """Return a document with the sentences of all its records, in English.

    Parameters
    ----------
    document : Record
    """
    with use_language("en"):
        return _fill(document)


def _fill(record: RecordT) -> RecordT:
    changes: dict[str, object] = {}
    for name in type(record).model_fields:
        value = getattr(record, name)
        if isinstance(value, Record):
            changes[name] = _fill(value)
        elif isinstance(value, list) and value and isinstance(value[0], Record):
            changes[name] = [_fill(item) for item in value]
    filled = record.model_copy(update=changes) if changes else record
    if type(record) not in WORDINGS or not has_facts(filled):
        return filled
    wording = WORDINGS[type(record)]
    lists = (
        {"labels": list_mistakes(filled), "properties": list_differences(filled)} if isinstance(filled, Slice) else {}
    )
    return filled.model_copy(update={wording.field: wording.describe(filled), **lists})


def mark_english(text: str, limit: int = 600) -> Markup:
    """Show a text of the result: translated if the catalogue has it, else marked as English inside another language.

    Examples
    --------
    >>> mark_english("a < b")
    Markup('a &lt; b')
    """
    translated = translate_fact(text) if current_language() != "en" else text
    cut = Markup("{}").format(shorten(translated, limit))
    if current_language() == "en" or translated != text or not text:
        return cut
    return Markup('<span class="foreign" lang="en" dir="ltr">{}</span>').format(cut)


def write_finding(item: FindingRow) -> str:
    """Return the sentence that says what was noticed, shortly."""
    return item.summary if current_language() == "en" else name_finding(item)


def name_finding(item: FindingRow) -> str:
    """Return what was noticed by the name of its kind, with counts; it names no row.

    Parameters
    ----------
    item : FindingRow
    """
    title = translate(kind_of_finding(item.kind))
    facts = [translate_count("{n} row", "{n} rows", item.n_rows)] if item.n_rows else []
    if item.measure is not None:
        facts.append(write_measure(item.measure))
    return f"{title} ({join_clauses(facts)})" if facts else title


def write_advice(item: FindingRow) -> str:
    """Return what to do about it."""
    return item.advice if current_language() == "en" else name_advice(item)


def name_advice(item: FindingRow) -> str:
    """Return what to do about its kind; it names no row.

    Parameters
    ----------
    item : FindingRow
    """
    text = advice_for(item.kind)
    return translate(text) if text else ""


def write_measure(figure: Figure) -> str:
    """Return what a finding was measured to be: a share in percent, anything else as a number."""
    share = figure.low >= 0 and figure.high <= 1
    value, between = (
        (format_percent(figure.value, 1), format_share_interval(figure, 1))
        if share
        else (format_significant(figure.value, 3), format_rounded_interval(figure, 3))
    )
    return translate("{value}, 95 % interval {ends}", value=value, ends=between)


def text_direction() -> str:
    """Return the direction of writing: ltr or rtl."""
    return LANGUAGES[current_language()].direction
