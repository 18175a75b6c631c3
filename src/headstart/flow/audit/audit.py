"""The audit of what the base brought in, and of where the chosen model fails: cheap parts always, costly ones bounded.

Uses test rows to report, never to choose. Compares frozen base, adapted model and a model without the base.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headstart import data, progress
from headstart.bases import BaseRecord
from headstart.bundle import Bundle
from headstart.checks.properties import measure_inputs
from headstart.evaluation.fairness.inherited_bias import ComparedModels, trace_gap
from headstart.evaluation.fairness.slices import compute_row_errors
from headstart.fitted_state import FittedState
from headstart.flow.audit.attribute_probes import compute_plain_descriptors, list_probe_targets, probe_attributes
from headstart.flow.audit.counterfactuals import CounterfactualInputs, measure_counterfactuals
from headstart.flow.audit.settings import SETTINGS
from headstart.flow.audit.slices import find_slices
from headstart.flow.run_records import Audit, Prepared, TestScores
from headstart.ladder import FittedStrategies
from headstart.options import AdaptOptions
from headstart.records import Column, FloatMatrix, Table, make_column
from headstart.results import AttributeProbe, Counterfactual, GapOrigin, Inherited
from headstart.strategies import STRATEGIES
from headstart.strategies.fitted import list_members
from headstart.task_types import TASK_TYPES

FROZEN = "linear-probe"
WITHOUT_BASE = ("scratch", "classic")


def run_audit(
    prepared: Prepared, strategies: FittedStrategies, scores: TestScores, options: AdaptOptions, bundle: Bundle
) -> Audit:
    """Run the parts of the audit that `--audit` asks for and the task's clock allows; none with `--audit none`.

    Parameters
    ----------
    prepared : Prepared
    strategies : FittedStrategies
    scores : TestScores
    options : AdaptOptions
    bundle : Bundle
        Of the chosen model.
    """
    if options.audit == "none":
        return Audit()
    slices = find_slices(prepared, strategies, scores, properties=measure_properties, options=options)
    base, n_rows = describe_base(prepared.backbone.record), len(prepared.test)
    if n_rows == 0:
        return Audit(Inherited(n_rows=0, base=base, not_measured={"all": "There were no test rows."}), slices)
    not_measured: dict[str, str] = {}
    gaps = _find_gap_origins(prepared, strategies, scores, options=options, not_measured=not_measured)
    readable = _probe_test_rows(prepared, strategies, scores, options=options, not_measured=not_measured)
    pairs: list[Counterfactual] = []
    if options.audit == "auto" and not options.group:
        not_measured["counterfactuals"] = "Not asked for: name groups with --group, or give --audit quick or full."
    else:
        inputs = _gather_counterfactual_inputs(prepared, strategies, scores, options=options, bundle=bundle)
        pairs, missing = measure_counterfactuals(
            inputs, options.swaps, options.audit == "full", clock=prepared.task.clock, precision=options.precision
        )
        not_measured |= missing
    inherited = Inherited(
        n_rows=n_rows, base=base, gaps=gaps, readable=readable, counterfactuals=pairs, not_measured=not_measured
    )
    return Audit(inherited, slices)


def make_unaudited(prepared: Prepared, reason: str) -> Audit:
    """Return an audit that only says why nothing was audited.

    Parameters
    ----------
    prepared : Prepared
    reason : str
    """
    base = describe_base(prepared.backbone.record)
    return Audit(Inherited(n_rows=len(prepared.test), base=base, not_measured={"all": reason}))


def describe_base(base: BaseRecord) -> str:
    """Return a sentence on the training data of the base, from its record."""
    if not base.pretrained:
        return f"The base {base.name} has learnt from no data, so it brought in no habits of other data."
    training_data = base.training_data if base.training_data not in ("", "unknown") else "nobody recorded what"
    biases = (
        base.known_biases
        if base.known_biases not in ("", "unknown")
        else "nothing, which does not mean that there is nothing"
    )
    return (
        f"The base {base.name} has learnt from: {training_data.rstrip('.')}. Known to be one-sided about it: "
        f"{biases.rstrip('.')}. Licence: {base.licence}."
    )


def measure_properties(table: Table) -> Mapping[str, NDArray[np.float64]]:
    """Return the plain numbers of rows, by name (n_rows,); words such as a camera's make are left out."""
    properties: dict[str, NDArray[np.float64]] = {}
    for name, values in measure_inputs(table).items():
        if values.dtype != object:
            parts = np.asarray(values, dtype=np.float64).reshape(len(table), -1)
            properties |= {
                f"{name} {at + 1}" if parts.shape[1] > 1 else name: parts[:, at] for at in range(parts.shape[1])
            }
    return properties


def _find_gap_origins(
    prepared: Prepared,
    strategies: FittedStrategies,
    scores: TestScores,
    options: AdaptOptions,
    not_measured: dict[str, str],
) -> list[GapOrigin]:
    """Return where the gap of each group column comes from."""
    if not options.group:
        not_measured["gaps"] = "No groups were named (see --group)."
        return []
    plain = _choose_model_without_base(strategies, scores)
    models = ComparedModels(
        chosen=scores.predictions[strategies.chosen], frozen=scores.predictions.get(FROZEN),
        plain=scores.predictions.get(plain) if plain else None, without_base=plain,
        is_frozen=strategies.chosen == FROZEN,
    )  # fmt: skip
    metadata = prepared.test.table.metadata
    clusters = prepared.test_dependence.copies
    gaps = []
    for name in [name for name in options.group if name in metadata]:
        gap = trace_gap(name, prepared.truth, models, values=metadata[name], clusters=clusters, seed=options.seed)
        if gap is None:
            not_measured[f"gap: {name}"] = "Cannot tell: there are no two groups with enough test rows."
        else:
            gaps.append(gap)
    return gaps


def _choose_model_without_base(strategies: FittedStrategies, scores: TestScores) -> str | None:
    """Name the model without the base that did best in cross-validation."""
    names = [name for name in WITHOUT_BASE if name in scores.predictions]
    return min(names, key=strategies.comparable_loss, default=None)


def _probe_test_rows(
    prepared: Prepared,
    strategies: FittedStrategies,
    scores: TestScores,
    options: AdaptOptions,
    not_measured: dict[str, str],
) -> list[AttributeProbe]:
    """Probe features and answers for groups and properties, on test rows."""
    if prepared.test.features is None:
        not_measured["readable"] = "No frozen features were computed."
        return []
    most = SETTINGS.few_probed_rows if options.audit == "auto" and not options.group else SETTINGS.probed_rows
    rows = np.sort(np.random.default_rng(options.seed).permutation(len(prepared.test))[:most])
    test = prepared.test.take(rows)
    clusters = data.number_clusters(test.table)
    targets = list_probe_targets(test.table, options.group, measure_properties(test.table), clusters)
    if not targets:
        not_measured["readable"] = "There are no two groups or properties with enough test rows."
        return []
    assert test.features is not None
    places: dict[str, FloatMatrix] = {"frozen": test.features.final}
    adapted = _extract_adapted_features(strategies, test.table, prepared, not_measured)
    if adapted is not None:
        places["adapted"] = adapted
    places["answers"] = _to_log_scale(scores.predictions[strategies.chosen].probabilities[rows], prepared.task.kind)
    plain = test.descriptors.final if test.descriptors is not None else compute_plain_descriptors(test.table)
    if plain is not None:
        places["without_base"] = plain
    return probe_attributes(targets, places, data.number_strata(test.table), clusters=clusters, seed=options.seed)


def _to_log_scale(outputs: NDArray[np.float64], kind: str) -> FloatMatrix:
    """Return answers on the scale of logarithms, where they are probabilities."""
    values = outputs if TASK_TYPES[kind].is_number else np.log(np.maximum(outputs, 1e-6))
    return np.asarray(values, dtype=np.float32)


def _extract_adapted_features(
    strategies: FittedStrategies, table: Table, prepared: Prepared, not_measured: dict[str, str]
) -> FloatMatrix | None:
    """Return the features of the chosen model's own network, where its weights were moved."""
    state = _find_tuned_state(strategies.fitted[strategies.chosen].state())
    if state is None:
        not_measured["adapted features"] = (
            f"{strategies.chosen} leaves the base as it is: its features are the frozen ones, only the answers differ."
        )
        return None
    if prepared.task.clock.remaining_seconds() < SETTINGS.tuned_seconds:
        not_measured["adapted features"] = "No time was left; give more with --time."
        return None
    from headstart.features.views import compute_final_features
    from headstart.strategies.fine_tuning.tuned_model import TunedModel

    progress.say("Running the fine-tuned network once more, for the audit.")
    model = TunedModel.load(state)
    return compute_final_features(table, model.backbone, 0, model.runtime)[0]


def _find_tuned_state(state: FittedState) -> FittedState | None:
    """Find the state of a model with moved weights: the whole, or the heaviest such member of a blend."""
    if "n_views" in state.meta and "architecture" in state.meta:
        return state
    weights = state.meta.get("weights", {})
    for name in sorted(weights, key=lambda each: -float(weights[each])):
        inner = state.select_part(name)
        if "n_views" in inner.meta and "architecture" in inner.meta:
            return inner
    return None


def _gather_counterfactual_inputs(
    prepared: Prepared, strategies: FittedStrategies, scores: TestScores, options: AdaptOptions, bundle: Bundle
) -> CounterfactualInputs:
    """Gather what predicting changed rows needs."""
    plain = _choose_model_without_base(strategies, scores)
    names = [strategies.chosen, *([plain] if plain and plain != strategies.chosen else [])]
    uses: set[str] = set()
    for name in names:
        members = list_members(strategies.fitted[name].state())
        uses |= STRATEGIES[name].predicts_from.union(*(STRATEGIES[each].predicts_from for each in members))
    table, predictions = prepared.test.table, scores.predictions[strategies.chosen]
    parts: dict[str, Column] = {name: table.metadata[name] for name in options.group if name in table.metadata}
    if TASK_TYPES[prepared.task.kind].has_one_class:
        parts = {"": make_column([prepared.task.classes[code] for code in prepared.truth]), **parts}
    is_number = TASK_TYPES[prepared.task.kind].is_number
    typical = float(np.median(compute_row_errors(prepared.truth, predictions))) if is_number else 0.0
    needs_base = bool(uses & {"features", "stages"})
    ready = replace(bundle, uses=frozenset(uses), backbone=prepared.backbone if needs_base else None)
    thresholds = scores.thresholds
    return CounterfactualInputs(
        bundle=ready,
        models={name: strategies.fitted[name] for name in names},
        table=table,
        parts=parts,
        thresholds=thresholds,
        typical_error=typical,
    )
