"""`decision.json` and the arrays beside it as records; `reference.safetensors` and `seen.safetensors`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from headstart.bundle.records.array_records import ArrayRule, Arrays, check_arrays
from headstart.bundle.records.schema import (
    Count,
    Misfit,
    Number,
    Share,
    StrictRecord,
    Text,
    make_misfit,
    parse_record,
    require_mapping,
)
from headstart.coding_frames import MOST_LEVELS
from headstart.errors import BundleError
from headstart.modalities.content import CONTENT_FAULTS

FILE, ARRAYS = "decision.json", "decision.safetensors"
FORMAT = 1
MOST_IDS = 100_000


class CalibratorRecord(StrictRecord):
    """Correction of probabilities (see `headstart.decisions.Calibrator`)."""

    model_config = ConfigDict(**{**StrictRecord.model_config, "extra": "forbid"})
    method: Literal["none", "temperature", "isotonic", "platt"]
    temperature: Annotated[float, Field(ge=1e-3, le=1e6)] = 1.0
    knots: list[Share] = []
    levels: list[Annotated[float, Field(ge=-0.01, le=1.01)]] = []
    slopes: list[Annotated[float, Field(gt=0, le=1)]] = []
    shifts: list[Annotated[float, Field(ge=-100, le=100)]] = []
    n_rows: Count = 0
    gain: Number = 0.0

    @model_validator(mode="after")
    def _rising(self) -> CalibratorRecord:
        if len(self.knots) != len(self.levels) or (self.method == "isotonic" and not self.knots):
            raise ValueError("knots and levels should be equally many")
        if list(self.knots) != sorted(self.knots) or list(self.levels) != sorted(self.levels):
            raise ValueError("knots and levels should rise")
        return self


class SetsRecord(StrictRecord):
    """Thresholds of prediction sets: a class is in the set from this probability on."""

    coverage: Share
    floors: list[Annotated[float, Field(ge=0, le=1.000001)]]
    own: list[bool]
    n_rows: Count


class LabelsRecord(StrictRecord):
    """Thresholds of several labels a row: possible, and sure, from this probability on; null: not stated."""

    coverage: Share
    confidence: Share
    possible_from: list[Share | None]
    sure_from: list[Share | None]
    n_positives: list[Count]
    n_rows: Count


class OutOfDistributionRecord(StrictRecord):
    """Out-of-distribution detection; its arrays are in decision.safetensors."""

    reads: Literal["features", "descriptors", "representation"]
    threshold: Annotated[float, Field(ge=-1e6, le=1e6)]
    false_alarm: Share
    n_rows: Count
    ids: Annotated[list[Text], Field(min_length=1, max_length=MOST_IDS)]


class CostsRecord(StrictRecord):
    """Costs of errors."""

    matrix: list[list[Number]]
    refer: Number
    given: list[Text] = []


class FrameRecord(StrictRecord):
    """Coding frame of the classes: names of levels, prediction sets of each but the deepest, ids of codes."""

    levels: Annotated[list[Text], Field(min_length=1, max_length=MOST_LEVELS)]
    sets: Annotated[list[SetsRecord], Field(max_length=MOST_LEVELS)]
    ids: dict[str, Text] = {}


class RulesRecord(StrictRecord):
    """Rules that turn probabilities into answers."""

    format: int
    coverage: Share
    calibrator: CalibratorRecord
    sets: SetsRecord | None
    margin: Annotated[float, Field(ge=0, le=1e300)] | None
    too_few: bool
    novelty: OutOfDistributionRecord | None
    costs: CostsRecord | None
    without: dict[str, Text] = {}
    reserved: Annotated[list[Text], Field(max_length=MOST_IDS)] | None = None
    answer_below: Share | None = None
    content: dict[str, Number] | None = None
    labels: LabelsRecord | None = None
    frame: FrameRecord | None = None

    @field_validator("content")
    @classmethod
    def _known_faults(cls, content: dict[str, float] | None) -> dict[str, float] | None:
        unknown = sorted(set(content or ()) - CONTENT_FAULTS.keys())
        if unknown:
            raise ValueError(f"there is no fault of content called {unknown[0]}")
        return content


OUT_OF_DISTRIBUTION_ARRAYS = {
    "centre": ArrayRule((1, "n_dims")), "basis": ArrayRule(("n_dims", "n_kept")),
    "inner": ArrayRule(("n_kept", "n_kept")), "kept": ArrayRule(("n_ids", "n_kept")),
    "means": ArrayRule(("n_means", "n_kept")), "codes": ArrayRule(("n_ids",), "whole", 0),
}  # fmt: skip


def parse_rules(document: object, arrays: Arrays, n_classes: int, single: bool = False) -> RulesRecord:
    """Return `decision.json` as a record, with its arrays checked.

    Parameters
    ----------
    document : what JSON gave
    arrays : mapping of str to array
    n_classes : int
    single : bool
        Whether a row has one class: remembered rows then have one of them.

    Raises
    ------
    Misfit
        Something is not as it has to be.
    BundleError
        They are of a newer format.
    """
    raw = require_mapping(document, FILE)
    number = raw.get("format")
    if isinstance(number, int) and number > FORMAT:
        raise BundleError("The decisions in this bundle have a newer format.", "Update headstart.")
    rules = parse_record(RulesRecord, raw, FILE)
    if rules.format != FORMAT:
        raise make_misfit(FILE, ("format",), f"should be {FORMAT}", rules.format)
    if rules.sets is not None:
        _require_length("sets.floors", rules.sets.floors, n_classes)
        _require_length("sets.own", rules.sets.own, n_classes)
    if rules.labels is not None:
        for name in ("possible_from", "sure_from", "n_positives"):
            _require_length(f"labels.{name}", getattr(rules.labels, name), n_classes)
    if rules.calibrator.method == "platt":
        _require_length("calibrator.slopes", rules.calibrator.slopes, n_classes)
        _require_length("calibrator.shifts", rules.calibrator.shifts, n_classes)
    if rules.costs is not None:
        _require_length("costs.matrix", rules.costs.matrix, n_classes)
        for row in rules.costs.matrix:
            _require_length("costs.matrix", row, n_classes)
    if rules.novelty is not None:
        check_arrays(arrays, OUT_OF_DISTRIBUTION_ARRAYS, ARRAYS, {"n_ids": len(rules.novelty.ids)})
        if single and int(arrays["codes"].max()) >= n_classes:
            raise Misfit(f"{ARRAYS}: codes: there are {n_classes} classes (was {int(arrays['codes'].max())})")
        if not len(arrays["means"]):
            raise Misfit(f"{ARRAYS}: means: there are none")
    return rules


def check_frame(frame: FrameRecord, n_nodes: Sequence[int], single: bool) -> None:
    """Refuse a coding frame that does not fit the classes; raise `Misfit`.

    Parameters
    ----------
    frame : FrameRecord
    n_nodes : sequence of int
        Nodes at each level but the deepest.
    single : bool
        Whether a row has one class.
    """
    expected = list(n_nodes) if single else []
    if len(frame.levels) != len(n_nodes) + 1 or len(frame.sets) != len(expected):
        raise Misfit(f"{FILE}: frame.levels: the classes have {len(n_nodes) + 1} (were {len(frame.levels)})")
    for rule, n in zip(frame.sets, expected, strict=True):
        _require_length("frame.sets.floors", rule.floors, n)
        _require_length("frame.sets.own", rule.own, n)


def _require_length(place: str, values: list[Any], n_classes: int) -> None:
    if len(values) != n_classes:
        raise Misfit(f"{FILE}: {place}: there should be one for each of the {n_classes} classes (were {len(values)})")


REFERENCE_ARRAYS = {
    "values": ArrayRule(("n_sample", "n_kept")), "scale": ArrayRule(("n_dims",)),
    "clusters": ArrayRule(("n_sample",), "whole", 0), "reads": ArrayRule((1,), "whole", 0, 2),
}  # fmt: skip
SEEN_ARRAYS = {"digests": ArrayRule(("n_rows", 8), "bytes"), "centres": ArrayRule(("n_centres", "n_dims"))}
LATER_SEEN_ARRAYS = {
    "test_digests": ArrayRule(("n_test", 8), "bytes"), "prints": ArrayRule(("n_prints", 32), "bytes"),
}  # fmt: skip
"""What older versions did not write, and what is not written where it is empty."""


def check_reference(arrays: Arrays, where: str, most_kept: int) -> None:
    """Refuse arrays that are no sample of training rows; raise `Misfit`."""
    sizes = check_arrays(arrays, REFERENCE_ARRAYS, where)
    if sizes["n_kept"] != min(sizes["n_dims"], most_kept):
        raise Misfit(f"{where}: values: there should be {min(sizes['n_dims'], most_kept)} columns")


def check_seen(arrays: Arrays, where: str) -> None:
    """Refuse arrays that are no memory of training rows; raise `Misfit`."""
    later = {name: rule for name, rule in LATER_SEEN_ARRAYS.items() if name in arrays}
    check_arrays(arrays, {**SEEN_ARRAYS, **later}, where)
