"""What a model that is passed on holds of the rows of its owner, as codes and numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from headstart.bundle import Bundle
from headstart.bundle.golden import SYNTHETIC
from headstart.bundle.row_names import is_row_key

DataCode = Literal["hashes", "looks", "features", "words", "row-names", "prepared-rows", "thumbnails", "names"]


@dataclass(frozen=True)
class DataInside:
    """One kind of thing that comes from rows, and how many of it there are."""

    code: DataCode
    n: int


def list_data_inside(bundle: Bundle, n_thumbnails: int = 0) -> list[DataInside]:
    """Return what a bundle holds of training rows; texts, photos and series themselves are never in it.

    Parameters
    ----------
    bundle : Bundle
        As it was adapted, or in its portable form.
    n_thumbnails : int
        Small copies of rows that the owner put into a page.

    Returns
    -------
    list of DataInside
        What is gravest first.
    """
    seen, reference, ood_check = bundle.seen_rows, bundle.reference_sample, bundle.decision_policy.out_of_distribution
    ids = [] if ood_check is None else [str(name) for name in ood_check.ids]
    golden = bundle.portable_config
    remembered = [len(ids), 0 if reference is None else len(reference.values), 0 if seen is None else len(seen.centres)]
    counts: dict[DataCode, int] = {
        "thumbnails": n_thumbnails,
        "row-names": sum(not is_row_key(name) for name in ids),
        "prepared-rows": int(golden.get("n_golden", 0)) if golden.get("golden") != SYNTHETIC else 0,
        "words": sum(_count_pieces(bundle.fitted.state().meta)) if bundle.portable_model is None else 0,
        "features": max(remembered),
        "looks": 0 if seen is None else len(seen.prints),
        "hashes": 0 if seen is None else len(seen.digests) + len(seen.test_digests),
        "names": len(bundle.classes) + len(bundle.columns),
    }
    return [DataInside(code, n) for code, n in counts.items() if n]


def _count_pieces(meta: object) -> Iterator[int]:
    """Yield the sizes of vocabularies of n-grams, wherever they stand in the state of a model."""
    if not isinstance(meta, Mapping):
        return
    for name, value in meta.items():
        if name == "pieces" and isinstance(value, Mapping):
            yield from (len(known) for known in value.values() if isinstance(known, (list, tuple)))
        else:
            yield from _count_pieces(value)


def to_documents(items: list[DataInside]) -> list[dict[str, Any]]:
    """Return the JSON form.

    Parameters
    ----------
    items : list of DataInside
    """
    return [{"code": item.code, "n": item.n} for item in items]
