"""Codes of findings, with titles, severities and advice, stand in one table; findings are made in one place."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

import headstart
from headstart.results.check_codes import CHECK_CODES
from headstart.results.findings import make_finding

SOURCE = Path(headstart.__file__).parent
CONSTRUCTOR = SOURCE / "results" / "findings.py"
ANY_CODE = {"", "nothing", "nothing-if-right"}


@lru_cache
def parse_modules() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text("utf-8")) for path in SOURCE.rglob("*.py") if "standalone" not in path.parts}


def iterate_calls(name: str) -> Iterator[tuple[Path, ast.Call]]:
    for path, tree in parse_modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield path, node


def list_strings(tree: ast.AST) -> set[str]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def list_strings_of_raising_modules() -> set[str]:
    return set().union(*(list_strings(parse_modules()[path]) for path, _ in iterate_calls("make_finding")))


def test_findings_are_made_in_one_place() -> None:
    assert {path for path, _ in iterate_calls("Finding")} == {CONSTRUCTOR}


@pytest.mark.parametrize("code", CHECK_CODES)
def test_a_code_has_a_title_and_a_severity_and_is_raised_with_each_of_its_advices(code: str) -> None:
    check = CHECK_CODES[code]
    assert check.title and check.severity in ("stop", "warn", "note")
    assert {code, *check.specific} <= list_strings_of_raising_modules()


def test_calls_name_a_code_an_advice_and_the_values_that_the_table_has() -> None:
    calls = [(path, node) for path, node in iterate_calls("make_finding") if isinstance(node.args[0], ast.Constant)]
    assert len(calls) > 60
    for path, node in calls:
        place, keywords = f"{path.name}:{node.lineno}", {item.arg: item.value for item in node.keywords}
        assert isinstance(node.args[0], ast.Constant)
        check = CHECK_CODES[str(node.args[0].value)]
        key = keywords.get("advice", ast.Constant(""))
        if not isinstance(key, ast.Constant):
            continue
        assert key.value in ANY_CODE | set(check.specific), place
        text = check.specific.get(str(key.value), (check.detailed or check.advice) if key.value == "" else "")
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        assert names == set(keywords) - {"advice", "severity", "measure", "rows"}, place


def test_advice_is_filled_in_and_a_severity_may_differ_from_that_of_the_code() -> None:
    finding = make_finding("thousands-in-doubt", "'1.234' may be 1234.", ["a"], severity="note", number="1234")
    assert finding.advice == "Write 1234 in the file if the mark parts thousands."
    assert (finding.kind, finding.severity, finding.rows) == ("thousands-in-doubt", "note", ("a",))
