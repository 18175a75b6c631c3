"""An adapted model in use: rows in, `Predictions` out, in bounded memory, with what could not be read named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from headstart.bundle import Bundle
from headstart.decisions import NO_RULES, Decisions, Rules
from headstart.errors import DataError
from headstart.extras import require
from headstart.features import DESCRIPTORS, Extractor, backbone_extractor, choose_runtime, run_chunks
from headstart.features.cache import half
from headstart.modalities import MODALITIES
from headstart.modalities.record import Array
from headstart.records import Features, FloatMatrix, Index, Predictions, Table
from headstart.strategies.record import Rows

CHUNK_ROWS = 512


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Predictions for some rows of a table: row numbers, what was said and decided, and the rows that failed."""

    rows: Index
    said: Predictions
    decisions: Decisions
    failed: dict[int, str]
    read: Rows


def values_of(rows: Rows, reads: str) -> FloatMatrix | None:
    """Give what novelty is measured in (n_rows, n_dims), if it is there."""
    found = {"features": rows.features, "descriptors": rows.descriptors}[reads]
    return None if found is None else found.final


def decided(rules: Rules, said: Predictions, rows: Rows) -> Decisions:
    """Apply rules to rows with corrected probabilities."""
    values = values_of(rows, rules.novelty.reads) if rules.novelty else None
    return rules.decide(said, values)


def stream(bundle: Bundle, table: Table, precision: str = "auto") -> Iterator[Piece]:
    """Predict a table piece by piece, in the order of its rows.

    Parameters
    ----------
    bundle : Bundle
    table : Table
        Labels are not looked at.
    precision : str
        "auto" or "float32", for the frozen base.
    """
    if len(table) == 0:
        return
    extractors = _extractors(bundle, table, precision)
    for start in range(0, len(table), CHUNK_ROWS):
        rows = np.arange(start, min(start + CHUNK_ROWS, len(table)))
        yield _piece(bundle, table, extractors, rows)


def _extractors(bundle: Bundle, table: Table, precision: str) -> dict[str, Extractor]:
    found: dict[str, Extractor] = {}
    if bundle.portable is not None:
        return {"portable": bundle.portable.extractor()}
    if "features" in bundle.uses and bundle.backbone is not None:
        require("adapt", "Predicting with this bundle")
        chosen = choose_runtime(table, bundle.backbone, precision)
        if chosen is None:
            raise DataError(f"None of the {len(table)} inputs of {table.source} could be read.", "Open one to check.")
        found["features"] = backbone_extractor(bundle.backbone, chosen)
    if "descriptors" in bundle.uses and bundle.modality in DESCRIPTORS:
        found["descriptors"] = DESCRIPTORS[bundle.modality](bundle.spec)
    return found


def read_rows(bundle: Bundle, table: Table, precision: str = "auto") -> tuple[Index, Rows, dict[int, str]]:
    """Read all rows of a table as the bundle's strategy wants them.

    Returns
    -------
    Index
        Numbers of the rows that could be read.
    Rows
        These rows.
    dict of int to str
        The others, and why they could not be read.
    """
    return _read_rows(bundle, table, _extractors(bundle, table, precision), np.arange(len(table)))


def read_with(bundle: Bundle, table: Table, extractors: dict[str, Extractor]) -> tuple[Index, Rows, dict[int, str]]:
    """Read all rows of a table as `read_rows` does, with given extractors."""
    return _read_rows(bundle, table, extractors, np.arange(len(table)))


def reader(
    bundle: Bundle, table: Table, precision: str = "auto"
) -> Callable[[Table], tuple[Index, Rows, dict[int, str]]]:
    """Make a function that reads tables as `read_rows` does, and opens the base once for all of them.

    Parameters
    ----------
    bundle : Bundle
    table : Table
        Rows on which ways to run the base are compared, where that was not done before.
    precision : str
    """
    opened = _kept_open(bundle, table, precision)
    return lambda other: _read_rows(bundle, other, opened, np.arange(len(other)))


def predictor(bundle: Bundle, table: Table, precision: str = "auto") -> Callable[[Table], Piece]:
    """Make a function that predicts tables as `stream` does, and opens the base once for all of them.

    Parameters
    ----------
    bundle : Bundle
    table : Table
        Rows on which ways to run the base are compared, where that was not done before.
    precision : str
    """
    opened = _kept_open(bundle, table, precision)
    return lambda other: _piece(bundle, other, opened, np.arange(len(other)))


def _kept_open(bundle: Bundle, table: Table, precision: str) -> dict[str, Extractor]:
    """Make the extractors, each of which opens its runtime once."""
    return {name: replace(item, open=cache(item.open)) for name, item in _extractors(bundle, table, precision).items()}


def _piece(bundle: Bundle, table: Table, extractors: dict[str, Extractor], rows: Index) -> Piece:
    good, found, failed = _read_rows(bundle, table, extractors, rows)
    shares = bundle.fitted.predict(found) if len(good) else np.empty((0, len(bundle.classes)))
    rules = bundle.rules or NO_RULES
    said = rules.calibrated(
        Predictions(
            ids=table.ids[good],
            classes=bundle.classes,
            probabilities=shares,
            task=bundle.task,
            thresholds=bundle.thresholds,
        )
    )
    return Piece(rows=good, said=said, decisions=decided(rules, said, found), failed=failed, read=found)


def _read_rows(
    bundle: Bundle, table: Table, extractors: dict[str, Extractor], rows: Index
) -> tuple[Index, Rows, dict[int, str]]:
    failed: dict[int, str] = {}
    values: dict[str, list[tuple[Array, ...]]] = {name: [] for name in extractors}
    if extractors:
        for _, found, bad in run_chunks(table, list(extractors.values()), rows):
            failed |= bad
            for name, (_, outputs) in zip(extractors, found, strict=True):
                values[name] += [outputs] if outputs else []
    elif "inputs" in bundle.uses:
        failed = _unreadable(bundle, table, rows)
    good = np.asarray([row for row in rows if int(row) not in failed], dtype=np.intp)
    part = table.take(good)
    if len(good) == 0:
        return good, Rows(part), failed
    if bundle.portable is not None:
        return good, bundle.portable.rows(part, values["portable"]), failed
    made = {name: _joined(part, values[name], extractor) for name, extractor in extractors.items()}
    return good, Rows(part, made.get("features"), made.get("descriptors")), failed


def _joined(part: Table, outputs: list[tuple[Array, ...]], extractor: Extractor) -> Features:
    """Put the outputs of several chunks together; stages are rounded as the cache rounds them."""
    *early, final = (np.concatenate(pieces) for pieces in zip(*outputs, strict=True))
    stages = {f"stage-{number}": half(values).astype(np.float32) for number, values in enumerate(early)}
    return Features(part.ids, final, extractor.key, stages)


def _unreadable(bundle: Bundle, table: Table, rows: Index) -> dict[int, str]:
    failed = {}
    load = MODALITIES[bundle.modality].load
    spec = bundle.backbone.spec if bundle.backbone else bundle.spec
    for row in rows:
        try:
            load(table.inputs[row], spec)
        except DataError as error:
            failed[int(row)] = error.problem
    return failed


def predict_table(bundle: Bundle, table: Table, precision: str = "auto") -> tuple[Predictions, dict[int, str]]:
    """Predict a whole table; rows that cannot be read are left out and given with the reason."""
    predictions, _, failed = decide_table(bundle, table, precision)
    return predictions, failed


def decide_table(
    bundle: Bundle, table: Table, precision: str = "auto"
) -> tuple[Predictions, Decisions, dict[int, str]]:
    """Predict a whole table and decide on it; rows that cannot be read are left out and given with the reason."""
    pieces = list(stream(bundle, table, precision))
    failed = {row: reason for piece in pieces for row, reason in piece.failed.items()}
    if not pieces:
        said = Predictions(
            ids=table.ids,
            classes=bundle.classes,
            probabilities=np.empty((0, len(bundle.classes))),
            task=bundle.task,
            thresholds=bundle.thresholds,
        )
        return said, decided(bundle.rules or NO_RULES, said, Rows(table)), failed
    values = np.concatenate([piece.said.probabilities for piece in pieces])
    said = replace(pieces[0].said, ids=np.concatenate([piece.said.ids for piece in pieces]), probabilities=values)
    return said, Decisions.joined([piece.decisions for piece in pieces]), failed
