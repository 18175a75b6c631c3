"""Bundles of formats 1 and 2, whose arrays may have been scrambled when they were written: put right, or refused."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner

from headstart import bundle as bundles
from headstart.array_files import read_arrays, write_arrays
from headstart.bundle.golden import GoldenRows
from headstart.bundle.records.memory_order import restore_memory_order, reverse_memory_order
from headstart.bundle.seen import SeenRows
from headstart.cli.main import app
from headstart.decisions import OutOfDistributionDetector, fit_out_of_distribution
from headstart.home import write_json
from headstart.sealed_folders import hash_file

DATA = Path(__file__).parent / "data"
ROWS = DATA / "bundle-rows.csv"


def scrambled(values: np.ndarray) -> np.ndarray:
    """What is read back where the memory of a Fortran-ordered array is written as it lies."""
    return np.frombuffer(values.tobytes(order="F"), values.dtype).reshape(values.shape)


def fit_detector(n_rows: int, n_dims: int) -> tuple[OutOfDistributionDetector, np.ndarray]:
    """A detector fitted on rows around three centres, and the rows."""
    rng = np.random.default_rng(0)
    codes = np.arange(n_rows) % 3
    values = (3 * rng.normal(size=(3, n_dims))[codes] + rng.normal(size=(n_rows, n_dims))).astype(np.float32)
    ids = np.asarray([str(row) for row in range(n_rows)], dtype=object)
    detector = fit_out_of_distribution(values, codes, np.arange(n_rows) % 5, ids)
    assert detector is not None
    return detector, values / np.linalg.norm(values, axis=1, keepdims=True)


def with_basis(detector: OutOfDistributionDetector, basis: np.ndarray) -> OutOfDistributionDetector:
    return replace(detector, space=replace(detector.space, basis=basis))


def test_the_other_order_undoes_what_the_file_did() -> None:
    values = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(reverse_memory_order(scrambled(values)), values)
    assert not np.array_equal(scrambled(values), values)


@pytest.mark.parametrize(("n_rows", "n_dims"), [(90, 40), (300, 200), (30, 60)])
def test_a_scrambled_basis_is_put_right_and_a_right_one_stays(n_rows: int, n_dims: int) -> None:
    detector, rows = fit_detector(n_rows, n_dims)
    basis = detector.space.basis
    assert restore_memory_order(detector, rows).repaired == ()
    order = restore_memory_order(with_basis(detector, scrambled(basis)), rows)
    assert order.repaired == ("basis",) and order.damaged == order.untested == ()
    np.testing.assert_array_equal(order.detector.space.basis, basis)


def test_a_square_basis_is_told_by_the_remembered_rows_and_without_them_not_at_all() -> None:
    detector, rows = fit_detector(120, 20)
    basis = detector.space.basis
    assert basis.shape == (20, 20)
    assert restore_memory_order(detector, rows).repaired == restore_memory_order(detector, rows).untested == ()
    wrong = with_basis(detector, scrambled(basis))
    order = restore_memory_order(wrong, rows)
    assert order.repaired == ("basis",)
    np.testing.assert_array_equal(order.detector.space.basis, basis)
    for centres in (None, rows[:0], rows[:, :3]):
        assert restore_memory_order(wrong, centres).untested == ("basis",)


FIELDS = {"kept": "remembered"}
"""Fields of the detector whose arrays are stored under another name."""


@pytest.mark.parametrize("names", [("kept",), ("means",), ("kept", "means"), ("basis", "kept", "means")])
def test_scrambled_places_are_put_right_by_the_means_of_their_classes(names: tuple[str, ...]) -> None:
    detector, rows = fit_detector(90, 40)
    fields = [FIELDS.get(name, name) for name in names if name != "basis"]
    wrong = replace(detector, **{name: scrambled(getattr(detector, name)) for name in fields})
    wrong = with_basis(wrong, scrambled(detector.space.basis)) if "basis" in names else wrong
    order = restore_memory_order(wrong, rows)
    assert order.repaired == names and not order.damaged
    # The products of some processors' libraries depend on how the arrays lie in memory.
    np.testing.assert_allclose(order.detector.distances(rows), detector.distances(rows), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["basis", "inner", "kept"])
def test_arrays_that_are_wrong_in_both_orders_are_damaged(name: str) -> None:
    detector, rows = fit_detector(90, 40)
    if name == "kept":
        values = np.random.default_rng(1).normal(size=detector.remembered.shape)
        wrong = replace(detector, remembered=values.astype(np.float32))
    else:
        shape = getattr(detector.space, name).shape
        values = np.random.default_rng(1).normal(size=shape).astype(np.float32)
        wrong = replace(detector, space=replace(detector.space, **{name: values}))
    assert name in restore_memory_order(wrong, rows).damaged


@pytest.mark.parametrize("number", [1, 2])
def test_after_repair_the_stored_bundles_place_their_training_rows_where_they_were(number: int) -> None:
    """Their bases lie scrambled in the file; the remembered rows are the training rows themselves, in order."""
    folder = DATA / f"bundle-format-{number}"
    rules, seen = bundles.load_bundle(folder, "torch").decision_policy, SeenRows.read(folder)
    assert rules is not None and rules.out_of_distribution is not None and seen is not None
    np.testing.assert_allclose(
        rules.out_of_distribution.space.project(seen.centres), rules.out_of_distribution.remembered, atol=5e-3
    )


# Whole bundles.


def reseal(folder: Path, number: int | None = None) -> None:
    """Write the manifest anew, and the format number into it and into config.json."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    if number is not None:
        manifest["format"] = number
        config = json.loads((folder / "config.json").read_text("utf-8"))
        write_json(folder / "config.json", {**config, "format": number})
    manifest["sha256"] = {name: hash_file(folder / name) for name in manifest["sha256"]}
    write_json(folder / "manifest.json", manifest)


def change_arrays(path: Path, change: Callable[[dict[str, np.ndarray]], None]) -> None:
    """Write arrays as earlier versions did: no checksums."""
    arrays = load_file(path)
    change(arrays)
    save_file(arrays, path)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle of format 3 with more training rows than features."""
    return Path(shutil.copytree(DATA / "bundle-format-3", tmp_path / "bundle"))


def answers(folder: Path, tmp_path: Path, *more: str) -> list[dict[str, str]]:
    out = tmp_path / "answers.csv"
    told = ["predict", str(folder), str(ROWS), "-o", str(out), "--layout", "machine", "--precision", "float32", *more]
    done = CliRunner().invoke(app, told)
    assert done.exit_code == 0, done.output
    with out.open(encoding="utf-8") as handle:
        return [{key: row[key] for key in ("label", "answer", "probability")} for row in csv.DictReader(handle)]


def run(*told: object) -> Any:
    return CliRunner().invoke(app, [str(part) for part in told])


def as_version_2_wrote_it(folder: Path) -> None:
    """Scramble the basis as version 0.1 did under safetensors 0.8, with all hashes right."""
    change_arrays(folder / "decision.safetensors", lambda found: found.update(basis=scrambled(found["basis"])))
    golden = GoldenRows.read(folder)
    replace(golden, kind_codes=None, class_indices=None).write(folder)
    reseal(folder, 2)


@pytest.mark.parametrize("runtime", ["torch", "onnx"])
def test_a_scrambled_bundle_of_format_2_answers_as_in_memory_and_says_so(
    runtime: str, bundle: Path, tmp_path: Path
) -> None:
    right = answers(bundle, tmp_path, "--runtime", runtime)
    as_version_2_wrote_it(bundle)
    assert answers(bundle, tmp_path, "--runtime", runtime) == right
    done = run("predict", bundle, ROWS, "--runtime", runtime)
    assert "scrambled" in done.output and "adapt again" in done.output.lower()


def test_a_bundle_of_format_2_in_neither_order_is_refused(bundle: Path) -> None:
    noise = np.random.default_rng(0).normal(size=(32, 31)).astype(np.float16)
    change_arrays(bundle / "decision.safetensors", lambda found: found.update(basis=noise))
    reseal(bundle, 2)
    for told in (("predict", bundle, ROWS), ("verify", bundle), ("evaluate", bundle, ROWS)):
        done = run(*told)
        assert done.exit_code == 2 and "Adapt again" in done.output, done.output


def test_a_bundle_of_format_2_that_does_not_answer_its_golden_rows_is_refused(bundle: Path) -> None:
    golden = GoldenRows.read(bundle)
    replace(golden, outputs=golden.outputs[::-1] * 0.5).write(bundle)
    reseal(bundle, 2)
    done = run("predict", bundle, ROWS)
    assert done.exit_code == 2 and "gives other answers" in " ".join(done.output.split()), done.output


def test_a_scrambled_bundle_that_is_saved_again_is_right_in_its_files(bundle: Path, tmp_path: Path) -> None:
    """`export` writes format 3 with the decisions as they were in memory, for predict.py as well."""
    basis = read_arrays(bundle / "decision.safetensors")["basis"]
    right = answers(bundle, tmp_path)
    as_version_2_wrote_it(bundle)
    bundles.save_bundle(bundles.load_bundle(bundle), tmp_path / "again")
    np.testing.assert_array_equal(read_arrays(tmp_path / "again" / "decision.safetensors")["basis"], basis)
    assert json.loads((tmp_path / "again" / "manifest.json").read_text("utf-8"))["format"] == 3
    assert answers(tmp_path / "again", tmp_path) == right and run("verify", tmp_path / "again").exit_code == 0


SPOILT: dict[str, Callable[[dict[str, np.ndarray]], None]] = {
    "scrambled": lambda found: found.update(basis=scrambled(found["basis"])),
    "negative": lambda found: found.update(basis=-found["basis"]),
    "other rows": lambda found: found.update(kept=found["kept"][::-1].copy(), means=-found["means"]),
}


@pytest.mark.parametrize("name", SPOILT)
def test_verify_tells_decisions_that_do_not_answer_the_golden_rows_as_in_memory(name: str, bundle: Path) -> None:
    """All hashes and checksums are right, and the graph answers as it did."""
    arrays = read_arrays(bundle / "decision.safetensors")
    SPOILT[name](arrays)
    write_arrays(bundle / "decision.safetensors", arrays)
    reseal(bundle)
    done = run("verify", bundle, "--json")
    assert done.exit_code == 2 and "golden rows differently" in " ".join(done.output.split()), done.output
    document = json.loads(done.output[done.output.index("{") :])
    assert document["decided_otherwise"] and document["good"] is False


def test_verify_tells_a_changed_threshold(bundle: Path) -> None:
    rules = json.loads((bundle / "decision.json").read_text("utf-8"))
    rules["novelty"]["threshold"] = 0.0 if rules["novelty"]["threshold"] > 0.5 else 2.0
    write_json(bundle / "decision.json", rules)
    reseal(bundle)
    assert run("verify", bundle).exit_code == 2


def test_a_value_that_does_not_fit_its_checksum_is_refused_even_where_the_hashes_are_right(bundle: Path) -> None:
    path = bundle / "decision.safetensors"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    reseal(bundle)
    done = run("predict", bundle, ROWS)
    assert done.exit_code == 2 and "decision.safetensors" in done.output, done.output
