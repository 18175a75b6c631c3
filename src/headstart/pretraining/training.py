"""Train the series encoder on the synthetic stream: which two views belong to the same series?

Contrastive, as Mantis (arXiv:2502.15637), on data that is drawn during training. Seed and number of pairs decide the
weights, bit for bit on one machine with the same libraries; seconds decide nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headstart.bases import series_encoder, series_shape
from headstart.bases.series_readout import FixedConvolutions
from headstart.features.torch_runtime import cpu_has_bfloat16
from headstart.pretraining import stream
from headstart.pretraining.settings import SETTINGS
from headstart.training.config import ParameterGroup, TrainingConfig
from headstart.training.loop import Batch, TrainingData, limit_threads, measure_seconds_per_row, train_network


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """Result of a training.

    Parameters
    ----------
    architecture : mapping
        As in `headstart.bases.record.BaseParts`.
    weights : mapping of str to array
    losses : tuple of float
        Mean loss on pairs that were never trained on, after each epoch; lower is better, ln(2 * 128 - 1) = 5.54 is
        guessing.
    n_pairs : int
    seconds : float
    """

    architecture: Mapping[str, Any]
    weights: Mapping[str, NDArray[Any]] = field(repr=False)
    losses: tuple[float, ...]
    n_pairs: int
    seconds: float


class ProjectedEncoder(nn.Module):
    """The network and a projection of its features that is thrown away afterwards (arXiv:2002.05709).

    The network is without its read-out, so that every feature the loss sees is learnt.
    """

    def __init__(self, net: series_encoder.SeriesNet) -> None:
        super().__init__()
        self.net = net
        n_in = net.n_dims
        self.projection = nn.Sequential(
            nn.LayerNorm(n_in),
            nn.Linear(n_in, 2 * SETTINGS.projected_dims),
            nn.GELU(),
            nn.Linear(2 * SETTINGS.projected_dims, SETTINGS.projected_dims),
        )

    def forward(self, values: Tensor, known: Tensor, steps: Tensor) -> Tensor:
        """Return embeddings (n, projected_dims); without level, scale and length, which would identify the pairs."""
        embeddings: Tensor = self.projection(self.net(values, known, steps)[:, : self.net.n_dims])
        return embeddings


@dataclass(frozen=True)
class SyntheticPairs:
    """Makes two views of as many new series as a batch has rows; the held-out ones are always the same."""

    length: int
    seed: int

    def __call__(self, rows: Tensor, generator: torch.Generator | None) -> Batch:
        """Return values and known (2 n, 1, time), first views before second ones, and steps (2 n, 1)."""
        number = 0 if generator is None else 1 + int(torch.randint(0, 2**62, (1,), generator=generator))
        source = np.random.default_rng([self.seed, number])
        drawn = stream.draw_series(len(rows), self.length, source)
        views = [stream.draw_view(drawn, source) for _ in range(2)]
        values, known = (
            torch.from_numpy(np.concatenate([getattr(view, name) for view in views]))[:, None]
            for name in ("values", "known")
        )
        return values, known, torch.full((len(values), 1), float(self.length))


def pretrain(n_pairs: int = SETTINGS.n_pairs, seed: int = 0, folder: Path | None = None, **changes: Any) -> Pretrained:
    """Train an encoder from random weights.

    Parameters
    ----------
    n_pairs : int
        At least 1; rounded up to whole epochs of at most `epoch_pairs`.
    seed : int
        Of weights, series and views.
    folder : Path or None
        Where checkpoints are kept; a training that was killed goes on from there.
    **changes
        Of `series_shape.ARCHITECTURE`, for smaller networks.
    """
    started = time.monotonic()
    architecture = {**series_shape.ARCHITECTURE, **changes}
    learner, data, config = _prepare_training(architecture, n_pairs, seed)
    pairs = SyntheticPairs(int(architecture["length"]), seed)
    path = folder / f"series-{seed}-{n_pairs}.safetensors" if folder else None
    history = train_network(learner, data, config, name="Pre-training", path=path)
    net = add_read_out(architecture, learner.net.state_dict(), pairs)
    weights = {name: value.numpy().copy() for name, value in net.state_dict().items()}
    n_trained = history.epochs * len(data.train_rows)
    return Pretrained(
        architecture=architecture,
        weights=weights,
        losses=history.validation_losses,
        n_pairs=n_trained,
        seconds=time.monotonic() - started,
    )


def _prepare_training(
    architecture: Mapping[str, Any], n_pairs: int, seed: int
) -> tuple[ProjectedEncoder, TrainingData, TrainingConfig]:
    epochs = math.ceil(n_pairs / SETTINGS.epoch_pairs)
    rows = torch.arange(math.ceil(n_pairs / epochs))
    validation_rows = torch.arange(SETTINGS.batch_pairs)
    inputs = SyntheticPairs(int(architecture["length"]), seed)
    data = TrainingData(
        inputs=inputs,
        targets=torch.zeros(max(len(rows), SETTINGS.batch_pairs)),
        train_rows=rows,
        validation_rows=validation_rows,
        output_weights=torch.ones(1),
        loss_name="pairs",
    )
    learned = {name: value for name, value in architecture.items() if name not in series_shape.READ_OUT}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        learner = ProjectedEncoder(series_encoder.build_network(learned))
    learner.net.stem.any_unit = False  # A flat piece of a synthetic series stays flat: its rounding is no signal.
    config = TrainingConfig(
        epochs=epochs,
        batch_size=SETTINGS.batch_pairs,
        groups=(ParameterGroup("", SETTINGS.learning_rate),),
        seed=seed,
        keep="last",
        patience=epochs + 1,
        label_smoothing=0.0,
        half_precision=cpu_has_bfloat16(),
        n_threads=1,
    )
    return learner, data, config


def build_untrained(seed: int = 0, **changes: Any) -> series_encoder.SeriesNet:
    """Return the network before any training, for comparison; its read-out is that of a trained one."""
    architecture = {**series_shape.ARCHITECTURE, **changes}
    net = _prepare_training(architecture, SETTINGS.batch_pairs, seed)[0].net
    return add_read_out(architecture, net.state_dict(), SyntheticPairs(int(architecture["length"]), seed))


def count_pairs_that_fit(seconds: float, seed: int = 0) -> int:
    """Measure how many pairs can be trained on in some seconds here; at least one batch."""
    learner, data, config = _prepare_training(series_shape.ARCHITECTURE, SETTINGS.epoch_pairs, seed)
    each = measure_seconds_per_row(learner, data, config)
    return max(SETTINGS.batch_pairs, int(seconds / each))


def add_read_out(
    architecture: Mapping[str, Any], learned: Mapping[str, Tensor], pairs: SyntheticPairs
) -> series_encoder.SeriesNet:
    """Return a frozen network with its learnt weights, fixed convolutions, and the statistics of its features.

    Parameters
    ----------
    architecture : mapping
        As `headstart.bases.series_shape.ARCHITECTURE`.
    learned : mapping of str to Tensor
        Weights of stem and blocks, by the network's names; others are passed over.
    pairs : SyntheticPairs
        Gives the series over which thresholds, means, spreads and components are taken.
    """
    with torch.random.fork_rng(devices=[]):
        net = series_encoder.build_network(architecture).eval().requires_grad_(False)
    names = {name for name, _ in net.named_parameters()}
    net.load_state_dict({name: value for name, value in learned.items() if name in names}, strict=False)
    net.stem.any_unit = False
    with torch.no_grad(), limit_threads(1):  # More threads add up in another order.
        _fit_fixed_convolutions(net.stem, pairs)
        _add_components(net, pairs)
    net.stem.any_unit = True
    return net


def _draw_first_views(pairs: SyntheticPairs, n_series: int) -> Iterator[Batch]:
    """Yield values, known and steps of series of the stream, batch by batch."""
    for number in range(n_series // SETTINGS.batch_pairs):
        arrays = pairs(torch.arange(SETTINGS.batch_pairs), torch.Generator().manual_seed(number))
        yield tuple(part[: SETTINGS.batch_pairs] for part in arrays)


def _fit_fixed_convolutions(stem: series_encoder.SeriesStem, pairs: SyntheticPairs) -> None:
    """Set thresholds; the values "as they are" are standardised series with scales drawn about 1."""
    if not stem.fixed:
        return
    views = [batch[:2] for batch in _draw_first_views(pairs, SETTINGS.threshold_series)]
    values, known = (torch.cat([view[part][:, 0] for view in views]) for part in range(2))
    series, change = stem.standardise_views(values, known)[:2]
    generator = torch.Generator().manual_seed(pairs.seed)
    scales = torch.exp(SETTINGS.threshold_scales * torch.randn(len(series), 1, generator=generator))
    for convolution, view in zip(
        stem.fixed, (series, change, series_encoder.compress_values(series * scales)), strict=True
    ):
        assert isinstance(convolution, FixedConvolutions)
        convolution.fit(view)


def _add_components(net: series_encoder.SeriesNet, pairs: SyntheticPairs) -> None:
    """Set means, spreads and principal components of the features over series of the stream."""
    described = []
    for values, known, steps in _draw_first_views(pairs, SETTINGS.component_series):
        state = net.stem(values, known, steps)
        for block in net.blocks:
            state = block(state)
        described.append(net.split_described(state)[0][:, 0])
    features = torch.cat(described).double()
    centre, spread = features.mean(0), features.std(0).clamp(min=1e-6)
    whole = (features - centre) / spread
    _, vectors = torch.linalg.eigh(whole.T @ whole / len(whole))
    chosen = vectors.flip(1)[:, : net.components.shape[1]]
    net.centre.copy_(centre)
    net.spread.copy_(spread)
    net.components.copy_(chosen)
