"""Published networks for series, built by short modules of ours from safetensors: Mantis, MOMENT, Chronos-Bolt, TTM.

`layouts` says which settings and tensors each has, without torch; one module each holds its layers; `body` is what they
share. Nothing of a publisher's code is run. Only the bodies are built: features for labels and numbers.
"""

from __future__ import annotations

from headstart.bases.series_bodies.layout import SeriesLayout
from headstart.bases.series_bodies.layouts import SERIES_LAYOUTS, find_layout

__all__ = ["SERIES_LAYOUTS", "SeriesLayout", "find_layout"]
