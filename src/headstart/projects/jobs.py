"""The table of jobs: command lines that run once each, whoever asks and however many runners there are."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from headstart.errors import OptionError, UnknownName
from headstart.projects.records import ENDED_STATES, JOB_STATES, OPEN_STATES, Job
from headstart.projects.store import ProjectStore, format_now, make_marks


def add_job(store: ProjectStore, kind: str, argv: Sequence[str]) -> int:
    """Queue a command line and return its number; the same one that is queued or runs already is not queued twice."""
    document = json.dumps(list(argv), ensure_ascii=False)
    with store.write(counts=False) as connection:
        row = connection.execute(
            f"SELECT id FROM jobs WHERE state IN ({make_marks(OPEN_STATES)}) AND kind = ? AND argv = ?",
            (*OPEN_STATES, kind, document),
        ).fetchone()
        if row is not None:
            return int(row[0])
        cursor = connection.execute(
            "INSERT INTO jobs (kind, argv, state, at) VALUES (?, ?, 'queued', ?)", (kind, document, format_now())
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid


def _make_job(row: sqlite3.Row) -> Job:
    return Job(**{**dict(row), "argv": tuple(json.loads(row["argv"])), "facts": json.loads(row["facts"])})


def list_jobs(store: ProjectStore, states: Sequence[str] = JOB_STATES) -> list[Job]:
    """Return the jobs in these states, the oldest first."""
    with store.read() as connection:
        rows = connection.execute(
            f"SELECT * FROM jobs WHERE state IN ({make_marks(states)}) ORDER BY id", tuple(states)
        ).fetchall()
    return [_make_job(row) for row in rows]


def get_job(store: ProjectStore, number: int) -> Job:
    """Return a job.

    Raises
    ------
    UnknownName
    """
    with store.read() as connection:
        row = connection.execute("SELECT * FROM jobs WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise UnknownName(f"The project has no job {number}.", "Ask for one that it lists.")
    return _make_job(row)


def claim_job(store: ProjectStore, pid: int, number: int | None) -> Job | None:
    """Take the oldest queued job (or the one named) for a process; None where there is none, or another has it."""
    with store.write(counts=False) as connection:
        row = connection.execute(
            "SELECT id FROM jobs WHERE state = 'queued' AND id = coalesce(?, id) ORDER BY id LIMIT 1", (number,)
        ).fetchone()
        if row is None:
            return None
        connection.execute(
            "UPDATE jobs SET state = 'running', pid = ?, began = ? WHERE id = ?", (pid, format_now(), row[0])
        )
        claimed = connection.execute("SELECT * FROM jobs WHERE id = ?", (row[0],)).fetchone()
    return _make_job(claimed)


def update_job(
    store: ProjectStore, number: int, state: str | None, pid: int | None, facts: Mapping[str, Any] | None
) -> None:
    """Note what became of a job: its state, its process, and facts beside those that it has.

    A job that ended stays as it ended, unless it is queued again.
    """
    if state is not None and state not in JOB_STATES:
        raise OptionError(f"'{state}' is none of {', '.join(JOB_STATES)}.", "Give one of these.")
    with store.write(counts=False) as connection:
        row = connection.execute("SELECT * FROM jobs WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise UnknownName(f"The project has no job {number}.", "Ask for one that it lists.")
        is_over = row["state"] in ENDED_STATES and state != "queued"
        new_state = row["state"] if state is None or is_over else state
        ended = row["ended"] if is_over else format_now() if new_state in ENDED_STATES else ""
        connection.execute(
            "UPDATE jobs SET state = ?, pid = coalesce(?, pid), ended = ?, facts = ? WHERE id = ?",
            (
                new_state,
                pid,
                ended,
                json.dumps({**json.loads(row["facts"]), **(facts or {})}, ensure_ascii=False),
                number,
            ),
        )
