"""`label-next`: the rows most worth a label, as a table that comes back in once a person has filled it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart import bundle as bundles
from headstart import features, progress
from headstart.bases import Backbone
from headstart.bundle import Bundle
from headstart.bundle.head_only import open_named_base
from headstart.errors import BundleError, DataError, OptionError
from headstart.flow.active_learning.coarse_features import COARSE_FEATURES
from headstart.flow.active_learning.label_table import (
    Proposal,
    guess_label,
    list_table_rows,
    locate_image,
    write_label_table,
)
from headstart.flow.active_learning.settings import SETTINGS
from headstart.flow.inference.first_look import require_inputs_of_model
from headstart.flow.inference.labelled_rows import find_seen_rows
from headstart.flow.inference.lining_up import order_inputs
from headstart.flow.inference.predict_table import read_rows
from headstart.flow.scoring.training_site import select_model_features
from headstart.modalities import MODALITIES
from headstart.offline import offline
from headstart.options import LabelNextOptions
from headstart.ranking.typicality import (
    RowsToLabel,
    choose_typical_rows,
    choose_uncertain_rows,
    find_nearest_centres,
    scale_to_unit_length,
)
from headstart.records import FloatMatrix, Index, Predictions, Table
from headstart.strategies.record import StrategyRows
from headstart.task_types import TASK_TYPES

Floats = NDArray[np.float64]
BLOCK_ROWS = 4_096


def label_next(bundle_path: Path, path: Path, out: Path | None, options: LabelNextOptions) -> dict[str, Any]:
    """Choose rows to label and write them as a table.

    Parameters
    ----------
    bundle_path : Path
        A bundle or the OUT folder of `adapt`.
    path : Path
        Rows without labels: a folder, a table, a zip.
    out : Path or None
        The CSV; None: standard output is left to the caller, who gets the document.
    options : LabelNextOptions

    Returns
    -------
    dict
        The JSON document.

    Raises
    ------
    HeadstartError
        The bundle, the data or the output cannot be used, or every row already has a label.
    """
    require_inputs_of_model(bundle_path, [path])
    with offline(options.offline):
        bundle = bundles.load_bundle(bundle_path)
        table = order_inputs(bundle, [path], options, {}).table
        if out is not None:
            _refuse_unreachable_images(table, out)
        proposal = propose(bundle, table, options)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_label_table(list_table_rows(proposal, bundle.columns, out.parent), out)
    rows = [
        {"input": str(name), "reason": reason, **vars(guess_label(proposal.predictions, at))}
        for at, (name, reason) in enumerate(zip(proposal.table.ids, proposal.reasons, strict=True))
    ]
    failed = [{"id": name, "reason": reason} for name, reason in proposal.failed.items()]
    document = {"format": 1, "output": None if out is None else str(out), "mode": proposal.mode, "n_rows": len(rows)}
    counts = {
        "n_left_out": proposal.n_left_out,
        "n_learnt": proposal.n_learnt,
        "n_tested": proposal.n_tested,
        "n_given": len(table),
    }
    return {**document, "modality": bundle.modality, **counts, "rows": rows, "failed": failed}


def propose(bundle: Bundle, table: Table, options: LabelNextOptions) -> Proposal:
    """Choose the rows of a table that are most worth a label.

    Parameters
    ----------
    bundle : Bundle
    table : Table
        Labels are not looked at.
    options : LabelNextOptions
    """
    fresh, n_learnt, n_tested = _find_new_rows(bundle, table)
    if len(fresh) == 0:
        many = MODALITIES[table.modality].nouns[1]
        raise DataError(
            f"The model learnt from all {len(table):,} {many} of {table.source} already, or was tested on them.",
            f"Give {many} that have no label yet.",
        )
    usable, dense, probabilities, failed = _predict_readable(bundle, table.take(fresh), options.precision)
    rows = scale_to_unit_length(dense)
    known = bundle.seen_rows.centres if bundle.seen_rows is not None else None
    if known is not None:
        known = scale_to_unit_length(project_features(known, len(fresh))) if len(known) else None
    known = known if known is not None and known.shape[1] == rows.shape[1] else None
    margins = MARGINS[bundle.task](probabilities)
    n = min(options.n, len(usable))
    few = margins is None or _has_few_labels(bundle.training_facts.labels_per_class)
    if margins is None or few:
        chosen, mode = choose_typical_rows(rows, known, n, options.seed), "typical"
    else:
        chosen, mode = choose_uncertain_rows(rows, margins, n, options.seed), "unsure"
    predictions = Predictions(
        ids=usable.ids[chosen.rows],
        classes=bundle.classes,
        probabilities=probabilities[chosen.rows],
        task=bundle.task,
        thresholds=bundle.thresholds,
    )
    far = _is_far(rows, known)
    reasons = [_explain_choice(chosen, at, mode, far=far, predictions=predictions) for at in range(len(chosen.rows))]
    return Proposal(
        table=usable.take(chosen.rows),
        reasons=reasons,
        predictions=predictions,
        mode=mode,
        failed=failed,
        n_left_out=len(table) - len(fresh),
        n_learnt=n_learnt,
        n_tested=n_tested,
    )


def _find_new_rows(bundle: Bundle, table: Table) -> tuple[Index, int, int]:
    """Return rows without a label, each content once; how many were learnt from, and how many tested on."""
    seen = find_seen_rows(table, [bundle])
    is_learnt = seen.is_learnt | seen.is_near_copy
    _, first = np.unique(table.hashes.astype(str), return_index=True)
    rows = np.sort(first)
    is_tested = seen.was_tested & ~is_learnt
    fresh = rows[~(is_learnt | is_tested)[rows]]
    return np.asarray(fresh, dtype=np.intp), int(is_learnt.sum()), int(is_tested.sum())


def project_features(features: FloatMatrix, n_rows: int) -> FloatMatrix:
    """Project wide features of very many rows by chance, so that all of them fit into memory; likeness is kept.

    Parameters
    ----------
    features : FloatMatrix, shape (m, n_dims)
    n_rows : int
        Rows in all, of which these are some.

    Returns
    -------
    FloatMatrix, shape (m, n_dims) or (m, 256)

    Notes
    -----
    Johnson and Lindenstrauss (1984), with the same directions every time.
    """
    if n_rows <= SETTINGS.many_rows or features.shape[1] <= SETTINGS.projected_dims:
        return features
    directions = (
        np.random.default_rng(0)
        .normal(0, SETTINGS.projected_dims**-0.5, (features.shape[1], SETTINGS.projected_dims))
        .astype(np.float32)
    )
    return np.asarray(features @ directions)


def _has_few_labels(counts: Mapping[str, int]) -> bool:
    return bool(counts) and float(np.median(list(counts.values()))) < SETTINGS.few_labels


def _predict_readable(
    bundle: Bundle, table: Table, precision: str
) -> tuple[Table, FloatMatrix, Floats, dict[str, str]]:
    """Return the rows that can be read, how they look to the model (or roughly), and what it says of them."""
    row_blocks, feature_blocks, probability_blocks, failed = [], [], [], dict[str, str]()
    with progress.open_bar("Reading and predicting", len(table), "rows") as bar:
        for start in range(0, len(table), BLOCK_ROWS):
            part = table.take(np.arange(start, min(start + BLOCK_ROWS, len(table))))
            readable, rows, unreadable = _read_features(bundle, part, precision)
            failed |= unreadable
            if len(readable):
                row_blocks.append(start + readable)
                model_features = select_model_features(rows.features, rows.descriptors, bundle.uses)
                feature_blocks.append(
                    None
                    if model_features is None
                    else project_features(model_features.final, len(table)).astype(np.float16)
                )
                probability_blocks.append(bundle.fitted.predict(rows))
            bar.advance(len(part))
    if not row_blocks:
        raise DataError(f"None of the rows of {table.source} can be read.", "Open one of them to check.")
    usable = table.take(np.concatenate(row_blocks))
    dense_blocks = [part for part in feature_blocks if part is not None]
    dense = (
        np.concatenate(dense_blocks).astype(np.float32) if dense_blocks else COARSE_FEATURES[bundle.modality](usable)
    )
    return usable, dense, np.concatenate(probability_blocks), failed


def _read_features(bundle: Bundle, part: Table, precision: str) -> tuple[Index, StrategyRows, dict[str, str]]:
    """Read rows as the model wants them; what the base says comes from the feature cache where it is there."""
    if bundle.backbone is None or "features" not in bundle.uses:
        readable, rows, failed = read_rows(bundle, part, precision)
        return readable, rows, {str(part.ids[row]): reason for row, reason in failed.items()}
    extraction = features.extract_features(part, _find_fitted_base(bundle, bundle.backbone), precision, bundle.uses)
    rows = StrategyRows(part.take(extraction.readable_rows), extraction.features, extraction.descriptors)
    return extraction.readable_rows, rows, {item.id: item.reason for item in extraction.set_aside}


def _find_fitted_base(bundle: Bundle, written: Backbone) -> Backbone:
    """Return the base that the model was fitted on, whose features are cached; the bundle's where it is not here.

    The bundle's own may be smaller: fewer pieces of words, weights of 16 bits.
    """
    digest = bundle.portable_config.get("weights", {}).get("base")
    if digest is None:
        return written
    try:
        base = open_named_base(written, Path(written.record.name))
    except BundleError:
        return written
    return base if base.fingerprint == digest else written


def _top_two_margin(probabilities: Floats) -> Floats:
    top = np.partition(probabilities, -2, axis=1)
    return np.asarray(top[:, -1] - top[:, -2])


MARGINS: dict[str, Callable[[Floats], Floats | None]] = {
    "classification": _top_two_margin,
    "ordinal": _top_two_margin,
    "multi-label": lambda shares: np.abs(2 * shares - 1).min(axis=1),
    "regression": lambda shares: None,
}
"""How sure a model is of each row, 0 to 1; None where it does not say."""


def _is_far(rows: FloatMatrix, known: FloatMatrix | None) -> NDArray[np.bool_]:
    """Return which rows lie farther from everything labelled than nearly all others."""
    if known is None:
        return np.zeros(len(rows), dtype=bool)
    distance = find_nearest_centres(rows, known)[1]
    return np.asarray(distance > np.quantile(distance, SETTINGS.far_share))


def _explain_choice(chosen: RowsToLabel, at: int, mode: str, far: NDArray[np.bool_], predictions: Predictions) -> str:
    """Return in plain words why a row was chosen."""
    if far[chosen.rows[at]]:
        return "unlike anything so far"
    if mode == "typical":
        return f"typical of about {chosen.group_sizes[at]} rows" if chosen.group_sizes[at] > 1 else "one of its kind"
    if TASK_TYPES[predictions.task].has_label_sets:
        return f"unsure about {predictions.classes[int(np.abs(predictions.probabilities[at] - 0.5).argmin())]}"
    first, second = np.argsort(-predictions.probabilities[at], kind="stable")[:2]
    return f"unsure between {predictions.classes[first]} and {predictions.classes[second]}"


def _refuse_unreachable_images(table: Table, out: Path) -> None:
    """Refuse a place from which the images could not be found again."""
    if out.is_dir():
        raise OptionError(f"{out} is a folder.", "Name a file to write with -o, such as to_label.csv.")
    if not MODALITIES[table.modality].is_file:
        return
    root = out.parent.resolve()
    outside = [path for path in table.inputs if root not in locate_image(path).parents]
    if outside:
        folder = locate_image(outside[0]).parent
        raise OptionError(
            f"{out} must be in or above the folder of the images that it names ({folder}).",
            f"Write it there, such as -o {folder / 'to_label.csv'}: adapt finds images below their table.",
        )
