"""The tunable numbers of `label-next`, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LabelNextSettings:
    """Numbers of `label-next`.

    Parameters
    ----------
    few_labels : int
        Below so many labels a class typical rows are worth more than doubtful ones (Hacohen et al. 2022).
    many_rows, projected_dims : int
        The features of more rows are projected at random to so many columns.
    far_share : float
        Rows farther from everything labelled than this share (0-1) of the others are called unlike anything labelled.
    hashed_dims, ngram_characters, text_characters : int
        Without a base, texts are described by so many columns of hashed n-grams of so many characters of their
        beginning.
    resampled_steps : int
        Without a base, steps of a series.
    """

    few_labels: int = 10
    many_rows: int = 20_000
    projected_dims: int = 256
    far_share: float = 0.95
    hashed_dims: int = 256
    ngram_characters: int = 4
    text_characters: int = 2_000
    resampled_steps: int = 64


SETTINGS = LabelNextSettings()
