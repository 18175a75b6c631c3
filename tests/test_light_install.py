"""The light install: predicting needs none of the packages that the how-to on installing takes out."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from headstart import flow
from headstart.options import AdaptOptions

MODULES = {
    "huggingface_hub": "huggingface_hub",
    "hf-xet": "hf_xet",
    "fsspec": "fsspec",
    "pyyaml": "yaml",
    "filelock": "filelock",
}
"""Packages that may be taken out, and the modules that they bring."""
HOW_TO = Path(__file__).parents[1] / "docs" / "how-to" / "install.md"
SCRIPT = """
import sys
for name in sys.argv[1].split(","):
    sys.modules[name] = None
from headstart.cli.main import app
app(["predict", sys.argv[2], sys.argv[3], "--runtime", "onnx", "-q"])
"""


def test_the_how_to_names_the_packages_that_are_tested() -> None:
    line = re.search(r"pip uninstall -y ([a-z_ -]+?) +#", HOW_TO.read_text("utf-8"))
    assert line is not None and line[1].split() == list(MODULES)


@pytest.mark.parametrize("strategy", ["classic", "linear-probe"])
def test_a_bundle_predicts_without_them(strategy: str, text_table: Path, tmp_path: Path) -> None:
    flow.adapt(text_table, tmp_path / "out", AdaptOptions(strategy=(strategy,), time=60, precision="float32"))
    absent = ",".join((*MODULES.values(), "torch", "transformers", "sklearn"))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, absent, str(tmp_path / "out"), str(text_table)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1 + len(text_table.read_text("utf-8").splitlines()) - 1
