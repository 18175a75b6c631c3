"""The JavaScript of the page is checked by TypeScript, from its JSDoc types."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.needs import skip_without

ROOT = Path(__file__).parents[1]
PROJECTS = sorted((ROOT / "tools" / "javascript").glob("*tsconfig.json"))


def find_compiler() -> Path | None:
    """Return the script of tsc: beside the npm packages of exported pages, or in build/npm."""
    folders = [Path(os.environ.get("HEADSTART_RUNTIME_WEB", ".")), ROOT / "build" / "npm" / "node_modules"]
    scripts = (folder / "typescript" / "bin" / "tsc" for folder in folders)
    return next((script for script in scripts if script.is_file()), None)


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_javascript_has_the_types_that_it_states(project: Path) -> None:
    node, compiler = shutil.which("node"), find_compiler()
    skip_without("typescript", node and compiler, "node or the npm package typescript is not on this machine")
    assert node is not None and compiler is not None
    done = subprocess.run(
        [node, str(compiler), "-p", str(project)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_script_belongs_to_a_project() -> None:
    assert [path.name for path in PROJECTS] == [
        "offline.tsconfig.json",
        "studio.tsconfig.json",
        "tsconfig.json",
        "worker.tsconfig.json",
    ]
