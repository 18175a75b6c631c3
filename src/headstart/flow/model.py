"""An adapted model in use: rows in, `Predictions` out, in bounded memory, with what could not be read named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from headstart import bundle as bundles
from headstart import data, progress
from headstart.bundle import Bundle
from headstart.decisions import NO_RULES, Decisions, Rules
from headstart.errors import DataError, OptionError, nothing_read
from headstart.extras import require
from headstart.features import DESCRIPTORS, Extractor, backbone_extractor, choose_runtime, run_chunks
from headstart.features.cache import half
from headstart.flow import answers
from headstart.modalities import MODALITIES
from headstart.modalities.record import Array
from headstart.records import Features, FloatMatrix, Index, Predictions, Probabilities, Table
from headstart.results import Result
from headstart.strategies.record import Rows

CHUNK_ROWS = 512


@dataclass(frozen=True)
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
    said = rules.calibrated(Predictions(table.ids[good], bundle.classes, shares, bundle.task, bundle.thresholds))
    return Piece(good, said, decided(rules, said, found), failed, found)


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
            table.ids, bundle.classes, np.empty((0, len(bundle.classes))), bundle.task, bundle.thresholds
        )
        return said, decided(bundle.rules or NO_RULES, said, Rows(table)), failed
    values = np.concatenate([piece.said.probabilities for piece in pieces])
    said = replace(pieces[0].said, ids=np.concatenate([piece.said.ids for piece in pieces]), probabilities=values)
    return said, Decisions.joined([piece.decisions for piece in pieces]), failed


@dataclass(frozen=True, kw_only=True)
class _Answered:
    """Predictions and decisions of the rows at `places` of `n_rows`; `reasons` why the others could not be read."""

    n_rows: int
    places: Index
    predictions: Predictions
    decisions: Decisions
    reasons: dict[int, str]


class Model:
    """An adapted model for Python users.

    Parameters
    ----------
    bundle : Bundle
    result : Result or None
        What the run found; None for a model loaded from a bundle.
    ship : (bundle, folder=) -> Bundle, or None
        Makes the portable form of a model that was fitted just now; None for a model loaded from a bundle.
    check : (folder, bundle=) -> None, or None
        Opens the files of a bundle again and compares their answers with those of the model that they come from.
    """

    def __init__(
        self, bundle: Bundle, result: Result | None = None, ship: Callable[..., Bundle] | None = None,
        check: Callable[..., None] | None = None,
    ) -> None:  # fmt: skip
        self.bundle = bundle
        self.result = result
        self._ship, self._check = ship, check

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the columns of `predict_proba`; the name of the number for a regression."""
        return self.bundle.classes

    @property
    def task(self) -> str:
        """What it answers with: `classification`, `multi-label`, `regression` or `ordinal`."""
        return self.bundle.task

    def predict_proba(self, inputs: Any) -> Probabilities:
        """Give the probability of each class (n_rows, n_classes); rows sum to one, but not where there may be several.

        Parameters
        ----------
        inputs : sequence, array, Series or DataFrame
            Image paths, texts, or series (arrays of shape (time,) or (channels, time)). Of a DataFrame the columns of
            training are taken, else the column of texts or files. Every row has its answer, in order; one that cannot
            be read has NaN in every column.

        Raises
        ------
        DataError
            If no input can be read, or they are of another kind.
        OptionError
            The model answers with a number, which has no probability.
        """
        if self.task == "regression":
            raise OptionError(f"This model gives a number ({self.classes[0]}), no probability.", "Call predict.")
        answered = self._answer(inputs)
        probabilities = np.full((answered.n_rows, len(self.classes)), np.nan)
        probabilities[answered.places] = answered.predictions.probabilities
        return probabilities

    def _answer(self, inputs: Any) -> _Answered:
        """Answer what can be read, and say of every row whether it could be.

        Raises
        ------
        NothingRead
        """
        lined_up = data.line_up_rows(inputs, self.bundle.modality, self.bundle.columns, self.bundle.known_inputs)
        predictions, decisions, failed = decide_table(self.bundle, lined_up.table)
        reasons = {item.id: item.reason for item in lined_up.table.set_aside}
        reasons |= {str(lined_up.table.ids[row]): reason for row, reason in failed.items()}
        order = [name for name, _ in lined_up.order]
        if len(predictions.ids) == 0:
            raise nothing_read([{"id": name, "reason": reasons.get(name, "it cannot be read")} for name in order])
        place_of = {name: place for place, name in enumerate(order)}
        places = np.array([place_of[str(name)] for name in predictions.ids], dtype=np.intp)
        return _Answered(
            n_rows=len(order), places=places, predictions=predictions, decisions=decisions,
            reasons={place_of[name]: reason for name, reason in reasons.items() if name in place_of},
        )  # fmt: skip

    def predict(self, inputs: Any) -> Array:
        """Give the answer for each input (n_rows,), in order.

        The most probable class by name; the middle grade; a tuple of labels, which may be empty; or a number. A row
        that cannot be read has None, or NaN for a number.

        Parameters
        ----------
        inputs : sequence, array, Series or DataFrame
            As for `predict_proba`.
        """
        answered = self._answer(inputs)
        plain = answers.plain(answered.predictions)
        if answered.n_rows == len(plain):
            return plain
        is_number = self.task == "regression"
        whole = np.full(answered.n_rows, np.nan if is_number else None, dtype=plain.dtype if is_number else object)
        whole[answered.places] = plain
        return whole

    def answer(self, inputs: Any) -> list[dict[str, Any]]:
        """Give for each input what `headstart predict --json` gives, with the right to abstain.

        `answer` is the label, "not sure" or "none of these" (None where the row cannot be read), `set` what is likely
        enough, `reason` why.

        Parameters
        ----------
        inputs : sequence, array, Series or DataFrame
            As for `predict_proba`.
        """
        answered = self._answer(inputs)
        documents = [
            {**answers.document_of(self.task, None, None), "reason": answered.reasons.get(row)}
            for row in range(answered.n_rows)
        ]
        for row, place in enumerate(answered.places):
            one = np.array([row])
            said, made = answered.predictions.take(one), answered.decisions.take(one)
            documents[place] = answers.document_of(self.task, said, made)
        return documents

    def save(self, folder: str | Path) -> None:
        """Write the model as a bundle, with its portable form; a bundle that is there is replaced.

        Where there can be no portable form the bundle runs with `headstart[adapt]` only, and a warning says why.

        Raises
        ------
        HeadstartError
            The folder holds something else, or cannot be made.
        """
        place = Path(folder)
        bundles.require_free(place)
        with TemporaryDirectory(prefix="headstart-") as scratch:
            fresh = self._ship is not None and self.bundle.shipped is None
            made = self._ship(self.bundle, folder=Path(scratch)) if self._ship and fresh else self.bundle
            bundles.save(made, place, check=partial(self._check, bundle=made) if self._check else None)
        told = made.shipped.told if made.shipped else bundles.NOT_SHIPPED
        if not told["ok"]:
            progress.warn(f"The model in {place} runs only where headstart[adapt] is installed: {told['reason']}.")


def load(path: str | Path) -> Model:
    """Load a bundle (or the OUT folder of `headstart adapt`) after checking every file's hash.

    Raises
    ------
    BundleError
        If it is damaged, was changed, or is of an unknown format.
    """
    return Model(bundles.load(Path(path)))
