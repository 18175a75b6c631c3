"""When to try again: growing waits with a random part, and what a server asks for."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from headstart import progress
from headstart.bases.downloads.connections import Interrupted
from headstart.bases.downloads.settings import DownloadSettings
from headstart.errors import DataError

_AGAIN = "Run the same command again: it goes on where it stopped. With --mirror URL it asks another server."
_RESET = re.compile(r"\bt=(\d{1,9})\b")


class Retries:
    """Failures in a row, of a file or of a list.

    Parameters
    ----------
    what : str
        What is fetched, as the subject of a sentence.
    attempts : int
    settings : DownloadSettings
    again : str
        What to do when all attempts failed.
    """

    def __init__(self, what: str, attempts: int, settings: DownloadSettings, again: str = _AGAIN) -> None:
        self.what, self.attempts, self.settings, self.again = what, attempts, settings, again
        self.failures = 0

    def reset(self) -> None:
        """Forget earlier failures: something came."""
        self.failures = 0

    def wait(self, failure: Interrupted, state: str = "") -> None:
        """Wait before the next attempt.

        Parameters
        ----------
        failure : Interrupted
        state : str
            How far it is, for messages.

        Raises
        ------
        DataError
            If this was the last attempt, or the server asks to wait too long.
        """
        self.failures += 1
        where = f" at {state}" if state else ""
        if failure.wait_seconds > self.settings.longest_request_seconds:
            minutes = failure.wait_seconds / 60
            raise DataError(
                f"{self.what} could not be fetched{where}: the server asks to wait {minutes:.0f} minutes.", self.again
            ) from failure
        if self.failures >= self.attempts:
            raise DataError(
                f"{self.what} could not be fetched{where}: {failure.reason} ({self.attempts} attempts).", self.again
            ) from failure
        seconds = max(self._draw_wait(), failure.wait_seconds)
        number = f"attempt {self.failures + 1} of {self.attempts}"
        progress.say(f"{self.what}: {failure.reason}{where}. Trying again in {seconds:.0f} s ({number}).")
        time.sleep(seconds)

    def _draw_wait(self) -> float:
        grown = self.settings.first_wait_seconds * 2.0 ** (self.failures - 1)
        longest: float = min(self.settings.longest_wait_seconds, grown)
        return longest * random.uniform(0.5, 1.0)  # Many machines that were cut off together do not come back together.


def read_wait(headers: Mapping[str, str]) -> float:
    """Return how many seconds a server asks to wait: `Retry-After`, or the hub's `RateLimit`; 0 if it does not say.

    Parameters
    ----------
    headers : mapping of str to str

    Examples
    --------
    >>> read_wait({"Retry-After": "7"}), read_wait({"RateLimit": '"api";r=0;t=55'}), read_wait({})
    (7.0, 55.0, 0.0)
    """
    stated = (headers.get("Retry-After") or "").strip()
    if stated.isdecimal():
        return float(stated[:9])
    if stated:
        try:
            moment = parsedate_to_datetime(stated)
        except ValueError:
            return 0.0
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (aware - datetime.now(UTC)).total_seconds())
    limit = _RESET.search(headers.get("RateLimit") or "")
    return float(limit[1]) if limit else 0.0
