"""The journal of answers: only ever added to; what an example's label is follows from it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence

from headstart.errors import DataError, OptionError, list_offenders
from headstart.projects.acts import IN_FORCE, UNDONE, begin_act, find_act, note_act
from headstart.projects.kinds import apply_rename, number_kinds, tidy_name
from headstart.projects.records import ANSWERS, ORIGINS, PURPOSES, STATES, LabelCounts, LabelEvent, NewLabel
from headstart.projects.store import ProjectStore, make_marks, split_chunks

_RANKS = {origin: rank for rank, origin in enumerate(ORIGINS, 1)}
_SKIP_RANK = 0
"""Whoever skips an example takes no answer away."""
_HOLDING = """SELECT e.id FROM events e JOIN acts a ON a.id = e.act
    WHERE e.example = examples.id AND a.undone = 0 AND e.purpose = 'label' ORDER BY e.rank DESC, e.id DESC LIMIT 1"""


def add_labels(store: ProjectStore, labels: Sequence[NewLabel]) -> None:
    """Write answers into the journal; those of one person are one act, which one `undo` takes back.

    Raises
    ------
    DataError
        There is no such example.
    OptionError
        An answer, an origin or a purpose is none.
    """
    for item in labels:
        check_label(item)
    if not labels:
        return
    with store.write() as connection:
        require_examples(connection, [item.example for item in labels])
        by_person: dict[str, list[NewLabel]] = {}
        for item in labels:
            by_person.setdefault(item.who, []).append(item)
        for who, items in by_person.items():
            write_events(connection, items, begin_act(connection, who, "label"))
        settle_labels(connection, [item.example for item in labels])


def check_label(item: NewLabel) -> None:
    """Refuse an answer that cannot be written."""
    for value, known in ((item.answer, ANSWERS), (item.origin, ORIGINS), (item.purpose, PURPOSES)):
        if value not in known:
            raise OptionError(f"'{value}' is none of {', '.join(known)}.", "Give one of these.")
    if item.answer == "label":
        tidy_name(item.label or "")


def write_events(connection: sqlite3.Connection, labels: Iterable[NewLabel], act: int) -> None:
    """Write the lines of one act."""
    items = list(labels)
    numbers = number_kinds(connection, [tidy_name(item.label or "") for item in items if item.answer == "label"])
    connection.executemany(
        "INSERT INTO events (act, example, rank, answer, kind, origin, round, chosen, purpose) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                act,
                item.example,
                _SKIP_RANK if item.answer == "skip" else _RANKS[item.origin],
                item.answer,
                numbers[tidy_name(item.label or "")] if item.answer == "label" else None,
                item.origin,
                item.round,
                item.chosen,
                item.purpose,
            )
            for item in items
        ),
    )


def settle_labels(connection: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Let examples have the answer that the journal gives them: the newest of the strongest origin in force."""
    for chunk in split_chunks(list(dict.fromkeys(ids))):
        marks = make_marks(chunk)
        connection.execute(f"UPDATE examples SET event = ({_HOLDING}) WHERE id IN ({marks})", chunk)
        connection.execute(
            f"""UPDATE examples SET
                kind = (SELECT kind FROM events WHERE id = examples.event),
                answer = coalesce((SELECT answer FROM events WHERE id = examples.event), ''),
                origin = coalesce((SELECT origin FROM events WHERE id = examples.event), '')
                WHERE id IN ({marks})""",
            chunk,
        )


def require_examples(connection: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Refuse ids that are not in the project.

    Raises
    ------
    DataError
    """
    unique = list(dict.fromkeys(ids))
    known: set[int] = set()
    for chunk in split_chunks(unique):
        rows = connection.execute(f"SELECT id FROM examples WHERE id IN ({make_marks(chunk)})", chunk)
        known.update(row[0] for row in rows)
    unknown = [str(number) for number in unique if number not in known]
    if unknown:
        raise DataError(f"The project has no example {list_offenders(unknown)}.", "Give ids that it lists.")


def set_state(store: ProjectStore, ids: Sequence[int], state: str, reason: str, who: str | None) -> None:
    """Leave examples out, or take them in again; with a person's name this can be undone."""
    if state not in STATES:
        raise OptionError(f"'{state}' is none of {', '.join(STATES)}.", "Give one of these.")
    with store.write() as connection:
        require_examples(connection, ids)
        before = {}
        for chunk in split_chunks(list(dict.fromkeys(ids))):
            rows = connection.execute(
                f"SELECT id, state, reason FROM examples WHERE id IN ({make_marks(chunk)})", chunk
            )
            before.update({row[0]: [row[1], row[2]] for row in rows})
        if who is not None:
            begin_act(connection, who, "state", json.dumps({"before": before, "after": [state, reason]}))
        _write_states(connection, dict.fromkeys(before, (state, reason)))


def _write_states(connection: sqlite3.Connection, states: dict[int, tuple[str, str]]) -> None:
    connection.executemany(
        "UPDATE examples SET state = ?, reason = ? WHERE id = ?",
        ((state, reason if state == "left_out" else "", number) for number, (state, reason) in states.items()),
    )


def _apply_states(connection: sqlite3.Connection, act: sqlite3.Row, is_undo: bool) -> list[int]:
    change = json.loads(act["details"])
    before = {int(number): tuple(values) for number, values in change["before"].items()}
    _write_states(connection, before if is_undo else dict.fromkeys(before, tuple(change["after"])))
    return list(before)


def _apply_labels(connection: sqlite3.Connection, act: sqlite3.Row, is_undo: bool) -> list[int]:
    rows = connection.execute("SELECT DISTINCT example FROM events WHERE act = ? ORDER BY id", (act["id"],))
    ids = [row[0] for row in rows]
    settle_labels(connection, ids)
    return ids


_APPLY: dict[str, Callable[[sqlite3.Connection, sqlite3.Row, bool], list[int]]] = {
    "label": _apply_labels,
    "state": _apply_states,
    "rename": lambda connection, act, is_undo: apply_rename(connection, act["details"], is_undo),
}


def step_back(store: ProjectStore, who: str, is_undo: bool) -> list[int]:
    """Take back the newest act of a person that holds, or make the oldest undone one again.

    Returns
    -------
    list of int
        Ids of the examples concerned; empty where there is nothing to take back or to make again.
    """
    with store.write() as connection:
        act = find_act(connection, who, is_undo)
        if act is None:
            return []
        connection.execute("UPDATE acts SET undone = ? WHERE id = ?", (UNDONE if is_undo else IN_FORCE, act["id"]))
        note_act(connection, who, "undo" if is_undo else "redo", act["id"])
        return _APPLY[act["action"]](connection, act, is_undo)


_EVENTS = """SELECT e.id, e.example, k.name AS label, e.answer, a.who, a.at, e.origin, e.round, e.chosen, e.purpose,
        a.undone <> 0 AS undone
    FROM events e JOIN acts a ON a.id = e.act
    LEFT JOIN kinds own ON own.id = e.kind LEFT JOIN kinds k ON k.id = own.shown"""


def _make_event(row: sqlite3.Row) -> LabelEvent:
    return LabelEvent(**{**dict(row), "undone": bool(row["undone"])})


def list_events(store: ProjectStore, example: int) -> list[LabelEvent]:
    """Return every answer about an example, the oldest first, those taken back included."""
    with store.read() as connection:
        rows = connection.execute(f"{_EVENTS} WHERE e.example = ? ORDER BY e.id", (example,)).fetchall()
    return [_make_event(row) for row in rows]


def iterate_events(
    store: ProjectStore, origin: str | None, purpose: str | None, chosen: str | None = None
) -> Iterator[LabelEvent]:
    """Yield all answers that hold, the oldest first."""
    conditions = {"e.origin": origin, "e.purpose": purpose, "e.chosen": chosen}
    used = {column: value for column, value in conditions.items() if value is not None}
    where = " AND ".join(["a.undone = 0", *(f"{column} = ?" for column in used)])
    with store.read() as connection:
        for row in connection.execute(f"{_EVENTS} WHERE {where} ORDER BY e.id", tuple(used.values())):
            yield _make_event(row)


def count_labels(store: ProjectStore) -> LabelCounts:
    """Count answers without reading the examples."""
    counts: dict[str, int] = {}
    with store.read() as connection:
        for state, answer, origin, n in connection.execute(
            "SELECT state, answer, origin, count(*) FROM examples GROUP BY state, answer, origin"
        ):
            names = ("left_out",) if state == "left_out" else ("in", answer, f"{answer} {origin}")
            for name in names:
                counts[name] = counts.get(name, 0) + n
    return LabelCounts(
        n_examples=counts.get("in", 0),
        n_labelled=counts.get("label", 0),
        n_by_person=counts.get("label person", 0),
        n_by_model=counts.get("label model", 0),
        n_imported=counts.get("label import", 0),
        n_not_sure=counts.get("not_sure", 0),
        n_none=counts.get("none", 0),
        n_skipped=counts.get("skip", 0),
        n_open=counts.get("", 0),
        n_left_out=counts.get("left_out", 0),
    )
