"""Which rows of an evaluation were new to the model: how many were left out, how it did on the others."""

from __future__ import annotations

from collections.abc import Mapping

from headstart.report.messages import translate, translate_count
from headstart.report.people_words import count_inputs, format_in_hundred
from headstart.results import Comparison, Evaluation


def describe_new_rows(record: Evaluation | Comparison) -> list[str]:
    """Return sentences about rows that were left out, and about rows that the model was tested with before.

    Parameters
    ----------
    record : Evaluation or Comparison

    Returns
    -------
    list of str
        Empty where all rows were new, as far as the model can tell.
    """
    sentences = []
    if record.n_learnt:
        total = record.n_rows + record.n_learnt + len(record.set_aside)
        sentences.append(_say_learnt(record.n_learnt, count_inputs(record.modality, total)))
    if record.n_near_copies:
        sentences.append(
            translate_count(
                "({n} of them is no exact copy, but looks the same as one it learnt from.)",
                "({n} of them are no exact copies, but look the same as ones it learnt from.)",
                record.n_near_copies,
            )
        )
    if record.n_tested:
        is_all = record.n_tested >= record.n_rows
        rows = count_inputs(record.modality, record.n_rows)
        sentences.append(
            translate("These {rows} were its test when it was made: the figures below are not new.", rows=rows)
            if is_all
            else translate(
                "{n} of these {rows} were in its test when it was made: they show nothing new.",
                n=record.n_tested,
                rows=rows,
            )
        )
    return sentences


def describe_left_out(modality: str, n_given: int, counts: Mapping[str, int]) -> list[str]:
    """Return sentences about rows that `label-next` did not propose.

    Parameters
    ----------
    modality : str
    n_given : int
    counts : mapping of str to int
        `n_learnt`, `n_tested`, and `n_left_out` with copies.
    """
    n_learnt, n_tested = counts["n_learnt"], counts["n_tested"]
    n_copies = counts["n_left_out"] - n_learnt - n_tested
    sentences = [_say_learnt(n_learnt, count_inputs(modality, n_given))] if n_learnt else []
    if n_tested:
        tested = translate_count(
            "{n} was in its test when it was made: left out.",
            "{n} were in its test when it was made: left out.",
            n_tested,
        )
        sentences.append(tested)
    if n_copies > 0:
        copies = translate_count("{n} stands there twice: left out.", "{n} stand there twice: left out.", n_copies)
        sentences.append(copies)
    return sentences


def _say_learnt(n_learnt: int, total: str) -> str:
    return translate_count(
        "{n} of these {total} is one it learnt from: left out.",
        "{n} of these {total} are ones it learnt from: left out.",
        n_learnt,
        total=total,
    )


def describe_right_answers(evaluation: Evaluation) -> str:
    """Return how often the most probable answer is right; empty without labels, or where that is no share.

    Parameters
    ----------
    evaluation : Evaluation
    """
    accuracy = getattr(evaluation.metrics, "accuracy", None)
    if accuracy is None:
        return ""
    rows = count_inputs(evaluation.modality, evaluation.n_rows)
    share = format_in_hundred(accuracy)
    if evaluation.n_learnt:
        return translate("On the other {rows}: right in {share}.", rows=rows, share=share)
    return translate("On {rows}: right in {share}.", rows=rows, share=share)
