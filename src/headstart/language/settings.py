"""The tunable numbers of adapting a base to a language, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LanguageSettings:
    """Numbers that change how a language is read, learnt and measured.

    Parameters
    ----------
    document_characters : int
        Longer documents are cut at a space.
    few_documents, enough_documents, shortest_cut : int
        Fewer documents than the first are cut shorter, into about as many as the second, so that some can be held out.
    min_characters, min_documents : int
        Of raw text to adapt to.
    held_out_share, dev_share, max_held_out, max_dev : float, int
        Shares (0-1) of the characters for the test and for choosing, and how many characters at most.
    repeated_line_characters : int
        Longer lines that occur twice count once.
    max_control_share, control_sample : float, int
        More control characters than that share (0-1) of the first characters are no text.
    min_fit_characters, min_fit_documents, max_fit_characters : int
        Of raw text to measure a base on; of longer text a part drawn by content.
    unknown_character_share, max_tokens_per_word : float
        Share (0-1) of unknown characters, and tokens per word, from which a tokenizer is called unfit.
    fit_head_share, fit_head_characters_per_second : float, int
        Share (0-1) of the time for the head of a base that is measured; what a busy core learns from in a second.
    head_share, pilot_share, measure_share : float
        Shares (0-1) of the time for the head of the base as it is, for each trial, and for each measurement.
    max_pilot_seconds : float
        Of one trial.
    n_evaluations : int
        On held-out text while the base learns.
    min_measured_tokens, max_measured_tokens : int
        Tokens that a measurement puts through the network; of more text a sample of words.
    characters_per_second : int
        More than a processor can learn from in that time: longer text is not cut into tokens at all.
    small_memory_gigabytes : float
        With less memory training steps are half as large.
    window_tokens : int
        Of a window in training, special tokens included: attention is cheap there, and most sentences fit.
    hidden_share : float
        Share (0-1) of the tokens that are hidden in training.
    contrast_temperature : float
        Of the contrastive loss of two windows of one document.
    weight_decay : float
        Of the network.
    late_factor, timed_steps : float, int
        Training ends where the time is exceeded by this factor; the speed is measured on so many steps.
    scoring_folds, scoring_window_tokens : int
        Each word is hidden in one of so many passes; tokens of a window, without the special tokens around it.
    scoring_batch_tokens, calibration_bins : int
        Of a batch, and of the calibration of the predictions.
    longest_word_tokens : int
        Longer words (scripts without spaces) count as several.
    ngram_orders, ngram_characters : int
        Of the character model that the base is compared with; it is fitted on at most so many characters (about 150
        bytes of memory each).
    unseen_character_bits : float
        What it costs to name a character never seen: one of the 149,000 of Unicode 15, all alike.
    vocabulary_characters, spelling_characters : int
        Of the text, for a new vocabulary, and for measuring spellings.
    many_more_tokens : float
        A new vocabulary is tried where the old one takes so many times as many tokens a word.
    characters_per_token, min_tokens, max_letters, max_word_repeats : int
        Training text for each token of a new vocabulary (a token is then seen about 30 times), its fewest tokens, most
        letters, and how often a word counts at most.
    count_share : float
        Share of the requested time for counting words, in addition to it.
    character_ngrams, word_ngrams : int
        N-grams in the file of counted words: 8 MB.
    """

    document_characters: int = 5_000
    few_documents: int = 100
    enough_documents: int = 200
    shortest_cut: int = 500
    min_characters: int = 20_000
    min_documents: int = 30
    held_out_share: float = 0.1
    dev_share: float = 0.05
    max_held_out: int = 300_000
    max_dev: int = 60_000
    repeated_line_characters: int = 20
    max_control_share: float = 0.02
    control_sample: int = 100_000
    min_fit_characters: int = 2_000
    min_fit_documents: int = 4
    max_fit_characters: int = 200_000
    unknown_character_share: float = 0.05
    max_tokens_per_word: float = 1.8
    fit_head_share: float = 0.35
    fit_head_characters_per_second: int = 15_000
    head_share: float = 0.05
    pilot_share: float = 0.04
    measure_share: float = 0.04
    max_pilot_seconds: float = 180.0
    n_evaluations: int = 6
    min_measured_tokens: int = 4_000
    max_measured_tokens: int = 150_000
    characters_per_second: int = 40_000
    small_memory_gigabytes: float = 2.0
    window_tokens: int = 64
    hidden_share: float = 0.2
    contrast_temperature: float = 0.05
    weight_decay: float = 0.01
    late_factor: float = 1.15
    timed_steps: int = 3
    scoring_folds: int = 7
    scoring_window_tokens: int = 126
    scoring_batch_tokens: int = 4_096
    calibration_bins: int = 10
    longest_word_tokens: int = 8
    ngram_orders: tuple[int, ...] = (3, 4, 5, 6)
    ngram_characters: int = 20_000_000
    unseen_character_bits: float = 17.1
    vocabulary_characters: int = 20_000_000
    spelling_characters: int = 2_000_000
    many_more_tokens: float = 1.5
    characters_per_token: int = 150
    min_tokens: int = 1_500
    max_letters: int = 6_000
    max_word_repeats: int = 10_000
    count_share: float = 0.2
    character_ngrams: int = 30_000
    word_ngrams: int = 10_000


SETTINGS = LanguageSettings()
