"""Strategies for spans, cheaper ones first: what each fits on training texts.

`word-crf` is the rival without a base model. `token-probe` fits a field on frozen token states, `last-stages` trains
the end of the base as well. `token-blend` and `last-stages-blend` pool the field of the rival with either
(logarithmic opinion pools: Smith, Cohn and Osborne 2005): scores of both, weighted, are one field again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from headstart import bases
from headstart.bases import BaseParts
from headstart.records import Index
from headstart.spans.crf import Crf, WordFeatures, fit_crf, number_tags
from headstart.spans.model import SpanModel, count_words
from headstart.spans.records import SpanText
from headstart.spans.settings import SETTINGS
from headstart.spans.tags import make_tags, may_follow
from headstart.spans.token_states import JOINED, TokenEncoder, TokenStates, list_mixes
from headstart.spans.tuning import LAST, MIDDLE, tune_base
from headstart.spans.word_features import hash_words


@dataclass(frozen=True, kw_only=True)
class SpanRows:
    """Training texts as a strategy sees them.

    Parameters
    ----------
    texts : tuple of SpanText
    tags : tuple of str
        What models decide between.
    encoder : TokenEncoder or None
        The base; None where there is none.
    seed : int
    seconds : float
        About how long a fit may take.
    """

    texts: tuple[SpanText, ...]
    tags: tuple[str, ...]
    encoder: TokenEncoder | None
    seed: int
    seconds: float

    def number_gold(self) -> list[Index]:
        """Return the numbers of the tags of each text's words."""
        return [number_tags([make_tags(item.spans, item.words)], self.tags) for item in self.texts]

    def list_allowed(self) -> NDArray[np.bool_]:
        """Return which tag may follow which."""
        return np.array(may_follow(self.tags))


@dataclass(frozen=True, kw_only=True)
class FittedSpans:
    """A fitted model, and the base that it needs where it is not the frozen one.

    Parameters
    ----------
    model : SpanModel
    parts : BaseParts or None
        Of a tuned base.
    encoder : TokenEncoder or None
        What gives the states that the model wants.
    facts : mapping of str to number
        What was chosen, for the record.
    """

    model: SpanModel
    parts: BaseParts | None = None
    encoder: TokenEncoder | None = None
    facts: Mapping[str, float] = field(default_factory=dict)

    def make_features(self, texts: Sequence[SpanText], *, is_kept: bool = True) -> WordFeatures:
        """Return the features of texts.

        Parameters
        ----------
        texts : sequence of SpanText
        is_kept : bool
            Whether token states go into the cache.
        """
        states = None
        if self.model.uses_base:
            assert self.encoder is not None
            states = self.encoder.compute_states(texts, is_kept=is_kept)
        return self.model.make_features(texts, states)


Members = Mapping[str, FittedSpans]
"""What cheaper strategies fitted on the same texts."""


@dataclass(frozen=True, kw_only=True)
class SpanStrategy:
    """A way to a model.

    Parameters
    ----------
    name : str
        Permanent, kebab-case.
    uses_base : bool
    fit : function of rows and cheaper members, giving candidates
        All are scored on held-out texts; the best one stands for the strategy.
    needs : tuple of str
        Strategies that it is made of.
    """

    name: str
    uses_base: bool
    fit: Callable[[SpanRows, Members], Iterator[FittedSpans]]
    needs: tuple[str, ...] = ()


def _fit_word_crf(rows: SpanRows, members: Members) -> Iterator[FittedSpans]:
    hashed = hash_words([item.list_words() for item in rows.texts])
    features = WordFeatures(lengths=count_words(rows.texts), hashed=hashed)
    yield FittedSpans(model=_fit_field("word-crf", rows, features, mix="", decay=1.0))


def _fit_field(name: str, rows: SpanRows, features: WordFeatures, *, mix: str, decay: float) -> SpanModel:
    gold = np.concatenate(rows.number_gold())
    crf = fit_crf(features, gold, rows.list_allowed(), hashed_decay=SETTINGS.hashed_decay, state_decay=decay)
    return SpanModel(strategy=name, tags=rows.tags, crf=crf, mix=mix)


def _fit_token_probe(rows: SpanRows, members: Members) -> Iterator[FittedSpans]:
    encoder = _require_encoder(rows)
    states = encoder.compute_states(rows.texts)
    for mix in states.mixes:
        yield _fit_probe("token-probe", rows, states, mix=mix, decay=SETTINGS.state_decay)


def _fit_probe(name: str, rows: SpanRows, states: TokenStates, *, mix: str, decay: float) -> FittedSpans:
    features = WordFeatures(lengths=count_words(rows.texts), states=states.take_mix(mix))
    model = _fit_field(name, rows, features, mix=mix, decay=decay)
    return FittedSpans(model=model, encoder=rows.encoder)


def _fit_last_stages(rows: SpanRows, members: Members) -> Iterator[FittedSpans]:
    encoder = _require_encoder(rows)
    start = _fit_probe("last-stages", rows, encoder.compute_states(rows.texts), mix=LAST, decay=SETTINGS.state_decay)
    tuned = tune_base(encoder, rows.texts, rows.number_gold(), start.model.crf, seed=rows.seed, seconds=rows.seconds)
    layers = list_mixes(int(encoder.net.config.num_hidden_layers))
    mixes = {mix: layers[mix] for mix in (MIDDLE, LAST)}
    yield FittedSpans(
        model=replace(start.model, crf=tuned.crf),
        parts=tuned.parts,
        encoder=TokenEncoder(bases.assemble_backbone(tuned.parts), mixes),
        facts={"epochs": tuned.n_epochs},
    )


def _require_encoder(rows: SpanRows) -> TokenEncoder:
    assert rows.encoder is not None
    return rows.encoder


def _fit_token_blend(rows: SpanRows, members: Members) -> Iterator[FittedSpans]:
    words, probe = members["word-crf"].model.crf, members["token-probe"]
    for weight in SETTINGS.frozen_weights:
        crf = pool_fields([(1 - weight, words), (weight, probe.model.crf)])
        yield replace(probe, model=replace(probe.model, strategy="token-blend", crf=crf), facts={"weight": weight})


def _fit_last_stages_blend(rows: SpanRows, members: Members) -> Iterator[FittedSpans]:
    """Pool three fields; the tuned base still has the frozen states of the middle, so one pass gives both kinds."""
    words, tuned = members["word-crf"].model.crf, members["last-stages"]
    states = _require_encoder(rows).compute_states(rows.texts)
    probe = _fit_probe("last-stages-blend", rows, states, mix=MIDDLE, decay=SETTINGS.state_decay).model.crf
    for weight, share in product(SETTINGS.words_weights, SETTINGS.tuned_shares):
        weights = (weight, (1 - weight) * (1 - share), (1 - weight) * share)
        crf = pool_fields(list(zip(weights, (words, probe, tuned.model.crf), strict=True)))
        model = replace(tuned.model, strategy="last-stages-blend", crf=crf, mix=f"{MIDDLE}{JOINED}{LAST}")
        facts = dict(zip(("words", "frozen", "tuned"), weights, strict=True))
        yield replace(tuned, model=model, facts=facts)


def pool_fields(fields: Sequence[tuple[float, Crf]]) -> Crf:
    """Return the field whose scores are the weighted sum of others; their states lie side by side.

    Parameters
    ----------
    fields : sequence of (weight, Crf)
        Weights are 0 to 1; of those on hashed features there is at most one.
    """
    hashed = [weight * crf.hashed_weights for weight, crf in fields if crf.hashed_weights is not None]
    states = [weight * crf.state_weights for weight, crf in fields if crf.state_weights is not None]
    return Crf(
        hashed_weights=hashed[0].astype(np.float32) if hashed else None,
        state_weights=np.concatenate(states).astype(np.float32) if states else None,
        bias=_add(fields, "bias"),
        transitions=_add(fields, "transitions"),
        start=_add(fields, "start"),
    )


def _add(fields: Sequence[tuple[float, Crf]], name: str) -> NDArray[np.float32]:
    return np.asarray(sum(weight * getattr(crf, name) for weight, crf in fields), dtype=np.float32)


STRATEGIES: dict[str, SpanStrategy] = {
    item.name: item
    for item in (
        SpanStrategy(name="word-crf", uses_base=False, fit=_fit_word_crf),
        SpanStrategy(name="token-probe", uses_base=True, fit=_fit_token_probe),
        SpanStrategy(
            name="token-blend",
            uses_base=True,
            fit=_fit_token_blend,
            needs=("word-crf", "token-probe"),
        ),
        SpanStrategy(name="last-stages", uses_base=True, fit=_fit_last_stages),
        SpanStrategy(
            name="last-stages-blend",
            uses_base=True,
            fit=_fit_last_stages_blend,
            needs=("word-crf", "last-stages"),
        ),
    )
}
