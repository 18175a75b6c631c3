"""`evaluate`: a bundle on data of another place, with or without labels."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from headstart import bundle as bundles
from headstart import evaluation
from headstart.bundle import Bundle
from headstart.data.grouping.columns import choose_compared_columns, find_compared_names
from headstart.data.labels.targets import encode_truth
from headstart.decisions import DEFAULT_POLICY, Decisions
from headstart.errors import DataError, cut_problem
from headstart.evaluation import Truth
from headstart.flow.external_validation import recalibrate as recalibrating
from headstart.flow.external_validation import site_comparison
from headstart.flow.inference.first_look import require_inputs_of_model
from headstart.flow.inference.labelled_rows import leave_out_training_rows, read_rows_to_evaluate
from headstart.flow.inference.predict_table import decide_rows, predict_batches, select_ood_features
from headstart.flow.scoring.decisions import ScoredRows, measure_outcome_shares
from headstart.flow.scoring.groups import find_group_dependence
from headstart.flow.scoring.predictions import GroupsToCompare, ModelFigures, measure_model
from headstart.flow.scoring.readiness import require_known_figures
from headstart.offline import offline
from headstart.options import EvaluateOptions, PredictOptions
from headstart.options.requirements import parse_requirement
from headstart.records import FloatMatrix, Index, Predictions, SetAside, Table
from headstart.report import fill_sentences
from headstart.results import Evaluation, SetAsideRow

_NO_LABELS = "There are no labels here."
_WITH_LABELS = ("metrics", "confusion", "calibration", "conformal", "abstention")


@dataclass(frozen=True, kw_only=True)
class PredictedRows:
    """Predictions of a bundle for the rows of a table that could be read.

    `raw` and `predictions` are its probabilities before and after correction; `placed` the rows as the bundle's
    sample of training rows is kept, where it keeps one.
    """

    table: Table
    raw: Predictions
    predictions: Predictions
    decisions: Decisions
    placed: FloatMatrix | None
    set_aside: list[SetAside]


def predict_rows(bundle: Bundle, table: Table, precision: str, path: Path) -> PredictedRows:
    """Predict a table and keep what is needed to score it.

    Parameters
    ----------
    bundle : Bundle
    table : Table
    precision : str
        "auto" or "float32", for the frozen base.
    path : Path
        Where the rows came from, for messages.

    Raises
    ------
    DataError
        No row can be used.
    """
    policy, reference = bundle.decision_policy, bundle.reference_sample
    raw: list[Predictions] = []
    decisions: list[Decisions] = []
    placed: list[FloatMatrix] = []
    failed: dict[int, str] = {}
    plain = replace(DEFAULT_POLICY, content_limits=bundle.decision_policy.content_limits)
    for batch in predict_batches(replace(bundle, decision_policy=plain), table, precision):
        failed |= batch.failed
        raw.append(batch.predictions)
        decisions.append(decide_rows(policy, policy.calibrate(batch.predictions), batch.model_inputs))
        values = select_ood_features(batch.model_inputs, reference.reads) if reference else None
        placed += [reference.project(values)] if reference and values is not None else []
    set_aside = [
        SetAside(str(table.ids[row]), cut_problem(reason, table.inputs[row])) for row, reason in failed.items()
    ]
    if not any(len(part.ids) for part in raw):
        first = f" ({set_aside[0].id}: {set_aside[0].reason})" if set_aside else ""
        raise DataError(f"None of the rows of {path} can be used{first}.", "Correct them.")
    probabilities = np.concatenate([part.probabilities for part in raw])
    joined = replace(raw[0], ids=np.concatenate([part.ids for part in raw]), probabilities=probabilities)
    place = {name: position for position, name in enumerate(table.ids)}
    usable = table.take(np.asarray([place[name] for name in joined.ids], dtype=np.intp))
    joined_places = np.concatenate(placed) if placed else None
    return PredictedRows(
        table=usable,
        raw=joined,
        predictions=policy.calibrate(joined),
        decisions=Decisions.concatenate(decisions),
        placed=joined_places,
        set_aside=set_aside,
    )


def evaluate(bundle_path: Path, path: Path, options: PredictOptions, recalibrate: Path | None = None) -> Evaluation:
    """Score a bundle on data that it has not seen, beside the place where it was made.

    Parameters
    ----------
    bundle_path, path : Path
    options : PredictOptions
        Or `EvaluateOptions`, to merge spellings of labels.
    recalibrate : Path or None
        Where to write a bundle whose probabilities and sets are corrected for these rows.

    Returns
    -------
    Evaluation
        Without labels: shares of answers, drift and advice only.

    Raises
    ------
    DataError
        No row has one of the bundle's classes or can be read, or there are too few labels to recalibrate.
    """
    evaluate_options = (
        options if isinstance(options, EvaluateOptions) else EvaluateOptions.model_validate(options.model_dump())
    )
    require_inputs_of_model(bundle_path, [path])
    with offline(options.offline):
        bundle = bundles.load_bundle(bundle_path, options.runtime, options.base)
        require_known_figures(bundle.task, evaluate_options.require)
        table, unknown = read_rows_to_evaluate(bundle, path, evaluate_options)
        find_compared_names(table, evaluate_options.compare)
        new_rows = leave_out_training_rows(table, [bundle])
        table = new_rows.table
        if recalibrate is not None:
            recalibrating.require_possible(bundle, table, unknown is not None)
        predicted = predict_rows(bundle, table, options.precision, path)
    is_labelled, columns = unknown is not None, _select_present_columns(predicted.table, options)
    rows = np.arange(len(predicted.table) if is_labelled else 0)
    compared = choose_compared_columns(predicted.table, rows, columns, evaluate_options.compare)
    dependence = find_group_dependence(predicted.table, options.group)
    clusters = dependence.group_clusters
    truth = encode_truth(predicted.table, bundle.classes) if is_labelled else None
    groups = GroupsToCompare(columns=compared.columns, group_columns=columns)
    figures = None if truth is None else _measure_rows(bundle, predicted, truth, clusters=clusters, groups=groups)
    set_aside = (*table.set_aside, *predicted.set_aside)
    result = Evaluation(
        task=bundle.task,
        bundle=str(bundle_path),
        data=table.source,
        classes=list(bundle.classes),
        n_rows=len(predicted.table),
        labelled=is_labelled,
        unknown_labels=dict(sorted((unknown or Counter()).items())),
        modality=bundle.modality,
        n_learnt=new_rows.n_learnt,
        n_near_copies=new_rows.n_near_copies,
        n_tested=new_rows.n_tested,
        metrics=figures.metrics if figures else None,
        confusion=figures.confusion if figures else None,
        fit=figures.fit if figures else None,
        groups=figures.groups if figures else [],
        columns_left_alone=compared.left_alone if figures else {},
        calibration=figures.calibration if figures else None,
        conformal=figures.conformal if figures else None,
        abstention=figures.abstention if figures else None,
        levels=figures.levels if figures else [],
        shares=measure_outcome_shares(predicted.decisions, clusters),
        not_measured=figures.not_measured if figures else dict.fromkeys(_WITH_LABELS, _NO_LABELS),
        set_aside=[SetAsideRow(id=item.id, reason=item.reason) for item in set_aside],
        trained_on=bundle.training_facts.data,
    )
    result = site_comparison.compare_with_site(
        result,
        bundle,
        bundle_path,
        codes=predicted.predictions.class_indices if truth is None else truth,
        clusters=dependence.for_splitting,
        placed=predicted.placed,
    )
    requirements = [parse_requirement(text) for text in evaluate_options.require]
    result = site_comparison.add_advice(result, site_comparison.load_site(bundle, bundle_path), requirements)
    if recalibrate is None or truth is None:
        return fill_sentences(result)
    recalibrated = recalibrating.recalibrate(bundle, predicted.raw, truth, table=predicted.table, groups=columns)
    recalibration = recalibrating.write_recalibrated(
        bundle, bundle_path, recalibrate, recalibrated=recalibrated, table=predicted.table, base=options.base
    )
    result = result.model_copy(update={"recalibration": recalibration})
    return fill_sentences(result.model_copy(update={"advice": site_comparison.advise_after_recalibration(result)}))


def _select_present_columns(table: Table, options: PredictOptions) -> tuple[str, ...]:
    return tuple(name for name in options.group if name in table.metadata)


def _measure_rows(
    bundle: Bundle, predicted: PredictedRows, truth: Truth, clusters: Index | None, groups: GroupsToCompare
) -> ModelFigures:
    """Return how good the bundle is on labelled rows."""
    rows = ScoredRows(
        table=predicted.table,
        truth=truth,
        predictions=predicted.predictions,
        decisions=predicted.decisions,
        clusters=clusters,
    )
    metrics = evaluation.score_predictions(truth, predicted.predictions, clusters, bundle.seed)
    return measure_model(rows, metrics, bundle.decision_policy, groups=groups, seed=bundle.seed)
