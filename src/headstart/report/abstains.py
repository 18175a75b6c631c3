"""What the page writes of abstaining: the rows of its table."""

from __future__ import annotations

from headstart.report.messages import translate
from headstart.results import Abstention, Figure


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
