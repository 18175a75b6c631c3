"""The one training loop."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from headstart import progress
from headstart.training import loop
from headstart.training.config import ParameterGroup, TrainingConfig, count_epochs_that_fit
from headstart.training.loop import (
    TrainingData,
    build_optimizer,
    compute_rate_factor,
    measure_seconds_per_row,
    predict_scores,
    shuffle_into_batches,
    train_network,
)


def small() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))


def data(n: int = 60, n_held: int = 20) -> TrainingData:
    generator = torch.Generator().manual_seed(1)
    codes = torch.arange(n) % 2
    values = torch.randn(n, 4, generator=generator) + 3.0 * codes[:, None]

    def inputs(rows: Tensor, augment: torch.Generator | None) -> tuple[Tensor, ...]:
        noise = 0 if augment is None else 0.1 * torch.randn(len(rows), 4, generator=augment)
        return (values[rows] + noise,)

    return TrainingData(
        inputs=inputs,
        targets=codes,
        train_rows=torch.arange(n_held, n),
        validation_rows=torch.arange(n_held),
        output_weights=torch.ones(2),
    )


PLAN = TrainingConfig(epochs=8, batch_size=16, groups=(ParameterGroup("", 1e-2),))


def test_the_same_seed_gives_the_same_network_and_global_random_state_stays() -> None:
    torch.manual_seed(3)
    first, second = small(), small()
    one = train_network(first, data(), PLAN)
    two = train_network(second, data(), PLAN)
    drawn = torch.rand(1)
    torch.manual_seed(3)
    assert drawn == torch.rand(1)
    assert one == two and one.epochs == 8
    for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_it_learns_and_keeps_the_best_epoch() -> None:
    net, given = small(), data()
    trained = train_network(net, given, PLAN)
    found = predict_scores(net, given.inputs, given.validation_rows, 16)
    assert (found.argmax(1) == given.targets[given.validation_rows]).float().mean() > 0.9
    loss = float(nn.functional.cross_entropy(found, given.targets[given.validation_rows]))
    assert loss == pytest.approx(min(trained.validation_losses), abs=1e-5)
    assert trained.validation_losses[trained.best_epoch - 1] == min(trained.validation_losses)


def test_it_stops_early_and_at_the_time_limit() -> None:
    hopeless = TrainingConfig(epochs=50, batch_size=16, groups=(ParameterGroup("", 1.0),), patience=3)
    assert train_network(small(), data(), hopeless).epochs < 50
    assert (
        train_network(
            small(),
            data(),
            TrainingConfig(epochs=50, batch_size=16, groups=(ParameterGroup("", 1e-3),), limit_seconds=0.0),
        ).epochs
        == 1
    )


def test_without_held_out_rows_the_last_epoch_is_kept() -> None:
    trained = train_network(small(), data(n_held=0), PLAN)
    assert trained.best_epoch == trained.epochs == 8 and all(map(math.isnan, trained.validation_losses))


def test_parameters_outside_every_group_stay_bit_identical() -> None:
    net = small()
    before = {name: value.clone() for name, value in net.named_parameters()}
    train_network(net, data(), TrainingConfig(epochs=2, batch_size=16, groups=(ParameterGroup("4.", 1e-2),)))
    changed = {name for name, value in net.named_parameters() if not torch.equal(value, before[name])}
    assert changed == {"4.weight", "4.bias"}


def test_groups_have_their_own_rates_and_vectors_are_not_decayed() -> None:
    made = build_optimizer(
        small(),
        TrainingConfig(
            epochs=1, batch_size=1, groups=(ParameterGroup("", 1e-3), ParameterGroup("4.", 1e-2)), weight_decay=0.1
        ),
    )
    found = {(g["lr"], g["weight_decay"]): len(g["params"]) for g in made.param_groups}
    assert found == {(1e-3, 0.1): 1, (1e-3, 0.0): 3, (1e-2, 0.1): 1, (1e-2, 0.0): 1}


def test_no_batch_has_a_single_row() -> None:
    sizes = [len(part) for part in shuffle_into_batches(torch.arange(33), 16, torch.Generator().manual_seed(0))]
    assert sizes == [16, 17]


def test_the_rate_rises_then_falls() -> None:
    shares = [compute_rate_factor(step, 100) for step in range(100)]
    assert max(shares) == shares[24] == 1.0 and shares[0] < 0.1 and shares[-1] < 0.01


def test_timing_leaves_the_weights_alone() -> None:
    net = small()
    before = [value.clone() for value in net.parameters()]
    assert measure_seconds_per_row(net, data(), PLAN) > 0
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
    assert count_epochs_that_fit(0, 1, 10) == 0


def test_where_a_batch_takes_long_a_second_one_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    rows = data()

    def inputs(batch: Tensor, augment: torch.Generator | None) -> tuple[Tensor, ...]:
        sizes.append(len(batch))
        return rows.inputs(batch, augment)

    monkeypatch.setattr(loop, "LONG_SECONDS", 0.0)
    assert measure_seconds_per_row(small(), replace(rows, inputs=inputs), PLAN) > 0
    assert sizes == [16]


class Counting(progress.Silent):
    """Counts what the bar is told."""

    def __init__(self) -> None:
        self.done = 0

    def open(self, name: str, total: int, unit: str) -> progress.ProgressBar:
        self.total = total
        return self

    def advance(self, n: int = 1) -> None:
        self.done += n


def test_progress_is_told_epoch_by_epoch() -> None:
    listener = Counting()
    with progress.listen(listener):
        train_network(small(), data(), PLAN)
    assert listener.done == listener.total == 8
