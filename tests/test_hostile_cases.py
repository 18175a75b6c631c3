"""The hostile bundles of a development checkout (../shared/cases/hostile); skipped where that folder is absent."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.mutations import copy, put, seal
from tests.tiny import BASES
from typer.testing import CliRunner

from headstart import flow
from headstart.bases import write_folder
from headstart.cli.main import app
from headstart.options import AdaptOptions, parse

CONFIGS = ("config-arrays-empty", "config-spec-gaps-list", "config-spec-length-object", "portable-files-outside")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, series_table: Path, shared: Path) -> Path:
    """A series bundle, as those that the cases were made of."""
    root = tmp_path_factory.mktemp("cases")
    write_folder(BASES["series"]().parts, root / "base")
    options = parse(AdaptOptions, base=f"file:{root / 'base'}", strategy="linear-probe", offline=True)
    flow.adapt(series_table, root / "out", options)
    return root / "out" / "bundle"


@pytest.mark.parametrize("command", ["predict", "onnx", "evaluate", "recalibrate", "export", "verify"])
@pytest.mark.parametrize("case", CONFIGS)
def test_a_config_of_the_cases_is_refused_and_nothing_is_written(
    case: str, command: str, bundle: Path, series_table: Path, shared: Path, tmp_path: Path
) -> None:
    folder = shared / "cases" / "hostile" / case
    if not folder.is_dir():
        pytest.skip("the cases are not on this machine")
    place = tmp_path / "one" / "two"
    place.mkdir(parents=True)
    bad = copy(bundle, place / "bundle")
    document = json.loads((bad / "config.json").read_text("utf-8"))
    document["portable"] = json.loads((folder / "config.json").read_text("utf-8"))["portable"]
    put(bad / "config.json", json.dumps(document).encode())
    seal(bad)
    before = sorted(tmp_path.rglob("*"))
    told = {
        "predict": ("predict", bad, series_table), "onnx": ("predict", bad, series_table, "--runtime", "onnx"),
        "evaluate": ("evaluate", bad, series_table), "export": ("export", bad, "--to", "onnx", "-o", place / "new"),
        "recalibrate": ("evaluate", bad, series_table, "--recalibrate", place / "new"), "verify": ("verify", bad),
    }  # fmt: skip
    done = CliRunner().invoke(app, [*map(str, told[command])])
    assert done.exit_code == 2 and "cannot be understood: config.json" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 2 and sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("case", ["golden-bomb", "golden-outputs-1d"])
def test_golden_rows_of_the_cases_are_refused(case: str, bundle: Path, shared: Path, tmp_path: Path) -> None:
    if not (shared / "cases" / "hostile" / case).is_dir():
        pytest.skip("the cases are not on this machine")
    bad = copy(bundle, tmp_path / "bundle")
    with np.load(bad / "golden.npz") as held:
        arrays = {name: held[name] for name in held.files}
    if case == "golden-bomb":
        arrays["in_series"] = np.zeros((32, 1, 3_000_000), np.float32)
    else:
        arrays["outputs"] = arrays["outputs"][:, 0]
    (bad / "golden.npz").unlink()
    np.savez_compressed(bad / "golden.npz", **arrays)  # type: ignore[arg-type]
    seal(bad)
    done = CliRunner().invoke(app, ["verify", str(bad)])
    assert done.exit_code == 2 and "golden.npz: " in done.stderr and len(done.stderr.strip().splitlines()) == 2
