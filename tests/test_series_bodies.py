"""Published networks for series: our layers give what the authors' code gives, from checkpoints in their own form."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from tests.series_checkpoints import CHECKPOINTS, make_tensors, make_waves, write_checkpoint
from tests.test_catalogue import put_in_cache
from tests.tiny import train_briefly
from typer.testing import CliRunner

from headstart import bases
from headstart.bases import CATALOGUE, Backbone, BaseRequest
from headstart.bases.building import build_network
from headstart.bases.catalogue_loading import list_present
from headstart.bases.series_bodies import SERIES_LAYOUTS, find_layout, mantis
from headstart.bases.series_bodies.layout import N_FACTS
from headstart.cli.main import app
from headstart.errors import DataError, HeadstartError
from headstart.modalities.series import load_series, prepare_series

LIBRARIES = sorted(SERIES_LAYOUTS)
NAMES = [name for name, record in CATALOGUE.items() if record.format in SERIES_LAYOUTS]
RECORDED: dict[str, tuple[int, list[float]]] = {
    "mantis": (16, [0.14545, 2.15102, 0.88444, 2.3748, 1.03857, 0.65494]),
    "moment": (8, [-0.16265, -0.59202, 0.08402, 0.9648, -0.04901, 1.2626]),
    "chronos-bolt": (16, [0.67826, -0.86633, -0.28134, -0.63291, 0.08759, 1.64969]),
    "tiny-time-mixer": (48, [-0.33225, -0.0302, 0.0347, 0.00223, -0.07785, -0.08503]),
}
"""What mantis-tsfm 1.1.0 (`combined`), momentfm 0.1.4 (`embed`), chronos-forecasting 2.3.2 (`encode`, mean and register
token) and granite-tsfm 0.3.11 (backbone; mean, maximum and spread) answer to the second of `make_waves(2, 1, 40)` with
the weights of `make_tensors`: the number of features of the last block, and the first six of them."""


def load(folder: Path, n_steps: int = 40, n_channels: int = 1) -> Backbone:
    spec = {"length": n_steps, "n_channels": n_channels}
    return bases.load_base(f"file:{folder}", BaseRequest(modality="series", offline=True, spec=spec))


def encode(base: Backbone, rows: np.ndarray) -> np.ndarray:
    parts = [prepare_series(load_series(row, base.spec), base.spec) for row in rows]
    assert base.module is not None
    with torch.no_grad():
        (features,) = base.module()(*(torch.from_numpy(np.stack(part)) for part in zip(*parts, strict=True)))
    return np.asarray(features)


def write_waves(path: Path, n_rows: int, *, has_label: bool) -> None:
    rng, waves = np.random.default_rng(0), make_waves(2, 1, 40)[:, 0]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(["label"] if has_label else []), *(f"t{step}" for step in range(40))])
        for number in range(n_rows):
            row = waves[number % 2] + rng.normal(0, 0.1, 40)
            writer.writerow([*(["ab"[number % 2]] if has_label else []), *row.round(4)])


def test_every_listed_network_has_a_checkpoint_a_recorded_answer_and_a_name() -> None:
    assert {CATALOGUE[name].format for name in NAMES} == set(LIBRARIES)
    assert set(LIBRARIES) == set(CHECKPOINTS) == set(RECORDED)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_published_checkpoint_gives_what_its_authors_code_gave(library: str, tmp_path: Path) -> None:
    base = load(write_checkpoint(library, tmp_path))
    features = encode(base, make_waves(2, 1, 40))
    assert features.shape == (2, base.record.n_dims)
    n_dims, first = RECORDED[library]
    last_block = features[1, -N_FACTS - n_dims : -N_FACTS]
    np.testing.assert_allclose(last_block[:6], first, atol=1e-4)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_network_is_frozen_and_reads_the_same_twice(library: str, tmp_path: Path) -> None:
    folder = write_checkpoint(library, tmp_path)
    first, second = load(folder), load(folder)
    assert first.fingerprint == second.fingerprint
    assert first.record.modality == "series"
    rows = make_waves(5, 1, 40)
    np.testing.assert_array_equal(encode(first, rows), encode(second, rows))
    assert first.module is not None
    assert not any(value.requires_grad for value in first.module().parameters())
    for number in range(5):
        np.testing.assert_allclose(encode(first, rows[number : number + 1])[0], encode(first, rows)[number], atol=2e-5)


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_stages_hold_every_parameter_once_and_heads_are_left_out(library: str, tmp_path: Path) -> None:
    base = load(write_checkpoint(library, tmp_path))
    assert base.module is not None
    names = {name for name, _ in base.module().net.named_parameters()}
    listed = [name for stage in base.stages() for name in stage.parameters]
    assert sorted(listed) == sorted(names)
    assert len(base.stages()) == 3
    assert set(base.parts.weights) == names
    left_out = [name for name in make_tensors(library) if not SERIES_LAYOUTS[library].rename(name)]
    assert left_out
    assert not [name for name in left_out if not name.startswith(
        ("prj.", "head.", "decoder.", "output_patch_embedding.", "encoder.embed_tokens.", "vit_unit.pos_encoder.",
         "patch_embedding.position_embedding.", "tokgen_unit.scalar_encoders."))]  # fmt: skip


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("n_channels", [2, 700])
def test_channels_are_encoded_by_themselves(library: str, n_channels: int, tmp_path: Path) -> None:
    folder = write_checkpoint(library, tmp_path)
    rows = np.repeat(make_waves(2, 2, 40), n_channels // 2, axis=1)
    base = load(folder, n_channels=n_channels)
    features, single = encode(base, rows), load(folder)
    assert features.shape == (2, base.record.n_dims)
    each = np.stack([encode(single, rows[:, [number]]) for number in (0, n_channels - 1)], 1)
    if n_channels == 2:
        np.testing.assert_allclose(features.reshape(2, 2, -1), each, atol=2e-4)
        return
    width = base.record.n_dims // 2
    np.testing.assert_allclose(features[:, width:], each.max(1)[:, -width:], atol=2e-4)
    np.testing.assert_allclose(features[:, :width], each.mean(1)[:, -width:], atol=2e-4)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    "values",
    [[5.0], [1.0, 2.0], [0.1] * 40, [np.nan] * 30 + [3.0], [1e30, -1e30] * 20, [1e-30] * 9, [1.0, np.nan, 3.0] * 40],
    ids=["one step", "two steps", "dead", "gap", "huge", "tiny", "longer"],
)
def test_odd_series_become_finite_numbers(library: str, values: list[float], tmp_path: Path) -> None:
    features = encode(load(write_checkpoint(library, tmp_path)), np.array([[values]], np.float32))
    assert np.isfinite(features).all()


def test_a_gap_is_known_to_chronos_bolt_and_filled_for_the_others(tmp_path: Path) -> None:
    whole = make_waves(1, 1, 40)
    line = whole.copy()
    line[0, 0, 10:20] = np.linspace(line[0, 0, 9], line[0, 0, 20], 12)[1:-1]
    gap = line.copy()
    gap[0, 0, 10:20] = np.nan
    for library in LIBRARIES:
        base = load(write_checkpoint(library, tmp_path / library))
        same = np.allclose(encode(base, gap)[:, :-N_FACTS], encode(base, line)[:, :-N_FACTS], atol=1e-4)
        assert same == (library != "chronos-bolt"), library


def test_what_stands_before_a_short_series_is_not_read_by_moment(tmp_path: Path) -> None:
    base = load(write_checkpoint("moment", tmp_path), n_steps=64)
    short = make_waves(1, 1, 32)
    assert base.spec["length"] == 64
    assert load(tmp_path, n_steps=32).spec["length"] == 32
    assert load(tmp_path, n_steps=900).spec["length"] == 64
    assert not np.allclose(encode(load(tmp_path, n_steps=32), short), encode(base, short), atol=1e-3)


@pytest.mark.parametrize(
    ("library", "changes"),
    [
        ("mantis", {"kernel_size": 41}),
        ("mantis", {"transf_depth": 10**6}),
        ("mantis", {"num_patches": 0}),
        ("mantis", {"seq_len": "64"}),
        ("mantis", {"scalar_scales": [0.0]}),
        ("mantis", {"hidden_dim": [8]}),
        ("mantis", {"transf_num_heads": 10**9}),
        ("moment", {"transformer_type": "encoder_decoder"}),
        ("moment", {"patch_stride_len": 4}),
        ("moment", {"t5_config": None}),
        ("moment", {"t5_config": {**CHECKPOINTS["moment"][0]["t5_config"], "feed_forward_proj": "relu"}}),
        ("moment", {"seq_len": 10**9}),
        ("chronos-bolt", {"feed_forward_proj": "gated-gelu"}),
        ("chronos-bolt", {"num_layers": 10**6}),
        ("chronos-bolt", {"architectures": ["Chronos2Model"]}),
        ("chronos-bolt", {"layer_norm_epsilon": "x"}),
        ("tiny-time-mixer", {"mode": "mix_channel"}),
        ("tiny-time-mixer", {"resolution_prefix_tuning": True}),
        ("tiny-time-mixer", {"adaptive_patching_levels": 8}),
        ("tiny-time-mixer", {"expansion_factor": True}),
    ],
)
def test_variants_and_settings_out_of_range_are_refused(library: str, changes: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(HeadstartError) as caught:
        base = load(write_checkpoint(library, tmp_path, **changes))
        assert base.module is not None
        base.module()
    assert caught.value.problem
    assert caught.value.hint


@pytest.mark.parametrize("library", LIBRARIES)
def test_missing_tensors_are_named(library: str, tmp_path: Path) -> None:
    folder = write_checkpoint(library, tmp_path)
    tensors = load_file(folder / "model.safetensors")
    layout = SERIES_LAYOUTS[library]
    lost = next(name for name in tensors if layout.rename(name))
    save_file({name: value for name, value in tensors.items() if name != lost}, folder / "model.safetensors")
    with pytest.raises(DataError, match="missing") as caught:
        module = load(folder).module
        assert module is not None
        module()
    assert layout.rename(lost) in str(caught.value)
    save_file({"other.weight": np.zeros(3, np.float32)}, folder / "model.safetensors")
    with pytest.raises(DataError, match="holds no tensor"):
        load(folder)


def test_newer_names_of_mantis_are_read_as_well(tmp_path: Path) -> None:
    old = load(write_checkpoint("mantis", tmp_path / "old"))
    folder = write_checkpoint("mantis", tmp_path / "new")
    tensors = {name.replace("vit_unit", "transf_unit"): value for name, value in make_tensors("mantis").items()}
    save_file(tensors, folder / "model.safetensors")
    np.testing.assert_array_equal(encode(old, make_waves(2, 1, 40)), encode(load(folder), make_waves(2, 1, 40)))


def test_other_folders_are_not_taken_for_networks_of_series() -> None:
    for config in ({"model_type": "bert"}, {"model_type": "t5"}, {"architecture": "resnet18"}, {}):
        assert find_layout(config) is None


def test_a_bundle_of_a_stranger_cannot_ask_for_more_than_its_weights_hold(tmp_path: Path) -> None:
    parts = load(write_checkpoint("mantis", tmp_path)).parts
    shapes = {name: tuple(value.shape) for name, value in parts.weights.items()}
    with pytest.raises(DataError):
        build_network(mantis, {**parts.architecture, "blocks": 64}, shapes, "a bundle")


@pytest.mark.parametrize(("library", "strategy"), [("mantis", "full"), ("moment", "lora")])
def test_a_network_can_be_trained_further(
    library: str, strategy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_briefly(monkeypatch)
    data, runner = tmp_path / "waves.csv", CliRunner()
    write_waves(data, 45, has_label=True)
    folder = write_checkpoint(library, tmp_path / "base")
    options = ["--base", f"file:{folder}", "--strategy", strategy, "--audit", "none", "--offline", "--time", "20m"]
    options.append("--keep-torch")  # So that its weights lie in a file of their own.
    adapted = runner.invoke(app, ["adapt", str(data), "-o", str(tmp_path / "out"), *options])
    assert adapted.exit_code == 0, adapted.output
    document = json.loads((tmp_path / "out" / "result.json").read_text())
    assert strategy in [item["name"] for item in document["strategies"]], document["skipped"]
    tuned, frozen = load_file(tmp_path / "out" / "bundle" / "model.safetensors"), load(folder).parts.weights
    moved = [name for name in frozen if not np.array_equal(tuned[f"base/{name}"], frozen[name])]
    assert moved
    assert strategy == "full" or all(name.split(".")[-2] in ("query", "key", "value") for name in moved)
    predicted = runner.invoke(app, ["predict", str(tmp_path / "out" / "bundle"), str(data), "--precision", "float32"])
    assert predicted.exit_code == 0, predicted.output


@pytest.mark.parametrize("library", LIBRARIES)
def test_adapt_predict_and_the_exported_predictor_agree(library: str, tmp_path: Path) -> None:
    runner = CliRunner()
    data, asked = tmp_path / "waves.csv", tmp_path / "asked.csv"
    write_waves(data, 60, has_label=True)
    write_waves(asked, 6, has_label=False)
    folder = write_checkpoint(library, tmp_path / "base")
    out = tmp_path / "out"
    options = ["--base", f"file:{folder}", "--strategy", "linear-probe", "--audit", "none", "--offline"]
    adapted = runner.invoke(app, ["adapt", str(data), "-o", str(out), *options])
    assert adapted.exit_code == 0, adapted.output
    predicted = runner.invoke(
        app, ["predict", str(out), str(asked), "-o", str(tmp_path / "ours.csv"), "--layout", "machine"]
    )
    assert predicted.exit_code == 0, predicted.output
    exported = subprocess.run(
        [sys.executable, "predict.py", str(asked)], cwd=out / "bundle", capture_output=True, text=True, check=True
    )
    with (tmp_path / "ours.csv").open() as file:
        ours = list(csv.DictReader(file))
    theirs = list(csv.DictReader(exported.stdout.splitlines()))
    assert [row["label"] for row in ours] == [row["label"] for row in theirs] == list("ababab")
    document = json.loads((out / "result.json").read_text())
    assert document["base"]["name"] == "file:base"


@pytest.mark.parametrize("name", NAMES)
def test_a_tiny_checkpoint_of_every_name_of_the_catalogue_is_read(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = CATALOGUE[name]
    put_in_cache(record, write_checkpoint(record.format, tmp_path / "model"), tmp_path / "cache", monkeypatch)
    assert name in list_present([record])
    need = BaseRequest(modality="series", offline=True, spec={"length": 40, "n_channels": 1})
    base = bases.load_base(name, need)
    features = encode(base, make_waves(2, 1, 40))
    assert features.shape == (2, base.record.n_dims)
    assert base.record.name == name
    assert base.record.licence == record.licence


def test_a_name_whose_files_became_another_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = CATALOGUE["mantis-8m"]
    put_in_cache(record, write_checkpoint("moment", tmp_path / "model"), tmp_path / "cache", monkeypatch)
    with pytest.raises(DataError, match="another network"):
        bases.load_base("mantis-8m", BaseRequest(modality="series", offline=True))


def test_the_shared_tiny_time_mixer_loads_and_knows_shapes(shared: Path) -> None:
    folder = shared / "weights" / "tsfm" / "ttm-r2-512-96"
    if not folder.is_dir():
        pytest.skip("the shared weights are not here")
    base = load(folder, n_steps=60)
    assert base.record.n_dims == 3 * 3 * 192 + N_FACTS
    assert sum(value.size for value in base.parts.weights.values()) == 515_584
    waves, rng = make_waves(2, 1, 60), np.random.default_rng(0)
    rows = np.concatenate([wave[None] + rng.normal(0, 0.2, (10, 1, 60)) for wave in waves]).astype(np.float32)
    features = encode(base, rows)[:, :-N_FACTS]
    far = np.linalg.norm(features[:, None] - features[None], axis=2)
    assert far[:10, 10:].mean() > 1.2 * far[:10, :10].max(axis=1).mean()
