"""The hostile corpus: every input by its name. `python -m tests.hostile` runs it; see `make hostile`."""

from __future__ import annotations

from tests.hostile import base_folders, bundles, doors, inputs, requests
from tests.hostile.case import Case

SECTIONS = (doors, bundles, base_folders, inputs, requests)
SAMPLE = 20
"""Cases of the sample, besides all doors."""


def list_cases() -> dict[str, Case]:
    """Return all cases by name."""
    cases = [case for section in SECTIONS for case in section.list_cases()]
    by_name = {case.name: case for case in cases}
    assert len(by_name) == len(cases), "two cases have one name"
    return by_name


def list_sample() -> list[str]:
    """Return the names of a sample: every door, the first case of every other kind, then more until there are enough."""
    kinds: dict[str, list[str]] = {}
    for name, case in list_cases().items():
        kinds.setdefault(case.kind, []).append(name)
    first = kinds.pop("door")
    rounds = max(len(names) for names in kinds.values())
    ordered = [names[turn] for turn in range(rounds) for names in kinds.values() if turn < len(names)]
    return [*first, *ordered[:SAMPLE]]
