"""The part of `predict.py` for the levels of a coding frame: the twin of `headstart.decisions.rolling_up`."""

from __future__ import annotations

from typing import Any

# --- code ---
LEVEL_MARK, WHICH = " > ", "(not sure which)"


def roll_up(row: Any, classes: list[str], frame: dict[str, Any], least: float) -> str:
    """Return the deepest level of the coding frame that is sure, as an answer; "" where none is."""
    for depth in range(len(frame["sets"]), 0, -1):
        sums: dict[str, float] = {}
        for name, probability in zip(classes, row, strict=True):
            node = LEVEL_MARK.join(name.split(LEVEL_MARK)[:depth])
            sums[node] = sums.get(node, 0.0) + float(probability)
        best = max(sums, key=lambda node: sums[node])
        floors = frame["sets"][depth - 1]["floors"]
        inside = [node for node, floor in zip(sums, floors, strict=True) if sums[node] >= floor or node == best]
        is_inner = best.count(LEVEL_MARK) == depth - 1 and any(name.startswith(best + LEVEL_MARK) for name in classes)
        if inside == [best] and is_inner and sums[best] >= least:
            return best + LEVEL_MARK + WHICH
    return ""


def list_levels(frame: dict[str, Any], labels: list[str] | None, answer: str, kind: str) -> list[str]:
    """Return the cells of the levels of the coding frame; `labels` where a row may have several."""
    depth = len(frame["levels"])
    if kind != "label" and not answer.endswith(LEVEL_MARK + WHICH):
        return [""] * depth
    if labels is not None:
        paths = [name.split(LEVEL_MARK) for name in labels if name]
        named = [[LEVEL_MARK.join(path[:at]) for path in paths if len(path) >= at] for at in range(1, depth + 1)]
        return [";".join(dict.fromkeys(names)) for names in named]
    path = [part for part in answer.split(LEVEL_MARK) if part != WHICH][:depth]
    return [*path, *[""] * (depth - len(path))]
