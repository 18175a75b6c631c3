"""README and docs say what is there: snippets parse, links lead somewhere, every option and strategy is described."""

from __future__ import annotations

import ast
import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from headstart import options
from headstart.cli.main import app

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *ROOT.joinpath("docs").rglob("*.md")]
)
COMMANDS = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def flags(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


def declared(*records: type[options.Options]) -> set[str]:
    return {options.flag(name) for record in records for name in record.model_fields}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_python_snippet_parses(page: Path) -> None:
    for snippet in blocks(page, "python"):
        examples = doctest.DocTestParser().get_examples(snippet)
        ast.parse("".join(example.source for example in examples) or snippet)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_inside_the_repository_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    inside = [link for link in links if "://" not in link]
    assert [link for link in inside if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_line_in_the_docs_names_a_command(page: Path) -> None:
    shown = "\n".join(blocks(page, "sh")) + "\n".join(
        re.findall(r"`(headstart [^`]+)`", page.read_text(encoding="utf-8"))
    )
    named = set(re.findall(r"\bheadstart ([a-z][a-z-]*)", shown))
    assert named <= COMMANDS


def test_the_reference_is_what_the_code_says() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "400"}
    done = subprocess.run(
        [sys.executable, "tools/reference.py", "--check"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_reference_of_the_command_line_has_every_command_and_option_and_no_other() -> None:
    text = ROOT.joinpath("docs", "reference", "cli.md").read_text(encoding="utf-8")
    records = (
        options.AdaptOptions, options.PredictOptions, options.BasesOptions, options.CacheOptions,
        options.LabelNextOptions, options.CheckOptions, options.EvaluateOptions, options.CompareOptions,
        options.ReportOptions, options.ExplainOptions, options.PretrainOptions, options.AdaptLanguageOptions,
        options.EvaluateLanguageOptions, options.ServeOptions, options.ExportOptions, options.VerifyOptions,
    )  # fmt: skip
    named = {flag for line in text.splitlines() if line.startswith("| `-") for flag in flags(line.split(" | ")[0])}
    assert {name for name in declared(*records) if name.startswith("--")} <= named
    assert all(f"## `headstart {command}`" in text for command in COMMANDS)


def test_the_readme_names_only_options_that_exist() -> None:
    shown = flags(ROOT.joinpath("README.md").read_text(encoding="utf-8"))
    known = declared(
        options.AdaptOptions, options.ExportOptions, options.LabelOptions, options.ReportOptions, options.ServeOptions
    )
    assert shown <= known | {"--json", "--help", "--torch-backend"}


def test_the_readme_begins_with_a_picture_and_a_sentence_and_has_the_two_commands() -> None:
    text = ROOT.joinpath("README.md").read_text(encoding="utf-8")
    opening = text.partition("```")[0]
    assert opening.startswith("# Headstart\n\n![") and "](docs/pictures/" in opening
    assert ")\n\n**Headstart adapts a pre-trained model" in opening
    assert blocks(ROOT / "README.md", "sh")[0].strip() == "pip install 'headstart[adapt]'"
    commands = [
        [line.split("#")[0].strip() for line in block.splitlines()] for block in blocks(ROOT / "README.md", "sh")
    ]
    assert ["make demo", "make test"] in commands
    targets = re.findall(r"^([a-z]+):", ROOT.joinpath("Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert {"setup", "demo", "check", "test", "bench", "docs", "golden", "clean", "help"} <= set(targets)


def test_the_explanation_names_every_strategy() -> None:
    from headstart.strategies import STRATEGIES

    text = ROOT.joinpath("docs", "explanation", "how-it-works.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)) == set(STRATEGIES)


def test_decisions_are_numbered_without_gaps_and_stay_short() -> None:
    pages = sorted(ROOT.joinpath("docs", "decisions").glob("[0-9]*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        lines = page.read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith(f"# {page.name[:4]}: ")
        assert len(lines) <= 20, page.name
