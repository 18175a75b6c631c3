"""The tunable numbers of the baselines: one record for each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ClassicTextSettings:
    """Numbers of `classic` for texts.

    Parameters
    ----------
    strengths, default_strength : float
        L2 penalties that are tried, and the one without folds.
    max_coefficients : int
        With many classes fewer n-grams are kept.
    dense_share : float
        Columns that occur in a larger share (0-1) of the rows are multiplied as dense matrices.
    ratio_power : float
        Power of the log-count ratios that columns are multiplied by, where classes are even (docs/decisions/0017).
    mixes : float
        Shares (0-1), tried one after the other, of the similarity of two rows that comes from n-grams occurring
        together in unlabelled texts.
    sample_texts : int
        Texts on which the cost is measured.
    encode_share : float
        Cost of weighting counts once, as a share of counting.
    projection_dims, least_projection_dims, projection_cells : int
        Directions in which distances are measured where no base is kept, fewer where there are many n-grams (4 MB).
    outside_share : float
        Share (0-1) of ordinary rows with so much outside all directions that this counts.
    outside_weight : float
        How much more than a length inside the directions it then counts.
    """

    strengths: tuple[float, ...] = tuple(float(f"1e{exponent}") for exponent in range(-3, 4))
    default_strength: float = 10.0
    max_coefficients: int = 2_000_000
    dense_share: float = 0.05
    ratio_power: float = 0.5
    mixes: tuple[float, ...] = (0.5, 0.0)
    sample_texts: int = 600
    encode_share: float = 0.1
    projection_dims: int = 32
    least_projection_dims: int = 16
    projection_cells: int = 2_000_000
    outside_share: float = 0.01
    outside_weight: float = 20.0


@dataclass(frozen=True, kw_only=True)
class ClassicSeriesSettings:
    """Numbers of `classic` for series.

    Parameters
    ----------
    n_kernels, n_kernels_of_many_rows, min_kernels : int
        Of MiniRocket on the series: with few rows, with many, and at least. Half as many run on its difference.
    max_values : int
        Feature values of the series kept in memory at once (264 MB); half as many of its difference come on top.
    sample_series : int
        Series on which the cost is measured.
    """

    n_kernels: int = 9_996
    n_kernels_of_many_rows: int = 4_956
    min_kernels: int = 840
    max_values: int = 66_000_000
    sample_series: int = 200


@dataclass(frozen=True, kw_only=True)
class QuantSettings:
    """Numbers of `quant`.

    Parameters
    ----------
    n_trees, n_trees_held_out : int
        Of the model, and for scoring a held-out fold: fewer give nearly the same scores.
    max_values : int
        Quantiles kept in memory at once (400 MB); longer series get fewer each.
    max_leaf_values : int
        Numbers in the leaves of all trees (16 MB); with more rows leaves hold several.
    sample_rows, sample_trees : int
        On which the cost is measured.
    """

    n_trees: int = 200
    n_trees_held_out: int = 60
    max_values: int = 100_000_000
    max_leaf_values: int = 4_000_000
    sample_rows: int = 300
    sample_trees: int = 12


CLASSIC_TEXT = ClassicTextSettings()
CLASSIC_SERIES = ClassicSeriesSettings()
QUANT = QuantSettings()
