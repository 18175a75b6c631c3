"""A fitted model of spans: from texts to spans, each with the probability that it is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from headstart.records import Index
from headstart.spans.crf import Crf, Floats, WordFeatures, compute_marginals, decode_words
from headstart.spans.records import Span, SpanText
from headstart.spans.settings import SETTINGS
from headstart.spans.tags import read_tags
from headstart.spans.token_states import TokenStates
from headstart.spans.word_features import hash_words


@dataclass(frozen=True)
class ScoredSpan:
    """A predicted span and the probability that it is right, 0 to 1."""

    span: Span
    probability: float


@dataclass(frozen=True, kw_only=True)
class Certainty:
    """Turns the least probability of a span's words into the probability that the span is right (Platt 1999).

    Parameters
    ----------
    slope, intercept : float
        Of the logistic function of the logit.
    """

    slope: float = 1.0
    intercept: float = 0.0

    def calibrate(self, raw: float) -> float:
        """Return the probability that a span is right.

        Parameters
        ----------
        raw : float
            Least marginal probability of its words.
        """
        clipped = min(max(raw, 1e-6), 1 - 1e-6)
        logit = self.slope * float(np.log(clipped / (1 - clipped))) + self.intercept
        return float(1 / (1 + np.exp(-np.clip(logit, -50, 50))))


@dataclass(frozen=True, kw_only=True)
class SpanModel:
    """A fitted model.

    Parameters
    ----------
    strategy : str
        Name of the strategy that fitted it.
    tags : tuple of str
        What it decides between, as `list_tags` gives them.
    crf : Crf
    mix : str
        Mix of layers that its states are; "" where it uses none.
    certainty : Certainty
    """

    strategy: str
    tags: tuple[str, ...]
    crf: Crf
    mix: str = ""
    certainty: Certainty = Certainty()

    @property
    def uses_base(self) -> bool:
        """Whether it needs token states."""
        return self.crf.state_weights is not None

    def with_certainty(self, certainty: Certainty) -> SpanModel:
        """Return the model with another certainty.

        Parameters
        ----------
        certainty : Certainty
        """
        return replace(self, certainty=certainty)

    def make_features(self, texts: Sequence[SpanText], states: TokenStates | None) -> WordFeatures:
        """Return what the model wants to know of the words of texts.

        Parameters
        ----------
        texts : sequence of SpanText
        states : TokenStates or None
            Of these texts, where the model uses a base.
        """
        hashed = self.crf.hashed_weights is not None
        return WordFeatures(
            lengths=count_words(texts),
            hashed=hash_words([item.list_words() for item in texts]) if hashed else None,
            states=states.take_mix(self.mix) if states is not None and self.uses_base else None,
        )

    def predict(self, texts: Sequence[SpanText], features: WordFeatures) -> list[list[ScoredSpan]]:
        """Return the spans of each text, sorted; offsets refer to its original string.

        Parameters
        ----------
        texts : sequence of SpanText
        features : WordFeatures
            As `make_features` gives them.
        """
        decoded = decode_words(self.crf.score_words(features), features.lengths, self.crf)
        answers, first = [], 0
        for item, length in zip(texts, features.lengths, strict=True):
            part = slice(first, first + int(length))
            tags = [self.tags[number] for number in decoded.tags[part]]
            answers.append(self._collect(item, tags, decoded.probabilities[part].tolist()))
            first = part.stop
        return answers

    def find_likely_spans(
        self, texts: Sequence[SpanText], features: WordFeatures, kinds: frozenset[str], least: float
    ) -> list[list[Span]]:
        """Return all runs of words that may be of some kinds: more than the best answer has, to overlook less.

        Parameters
        ----------
        texts : sequence of SpanText
        features : WordFeatures
        kinds : frozenset of str
        least : float
            Least probability of a word to be of one of the kinds, 0 to 1; a run bears its most likely kind.
        """
        marginals = compute_marginals(self.crf.score_words(features), features.lengths, self.crf)
        columns = [number for number, tag in enumerate(self.tags) if tag[2:] in kinds]
        answers, first = [], 0
        for item, length in zip(texts, features.lengths, strict=True):
            rows = marginals[first : first + int(length)][:, columns]
            answers.append(self._join_words(item, rows, columns, least))
            first += int(length)
        return answers

    def _join_words(self, item: SpanText, rows: Floats, columns: Sequence[int], least: float) -> list[Span]:
        spans: list[Span] = []
        last = -2
        for place in np.flatnonzero(rows.sum(axis=1) >= least).tolist():
            kind = self.tags[columns[int(rows[place].argmax())]][2:]
            if place == last + 1 and spans[-1].kind == kind:
                spans[-1] = Span(spans[-1].start, item.words[place][1], kind)
            else:
                spans.append(Span(item.words[place][0], item.words[place][1], kind))
            last = place
        return spans

    def _collect(self, item: SpanText, tags: Sequence[str], probabilities: Sequence[float]) -> list[ScoredSpan]:
        return [
            ScoredSpan(
                Span(item.words[span.start][0], item.words[span.end - 1][1], span.kind),
                self.certainty.calibrate(min(probabilities[span.start : span.end])),
            )
            for span in read_tags(tags).spans
        ]


def count_words(texts: Sequence[SpanText]) -> Index:
    """Return the number of words of each text (n_texts,).

    Parameters
    ----------
    texts : sequence of SpanText
    """
    return np.array([len(item.words) for item in texts], dtype=np.intp)


def take_spans(answers: Sequence[Sequence[ScoredSpan]]) -> list[list[Span]]:
    """Return the spans alone.

    Parameters
    ----------
    answers : sequence of sequence of ScoredSpan
    """
    return [[item.span for item in row] for row in answers]


def fit_certainty(texts: Sequence[SpanText], answers: Sequence[Sequence[ScoredSpan]]) -> Certainty:
    """Return what turns the raw probabilities of a model into those that its spans are right.

    Parameters
    ----------
    texts : sequence of SpanText
        That the model did not learn from, with their true spans.
    answers : sequence of sequence of ScoredSpan
        Of these texts, by models without certainty.

    Notes
    -----
    Platt 1999 with his targets (n + 1) / (n + 2); a logistic regression on one number, by Newton's method. With fewer
    than five right or five wrong spans nothing is fitted.
    """
    pairs = [
        (answer.probability, answer.span in item.spans)
        for item, row in zip(texts, answers, strict=True)
        for answer in row
    ]
    raw, right = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs], dtype=bool)
    n_right, n_wrong = int(right.sum()), int((~right).sum())
    if min(n_right, n_wrong) < SETTINGS.least_certainty_spans:
        return Certainty()
    clipped = np.clip(raw, 1e-6, 1 - 1e-6)
    design = np.column_stack([np.log(clipped / (1 - clipped)), np.ones(len(raw))])
    targets = np.where(right, (n_right + 1) / (n_right + 2), 1 / (n_wrong + 2))
    weights = np.array([1.0, 0.0])
    for _ in range(30):
        probabilities = 1 / (1 + np.exp(-np.clip(design @ weights, -50, 50)))
        gradient = design.T @ (probabilities - targets) + 1e-3 * weights
        curvature = (design * (probabilities * (1 - probabilities))[:, None]).T @ design + 1e-3 * np.eye(2)
        weights = weights - np.linalg.solve(curvature, gradient)
    return Certainty(slope=max(float(weights[0]), 0.0), intercept=float(weights[1]))
