"""README and docs say what is there: snippets parse, links lead somewhere, every option and strategy is described."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from headstart import options
from headstart.cli.main import app

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *ROOT.joinpath("docs").rglob("*.md")]
)
COMMANDS = {command.name for command in app.registered_commands}


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def flags(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


def declared(*records: type[options.Options]) -> set[str]:
    return {options.flag(name) for record in records for name in record.model_fields}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_python_snippet_parses(page: Path) -> None:
    for snippet in blocks(page, "python"):
        ast.parse(snippet)


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


def test_the_page_of_the_command_line_describes_every_command_and_option_and_no_other() -> None:
    text = ROOT.joinpath("docs", "cli.md").read_text(encoding="utf-8")
    records = (
        options.AdaptOptions, options.PredictOptions, options.BasesOptions, options.CacheOptions,
        options.LabelNextOptions, options.CheckOptions, options.EvaluateOptions, options.CompareOptions,
        options.ReportOptions, options.ExplainOptions, options.PretrainOptions, options.AdaptLanguageOptions,
        options.EvaluateLanguageOptions, options.ServeOptions, options.ExportOptions, options.VerifyOptions,
    )  # fmt: skip
    common = {"--json", "--quiet", "--verbose", "--output", "--help"}
    assert flags(text) == {name for name in declared(*records) if name.startswith("--")} | common
    assert "`-n`" in text
    assert all(f"`headstart {command}" in text for command in COMMANDS)


def test_the_readme_names_only_options_that_exist() -> None:
    shown = flags(ROOT.joinpath("README.md").read_text(encoding="utf-8"))
    assert shown <= declared(options.AdaptOptions, options.ExportOptions) | {"--json", "--help", "--index-url"}


def test_the_readme_opens_with_the_two_commands_and_the_makefile_has_them() -> None:
    opening = blocks(ROOT / "README.md", "sh")[0]
    assert [line.split("#")[0].strip() for line in opening.splitlines()] == ["make demo", "make test"]
    targets = re.findall(r"^([a-z]+):", ROOT.joinpath("Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert {"setup", "demo", "check", "test", "bench", "docs", "golden", "clean", "help"} <= set(targets)


def test_readme_and_explanation_name_every_strategy() -> None:
    from headstart.strategies import STRATEGIES

    for page in ("README.md", "docs/how-it-works.md"):
        cells = re.findall(r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \|", ROOT.joinpath(page).read_text("utf-8"), re.MULTILINE)
        named = {name for cell in cells for name in re.findall(r"`([a-z-]+)`", cell)}
        assert named == set(STRATEGIES), page


def test_decisions_are_numbered_without_gaps_and_stay_short() -> None:
    pages = sorted(ROOT.joinpath("docs", "decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        lines = page.read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith(f"# {page.name[:4]}: ")
        assert len(lines) <= 20, page.name
