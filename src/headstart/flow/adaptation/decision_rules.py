"""The decision policy of the chosen model: learnt from training rows, applied to test rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headstart import decisions
from headstart.bundle.row_names import make_row_keys
from headstart.coding_frames import looks_like_paths
from headstart.data.row_facts import describe_rows
from headstart.decisions import DecisionPolicy
from headstart.decisions.rolling_up import fit_level_sets, make_frame_rules
from headstart.errors import OptionError
from headstart.flow.adaptation.settings import SETTINGS
from headstart.flow.inference.predict_table import decide_rows, select_ood_features
from headstart.flow.run_records import DecidedTestRows, Prepared, TestScores
from headstart.flow.scoring.costs import list_learnt_reserved_classes, make_costs
from headstart.ladder import FittedStrategies
from headstart.options import AdaptOptions
from headstart.records import Probabilities, Table
from headstart.strategies import STRATEGIES
from headstart.strategies.record import Strategy
from headstart.task_types import TASK_TYPES

_NO_FEATURES = (
    "The model reads the rows themselves and no features that were kept, so rows unlike the training rows are not told."
)


def require_costs(table: Table, options: AdaptOptions) -> None:
    """Refuse costs that cannot be, before anything long begins.

    Parameters
    ----------
    table : Table
    options : AdaptOptions

    Raises
    ------
    OptionError
        An unknown class, a cost that is no number, or a task without classes.
    """
    if options.reserved and (not TASK_TYPES[table.task].has_one_class or table.labels is None):
        raise OptionError("--reserved needs a classification or an ordinal task.", "Leave it out.")
    if not options.cost and not options.reserved:
        return
    if not TASK_TYPES[table.task].has_one_class or table.labels is None:
        raise OptionError("--cost needs a classification or an ordinal task.", "Leave it out.")
    classes = sorted({str(label) for label in table.labels})
    reserved = decisions.reserved_classes(options.reserved, classes)
    decisions.parse_costs(options.cost, classes, options.refer_cost, reserved)


def fit_policy(
    prepared: Prepared, strategies: FittedStrategies, uses: frozenset[str], options: AdaptOptions
) -> DecisionPolicy:
    """Learn the rules from the training rows alone.

    Parameters
    ----------
    prepared : Prepared
    strategies : FittedStrategies
        The chosen strategy's out-of-fold probabilities are what is learnt from.
    uses : frozenset of str
        What its model reads.
    options : AdaptOptions
    """
    task, out_of_fold, not_applied = prepared.task, strategies.fitted[strategies.chosen].out_of_fold, {}
    ood_check = None
    reads = _choose_ood_features(prepared, STRATEGIES[strategies.chosen], uses)
    values = select_ood_features(prepared.train, reads)
    if values is None:
        not_applied["novelty"] = _NO_FEATURES
    else:
        ood_check = decisions.fit_out_of_distribution(
            values, task.codes, task.folds, ids=make_row_keys(prepared.train.table), reads=reads, seed=task.seed
        )
        if ood_check is None:
            not_applied["novelty"] = "There are too few training rows to say what is unlike them."
    reserved = (
        list_learnt_reserved_classes(options.reserved, task.classes) if TASK_TYPES[task.kind].has_one_class else None
    )
    policy = DecisionPolicy(
        coverage=options.coverage,
        out_of_distribution=ood_check,
        reserved=reserved,
        content_limits=_fit_content_limits(prepared),
    )
    if TASK_TYPES[task.kind].is_number:
        assert task.truth is not None
        margin, _ = decisions.fit_margin(task.truth[:, 0].astype(np.float64), out_of_fold[:, 0], options.coverage)
        return replace(
            policy, margin=margin, not_applied={**not_applied, "calibration": "The model gives no probability."}
        )
    clusters = prepared.train_dependence.for_resampling
    if TASK_TYPES[task.kind].has_label_sets:
        assert task.truth is not None
        calibrator = decisions.fit_label_calibrator(task.truth, out_of_fold, task.folds, clusters)
        rule = decisions.fit_label_rule(task.truth, calibrator.apply(out_of_fold), options.coverage)
        policy = replace(policy, calibrator=calibrator, labels=rule, not_applied=not_applied)
        return _add_frame(policy, prepared, out_of_fold)
    calibrator = decisions.fit_calibrator(task.codes, out_of_fold, task.folds, clusters)
    sets = decisions.fit_sets(task.codes, calibrator.apply(out_of_fold), options.coverage)
    n_needed = decisions.count_rows_of_sets(options.coverage)
    if sets.n_rows < n_needed:
        not_applied["sets_need_rows"] = (
            f"Sets of likely answers need {n_needed} training rows that can be held out, which takes two of a class; "
            f"here are {sets.n_rows}. Until then every class is likely, and nothing is sure."
        )
    policy = replace(
        policy, calibrator=calibrator, sets=sets, costs=make_costs(task.classes, options), not_applied=not_applied,
        answer_below=None if TASK_TYPES[task.kind].is_ordered else options.answer_below,
    )  # fmt: skip
    return _add_frame(policy, prepared, calibrator.apply(out_of_fold))


def _add_frame(policy: DecisionPolicy, prepared: Prepared, probabilities: Probabilities) -> DecisionPolicy:
    """Add the coding frame of the labels, if they have levels."""
    task, frame = prepared.task, prepared.table.frame
    if frame is None or not looks_like_paths(task.classes):
        return policy
    codes = task.codes if TASK_TYPES[task.kind].has_one_class else None
    sets = fit_level_sets(task.classes, codes, probabilities, policy.coverage)
    return replace(policy, frame=make_frame_rules(frame, task.classes, sets))


def _fit_content_limits(prepared: Prepared) -> dict[str, float]:
    """Return the limits of contentless inputs that the training rows keep."""
    task, table = prepared.task, prepared.train.table
    codes = task.codes if TASK_TYPES[task.kind].has_one_class else np.zeros(len(table), dtype=np.intp)
    return decisions.fit_content_limits([facts.content for facts in describe_rows(table)], codes)


def _choose_ood_features(prepared: Prepared, strategy: Strategy, uses: frozenset[str]) -> str:
    """Return "features" or "descriptors" for the out-of-distribution check; features where the model uses them.

    A model that moved weights brings its own base; the frozen one then comes along for this alone, as a small one does.
    """
    base = sum(value.nbytes for value in prepared.backbone.parts.weights.values())
    brings = "features" in uses or strategy.kind == "transfer" or base <= SETTINGS.small_base_bytes
    return "features" if brings and prepared.train.features is not None else "descriptors"


def decide_test_rows(prepared: Prepared, chosen: str, policy: DecisionPolicy, scores: TestScores) -> DecidedTestRows:
    """Apply the decision policy to the test rows.

    Parameters
    ----------
    prepared : Prepared
    chosen : str
        Name of the strategy.
    policy : DecisionPolicy
    scores : TestScores
    """
    predictions = scores.predictions.get(chosen)
    test_decisions = None if predictions is None else decide_rows(policy, predictions, prepared.test)
    return DecidedTestRows(policy, test_decisions)
