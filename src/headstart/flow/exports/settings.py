"""The tunable numbers of writing the forms of a model, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ExportSettings:
    """Numbers of writing and comparing the forms of a model.

    Parameters
    ----------
    compared_rows : int
        Rows that forms are compared on: drawn by chance where there are more.
    max_feature_difference : float
        Mean relative difference of features from which on a graph is refused.
    timed_rows, timed_rounds : int
        Rows on which a form is timed, and how often.
    pruned_pieces : int
        Pieces of a pruned vocabulary, if the texts do not use more: with so many, multilingual-e5-small weighs less
        than 60 MB. Doubled as long as texts with unseen words are answered otherwise.
    min_script_share : float
        From this share (0-1) of the pieces of the texts on, a script is in use.
    max_foreign_characters : int
        Single characters of a script that is not in use stay where it has at most so many.
    unseen_rows : int
        Held-out rows that a vocabulary is tried on which was chosen without them.
    min_unseen_rows : int
        With fewer of these rows nothing can be told, and the whole vocabulary stays.
    min_unseen_same, max_unseen_loss : float
        What that vocabulary must reach: share (0-1) of these rows with the label of the whole vocabulary, and the
        accuracy (0-1) that the other labels cost by the probabilities of the whole vocabulary.
    clearly_smaller, faster, a_little_smaller : float
        int8 is worth writing where it is so many times smaller, or faster here and at least a little smaller.
    """

    compared_rows: int = 1_000
    max_feature_difference: float = 1e-3
    pruned_pieces: int = 18_000
    min_script_share: float = 1e-3
    max_foreign_characters: int = 1_000
    unseen_rows: int = 128
    min_unseen_rows: int = 30
    min_unseen_same: float = 0.9
    max_unseen_loss: float = 0.02
    timed_rows: int = 16
    timed_rounds: int = 3
    clearly_smaller: float = 1.6
    faster: float = 1.1
    a_little_smaller: float = 1.2


SETTINGS = ExportSettings()
