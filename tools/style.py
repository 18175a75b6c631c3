"""Count what the house style forbids: `python tools/style.py` prints every place and exits with 1 if there is one.

Rules (docs/explanation/architecture.md): no vague binding, no class name twice, at most four positional arguments to a
call of ours, records above four fields `kw_only`, a Parameters section for functions that other rooms use, no name
in such a section that the function or record does not have, no `dict[str, Any]` between functions unless it is a JSON
document, no file above 400 lines.
Places that may stay are listed in `tools/style_exceptions.txt`, each with a reason.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
VAGUE = frozenset({"found", "made", "said", "told", "kept", "shown", "wanted", "asked", "given", "there"})
"""Names that say what was done to a value, not what it is."""
MOST_POSITIONAL = 4
"""Arguments of a call, and fields of a record, that may be told by their order."""
MOST_LINES = 400
"""Of a file."""
DOCUMENT_WORDS = ("document", "json", "manifest")
"""In the name or the docstring of a function that may return a dict of anything."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, kw_only=True)
class Offence:
    """One place that breaks one rule; `name` is what an exception has to state."""

    rule: str
    path: str
    line: int
    name: str
    text: str


def read_modules(folder: Path) -> dict[str, ast.Module]:
    """Return the syntax tree of every module below `folder`, by its path below the project."""
    paths = sorted(path for path in folder.rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def is_record(node: ast.ClassDef) -> bool:
    """Return whether a class is a dataclass."""
    return any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)


def is_kw_only(node: ast.ClassDef) -> bool:
    """Return whether all fields of a dataclass are given by keyword."""
    return any("kw_only=True" in ast.unparse(decorator) for decorator in node.decorator_list)


def fields_of(node: ast.ClassDef) -> list[str]:
    """Return the names of the fields of a dataclass, in order, without class variables."""
    return [
        part.target.id
        for part in node.body
        if isinstance(part, ast.AnnAssign)
        and isinstance(part.target, ast.Name)
        and "ClassVar" not in ast.unparse(part.annotation)
    ]


def bindings(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield every name that is bound in a module, with its line: variables, parameters, loops, imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name, node.lineno
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0], node.lineno


def vague_bindings(modules: dict[str, ast.Module]) -> Iterator[Offence]:
    """Yield every binding with a vague name."""
    for path, tree in modules.items():
        for name, line in bindings(tree):
            if name in VAGUE:
                yield Offence(rule="vague", path=path, line=line, name=name, text=f"`{name}` says nothing of the value")


def repeated_classes(modules: dict[str, ast.Module]) -> Iterator[Offence]:
    """Yield every class whose name another class has as well."""
    places: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for path, tree in modules.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append((path, node.lineno))
    for name, occurrences in places.items():
        for path, line in occurrences if len(occurrences) > 1 else ():
            others = ", ".join(other for other, _ in occurrences if other != path) or "the same file"
            yield Offence(rule="class", path=path, line=line, name=name, text=f"class `{name}` is also in {others}")


def records_by_order(modules: dict[str, ast.Module]) -> Iterator[Offence]:
    """Yield every record of more than four fields that are not keyword-only."""
    for path, tree in modules.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and is_record(node) and not is_kw_only(node):
                n_fields = len(fields_of(node))
                if n_fields > MOST_POSITIONAL:
                    text = f"record `{node.name}` has {n_fields} fields and is not kw_only"
                    yield Offence(rule="record", path=path, line=node.lineno, name=node.name, text=text)


def names_of_ours(modules: dict[str, ast.Module]) -> set[str]:
    """Return the names of all functions, methods and classes that are defined here."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for tree in modules.values() for node in ast.walk(tree) if isinstance(node, kinds)}


def long_calls(modules: dict[str, ast.Module]) -> Iterator[Offence]:
    """Yield every call of ours with more than four positional arguments."""
    ours = names_of_ours(modules)
    for path, tree in modules.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            plain = [argument for argument in node.args if not isinstance(argument, ast.Starred)]
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
            if called in ours and len(plain) > MOST_POSITIONAL:
                text = f"{len(plain)} positional arguments to `{called}`"
                yield Offence(rule="call", path=path, line=node.lineno, name=called, text=text)


def module_name(path: str) -> str:
    """Return the dotted name of a module."""
    return path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def room_of(module: str) -> str:
    """Return the room of a module: the package or module directly below `headstart`."""
    return ".".join(module.split(".")[:2])


def offered(modules: dict[str, ast.Module]) -> set[tuple[str, str]]:
    """Return (module, name) of every definition that another room uses, also through a room's own `__init__`."""
    origin: dict[tuple[str, str], tuple[str, str]] = {}
    uses: set[tuple[str, tuple[str, str]]] = set()
    for path, tree in modules.items():
        module, aliases = module_name(path), {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    origin[(module, alias.asname or alias.name)] = (node.module, alias.name)
                    uses.add((room_of(module), (node.module, alias.name)))
                    aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
                uses.add((room_of(module), (aliases[node.value.id], node.attr)))
    definitions = set()
    for room, place in uses:
        steps = [place]
        while steps[-1] in origin and origin[steps[-1]] not in steps:
            steps.append(origin[steps[-1]])
        if room_of(steps[-1][0]) != room:
            definitions.add(steps[-1])
    return definitions


def undocumented(modules: dict[str, ast.Module]) -> Iterator[Offence]:
    """Yield every function that a room offers to others, has arguments and lacks a Parameters section."""
    definitions = offered(modules)
    for path, tree in modules.items():
        for node in tree.body:
            if not isinstance(node, Function) or (module_name(path), node.name) not in definitions:
                continue
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            if arguments and "Parameters\n" not in (ast.get_docstring(node) or ""):
                text = f"`{node.name}` has arguments and no Parameters section"
                yield Offence(rule="parameters", path=path, line=node.lineno, name=node.name, text=text)


PARAMETER = re.compile(r"^([*\w, ]+) : ", re.MULTILINE)


def stale_parameters(modules: dict[str, ast.Module]) -> Iterator[Offence]:
    """Yield every name in a Parameters section that is neither a parameter nor a field."""
    for path, tree in modules.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            _, _, section = (ast.get_docstring(node) or "").partition("Parameters\n----------\n")
            section = re.split(r"\n\n\w[\w ]*\n---", section)[0]
            documented = {name.strip(" *") for group in PARAMETER.findall(section) for name in group.split(",")}
            for name in sorted(documented - list_parameters(node) - list_inherited_parameters(node, tree)):
                text = f"`{node.name}` documents `{name}`, which it does not have"
                yield Offence(rule="stale", path=path, line=node.lineno, name=node.name, text=text)


def list_inherited_parameters(node: ast.AST, tree: ast.Module) -> set[str]:
    """Return the parameters that a class has from a base class of its own module."""
    bases = {base.id for base in node.bases if isinstance(base, ast.Name)} if isinstance(node, ast.ClassDef) else set()
    classes = [item for item in tree.body if isinstance(item, ast.ClassDef) and item.name in bases]
    return set().union(*map(list_parameters, classes))


def list_parameters(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> set[str]:
    """Return the parameters of a function; of a class its fields, and the parameters and attributes of `__init__`."""
    if not isinstance(node, ast.ClassDef):
        return {item.arg for item in ast.walk(node.args) if isinstance(item, ast.arg)}
    fields = {
        item.target.id for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            fields |= list_parameters(item)
            fields |= {part.attr for part in ast.walk(item) if isinstance(part, ast.Attribute)}
    return fields


def loose_dicts(modules: dict[str, ast.Module]) -> Iterator[Offence]:
    """Yield every function that returns a dict of anything and does not say that it is a document of JSON."""
    for path, tree in modules.items():
        for node in ast.walk(tree):
            if not isinstance(node, Function) or node.returns is None:
                continue
            returned = ast.unparse(node.returns)
            if not {"dict[str, Any]", "dict[str, object]"} & {ast.unparse(part) for part in ast.walk(node.returns)}:
                continue
            described = f"{node.name} {ast.get_docstring(node)}".lower()
            if returned.startswith("tuple[") or not any(word in described for word in DOCUMENT_WORDS):
                text = f"`{node.name}` returns {returned}: a record, or a docstring that says which JSON it is"
                yield Offence(rule="dict", path=path, line=node.lineno, name=node.name, text=text)


def long_files(modules: dict[str, ast.Module]) -> Iterator[Offence]:
    """Yield every file of more than 400 lines."""
    for path in modules:
        n_lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())
        if n_lines > MOST_LINES:
            yield Offence(rule="long", path=path, line=n_lines, name=Path(path).name, text=f"{n_lines} lines")


RULES = (
    vague_bindings,
    repeated_classes,
    records_by_order,
    long_calls,
    undocumented,
    stale_parameters,
    loose_dicts,
    long_files,
)


def read_exceptions(path: Path) -> set[tuple[str, str, str]]:
    """Return (rule, path, name) of each exception; a line is `rule path name reason ...`.

    Raises
    ------
    SystemExit
        A line gives no reason.
    """
    exceptions = set()
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split(maxsplit=3)
        if len(parts) < 4:
            raise SystemExit(f"{path.name}: an exception needs a rule, a path, a name and a reason: {line}")
        exceptions.add((parts[0], parts[1], parts[2]))
    return exceptions


def main() -> int:
    """Print every offence, or one line a rule with --count; return 1 if there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", action="store_true", help="only how many places break each rule")
    parser.add_argument("--rule", help="only this rule")
    parser.add_argument("paths", nargs="*", help="show only places below these paths")
    arguments = parser.parse_args()
    modules = read_modules(ROOT / "src")
    exceptions = read_exceptions(Path(__file__).with_name("style_exceptions.txt"))
    offences = [offence for rule in RULES for offence in rule(modules)]
    offences = [offence for offence in offences if (offence.rule, offence.path, offence.name) not in exceptions]
    if arguments.rule:
        offences = [offence for offence in offences if offence.rule == arguments.rule]
    if arguments.paths:
        offences = [offence for offence in offences if offence.path.startswith(tuple(arguments.paths))]
    for offence in () if arguments.count else offences:
        print(f"{offence.path}:{offence.line}: {offence.rule}: {offence.text}")
    for rule, count in sorted(Counter(offence.rule for offence in offences).items()):
        print(f"{rule}: {count}")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
