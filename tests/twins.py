"""Runs the page's JavaScript in node, to hold it against the Python that it is the twin of."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

from tests.needs import marked_without

NODE = shutil.which("node")
needs_node = marked_without("node", NODE, "node is not installed")


def run(folder: Path, script: str, inputs: Any, more: dict[str, Path] | None = None) -> Any:
    """Run a script that has the modules of the page as `page.NAME` and JSON as `inputs`; gives what it returns."""
    folder.mkdir(exist_ok=True)
    modules = Path(str(files("headstart") / "web" / "static" / "offline"))
    shutil.copytree(modules, folder / "page", dirs_exist_ok=True)
    (folder / "package.json").write_text('{"type": "module"}')
    for name, source in (more or {}).items():
        shutil.copyfile(source, folder / name)
    names = ("decide", "floats", "images", "series", "texts")
    imports = "".join(f'import * as {name} from "./page/{name}.js";\n' for name in names)
    (folder / "run.js").write_text(
        f'import fs from "node:fs";\n{imports}const page = {{{", ".join(names)}}};\n'
        'const inputs = JSON.parse(fs.readFileSync(0, "utf-8"));\n'
        f"const work = async () => {{ {script} }};\n"
        "process.stdout.write(JSON.stringify(await work()));\n",
        "utf-8",
    )
    assert NODE is not None
    done = subprocess.run(
        [NODE, "run.js"], cwd=folder, input=json.dumps(inputs).encode(), capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)
