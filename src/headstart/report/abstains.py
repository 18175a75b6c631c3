"""What the page shows of abstaining: rows of the table, and places in the plot of wrong answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.report.messages import translate
from headstart.report.words import format_percent
from headstart.results import Abstention, Figure

WIDTH, HEIGHT = 260.0, 200.0


def list_per_hundred(abstention: Abstention | None) -> list[tuple[str, Figure]]:
    """List what happens to a hundred rows, in words."""
    if abstention is None:
        return []
    named_figures = [
        (translate("Wrong answers"), abstention.wrong),
        (translate("Referred: not sure"), abstention.referred),
        (translate("Refused: none of these"), abstention.refused),
    ]
    return [(name, figure) for name, figure in named_figures if figure is not None]


def place_risk_coverage(abstention: Abstention | None) -> Mapping[str, Any] | None:
    """Place the risk-coverage curve; None where there is none."""
    if abstention is None or abstention.risk_coverage is None:
        return None
    points = abstention.risk_coverage.points
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
                "text_x": format_percent(point.answered_share),
                "text": format_percent(point.wrong_share.value, 1),
            }
            for point in points
        ],
        "ticks": [{"y": y(most * step / 4), "text": format_percent(most * step / 4)} for step in range(5)],
    }
