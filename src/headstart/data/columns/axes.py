"""Columns of a wide table that are the steps of one axis, found by the whole pattern of their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from headstart.data.columns.column_rules import COLUMN_RULES
from headstart.data.columns.parsed_names import KIND_MARKER, ParsedName, parse_names

Position = tuple[float, ...]


@dataclass(frozen=True)
class Axis:
    """Value columns of a wide table.

    Parameters
    ----------
    channels : tuple of str
        Names of the channels by the names of the columns; "" for the only one.
    columns : tuple of tuple of str, shape (n_channels, n_steps)
        The columns of each channel in the order of the axis; "" where a channel lacks a step that others have.
    other_runs : tuple of tuple of str
        Further runs of columns that have steps of their own and are no channels of this axis.
    descriptions : tuple of str
        All words of each channel's columns, those shared by all channels included.
    """

    channels: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    other_runs: tuple[tuple[str, ...], ...] = ()
    descriptions: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """All value columns."""
        return [name for steps in self.columns for name in steps if name]

    @property
    def n_steps(self) -> int:
        """Number of steps."""
        return len(self.columns[0])


def find_axis(names: Sequence[str], fewest_steps: int = COLUMN_RULES.min_steps) -> Axis | None:
    """Return the run of columns with the most values: one axis, and its channels.

    Parameters
    ----------
    names : sequence of str
        Columns that may hold values.
    fewest_steps : int
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
    runs = [
        run
        for group in _group_by_pattern(parse_names(names))
        for run in _split_into_runs(group)
        if len(run.steps) >= fewest_steps
    ]
    if not runs:
        return None
    sizes: dict[frozenset[Position], int] = {}
    for run in runs:
        sizes[frozenset(run.steps)] = sizes.get(frozenset(run.steps), 0) + len(run.steps)
    steps = max(sizes, key=lambda words_of_one: sizes[words_of_one])
    chosen = [
        run
        for run in runs
        if frozenset(run.steps) <= steps and len(run.steps) >= COLUMN_RULES.full_channel_share * len(steps)
    ]
    others = tuple(tuple(run.steps.values()) for run in runs if run not in chosen)
    ordered = sorted(steps)
    return Axis(
        _name_channels([run.channel for run in chosen], names),
        tuple(tuple(run.steps.get(step, "") for step in ordered) for run in chosen),
        others,
        tuple(run.channel for run in chosen),
    )


@dataclass(frozen=True)
class _Run:
    channel: str
    steps: dict[Position, str]


def _group_by_pattern(parsed_names: Sequence[ParsedName]) -> list[list[ParsedName]]:
    """Return names grouped by pattern; a dash is a sign where only some names of a group have one."""
    groups: dict[tuple[str, ...], list[ParsedName]] = {}
    for parsed_name in parsed_names:
        groups.setdefault(parsed_name.texts, []).append(parsed_name)
    return [_apply_signs(group) for group in groups.values()]


def _apply_signs(parsed_names: Sequence[ParsedName]) -> list[ParsedName]:
    slots = range(len(parsed_names[0].values))
    signs = [any(parsed_name.dashes[slot] for parsed_name in parsed_names) for slot in slots]
    plain = [any(not parsed_name.dashes[slot] for parsed_name in parsed_names) for slot in slots]
    return [_apply_sign(parsed_name, signs, plain) for parsed_name in parsed_names]


def _apply_sign(parsed_name: ParsedName, signs: Sequence[bool], plain: Sequence[bool]) -> ParsedName:
    begins = parsed_name.texts[0] == "" and len(parsed_name.values) == 1
    values = tuple(
        -value if dash and sign and (also or begins) else value
        for value, dash, sign, also in zip(parsed_name.values, parsed_name.dashes, signs, plain, strict=True)
    )
    return ParsedName(parsed_name.name, parsed_name.texts, values, parsed_name.dashes)


def _split_into_runs(parsed_names: Sequence[ParsedName]) -> list[_Run]:
    """Split names of one pattern into channels by the number that makes the longest equal axes."""
    n_slots = len(parsed_names[0].values)
    if n_slots == 1:
        return [
            _Run(
                _describe_channel(parsed_names[0].texts, ()),
                _order_steps([(parsed_name.values, parsed_name.name) for parsed_name in parsed_names]),
            )
        ]
    grids = [grid for slot in reversed(range(n_slots)) if (grid := _find_grid(parsed_names, slot))]
    if grids:
        return max(grids, key=lambda runs: len(runs[0].steps))
    return [
        _Run(
            _describe_channel(parsed_names[0].texts, ()),
            _order_steps([(parsed_name.values, parsed_name.name) for parsed_name in parsed_names]),
        )
    ]


def _find_grid(parsed_names: Sequence[ParsedName], slot: int) -> list[_Run]:
    """Return one run a channel with the number in one slot as its steps; nothing where channels have other steps."""
    channels: dict[Position, list[tuple[Position, str]]] = {}
    for parsed_name in parsed_names:
        other_numbers = (*parsed_name.values[:slot], *parsed_name.values[slot + 1 :])
        channels.setdefault(other_numbers, []).append(((parsed_name.values[slot],), parsed_name.name))
    runs = [
        _Run(_describe_channel(parsed_names[0].texts, other_numbers, slot), _order_steps(positions))
        for other_numbers, positions in channels.items()
    ]
    same = all(run.steps.keys() == runs[0].steps.keys() for run in runs)
    return runs if same and len(runs[0].steps) >= COLUMN_RULES.min_grid_steps else []


def _order_steps(named_positions: Sequence[tuple[Position, str]]) -> dict[Position, str]:
    """Return names by position; where two names have one position (t01, t1) the order of the file decides."""
    if len({position for position, _ in named_positions}) < len(named_positions):
        named_positions = [((float(number),), name) for number, (_, name) in enumerate(named_positions)]
    return dict(named_positions)


def _describe_channel(texts: Sequence[str], numbers: Position, slot: int = -1) -> str:
    """Describe a channel by what its columns share: the words, and the numbers that are no steps."""
    remaining_numbers = iter(numbers)
    parts = [texts[0]]
    for at, text in enumerate(texts[1:]):
        parts.append(f"{next(remaining_numbers):g} {text}" if numbers and at != slot else f" {text}")
    return " ".join(word for word in "".join(parts).split() if not word.startswith(KIND_MARKER))


def _name_channels(described: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Name channels by the words that distinguish them, as the columns write them; the only one has no name."""
    if len(described) == 1:
        return ("",)
    words = [text.split() for text in described]
    shared = set(words[0]).intersection(*words)
    short = [" ".join(word for word in words_of_one if word not in shared) for words_of_one in words]
    if len(set(short)) < len(short):
        short = [f"{text} {at}".strip() for at, text in enumerate(described, start=1)]
    written = {part.casefold(): part for name in reversed(names) for part in re.findall(r"[^\W\d_]+", name)}
    return tuple(" ".join(written.get(word, word) for word in text.split()) for text in short)
