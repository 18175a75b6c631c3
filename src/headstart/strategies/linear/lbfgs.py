"""L-BFGS for smooth convex functions of a matrix: little more than the function's own evaluations.

(With hundreds of thousands of variables scipy's bounded variant spends four fifths of the time on bounds.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Function = Callable[[Floats], tuple[float, Floats]]
"""Point -> value and gradient."""
MEMORY = 8
MOST_STEPS = 1000
SMALLEST_STEP = 1e-6


def _inner(first: Floats, second: Floats) -> float:
    return float(np.vdot(first, second))


def _direction(gradient: Floats, memory: deque[tuple[Floats, Floats, float]]) -> Floats:
    """Two-loop recursion (Nocedal and Wright, Numerical Optimization, algorithm 7.4)."""
    direction = -gradient
    factors = []
    for step, change, curvature in reversed(memory):
        factor = _inner(step, direction) / curvature
        direction -= factor * change
        factors.append(factor)
    if memory:
        _, change, curvature = memory[-1]
        direction *= curvature / _inner(change, change)
    for (step, change, curvature), factor in zip(memory, reversed(factors), strict=True):
        direction += (factor - _inner(change, direction) / curvature) * step
    return direction


def minimise(function: Function, start: Floats, tolerance: float) -> Floats:
    """Minimise a smooth convex function.

    Parameters
    ----------
    function : Function
    start : NDArray of float64, any shape
    tolerance : float
        Stops when no entry of the gradient is larger, or when no step improves (numerical precision).

    Returns
    -------
    NDArray of float64, same shape

    Notes
    -----
    Steps are halved until they satisfy the Armijo condition; pairs without positive curvature are not remembered.

    Examples
    --------
    >>> minimise(lambda x: (float(((x - 3) ** 2).sum()), 2 * (x - 3)), np.zeros(2), 1e-6).round(4).tolist()
    [3.0, 3.0]
    """
    point = start.copy()
    value, gradient = function(point)
    memory: deque[tuple[Floats, Floats, float]] = deque(maxlen=MEMORY)
    for _ in range(MOST_STEPS):
        if np.abs(gradient).max() <= tolerance:
            break
        direction = _direction(gradient, memory)
        slope = _inner(direction, gradient)
        step = 1.0
        while step >= SMALLEST_STEP:
            trial = point + step * direction
            new_value, new_gradient = function(trial)
            if new_value <= value + 1e-4 * step * slope:
                break
            step /= 2
        else:
            break
        moved, change = trial - point, new_gradient - gradient
        curvature = _inner(moved, change)
        if curvature > 1e-12 * _inner(change, change):
            memory.append((moved, change, curvature))
        point, value, gradient = trial, new_value, new_gradient
    return point
