"""Largest tables that are read: one record, so that every reader refuses the same, before it takes memory."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.errors import DataError


@dataclass(frozen=True, kw_only=True)
class ReadingLimits:
    """Largest files that are read, and thresholds for refusing them or guessing at them.

    Parameters
    ----------
    n_rows, n_columns : int
        Of a table.
    n_cells : int
        Rows times columns of formats that say them in a header (Parquet), or cells that were read (JSON).
    text_bytes : int
        Size of a CSV or JSON file.
    json_bytes : int
        Size of a JSON file that is one array.
    workbook_bytes : int
        Size of the unpacked parts of an XLSX file, all together.
    array_bytes : int
        Size of the unpacked arrays of an NPZ file, all together.
    array_small_bytes, array_ratio : int
        Larger unpacked arrays may be this many times as large as their file: measured series are packed to a half or
        a tenth, and less than a hundredth is a trap for the memory.
    workbook_cells : int
        Cells of a sheet, empty ones between filled ones included.
    workbook_peek_rows, workbook_titles : int
        Rows of a sheet in which its header is looked for, and rows of titles above it.
    json_number_digits : int
        Digits of a whole number.
    json_keys, json_filled_share : int, float
        With more different keys, of which objects have a smaller share, objects are no rows of one table.
    zip_bytes, zip_files, zip_depth : int
        Unpacked size, number of files and depth of folders of a zip file.
    zip_small_bytes, zip_ratio : int
        A larger unpacked zip file may be this many times as large as the file.
    ragged_share : float
        With a larger share of rows of another number of cells than the header a table is refused.
    encoding_sample_bytes : int
        Bytes from which an encoding is guessed.
    clear_confidence, doubtful_confidence : float
        Below the first, a guessed encoding is a warning; below the second it is refused, unless it spoils little.
    few_characters_share : float
        With fewer characters outside ASCII, a wrong guess spoils little.
    """

    n_rows: int = 5_000_000
    n_columns: int = 100_000
    n_cells: int = 200_000_000
    text_bytes: int = 4 * 2**30
    workbook_bytes: int = 100 * 2**20
    json_bytes: int = 256 * 2**20
    array_bytes: int = 8 * 2**30
    array_small_bytes: int = 500_000_000
    array_ratio: int = 100
    workbook_cells: int = 20_000_000
    workbook_peek_rows: int = 50
    workbook_titles: int = 5
    json_number_digits: int = 300
    json_keys: int = 1_000
    json_filled_share: float = 0.1
    zip_bytes: int = 20 * 2**30
    zip_files: int = 1_000_000
    zip_depth: int = 50
    zip_small_bytes: int = 64 * 2**20
    zip_ratio: int = 200
    ragged_share: float = 0.5
    encoding_sample_bytes: int = 1 << 17
    clear_confidence: float = 0.9
    doubtful_confidence: float = 0.75
    few_characters_share: float = 0.005


LIMITS = ReadingLimits()


def require_size(where: object, n_rows: int, n_columns: int, limits: ReadingLimits = LIMITS) -> None:
    """Refuse a table of too many rows, columns or cells.

    Parameters
    ----------
    where : object
        Name of the file, for the message.
    n_rows : int
    n_columns : int
    limits : ReadingLimits

    Raises
    ------
    DataError
        Saying how large it is and how large it may be.
    """
    for n_found, n_most, what in (
        (n_rows, limits.n_rows, "rows"),
        (n_columns, limits.n_columns, "columns"),
        (n_rows * n_columns, limits.n_cells, "cells"),
    ):
        if n_found > n_most:
            raise DataError(
                f"{where}: the table has {n_found:,} {what}; at most {n_most:,} are read.",
                "Take a part of it, such as a random sample of the rows.",
            )


def require_bytes(where: object, n_bytes: int, n_most: int, what: str = "the file") -> None:
    """Refuse what is, or unpacks to, too many bytes.

    Parameters
    ----------
    where : object
        Name of the file, for the message.
    n_bytes : int
    n_most : int
        Largest number of bytes that is read.
    what : str
        Name of the content, for the message.

    Raises
    ------
    DataError
        Saying how large it is and how large it may be.
    """
    if n_bytes > n_most:
        raise DataError(
            f"{where}: {what} has {n_bytes / 2**20:,.0f} MB; at most {n_most / 2**20:,.0f} MB are read.",
            "Take a part of it, or split it.",
        )
