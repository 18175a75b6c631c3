"""The rules of tools/style.py on small modules."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def style() -> ModuleType:
    path = Path(__file__).parents[1] / "tools" / "style.py"
    spec = importlib.util.spec_from_file_location("style_rules", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["style_rules"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("code", "is_refused"),
    [
        ("def measure() -> dict[str, Any]: ...", True),
        ("def measure() -> list[dict[str, object]] | None: ...", True),
        ("def measure() -> dict[str, Any]:\n    '''Return the JSON form.'''", False),
        ("def build_manifest() -> dict[str, Any]: ...", False),
        ("def measure() -> dict[str, float]: ...", False),
        ("def measure() -> tuple[dict[str, Any], str]:\n    '''Return a document, and why.'''", True),
    ],
)
def test_a_dict_of_anything_is_refused_unless_it_is_a_document(style: ModuleType, code: str, is_refused: bool) -> None:
    assert bool(list(style.loose_dicts({"src/a.py": ast.parse(code)}))) == is_refused


def test_a_file_of_more_than_400_lines_is_refused(
    style: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(style, "ROOT", tmp_path)
    for name, n_lines in (("short.py", 400), ("long.py", 401)):
        (tmp_path / name).write_text("\n" * n_lines)
    modules = {name: ast.parse("") for name in ("short.py", "long.py")}
    assert [offence.path for offence in style.long_files(modules)] == ["long.py"]
