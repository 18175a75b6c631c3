"""The script that every bundle carries: `predict.py`, put together from `refusing.py`, what reads graphs and what reads
and writes tables in Headstart itself, `tables.py`, the part of its modality, `checking.py` and `common.py`. Functions
that a script does not use are left out of it.

It needs onnxruntime, numpy and Pillow or tokenizers, and nothing of Headstart.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

FOLDER = Path(__file__).parent
CUT = "# --- code ---\n"
"""The imports above it are written once, at the top of the script."""
QUIET = 'os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime reports its use unless it is told not to.\n'
_THEIRS = {"numpy", "onnxruntime", "PIL", "tokenizers"}
_READING = "../../data/reading/"
_TABLES = (_READING + "plain_text", _READING + "text_tables", "tables")
_PARTS = {
    "image": (),
    "text": (*_TABLES, "../../modalities/tokenizer_limits"),
    "series": (*_TABLES, "../../data/columns/written_numbers"),
}
SCRIPT, NEEDS = "predict.py", "requirements.txt"
PACKAGES = {
    "image": ("onnxruntime", "numpy", "pillow"),
    "text": ("onnxruntime", "numpy", "tokenizers"),
    "series": ("onnxruntime", "numpy"),
}


def build_script(modality: str) -> str:
    """Return the source of predict.py for a modality.

    Parameters
    ----------
    modality : str
        "image", "text" or "series".

    Examples
    --------
    >>> "from tokenizers import" in build_script("text"), "headstart." in build_script("image")
    (True, False)
    """
    read = (
        "refusing",
        "../onnx/reader",
        "../onnx/operators",
        "../onnx/packed_weights",
        "../../csv_files",
        "../../modalities/content",
        "levels",
    )
    parts = (*read, *_PARTS.get(modality, ()), modality, "checking", "common")
    cut = [(FOLDER / f"{name}.py").read_text("utf-8").split(CUT) for name in parts]
    docstring = cut[-1][0].split('"""')[1]
    code = _drop_unused("\n\n".join(f"{body.strip()}\n" for _, body in cut))
    imports = _write_imports([top for top, _ in cut], code)
    return f'"""{docstring}"""\n\nfrom __future__ import annotations\n\n{imports}\n\n\n{code}'


def _write_imports(tops: Sequence[str], code: str) -> str:
    """Return the imports that a script needs: Python's own, then those of packages."""
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    plain, named = {"os"}, defaultdict[str, set[str]](set)
    for node in (node for top in tops for node in ast.parse(top).body):
        if isinstance(node, ast.Import):
            plain |= {ast.unparse(name) for name in node.names if (name.asname or name.name) in used}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.module.startswith(("headstart", "__future")):
            named[node.module] |= {name.name for name in node.names if name.name in used}
    lines = [f"import {name}" for name in sorted(plain)]
    lines += [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(named.items()) if names]
    theirs = [line for line in lines if line.split()[1].partition(".")[0] in _THEIRS]
    return "\n".join([*(line for line in lines if line not in theirs), "", QUIET, *theirs])


def _drop_unused(code: str) -> str:
    """Return code without the functions and classes that nothing in it uses, directly or through others."""
    nodes = ast.parse(code).body
    definitions = {node.name: node for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    names = {id(node): {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} for node in nodes}
    waiting = [name for node in nodes if id(node) not in set(map(id, definitions.values())) for name in names[id(node)]]
    used = set[str]()
    while waiting:
        name = waiting.pop()
        if name in definitions and name not in used:
            used.add(name)
            waiting += names[id(definitions[name])]
    lines = code.split("\n")
    for name in sorted(definitions.keys() - used, key=lambda name: -definitions[name].lineno):
        node = definitions[name]
        start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        del lines[start - 1 : node.end_lineno]
        while start - 1 < len(lines) and not lines[start - 1]:
            del lines[start - 1]
    return "\n".join(lines)


def list_requirements(modality: str) -> str:
    """Return the requirements.txt of the script, with the installed versions as lower bounds.

    Parameters
    ----------
    modality : str
        "image", "text" or "series".
    """
    named = []
    for name in PACKAGES[modality]:
        try:
            named.append(f"{name}>={'.'.join(version(name).split('.')[:2])}")
        except PackageNotFoundError:
            named.append(name)
    return "\n".join(named) + "\n"
