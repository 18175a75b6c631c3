"""An adapted model in use: rows in, `Predictions` out, in bounded memory, with what could not be read named."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from headstart.bundle import Bundle
from headstart.decisions import DecisionPolicy, Decisions
from headstart.errors import DataError
from headstart.extras import require
from headstart.features import DESCRIPTOR_EXTRACTORS, Extractor, choose_runtime, make_backbone_extractor, run_chunks
from headstart.features.cache import round_to_half
from headstart.modalities import MODALITIES
from headstart.modalities.content import CONTENT_FAULTS, find_content_fault
from headstart.modalities.record import Array
from headstart.records import Features, FloatMatrix, Index, Predictions, Table
from headstart.strategies.record import StrategyRows

CHUNK_ROWS = 512


@dataclass(frozen=True, kw_only=True)
class PredictionBatch:
    """Predictions for some rows of a table: row numbers, predictions, decisions, and the rows that failed."""

    row_numbers: Index
    predictions: Predictions
    decisions: Decisions
    failed: dict[int, str]
    model_inputs: StrategyRows


def select_ood_features(rows: StrategyRows, reads: str) -> FloatMatrix | None:
    """Return the features of the out-of-distribution check (n_rows, n_dims); None where the rows have none.

    Parameters
    ----------
    rows : StrategyRows
    reads : str
        "features", "descriptors" or "representation".
    """
    features = {"features": rows.features, "descriptors": rows.descriptors}.get(reads)
    return rows.representation if features is None else features.final


def decide_rows(policy: DecisionPolicy, predictions: Predictions, rows: StrategyRows) -> Decisions:
    """Apply rules to rows with corrected probabilities.

    Parameters
    ----------
    policy : DecisionPolicy
    predictions : Predictions
        Calibrated.
    rows : StrategyRows
        The same rows as the model reads them.
    """
    features = select_ood_features(rows, policy.out_of_distribution.reads) if policy.out_of_distribution else None
    return policy.decide(predictions, features)


def predict_batches(
    bundle: Bundle, table: Table, precision: str = "auto", extractors: dict[str, Extractor] | None = None
) -> Iterator[PredictionBatch]:
    """Predict a table piece by piece, in the order of its rows.

    Parameters
    ----------
    bundle : Bundle
    table : Table
        Labels are not looked at.
    precision : str
        "auto" or "float32", for the frozen base.
    extractors : dict of str to Extractor, or None
        Of `open_extractors`, where many tables are predicted.
    """
    if len(table) == 0:
        return
    extractors = extractors or open_extractors(bundle, table, precision)
    for start in range(0, len(table), CHUNK_ROWS):
        rows = np.arange(start, min(start + CHUNK_ROWS, len(table)))
        yield _predict_batch(bundle, table, extractors, rows)


def _make_extractors(bundle: Bundle, table: Table, precision: str) -> dict[str, Extractor]:
    extractors: dict[str, Extractor] = {}
    if bundle.portable_model is not None:
        return {"portable": bundle.portable_model.make_extractor()}
    if "features" in bundle.uses and bundle.backbone is not None:
        require("adapt", "Predicting with this bundle")
        chosen = choose_runtime(table, bundle.backbone, precision)
        if chosen is None:
            raise DataError(f"None of the {len(table)} inputs of {table.source} could be read.", "Open one to check.")
        extractors["features"] = make_backbone_extractor(bundle.backbone, chosen)
    if "descriptors" in bundle.uses and bundle.modality in DESCRIPTOR_EXTRACTORS:
        extractors["descriptors"] = DESCRIPTOR_EXTRACTORS[bundle.modality](bundle.spec)
    return extractors


def _refuse_contentless(bundle: Bundle, extractors: dict[str, Extractor]) -> dict[str, Extractor]:
    """Return extractors the first of which, by whose `load` rows are opened, refuses rows without content."""
    if not bundle.decision_policy.content_limits or not extractors:
        return extractors
    (name, first), *others = extractors.items()
    load = first.load or (lambda source: MODALITIES[bundle.modality].load(source, first.spec))
    portable = bundle.portable_model.model_inputs if bundle.portable_model is not None else None

    def load_with_content(source: Any) -> Any:
        loaded = load(source)
        require_content(bundle, source, loaded if portable is None else portable.select_image(loaded))
        return loaded

    return {name: replace(first, load=load_with_content), **dict(others)}


def _leave_out(
    bundle: Bundle, read: tuple[Index, StrategyRows, dict[int, str]]
) -> tuple[Index, StrategyRows, dict[int, str]]:
    """Return rows that a base has read for several models, without those that hold nothing for this one."""
    readable, rows, failed = read
    faults = dict[int, str]()
    for place, source in enumerate(rows.table.inputs):
        try:
            require_content(bundle, source, None)
        except DataError as error:
            faults[place] = error.problem
    if not faults:
        return read
    with_content = np.asarray([place for place in range(len(readable)) if place not in faults], dtype=np.intp)
    refused = {int(readable[place]): reason for place, reason in faults.items()}
    return readable[with_content], rows.take(with_content), {**failed, **refused}


def require_content(bundle: Bundle, source: Any, loaded: Any) -> None:
    """Refuse a row that holds nothing to answer about.

    Parameters
    ----------
    bundle : Bundle
        Its decision policy has the limits.
    source : one of `Table.inputs`
    loaded : what the modality's `load` gave, or None

    Raises
    ------
    DataError
        The problem is one of `headstart.modalities.content.CONTENT_FAULTS`.
    """
    measures = MODALITIES[bundle.modality].measure_content(source, loaded)
    fault = find_content_fault(measures, bundle.decision_policy.content_limits)
    if fault:
        raise DataError(CONTENT_FAULTS[fault], "Leave it out, or put another in its place.")


def read_rows(bundle: Bundle, table: Table, precision: str = "auto") -> tuple[Index, StrategyRows, dict[int, str]]:
    """Read all rows of a table as the bundle's strategy wants them.

    Parameters
    ----------
    bundle : Bundle
    table : Table
    precision : str
        "auto" or "float32", for the frozen base.

    Returns
    -------
    Index
        Numbers of the rows that could be read.
    Rows
        These rows.
    dict of int to str
        The others, and why they could not be read.
    """
    return read_with(bundle, table, open_extractors(bundle, table, precision))


def read_with(
    bundle: Bundle, table: Table, extractors: dict[str, Extractor]
) -> tuple[Index, StrategyRows, dict[int, str]]:
    """Read all rows of a table as `read_rows` does, with given extractors.

    Parameters
    ----------
    bundle : Bundle
    table : Table
    extractors : dict of str to Extractor
        By what they give: "features", "descriptors" or "portable".
    """
    return _read_rows(bundle, table, extractors, np.arange(len(table)))


def make_reader(
    bundle: Bundle, table: Table, precision: str = "auto"
) -> Callable[[Table], tuple[Index, StrategyRows, dict[int, str]]]:
    """Make a function that reads tables as `read_rows` does, and opens the base once for all of them.

    Rows without content are read as well: their parts may be hidden.

    Parameters
    ----------
    bundle : Bundle
    table : Table
        Rows on which ways to run the base are compared, where that was not done before.
    precision : str
    """
    opened = _open_extractors(bundle, table, precision)
    return lambda other: _read_rows(bundle, other, opened, np.arange(len(other)))


def make_predictor(bundle: Bundle, table: Table, precision: str = "auto") -> Callable[[Table], PredictionBatch]:
    """Make a function that predicts tables as `predict_batches` does, and opens the base once for all of them.

    Parameters
    ----------
    bundle : Bundle
    table : Table
        Rows on which ways to run the base are compared, where that was not done before.
    precision : str
    """
    opened = open_extractors(bundle, table, precision)
    return lambda other: _predict_batch(bundle, other, opened, np.arange(len(other)))


def make_head_predictor(
    heads: Mapping[str, Bundle], table: Table, precision: str = "auto"
) -> Callable[[Table, Collection[str]], dict[str, PredictionBatch]]:
    """Make a function that predicts tables with several models on one base, which runs once for all of them.

    Parameters
    ----------
    heads : mapping of str to Bundle
        By name; in torch's form, with the same backbone; at least one.
    table : Table
        Rows on which ways to run the base are compared, where that was not done before.
    precision : str

    Returns
    -------
    function
        Takes a table and names of models; gives a batch by name.
    """
    uses = frozenset[str]().union(*(head.uses for head in heads.values()))
    first = next(iter(heads.values()))
    limits = [head.decision_policy.content_limits.items() for head in heads.values()]
    common = dict(set(limits[0]).intersection(*limits))
    reading = replace(first, uses=uses, decision_policy=replace(first.decision_policy, content_limits=common))
    opened = _refuse_contentless(reading, _open_extractors(reading, table, precision))

    def predict(other: Table, names: Collection[str]) -> dict[str, PredictionBatch]:
        read = _read_rows(reading, other, opened, np.arange(len(other)))
        rows_of = {
            name: read if heads[name].decision_policy.content_limits == common else _leave_out(heads[name], read)
            for name in names
        }
        return {name: _predict_read_rows(heads[name], rows_of[name], other) for name in names}

    return predict


def open_extractors(bundle: Bundle, table: Table, precision: str = "auto") -> dict[str, Extractor]:
    """Make what reads the rows of tables for a bundle; each opens its runtime once, rows without content are refused.

    Parameters
    ----------
    bundle, table, precision
        As for `make_reader`.
    """
    return _refuse_contentless(bundle, _open_extractors(bundle, table, precision))


def _open_extractors(bundle: Bundle, table: Table, precision: str) -> dict[str, Extractor]:
    """Make the extractors, each of which opens its runtime once."""
    return {
        name: replace(item, open=cache(item.open)) for name, item in _make_extractors(bundle, table, precision).items()
    }


def _predict_batch(
    bundle: Bundle, table: Table, extractors: dict[str, Extractor], row_numbers: Index
) -> PredictionBatch:
    return _predict_read_rows(bundle, _read_rows(bundle, table, extractors, row_numbers), table)


def _predict_read_rows(
    bundle: Bundle, read: tuple[Index, StrategyRows, dict[int, str]], table: Table
) -> PredictionBatch:
    """Predict and decide rows that were read (see `read_rows`)."""
    readable, rows, failed = read
    probabilities = bundle.fitted.predict(rows) if len(readable) else np.empty((0, len(bundle.classes)))
    policy = bundle.decision_policy
    predictions = policy.calibrate(
        Predictions(
            ids=table.ids[readable],
            classes=bundle.classes,
            probabilities=probabilities,
            task=bundle.task,
            thresholds=bundle.thresholds,
        )
    )
    return PredictionBatch(
        row_numbers=readable,
        predictions=predictions,
        decisions=decide_rows(policy, predictions, rows),
        failed=failed,
        model_inputs=rows,
    )


def _read_rows(
    bundle: Bundle, table: Table, extractors: dict[str, Extractor], row_numbers: Index
) -> tuple[Index, StrategyRows, dict[int, str]]:
    failed: dict[int, str] = {}
    values: dict[str, list[tuple[Array, ...]]] = {name: [] for name in extractors}
    if extractors:
        for _, chunk_outputs, unreadable in run_chunks(table, list(extractors.values()), row_numbers):
            failed |= unreadable
            for name, (_, outputs) in zip(extractors, chunk_outputs, strict=True):
                values[name] += [outputs] if outputs else []
    elif "inputs" in bundle.uses or bundle.decision_policy.content_limits:
        failed = _find_unreadable(bundle, table, row_numbers)
    readable = np.asarray([row for row in row_numbers if int(row) not in failed], dtype=np.intp)
    part = table.take(readable)
    if len(readable) == 0:
        return readable, StrategyRows(part), failed
    if bundle.portable_model is not None:
        return readable, bundle.portable_model.to_rows(part, values["portable"]), failed
    features = {name: _join_outputs(part, values[name], extractor) for name, extractor in extractors.items()}
    rows = StrategyRows(part, features.get("features"), features.get("descriptors"))
    return readable, bundle.represent_rows(rows), failed


def _join_outputs(part: Table, outputs: list[tuple[Array, ...]], extractor: Extractor) -> Features:
    """Concatenate the outputs of several chunks; stages are rounded as the cache rounds them."""
    *early, final = (np.concatenate(blocks) for blocks in zip(*outputs, strict=True))
    stages = {f"stage-{number}": round_to_half(values).astype(np.float32) for number, values in enumerate(early)}
    return Features(part.ids, final, extractor.key, stages)


def _find_unreadable(bundle: Bundle, table: Table, rows: Index) -> dict[int, str]:
    failed = {}
    load = MODALITIES[bundle.modality].load
    spec = bundle.input_spec
    for row in rows:
        try:
            loaded = load(table.inputs[row], spec)
            if bundle.decision_policy.content_limits:
                require_content(bundle, table.inputs[row], loaded)
        except DataError as error:
            failed[int(row)] = error.problem
    return failed


def predict_table(bundle: Bundle, table: Table, precision: str = "auto") -> tuple[Predictions, dict[int, str]]:
    """Predict a whole table; rows that cannot be read are left out and given with the reason.

    Parameters
    ----------
    bundle : Bundle
    table : Table
    precision : str
        "auto" or "float32", for the frozen base.
    """
    predictions, _, failed = decide_table(bundle, table, precision)
    return predictions, failed


def decide_table(
    bundle: Bundle, table: Table, precision: str = "auto", extractors: dict[str, Extractor] | None = None
) -> tuple[Predictions, Decisions, dict[int, str]]:
    """Predict a whole table and decide on it; rows that cannot be read are left out and given with the reason.

    Parameters
    ----------
    bundle : Bundle
    table : Table
    precision : str
        "auto" or "float32", for the frozen base.
    extractors : dict of str to Extractor, or None
        As for `predict_batches`.
    """
    batches = list(predict_batches(bundle, table, precision, extractors))
    failed = {row: reason for batch in batches for row, reason in batch.failed.items()}
    if not batches:
        predictions = Predictions(
            ids=table.ids,
            classes=bundle.classes,
            probabilities=np.empty((0, len(bundle.classes))),
            task=bundle.task,
            thresholds=bundle.thresholds,
        )
        return predictions, decide_rows(bundle.decision_policy, predictions, StrategyRows(table)), failed
    values = np.concatenate([batch.predictions.probabilities for batch in batches])
    ids = np.concatenate([batch.predictions.ids for batch in batches])
    predictions = replace(batches[0].predictions, ids=ids, probabilities=values)
    return predictions, Decisions.concatenate([batch.decisions for batch in batches]), failed
