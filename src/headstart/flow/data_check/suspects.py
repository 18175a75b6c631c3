"""What shows once rows have features or a model: likely label errors, outliers, unknown pieces, the honest score."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from headstart import data
from headstart.bases import Backbone
from headstart.evaluation import label_errors
from headstart.evaluation.intervals import mean_interval, ratio_interval
from headstart.evaluation.label_errors import LabelErrors
from headstart.flow.adaptation.budget import Budget
from headstart.flow.base_choice.measure import measure_coverage
from headstart.flow.data_check.check import about_inputs, gravest_first, with_shares
from headstart.flow.run_records import Prepared, TrainingChecks
from headstart.ladder import FittedStrategies
from headstart.options import AdaptOptions
from headstart.records import Finding, FloatMatrix, Index, Interval, Probabilities, Table
from headstart.results import Figure, HonestScore, LabelError
from headstart.strategies.linear.ridge_loo import fit_ridge_loo, reduce_to_axes
from headstart.strategies.point_scoring import SCORINGS
from headstart.strategies.record import StrategyRows, Task

Floats = NDArray[np.float64]
SHOWN = 50
N_FOLDS = 5
SURE, SURE_SHARE = 0.8, 0.01
"""People are warned of wrong labels where so many rows are doubted so much (margin of two probabilities)."""
OUTLIER_ROWS, OUTLIER_AXES, NEIGHBOURS, FAR, MOST_OUTLIERS = 5_000, 32, 5, 6.0, 0.02
SOME_UNKNOWN, MANY_UNKNOWN, MANY_PIECES = 0.01, 0.10, 2.5


def _classes(task: Task, outputs: Probabilities) -> LabelErrors:
    return label_errors.find_class_errors(task.codes, outputs)


def _labels(task: Task, outputs: Probabilities) -> LabelErrors:
    assert task.truth is not None
    return label_errors.find_multilabel_errors(task.truth, outputs)


def _numbers(task: Task, outputs: Probabilities) -> LabelErrors:
    assert task.truth is not None
    return label_errors.find_number_errors(task.truth, outputs)


FINDERS: dict[str, Callable[[Task, Probabilities], LabelErrors]] = {
    "classification": _classes,
    "ordinal": _classes,
    "multi-label": _labels,
    "regression": _numbers,
}


def check_training_rows(
    prepared: Prepared, strategies: FittedStrategies, options: AdaptOptions, budget: Budget
) -> TrainingChecks:
    """Return what the checks of the training rows find; parts without time are left out.

    Parameters
    ----------
    prepared : Prepared
    strategies : FittedStrategies
        Label errors are looked for in the chosen model's out-of-fold outputs.
    options : AdaptOptions
    budget : Budget
        Where it has no time left, only label errors are looked for.
    """
    train, task = prepared.train, prepared.task
    wrong, label_errors = wrong_labels(train.table, task, strategies.fitted[strategies.chosen].out_of_fold)
    findings = [*prepared.findings, *wrong]
    grouped_score = None
    left_out = []
    if budget.allows("checks"):
        findings += about_inputs(train.table, options.group, options.seed)
        if train.features is not None:
            findings += outliers(train.table.ids, train.features.final, options.seed)
            findings += unknown_tokens(prepared.backbone, train.table)
    else:
        left_out.append("shortcuts and outliers")
    if budget.allows("honest_score"):
        grouped_score = honest_score(train, task, options.group)
    else:
        left_out.append("what copies and groups do to the score")
    if left_out:
        summary = f"No time was left to look for {' and '.join(left_out)}."
        findings.append(
            Finding(
                kind="not-looked-deeper", severity="note", rows=(), summary=summary, advice="Give more with --time."
            )
        )
    ordered = gravest_first(with_shares(findings, prepared.table))
    return TrainingChecks(findings=ordered, label_errors=label_errors, honest_score=grouped_score)


def wrong_labels(table: Table, task: Task, outputs: Probabilities) -> tuple[list[Finding], list[LabelError]]:
    """Rank training rows by how likely their label is wrong.

    Parameters
    ----------
    table : Table
        The training rows.
    task : Task
    outputs : Probabilities, shape (n_rows, n_outputs)
        Out of fold.

    Returns
    -------
    findings : list of Finding
        `label-errors` with the suspicious rows, the most suspicious first; empty where there are none.
    shown : list of LabelError
        The first 50, with what the model would say.
    """
    found = FINDERS[task.kind](task, outputs)
    suspicious = found.order[: found.n_suspect]
    if not len(suspicious):
        return [], []
    shown = [
        LabelError(
            id=str(table.ids[row]), label=_given(table, task, row), suggested=_suggested(task, found, row),
            doubt=float(found.doubt[row]),
        )
        for row in suspicious[:SHOWN]
    ]  # fmt: skip
    n, first = len(suspicious), shown[0]
    have = "1 row may have" if n == 1 else f"{n} rows may have"
    summary = f"{have} a wrong label (first {first.id}: {first.label or 'none'}, looks like {first.suggested})."
    advice = "Look through them in this order; right what is wrong, leave what is only hard."
    sure = np.count_nonzero(found.doubt[suspicious] >= SURE) >= SURE_SHARE * len(found.order)
    named = tuple(str(table.ids[row]) for row in suspicious)
    return [
        Finding(
            kind="label-errors",
            severity="warn" if sure else "note",
            rows=named,
            summary=summary,
            advice=advice,
            measure=found.share,
        )
    ], shown


def _given(table: Table, task: Task, row: int) -> str:
    if task.kind in ("classification", "ordinal"):
        return str(task.classes[int(task.codes[row])])
    return "" if table.labels is None else str(table.labels[row])


def _suggested(task: Task, found: LabelErrors, row: int) -> str:
    value = found.suggested[row]
    if task.kind == "regression":
        return f"{value:.4g}"
    name = str(task.classes[int(value)])
    if task.kind == "multi-label":
        assert task.truth is not None
        return f"without {name}" if task.truth[row, int(value)] == 1 else f"with {name}"
    return name


def outliers(ids: NDArray[np.object_], features: FloatMatrix, seed: int) -> list[Finding]:
    """Find rows far from all others: distance to the fifth neighbour, on a log scale, against the median.

    At most 5,000 rows drawn by chance are compared; more than 2 % are not called outliers.
    """
    rows = np.sort(np.random.default_rng(seed).permutation(len(features))[:OUTLIER_ROWS])
    if len(rows) <= 4 * NEIGHBOURS:
        return []
    axes = reduce_to_axes(features[rows], seed)[:, :OUTLIER_AXES]
    squares = np.square(axes).sum(axis=1)
    fifth = np.empty(len(rows))
    for start in range(0, len(rows), 500):
        part = axes[start : start + 500]
        away = squares[start : start + 500, None] + squares - 2 * part @ axes.T
        fifth[start : start + 500] = np.partition(away, NEIGHBOURS, axis=1)[:, NEIGHBOURS]
    logs = np.log(np.maximum(fifth, 1e-12))
    middle = float(np.median(logs))
    usual = 1.4826 * float(np.median(np.abs(logs - middle)))
    if usual <= 0:
        return []
    far = np.flatnonzero(logs > middle + FAR * usual)
    if not 0 < len(far) <= max(1.0, MOST_OUTLIERS * len(rows)):
        return []
    named = tuple(str(ids[rows[at]]) for at in far[np.argsort(-logs[far], kind="stable")])
    lie = "1 row looks" if len(named) == 1 else f"{len(named)} rows look"
    among = f" (among {len(rows):,} rows that were compared)" if len(rows) < len(features) else ""
    summary = f"{lie} unlike all others{among}, such as {named[0]}."
    return [
        Finding(
            kind="outliers",
            severity="note",
            rows=named,
            summary=summary,
            advice="Look at them: they may be faulty, or of a rare kind.",
        )
    ]


def unknown_tokens(backbone: Backbone, table: Table) -> list[Finding]:
    """Say how well the base's vocabulary copes with the texts, where that is not well."""
    found = measure_coverage(backbone, table)
    if found is None or (found.unknown_share < SOME_UNKNOWN and found.pieces_per_word < MANY_PIECES):
        return []
    n = min(len(table), 500)
    summary = (
        f"Of {n} texts the base model {backbone.record.name} does not know {found.unknown_share:.1%} of the pieces, "
        f"and cuts a word into {found.pieces_per_word:.1f} pieces (about 1.3 for a language it was made for)."
    )
    advice = "A base model made for this language may do better: `headstart bases --for DATA`."
    severity = "warn" if found.unknown_share >= MANY_UNKNOWN else "note"
    return [
        Finding(
            kind="unknown-tokens",
            severity=severity,
            rows=(),
            summary=summary,
            advice=advice,
            measure=ratio_interval(found.counts, 0),
        )
    ]


def honest_score(rows: StrategyRows, task: Task, groups: tuple[str, ...]) -> HonestScore | None:
    """Score a simple head with rows dealt by chance, and with copies and groups kept together.

    Parameters
    ----------
    rows : Rows
        Training rows, with features or descriptors.
    task : Task
    groups : tuple of str
        Columns that are kept together.

    Returns
    -------
    HonestScore or None
        None where no two rows belong together, or nothing can be measured.
    """
    clusters = data.find_dependence(rows.table, groups).for_resampling
    sizes = np.bincount(clusters)
    dense = rows.features or rows.descriptors
    if sizes.max() == 1 or len(sizes) < 2 * N_FOLDS or dense is None:
        return None
    features, scoring = reduce_to_axes(dense.final, task.seed), SCORINGS[task.kind]
    targets = scoring.targets(task)
    dealt = [data.assign_folds(task.codes, each, N_FOLDS, task.seed) for each in (np.arange(len(rows)), clusters)]
    (naive, _), (honest, sizes_of) = (_losses(features, targets, folds, task) for folds in dealt)
    scale = float(sizes_of.mean())
    if scoring.points:
        naive, honest = 1 - naive / scale, 1 - honest / scale
    bounds = (0.0, 1.0) if scoring.points else (0.0, np.inf)
    gap = mean_interval((naive - honest) * (1.0 if scoring.points else -1.0), clusters, task.seed, (-np.inf, np.inf))
    n_together = int((sizes[clusters] > 1).sum())
    return HonestScore(
        measure=scoring.metric, n_rows=len(rows), n_together=n_together,
        naive=Figure.of(mean_interval(naive, clusters, task.seed, bounds)),
        honest=Figure.of(mean_interval(honest, clusters, task.seed, bounds)),
        gap=Figure.of(gap), sentence=_sentence(gap, n_together, scoring.points),
    )  # fmt: skip


def _sentence(gap: Interval, n_together: int, points: bool) -> str:
    kept = f"{n_together:,} training rows have copies or belong to groups."
    size = f"{100 * gap.value:.1f} points" if points else f"{gap.value:.3g}"
    if gap.low > 0:
        return f"{kept} Dealt out by chance they would make the score {size} too good; here they are kept together."
    return f"{kept} Keeping them together changes the score by less than can be told from chance."


def _losses(features: FloatMatrix, targets: Floats, folds: Index, task: Task) -> tuple[Floats, Floats]:
    """Give each row's loss, and what it is divided by, from a head that did not see its fold."""
    losses, sizes = np.zeros(len(targets)), np.ones(len(targets))
    for fold in np.unique(folds):
        fitted, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        head = fit_ridge_loo(features[fitted], targets[fitted])
        said = head.predict(features[held])
        losses[held], sizes[held] = SCORINGS[task.kind].losses(head, targets[fitted], said, targets[held])
    return losses, sizes
