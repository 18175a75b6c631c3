"""Find what is keyed by the names of tasks or of modalities: tables of rooms, and comparisons with a name."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[1] / "src"
STANDALONE = "headstart.bundle.standalone"
"""Parts of predict.py, which is made for one modality and needs no Headstart."""


@dataclass(frozen=True)
class KeyedTable:
    """A dict at the top of a module that has some of the names as keys."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"

    def load(self) -> Mapping[str, Any]:
        """Return the table itself."""
        return dict(getattr(importlib.import_module(self.module), self.name))

    def live(self) -> dict[str, Any]:
        """Return the dict that its room reads, to be extended."""
        table = getattr(importlib.import_module(self.module), self.name)
        assert isinstance(table, dict)
        return table


@cache
def parse_modules() -> Mapping[str, ast.Module]:
    """Return the syntax tree of every module of Headstart by its name."""
    paths = sorted((SOURCE / "headstart").rglob("*.py"))
    names = {path: ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__") for path in paths}
    return {name: ast.parse(path.read_text(encoding="utf-8")) for path, name in names.items()}


def find_tables(names: frozenset[str]) -> Iterator[KeyedTable]:
    """Yield the dicts at the top of modules that have two or more of some names as keys."""
    for module, tree in parse_modules().items():
        for node in tree.body:
            if not isinstance(node, ast.Assign | ast.AnnAssign) or not isinstance(node.value, ast.Dict):
                continue
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            keys = {key.value for key in node.value.keys if isinstance(key, ast.Constant)}
            if isinstance(target, ast.Name) and len(keys & names) > 1 and not module.startswith(STANDALONE):
                yield KeyedTable(module, target.id)


def find_comparisons(names: frozenset[str], variables: frozenset[str]) -> Iterator[str]:
    """Yield module and line of comparisons of a variable, or of a field so called, with one of some names."""
    for module, tree in parse_modules().items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Compare) or module.startswith(STANDALONE):
                continue
            last = node.left.attr if isinstance(node.left, ast.Attribute) else getattr(node.left, "id", "")
            words = {part.value for part in ast.walk(node.comparators[0]) if isinstance(part, ast.Constant)}
            if last in variables and words & names:
                yield f"{module}: {ast.unparse(node)}"
