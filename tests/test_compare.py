"""Two bundles on the same rows: what got better and worse."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from headstart import bundle as bundles
from headstart import flow
from headstart.cli.main import app
from headstart.errors import BundleError
from headstart.evaluation.comparison.model_changes import compare_parts, compare_rows, sign_test
from headstart.options import AdaptOptions, CompareOptions, parse
from headstart.records import Predictions, make_column
from headstart.results import Comparison

QUICK = {"offline": True, "precision": "float32", "audit": "none"}
ASKED = parse(CompareOptions, offline=True, precision="float32")


@pytest.fixture(scope="module")
def pair(text_table: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("pair")
    for name in ("majority", "linear-probe"):
        flow.adapt(text_table, root / name, parse(AdaptOptions, **QUICK, strategy=name))
    return root / "majority", root / "linear-probe"


def test_the_better_bundle_is_found_and_every_changed_row_is_written(
    pair: tuple[Path, Path], fresh_table: Path, tmp_path: Path
) -> None:
    found = flow.compare(*pair, fresh_table, tmp_path / "changed.csv", ASKED)
    assert Comparison.model_validate_json(found.model_dump_json()) == found
    assert found.difference.low > 0 and found.p_value < 0.001 and "it is better" in found.reading
    assert found.difference.value == pytest.approx((found.n_better - found.n_worse) / found.n_rows)
    assert found.difference.value == pytest.approx(found.new_value.value - found.old_value.value)
    with (tmp_path / "changed.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["change"] for row in rows].count("better") == found.n_better
    assert len(rows) == found.n_better + found.n_worse
    assert all(row["new"] == row["label"] != row["old"] for row in rows if row["change"] == "better")
    assert sum(part.n_better for part in found.per_class) == found.n_better


def test_the_other_way_round_it_is_worse_and_with_itself_there_is_no_evidence(
    pair: tuple[Path, Path], fresh_table: Path
) -> None:
    back = flow.compare(pair[1], pair[0], fresh_table, None, ASKED)
    assert back.difference.high < 0 and "it is worse" in back.reading
    same = flow.compare(pair[1], pair[1], fresh_table, None, ASKED)
    assert (same.n_better, same.n_worse, same.p_value) == (0, 0, 1.0) and "no evidence" in same.reading


def test_bundles_of_other_classes_are_refused(pair: tuple[Path, Path], fresh_table: Path, tmp_path: Path) -> None:
    made = bundles.load_bundle(pair[0])
    bundles.save_bundle(replace(made, classes=(*made.classes[:2], "harvest")), tmp_path / "other")
    with pytest.raises(BundleError, match="2 classes are known to one only"):
        flow.compare(pair[0], tmp_path / "other", fresh_table, None, ASKED)


def test_the_command_prints_one_document(pair: tuple[Path, Path], fresh_table: Path) -> None:
    arguments = ["compare", *map(str, pair), str(fresh_table), "--offline", "--json"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0 and json.loads(done.stdout)["n_rows"] == 60


def test_rows_that_belong_together_count_once_and_parts_with_few_rows_are_not_told() -> None:
    gain = np.array([1.0] * 12)
    assert sign_test(gain, None) == pytest.approx(2 / 2**12)
    assert sign_test(gain, np.arange(12) // 6) == pytest.approx(0.5)
    said = [
        Predictions(ids=make_column(range(30)), classes=("a", "b"), probabilities=np.eye(2)[[at] * 30]) for at in (0, 1)
    ]
    found = compare_rows(np.ones(30, dtype=int), *said)
    made = compare_parts(found, "site", np.array(["x"] * 25 + ["y"] * 5, dtype=object), clusters=None, seed=0)
    assert made[0].difference is not None and made[0].difference.low > 0 and made[0].n_better == 25
    assert made[1].difference is None and made[1].p_value is None
