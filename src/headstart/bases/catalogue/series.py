"""Base models for series that a model hub has, by name. Facts only; `facts_read` says which were read in a source."""

from __future__ import annotations

from headstart.bases.record import BaseRecord

MANTIS_8M = BaseRecord(
    name="mantis-8m",
    modality="series",
    source="hf",
    licence="mit",
    n_dims=256,
    size_bytes=33_000_000,
    training_data="measured and synthetic series of many kinds, by contrast of two views of the same series; no labels",
    known_biases="Series of 512 steps or stretched to that; each channel is encoded by itself.",
    sha256="",
    url="https://arxiv.org/abs/2502.15637",
    pretrained=True,
    summary="transformer for classification of series, 8 million parameters (Feofanov et al. 2025)",
    n_parameters=8_000_000,
    repository="paris-noah/Mantis-8M",
    format="mantis",
    architecture="mantis",
    instead="series-encoder",
    good_for="classes of series, few labels",
    domains=("sensors", "medical"),
)

MOMENT_SMALL = BaseRecord(
    name="moment-small",
    modality="series",
    source="hf",
    licence="mit",
    n_dims=512,
    size_bytes=152_000_000,
    training_data="the Time Series Pile: public sets of measured series from 13 domains, gaps filled in; no labels",
    known_biases="Public benchmarks are part of it: scores on those say little. Series of 512 steps.",
    sha256="",
    url="https://arxiv.org/abs/2402.03885",
    pretrained=True,
    summary="transformer for series, 38 million parameters (Goswami et al. 2024)",
    n_parameters=38_000_000,
    repository="AutonLab/MOMENT-1-small",
    format="moment",
    architecture="moment",
    instead="series-encoder",
    good_for="classes of longer series",
    domains=("sensors", "medical", "weather", "energy"),
)

_CHRONOS_DATA = "measured series of many public sets and synthetic ones, to continue each; no labels"
_CHRONOS_BIASES = "Trained to continue series of one channel: what tells classes apart may not be in its features."

CHRONOS_BOLT_TINY = BaseRecord(
    name="chronos-bolt-tiny",
    modality="series",
    source="hf",
    licence="apache-2.0",
    n_dims=256,
    size_bytes=34_600_000,
    training_data=_CHRONOS_DATA,
    known_biases=_CHRONOS_BIASES,
    sha256="",
    url="https://arxiv.org/abs/2403.07815",
    pretrained=True,
    summary="transformer that continues series, 9 million parameters (Ansari et al. 2024)",
    n_parameters=8_700_000,
    repository="amazon/chronos-bolt-tiny",
    format="chronos-bolt",
    architecture="chronos-bolt",
    instead="series-encoder",
    task="forecasting",
    good_for="series of sales, weather, energy; made to forecast",
    domains=("energy", "weather", "sales"),
    facts_read=("licence", "size_bytes", "safetensors", "repository", "url"),
)

CHRONOS_BOLT_SMALL = BaseRecord(
    name="chronos-bolt-small",
    modality="series",
    source="hf",
    licence="apache-2.0",
    n_dims=512,
    size_bytes=191_000_000,
    training_data=_CHRONOS_DATA,
    known_biases=_CHRONOS_BIASES,
    sha256="",
    url="https://arxiv.org/abs/2403.07815",
    pretrained=True,
    summary="transformer that continues series, 48 million parameters (Ansari et al. 2024)",
    n_parameters=47_700_000,
    repository="amazon/chronos-bolt-small",
    format="chronos-bolt",
    architecture="chronos-bolt",
    instead="chronos-bolt-tiny",
    task="forecasting",
    good_for="series of sales, weather, energy; made to forecast",
    domains=("energy", "weather", "sales"),
    facts_read=("licence", "repository", "url"),
)

TTM_R2 = BaseRecord(
    name="ttm-r2",
    modality="series",
    source="hf",
    licence="apache-2.0",
    n_dims=192,
    size_bytes=3_240_000,
    training_data="public measured series of many domains, to continue each; no labels",
    known_biases="Trained to continue series of 512 steps: what tells classes apart may not be in its features.",
    sha256="",
    url="https://arxiv.org/abs/2401.03955",
    pretrained=True,
    summary="small mixer network that continues series, 0.8 million parameters (Ekambaram et al. 2024)",
    n_parameters=805_000,
    repository="ibm-granite/granite-timeseries-ttm-r2",
    format="tiny-time-mixer",
    architecture="tinytimemixer",
    instead="series-encoder",
    task="forecasting",
    good_for="series of sales, weather, energy; made to forecast",
    domains=("energy", "weather", "sales"),
)

SERIES_BASES = (MANTIS_8M, MOMENT_SMALL, CHRONOS_BOLT_TINY, CHRONOS_BOLT_SMALL, TTM_R2)
