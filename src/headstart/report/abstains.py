"""What the page shows of abstaining: rows of the table, and places in the plot of wrong answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.report.messages import translate
from headstart.report.words import format_percent
from headstart.results import Abstention, Figure

WIDTH, HEIGHT = 260.0, 200.0


def per_hundred(found: Abstention | None) -> list[tuple[str, Figure]]:
    """List what happens to a hundred rows, in words."""
    if found is None:
        return []
    told = [
        (translate("Wrong answers"), found.wrong),
        (translate("Referred: not sure"), found.referred),
        (translate("Refused: none of these"), found.refused),
    ]
    return [(name, figure) for name, figure in told if figure is not None]


def drawn(found: Abstention | None) -> Mapping[str, Any] | None:
    """Place the risk-coverage curve; None where there is none."""
    if found is None or found.risk_coverage is None:
        return None
    points = found.risk_coverage.points
    most = max(0.05, *(point.wrong_share.high for point in points))

    def y(value: float) -> float:
        return HEIGHT * (1 - value / most)

    return {
        "points": [
            {
                "x": WIDTH * point.answered_share,
                "y": y(point.wrong_share.value),
                "low": y(point.wrong_share.low),
                "high": y(point.wrong_share.high),
                "told_x": format_percent(point.answered_share),
                "told": format_percent(point.wrong_share.value, 1),
            }
            for point in points
        ],
        "ticks": [{"y": y(most * step / 4), "told": format_percent(most * step / 4)} for step in range(5)],
    }
