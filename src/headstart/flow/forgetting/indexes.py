"""Indexes for search that hold rows, or may hold them."""

from __future__ import annotations

from pathlib import Path

from headstart.data.reading.content import hash_text
from headstart.errors import DataError
from headstart.flow.forgetting.person_rows import KEY_CHARACTERS, PersonRows
from headstart.index import open_index, remove_index
from headstart.index.settings import SETTINGS


def forget_in_index(folder: Path, person: PersonRows, apply: bool) -> int:
    """Remove an index that holds one of the rows, or of which this cannot be known; it can be made again.

    Parameters
    ----------
    folder : Path
        Of the index.
    person : PersonRows
    apply : bool
        False: only look.

    Returns
    -------
    int
        1 if there is (or was) such an index, else 0.

    Notes
    -----
    An index stores names of rows and beginnings of texts, and no hashes: of photos, series and longer texts that are
    given by their content it cannot be known whether they are in it.
    """
    if not _may_hold(folder, person):
        return 0
    if apply:
        remove_index(folder)
    return 1


def _may_hold(folder: Path, person: PersonRows) -> bool:
    try:
        index = open_index(folder)
        if not person.ids.isdisjoint(index.ids):
            return True
        if not person.keys or not len(index):
            return False
        texts = index.texts
    except DataError:  # It is damaged: nobody can read it, and the rows may be in it.
        return True
    is_cut = any(len(text) >= SETTINGS.text_characters for text in texts)
    return not texts or is_cut or any(hash_text(text)[:KEY_CHARACTERS] in person.keys for text in texts)
