"""What a user waits for: a first answer that stays, order of strategies, one bar, earlier runs, times with a unit."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from headstart import progress, runs
from headstart.bundle import load_bundle
from headstart.bundle.loading import find_bundle
from headstart.cli.help_panels import COMMAND_PANELS, EXAMPLES
from headstart.cli.main import app
from headstart.errors import OptionError
from headstart.flow.adaptation.output import RunOutput
from headstart.ladder import Search, fit_strategies
from headstart.ladder.gain import QuickOutcome, explain_no_gain
from headstart.ladder.settings import SETTINGS
from headstart.options import AdaptOptions, parse
from headstart.records import Features, Probabilities, Table, make_column
from headstart.report.live_progress import Terminal, describe_step, describe_time_left
from headstart.strategies import Clock, StrategyRows, Task


def make_task(n_rows: int = 40) -> Task:
    codes = np.arange(n_rows) % 2
    folds = np.arange(n_rows) // 2 % 5
    return Task(classes=("a", "b"), codes=codes, folds=folds, balance="auto", seed=0, clock=Clock(600.0))


def make_rows(task: Task) -> StrategyRows:
    n_rows = len(task.codes)
    ids = make_column([str(number) for number in range(n_rows)])
    table = Table(modality="text", ids=ids, inputs=ids, hashes=ids, labels=None, splits=make_column([""] * n_rows))
    values = np.random.default_rng(0).normal(size=(n_rows, 4)).astype(np.float32) + task.codes[:, None]
    return StrategyRows(table, Features(ids, values.astype(np.float32), "x"))


def predict_right(task: Task, share: float) -> Probabilities:
    """Give the true class of each row a probability; the rows differ a little, so that there is noise."""
    sure = np.clip(share + 0.02 * np.random.default_rng(1).normal(size=len(task.codes)), 0.01, 0.99)
    probabilities = np.tile((1 - sure)[:, None], (1, 2))
    probabilities[np.arange(len(sure)), task.codes] = sure
    return probabilities


@pytest.mark.skipif(os.name == "nt", reason="a kill of another kind")
def test_a_run_killed_after_its_first_answer_leaves_a_model_that_predicts(series_table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "headstart.cli.main", "adapt", str(series_table), "-o", str(out)]
    options = ["--strategy", "linear-probe,last-stages", "--language", "en"]
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.startswith("First answer"):
                process.send_signal(signal.SIGKILL)
    assert any("right in " in line and " of " in line for line in lines), lines
    result = json.loads((out / "result.json").read_text("utf-8"))
    assert result["chosen"] == "linear-probe" and result["checks"][0]["kind"] == "first-answer"
    assert (out / "report.html").is_file() and load_bundle(out).classes == ("fast", "slow")
    assert json.loads((out / runs.MARK).read_text("utf-8"))["finished"] is False
    with runs.claim_folder(out):
        assert runs.set_aside_finished(out) is None  # It is continued, and is no earlier run.


def test_rivals_come_first_then_quick_ones_then_the_first_answer() -> None:
    task, events = make_task(), list[str]()

    class Lines(progress.Silent):
        def say(self, text: str) -> None:
            events.append(text.split(":", maxsplit=1)[0])

    names = ["majority", "linear-probe", "shrinkage-lda", "blend", "scratch"]
    search = Search(is_selective=False, on_first=lambda quick, costly: events.append(f"{quick.chosen} {costly}"))
    with progress.listen(Lines()):
        fit_strategies(make_rows(task), replace(task, clock=Clock(0.0)), names, search=search)
    quick = [event for event in events if event in names]
    assert quick[:4] == ["majority", "linear-probe", "shrinkage-lda", "blend"]
    first = next(at for at, event in enumerate(events) if event.endswith("['scratch']"))
    assert events.index("blend") < first < events.index("scratch")


def test_costly_strategies_are_tried_only_where_they_may_gain() -> None:
    few, many = make_task(40), make_task(400)

    def explain(name: str, task: Task, scores: float, classic: float = 0.55) -> str:
        out_of_fold = {"classic": predict_right(task, classic), "linear-probe": predict_right(task, 0.8)}
        return explain_no_gain(name, QuickOutcome(task, out_of_fold, {"linear-probe": scores}))

    assert explain("contrastive", few, 0.7) == ""
    assert "200" in explain("contrastive", many, 0.7)
    assert "clearly better than classic" in explain("last-stages", many, 0.7)
    assert explain("last-stages", many, 0.7, classic=0.85) == ""
    assert "too few" in explain("scratch", many, 0.7)
    assert all("little to gain" in explain(name, few, SETTINGS.ample_score) for name in ("contrastive", "scratch"))


def finish(folder: Path, content: str) -> None:
    with runs.claim_folder(folder):
        runs.set_aside_finished(folder)
        (folder / "bundle").mkdir(exist_ok=True)
        for name in ("bundle/config.json", "report.html", "result.json"):
            (folder / name).write_text(content, "utf-8")
        runs.mark_finished(folder)


def test_a_finished_run_is_kept_as_an_earlier_one_and_a_killed_one_is_not(tmp_path: Path) -> None:
    for content in ("one", "two", "three"):
        finish(tmp_path, content)
    read = [(tmp_path / name / "bundle" / "config.json").read_text("utf-8") for name in ("earlier/1", "earlier/2", ".")]
    assert read == ["one", "two", "three"]
    with runs.claim_folder(tmp_path):
        pass  # Stopped before anything was written: the last run stays, and is kept by the next one.
    finish(tmp_path, "four")
    assert (tmp_path / "earlier" / "3" / "result.json").read_text("utf-8") == "three"


def test_a_stopped_run_names_the_earlier_one_that_made_room(tmp_path: Path) -> None:
    log = Console(file=StringIO(), width=200, force_terminal=False)
    with progress.listen(Terminal(True, log, log)):
        RunOutput(folder=tmp_path, language="en").report_stop()
        RunOutput(folder=tmp_path, language="en", earlier=Path("out/earlier/1")).report_stop()
    assert isinstance(log.file, StringIO)
    assert log.file.getvalue() == "The run that lay here before is kept in out/earlier/1.\n"


def test_a_move_that_was_cut_off_goes_on_into_the_same_folder(tmp_path: Path) -> None:
    finish(tmp_path, "one")
    (tmp_path / "earlier" / "1").mkdir(parents=True)
    (tmp_path / "bundle").rename(tmp_path / "earlier" / "1" / "bundle")
    finish(tmp_path, "two")
    assert sorted(path.name for path in (tmp_path / "earlier").iterdir()) == ["1"]
    assert (tmp_path / "earlier" / "1" / "report.html").read_text("utf-8") == "one"


def test_a_bundle_that_was_about_to_be_replaced_gets_its_name_back(tmp_path: Path) -> None:
    finish(tmp_path, "one")
    aside = tmp_path / ".bundle.12345678.partial.old"
    (tmp_path / "bundle").rename(aside)
    (aside / "manifest.json").touch()
    assert find_bundle(tmp_path) == aside
    with runs.claim_folder(tmp_path):
        assert (tmp_path / "bundle" / "config.json").read_text("utf-8") == "one"


def test_a_time_without_a_unit_is_refused_with_both_meanings() -> None:
    with pytest.raises(OptionError, match="10s or 10m"):
        parse(AdaptOptions, time="10")
    assert parse(AdaptOptions, time=10).time == 10.0 and parse(AdaptOptions, time="1.5h").time == 5400.0


@pytest.mark.parametrize("arguments", [[], ["--help"], ["adapt", "--help"], ["predict", "--help"]])
def test_help_is_whole_at_80_columns(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = CliRunner().invoke(app, arguments).output
    words = re.sub(r"[│\s]+", " ", text)
    assert "…" not in text and "list[str]" not in text and max(map(len, text.splitlines())) <= 80
    if arguments[:1] != ["adapt"] and arguments[:1] != ["predict"]:
        assert "headstart demo -o demo" in text and "corrupt files, classes that are too small." in words
    elif arguments[0] == "adapt":
        assert "[default: 10m]" in text and EXAMPLES["adapt"] in words


def test_every_command_has_a_panel_and_an_example() -> None:
    names = {info.name for info in (*app.registered_commands, *app.registered_groups)}
    assert {name for panel in COMMAND_PANELS.values() for name in panel} == names == set(EXAMPLES)


def test_the_bar_speaks_the_language_of_its_plan_in_the_thread_that_draws_it() -> None:
    plan = progress.Plan([progress.PlannedStep(name="read", words="kusoma", seconds=9.0)], 60.0, language="sw")
    with ThreadPoolExecutor(1) as pool:
        step, left = (pool.submit(describe, plan).result() for describe in (describe_step, describe_time_left))
    assert "kusoma" in step and "Step" not in step and "left" not in left


def test_a_log_shows_each_step_once_and_inner_work_no_bar_of_its_own() -> None:
    log = Console(file=StringIO(), width=80, force_terminal=False)
    steps = [progress.PlannedStep(name=name, words=f"{name} it", seconds=1.0) for name in ("read", "write")]
    with progress.listen(Terminal(False, log, log)), progress.open_plan(steps, 60.0) as plan:
        with progress.open_bar("Reading", 4, "rows") as bar:
            bar.advance(3)
            detail = plan.detail
        progress.begin_step("write")
        progress.begin_step("write")
    assert detail == "3/4 rows"
    assert isinstance(log.file, StringIO)
    assert log.file.getvalue() == "Step 1 of 2: read it\nStep 2 of 2: write it\n"
