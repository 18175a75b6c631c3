"""Our own series base: the same weights for a seed; it loads, is cut and adapts like every other base."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from headstart import bases
from headstart.bases import CATALOGUE, BaseRequest, cutting, series_encoder, series_readout, series_shape, shipped
from headstart.bases.architectures import parse_architecture
from headstart.decisions import DEFAULT_POLICY
from headstart.errors import BundleError, DataError, OptionError, UnknownName
from headstart.features.runtimes import REFERENCE, RUNTIMES, measure_relative_error
from headstart.flow import pretraining as flow
from headstart.modalities import MODALITIES
from headstart.options import PretrainOptions
from headstart.pretraining import kernels, series_base, shapes, stream, training
from headstart.pretraining.settings import SETTINGS

TINY: dict[str, Any] = {
    "width": 32, "kernels": 8, "blocks": 2, "components": 24, "length": 64, "fixed_dilations": [1, 4], "read_blocks": 2,
}  # fmt: skip
NAME = "series-encoder"
SERIES = MODALITIES["series"]


def loaded(n_channels: int = 1) -> bases.Backbone:
    return bases.load_base(NAME, BaseRequest(modality="series", spec={"length": 90, "n_channels": n_channels}))


def batch(n_channels: int, n_rows: int = 4, length: int = 90) -> list[np.ndarray]:
    generator = np.random.default_rng(3)
    spec = loaded(n_channels).spec
    rows = []
    for _ in range(n_rows):
        values = generator.standard_normal((n_channels, length)).cumsum(axis=1).astype(np.float32)
        values[0, 10:20] = np.nan
        rows.append(SERIES.prepare(SERIES.load(values, spec), spec))
    return list(SERIES.collate(rows, spec))


@pytest.fixture(scope="module", autouse=True)
def few_series_for_components() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            training,
            "SETTINGS",
            replace(SETTINGS, component_series=4 * SETTINGS.batch_pairs, threshold_series=SETTINGS.batch_pairs),
        )
        yield


@pytest.fixture(scope="module")
def learnt(few_series_for_components: None) -> training.Pretrained:
    return training.pretrain(6 * SETTINGS.batch_pairs, 1, None, **TINY)


def test_the_rounding_of_a_flat_piece_is_no_signal_while_learning_but_small_units_are_afterwards() -> None:
    flat = torch.tensor(np.random.default_rng(0).normal(0, 1e-8, (1, 64)), dtype=torch.float32)
    known = torch.ones_like(flat)
    assert float(series_encoder.standardise(flat, known, any_unit=False)[0].abs().max()) < 0.1
    assert float(series_encoder.standardise(flat, known)[0].std()) == pytest.approx(1.0, abs=0.02)
    assert not training._prepare_training(series_shape.ARCHITECTURE, 128, 0)[0].net.stem.any_unit
    assert training.build_untrained().stem.any_unit


def test_the_same_seed_gives_the_same_weights_bit_for_bit_and_another_seed_others(
    learnt: training.Pretrained,
) -> None:
    again = training.pretrain(6 * SETTINGS.batch_pairs, 1, None, **TINY)
    assert again.losses == learnt.losses
    for name, value in learnt.weights.items():
        np.testing.assert_array_equal(value, again.weights[name], err_msg=name)
    other = training.pretrain(SETTINGS.batch_pairs, 2, None, **TINY)
    assert not np.array_equal(other.weights["stem.places"], learnt.weights["stem.places"])


def test_the_loss_on_new_pairs_falls_below_that_of_untrained_weights(learnt: training.Pretrained) -> None:
    untrained, lesson, plan = training._prepare_training(learnt.architecture, SETTINGS.batch_pairs, 1)
    from headstart.training.loop import compute_validation_loss

    assert learnt.losses[-1] < compute_validation_loss(untrained, lesson, plan) - 0.2
    assert learnt.losses[-1] < series_base.GUESSING


def test_a_training_that_was_stopped_goes_on_to_the_same_weights(
    learnt: training.Pretrained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headstart.training import loop

    monkeypatch.setattr(training, "SETTINGS", replace(training.SETTINGS, epoch_pairs=3 * SETTINGS.batch_pairs))
    whole = training.pretrain(6 * SETTINGS.batch_pairs, 1, None, **TINY)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    epoch = loop._Training.run_epoch

    def stopped(self: Any) -> None:
        if self.epoch == 1:
            raise KeyboardInterrupt
        epoch(self)

    monkeypatch.setattr(loop._Training, "run_epoch", stopped)
    with pytest.raises(KeyboardInterrupt):
        training.pretrain(6 * SETTINGS.batch_pairs, 1, tmp_path, **TINY)
    monkeypatch.setattr(loop._Training, "run_epoch", epoch)
    again = training.pretrain(6 * SETTINGS.batch_pairs, 1, tmp_path, **TINY)
    np.testing.assert_array_equal(again.weights["blocks.1.qkv.weight"], whole.weights["blocks.1.qkv.weight"])
    assert len(learnt.losses) == 1 and len(again.losses) == 2


def test_a_network_of_a_bundle_before_0_3_has_its_old_read_out_and_its_learnt_weights_are_todays(
    learnt: training.Pretrained,
) -> None:
    old = {name: value for name, value in learnt.architecture.items() if name not in series_shape.READ_OUT}
    assert parse_architecture(old, "a bundle") == old
    pairs = training.SyntheticPairs(64, 1)
    learned = {name: torch.from_numpy(value) for name, value in learnt.weights.items()}
    net = training.add_read_out(old, learned, pairs)
    assert not [name for name in net.state_dict() if "fixed" in name]
    values, known, steps = (part[:5] for part in pairs(torch.arange(8), None))
    with torch.no_grad():
        found = net(values, known, steps)
        state = run_blocks(net, values, known, steps)
        tokens = net.blocks[-1].out(state[:, 0, : net.patches])
    assert found.shape == (5, 2 * 8 + 2 * 8 * 4 + 3 * 32 * 2 + series_shape.N_FACTS)
    last = torch.cat([tokens.mean(1), tokens.amax(1)], 1)
    described = net.split_described(state)[0][:, 0]
    torch.testing.assert_close(described[:, -3 * 32 : -32], last)


def test_fixed_convolutions_are_shares_about_one_half_on_the_series_that_their_thresholds_come_from() -> None:
    series = torch.from_numpy(kernels.standardise(stream.draw_series(64, 64, np.random.default_rng(0))))
    layer = series_readout.FixedConvolutions([1, 4], 2)
    layer.fit(series)
    shares = layer(series)
    assert shares.shape == (64, 2 * 84 * 2)
    assert float(shares.min()) >= 0 and float(shares.max()) <= 1
    assert float(shares.mean()) == pytest.approx(0.5, abs=0.02)
    kernel, threshold = layer.weight[1, 7], layer.bias[1, 7]
    by_hand = np.convolve(np.pad(series[0].numpy(), 16), np.kron(kernel[0].flip(0), [1, 0, 0, 0])[:-3], "valid")
    assert float(shares[0, 84 * 2 + 7]) == pytest.approx(
        np.clip((by_hand + float(threshold)) / 6 + 0.5, 0, 1).mean(), abs=1e-5
    )


def test_principal_components_are_uncorrelated_and_come_in_falling_order(learnt: training.Pretrained) -> None:
    net = series_encoder.build_network(learnt.architecture)
    net.load_state_dict({name: torch.from_numpy(value) for name, value in learnt.weights.items()})
    values, known, steps = training.SyntheticPairs(64, 1)(torch.arange(256), torch.Generator().manual_seed(0))
    with torch.no_grad():
        state = run_blocks(net, values[:256], known[:256], steps[:256])
        found = (((net.split_described(state)[0] - net.centre) / net.spread) @ net.components)[:, 0].numpy()
    spread = found.std(axis=0)
    assert spread[0] > spread[5] > spread[20]
    assert abs(np.corrcoef(found[:, 0], found[:, 1])[0, 1]) < 0.3


@pytest.mark.parametrize("make", [maker for maker, _ in shapes.SHAPES])
def test_every_shape_is_finite_differs_between_series_and_comes_again_for_a_seed(make: shapes.Maker) -> None:
    one, two = (make(5, 64, np.random.default_rng(4)) for _ in range(2))
    assert one.shape == (5, 64) and np.isfinite(one).all()
    np.testing.assert_array_equal(one, two)
    assert len(np.unique(one.round(4), axis=0)) == 5


@pytest.mark.parametrize("kind", [kind for kind, _ in kernels.KINDS])
def test_every_kernel_is_one(kind: Any) -> None:
    matrix = kind(np.linspace(0, 1, 40), np.random.default_rng(0))
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
    assert np.linalg.eigvalsh(matrix).min() > -1e-8


def test_series_have_levels_and_scales_of_their_own_and_views_have_gaps() -> None:
    generator = np.random.default_rng(0)
    made = stream.draw_series(200, 64, generator)
    assert np.isfinite(made).all()
    assert made.std(axis=1).max() > 20 * made.std(axis=1).min() > 0
    seen = stream.draw_view(made, generator)
    gaps = (seen.known == 0).any(axis=1)
    assert 0.05 < gaps.mean() < 0.3
    inside = seen.known[gaps] == 0
    bent = np.abs(np.diff(seen.values[gaps], n=2, axis=1))[inside[:, 1:-1]]
    assert bent.max() < 1e-4  # a straight line


def test_two_views_of_a_series_are_closer_than_views_of_two_series() -> None:
    generator = np.random.default_rng(0)
    made = stream.draw_series(100, 64, generator)
    one, two = (kernels.standardise(stream.draw_view(made, generator).values) for _ in range(2))
    closeness = one @ two.T / 64
    assert np.diag(closeness).mean() > np.abs(closeness[~np.eye(100, dtype=bool)]).mean() + 0.2


@pytest.mark.parametrize("n_channels", [1, 3, 100])
def test_the_shipped_weights_load_and_give_as_many_features_as_the_record_says(n_channels: int) -> None:
    backbone = loaded(n_channels)
    assert backbone.module is not None
    module = backbone.module()
    with torch.no_grad():
        (found,) = module(*(torch.from_numpy(part) for part in batch(n_channels)))
    assert found.shape == (4, backbone.record.n_dims)
    assert torch.isfinite(found).all()
    assert backbone.record.n_dims <= 2_600
    held = [name for stage in backbone.stages() for name in stage.parameters]
    assert sorted(held) == sorted(name for name, _ in module.net.named_parameters())


def test_the_weights_are_small_and_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shipped.FOLDER / f"{NAME}.safetensors"
    assert path.stat().st_size == CATALOGUE[NAME].size_bytes <= 8_000_000
    changed = bytearray(path.read_bytes())
    changed[-1] ^= 1
    (tmp_path / path.name).write_bytes(changed)
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    with pytest.raises(BundleError, match="sha256 differs"):
        loaded()


def run_blocks(net: series_encoder.SeriesNet, *arrays: torch.Tensor) -> torch.Tensor:
    """Tokens after the last block."""
    state: torch.Tensor = net.stem(*arrays)
    for block in net.blocks:
        state = block(state)
    return state


def count_shape_features() -> int:
    """Number of features before the first that depends on the unit."""
    patches = series_shape.ARCHITECTURE["length"] // series_shape.ARCHITECTURE["patch"]
    return 2 * patches + sum(series_shape.count_fixed(series_shape.ARCHITECTURE)[:2])


def test_level_scale_length_and_gaps_reach_the_features_and_a_constant_or_empty_series_does_no_harm() -> None:
    backbone = loaded()
    assert backbone.module is not None
    wave = np.sin(np.linspace(0, 9, 120, dtype=np.float32))[None]
    gappy = wave.copy()
    gappy[0, 30:60] = np.nan
    inputs = [wave, wave * 10 + 500, wave[:, ::2], gappy, np.full((1, 30), 2.0), np.full((1, 30), np.nan)]
    rows = [SERIES.prepare(SERIES.load(item.astype(np.float32), backbone.spec), backbone.spec) for item in inputs]
    with torch.no_grad():
        found = backbone.module()(*(torch.from_numpy(part) for part in SERIES.collate(rows, backbone.spec)))[-1].numpy()
    assert np.isfinite(found).all()
    facts = found[:, -series_shape.N_FACTS :]
    assert facts[1, 0] > 6 and abs(facts[0, 0]) < 1  # log(1 + 500) is 6.2
    assert facts[1, 1] - facts[0, 1] == pytest.approx(np.log(10), abs=1e-3)
    assert facts[0, 2] - facts[2, 2] == pytest.approx(1, abs=1e-3)
    assert facts[3, 3] == pytest.approx(0.25, abs=0.02)
    shape = slice(0, count_shape_features())
    np.testing.assert_allclose(found[1, shape], found[0, shape], atol=2e-2)  # The shape is the same.
    values_as_they_are = slice(shape.stop, series_shape.count_first(series_shape.ARCHITECTURE))
    assert np.abs(found[1, values_as_they_are] - found[0, values_as_they_are]).max() > 1


@pytest.mark.parametrize("unit", [1e-25, 1e-12, 1e25])
def test_the_unit_of_a_series_does_not_change_its_shape_features(unit: float) -> None:
    net = loaded().module().net
    values, known, steps = (torch.from_numpy(part) for part in batch(1))
    with torch.no_grad():
        before, after = (net.split_described(run_blocks(net, values * scale, known, steps))[0] for scale in (1.0, unit))
        assert torch.isfinite(net(values * unit, known, steps)).all()
    shape = slice(0, count_shape_features())
    np.testing.assert_allclose(after[..., shape].numpy(), before[..., shape].numpy(), atol=1e-3)


@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize("n_tail", [1, 2, 3])
def test_both_halves_of_a_cut_give_the_features_of_the_whole(n_channels: int, n_tail: int) -> None:
    backbone = loaded(n_channels)
    assert backbone.module is not None
    module = backbone.module()
    halves = cutting.cut_network(module, n_tail)
    assert halves is not None and cutting.n_blocks(module) == 4
    rows = [torch.from_numpy(part) for part in batch(n_channels)]
    assert cutting.halves_agree(module, halves, rows)
    own = [name for stage in backbone.stages()[-n_tail:] for name in stage.parameters]
    assert sorted(halves.names) == sorted(own)


def test_openvino_gives_the_same_features() -> None:
    backbone = loaded(2)
    rows = batch(2)
    expected = RUNTIMES[REFERENCE].open(backbone)(*rows)
    found = RUNTIMES["openvino-float32"].open(backbone)(*rows)
    assert measure_relative_error(expected, found) < 1e-3


def test_a_base_of_ones_own_is_written_loads_for_any_number_of_channels_and_says_how_it_was_made(
    tmp_path: Path, fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series_shape, "ARCHITECTURE", {**series_shape.ARCHITECTURE, **TINY})
    options = PretrainOptions(pairs=SETTINGS.batch_pairs, seed=7)
    said = flow.pretrain("series", tmp_path / "base", options)
    assert not said["shipped"] and said["n_pairs"] == SETTINGS.batch_pairs
    assert f"--pairs {SETTINGS.batch_pairs} --seed 7" in (tmp_path / "base" / "README.md").read_text("utf-8")
    json.dumps(said)
    backbone = bases.load_base(
        f"file:{tmp_path / 'base'}", BaseRequest(modality="series", spec={"length": 40, "n_channels": 5})
    )
    assert backbone.record.n_dims == 5 * (24 + series_shape.N_FACTS)
    assert backbone.record.pretrained and backbone.spec["n_channels"] == 5
    again = flow.pretrain("series", tmp_path / "base", options)
    assert again["sha256"] == said["sha256"]


def test_a_timed_training_that_was_stopped_goes_on_with_as_many_pairs_as_it_planned(
    tmp_path: Path, fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series_shape, "ARCHITECTURE", {**series_shape.ARCHITECTURE, **TINY})
    asked: list[int] = []

    def stopped(n_pairs: int, *_: Any) -> training.Pretrained:
        asked.append(n_pairs)
        raise KeyboardInterrupt

    for fitting in (3 * SETTINGS.batch_pairs, 5 * SETTINGS.batch_pairs):  # The second time the machine is free.
        monkeypatch.setattr(series_base, "count_pairs_that_fit", lambda seconds, n=fitting: n)
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(series_base, "pretrain", stopped)
            flow.pretrain("series", tmp_path / "base", PretrainOptions(time=5.0))
    assert asked == [3 * SETTINGS.batch_pairs] * 2
    assert flow.pretrain("series", tmp_path / "base", PretrainOptions(time=5.0))["n_pairs"] == 3 * SETTINGS.batch_pairs
    assert flow.pretrain("series", tmp_path / "base", PretrainOptions(time=5.0))["n_pairs"] == 5 * SETTINGS.batch_pairs


def test_a_base_that_was_cut_off_while_it_was_written_is_no_base_and_is_written_again(
    tmp_path: Path, fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series_shape, "ARCHITECTURE", {**series_shape.ARCHITECTURE, **TINY})
    options, out = PretrainOptions(pairs=SETTINGS.batch_pairs), tmp_path / "base"

    def cut(parts: bases.BaseParts, folder: Path) -> None:
        (folder / "model.safetensors").write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(series_base, "write_folder", cut)
        flow.pretrain("series", out, options)
    with pytest.raises(DataError):
        bases.load_base(f"file:{out}", BaseRequest(modality="series", spec={"length": 40, "n_channels": 1}))
    flow.pretrain("series", out, options)
    assert bases.load_base(
        f"file:{out}", BaseRequest(modality="series", spec={"length": 40, "n_channels": 1})
    ).record.pretrained


def test_pretrain_refuses_what_makes_no_sense(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="series"):
        flow.pretrain("serie", tmp_path / "o", PretrainOptions())
    with pytest.raises(OptionError, match="Both"):
        flow.pretrain("series", tmp_path / "o", PretrainOptions(time=60.0, pairs=200))
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "thesis.txt").write_text("mine")
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert" / "config.json").write_text('{"model_type": "bert"}')
    for name in ("o", "bert"):
        with pytest.raises(OptionError, match="not a folder of this command"):
            flow.pretrain("series", tmp_path / name, PretrainOptions())
    with pytest.raises(OptionError, match="cannot be made"):
        flow.pretrain("series", tmp_path / "o" / "thesis.txt" / "base", PretrainOptions())


def test_the_record_of_the_shipped_base_is_that_of_its_file() -> None:
    record = CATALOGUE[NAME]
    assert record.n_dims == series_shape.count_dims(series_shape.ARCHITECTURE, 1)
    assert replace(record, n_dims=0).pretrained and "synthetic" in record.training_data


@pytest.mark.parametrize(("strategy", "n_channels"), [("last-stages", 1), ("lora", 3)])
def test_a_tuned_encoder_says_the_same_as_one_graph(strategy: str, n_channels: int, tmp_path: Path) -> None:
    from headstart.bundle.onnx import export, graph
    from headstart.bundle.runtime import session
    from headstart.strategies.fine_tuning.tuned_model import TunedModel, replace_weights
    from headstart.strategies.fitted import FittedModel
    from headstart.strategies.linear.head import Head

    rng, backbone = np.random.default_rng(0), loaded(n_channels)
    moved = {
        name: value + rng.normal(scale=0.05, size=value.shape).astype(np.float32)
        for name, value in backbone.parts.weights.items()
        if name.startswith("blocks.")
    }
    weights = rng.normal(scale=0.05, size=(backbone.record.n_dims, 2)).astype(np.float32)
    head = Head(np.zeros(len(weights), np.float32), weights, np.zeros(2, np.float32))
    core = TunedModel(modality="series", parts=replace_weights(backbone.parts, moved), head=head)
    fitted = FittedModel(core, np.empty((0, 2)))
    bundle = SimpleNamespace(
        strategy=strategy, fitted=fitted, classes=("a", "b"), decision_policy=DEFAULT_POLICY, backbone=None
    )
    network, desk = graph.build_network(bundle)  # type: ignore[arg-type]
    arrays, path = tuple(batch(n_channels)), tmp_path / "model.onnx"
    exporter, refused = export.export_network(
        network, desk.inputs, arrays, path=path, metadata={}, explain_mismatch=lambda _: ""
    )
    assert exporter and not refused, refused
    module = core.backbone.module
    assert module is not None
    with torch.no_grad():
        features = module()(*(torch.from_numpy(part) for part in arrays))[-1].numpy()
    names = [name for item in desk.inputs for name in item.arrays]
    found = session.open_graph(path, names)(*arrays)[0]
    np.testing.assert_allclose(found, head.predict(features), atol=1e-4)
    one = session.open_graph(path, names)(*(part[:1] for part in arrays))[0]  # as many rows as there are
    np.testing.assert_allclose(one, found[:1], atol=1e-5)
    assert np.ptp(found[:, 0]) > 0.01
