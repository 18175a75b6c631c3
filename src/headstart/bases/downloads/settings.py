"""The tunable numbers of downloads, in one record: how long to wait, and how often to try."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DownloadSettings:
    """Waiting times and limits of a download.

    Parameters
    ----------
    stall_seconds : float
        A connection that brings no byte for so long is given up, and opened again.
    file_attempts, listing_attempts : int
        Attempts in a row without a new byte, for a file and for the list of files; then the command ends.
    whole_attempts : int
        Times that a whole file is fetched when its hash is wrong.
    first_wait_seconds, longest_wait_seconds : float
        Wait after the first failure, doubled with each further one up to the longest; a random part of up to one half
        is taken off.
    longest_request_seconds : float
        The longest wait that a server may ask for (Retry-After); with a longer one the command ends and says so.
    sync_seconds : float
        How often the bytes are written to the disk for good: what a loss of power can cost.
    block_bytes : int
        Most bytes read at a time.
    most_redirects : int
        Redirects followed for one request.
    most_listing_bytes : int
        A longer list of files is refused.
    lock_seconds : float
        How long to wait for another process that fetches the same base.
    """

    stall_seconds: float = 30.0
    file_attempts: int = 8
    listing_attempts: int = 4
    whole_attempts: int = 2
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 60.0
    longest_request_seconds: float = 600.0
    sync_seconds: float = 2.0
    block_bytes: int = 1 << 18
    most_redirects: int = 5
    most_listing_bytes: int = 50_000_000
    lock_seconds: float = 3_600.0


SETTINGS = DownloadSettings()
