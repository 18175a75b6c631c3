"""`evaluate`: a bundle on data of another place, with or without labels."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from headstart import bundle as bundles
from headstart import evaluation
from headstart.bundle import Bundle
from headstart.decisions import KINDS, NO_RULES, Decisions
from headstart.errors import DataError, ending
from headstart.evaluation import Truth
from headstart.evaluation.uncertainty.selective import shares_of
from headstart.flow.adaptation.decision_rules import abstention
from headstart.flow.adaptation.evaluate import closer_look
from headstart.flow.adaptation.prepare import truth_of
from headstart.flow.external_validation import recalibrate as recalibrating
from headstart.flow.external_validation import site_comparison
from headstart.flow.inference.labelled_rows import leave_out_learnt, read_rows
from headstart.flow.inference.predict_table import decided, stream, values_of
from headstart.flow.scoring.groups import compare_groups, resampled_together
from headstart.offline import offline
from headstart.options import EvaluateOptions, PredictOptions
from headstart.records import FloatMatrix, Predictions, SetAside, Table
from headstart.results import Evaluation, SetAsideRow

_NO_LABELS = "There are no labels here."
_WITH_LABELS = ("metrics", "confusion", "calibration", "conformal", "abstention")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a bundle says of the rows of a table that could be read.

    `raw` and `said` are its probabilities before and after correction; `placed` the rows as the bundle's sample of
    training rows is kept, where it keeps one.
    """

    kept: Table
    raw: Predictions
    said: Predictions
    made: Decisions
    placed: FloatMatrix | None
    aside: list[SetAside]


def look(bundle: Bundle, table: Table, precision: str, path: Path) -> Seen:
    """Predict a table and keep what is needed to judge that.

    Raises
    ------
    DataError
        No row can be used.
    """
    rules, reference = bundle.rules or NO_RULES, bundle.reference
    raw: list[Predictions] = []
    made: list[Decisions] = []
    placed: list[FloatMatrix] = []
    failed: dict[int, str] = {}
    for piece in stream(replace(bundle, rules=None), table, precision):
        failed |= piece.failed
        raw.append(piece.said)
        made.append(decided(rules, rules.calibrated(piece.said), piece.read))
        values = values_of(piece.read, reference.reads) if reference else None
        placed += [reference.place(values)] if reference and values is not None else []
    aside = [SetAside(str(table.ids[row]), ending(reason, table.inputs[row])) for row, reason in failed.items()]
    if not any(len(part.ids) for part in raw):
        first = f" ({aside[0].id}: {aside[0].reason})" if aside else ""
        raise DataError(f"None of the rows of {path} can be used{first}.", "Correct them.")
    shares = np.concatenate([part.probabilities for part in raw])
    joined = replace(raw[0], ids=np.concatenate([part.ids for part in raw]), probabilities=shares)
    place = {name: position for position, name in enumerate(table.ids)}
    kept = table.take(np.asarray([place[name] for name in joined.ids], dtype=np.intp))
    there = np.concatenate(placed) if placed else None
    return Seen(
        kept=kept, raw=joined, said=rules.calibrated(joined), made=Decisions.joined(made), placed=there, aside=aside
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
    asked = options if isinstance(options, EvaluateOptions) else EvaluateOptions.model_validate(options.model_dump())
    with offline(options.offline):
        bundle = bundles.load(bundle_path, options.runtime)
        table, unknown = read_rows(bundle, path, asked)
        table, n_learnt = leave_out_learnt(table, [bundle], path)
        if recalibrate is not None:
            recalibrating.require_possible(bundle, table, unknown is not None)
        seen = look(bundle, table, options.precision, path)
    clusters = resampled_together(seen.kept, _columns(seen.kept, options))
    found = Evaluation.model_validate(
        {
            "task": bundle.task,
            "bundle": str(bundle_path),
            "data": table.source,
            "classes": list(bundle.classes),
            "n_rows": len(seen.kept),
            "labelled": unknown is not None,
            "unknown_labels": dict(sorted((unknown or Counter()).items())),
            "n_learnt": n_learnt,
            "metrics": None,
            "confusion": None,
            "shares": {kind: shares_of(seen.made.kinds.tolist(), kind, clusters) for kind in KINDS},
            "set_aside": [SetAsideRow(id=item.id, reason=item.reason) for item in (*table.set_aside, *seen.aside)],
            "trained_on": str(bundle.about.get("data", "")),
            **_scored(bundle, seen, options, unknown is not None),
        }
    )
    codes = truth_of(seen.kept, bundle.classes) if unknown is not None else seen.said.class_indices
    site_comparison.tell(
        found,
        bundle,
        bundle_path,
        codes=codes,
        clusters=site_comparison.apart_from(seen.kept, options.group),
        placed=seen.placed,
    )
    if recalibrate is not None:
        truth = truth_of(seen.kept, bundle.classes)
        made = recalibrating.recalibrate(bundle, seen.raw, truth, table=seen.kept, groups=_columns(seen.kept, options))
        found.recalibration = recalibrating.write(
            bundle, (bundle_path, recalibrate), made, found=found, table=seen.kept
        )
        found.advice = site_comparison.after_correction(found)
    return found


def _columns(table: Table, options: PredictOptions) -> tuple[str, ...]:
    return tuple(name for name in options.group if name in table.metadata)


def _scored(bundle: Bundle, seen: Seen, options: PredictOptions, labelled: bool) -> dict[str, object]:
    """Give everything that needs labels, by the name of the field."""
    if not labelled:
        return {"not_measured": dict.fromkeys(_WITH_LABELS, _NO_LABELS)}
    truth: Truth = truth_of(seen.kept, bundle.classes)
    rules, columns = bundle.rules or NO_RULES, _columns(seen.kept, options)
    clusters = resampled_together(seen.kept, columns)
    found = closer_look(truth, seen.said, clusters, bundle.seed)
    found |= {
        "metrics": evaluation.score(truth, seen.said, clusters, bundle.seed),
        "groups": compare_groups(seen.kept, truth, seen.said, columns=columns, seed=bundle.seed),
        "conformal": site_comparison.coverage_of(
            truth, seen.said, seen.made, rules=rules, drawn=(clusters, bundle.seed)
        ),
        "abstention": abstention(truth, seen.said, seen.made, rules=rules, clusters=clusters, seed=bundle.seed),
    }
    if found["conformal"] is None:
        why = rules.without.get("sets", "The bundle is of an older version and gives no sets.")
        found["not_measured"] = {**found.get("not_measured", {}), "conformal": why}  # type: ignore[dict-item]
    return found
