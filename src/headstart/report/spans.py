"""The report of a run on spans, as Markdown: the words for what `SpanResult` holds."""

from __future__ import annotations

from headstart.report.messages import translate, translate_stored
from headstart.results import Figure
from headstart.results.spans import SPAN_NOTICES, SpanResult


def write_span_summary(result: SpanResult) -> str:
    """Return the report of a run.

    Parameters
    ----------
    result : SpanResult
    """
    parts = [
        f"# {translate('Spans in texts: {source}', source=result.source)}",
        describe_span_quality(result),
        describe_span_verdict(result),
        *_describe_certainty(result),
        _write_kinds(result),
        _write_strategies(result),
        *_write_notices(result),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def describe_span_quality(result: SpanResult) -> str:
    """Return how good the chosen model is on test texts, as sentences.

    Parameters
    ----------
    result : SpanResult
    """
    if result.test is None:
        return translate("There are no test texts: nobody knows how good the model is.")
    sentence = translate(
        "{name} finds spans with an F1 of {f1} on {n} test texts: start, end and kind must be right.",
        name=result.chosen,
        f1=_write_figure(result.test.span_f1),
        n=result.n_rows.test,
    )
    seen, unseen = result.test.seen_recall, result.test.unseen_recall
    if seen is None or unseen is None:
        return sentence
    rest = translate(
        "Of the spans whose words it saw marked in training it finds {seen}, of new ones {unseen}.",
        seen=_write_figure(seen),
        unseen=_write_figure(unseen),
    )
    return f"{sentence} {rest}"


def describe_span_verdict(result: SpanResult) -> str:
    """Return whether transfer helped, as a sentence.

    Parameters
    ----------
    result : SpanResult
    """
    verdict = result.verdict
    if verdict.difference is None:
        return translate("Nothing was compared: whether the base model helps is not known.")
    outcomes = {
        "helped": translate("The base model helped:"),
        "hurt": translate("The base model hurt:"),
        "no evidence": translate("There is no evidence that the base model helped:"),
    }
    compared = translate(
        "{strategy} against {rival} differs by {difference} in span F1.",
        strategy=verdict.strategy or "",
        rival=verdict.against or "",
        difference=_write_figure(verdict.difference, "+.3f"),
    )
    return f"{outcomes[verdict.transfer]} {compared}"


def _write_figure(figure: Figure, form: str = ".3f") -> str:
    return f"{figure.value:{form}} ({figure.low:{form}} – {figure.high:{form}})"


def _describe_certainty(result: SpanResult) -> list[str]:
    if result.certainty is None:
        return []
    least = f"{result.certainty.least_probability:g}"
    sentence = translate(
        "{share} % of its spans are sure (probability {least} or more); {right} % of these are right.",
        share=round(100 * result.certainty.sure_share),
        least=least,
        right=round(100 * result.certainty.sure_precision),
    )
    return [sentence]


def _write_kinds(result: SpanResult) -> str:
    if result.test is None:
        return ""
    head = f"| {translate('Kind')} | {translate('Training')} | {translate('Test')} | F1 |\n|---|---|---|---|"
    lines = [
        f"| {item.kind} | {item.n_train} | {item.n_test} | {_write_figure(item.span_f1)} |"
        for item in result.test.kinds
    ]
    return "\n".join([head, *lines])


def _write_strategies(result: SpanResult) -> str:
    head = f"| {translate('Strategy')} | {translate('Held-out F1')} | {translate('Test F1')} |\n|---|---|---|"
    lines = [
        f"| {item.name} | {item.held_out_f1:.3f} | {'' if item.span_f1 is None else _write_figure(item.span_f1)} |"
        for item in result.strategies
    ]
    return "\n".join([head, *lines])


def _write_notices(result: SpanResult) -> list[str]:
    return (
        [
            "\n".join(
                f"- {item.n} x {translate_stored(SPAN_NOTICES[item.code])} ({item.first})" for item in result.notices
            )
        ]
        if result.notices
        else []
    )
