"""Tunable numbers of token classification."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SpanSettings:
    """Numbers that results on spans depend on.

    Parameters
    ----------
    n_buckets : int
        Hashed features of words.
    affix_characters : int
        Longest prefix and suffix of a word that is a feature.
    context_words : int
        Neighbours on each side whose words and shapes are features.
    most_word_characters : int
        Characters of a word that are looked at.
    least_count : int
        Words of the training texts that a hashed feature must have.
    crf_iterations, crf_history : int
        Steps of L-BFGS, and how many of them it remembers.
    hashed_decay : float
        L2 penalty of hashed features.
    state_decay : float
        L2 penalty of token states, scaled to unit deviation.
    words_weights, tuned_shares : tuple of float
        Of a blend of three fields: the weight of that on hashed words, and the share of the rest that the one on tuned
        states has. All pairs are tried on held-out texts.
    frozen_weights : tuple of float
        Weights of the field on frozen states where only it and the one on words are pooled.
    bias_decay, transition_decay : float
        L2 penalties of the bias and of transitions.
    impossible : float
        Score of a transition that may not be.
    most_fitted_words : int
        Words after which a long text is cut for fitting.
    words_at_once : int
        Words whose states are in memory in single precision at a time.
    texts_at_once : int
        Texts whose windows are batched together.
    batch_tokens : int
        Tokens of a batch, with its padding.
    shard_bytes : int
        States that are written to the cache at once.
    tuned_epochs, most_epochs : int
        Passes through the training texts; up to the second where texts are few.
    least_steps : int
        Steps that few texts should give.
    tuned_rate, field_rate : float
        Highest learning rates of the blocks and of the field on top.
    tuned_decay : float
        Weight decay of the blocks.
    warm_up_share : float
        Share of the steps in which the rates rise.
    n_folds : int
        Folds where the source names no validation texts.
    few_texts : int
        Up to so many training texts every fold is scored, else one.
    time_share : float
        Share of the time that is left which the next strategy may take.
    least_seconds : float
        A strategy is not begun with less time.
    test_share : float
        Share of the documents that are put away for the test where the source names none.
    least_probability : float
        A span below this probability is marked as not sure.
    least_certainty_spans : int
        Right spans, and wrong ones, that fitting the certainty takes.
    least_inconsistent : int
        Marks of another kind, or unmarked places for each mark, that make a word doubtful.
    least_documents : int
        Documents without test texts of their own from which on a test is drawn.
    most_kinds : int
        Kinds of spans that a model may have.
    least_marked_documents : int
        Different training texts with spans that a model takes.
    certainty_bins : int
        Bins of probability in which certainty is compared with what is right.
    compared_texts : int
        Texts on which an exported graph is compared with the base, at most.
    most_graph_error : float
        Largest relative difference of states between them.
    interval_quantile : float
        Normal quantile of 95 % intervals.
    least_changed_documents : int
        Documents on which two models must differ before a difference is evidence.
    """

    n_buckets: int = 2**17
    affix_characters: int = 4
    context_words: int = 2
    most_word_characters: int = 64
    least_count: int = 2
    crf_iterations: int = 80
    crf_history: int = 8
    hashed_decay: float = 1.0
    state_decay: float = 30.0
    words_weights: tuple[float, ...] = (0.0, 0.2, 0.35, 0.5)
    tuned_shares: tuple[float, ...] = (0.4, 0.6, 0.8)
    frozen_weights: tuple[float, ...] = (0.3, 0.5, 0.7)
    bias_decay: float = 0.01
    transition_decay: float = 0.1
    impossible: float = -30.0
    most_fitted_words: int = 256
    words_at_once: int = 8_192
    texts_at_once: int = 256
    batch_tokens: int = 1_024
    shard_bytes: int = 64_000_000
    tuned_epochs: int = 5
    most_epochs: int = 20
    least_steps: int = 60
    tuned_rate: float = 6e-4
    field_rate: float = 1e-3
    tuned_decay: float = 0.01
    warm_up_share: float = 0.1
    n_folds: int = 4
    few_texts: int = 300
    time_share: float = 0.8
    least_seconds: float = 5.0
    test_share: float = 0.2
    least_probability: float = 0.5
    least_certainty_spans: int = 5
    least_inconsistent: int = 3
    least_documents: int = 10
    most_kinds: int = 200
    least_marked_documents: int = 4
    certainty_bins: int = 10
    compared_texts: int = 50
    most_graph_error: float = 1e-3
    interval_quantile: float = 1.96
    least_changed_documents: int = 6


SETTINGS = SpanSettings()
