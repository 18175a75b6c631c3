"""Arrays of bundles of format 1 and 2 that may have been written in another memory order: tested, put right or refused.

safetensors 0.8 writes the memory of an array as it lies (its issue 825), and those formats have no checksums. What is
known of the arrays from how they were made shows their order. Numpy only; no file is read here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart import progress
from headstart.decisions import DecisionPolicy, OutOfDistributionDetector
from headstart.errors import BundleError
from headstart.records import FloatMatrix

Array = NDArray[Any]
FIRST_SAFE_FORMAT = 3
"""Since this format of bundles every array has a checksum of what was in memory."""
TOLERANCE = 0.02
"""How far numbers that were rounded to half precision may be from what they must be."""
CLEARLY_MORE = 0.1
"""Share of remembered rows by which one order must call more of them ordinary, where both are possible."""


@dataclass(frozen=True)
class MemoryOrder:
    """Findings about the arrays.

    Parameters
    ----------
    detector : OutOfDistributionDetector
        With the arrays in the order in which they were in memory.
    repaired : tuple of str
        Arrays that were put into the other order.
    damaged : tuple of str
        Arrays that are in neither order what they must be.
    untested : tuple of str
        Arrays that are possible in both orders, with no way to decide which is right.
    """

    detector: OutOfDistributionDetector
    repaired: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    untested: tuple[str, ...] = ()


def repair_memory_order(rules: DecisionPolicy, centres: FloatMatrix | None, folder: Path) -> DecisionPolicy:
    """Return the rules of a bundle of format 1 or 2 with their arrays as they were in memory, with a warning.

    Parameters
    ----------
    rules : DecisionPolicy
    centres : FloatMatrix or None, shape (n_centres, n_dims)
        As for `restore_memory_order`.
    folder : Path
        The bundle, for messages.

    Raises
    ------
    BundleError
        The arrays are in no order what they must be.
    """
    if rules.out_of_distribution is None:
        return rules
    order = restore_memory_order(rules.out_of_distribution, centres)
    names = ", ".join((*order.repaired, *order.damaged, *order.untested))
    if order.damaged:
        raise BundleError(
            f"The stored decisions of {folder} are damaged ({names}): the version of headstart that wrote them "
            "scrambled arrays.",
            "Adapt again.",
        )
    if order.repaired:
        progress.warn(
            f"The version of headstart that wrote {folder} scrambled its stored decisions ({names}). They were put "
            "right for this answer; its predict.py still answers wrongly. Adapt again."
        )
    if order.untested:
        progress.warn(
            f"The version of headstart that wrote {folder} may have scrambled its stored decisions ({names}): that "
            "can no longer be tested. If most answers are 'none of these', adapt again."
        )
    return replace(rules, out_of_distribution=order.detector)


def reverse_memory_order(values: Array) -> Array:
    """Return what an array was in memory, if its memory was written column by column and read row by row.

    Examples
    --------
    >>> reverse_memory_order(np.array([[0, 3, 1], [4, 2, 5]])).tolist()
    [[0, 1, 2], [3, 4, 5]]
    """
    return values.reshape(values.shape[::-1]).T


def is_orthonormal(values: FloatMatrix) -> bool:
    """Return whether columns are directions of length one at right angles; a single column of zeros counts as well."""
    if values.shape[1] == 1 and not values.any():
        return True
    return bool(np.abs(values.T @ values - np.eye(values.shape[1])).max(initial=0.0) <= TOLERANCE)


def is_symmetric(values: FloatMatrix) -> bool:
    """Return whether a square array equals its transpose."""
    largest = np.abs(values).max(initial=0.0)
    return values.shape[0] == values.shape[1] and bool(
        np.abs(values - values.T).max(initial=0.0) <= TOLERANCE * largest
    )


def restore_memory_order(detector: OutOfDistributionDetector, centres: FloatMatrix | None) -> MemoryOrder:
    """Test the arrays of stored decisions, each in the order of the file and in the other one.

    Parameters
    ----------
    detector : OutOfDistributionDetector
    centres : FloatMatrix or None, shape (n_centres, n_dims)
        Features of training rows, or of groups of them, that the bundle remembers.

    Returns
    -------
    MemoryOrder

    Notes
    -----
    `basis` is orthonormal. A square one is so in both orders: there the stored training rows decide, which are
    ordinary in the right order and far away in the other. `means` are the means of `kept` by class, so that both are
    tested together. `inner` is symmetric, and so the same in both orders; `centre` has one row, `codes` one axis.
    """
    return _test_places(_test_basis(detector, centres))


def _test_basis(detector: OutOfDistributionDetector, centres: FloatMatrix | None) -> MemoryOrder:
    """Return the order in which the basis is orthonormal and the remembered training rows are ordinary."""
    basis = detector.space.basis
    other = replace(detector, space=replace(detector.space, basis=reverse_memory_order(basis)))
    possible = is_orthonormal(basis), is_orthonormal(other.space.basis)
    if possible == (False, False):
        return MemoryOrder(detector, damaged=("basis",))
    if possible == (True, False) or np.array_equal(basis, other.space.basis):
        return MemoryOrder(detector)
    if possible == (False, True):
        return MemoryOrder(other, repaired=("basis",))
    if centres is None or not len(centres) or centres.shape[1] != len(basis):
        return MemoryOrder(detector, untested=("basis",))
    ordinary, otherwise = (np.mean(item.distances(centres) <= item.threshold) for item in (detector, other))
    if abs(ordinary - otherwise) < CLEARLY_MORE:
        return MemoryOrder(detector, untested=("basis",))
    return MemoryOrder(detector) if ordinary > otherwise else MemoryOrder(other, repaired=("basis",))


def _test_places(order: MemoryOrder) -> MemoryOrder:
    """Return the order in which the means by class are those of the places of the remembered rows."""
    detector = order.detector
    if not is_symmetric(detector.space.inner):
        order = replace(order, damaged=(*order.damaged, "inner"))
    for places in (detector.remembered, reverse_memory_order(detector.remembered)):
        for means in (detector.means, reverse_memory_order(detector.means)):
            if _are_means(means, places, detector.codes):
                moved = {"kept": places is not detector.remembered, "means": means is not detector.means}
                names = tuple(name for name, is_moved in moved.items() if is_moved)
                fixed = replace(detector, remembered=places, means=means)
                return replace(order, detector=fixed, repaired=(*order.repaired, *names))
    return replace(order, damaged=(*order.damaged, "kept", "means"))


def _are_means(means: FloatMatrix, places: FloatMatrix, class_indices: Array) -> bool:
    """Return whether rows are the means of places by class, of length one (or zero, where all places are)."""
    names, numbers = np.unique(class_indices, return_inverse=True)
    if len(means) != len(names):
        return False
    sums = np.zeros(means.shape, dtype=np.float64)
    np.add.at(sums, numbers, places)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    rounding = np.bincount(numbers)[:, None] * np.sqrt(places.shape[1]) * 2.0**-11 / np.maximum(lengths, 1e-9)
    return bool((np.abs(sums / np.maximum(lengths, 1e-9) - means) <= TOLERANCE + rounding).all())
