"""Choose a strategy on texts that it did not learn from: the validation texts of the source, or folds of the others."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from headstart import progress
from headstart.records import Index
from headstart.spans.model import Certainty, ScoredSpan, fit_certainty, take_spans
from headstart.spans.records import SpanText
from headstart.spans.scoring import Counts, compute_f1, count_spans, number_documents
from headstart.spans.settings import SETTINGS
from headstart.spans.strategies import STRATEGIES, FittedSpans, SpanRows, SpanStrategy
from headstart.spans.token_states import TokenEncoder


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """A part of the training texts that is held out: what is learned from, and what is scored."""

    fitted: tuple[SpanText, ...]
    scored: tuple[SpanText, ...]


@dataclass(frozen=True, kw_only=True)
class TriedSpanStrategy:
    """A strategy and what it scored on held-out texts.

    Parameters
    ----------
    strategy : SpanStrategy
    fitted : FittedSpans
        To be used: on all training texts, or as it was scored where the source names validation texts.
    held_out_f1 : float
    seconds : float
        Of all fits.
    """

    strategy: SpanStrategy
    fitted: FittedSpans
    held_out_f1: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class SpanChoice:
    """All tried strategies, by name, and why others were not tried.

    Parameters
    ----------
    tried : mapping of str to TriedSpanStrategy
    skipped : mapping of str to str
        Name to code: `no-time`, `no-base`.
    n_held_out : int
        Texts that strategies were scored on.
    """

    tried: dict[str, TriedSpanStrategy]
    skipped: dict[str, str]
    n_held_out: int

    def find_best(self, uses_base: bool | None = None) -> TriedSpanStrategy | None:
        """Return the best strategy on held-out texts, the cheaper one of equals.

        Parameters
        ----------
        uses_base : bool or None
            Only with, or only without a base.
        """
        fitting = [item for item in self.tried.values() if uses_base in (None, item.strategy.uses_base)]
        return max(fitting, key=lambda item: item.held_out_f1, default=None)


@dataclass(frozen=True, kw_only=True)
class ChoiceRequest:
    """What a choice is made of.

    Parameters
    ----------
    train, validation : tuple of SpanText
        Validation texts may be none: folds are made then.
    tags : tuple of str
    encoder : TokenEncoder or None
    names : tuple of str
        Strategies to try; empty: all.
    seed : int
    seconds : float
        About how long all may take.
    """

    train: tuple[SpanText, ...]
    validation: tuple[SpanText, ...]
    tags: tuple[str, ...]
    encoder: TokenEncoder | None
    names: tuple[str, ...] = ()
    seed: int = 0
    seconds: float = 600.0


def plan_held_out(request: ChoiceRequest) -> list[HeldOut]:
    """Return the parts that strategies are scored on; documents are never cut.

    Parameters
    ----------
    request : ChoiceRequest
    """
    if request.validation:
        return [HeldOut(fitted=request.train, scored=request.validation)]
    folds = assign_folds(request.train, SETTINGS.n_folds, request.seed)
    n_scored = SETTINGS.n_folds if len(request.train) <= SETTINGS.few_texts else 1
    return [
        HeldOut(
            fitted=tuple(item for item, fold in zip(request.train, folds, strict=True) if fold != number),
            scored=tuple(item for item, fold in zip(request.train, folds, strict=True) if fold == number),
        )
        for number in range(n_scored)
    ]


def assign_folds(texts: Sequence[SpanText], n_folds: int, seed: int) -> Index:
    """Return the fold of each text (n_texts,); texts of a document share one, and spans are spread evenly.

    The first fold has most documents: one that is scored alone is not a single huge one.

    Parameters
    ----------
    texts : sequence of SpanText
    n_folds : int
    seed : int
    """
    documents = number_documents(texts)
    sizes: dict[int, list[int]] = {}
    for document, item in zip(documents.tolist(), texts, strict=True):
        size = sizes.setdefault(document, [0, 0])
        size[0] += len(item.spans)
        size[1] += len(item.words)
    names = np.random.default_rng(seed).permutation(list(sizes)).tolist()
    names.sort(key=lambda name: -sizes[name][0])
    totals = [[0, 0] for _ in range(n_folds)]
    fold_of: dict[int, int] = {}
    for name in names:
        fold = min(range(n_folds), key=lambda number: totals[number])
        fold_of[name] = fold
        totals[fold] = [totals[fold][0] + sizes[name][0], totals[fold][1] + sizes[name][1]]
    n_documents = np.bincount(list(fold_of.values()), minlength=n_folds)
    rank = np.argsort(np.argsort(-n_documents, kind="stable"), kind="stable")
    return rank[[fold_of[document] for document in documents.tolist()]].astype(np.intp)


@dataclass(kw_only=True)
class _Trials:
    """State of the trials: the best candidate of each strategy in each held-out part."""

    request: ChoiceRequest
    parts: list[HeldOut]
    began: float = field(default_factory=time.monotonic)
    members: list[dict[str, FittedSpans]] = field(default_factory=list)
    final: dict[str, FittedSpans] = field(default_factory=dict)

    def left_seconds(self) -> float:
        return self.request.seconds - (time.monotonic() - self.began)

    def make_rows(self, texts: tuple[SpanText, ...], seconds: float) -> SpanRows:
        request = self.request
        return SpanRows(texts=texts, tags=request.tags, encoder=request.encoder, seed=request.seed, seconds=seconds)

    def try_strategy(self, strategy: SpanStrategy) -> TriedSpanStrategy:
        """Fit all candidates on every part, score them, and fit the best one for use."""
        began = time.monotonic()
        n_fits = len(self.parts) + (not self.request.validation)
        seconds = self.left_seconds() * SETTINGS.time_share / n_fits
        counts: list[list[Counts]] = []
        answers: list[list[list[list[ScoredSpan]]]] = []
        candidates: list[list[FittedSpans]] = []
        for part, members in zip(self.parts, self.members, strict=True):
            candidates.append(list(strategy.fit(self.make_rows(part.fitted, seconds), members)))
            predicted = [item.model.predict(part.scored, item.make_features(part.scored)) for item in candidates[-1]]
            truth = [item.spans for item in part.scored]
            counts.append([count_spans(truth, take_spans(rows)) for rows in predicted])
            answers.append(predicted)
        scores = [float(compute_f1(np.concatenate(rows).sum(axis=0))) for rows in zip(*counts, strict=True)]
        best = int(np.argmax(scores))
        for members, fitted in zip(self.members, candidates, strict=True):
            members[strategy.name] = fitted[best]
        certainty = fit_certainty(
            [item for part in self.parts for item in part.scored], [row for part in answers for row in part[best]]
        )
        use = self._fit_for_use(strategy, candidates[0][best], best, seconds)
        self.final[strategy.name] = use
        return TriedSpanStrategy(
            strategy=strategy,
            fitted=_set_certainty(use, certainty),
            held_out_f1=scores[best],
            seconds=time.monotonic() - began,
        )

    def _fit_for_use(self, strategy: SpanStrategy, first: FittedSpans, best: int, seconds: float) -> FittedSpans:
        if self.request.validation:
            return first
        rows = self.make_rows(self.request.train, seconds)
        return list(strategy.fit(rows, self.final))[best]


def _set_certainty(fitted: FittedSpans, certainty: Certainty) -> FittedSpans:
    model = fitted.model.with_certainty(certainty)
    return FittedSpans(model=model, parts=fitted.parts, encoder=fitted.encoder, facts=fitted.facts)


def choose_strategy(request: ChoiceRequest) -> SpanChoice:
    """Try the strategies, cheaper ones first.

    Parameters
    ----------
    request : ChoiceRequest
    """
    parts = plan_held_out(request)
    trials = _Trials(request=request, parts=parts, members=[{} for _ in parts])
    tried: dict[str, TriedSpanStrategy] = {}
    skipped: dict[str, str] = {}
    for name, strategy in STRATEGIES.items():
        if request.names and not _is_wanted(name, request.names):
            continue
        if strategy.uses_base and request.encoder is None:
            skipped[name] = "no-base"
        elif trials.left_seconds() < SETTINGS.least_seconds or any(need not in tried for need in strategy.needs):
            skipped[name] = "no-time"
        else:
            tried[name] = trials.try_strategy(strategy)
            progress.say(f"{name}: span F1 {tried[name].held_out_f1:.3f} on held-out texts.")
    return SpanChoice(tried=tried, skipped=skipped, n_held_out=sum(len(part.scored) for part in parts))


def _is_wanted(name: str, names: Sequence[str]) -> bool:
    """Return whether a strategy was named, or one that is made of it."""
    return name in names or any(name in STRATEGIES[other].needs for other in names)
