"""Sentences that a document stores in English are recognised, so that a page in another language translates them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import headstart
from headstart.ladder import gain
from headstart.report.messages import LANGUAGES, use_language
from headstart.report.sentences.stored import has_template, translate_fact

SOURCE = Path(headstart.__file__).parent
FOREIGN = [code for code in LANGUAGES if code != "en"]
COMPOSED_ELSEWHERE = {"strategies/fine_tuning/tail_cost.py"}
"""Modules that hand on the text of another error."""


def example_of(node: ast.expr) -> str:
    """Return a text as it may look, with 7 for each value."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else ""


def calls_of(name: str, argument: int) -> Iterator[tuple[str, str]]:
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text("utf-8")
        if f"{name}(" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                example = example_of(node.args[argument]) if len(node.args) > argument else ""
                if example:
                    yield path.relative_to(SOURCE).as_posix(), example


def test_every_reason_not_to_try_a_strategy_has_a_template() -> None:
    reasons = [(path, text) for path, text in calls_of("StrategySkipped", 0) if path not in COMPOSED_ELSEWHERE]
    assert len(reasons) > 12
    assert [(path, text) for path, text in reasons if not has_template(text)] == []


def test_every_rule_against_a_costly_strategy_has_a_template() -> None:
    tree = ast.parse((SOURCE / "ladder" / "gain.py").read_text("utf-8"))
    returned = [example_of(node.value) for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value]
    reasons = [f"{text.removesuffix('; 7')}; {gain._HOW_TO_TRY}" for text in returned if text not in ("", "7; 7")]
    assert len(reasons) == 4
    assert [text for text in reasons if not has_template(text)] == []


def test_every_plain_reason_to_set_a_row_aside_has_a_template() -> None:
    reasons = list(calls_of("SetAside", 1))
    assert len(reasons) >= 3
    assert [(path, text) for path, text in reasons if not has_template(text)] == []


@pytest.mark.parametrize("code", FOREIGN)
def test_a_recognised_sentence_keeps_its_values_in_another_language(code: str) -> None:
    with use_language(code):
        text = translate_fact("it needs about 29 s, its share of the time left is 14 s; give more with --time")
        assert "29" in text and "14" in text and "--time" in text
        assert translate_fact("column height: 'n/a' is no number").count("height") == 1
        assert translate_fact("nobody wrote this sentence") == "nobody wrote this sentence"
