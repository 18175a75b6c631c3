"""The decision policy of the chosen model: learnt from training rows, applied to test rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headstart import decisions
from headstart.bundle.row_names import make_row_keys
from headstart.coding_frames import looks_like_paths
from headstart.data.row_facts import describe_rows
from headstart.decisions import DecisionPolicy, OutOfDistributionDetector
from headstart.decisions.rolling_up import fit_level_sets, make_frame_rules
from headstart.errors import OptionError
from headstart.flow.adaptation.settings import SETTINGS
from headstart.flow.inference.predict_table import decide_rows, select_ood_features
from headstart.flow.run_records import DecidedTestRows, Prepared, Represented, TestScores
from headstart.flow.scoring.costs import list_learnt_reserved_classes, make_costs
from headstart.ladder import FittedStrategies
from headstart.options import AdaptOptions
from headstart.records import Probabilities, Table
from headstart.strategies import STRATEGIES
from headstart.strategies.record import OwnSpace
from headstart.task_types import TASK_TYPES

_NO_FEATURES = (
    "The model reads the rows themselves and no features that were kept, so rows unlike the training rows are not told."
)
_TOO_FEW_ROWS = "There are too few training rows to say what is unlike them."


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
    task, out_of_fold = prepared.task, strategies.fitted[strategies.chosen].out_of_fold
    not_applied = dict[str, str]()
    reads = choose_ood_features(prepared, strategies.chosen, uses)
    ood_check = _fit_ood_check(prepared, strategies, reads)
    if ood_check is None:
        has_features = select_ood_features(prepared.train, reads) is not None
        not_applied["novelty"] = _TOO_FEW_ROWS if has_features else _NO_FEATURES
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


def represent_rows(prepared: Prepared, strategies: FittedStrategies, uses: frozenset[str]) -> Represented:
    """Let the chosen model represent the rows of a run, where its decisions have nothing else to read.

    Parameters
    ----------
    prepared : Prepared
    strategies : FittedStrategies
    uses : frozenset of str
        What the model of the chosen strategy reads.
    """
    chosen, train = strategies.chosen, prepared.train
    if choose_ood_features(prepared, chosen, uses) != "representation":
        return Represented(prepared, strategies)
    space = _find_own_space(prepared, chosen)
    assert space is not None
    rows = decisions.sample_remembered(prepared.task.codes, prepared.task.seed)
    fitted = space.add_space(train.take(rows), prepared.task.take(rows), strategies.fitted[chosen])
    train, test = (replace(part, representation=fitted.represent(part)) for part in (train, prepared.test))
    return Represented(
        replace(prepared, train=train, test=test),
        replace(strategies, fitted={**strategies.fitted, chosen: fitted}),
    )


def _fit_ood_check(prepared: Prepared, strategies: FittedStrategies, reads: str) -> OutOfDistributionDetector | None:
    """Return the out-of-distribution check; None where there is nothing to read, or too little."""
    task, values = prepared.task, select_ood_features(prepared.train, reads)
    if values is None:
        return None
    ids = make_row_keys(prepared.train.table)
    if reads != "representation":
        return decisions.fit_out_of_distribution(values, task.codes, task.folds, ids=ids, reads=reads, seed=task.seed)
    space = _find_own_space(prepared, strategies.chosen)
    assert space is not None
    rows = decisions.sample_remembered(task.codes, task.seed)
    codes = task.codes[rows]
    parts = [
        decisions.HeldOutPart(part.learnt_values, codes[part.learnt], part.held_out_values)
        for part in space.hold_out(prepared.train.take(rows), task.take(rows), strategies.fitted[strategies.chosen])
    ]
    return decisions.fit_out_of_distribution(values[rows], codes, parts, ids=ids[rows], reads=reads, seed=task.seed)


def _find_own_space(prepared: Prepared, chosen: str) -> OwnSpace | None:
    find = STRATEGIES[chosen].own_space
    return find(prepared.table.modality) if find else None


def choose_ood_features(prepared: Prepared, chosen: str, uses: frozenset[str]) -> str:
    """Return what the out-of-distribution check reads: "features", "descriptors" or "representation".

    Features where the model uses them: a model that moved weights brings its own base, and the frozen one then comes
    along for this alone, as a small one does.

    Parameters
    ----------
    prepared : Prepared
    chosen : str
        Name of the strategy.
    uses : frozenset of str
        What its model reads.
    """
    strategy = STRATEGIES[chosen]
    base = sum(value.nbytes for value in prepared.backbone.parts.weights.values())
    brings = "features" in uses or strategy.kind == "transfer" or base <= SETTINGS.small_base_bytes
    if brings and prepared.train.features is not None:
        return "features"
    has_own = prepared.train.descriptors is None and _find_own_space(prepared, chosen) is not None
    return "representation" if has_own else "descriptors"


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
