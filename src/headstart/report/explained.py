"""The page that `headstart explain` writes: one file, nothing loaded from elsewhere, in any language of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headstart.modalities.preview_records import AnyPreview, AnyWeights
from headstart.report.messages import current_language, message, translate, use_language
from headstart.report.render import clean_text, open_templates
from headstart.report.sentences import text_direction
from headstart.report.words import format_amount, format_percent

PLACES: Mapping[frozenset[str], str] = {
    frozenset({"row", "column"}): message("row {row}, column {column}"),
    frozenset({"first", "last"}): message("steps {first} to {last}"),
}
"""How the place of a part is said, by the names of its numbers."""
ANSWERS = {
    "answered": message("Its answer: {answer} ({share} sure)."),
    "not_sure": message("Not sure. Its best guess: {answer} ({share} sure)."),
    "none_of_these": message("None of these kinds. Its best guess: {answer} ({share} sure)."),
}


@dataclass(frozen=True, kw_only=True)
class HeavyPart:
    """A part without which the answer would be weaker.

    Parameters
    ----------
    name : str
        Its words, or what it is called in English.
    place : mapping of str to int
        The numbers in that name; empty for words.
    without : float
        Probability (0-1) or number without this part.
    """

    name: str
    place: Mapping[str, int]
    without: float


@dataclass(frozen=True, kw_only=True)
class SimilarRow:
    """A training row that an input is like.

    Parameters
    ----------
    id, label : str
    distance : float
        0: the same, 2: the opposite.
    preview : AnyPreview or None
        None where the training data is no longer there.
    """

    id: str
    label: str
    distance: float
    preview: AnyPreview | None


@dataclass(frozen=True, kw_only=True)
class ExplainedInput:
    """One input.

    Parameters
    ----------
    name : str
    outcome : str
        "answered", "not_sure" or "none_of_these".
    answer : str
        The predicted class, labels or number.
    probability : float or None
        Of the predicted class, 0-1.
    explains : str
        The class, label or number that the parts speak for.
    whole : float
        Its probability (0-1), or the number.
    is_number : bool
    original : AnyPreview or None
    weights : AnyWeights or None
        None where the input has only one part.
    heaviest : sequence of HeavyPart
    similar : sequence of SimilarRow
    """

    name: str
    outcome: str
    answer: str
    probability: float | None
    explains: str
    whole: float
    is_number: bool
    original: AnyPreview | None
    weights: AnyWeights | None
    heaviest: Sequence[HeavyPart]
    similar: Sequence[SimilarRow]


@dataclass(frozen=True, kw_only=True)
class ExplainedPage:
    """The inputs that are explained, of how many, and how many of these were compared to find the least sure."""

    items: Sequence[ExplainedInput]
    n_inputs: int
    n_ranked: int


def render_explained(page: ExplainedPage, language: str = "en") -> str:
    """Return the page.

    Parameters
    ----------
    page : ExplainedPage
    language : str
        Of the page: en, fr, es, sw or ar.
    """
    with use_language(language):
        values = {
            "page": page,
            "language": current_language(),
            "direction": text_direction(),
            "write_answer": write_answer,
            "write_reading": write_reading,
        }
        return clean_text(open_templates().get_template("explained.html").render(values))


def write_answer(item: ExplainedInput) -> str:
    """Return the answer in a sentence.

    Parameters
    ----------
    item : ExplainedInput
    """
    if item.probability is None:
        return translate("Its answer: {answer}.", answer=item.answer or translate("none"))
    return translate(ANSWERS[item.outcome], answer=item.answer, share=format_percent(item.probability))


def write_reading(item: ExplainedInput) -> str:
    """Return which parts weigh most, and what would be left without them.

    Parameters
    ----------
    item : ExplainedInput
    """
    if item.weights is None:
        return translate("It has only one part, so nothing could be hidden.")
    if not item.heaviest:
        return translate("No single part speaks for {answer}: without any of them it is as sure, or surer.",
                         answer=item.explains)  # fmt: skip
    write = format_amount if item.is_number else format_percent
    parts = [
        translate("{part} (without it {value})", part=_name_part(part), value=write(part.without))
        for part in item.heaviest
    ]
    return translate(
        "What speaks most for {answer}, now {value}: {parts}.",
        answer=item.explains, value=write(item.whole), parts=translate("; ").join(parts),
    )  # fmt: skip


def _name_part(part: HeavyPart) -> str:
    words = PLACES.get(frozenset(part.place))
    return translate(words, **part.place) if words else part.name
