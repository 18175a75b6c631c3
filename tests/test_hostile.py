"""A sample of the hostile corpus, and every door on bundles whose base asks for the network (`make hostile`: all)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.hostile.corpus import list_cases, list_sample
from tests.hostile.known_failures import KNOWN_FAILURES

ROOT = Path(__file__).parents[1]


@pytest.mark.timeout(900)
def test_nothing_of_a_hostile_sample_runs_reaches_out_writes_elsewhere_or_stalls(tmp_path: Path) -> None:
    """Each input ends with exit code 0 or 2, without a connection, and without a change of a file outside."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile", "--sample"], env=environment, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-4_000:]


def test_the_corpus_has_more_than_five_hundred_inputs_of_every_kind() -> None:
    names = list_cases()
    assert len(names) > 500
    kinds = {case.kind.partition("-")[0] for case in names.values()}
    assert kinds == {"door", "bundle", "base", "table", "series", "picture", "request", "home"}
    assert set(list_sample()) < set(names)


def test_only_inputs_of_the_corpus_are_known_to_fail() -> None:
    assert set(KNOWN_FAILURES) <= set(list_cases())
