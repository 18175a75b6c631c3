"""The numbers of Studio that no result depends on, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StudioSettings:
    """Limits and times of the server and of its jobs.

    Parameters
    ----------
    max_upload_bytes : int
        Of one file, which goes to the disk as it comes.
    max_json_bytes : int
        Of a request in JSON, which is held in memory.
    timeout_seconds : float
        Until an answer begins.
    spare_bytes : int
        Free space that an upload leaves on the disk.
    cookie_seconds : int
        How long a browser remembers the language and the access code.
    heartbeat_seconds, poll_seconds : float
        A stream of events says that it lives; how often it looks for news.
    progress_seconds : float
        A job writes how far it is no more often than this.
    most_event_lines, most_event_characters : int
        Lines of news that a job writes, and length of each.
    cancel_seconds : float
        What a job gets to write the best so far, once it was asked to stop.
    start_seconds : float
        A job that was started so recently may not hold its lock yet.
    most_deaths : int
        A job that ended so often without saying why is not started again.
    watch_seconds, rescan_seconds : float
        How often the open jobs are looked at, and all projects for jobs that others queued.
    mixed_kinds, filter_columns, filter_values : int
        With more kinds there is no table of what is mixed up; columns by which the wall of tested examples can be
        filtered, and values of each, at most.
    """

    max_upload_bytes: int = 8_000_000_000
    max_json_bytes: int = 8_000_000
    timeout_seconds: float = 60.0
    spare_bytes: int = 200_000_000
    cookie_seconds: int = 365 * 24 * 3600
    heartbeat_seconds: float = 15.0
    poll_seconds: float = 0.2
    progress_seconds: float = 0.5
    most_event_lines: int = 5_000
    most_event_characters: int = 2_000
    cancel_seconds: float = 60.0
    start_seconds: float = 60.0
    most_deaths: int = 3
    watch_seconds: float = 0.25
    rescan_seconds: float = 20.0
    mixed_kinds: int = 20
    filter_columns: int = 4
    filter_values: int = 30


SETTINGS = StudioSettings()
