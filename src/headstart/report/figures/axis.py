"""One axis of a picture: its name, the numbers it runs between, and ticks at round numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log, log10

from headstart.report.messages import NARROW, format_number, isolate

MOST_TICKS = 6
_STEPS = (1.0, 2.0, 2.5, 5.0)
_MANTISSAS = (
    (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0),
    (1.0, 1.5, 2.0, 3.0, 5.0, 7.0),
    (1.0, 2.0, 5.0),
    (1.0, 3.0),
    (1.0,),
)
_LEAST_STEP = 1e-9
"""Of the size of the numbers: floats that differ by less are drawn as one."""


@dataclass(frozen=True)
class Tick:
    """One labelled place of an axis; `place` from 0 (its beginning) to 1."""

    value: float
    place: float
    text: str


@dataclass(frozen=True, kw_only=True)
class ChartAxis:
    """An axis from its first tick to its last.

    Parameters
    ----------
    name : str
        What is measured, with its unit, in the language of the page.
    low, high : float
        The ends, in the unit of the numbers; on a logarithmic axis above 0.
    ticks : tuple of Tick
        Three to seven, rising.
    is_log : bool
        Equal factors are equally far apart.
    """

    name: str
    low: float
    high: float
    ticks: tuple[Tick, ...]
    is_log: bool = False

    def place(self, value: float) -> float:
        """Return where a number lies, from 0 to 1; beyond the ends it is put on them."""
        return _place(value, (self.low, self.high), self.is_log)

    @property
    def widest(self) -> int:
        """Number of characters of the longest label, marks of direction left out."""
        return max((len("".join(filter(str.isprintable, tick.text))) for tick in self.ticks), default=0)


def choose_ticks(low: float, high: float, whole: bool = False) -> list[float]:
    """Return round numbers from at most `low` to at least `high`: three to seven, a step of 1, 2, 2.5 or 5 times 10^k.

    Parameters
    ----------
    low, high : float
        Finite; equal ends are moved apart.
    whole : bool
        Only whole numbers, for counts.

    Examples
    --------
    >>> choose_ticks(0, 1), choose_ticks(3, 97), choose_ticks(0, 2, whole=True)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 20.0, 40.0, 60.0, 80.0, 100.0], [0.0, 1.0, 2.0])
    """
    size = max(abs(low), abs(high)) or 1.0
    if high - low < _LEAST_STEP * size:
        low, high = low - size / 2, high + size / 2
    power = max(floor(log10(high - low)) - 1, 0 if whole else -400)
    candidates = [step * 10.0**exponent for exponent in (power, power + 1, power + 2) for step in _STEPS]
    for step in candidates:
        if whole and step != round(step):
            continue
        first, last = floor(low / step + _LEAST_STEP), ceil(high / step - _LEAST_STEP)
        if last - first < MOST_TICKS:
            last = max(last, first + 2)
            return [float(f"{step * at:.12g}") + 0.0 for at in range(first, last + 1)]
    raise AssertionError((low, high))


def choose_log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers whose factors are alike, from at most `low` to at least `high`: three to seven.

    Parameters
    ----------
    low, high : float
        Above 0.

    Examples
    --------
    >>> choose_log_ticks(12, 200), choose_log_ticks(8, 100_000)
    ([10.0, 20.0, 50.0, 100.0, 200.0], [1.0, 10.0, 100.0, 1000.0, 10000.0, 100000.0])
    """
    powers = range(floor(log10(low)) - 1, ceil(log10(high)) + 2)
    for mantissas in _MANTISSAS:
        ticks = _cover([float(f"{part * 10.0**power:.12g}") for power in powers for part in mantissas], low, high)
        if len(ticks) <= MOST_TICKS:
            return ticks
    decades = _cover([10.0**power for power in powers], low, high)
    step = ceil((len(decades) - 1) / (MOST_TICKS - 1))
    return [decades[0] * 10.0 ** (step * at) for at in range(ceil((len(decades) - 1) / step) + 1)]


def _cover(candidates: Sequence[float], low: float, high: float) -> list[float]:
    """Return the candidates from the last up to `low` to the first from `high` on; at least three."""
    first = max(at for at, value in enumerate(candidates) if value <= low * (1 + _LEAST_STEP))
    last = min(at for at, value in enumerate(candidates) if value >= high * (1 - _LEAST_STEP))
    while last - first < 2:
        first, last = max(first - 1, 0), min(last + 1, len(candidates) - 1)
    return list(candidates[first : last + 1])


def make_axis(
    name: str, values: Sequence[float], write: Callable[[float, int], str] | None = None, whole: bool = False
) -> ChartAxis:
    """Make an axis that covers some numbers.

    Parameters
    ----------
    name : str
        In the language of the page.
    values : sequence of float
        What is drawn; those that are not finite are passed over.
    write : (value, digits after the mark) -> str, or None
        How ticks are written; None: as numbers.
    whole : bool
        Only whole numbers, for counts.
    """
    finite = [value for value in values if isfinite(value)] or [0.0, 1.0]
    ticks = choose_ticks(min(finite), max(finite), whole)
    digits = _digits(ticks[1] - ticks[0])
    return _make(name, ticks, [(write or write_number)(tick, digits) for tick in ticks])


def make_share_axis(
    name: str, most: float = 1.0, least: float = 0.0, write: Callable[[float, int], str] | None = None
) -> ChartAxis:
    """Make an axis of shares in percent: the whole from 0 to 100 % with five ticks, or only what is covered.

    Parameters
    ----------
    name : str
        In the language of the page.
    most, least : float
        The ends of what is drawn, 0-1.
    write : (value, digits after the mark of the share) -> str, or None
        How ticks are written; None: in percent.
    """
    write = write or write_share
    if most > 0.5 and least <= 0.5:
        ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
        return _make(name, ticks, [write(tick, 2) for tick in ticks])
    return make_axis(name, [max(least, 0.0), min(most, 1.0)], write)


def make_log_axis(name: str, values: Sequence[float]) -> ChartAxis:
    """Make an axis of numbers above 0 on which doubling is always equally long.

    Parameters
    ----------
    name : str
        In the language of the page.
    values : sequence of float
        What is drawn.
    """
    ticks = choose_log_ticks(min(values), max(values))
    return _make(name, ticks, [write_number(tick, _digits(tick) if tick < 1 else 0) for tick in ticks], is_log=True)


def write_number(value: float, digits: int) -> str:
    """Write the number of a tick; a true minus sign, and powers of ten where it is very large or small.

    Parameters
    ----------
    value : float
    digits : int
        After the mark.
    """
    text = f"{value:,.{digits}f}" if digits <= 4 and abs(value) < 1e7 else f"{value:.3g}"
    return format_number(text.replace("-", "\N{MINUS SIGN}"))


def write_share(value: float, digits: int) -> str:
    """Write the share of a tick in percent.

    Parameters
    ----------
    value : float
    digits : int
        After the mark of the share, two less of the percentage.
    """
    return isolate(f"{format_number(f'{100 * value:.{max(digits - 2, 0)}f}')}{NARROW}%")


def _digits(step: float) -> int:
    """Return how many digits after the mark a step needs."""
    digits = 0
    while digits < 12 and abs(round(step, digits) - step) > _LEAST_STEP * abs(step):
        digits += 1
    return digits


def _make(name: str, ticks: Sequence[float], texts: Sequence[str], is_log: bool = False) -> ChartAxis:
    ends = (ticks[0], ticks[-1])
    places = [_place(value, ends, is_log) for value in ticks]
    return ChartAxis(name=name, low=ends[0], high=ends[1], ticks=tuple(map(Tick, ticks, places, texts)), is_log=is_log)


def _place(value: float, ends: tuple[float, float], is_log: bool) -> float:
    low, high = ends
    if is_log:
        value, low, high = log(max(value, low)), log(low), log(high)
    return min(max((value - low) / (high - low), 0.0), 1.0)
