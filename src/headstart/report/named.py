"""Short names of the checks of the data, their advice, and what each strategy is, by name."""

from __future__ import annotations

from headstart.report.messages import message
from headstart.results.check_codes import CHECK_CODES

FINDINGS = {code: check.title for code, check in CHECK_CODES.items() if check.severity != "stop"}
ADVICE = {code: check.advice for code, check in CHECK_CODES.items() if check.advice and check.severity != "stop"}
STRATEGIES = {
    "majority": message(
        "Always the same answer, the most frequent class or the average: what anything useful must beat."
    ),
    "linear-probe": message("A simple model on what the pre-trained base model sees in each row."),
    "shrinkage-lda": message(
        "Each class as a cloud around its mean in what the base model sees; strong with very few labels."
    ),
    "multi-stage-probe": message(
        "The same on several stages of the base model at once: also on what its early layers see."
    ),
    "classic": message("A proven method learnt from your rows alone, without any pre-trained model."),
    "quant": message("Decision trees on how values are spread over parts of each series; nothing pre-trained."),
    "last-stages": message("The later layers of the base model trained on your rows; the early ones stay."),
    "contrastive": message("The later layers trained to bring texts of one class together, for few labels."),
    "norm-bias": message("Only the base model's scales and offsets trained on your rows."),
    "lora": message("Small additions to the base model's attention layers trained on your rows."),
    "full": message("The whole base model trained on your rows, its early layers more slowly."),
    "self-training": message(
        "What the base model sees in your rows without labels used as well: sure answers and similar rows."
    ),
    "balanced-probe": message(
        "The probe fitted again so that small groups, or rows that a first probe found hard, count as much as others."
    ),
    "scratch": message("A network of the base's kind, learnt from random weights on your rows alone."),
    "blend": message("Several of the others together, weighted by cross-validation."),
}
OTHER = message("Something else was noticed")


def kind_of_finding(kind: str) -> str:
    """Return the short name of a kind of finding, in English."""
    return FINDINGS.get(kind, OTHER)


def advice_for(kind: str) -> str:
    """Return what to do about a kind of finding, in English; "" where there is nothing to do."""
    return ADVICE.get(kind, "")
