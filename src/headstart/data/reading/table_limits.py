"""Largest tables that are read: one record, so that every reader refuses the same, before it takes memory."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.errors import DataError


@dataclass(frozen=True, kw_only=True)
class TableLimits:
    """Largest tables that are read.

    Parameters
    ----------
    n_rows : int
    n_columns : int
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
    """

    n_rows: int = 5_000_000
    n_columns: int = 100_000
    n_cells: int = 200_000_000
    text_bytes: int = 4 * 2**30
    workbook_bytes: int = 100 * 2**20
    json_bytes: int = 256 * 2**20
    array_bytes: int = 8 * 2**30


LIMITS = TableLimits()


def require_size(where: object, n_rows: int, n_columns: int, limits: TableLimits = LIMITS) -> None:
    """Refuse a table of too many rows, columns or cells.

    Parameters
    ----------
    where : object
        Name of the file, for the message.
    n_rows : int
    n_columns : int
    limits : TableLimits

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
