"""The tables of `text_bases.py`: macro-F1 of TF-IDF, of frozen probes, and of what `adapt` gives on each base."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from tables import table

from headstart.evaluation.intervals import mean_interval

Record = Mapping[str, Any]
DEFAULT = "default"
"""Name of the base that is chosen for each run; its records name the choice and hold no figures."""
PROBES = ("linear-probe", "shrinkage-lda", "multi-stage-probe")
SHORT = {"all-minilm-l6-v2": "MiniLM", "multilingual-e5-small": "mE5", DEFAULT: "default"}
VERDICTS = ("helped", "no evidence", "hurt")


def choose_probe(record: Record) -> str:
    """Return the frozen probe with the lowest out-of-fold loss.

    Examples
    --------
    >>> choose_probe({"losses": {"linear-probe": 0.4, "shrinkage-lda": 0.3, "blend": 0.1}})
    'shrinkage-lda'
    """
    return min((name for name in PROBES if name in record["losses"]), key=lambda name: float(record["losses"][name]))


def resolve_default(records: Sequence[Record]) -> list[Record]:
    """Return the records with figures, those of the default being those of the base that was chosen for the run."""
    measured = {(_name_draw(item), item["base"]): item for item in records if item["base"] != DEFAULT}
    resolved = list(measured.values())
    for item in records:
        if item["base"] == DEFAULT and (_name_draw(item), item["choice"]) in measured:
            resolved.append({**measured[_name_draw(item), item["choice"]], "base": DEFAULT, "choice": item["choice"]})
    return resolved


def _name_draw(record: Record) -> tuple[object, ...]:
    return record["set"], record["labels_per_class"], record["seed"]


def list_columns(records: Iterable[Record]) -> dict[str, dict[tuple[object, ...], float]]:
    """Return macro-F1 by column and draw."""
    columns: dict[str, dict[tuple[object, ...], float]] = {"TF-IDF": {}}
    for item in records:
        base, draw = SHORT.get(item["base"], item["base"]), _name_draw(item)
        columns["TF-IDF"][draw] = item["macro_f1"]["classic"]
        if item["base"] != DEFAULT:
            columns.setdefault(f"{base}, probe", {})[draw] = item["macro_f1"][choose_probe(item)]
        columns.setdefault(f"{base}, adapt" if base != DEFAULT else base, {})[draw] = item["macro_f1"][item["chosen"]]
    return columns


def average_by_set(values: Mapping[tuple[object, ...], float], draws: Sequence[tuple[object, ...]]) -> dict[str, float]:
    """Return the mean over draws for each set."""
    names = dict.fromkeys(str(draw[0]) for draw in draws)
    return {name: float(np.mean([values[draw] for draw in draws if draw[0] == name])) for name in names}


def write_difference(own: Mapping[str, float], other: Mapping[str, float]) -> str:
    """Write the mean difference over sets in points, with its 95 % interval over sets."""
    figure = mean_interval(np.asarray([own[name] - other[name] for name in own]), None, 0, (-1.0, 1.0))
    return f"{100 * figure.value:+.1f} ({100 * figure.low:+.1f} to {100 * figure.high:+.1f})"


def count_verdicts(records: Iterable[Record]) -> str:
    """Write how often each verdict was reached, as helped / no evidence / hurt."""
    counts = Counter(str(item["verdict"]) for item in records)
    return " / ".join(str(counts[name]) for name in VERDICTS)


def write_tables(records: Sequence[Record]) -> Iterator[tuple[str, str]]:
    """Yield title and body: the means for each number of labels, then each set."""
    resolved = resolve_default(records)
    counts = sorted({item["labels_per_class"] for item in resolved}, key=lambda count: count or 1 << 30)
    means, details = [], []
    for count in counts:
        group = [item for item in resolved if item["labels_per_class"] == count]
        columns = list_columns(group)
        draws = [draw for draw in columns["TF-IDF"] if all(draw in values for values in columns.values())]
        if not draws:
            continue
        group = [item for item in group if _name_draw(item) in draws]
        means.append(_summarise(count, {name: average_by_set(item, draws) for name, item in columns.items()}, group))
        details.append((f"{count or 'all'} labels a class", _describe_sets(columns, draws, group)))
    revisions = ", ".join(sorted({item["revision"].rstrip("+") for item in resolved}))
    yield "means over sets", f"{LEGEND} Runs at {revisions}.\n\n{table(means)}"
    yield from details


LEGEND = (
    "Macro-F1 in percent on the official test rows (`benchmarks/sets.json` says which), mean over draws and sets; "
    "differences in points with 95 % intervals over sets. `probe`: the frozen probe that is best out of fold; `adapt`: "
    "what `adapt --strategy quick` gives on that base, TF-IDF being one of its strategies; `default`: the same on the "
    "base that is chosen for the rows. Verdicts: helped / no evidence / hurt, over runs (accuracy, 95 %)."
)


def _summarise(
    count: int | None, columns: Mapping[str, Mapping[str, float]], group: Sequence[Record]
) -> dict[str, str]:
    own = columns.get(DEFAULT)
    rivals = {name: values for name, values in columns.items() if name == "TF-IDF" or name.endswith("adapt")}
    line = {"labels a class": str(count or "all"), "sets": str(len(columns["TF-IDF"]))}
    line |= {name: f"{100 * np.mean(list(values.values())):.1f}" for name, values in columns.items()}
    if own is not None:
        line |= {f"default - {name}": write_difference(own, values) for name, values in rivals.items()}
        means = {name: np.mean(list(values.values())) for name, values in columns.items()}
        line["default >= every other mean"] = "yes" if means[DEFAULT] >= max(means.values()) else "no"
    for base in dict.fromkeys(item["base"] for item in group):
        name = SHORT.get(base, base)
        line[f"verdicts, {name}"] = count_verdicts(item for item in group if item["base"] == base)
    return line


def _describe_sets(
    columns: Mapping[str, Mapping[tuple[object, ...], float]],
    draws: Sequence[tuple[object, ...]],
    group: Sequence[Record],
) -> str:
    averages = {name: average_by_set(values, draws) for name, values in columns.items()}
    lines = []
    for name in averages["TF-IDF"]:
        members = [item for item in group if item["set"] == name]
        bases = Counter(SHORT.get(item["choice"], item["choice"]) for item in members if item["base"] == DEFAULT)
        line = {
            "set": name,
            "training / test rows": f"{members[0]['n_train']:,} / {members[0]['n_test']:,}",
            "draws": str(sum(draw[0] == name for draw in draws)),
            **{column: f"{100 * values[name]:.1f}" for column, values in averages.items()},
        }
        if bases:
            line["default is"] = ", ".join(f"{base} {times}" for base, times in bases.items())
        for base in dict.fromkeys(item["base"] for item in members):
            told = count_verdicts(item for item in members if item["base"] == base)
            line[f"verdicts, {SHORT.get(base, base)}"] = told
        lines.append(line)
    return table(lines)
