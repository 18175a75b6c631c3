"""The tunable numbers of ranking bases and of typical rows, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RankingSettings:
    """Numbers that change the order of bases or which rows are to be labelled next.

    Parameters
    ----------
    sample_rows, min_class_rows : int
        Rows of the first round of several bases, and of each class at least.
    draws : int
        Bootstrap samples that say how sure the order is.
    tie_margin : float
        A smaller base that ties with the best is taken only if it is at most this much lower, and its loss no higher.
    much_agreement, some_agreement : float
        Part of the way from the most frequent label to certainty (0-1) that the nearest rows must go to agree much, or
        in part, with the labels.
    evidence_rounds, evidence_tolerance : int, float
        Most rounds of maximising the evidence (LogME), and the relative change of the ratio of precisions at which
        they end.
    max_groups : int
        Of rows; each of more rows asked for comes from one of them.
    seeding_rows, kmeans_rows, kmeans_rounds : int
        Rows from which the first centres are drawn, rows of a batch, and batches.
    judged_letters : int
        Of words in Latin letters only those of so many letters tell the language of a vocabulary: shorter ones stand in
        the vocabulary of every language. In other scripts every word counts.
    few_words : int
        With fewer words that count nothing is concluded from them.
    known_words_share, unknown_words_share : float
        A vocabulary that holds at least the first share (0-1) of these words whole knows the language, one that holds
        less than the second does not; between them the words do not decide. Measured with the default text base:
        English of six kinds 0.78 to 0.97, Nigerian Pidgin 0.82, English and Spanish mixed 0.51 to 0.63, 22 sets in 14
        other languages 0.02 to 0.41, program messages in 120 languages below 0.45
        (docs/explanation/choosing-the-base.md).
    multilingual_known_share, multilingual_unknown_share : float
        The same two shares for a vocabulary that many languages have to share, which holds fewer words of each whole.
        Measured with multilingual-e5-small: French, Spanish, Swahili, Hausa, Somali 0.44 to 0.61, Arabic and Amharic
        0.21 to 0.38; Igbo, Luganda, Yoruba, Setswana, Chichewa, which it was hardly trained on, 0.10 to 0.13.
    known_script_tokens : int
        A vocabulary knows a script if so many of its tokens have two or more letters of it.
    some_unknown_tokens, most_unknown_tokens : float
        From the first share (0-1) of unknown tokens on known words do not decide; from the second on the vocabulary
        does not know what the texts are made of.
    neighbours, compared_rows : int
        Typicality is measured by so many neighbours among so many rows (Hacohen et al. 2022, arXiv:2202.02794).
    small_group_rows : int
        Groups of fewer rows come last: their rows are typical of nothing.
    copy_cosine : float
        Rows with a cosine above this one are taken for copies.
    pool_factor : int
        The least sure rows that are grouped, for each row asked for.
    """

    sample_rows: int = 200
    min_class_rows: int = 5
    draws: int = 2_000
    tie_margin: float = 0.01
    much_agreement: float = 0.5
    some_agreement: float = 0.2
    evidence_rounds: int = 200
    evidence_tolerance: float = 1e-6
    judged_letters: int = 4
    few_words: int = 20
    known_words_share: float = 0.7
    unknown_words_share: float = 0.45
    multilingual_known_share: float = 0.4
    multilingual_unknown_share: float = 0.2
    known_script_tokens: int = 100
    some_unknown_tokens: float = 0.1
    most_unknown_tokens: float = 0.5
    max_groups: int = 500
    seeding_rows: int = 4_000
    kmeans_rows: int = 1_024
    kmeans_rounds: int = 60
    neighbours: int = 20
    compared_rows: int = 1_000
    small_group_rows: int = 5
    copy_cosine: float = 0.999
    pool_factor: int = 10


SETTINGS = RankingSettings()
