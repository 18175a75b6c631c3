"""Read a published network for series from its folder: config.json and model.safetensors, as their authors write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from headstart.bases.files import read_weights
from headstart.bases.record import Array, BaseParts, BaseRecord
from headstart.bases.series_bodies.layout import SeriesLayout
from headstart.errors import DataError


def read_series_folder(
    layout: SeriesLayout, config: Mapping[str, Any], weights_path: Path, record: BaseRecord
) -> BaseParts:
    """Return the parts of a published network for series, for one channel.

    Parameters
    ----------
    layout : SeriesLayout
        What `find_layout` says of the config.
    config : mapping
        The content of config.json.
    weights_path : Path
        The safetensors file beside it.
    record : BaseRecord

    Raises
    ------
    DataError
        If it is a variant that is not built, or the file is damaged or of another network.
    """
    architecture = layout.read_architecture(config, weights_path.with_name("config.json"))
    weights = rename_tensors(layout, read_weights(weights_path), weights_path)
    return BaseParts(
        record=replace(record, modality="series", n_dims=layout.count_dims(architecture, 1)),
        architecture=architecture,
        spec=layout.make_spec(architecture, None),
        weights=weights,
    )


def rename_tensors(layout: SeriesLayout, weights: Mapping[str, Array], path: Path) -> dict[str, Array]:
    """Return the tensors of the body by the names of the network; heads and decoders are left out.

    Raises
    ------
    DataError
        If two tensors have one name, or none belongs to the network.
    """
    renamed: dict[str, Array] = {}
    for name, value in weights.items():
        ours = layout.rename(name)
        if ours in renamed:
            raise DataError(f"{path} has a tensor twice ({name[:80]}).", "Copy or download it again.")
        if ours:
            renamed[ours] = value
    if not renamed:
        raise DataError(
            f"{path} holds no tensor of {layout.title}.", "Check that config.json and the weights belong together."
        )
    return renamed
