"""What is removed from a project when a person asks to be forgotten: everything but a number that says nothing."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress

from headstart.data.reading.stored_names import NAMES_FILE
from headstart.projects.examples import read_examples
from headstart.projects.places import DERIVED, ORIGINALS
from headstart.projects.store import ProjectStore, explain_errors

FORGOTTEN = "forgotten"


def forget_examples(store: ProjectStore, ids: Sequence[int]) -> None:
    """Remove name, content, metadata, copied file and labels of examples; their numbers stay, left out."""
    folder = store.path.parent.absolute()
    files = [example.path for example in read_examples(store, ids) if example.path is not None]
    files += [
        path.parent / NAMES_FILE for path in files if path.parent.parent == folder / ORIGINALS
    ]  # What they were called.
    files += folder.glob(".*.partial")  # What a kill left of labels.csv.
    with store.write() as connection:
        connection.execute("PRAGMA secure_delete = ON")
        connection.executemany("DELETE FROM events WHERE example = ?", ((number,) for number in ids))
        connection.executemany("DELETE FROM settings WHERE key = 'note:' || ?", ((number,) for number in ids))
        connection.executemany(
            "UPDATE examples SET name = ? || ' ' || id, content_hash = ? || '-' || id, state = 'left_out', reason = ?, "
            "kind = NULL, answer = '', origin = '', event = NULL, path = NULL, text = NULL, series = NULL, "
            "n_channels = NULL, metadata = '{}' WHERE id = ?",
            ((FORGOTTEN, FORGOTTEN, FORGOTTEN, number) for number in ids),
        )
    with explain_errors(store.path):
        for path in files:
            if path.is_relative_to(folder):
                path.unlink(missing_ok=True)
        for name in DERIVED:
            with suppress(FileNotFoundError):
                shutil.rmtree(folder / name)
    with store.read() as connection:  # The log and free pages may still hold the old rows.
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
