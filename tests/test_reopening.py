"""A bundle that does not answer as the model in memory does never takes its name."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.tiny import BASES

from headstart import bundle as bundles
from headstart import data, flow
from headstart.api.model import Model, load, make_model
from headstart.bases import write_folder
from headstart.bundle import decision, shared_weights
from headstart.decisions import DecisionPolicy
from headstart.errors import BundleError
from headstart.flow.adaptation.run import adapt_table
from headstart.options import AdaptOptions, parse


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, AdaptOptions, Model]:
    """A table of texts with more rows than features, how it is adapted to, and the model in memory."""
    folder = tmp_path_factory.mktemp("reopening")
    rng = np.random.default_rng(0)
    topics = {"water": "pump tap well pipe", "roads": "bridge lorry street hole", "school": "book exam desk teacher"}
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["text", "label"])
        for number in range(120):
            label = list(topics)[number % 3]
            writer.writerow([" ".join(rng.permutation(topics[label].split())[:3]) + f" {number}", label])
    write_folder(BASES["text"]().parts, folder / "base")
    options = parse(AdaptOptions, base=f"file:{folder / 'base'}", strategy="linear-probe", offline=True)
    table = data.read_table(folder / "rows.csv", options)
    return folder / "rows.csv", options, make_model(adapt_table(table, None, options))


def _scrambled(rules: DecisionPolicy) -> DecisionPolicy:
    assert rules.out_of_distribution is not None
    space = rules.out_of_distribution.space
    basis = np.frombuffer(space.basis.tobytes(order="F"), np.float32).reshape(space.basis.shape)
    return replace(rules, out_of_distribution=replace(rules.out_of_distribution, space=replace(space, basis=basis)))


def _spoil_decisions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the basis as safetensors 0.8 writes a Fortran-ordered array."""
    write = decision.write_decision_policy
    monkeypatch.setattr(decision, "write_decision_policy", lambda rules, folder: write(_scrambled(rules), folder))


def _spoil_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    write = shared_weights.write_arrays

    def spoil(path: Path, arrays: Any, *more: Any) -> None:
        write(path, {name: -value if value.dtype.kind == "f" else value for name, value in arrays.items()}, *more)

    monkeypatch.setattr(shared_weights, "write_arrays", spoil)


@pytest.mark.parametrize("spoil", [_spoil_decisions, _spoil_weights])
def test_adapt_writes_no_bundle_that_answers_otherwise(
    spoil: Any, made: tuple[Path, AdaptOptions, Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, options, _ = made
    spoil(monkeypatch)
    with pytest.raises(BundleError, match="its answers differ from those of the model in"):
        flow.adapt(rows, tmp_path / "out", options)
    assert not (tmp_path / "out" / "bundle").exists() and not list((tmp_path / "out").glob(".bundle*"))
    assert not (tmp_path / "out" / "result.json").exists()


@pytest.mark.parametrize("spoil", [_spoil_decisions, _spoil_weights])
def test_a_model_that_is_saved_again_leaves_the_bundle_that_was_there(
    spoil: Any, made: tuple[Path, AdaptOptions, Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = made[2]
    model.save(tmp_path / "bundle")
    manifest = (tmp_path / "bundle" / "manifest.json").read_bytes()
    spoil(monkeypatch)
    with pytest.raises(BundleError, match="its answers differ"):
        model.save(tmp_path / "bundle")
    assert (tmp_path / "bundle" / "manifest.json").read_bytes() == manifest


def test_a_saved_model_answers_every_row_as_in_memory(made: tuple[Path, AdaptOptions, Model], tmp_path: Path) -> None:
    rows, _, model = made
    with rows.open(encoding="utf-8") as handle:
        texts = [*(row["text"] for row in csv.DictReader(handle)), "zzz", "qqq 777 xxx"]
    model.save(tmp_path / "bundle")
    answers = model.answer(texts)
    assert Model(bundles.load_bundle(tmp_path / "bundle", "torch")).answer(texts) == answers
    soonest = load(tmp_path / "bundle").answer(texts)  # From its portable form: the same but for rounding.
    assert [(one["answer"], one["set"]) for one in soonest] == [(one["answer"], one["set"]) for one in answers]
