"""The state of a fitted model or decision policy, as it is stored: JSON values and arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True)
class FittedState:
    """The fitted state of a model or a decision policy as JSON values and arrays: nothing that needs pickle."""

    meta: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]

    def select_part(self, name: str) -> FittedState:
        """Return the state that `nest_states` stored under `name`."""
        prefix = f"{name}/"
        arrays = {key.removeprefix(prefix): value for key, value in self.arrays.items() if key.startswith(prefix)}
        return FittedState(self.meta[name], arrays)


def nest_states(parts: Mapping[str, FittedState], meta: Mapping[str, Any]) -> FittedState:
    """Return one state that holds those of several parts; `FittedState.select_part` reads one of them back.

    Parameters
    ----------
    parts : mapping of str to FittedState
    meta : mapping of str to any JSON value
        Further values, beside those of the parts.
    """
    arrays = {f"{name}/{key}": value for name, part in parts.items() for key, value in part.arrays.items()}
    return FittedState({**meta, **{name: dict(part.meta) for name, part in parts.items()}}, arrays)
