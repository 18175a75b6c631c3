"""What arrays of a bundle have to be: names, shapes, kinds of number, and finite. Numpy only; nothing is read here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.bundle.file_names import make_printable
from headstart.bundle.records.schema import Misfit

Arrays = Mapping[str, NDArray[Any]]
KINDS = {"float": "f", "whole": "iu", "bytes": "u"}
"""Kinds of number, by the letters that numpy has for them."""


@dataclass(frozen=True)
class ArrayRule:
    """Rule for an array.

    Parameters
    ----------
    shape : tuple of int or str
        A number, or the name of a size that is the same wherever the name stands.
    kind : str
        Key of `KINDS`.
    low, high : float or None
        Smallest and largest value; None: any finite one.
    """

    shape: tuple[int | str, ...]
    kind: str = "float"
    low: float | None = None
    high: float | None = None


def check_arrays(
    arrays: Arrays, specs: Mapping[str, ArrayRule], where: str, sizes: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Check arrays by name; further arrays are let pass.

    Parameters
    ----------
    arrays : mapping of str to array
    specs : mapping of str to ArrayRule
    where : str
        The file, for the message.
    sizes : mapping of str to int or None
        Sizes that are known already.

    Returns
    -------
    dict of str to int
        All sizes.

    Raises
    ------
    Misfit
        One is missing, or of another shape or kind, or holds a number that it may not hold.

    Examples
    --------
    >>> check_arrays({"a": np.zeros((2, 3)), "b": np.ones(3)}, {"a": ArrayRule((2, "n")), "b": ArrayRule(("n",))}, "x")
    {'n': 3}
    """
    known = dict(sizes or {})
    for name, spec in specs.items():
        if name not in arrays:
            raise Misfit(f"{where}: there is no array '{name}'")
        _check_shape(name, arrays[name], spec, where=where, known=known)
        _check_values(name, arrays[name], spec, where)
    return known


def _check_shape(name: str, values: NDArray[Any], spec: ArrayRule, where: str, known: dict[str, int]) -> None:
    for place, size in enumerate(spec.shape if values.ndim == len(spec.shape) else ()):
        if isinstance(size, str):
            known.setdefault(size, values.shape[place])
    expected = tuple(known.get(size, -1) if isinstance(size, str) else size for size in spec.shape)
    if values.shape != expected:
        stated = ", ".join(str(size) if size >= 0 else "any" for size in expected)
        raise Misfit(f"{where}: {name}: the shape should be ({stated}) (was {make_printable(values.shape)})")
    if values.dtype.kind not in KINDS[spec.kind]:
        raise Misfit(f"{where}: {name}: there should be {spec.kind} numbers (was {make_printable(values.dtype)})")


def _check_values(name: str, values: NDArray[Any], spec: ArrayRule, where: str) -> None:
    if not values.size:
        return
    low, high = values.min(), values.max()  # NaN where one value is NaN.
    if not (np.isfinite(low) and np.isfinite(high)):
        raise Misfit(f"{where}: {name}: there are values that are no numbers")
    if (spec.low is not None and low < spec.low) or (spec.high is not None and high > spec.high):
        limits = f"{'' if spec.low is None else f'{spec.low:g}'} to {'' if spec.high is None else f'{spec.high:g}'}"
        raise Misfit(f"{where}: {name}: values should be {limits} (were {low} to {high})")
