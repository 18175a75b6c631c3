"""Records of `result.json` for token classification: the same names as elsewhere where the meaning is the same."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from headstart.results.record import FORMAT, Figure, Record, Setting

SPAN_NOTICES = {
    "tag-without-begin": "A tag I- has no B- before it; it was read as the beginning of a span (so is IOB1).",
    "tag-changed-inside": "A tag I- is of another kind than the span before it; it was read as a new span.",
    "empty-span": "A span holds no word; it was left out.",
    "span-outside-text": "A span ends beyond its text; it was left out.",
    "overlapping-spans": "A span lies within another one; the longer one was taken.",
    "crossing-spans": "Two spans cross; the one that begins first was taken.",
    "span-inside-word": "A span begins or ends inside a word; for learning it is widened to whole words.",
    "inconsistent-word": "The same words are marked as different kinds, or sometimes not at all.",
    "repeated-text": "The same text occurs more than once; its copies stay on one side of a split.",
    "repeated-in-test": "A test text occurs among the training texts; it was left out of the training texts.",
}
"""What each code of a notice means, one sentence; codes are permanent."""


class SpanCounts(Record):
    """Texts of each part of the data."""

    train: int = Field(description="Texts that the model learned from.")
    validation: int = Field(
        default=0, description="Texts on which strategies were chosen, where the source names them."
    )
    test: int = Field(description="Texts that only the final figures were computed on.")
    unlabelled: int = Field(default=0, description="Texts that nobody marked; they were not used.")


class SpanKindFigures(Record):
    """How well one kind of span is found."""

    kind: str = Field(description="The kind.")
    n_train: int = Field(description="Spans of this kind in the training texts.")
    n_test: int = Field(description="Spans of this kind in the test texts.")
    span_f1: Figure = Field(description="Span F1 of this kind, 0 to 1, higher is better.")
    precision: float = Field(description="Share of the predicted spans that are right, 0 to 1.")
    recall: float = Field(description="Share of the true spans that are predicted, 0 to 1.")


class SpanMetrics(Record):
    """Figures on the test texts."""

    span_f1: Figure = Field(
        description="Micro-averaged F1 of whole spans, 0 to 1, higher is better: start, end and kind must be right "
        "(conlleval, seqeval). Documents are resampled."
    )
    precision: float = Field(description="Share of the predicted spans that are right, 0 to 1.")
    recall: float = Field(description="Share of the true spans that are predicted, 0 to 1.")
    seen_recall: Figure | None = Field(
        description="Recall of spans whose words are marked in a training text; `null` if there are none."
    )
    unseen_recall: Figure | None = Field(
        description="Recall of spans whose words are marked in no training text; `null` if there are none."
    )
    kinds: list[SpanKindFigures] = Field(default=[], description="The same for each kind of span.")


class SpanStrategyResult(Record):
    """A strategy that was tried."""

    name: str = Field(description="Its name.")
    uses_base: bool = Field(description="Whether it uses the base model.")
    held_out_f1: float = Field(description="Span F1 on the held-out texts that the choice was made on, 0 to 1.")
    span_f1: Figure | None = Field(description="Span F1 on the test texts, 0 to 1; `null` without test texts.")
    seconds: float = Field(description="Time of all its fits, in seconds.")
    mix: str = Field(default="", description="Layers of the base that its token states are a mean of.")
    facts: dict[str, float] = Field(default={}, description="What was chosen for it, such as a weight or epochs.")


class SpanVerdict(Record):
    """Did transfer help?"""

    measure: Literal["span F1"] = Field(default="span F1", description="The metric.")
    transfer: Literal["helped", "hurt", "no evidence"] = Field(
        description="`helped` if the whole interval of `difference` is above 0, `hurt` if it is below."
    )
    strategy: str | None = Field(description="The best strategy with the base model on held-out texts.")
    against: str | None = Field(description="The best one without it.")
    difference: Figure | None = Field(
        description="Span F1 of `strategy` minus that of `against` on the same test texts; `null` if nothing could be "
        "compared."
    )
    n_documents: int = Field(description="Test documents, which are resampled.")


class SpanCertaintyBin(Record):
    """Predicted spans of similar probability."""

    low: float = Field(description="Lowest probability of the bin, 0 to 1.")
    high: float = Field(description="Highest probability of the bin, 0 to 1.")
    n: int = Field(description="Predicted spans in it.")
    probability: float = Field(description="Their mean probability, 0 to 1.")
    share_right: float = Field(description="Share of them that are right, 0 to 1.")


class SpanCertainty(Record):
    """Can the probabilities of spans be trusted, and what if unsure ones are left to a person?"""

    calibration_error: float = Field(
        description="Mean distance between probability and share of right spans over the bins, weighted; 0 is best."
    )
    bins: list[SpanCertaintyBin] = Field(description="The bins, lowest first.")
    least_probability: float = Field(description="Spans below this probability are marked as not sure.")
    sure_share: float = Field(description="Share of the predicted spans that are sure, 0 to 1.")
    sure_precision: float = Field(description="Share of the sure spans that are right, 0 to 1.")


class SpanEvaluation(Record):
    """What `evaluate` prints as JSON for a model of spans."""

    format: int = Field(default=FORMAT, description="Number of this format.")
    task: Literal["spans"] = Field(default="spans", description="Token classification.")
    n_texts: int = Field(description="Marked texts.")
    metrics: SpanMetrics = Field(description="Figures; which spans were seen in training is not stored.")
    certainty: SpanCertainty | None = Field(description="Of the predicted spans; `null` without any.")


class SpanNoticeRow(Record):
    """Something in the marks of the data that was mended or is doubtful."""

    code: str = Field(description="What it is.")
    n: int = Field(description="How often.")
    first: str = Field(description="Where it is first.")


class SpanResult(Record):
    """The document of a run on spans."""

    model_config = ConfigDict(frozen=True)

    format: int = Field(default=FORMAT, description="Number of this format.")
    modality: Literal["text"] = Field(default="text", description="What the rows are.")
    task: Literal["spans"] = Field(default="spans", description="Token classification.")
    created: str = Field(description="When, UTC, ISO 8601.")
    source: str = Field(description="The path as it was given.")
    form: str = Field(description="Of the source: `conll`, `jsonl`, `doccano` or `label-studio`.")
    scheme: Literal["bio", "words"] = Field(
        description="`bio`: spans of one or several words; `words`: every word has a tag."
    )
    kinds: list[str] = Field(description="Kinds of spans.")
    n_rows: SpanCounts = Field(description="Texts of each part.")
    is_test_drawn: bool = Field(description="Whether the test texts were drawn here; else the source names them.")
    base: str | None = Field(description="Name of the base model; `null` if none was used.")
    base_licence: str = Field(default="", description="Licence of the base model.")
    chosen: str = Field(description="Name of the chosen strategy.")
    strategies: list[SpanStrategyResult] = Field(description="The strategies that were tried.")
    skipped: dict[str, str] = Field(default={}, description="Those that were not: `no-time` or `no-base`.")
    n_held_out: int = Field(description="Texts that the choice was made on.")
    test: SpanMetrics | None = Field(description="The chosen strategy on the test texts; `null` without any.")
    span_f1: Figure | None = Field(description="That of `test`: the main figure.")
    verdict: SpanVerdict = Field(description="Did transfer help?")
    certainty: SpanCertainty | None = Field(description="Of the predicted spans; `null` without any.")
    notices: list[SpanNoticeRow] = Field(default=[], description="What was mended or is doubtful in the data.")
    options: dict[str, object] = Field(default={}, description="The options of the run.")
    settings: dict[str, Setting | list[float]] = Field(default={}, description="Tunable numbers of the run.")
    versions: dict[str, str] = Field(default={}, description="Versions of Python and packages.")
    seconds: float = Field(description="Time of the whole run.")
