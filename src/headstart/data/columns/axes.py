"""Columns of a wide table that are the steps of one axis, found by the whole pattern of their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from headstart.data.columns.names import MIN_STEPS
from headstart.data.columns.parsed_names import KIND, Place, places_of

_ALIKE = 0.8
"""A channel that has so many of the steps of the others, and no further ones, lacks steps; it is no other axis."""
LEAST_STEPS = 2

Position = tuple[float, ...]


@dataclass(frozen=True)
class Axis:
    """Value columns of a wide table.

    Parameters
    ----------
    channels : tuple of str
        Names of the channels as the columns' names tell them; "" for the only one.
    columns : tuple of tuple of str, shape (n_channels, n_steps)
        The columns of each channel in the order of the axis; "" where a channel lacks a step that others have.
    others : tuple of tuple of str
        Further runs of columns that have steps of their own and are no channels of this axis.
    described : tuple of str
        All words of each channel's columns, those shared by all channels included.
    """

    channels: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    others: tuple[tuple[str, ...], ...] = ()
    described: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """All value columns."""
        return [name for steps in self.columns for name in steps if name]

    @property
    def n_steps(self) -> int:
        """Number of steps."""
        return len(self.columns[0])


def find_axis(names: Sequence[str], least: int = MIN_STEPS) -> Axis | None:
    """Find the run of columns with the most values: one axis, and its channels.

    Parameters
    ----------
    names : sequence of str
        Columns that may hold values.
    least : int
        Fewest steps.

    Returns
    -------
    Axis or None
        Names that differ in one number are the steps of one channel. Names that differ in two are channels by steps
        where every channel has the same steps; else they are one axis (month and day).

    Examples
    --------
    >>> found = find_axis([*(f"x_{step}" for step in range(9)), *(f"z_{step}" for step in range(9)), "age"])
    >>> found.channels, found.n_steps
    (('x', 'z'), 9)
    >>> days = [f"2024-{month:02d}-{day:02d}" for month in (3, 4) for day in range(1, 31)]
    >>> find_axis(days).channels, find_axis(days).n_steps
    (('',), 60)
    """
    runs = [run for group in _patterns(places_of(names)) for run in _runs(group) if len(run.steps) >= least]
    if not runs:
        return None
    sizes: dict[frozenset[Position], int] = {}
    for run in runs:
        sizes[frozenset(run.steps)] = sizes.get(frozenset(run.steps), 0) + len(run.steps)
    steps = max(sizes, key=lambda one: sizes[one])
    chosen = [run for run in runs if frozenset(run.steps) <= steps and len(run.steps) >= _ALIKE * len(steps)]
    others = tuple(tuple(run.steps.values()) for run in runs if run not in chosen)
    ordered = sorted(steps)
    return Axis(
        _channel_names([run.channel for run in chosen], names),
        tuple(tuple(run.steps.get(step, "") for step in ordered) for run in chosen),
        others,
        tuple(run.channel for run in chosen),
    )


@dataclass(frozen=True)
class _Run:
    channel: str
    steps: dict[Position, str]


def _patterns(places: Sequence[Place]) -> list[list[Place]]:
    """Put names of one pattern together; a dash is a sign where only some of them have one."""
    groups: dict[tuple[str, ...], list[Place]] = {}
    for place in places:
        groups.setdefault(place.texts, []).append(place)
    return [_read_signs(group) for group in groups.values()]


def _read_signs(group: Sequence[Place]) -> list[Place]:
    slots = range(len(group[0].values))
    signs = [any(place.dashes[slot] for place in group) for slot in slots]
    plain = [any(not place.dashes[slot] for place in group) for slot in slots]
    return [_signed(place, signs, plain) for place in group]


def _signed(place: Place, signs: Sequence[bool], plain: Sequence[bool]) -> Place:
    begins = place.texts[0] == "" and len(place.values) == 1
    values = tuple(
        -value if dash and sign and (also or begins) else value
        for value, dash, sign, also in zip(place.values, place.dashes, signs, plain, strict=True)
    )
    return Place(place.name, place.texts, values, place.dashes)


def _runs(group: Sequence[Place]) -> list[_Run]:
    """Take names of one pattern apart into channels by the number that makes the longest equal axes."""
    n_slots = len(group[0].values)
    if n_slots == 1:
        return [_Run(_channel(group[0].texts, ()), _steps([(place.values, place.name) for place in group]))]
    grids = [grid for slot in reversed(range(n_slots)) if (grid := _grid(group, slot))]
    if grids:
        return max(grids, key=lambda runs: len(runs[0].steps))
    return [_Run(_channel(group[0].texts, ()), _steps([(place.values, place.name) for place in group]))]


def _grid(group: Sequence[Place], slot: int) -> list[_Run]:
    """Return one run a channel with the number in one slot as its steps; nothing where channels have other steps."""
    channels: dict[Position, list[tuple[Position, str]]] = {}
    for place in group:
        rest = (*place.values[:slot], *place.values[slot + 1 :])
        channels.setdefault(rest, []).append(((place.values[slot],), place.name))
    runs = [_Run(_channel(group[0].texts, rest, slot), _steps(found)) for rest, found in channels.items()]
    same = all(run.steps.keys() == runs[0].steps.keys() for run in runs)
    return runs if same and len(runs[0].steps) >= LEAST_STEPS else []


def _steps(found: Sequence[tuple[Position, str]]) -> dict[Position, str]:
    """Return names by position; where two names have one position (t01, t1) the order of the file decides."""
    if len({position for position, _ in found}) < len(found):
        found = [((float(number),), name) for number, (_, name) in enumerate(found)]
    return dict(found)


def _channel(texts: Sequence[str], numbers: Position, slot: int = -1) -> str:
    """Describe a channel by what its columns share: the words, and the numbers that are no steps."""
    left = iter(numbers)
    parts = [texts[0]]
    for at, text in enumerate(texts[1:]):
        parts.append(f"{next(left):g} {text}" if numbers and at != slot else f" {text}")
    return " ".join(word for word in "".join(parts).split() if not word.startswith(KIND))


def _channel_names(described: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Name channels by the words that tell them apart, as the columns write them; the only one has no name."""
    if len(described) == 1:
        return ("",)
    words = [text.split() for text in described]
    shared = set(words[0]).intersection(*words)
    short = [" ".join(word for word in one if word not in shared) for one in words]
    if len(set(short)) < len(short):
        short = [f"{text} {at}".strip() for at, text in enumerate(described, start=1)]
    written = {part.casefold(): part for name in reversed(names) for part in re.findall(r"[^\W\d_]+", name)}
    return tuple(" ".join(written.get(word, word) for word in text.split()) for text in short)
