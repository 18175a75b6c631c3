"""The log of a server: one JSON object a line, without paths, names or contents of requests."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any


class JsonLinesFormatter(logging.Formatter):
    """Writes one JSON object a line; of an error its kind and where it was raised, never its message."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        fields: Mapping[str, Any] = getattr(record, "fields", {})
        basics = {"time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"), "level": record.levelname.lower()}
        entry: dict[str, Any] = {**basics, "event": record.getMessage().splitlines()[0][:200], **fields}
        if record.exc_info and record.exc_info[0] is not None:
            entry["error"] = record.exc_info[0].__name__
            entry["at"] = _list_code_places(record.exc_info[2])
        return json.dumps(entry, ensure_ascii=True)


def _list_code_places(trace: Any) -> list[str]:
    places = []
    while trace is not None:
        places.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places[-8:]
