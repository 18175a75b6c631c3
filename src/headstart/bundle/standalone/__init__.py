"""The script that every bundle carries: `predict.py`, put together from `refusing.py`, what reads graphs and what reads
and writes tables in Headstart itself, `tables.py`, the part of its modality, `checking.py` and `common.py`.

It needs onnxruntime, numpy and Pillow or tokenizers, and nothing of Headstart.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

FOLDER = Path(__file__).parent
CUT = "# --- code ---\n"
"""What stands above is imports, and is written once at the top of the script."""
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


def script(modality: str) -> str:
    """Put the script of a modality together.

    Examples
    --------
    >>> "from tokenizers import" in script("text"), "headstart." in script("image")
    (True, False)
    """
    read = ("refusing", "../onnx/reader", "../onnx/operators", "../../csv_files")
    parts = (*read, *_PARTS.get(modality, ()), modality, "checking", "common")
    cut = [(FOLDER / f"{name}.py").read_text("utf-8").split(CUT) for name in parts]
    says = cut[-1][0].split('"""')[1]
    lines = {line for imports, _ in cut for line in imports.splitlines() if line.startswith(("import ", "from "))}
    lines = {line for line in lines if "headstart." not in line and "__future__" not in line}
    ours = {line for line in lines if line.split()[1].partition(".")[0] in _THEIRS}
    blocks = [_sorted((lines - ours) | {"import os"}), QUIET, _sorted(ours)]
    first = f'"""{says}"""\n\nfrom __future__ import annotations\n'
    return "\n".join([first, *blocks, *(f"\n{code.strip()}\n" for _, code in cut)])


def _sorted(lines: set[str]) -> str:
    return "\n".join(sorted(lines, key=lambda line: (line.startswith("from"), line))) + "\n"


def requirements(modality: str) -> str:
    """Name what the script needs, at least in the versions that it was tried with here."""
    named = []
    for name in PACKAGES[modality]:
        try:
            named.append(f"{name}>={'.'.join(version(name).split('.')[:2])}")
        except PackageNotFoundError:
            named.append(name)
    return "\n".join(named) + "\n"
