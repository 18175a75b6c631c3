"""The remembered training rows that an input is most like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.bundle import Bundle
from headstart.bundle.row_names import describe_row
from headstart.flow.inference.predict_table import select_ood_features
from headstart.strategies.record import StrategyRows
from headstart.task_types import TASK_TYPES

N_NEAREST = 3


@dataclass(frozen=True)
class Neighbour:
    """A training row that an input is like: its id, its class, and how far (0: the same, 2: the opposite)."""

    id: str
    label: str
    distance: float


def find_neighbours(bundle: Bundle, rows: StrategyRows) -> list[tuple[Neighbour, ...]]:
    """Name the remembered training rows that each row is most like; none where none are remembered.

    Parameters
    ----------
    bundle : Bundle
    rows : StrategyRows
    """
    ood_check = bundle.decision_policy.out_of_distribution
    values = select_ood_features(rows, ood_check.reads) if ood_check else None
    if ood_check is None or values is None:
        return [()] * len(rows)
    places, distances = ood_check.nearest(values, N_NEAREST)
    named = bundle.classes if TASK_TYPES[bundle.task].has_one_class else ()
    return [
        tuple(
            Neighbour(
                describe_row(str(ood_check.ids[at]), bundle.row_names),
                named[ood_check.codes[at]] if named else "",
                max(0.0, round(float(far), 4)),
            )
            for at, far in zip(*pair, strict=True)
        )
        for pair in zip(places, distances, strict=True)
    ]


def format_neighbours(nearest: Sequence[Neighbour]) -> str:
    """Write them into one line.

    Parameters
    ----------
    nearest : sequence of Neighbour
    """
    return "; ".join(
        f"{row.id} ({f'{row.label}, ' if row.label else ''}distance {row.distance:.2f})" for row in nearest
    )
