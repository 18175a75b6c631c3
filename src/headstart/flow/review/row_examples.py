"""Which example of a project each row of a run is."""

from __future__ import annotations

import re
from collections.abc import Collection

from headstart.projects import Project

_NUMBERED = re.compile(r"(.*)#(\d+)", re.DOTALL)


def find_examples(project: Project, rows: Collection[str]) -> dict[str, int]:
    """Return the examples of rows, by the id of the row; rows that are none of the project's are left out.

    Parameters
    ----------
    project : Project
    rows : collection of str
        Ids of rows.

    Notes
    -----
    The id of a row is the name of its example; where several have that name, "name#2" is the second (see
    `headstart.data.reading.rows.make_unique`).
    """
    numbered = {row: _NUMBERED.fullmatch(row) for row in rows}
    ids = project.find_names([*rows, *(match[1] for match in numbered.values() if match)])
    known = {}
    for row, match in numbered.items():
        if row in ids:
            known[row] = ids[row][0]
        elif match and len(ids.get(match[1], ())) >= int(match[2]):
            known[row] = ids[match[1]][int(match[2]) - 1]
    return known
