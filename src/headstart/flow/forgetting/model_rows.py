"""Rows in what a bundle remembers: hashes, looks, features. What a model learnt from them it keeps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headstart import bundle as bundles
from headstart.bundle import Bundle
from headstart.bundle.seen import SeenRows
from headstart.bundle.settings import SETTINGS
from headstart.decisions.out_of_distribution import OutOfDistributionDetector
from headstart.flow.forgetting.person_rows import PersonRows
from headstart.records import Index
from headstart.task_types import TASK_TYPES


@dataclass(frozen=True)
class ModelRows:
    """How many of the rows a model learnt from, and how many were in its test."""

    n_learnt: int = 0
    n_tested: int = 0


def forget_in_bundle(folder: Path, person: PersonRows, apply: bool) -> ModelRows:
    """Remove what a bundle remembers of rows; the bundle takes its name again when it is whole.

    Parameters
    ----------
    folder : Path
        The bundle.
    person : PersonRows
        With what the run of the bundle knows of the rows.
    apply : bool
        False: only count.

    Raises
    ------
    BundleError
        It cannot be read, so it cannot be written.
    """
    seen = SeenRows.read(folder)
    if seen is None:
        return ModelRows()
    is_learnt, is_tested = (_match(digests, person) for digests in (seen.digests, seen.test_digests))
    rows = ModelRows(int(is_learnt.sum()), int(is_tested.sum()))
    if apply and (rows.n_learnt or rows.n_tested):
        bundle = bundles.load_bundle(folder)
        bundles.save_bundle(remove_from_bundle(bundle, person, is_learnt, is_tested), folder)
    return rows


def remove_from_bundle(
    bundle: Bundle, person: PersonRows, is_learnt: NDArray[np.bool_], is_tested: NDArray[np.bool_]
) -> Bundle:
    """Return a bundle that remembers nothing of some rows.

    Parameters
    ----------
    bundle : Bundle
    person : PersonRows
    is_learnt : NDArray of bool, shape (n_train,)
        By the rows of its `SeenRows.digests`.
    is_tested : NDArray of bool, shape (n_test,)
        By the rows of its `SeenRows.test_digests`.

    Notes
    -----
    The sample of features is drawn anew from the seed of the run, so its rows are known, but only until the first row
    is forgotten: where it is not known which row a feature belongs to, the whole sample is removed. Looks are stored
    without the rows that are blank; where there are such, or too many rows, all looks are removed.
    """
    seen = bundle.seen_rows
    assert seen is not None
    n_train = len(is_learnt)
    new_seen = replace(
        seen,
        digests=seen.digests[~is_learnt],
        test_digests=seen.test_digests[~is_tested],
        prints=seen.prints[~is_learnt] if len(seen.prints) == n_train else seen.prints[:0],
        centres=seen.centres[~is_learnt] if len(seen.centres) == n_train else seen.centres,
    )
    reference = bundle.reference_sample
    if reference is not None and is_learnt.any():
        rows = _find_sampled_rows(bundle, n_train)
        stays = ~is_learnt[rows] if len(rows) == len(reference.values) else np.zeros(len(reference.values), dtype=bool)
        reference = (
            replace(reference, values=reference.values[stays], clusters=reference.clusters[stays])
            if stays.any()
            else None
        )
    policy = bundle.decision_policy
    if policy.out_of_distribution is not None:
        policy = replace(policy, out_of_distribution=_remove_remembered(policy.out_of_distribution, person))
    return replace(bundle, seen_rows=new_seen, reference_sample=reference, decision_policy=policy)


def _find_sampled_rows(bundle: Bundle, n_train: int) -> Index:
    """Return which training rows the sample of features holds; none where that cannot be known."""
    n_learnt_from = n_train
    if TASK_TYPES[bundle.task].has_one_class:
        n_learnt_from = sum(bundle.training_facts.labels_per_class.values())
        if n_learnt_from == n_train:  # None was forgotten before.
            return np.sort(np.random.default_rng(bundle.seed).permutation(n_train)[: SETTINGS.reference_rows])
    return np.arange(n_train if n_learnt_from <= SETTINGS.reference_rows else 0)


def _remove_remembered(detector: OutOfDistributionDetector, person: PersonRows) -> OutOfDistributionDetector:
    """Remove the places of rows; where none would stay, their names only."""
    is_row = np.array([str(name) in person.ids or str(name) in person.keys for name in detector.ids], dtype=bool)
    if is_row.all():
        return replace(detector, ids=np.array(["removed"] * len(detector.ids), dtype=object))
    return replace(
        detector, remembered=detector.remembered[~is_row], codes=detector.codes[~is_row], ids=detector.ids[~is_row]
    )


def _match(digests: NDArray[np.uint8], person: PersonRows) -> NDArray[np.bool_]:
    return np.array([person.has_digest(digest.tobytes()) for digest in digests], dtype=bool)
