"""The tunable numbers that strategies share: choosing, blending, trees, counting in texts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StrategySettings:
    """Numbers of several strategies; those of one family stand in its own room.

    Parameters
    ----------
    imbalance_ratio : float
        Largest to smallest class from which on balanced accuracy counts, and class weights are tried.
    draws : int
        Bootstrap samples that say how certain a difference of two scores is.
    min_cut, max_cut, n_cuts : float, float, int
        Probabilities from which on a label is given, evenly spaced; the best one for all labels counts.
    blend_prior_rows : float
        Rows' worth of belief in equal weights: with ten rows it decides, with a thousand it is forgotten.
    min_blend_weight : float
        Members with less are left out.
    blend_tolerance : float
        Of the solver of the weights.
    blend_values : int
        Outputs of a member on which weights are chosen: a sample of the rows where there are more.
    tree_feature_share : float
        Share (0-1) of the features that are looked at for each split of a tree.
    shortest_ngram, longest_ngram : int
        Characters of an n-gram.
    max_characters : int
        Texts are cut to a length at which all of them together have at most this many characters (memory).
    character_ngrams, word_ngrams : int
        N-grams of each kind that are kept, those of most texts first.
    cooccurrence_max_labels : int
        With more labelled texts co-occurrence is not used: they are then not solved in the space that they span.
    cooccurrence_min_texts : int
        Fewer unlabelled texts only say how common n-grams are.
    cooccurrence_dims, cooccurrence_extra_dims, cooccurrence_turns : int
        Of the randomised SVD of the co-occurrence matrix: dimensions, further ones while it runs, power iterations.
    cooccurrence_text_characters, cooccurrence_characters : int
        Characters read of an unlabelled text, and of all together: more texts are sampled.
    cooccurrence_characters_per_second : int
        Counted and projected on a busy core.
    """

    imbalance_ratio: float = 1.5
    draws: int = 200
    min_cut: float = 0.05
    max_cut: float = 0.95
    n_cuts: int = 19
    blend_prior_rows: float = 4.0
    min_blend_weight: float = 0.05
    blend_tolerance: float = 1e-4
    blend_values: int = 2_000_000
    tree_feature_share: float = 0.1
    shortest_ngram: int = 2
    longest_ngram: int = 5
    max_characters: int = 20_000_000
    character_ngrams: int = 150_000
    word_ngrams: int = 50_000
    cooccurrence_max_labels: int = 2_600
    cooccurrence_min_texts: int = 200
    cooccurrence_dims: int = 100
    cooccurrence_extra_dims: int = 20
    cooccurrence_turns: int = 3
    cooccurrence_text_characters: int = 5_000
    cooccurrence_characters: int = 3_000_000
    cooccurrence_characters_per_second: int = 80_000


SETTINGS = StrategySettings()
