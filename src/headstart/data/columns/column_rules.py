"""Numbers that decide what the columns of a table are: one record, so that each stands once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ColumnRules:
    """Thresholds for reading columns as texts, labels or series.

    Parameters
    ----------
    min_steps : int
        Fewest steps of a series in a wide table.
    min_grid_steps : int
        Fewest steps of each channel where the names of columns have two numbers, channel and step.
    full_channel_share : float
        A channel with this share of the steps of the others, and no further ones, lacks steps; it is no other axis.
    least_short_year, most_short_years : int
        Numbers beside names of months are years rather than days where all are larger than the first and fewer than
        the second.
    min_counted_dates : int
        Fewest dates before which a number may count them.
    max_interleaved_values : int
        Most values of a column that separates rows of one time of a series.
    max_lost_share : float
        Largest share of the range of values that rounding to single precision may take.
    other_scale_factor : float
        A column is on another scale if its level or spread differs by this factor from the rest.
    max_end_columns : int
        Columns at each end that may be on another scale.
    min_scale_rows : int
        Fewest rows with which scales are compared.
    missing_code_rows : int
        Rows that are searched for codes of missing values.
    number_sample_cells : int
        Cells that are searched for doubtful thousands.
    text_sample_rows : int
        Cells of a column that are measured as texts.
    min_text_words : int
        Fewest words of the median cell of a text column.
    min_different_share : float
        Smallest share of different cells of a text column.
    min_filled_share : float
        With fewer filled rows, the choice of a text column is a warning.
    filled_tolerance_share : float
        A column with a plain name wins if it is filled in as many rows as the best, less this share.
    min_header_text_words : int
        A name of a column with so many words is a text: the table has no header.
    min_remark_words : int
        A cell with fewer words is no text beside values of series.
    min_indicators : int
        Columns of 0 and 1 that are taken for labels where no label column is named or found.
    max_label_characters : int
        Longest label of a column whose name does not say that it holds labels.
    min_rows_per_label : float
        Fewest rows a label of such a column, on average.
    header_peek_rows, header_sample_rows : int
        Rows below the first that are compared as numbers, and that are searched for its words.
    """

    min_steps: int = 8
    min_grid_steps: int = 2
    full_channel_share: float = 0.8
    least_short_year: int = 9
    most_short_years: int = 8
    min_counted_dates: int = 3
    max_interleaved_values: int = 100
    max_lost_share: float = 0.05
    other_scale_factor: float = 8.0
    max_end_columns: int = 5
    min_scale_rows: int = 5
    missing_code_rows: int = 1_000
    number_sample_cells: int = 2_000
    text_sample_rows: int = 2_000
    min_text_words: int = 3
    min_different_share: float = 0.5
    min_filled_share: float = 0.5
    filled_tolerance_share: float = 0.01
    min_header_text_words: int = 5
    min_remark_words: int = 3
    min_indicators: int = 3
    max_label_characters: int = 80
    min_rows_per_label: float = 2.0
    header_peek_rows: int = 5
    header_sample_rows: int = 200


COLUMN_RULES = ColumnRules()
