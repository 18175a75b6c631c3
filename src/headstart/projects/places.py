"""Names of what lies in the folder of a project, whoever writes it there."""

from __future__ import annotations

ORIGINALS = "originals"
"""Copies of what was uploaded, unpacked or copied on request."""
MODELS = "models"
VECTORS, KIND_VECTORS = "vectors", "kind_vectors"
"""Indexes of the examples, and of the kinds' names."""
THUMBNAILS, JOBS = "thumbnails", "jobs"
ANSWERS, LATER = "answers", "later"
"""What was dropped to be answered, or to be compared with the check, with the answers."""
TO_JUDGE, JUDGED = "to_judge.xlsx", "rounds"
"""The workbook that `headstart label` asks to fill in, and the folder of those that were read."""
MADE_AGAIN = (JOBS, THUMBNAILS)
"""Not copied with a project."""
DERIVED = (VECTORS, *MADE_AGAIN)
"""Made from the examples: removed when one of them is forgotten."""
DROPPED = (ANSWERS, LATER, JUDGED, TO_JUDGE)
"""What people dropped or wrote, with content of examples: theirs to delete."""
