"""Strategies that move weights: what moves, what stays, what is kept on disk, how a killed one goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.test_strategies import _inputs
from tests.tiny import BASES
from torch import nn

from headstart.bases import cutting
from headstart.features.activations import Activations, CannotCache, TrunkPass, compute_activations
from headstart.features.views import compute_final_features
from headstart.records import Features, Table, make_column
from headstart.strategies import STRATEGIES
from headstart.strategies.fine_tuning import contrastive, full, last_stages, lora, norm_bias, search, tail_cost
from headstart.strategies.record import Clock, StrategyRows, StrategySkipped, Task
from headstart.training import loop
from headstart.training.config import ParameterGroup, TrainingConfig
from headstart.training.loop import TrainingData, train_network
from headstart.training.losses import LOSSES
from headstart.training.networks import add_low_rank, merge_low_rank
from headstart.training.run import update_weights

MODULES = {"last-stages": last_stages, "full": full, "lora": lora, "norm-bias": norm_bias, "contrastive": contrastive}
TUNED = [
    (name, modality)
    for name in MODULES
    for modality in STRATEGIES[name].modalities
    if (name, modality) != ("lora", "image")
]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Short trainings at high rates, so that something visibly moves."""
    for module in MODULES.values():
        quick = replace(module.CONFIG, epochs=2, learning_rate=1e-2, n_views=1)
        monkeypatch.setattr(module, "CONFIG", quick)
    monkeypatch.setattr(search, "SETTINGS", replace(search.SETTINGS, alphas=(0.0, 1.0)))
    tail_cost._MEASURED.clear()
    yield
    tail_cost._MEASURED.clear()


def rows_of(modality: str, folder: Path, n: int = 24, n_classes: int = 2) -> tuple[StrategyRows, Task]:
    """Rows with the features that the tiny base gives."""
    base = BASES[modality]()
    codes = np.arange(n) % n_classes
    ids = make_column([f"{number:064x}" for number in range(n)])
    table = Table(
        modality=modality,
        ids=ids,
        inputs=make_column(_inputs(modality, codes, folder)),
        hashes=ids,
        labels=None,
        splits=make_column([""] * n),
    )
    features = Features(ids, compute_final_features(table, base)[0], "tiny")
    classes = tuple(f"class {code}" for code in range(n_classes))
    task = Task(
        classes=classes,
        codes=codes.astype(np.intp),
        folds=(np.arange(n) // n_classes % 3).astype(np.intp),
        balance="off",
        seed=0,
        clock=Clock(600),
        spec=base.spec,
        architecture=base.parts.architecture,
        backbone=base,
    )
    return StrategyRows(table, features), task


@pytest.mark.parametrize("modality", ["image", "text"])
def test_both_halves_of_a_cut_give_what_the_whole_gives(modality: str, tmp_path: Path) -> None:
    base = BASES[modality]()
    assert base.module is not None
    module = base.module()
    pictures = (torch.randn(3, 3, 32, 32),)
    texts = (torch.tensor([[3, 4, 5, 0], [6, 7, 0, 0]]), torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0]]))
    rows = pictures if modality == "image" else texts
    for n_tail in range(1, cutting.n_blocks(module)):
        halves = cutting.cut_network(module, n_tail)
        assert halves is not None and cutting.halves_agree(module, halves, rows), n_tail
        inside = {name for name, _ in module.net.named_parameters()}
        assert set(halves.names) < inside
    assert cutting.cut_network(module, cutting.n_blocks(module)) is None and cutting.cut_network(module, 0) is None


@pytest.mark.parametrize("modality", ["image", "text"])
def test_activations_are_kept_by_content_and_the_tail_makes_the_features_of_them(
    modality: str, tmp_path: Path, fresh_home: Path
) -> None:
    rows, _ = rows_of(modality, tmp_path)
    base = BASES[modality]()
    how = TrunkPass(1, 1, "float32", 600.0)
    first = compute_activations(rows.table, base, how)
    shards = sorted(fresh_home.glob("features/*/*/shard-*"))
    again = compute_activations(rows.table.take(np.arange(len(rows))[::-1]), base, how)
    assert sorted(fresh_home.glob("features/*/*/shard-*")) == shards, "nothing is run twice"
    assert len(first.views) == (2 if modality == "image" else 1)
    np.testing.assert_array_equal(first.views[-1][0], again.views[-1][-1])
    assert isinstance(first, Activations) and first.views[0][0].dtype == np.float16
    assert base.module is not None
    halves = cutting.cut_network(base.module(), 1)
    assert halves is not None and rows.features is not None
    with torch.no_grad():
        found = halves.tail(*first.load_batch(0, [0, 5, 7])).numpy()
    np.testing.assert_allclose(found, rows.features.final[[0, 5, 7]], rtol=0.02, atol=0.02)


def test_a_pass_that_does_not_fit_the_time_is_refused_before_it_starts(tmp_path: Path, fresh_home: Path) -> None:
    rows, _ = rows_of("image", tmp_path)
    with pytest.raises(CannotCache, match="does not fit the time"):
        compute_activations(rows.table, BASES["image"](), TrunkPass(1, 1, "float32", 0.0))


@pytest.mark.parametrize(("name", "modality"), TUNED)
def test_only_what_the_recipe_names_moves_and_everything_else_stays_bit_for_bit(
    name: str, modality: str, tmp_path: Path
) -> None:
    rows, task = rows_of(modality, tmp_path)
    base = BASES[modality]()
    assert base.module is not None
    trainer = search.Trainer(MODULES[name].CONFIG, rows, task)
    n_tail = trainer.list_tails()[0]
    source = search.make_source(trainer, n_tail, 600.0)
    everything, nothing = np.arange(len(rows)), np.empty(0, np.intp)
    made = trainer.train_variant(search.TrainingVariant(source, bool(source.n_views), 2), everything, nothing, (1.0,))
    before = base.parts.weights
    moved = {key for key, value in made.weights[1.0].items() if not np.array_equal(value.numpy(), before[key])}
    assert moved, "something has moved"
    allowed = {
        "last-stages": set(cutting.cut_network(base.module(), max(n_tail, 1)).names),  # type: ignore[union-attr]
        "contrastive": set(cutting.cut_network(base.module(), max(n_tail, 1)).names),  # type: ignore[union-attr]
        "norm-bias": {
            *(key for key in before if key.endswith("bias")),
            *(f"{key}.weight" for key, item in base.module().net.named_modules()
              if isinstance(item, nn.BatchNorm2d | nn.LayerNorm)),
        },
        "lora": {
            key for key in before
            if any(part in key for part in ("query.weight", "key.weight", "value.weight", "qkv.weight"))
        },
        "full": set(before),
    }[name]  # fmt: skip
    assert moved <= allowed
    assert not any("running" in key or "num_batches" in key for key in made.weights[1.0]), "averages stay"
    for key, value in base.module().net.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[key], err_msg="the base in use is never touched")


def test_at_share_zero_the_model_is_the_probe(tmp_path: Path) -> None:
    rows, task = rows_of("image", tmp_path)
    trainer = search.Trainer(last_stages.CONFIG, rows, task)
    source = search.make_source(trainer, trainer.list_tails()[0], 600.0)
    inside, held = np.flatnonzero(task.folds != 0), np.flatnonzero(task.folds == 0)
    made = trainer.train_variant(search.TrainingVariant(source, False, 1), inside, held, (0.0, 1.0))
    assert rows.features is not None
    probe = trainer.fit_probe(rows.features.final, inside)
    direct = (rows.features.final[held].astype(np.float64) - probe.centre) @ probe.coefficients + probe.intercept
    np.testing.assert_allclose(made.scores[0.0][0], direct, rtol=0.02, atol=0.05)
    assert not np.allclose(made.scores[1.0][0], direct, atol=1e-3)


def test_merged_and_unmerged_low_rank_updates_agree() -> None:
    base = BASES["text"]()
    assert base.module is not None
    from headstart.bases import assemble_backbone

    module = assemble_backbone(base.parts).module()  # type: ignore[misc]
    layers = add_low_rank(module.net, 0)
    assert len(layers) == 9
    for layer in layers.values():
        nn.init.normal_(layer.parametrizations.weight[0].up, std=0.1)  # type: ignore[union-attr, operator]
    ids, mask = torch.tensor([[3, 4, 5]]), torch.ones(1, 3, dtype=torch.int64)
    with torch.no_grad():
        apart = module(ids, mask)[-1]
        merge_low_rank(layers)
        merged = module(ids, mask)[-1]
        plain = base.module()(ids, mask)[-1]
    torch.testing.assert_close(apart, merged)
    assert not torch.allclose(merged, plain, atol=1e-3)
    assert set(module.net.state_dict()) == set(base.parts.weights)


def test_two_rows_of_one_class_contrast_with_a_third() -> None:
    embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    found = LOSSES["contrastive"].compute_mean(embeddings, torch.tensor([0, 0, 1]), torch.ones(2), 0.0)
    assert float(found) == pytest.approx(0.0, abs=1e-6)
    wrong = LOSSES["contrastive"].compute_mean(embeddings, torch.tensor([0, 1, 1]), torch.ones(2), 0.0)
    assert float(wrong) == pytest.approx((1 + 1 / 2) / 2)  # the one pair of a class is at 0; of two others one is at 1
    alone = LOSSES["contrastive"].compute_mean(embeddings[:1], torch.tensor([0]), torch.ones(1), 0.0)
    assert float(alone) == 0.0


def _data() -> TrainingData:
    generator = torch.Generator().manual_seed(1)
    values, codes = torch.randn(40, 4, generator=generator), torch.arange(40) % 2
    return TrainingData(
        inputs=lambda rows, _: (values[rows],),
        targets=codes,
        train_rows=torch.arange(40),
        validation_rows=torch.arange(0),
        output_weights=torch.ones(2),
    )


def _net() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))


def test_a_batch_learnt_in_parts_gives_the_step_of_the_whole_batch() -> None:
    plans = [
        TrainingConfig(
            epochs=1, batch_size=32, groups=(ParameterGroup("", 1e-2),), frozen_statistics=True, rows_at_once=size
        )
        for size in (0, 5)
    ]
    nets = [_net(), _net()]
    for net, plan in zip(nets, plans, strict=True):
        loop.set_training_mode(net, plan)
        generator = torch.Generator().manual_seed(0)
        losses = loop.compute_batch_losses(net, _data(), torch.arange(32), config=plan, generator=generator)
        update_weights(net, loop.build_optimizer(net, plan), losses)
    for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_mixtures_of_two_rows_are_learnt_with_the_mixture_of_their_losses() -> None:
    scores = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    data = TrainingData(
        inputs=lambda rows, _: (scores[rows],),
        targets=torch.tensor([0, 1]),
        train_rows=torch.arange(2),
        validation_rows=torch.arange(0),
        output_weights=torch.ones(2),
    )
    plan = TrainingConfig(epochs=1, batch_size=2, groups=(), label_smoothing=0.0, mixup=True)
    generator = torch.Generator().manual_seed(2)
    share, order = float(torch.rand(1, generator=generator)), torch.randperm(2, generator=generator)
    found = loop.compute_loss(
        nn.Identity(), data, torch.arange(2), config=plan, generator=torch.Generator().manual_seed(2)
    )
    mixed = share * scores + (1 - share) * scores[order]
    told = nn.functional.log_softmax(mixed, dim=1)
    expected = -(share * told[[0, 1], [0, 1]] + (1 - share) * told[[0, 1], order.tolist()]).mean()
    assert order.tolist() == [1, 0] and 0.05 < share < 0.95
    torch.testing.assert_close(found, expected)
    plain = loop.compute_loss(nn.Identity(), data, torch.arange(2), config=plan, generator=None)
    assert not torch.isclose(plain, found)


def test_a_training_killed_after_an_epoch_goes_on_to_the_same_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = TrainingConfig(epochs=6, batch_size=8, groups=(ParameterGroup("", 1e-2),), keep="last")
    whole = _net()
    train_network(whole, _data(), plan)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)

    class Killed(Exception):
        """The process ends here."""

    def dies(self: loop._Training) -> None:
        if self.epoch == 3:
            raise Killed
        original(self)

    original = loop._Training.run_epoch
    monkeypatch.setattr(loop._Training, "run_epoch", dies)
    path = tmp_path / "training.safetensors"
    with pytest.raises(Killed):
        train_network(_net(), _data(), plan, path=path)
    assert path.is_file()
    monkeypatch.setattr(loop._Training, "run_epoch", original)
    resumed = _net()
    trained = train_network(resumed, _data(), plan, path=path)
    assert trained.epochs == 6 and not path.exists()
    for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_a_damaged_checkpoint_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "training.safetensors"
    path.write_bytes(b"no checkpoint")
    one, two = _net(), _net()
    train_network(one, _data(), TrainingConfig(epochs=2, batch_size=8, groups=(ParameterGroup("", 1e-2),)))
    train_network(two, _data(), TrainingConfig(epochs=2, batch_size=8, groups=(ParameterGroup("", 1e-2),)), path=path)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


def test_finished_folds_are_taken_from_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, task = rows_of("image", tmp_path)
    parts = tmp_path / "parts"
    parts.mkdir()
    task = replace(task, folder=parts)
    first = search.VariantSearch(search.Trainer(last_stages.CONFIG, rows, task), Clock(600))
    trial = search.TrainingVariant(first.source_of(first.tails[0]), False, 2)
    made = first.train_fold(trial, (0, 1))
    assert [path.name for path in parts.iterdir()] == ["2-0-2-0-1.safetensors"]
    again = search.VariantSearch(search.Trainer(last_stages.CONFIG, rows, task), Clock(600))
    monkeypatch.setattr(search.Trainer, "train_variant", None)  # Nothing is trained again.
    found = again.train_fold(trial, (0, 1))
    np.testing.assert_array_equal(made.scores[1.0], found.scores[1.0])


def test_too_little_time_is_said_before_anything_is_trained(tmp_path: Path) -> None:
    rows, task = rows_of("image", tmp_path)
    with pytest.raises(StrategySkipped, match="give more with --time"):
        last_stages.forecast(rows, replace(task, clock=Clock(0.01)))


def test_a_base_without_layers_is_not_tuned(tmp_path: Path) -> None:
    rows, task = rows_of("image", tmp_path)
    with pytest.raises(StrategySkipped, match="no layers"):
        last_stages.fit(rows, replace(task, backbone=None), {})
    with pytest.raises(StrategySkipped, match="at most 64"):
        many = np.zeros(200, dtype=np.intp)
        contrastive.fit(rows, replace(task, codes=many), {})
