"""A bundle kept open: inputs that are in memory become the answers that `headstart predict --json` writes."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from headstart.bundle import Bundle
from headstart.data.reading.content import CONTENT_READERS
from headstart.errors import HeadstartError, cut_problem
from headstart.flow.inference.answers import make_answers, make_document, make_unusable_document
from headstart.flow.inference.predict_table import PredictionBatch, make_head_predictor
from headstart.modalities import MODALITIES
from headstart.modalities.record import Spec
from headstart.records import Table, make_column

_WARM_ROWS = 16
_BROKEN = (HeadstartError, ValueError, TypeError, LookupError, ArithmeticError, RuntimeError)
"""Errors of base models and heads on inputs that are odd in a way that reading did not notice."""
_NO_ANSWER = "the model gives no number for this input"

Documents = list[dict[str, Any]]
AnswerInputs = Callable[[Sequence[Any]], Documents]
DocumentsByHead = dict[str, dict[str, Any]]
AnswerWithHeads = Callable[[Sequence[Any]], list[DocumentsByHead]]
PredictWithHeads = Callable[[Table, Collection[str]], Mapping[str, PredictionBatch]]


@dataclass(frozen=True)
class UnusableInput:
    """An input that is known to be of no use before the model sees it, and why (the end of a sentence)."""

    reason: str


def open_predictor(bundle: Bundle, precision: str = "auto") -> AnswerInputs:
    """Return a function that answers inputs in memory; the model is opened and tried now, and stays open.

    Parameters
    ----------
    bundle : Bundle
        As `headstart.bundle.loading` gives it.
    precision : str
        "auto" or "float32", for the frozen base.

    Returns
    -------
    function
        Takes a sequence of the content of image files (bytes), texts (str) or series (float32 arrays of shape
        (channels, time), NaN = missing), or `UnusableInput` where an input is known to be none. Gives one document an
        input, in order, with the fields of `headstart predict --json` but `input`: what the model says, `answer`,
        `set` and `reason`; an input that cannot be used has nulls and its reason. Nothing is read from or written to
        disk, and no input spoils the answer of another. Not for several threads at once.

    Examples
    --------
    >>> import headstart as hs  # doctest: +SKIP
    >>> open_predictor(hs.load("OUT").bundle)(["The pump is broken"])[0]["answer"]  # doctest: +SKIP
    'water'
    """
    answer_heads = open_head_predictor({"": bundle}, precision)
    return lambda inputs: [documents[""] for documents in answer_heads(inputs)]


def open_head_predictor(heads: Mapping[str, Bundle], precision: str = "auto") -> AnswerWithHeads:
    """Return a function that answers inputs in memory with several models on one base, which runs once for all.

    Parameters
    ----------
    heads : mapping of str to Bundle
        By name; of several, all in torch's form and with the same backbone.
    precision : str
        "auto" or "float32", for the frozen base.

    Returns
    -------
    function
        As that of `open_predictor`, but gives for each input a document by name of the model. A model that breaks on
        an input spoils no other model's answer.
    """
    first = next(iter(heads.values()))
    warm = SAMPLE_INPUTS[first.modality](first.input_spec)
    table = make_input_table(first.modality, warm)
    predict = make_head_predictor(heads, table, precision)

    def answer(inputs: Sequence[Any]) -> list[DocumentsByHead]:
        reasons = [_find_unusable_reason(first.modality, item) for item in inputs]
        usable_rows = [row for row, reason in enumerate(reasons) if reason is None]
        documents = [_make_unusable_documents(heads, reason or "") for reason in reasons]
        answered = _answer_isolated(heads, predict, [inputs[row] for row in usable_rows])
        for row, by_head in zip(usable_rows, answered, strict=True):
            documents[row] = by_head
        return documents

    answer(warm[:1])
    answer(warm)
    return answer


def _find_unusable_reason(modality: str, item: Any) -> str | None:
    if isinstance(item, UnusableInput):
        return item.reason
    if MODALITIES[modality].is_file:  # A file is inspected where it is decoded.
        return None
    return CONTENT_READERS[modality].inspect([item])[0].problem


def _make_unusable_documents(heads: Mapping[str, Bundle], reason: str) -> DocumentsByHead:
    return {name: make_unusable_document(head.task, reason) for name, head in heads.items()}


def _answer_isolated(
    heads: Mapping[str, Bundle], predict: PredictWithHeads, inputs: Sequence[Any]
) -> list[DocumentsByHead]:
    """Answer inputs together; where a model breaks on them, ask each alone, and halve the inputs until one is alone."""
    if not inputs:
        return []
    try:
        with np.errstate(all="ignore"):  # Numbers beyond all bounds become NaN, and are reported as such.
            modality = next(iter(heads.values())).modality
            batches = predict(make_input_table(modality, inputs), heads)
            return _group_by_input({name: _make_documents(heads[name], batches[name], len(inputs)) for name in heads})
    except _BROKEN as error:
        if len(heads) == len(inputs) == 1:
            return [_make_unusable_documents(heads, f"the model cannot use it ({type(error).__name__})")]
    if len(heads) > 1:
        alone = {name: _answer_isolated({name: head}, predict, inputs) for name, head in heads.items()}
        return _group_by_input({name: [documents[name] for documents in rows] for name, rows in alone.items()})
    half = len(inputs) // 2
    return [*_answer_isolated(heads, predict, inputs[:half]), *_answer_isolated(heads, predict, inputs[half:])]


def _group_by_input(by_head: Mapping[str, Documents]) -> list[DocumentsByHead]:
    return [dict(zip(by_head, documents, strict=True)) for documents in zip(*by_head.values(), strict=True)]


def _make_documents(bundle: Bundle, batch: PredictionBatch, n_rows: int) -> Documents:
    """Return one document a row; a row without finite probabilities could not be used."""
    is_finite = np.atleast_1d(np.isfinite(batch.predictions.probabilities).all(axis=1))
    documents = {
        int(row): make_document(answer)
        for row, answer, is_usable in zip(
            batch.row_numbers, make_answers(batch.predictions, batch.decisions), is_finite, strict=True
        )
        if is_usable
    }
    reasons = {row: cut_problem(reason, "") for row, reason in batch.failed.items()}
    return [
        documents.get(row) or make_unusable_document(bundle.task, reasons.get(row, _NO_ANSWER)) for row in range(n_rows)
    ]


def make_input_table(modality: str, inputs: Sequence[Any]) -> Table:
    """Return inputs in memory as a table, numbered from 0.

    Parameters
    ----------
    modality : str
    inputs : sequence
        Content of image files (bytes), texts, or series of shape (channels, time).
    """
    n = len(inputs)
    return Table(
        modality=modality,
        ids=make_column([str(row) for row in range(n)]),
        inputs=make_column(inputs),
        hashes=make_column([""] * n),
        labels=None,
        splits=make_column([""] * n),
        source="memory",
    )


def _make_sample_images(spec: Spec) -> list[bytes]:
    """Return images of coloured noise, smooth enough to look like something."""
    generator = np.random.default_rng(0)
    contents = []
    for _ in range(_WARM_ROWS):
        small = Image.fromarray(generator.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        buffer = io.BytesIO()
        small.resize((256, 256), Image.Resampling.BICUBIC).save(buffer, "PNG")
        contents.append(buffer.getvalue())
    return contents


def _make_sample_texts(spec: Spec) -> list[str]:
    words = "the pump at our school is broken since monday and nobody came to help us with water".split()  # noqa: SIM905
    return [" ".join(words[: 3 + row]) for row in range(_WARM_ROWS)]


def _make_sample_series(spec: Spec) -> list[Any]:
    """Return random walks with the channels and the length that the model was made for."""
    shape = (_WARM_ROWS, int(spec.get("n_channels", 1)), int(spec.get("length", 64)))
    steps = np.random.default_rng(0).normal(size=shape)
    return list(np.cumsum(steps, axis=2).astype(np.float32))


SAMPLE_INPUTS: dict[str, Callable[[Spec], list[Any]]] = {
    "image": _make_sample_images,
    "text": _make_sample_texts,
    "series": _make_sample_series,
}
"""For each modality: inputs to try a model on before anybody waits for an answer."""
