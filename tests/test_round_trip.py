"""Arrays of decisions read back as they were in memory, with many classes of few rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from headstart.bundle import decision
from headstart.decisions import DecisionPolicy, fit_out_of_distribution
from headstart.records import make_column


def test_rules_of_500_classes_of_three_rows_decide_from_their_file_as_in_memory(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    codes = np.arange(1500) % 500
    values = (rng.normal(size=(500, 384))[codes] + 0.3 * rng.normal(size=(1500, 384))).astype(np.float32)
    classes = tuple(f"class {number}" for number in range(500))
    novelty = fit_out_of_distribution(
        values, codes, np.arange(1500) // 500, make_column([str(row) for row in range(1500)])
    )
    assert novelty is not None
    decision.write_decision_policy(DecisionPolicy(out_of_distribution=novelty), tmp_path)
    rules = decision.read_stored_policy(tmp_path, classes, "classification")
    assert rules is not None and rules.out_of_distribution is not None
    others = np.concatenate([values[:200], rng.normal(size=(50, 384)).astype(np.float32)])
    np.testing.assert_array_equal(rules.out_of_distribution.distances(others), novelty.distances(others))
    assert (rules.out_of_distribution.distances(values) > novelty.threshold).mean() < 0.1
    basis = load_file(tmp_path / decision.ARRAYS)["basis"].astype(np.float32)
    np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=0.01)
