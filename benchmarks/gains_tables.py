"""Tables of the comparison with other tools, from the rows that `gains.py` keeps; and whether the aims were reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import resampling
from tables import percent, table

OURS = {"headstart-quick": "quick", "headstart": "full ladder"}
"""Methods of ours and what they are called in the columns."""
TIMED = ("fastai", "setfit")
"""Tools that should take at least ten times as long."""
TOLERATED = 0.01
COLUMNS = (
    "set", "labels a class", "tool", "train / test", "draws", "accuracy", "macro-F1", "wall s", "peak GiB", "note",
)  # fmt: skip
Row = Mapping[str, Any]
Group = dict[str, dict[tuple[str, int], Row]]
"""Finished rows by method, then by (set, seed)."""


def labels_told(labels: int) -> str:
    """Say how many labels a class."""
    return str(labels) if labels else "all"


def grouped(rows: Iterable[Row], kind: str, labels: int) -> Group:
    """Take the finished rows of one kind and number of labels."""
    found: Group = {}
    for row in rows:
        if (row["kind"], row["labels"], row["status"]) == (kind, labels, "ok"):
            found.setdefault(row["method"], {})[row["set"], row["seed"]] = row
    return found


def _right(row: Row) -> np.ndarray:
    return np.asarray(row["truth"]) == np.asarray(row["told"])


def by_set(values: Mapping[tuple[str, int], np.ndarray]) -> list[np.ndarray]:
    """Stack what was measured on one set: a list of (n_draws, n_rows)."""
    names = dict.fromkeys(name for name, _ in values)
    return [np.stack([value for (own, _), value in values.items() if own == name]) for name in names]


def differences(ours: Mapping[tuple[str, int], Row], theirs: Mapping[tuple[str, int], Row]) -> dict[str, np.ndarray]:
    """Give right minus right of every row (n_draws, n_rows) of every set, on the draws that both finished."""
    shared = [draw for draw in ours if draw in theirs]
    for draw in shared:
        assert ours[draw]["digest"] == theirs[draw]["digest"], f"{draw}: not the same rows"
    values = {draw: _right(ours[draw]).astype(float) - _right(theirs[draw]) for draw in shared}
    return dict(zip(dict.fromkeys(name for name, _ in shared), by_set(values), strict=True))


def details(rows: Sequence[Row], kind: str) -> str:
    """One line a set, number of labels and method."""
    keys: dict[tuple[str, int, str], list[Row]] = {}
    for row in rows:
        if row["kind"] == kind:
            keys.setdefault((row["set"], row["labels"], row["method"]), []).append(row)
    order = sorted(keys, key=lambda key: (key[0], key[1] or 10**9))
    return table([_line(key, keys[key]) for key in order])


def _line(key: tuple[str, int, str], rows: Sequence[Row]) -> dict[str, object]:
    done = [row for row in rows if row["status"] == "ok"]
    line: dict[str, object] = dict.fromkeys(COLUMNS, "")
    line |= {"set": key[0], "labels a class": labels_told(key[1]), "tool": rows[0]["told_as"]}
    notes = [str(row["error"]) for row in rows if row["error"]]
    if not done:
        return {**line, "note": "; ".join(dict.fromkeys(notes))}
    truth, told = np.asarray(done[0]["truth"]), np.stack([row["told"] for row in done])
    chosen = [f"chose {row['chosen']}" for row in done if row.get("chosen")]
    return {
        **line,
        "train / test": f"{done[0]['n_train']} / {done[0]['n_test']}",
        "draws": len(done),
        "accuracy": percent(resampling.accuracy(np.stack([_right(row) for row in done]))),
        "macro-F1": percent(resampling.macro_f1(truth, told)),
        "wall s": f"{np.mean([row['seconds'] for row in done]):.1f}",
        "peak GiB": f"{max(row['peak_gib'] for row in done):.2f}",
        "note": "; ".join(dict.fromkeys([*chosen, *notes])),
    }


def means(rows: Sequence[Row], kinds: Sequence[str], labels: Sequence[int]) -> str:
    """One line a kind, number of labels and method: means over sets, and ours minus it on the draws that both did."""
    return table([line for kind in kinds for count in labels for line in _means(rows, kind, count)])


def _means(rows: Sequence[Row], kind: str, labels: int) -> list[dict[str, object]]:
    group = grouped(rows, kind, labels)
    return [_mean_line(rows, group, kind, labels, method) for method in group]


def _mean_line(rows: Sequence[Row], group: Group, kind: str, labels: int, method: str) -> dict[str, object]:
    mine = group[method]
    n_sets = len({name for name, _ in mine})
    f1 = {draw: resampling.f1_once(np.array(row["truth"]), np.array(row["told"])) for draw, row in mine.items()}
    scores = by_set({draw: np.array([score]) for draw, score in f1.items()})
    line: dict[str, object] = {
        "kind": kind,
        "labels a class": labels_told(labels),
        "tool": next(iter(mine.values()))["told_as"],
        "sets / draws": f"{n_sets} / {len(mine)}",
        "accuracy": percent(resampling.mean(by_set({draw: _right(row) for draw, row in mine.items()}))),
        "macro-F1": f"{100 * np.mean([score.mean() for score in scores]):.1f}",
        "wall s": f"{_seconds(mine.values()):.1f}",
        "peak GiB": f"{max(row['peak_gib'] for row in mine.values()):.2f}",
    }
    for own, told in OURS.items():
        if method not in OURS and own in group:
            found = list(differences(group[own], mine).values())
            line[f"{told} - it"] = percent(resampling.mean(found)) if found else ""
            ratio = time_ratio(rows, group[own], method, kind, labels)
            line[f"its s / {told}'s"] = ratio[1] if ratio else ""
    return line


def _seconds(rows: Iterable[Row]) -> float:
    return float(np.mean([row["seconds"] for row in rows]))


def time_ratio(
    rows: Iterable[Row], ours: Mapping[tuple[str, int], Row], method: str, kind: str, labels: int
) -> tuple[float, str] | None:
    """How many times our seconds a tool took, on draws that we finished; at least, where it was stopped."""
    cell = (kind, labels, method)
    theirs = {
        (row["set"], row["seed"]): row
        for row in rows
        if (row["kind"], row["labels"], row["method"]) == cell and row["status"] in ("ok", "over")
    }
    shared = [draw for draw in theirs if draw in ours]
    if not shared:
        return None
    ratio = _seconds(theirs[draw] for draw in shared) / _seconds(ours[draw] for draw in shared)
    least = "> " if any(theirs[draw]["status"] == "over" for draw in shared) else ""
    return ratio, f"{least}{ratio:.1f} x"


def aims(rows: Sequence[Row], kinds: Sequence[str], labels: Sequence[int]) -> str:
    """Say for every kind and number of labels whether the aims were reached."""
    lines = []
    for kind in kinds:
        for count in labels:
            group = grouped(rows, kind, count)
            for own, told in OURS.items():
                if own in group and len(group) > 1:
                    about = {"kind": kind, "labels a class": labels_told(count), "ours": told}
                    lines.append({**about, **_aims(rows, group, own, (kind, count))})
    return table(lines) if lines else "Nothing to compare yet."


def _aims(rows: Sequence[Row], group: Group, own: str, cell: tuple[str, int]) -> dict[str, str]:
    found = {name: differences(group[own], theirs) for name, theirs in group.items() if name not in OURS}
    told = {row["method"]: row["told_as"] for row in rows}
    mean = {name: resampling.mean(list(sets.values())) for name, sets in found.items() if sets}
    if not mean:
        return {}
    hardest = min(mean, key=lambda name: mean[name]["value"])
    each = {(name, one): resampling.mean([values]) for name, sets in found.items() for one, values in sets.items()}
    worst = min(each, key=lambda key: each[key]["value"])
    below = [f"{one} ({told[name]})" for (name, one), item in each.items() if item["high"] < -TOLERATED]
    ratios = {name: time_ratio(rows, group[own], name, *cell) for name in TIMED}
    timed = {name: ratio for name, ratio in ratios.items() if ratio is not None}
    return {
        "mean above the best tool's": f"{_said(mean[hardest]['value'] > 0)}: "
        f"{percent(mean[hardest])} to {told[hardest]}",
        "no set more than 1 point below": f"{_said(not below)}"
        + (f": {', '.join(below)}" if below else f"; worst {percent(each[worst])}: {worst[1]} ({told[worst[0]]})"),
        "a tenth of the time": "; ".join(f"{_said(r >= 10)}: {text} ({told[n]})" for n, (r, text) in timed.items()),
    }


def _said(reached: bool) -> str:
    return "yes" if reached else "no"
