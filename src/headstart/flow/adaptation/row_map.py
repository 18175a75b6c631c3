"""A map of rows: their features in the two directions in which they differ most (principal components)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from headstart.flow.adaptation.settings import SETTINGS
from headstart.flow.run_records import Prepared
from headstart.records import FloatMatrix
from headstart.results.report_rows import MapSource, ReportRow, ReportRows

_DIGITS = 4
_NOISE = 1e-6
"""Columns that vary less than this share of their largest value hold rounding errors, as of black pictures."""


def place_rows(prepared: Prepared, shown_rows: ReportRows) -> ReportRows:
    """Place rows on a map by the features of the base, else by classic descriptors; as they are where there are none.

    Parameters
    ----------
    prepared : Prepared
    shown_rows : ReportRows
        Those that the report shows: a few thousand at most.

    Notes
    -----
    Principal components of the standardised features (Pearson 1901; randomised solver of Halko et al. 2011,
    arXiv:0909.4061). t-SNE and UMAP are not used: they take seconds more for a thousand rows, their distances between
    clusters mean nothing, and another seed gives another map (Kobak and Berens 2019, doi:10.1038/s41467-019-13056-x).
    """
    rows = shown_rows.rows
    values, source = _gather_values(prepared, rows)
    if values is None or len(rows) < SETTINGS.min_map_rows:
        return shown_rows
    spread = values.std(axis=0)
    varied = spread > _NOISE * np.abs(values).max(axis=0)
    scaled = (values - values.mean(axis=0))[:, varied] / spread[varied]
    if scaled.shape[1] < 2:
        return shown_rows
    model = PCA(n_components=2, svd_solver="randomized", random_state=0)
    places = _stretch(model.fit_transform(scaled))
    placed = [
        row.model_copy(update={"x": round(float(x), _DIGITS), "y": round(float(y), _DIGITS)})
        for row, (x, y) in zip(rows, places, strict=True)
    ]
    share = min(max(float(model.explained_variance_ratio_.sum()), 0.0), 1.0)
    return shown_rows.model_copy(update={"rows": placed, "map_source": source, "map_spread_share": round(share, 4)})


def _gather_values(prepared: Prepared, rows: Sequence[ReportRow]) -> tuple[FloatMatrix | None, MapSource]:
    """Return what both sides of the split have of these rows: (n_rows, n_dims)."""
    sides = {"train": prepared.train, "test": prepared.test}
    numbers = {name: {str(id_): at for at, id_ in enumerate(side.table.ids)} for name, side in sides.items()}
    for source in get_args(MapSource):
        parts = {name: getattr(side, source) for name, side in sides.items()}
        matrices = {name: part.final for name, part in parts.items() if part is not None}
        if rows and all(row.split in matrices for row in rows):
            return np.stack([matrices[row.split][numbers[row.split][row.id]] for row in rows]).astype(
                np.float32
            ), source
    return None, "features"


def _stretch(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move places into a square from 0 to 1; the few farthest are put on its edge, so that the others are seen."""
    low, high = np.quantile(places, [SETTINGS.map_edge, 1 - SETTINGS.map_edge], axis=0)
    wide = np.maximum(high - low, 1e-12)
    return np.asarray(np.clip((places - low) / wide * 0.96 + 0.02, 0.0, 1.0))
