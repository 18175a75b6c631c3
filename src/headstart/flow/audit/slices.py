"""Slices: kinds of rows on which the chosen model fails, found on training rows out of fold, looked up on test rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart import data
from headstart.errors import offenders
from headstart.evaluation import keeps_together
from headstart.evaluation.fairness.groups import one_of_each
from headstart.evaluation.fairness.slices import MIN_ROWS, Found, find, lasting, mean_error, row_errors
from headstart.evaluation.metrics.measures import MEASURES
from headstart.evaluation.wording import amount, cut
from headstart.flow.adaptation.evaluate import Judged, thresholds_of
from headstart.flow.adaptation.prepare import Prepared
from headstart.ladder import Climb
from headstart.options import AdaptOptions
from headstart.ranking.typicality import Groups, groups, nearest, unit
from headstart.records import Column, FloatMatrix, Index, Interval, Predictions, Table
from headstart.results import Figure, Slice, Slices

FEWEST_ROWS, MOST_ROWS = 100, 4_000
CLUSTERS = (4, 10, 24)
"""Rows are dealt into so many clusters, coarse to fine, as far as each has `ROWS_EACH` on average."""
ROWS_EACH = 25
EXAMPLES, DESCRIBED = 4, 200
Properties = Callable[[Table], Mapping[str, NDArray[np.float64]]]
"""Plain numbers of each row of a table (n_rows,), NaN where unknown, by name."""
MORE_OFTEN = 0.3
"""A group is told where the slice holds so much more of it than the other rows, as a difference of shares."""
APART = 1.0
"""A property is told where its median lies so many interquartile ranges from that of the other rows."""


def slices(
    prepared: Prepared,
    climb: Climb,
    judged: Judged,
    properties: Properties,
    options: AdaptOptions,
) -> Slices:
    """Look for kinds of rows on which the chosen model fails more than the mix of their classes explains.

    Parameters
    ----------
    prepared : Prepared
    climb : Climb
    judged : Judged
    properties : function
        Gives plain numbers of rows, by which a slice may be described; called for slices only.
    options : AdaptOptions
    """
    seed = options.seed
    task, features = prepared.task, prepared.train.features
    said = climb.fitted[climb.chosen].out_of_fold
    measure = MEASURES[task.kind].name
    rows = np.flatnonzero(np.isfinite(said).all(axis=1))
    rows = rows[one_of_each(data.number_clusters(prepared.train.table)[rows], seed)] if len(rows) else rows
    rows = np.sort(np.random.default_rng(seed).permutation(rows)[:MOST_ROWS])
    if features is None or len(rows) < FEWEST_ROWS:
        why = "no frozen features" if features is None else f"{len(rows)} independent training rows"
        reading = f"Cannot tell whether there are kinds of rows on which it fails ({why}; it takes {FEWEST_ROWS} rows)."
        return Slices(n_rows=len(rows), n_clusters=0, measure=measure, reading=reading)  # type: ignore[arg-type]
    truth = task.codes if task.truth is None else task.truth
    made = Predictions(
        ids=prepared.train.table.ids[rows], classes=task.classes, probabilities=said[rows], task=task.kind,
        thresholds=thresholds_of(prepared, climb.fitted[climb.chosen]),
    )  # fmt: skip
    errors = row_errors(truth[rows], made)
    centre = features.final[rows].mean(axis=0)
    looks = unit(features.final[rows] - centre)
    dealt = [groups(looks, k, seed) for k in CLUSTERS if k * ROWS_EACH <= len(rows) or k == CLUSTERS[0]]
    found = find(errors, [item.owner for item in dealt], task.codes[rows], seed)
    n_clusters = sum(int((np.bincount(item.owner) >= MIN_ROWS).sum()) for item in dealt)
    test = _on_test(prepared, judged.predictions.get(climb.chosen), centre)
    table = prepared.train.table
    columns = {name: table.metadata[name] for name in options.group if name in table.metadata}
    columns = {name: values for name, values in columns.items() if not keeps_together(values)}
    seen = _Seen(
        rows=rows, looks=looks, errors=errors, said=made, table=table, test=test, properties=properties, columns=columns
    )
    told = [seen.describe(item, dealt[item.clustering]) for item in found]
    return Slices(
        n_rows=len(rows), n_clusters=n_clusters, measure=measure, found=told,  # type: ignore[arg-type]
        reading=_summary(len(told), n_clusters, len(rows)),
    )  # fmt: skip


def _summary(n_found: int, n_clusters: int, n_rows: int) -> str:
    where = f"Among {n_clusters} clusters of similar rows ({n_rows:,} training rows, predicted out of fold)"
    if n_found:
        fail = "fails" if n_found == 1 else "fail"
        return f"{where}, {n_found} {fail} more often than chance and the mix of classes explain."
    return (
        f"{where} there is none that fails more often than chance and the mix of classes explain. "
        "That does not mean that there is none: such searches miss most weak points that are small."
    )


def _on_test(
    prepared: Prepared, said: Predictions | None, centre: NDArray[np.float32]
) -> tuple[FloatMatrix, NDArray[np.float64]] | None:
    features = prepared.test.features
    if said is None or features is None or len(prepared.test) == 0:
        return None
    return unit(features.final - centre), row_errors(prepared.truth, said)


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What slices are described by: the training rows looked at, what was said of them, and the test rows."""

    rows: Index
    looks: FloatMatrix
    errors: NDArray[np.float64]
    said: Predictions
    table: Table
    test: tuple[FloatMatrix, NDArray[np.float64]] | None
    properties: Properties
    columns: Mapping[str, Column]

    def describe(self, item: Found, dealt: Groups) -> Slice:
        """Describe one slice."""
        upper = np.inf if self.said.task == "regression" else 1.0
        others = np.setdiff1d(np.arange(len(self.rows)), item.rows)
        n_test, on_test, off_test = self._tested(item, dealt, upper)
        errors = self.errors
        typical = item.rows[np.argsort(-(self.looks[item.rows] @ dealt.centres[item.cluster]), kind="stable")]
        wrong = [row for row in typical if errors[row] > np.median(errors)] or list(typical)
        here, elsewhere = self.rows[item.rows], self.rows[others]
        found = Slice(
            n_rows=len(item.rows),
            error=Figure.of(mean_error(errors[item.rows], upper)),
            elsewhere=Figure.of(mean_error(errors[others], upper)),
            p_value=item.p_value,
            n_test_rows=n_test,
            test_error=on_test,
            test_elsewhere=off_test,
            labels=_labels(self.table.labels, here, self.said, at=item.rows, errors=errors),
            properties=[*_groups(self.columns, here, elsewhere), *_facts(self.properties, self.table, here, elsewhere)],
            examples=[str(self.table.ids[self.rows[row]]) for row in wrong[:EXAMPLES]],
            reading="",
        )
        return found.model_copy(update={"reading": _reading(found, self.said.task)})

    def _tested(self, item: Found, dealt: Groups, upper: float) -> tuple[int, Figure | None, Figure | None]:
        """Look the slice up among the test rows: those nearest to its centre."""
        if self.test is None:
            return 0, None, None
        here = nearest(self.test[0], dealt.centres)[0] == item.cluster
        n_test = int(here.sum())
        if n_test < MIN_ROWS or len(here) - n_test < MIN_ROWS:
            return n_test, None, None
        pair = (mean_error(self.test[1][part], upper) for part in (here, ~here))
        on_test, off_test = (Figure.of(each) for each in pair)
        return n_test, on_test, off_test


def _groups(columns: Mapping[str, Column], rows: Index, others: Index) -> list[str]:
    """Name the groups that a slice holds far more of than the other rows."""
    found = []
    for name, values in columns.items():
        here, there = Counter(map(str, values[rows])), Counter(map(str, values[others]))
        for value, n in here.items():
            shares = n / len(rows), there[value] / max(len(others), 1)
            if value and shares[0] - shares[1] > MORE_OFTEN:
                found.append(f"{name} {cut(value)} ({100 * shares[0]:.0f} % against {100 * shares[1]:.0f} %)")
    return found


def _labels(labels: Column | None, rows: Index, made: Predictions, at: Index, errors: NDArray[np.float64]) -> list[str]:
    """Name the most frequent mistakes of a slice."""
    if labels is None or made.task not in ("classification", "ordinal"):
        return []
    pairs = Counter(
        (str(label), str(said))
        for label, said, error in zip(labels[rows], made.labels[at], errors[at], strict=True)
        if error > 0
    )
    return [f"{cut(label)} taken for {cut(said)} ({n})" for (label, said), n in pairs.most_common(3)]


def _facts(properties: Properties, table: Table, rows: Index, others: Index) -> list[str]:
    """Name the properties in which a slice differs most, from at most 200 rows on either side."""
    some = [np.random.default_rng(0).permutation(part)[:DESCRIBED] for part in (rows, others)]
    found = properties(table.take(np.concatenate(some)))
    inside, outside = np.arange(len(some[0])), np.arange(len(some[0]), len(some[0]) + len(some[1]))
    away = {
        name: lasting(values, inside, outside)
        for name, values in found.items()
        if np.isfinite(values[inside]).any() and np.isfinite(values[outside]).any()
    }
    ranked = sorted((name for name in away if abs(away[name]) >= APART), key=lambda name: -abs(away[name]))
    return [
        f"{name} {'higher' if away[name] > 0 else 'lower'} ({amount(float(np.nanmedian(found[name][inside])))} "
        f"against {amount(float(np.nanmedian(found[name][outside])))})"
        for name in ranked[:3]
    ]


def _reading(found: Slice, kind: str) -> str:
    shares = kind != "regression"

    def told(figure: Figure | Interval) -> str:
        if not shares:
            return f"off by {amount(figure.value)} ({amount(figure.low)} to {amount(figure.high)})"
        return f"{100 * figure.value:.0f} % ({100 * figure.low:.0f} to {100 * figure.high:.0f} %)"

    what = "wrong on" if shares else "on average"
    text = (
        f"On {found.n_rows} similar training rows it was {what} {told(found.error)}, elsewhere {told(found.elsewhere)}"
    )
    text += f"; p = {found.p_value:.3f}, corrected for all clusters tried."
    if found.test_error and found.test_elsewhere:
        agree = found.test_error.value > found.test_elsewhere.value
        text += (
            f" On the {found.n_test_rows} test rows of this kind: {told(found.test_error)}, other test rows "
            f"{told(found.test_elsewhere)}{'' if agree else ', so the test rows do not confirm it'}."
        )
    else:
        text += f" On test rows: cannot tell ({found.n_test_rows} rows of this kind)."
    if found.labels:
        text += f" Most frequent: {offenders(found.labels)}."
    if found.properties:
        text += f" What these rows have in common: {offenders(found.properties)}."
    return text
