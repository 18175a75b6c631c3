"""What a licence of weights allows, in four classes: by default only bases are taken that everybody may use.

The class is a reading aid for choosing. It is no legal advice; the licence itself stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping

PERMISSIVE, ATTRIBUTION, RESTRICTED, NON_COMMERCIAL = "permissive", "attribution", "restricted", "non-commercial"
UNKNOWN = "unknown"
CLASSES = (PERMISSIVE, ATTRIBUTION, RESTRICTED, NON_COMMERCIAL, UNKNOWN)
FREE_CLASSES = frozenset({PERMISSIVE, ATTRIBUTION})
"""Classes that a base must have to be taken without being named: every use is allowed."""

_CLASSES: Mapping[str, tuple[str, ...]] = {
    PERMISSIVE: (
        "apache", "apache-2.0", "mit", "bsd", "bsd-2-clause", "bsd-3-clause", "0bsd", "isc", "zlib", "unlicense",
        "cc0", "cc0-1.0", "public-domain",
    ),
    ATTRIBUTION: ("cc-by-2.0", "cc-by-3.0", "cc-by-4.0"),
}  # fmt: skip
_BY_LICENCE = {name: group for group, names in _CLASSES.items() for name in names}
_NON_COMMERCIAL_MARKS = ("-nc", "noncommercial", "non-commercial", "research-only")


def classify_licence(licence: str) -> str:
    """Return the class of a licence: one of `CLASSES`.

    Parameters
    ----------
    licence : str
        As a publisher states it.

    Returns
    -------
    str
        `permissive`, `attribution` (the authors must be named), `non-commercial`, `restricted` (any other that is
        known: it has conditions that must be read), `unknown` where none is stated.

    Examples
    --------
    >>> [classify_licence(name) for name in ("Apache 2.0", "cc-by-4.0", "CC-BY-NC-4.0", "dinov3-license", "unknown")]
    ['permissive', 'attribution', 'non-commercial', 'restricted', 'unknown']
    """
    name = "-".join(licence.lower().split())
    if name in _BY_LICENCE:
        return _BY_LICENCE[name]
    if name in ("", UNKNOWN, "other", "none"):
        return UNKNOWN
    return NON_COMMERCIAL if any(mark in name for mark in _NON_COMMERCIAL_MARKS) else RESTRICTED
