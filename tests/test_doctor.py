"""`headstart doctor`: each thing that a machine may lack has its code, its sentence and its repair."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import pytest

from headstart.flow.machine import doctor, facts
from headstart.report.sentences.machine import REPAIRS, SENTENCES, describe_machine_finding, describe_repair
from headstart.results.machine import MachineCode, MachineFinding


def test_every_code_has_a_sentence_and_whatever_is_wrong_a_repair() -> None:
    assert {code for code, _ in SENTENCES} == set(get_args(MachineCode))
    assert set(REPAIRS) == {(code, reason) for code, reason in SENTENCES if reason}


@pytest.mark.parametrize(
    ("free", "total", "level", "reason"),
    [(2 << 33, 2 << 33, "fine", ""), (1 << 30, 2 << 33, "notice", "busy"), (1 << 28, 1 << 30, "problem", "small")],
)
def test_memory_is_judged_by_what_is_free(
    free: int, total: int, level: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "measure_memory", lambda: facts.Memory(total, free))
    (finding,) = doctor.check_memory(Path())
    assert (finding.level, finding.reason) == (level, reason)
    assert f"{free / 1e9:.2g}" in describe_machine_finding(finding)


def test_the_memory_of_this_machine_is_known() -> None:
    memory = facts.measure_memory()
    assert memory.total and memory.free and 1 << 27 < memory.free <= memory.total


def test_a_limit_of_a_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "max").write_text("1000\n")
    monkeypatch.setattr(facts, "_LIMIT_FILES", (tmp_path / "max",))
    assert facts.measure_memory() == facts.Memory(1000, 1000)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    findings = {item.subject: item for item in doctor.check_folders(tmp_path / "file")}
    finding = findings[str(tmp_path / "file")]
    assert (finding.level, finding.reason) == ("problem", "work")
    assert str(tmp_path / "file") in describe_machine_finding(finding)


@pytest.mark.parametrize(
    ("process", "problem"),
    [
        (SimpleNamespace(returncode=-4, stdout="", stderr=""), "processor"),
        (SimpleNamespace(returncode=1, stdout="", stderr="Traceback\nOSError: libgomp.so.1 is missing\n"), "broken"),
        (SimpleNamespace(returncode=0, stdout='{"version": "1.2"}\n', stderr=""), ""),
    ],
)
def test_a_package_that_does_not_start_says_why(
    process: SimpleNamespace, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts.subprocess, "run", lambda *arguments, **options: process)
    package = facts.load_package("torch")
    assert package.problem == problem
    assert ("libgomp" in package.detail) == (problem == "broken")


def test_libraries_for_a_missing_graphics_card_are_weighed(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = facts.LoadedPackage(name="torch", version="2.9", cuda="12.8", has_graphics=False)
    monkeypatch.setattr(facts, "load_package", lambda name: loaded)
    monkeypatch.setattr(facts, "measure_graphics_libraries", lambda: 2_700_000_000)
    monkeypatch.setattr(doctor, "PACKAGES", ("torch",))
    _, finding = doctor.check_packages(Path())
    assert finding.reason == "unused" and "2.7 GB" in describe_machine_finding(finding)


def test_a_password_of_a_proxy_is_not_repeated_and_an_odd_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    proxies = {"http": "http://user:secret@proxy.example:8080", "https": "proxy:8080x"}
    monkeypatch.setattr(doctor, "getproxies", lambda: proxies)
    fine, odd = doctor.check_proxies(Path())
    assert fine.detail == "http://proxy.example:8080" and "secret" not in fine.model_dump_json()
    assert odd.level == "problem" and "https_proxy" in describe_repair(odd)


def test_the_command_names_the_problem_and_leaves_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from headstart.cli.main import app

    full = MachineFinding(code="disk", level="problem", reason="full", subject="/data", n_bytes=1, n_total_bytes=10**9)
    monkeypatch.setattr(doctor, "CHECKS", (lambda folder: iter([full]),))
    with pytest.raises(SystemExit) as stop:
        app(["doctor", "--json"], standalone_mode=False)
    printed = capsys.readouterr()
    assert stop.value.code == 2 and json.loads(printed.out)["findings"][0]["reason"] == "full"
    assert "nearly full" in printed.err and "cache --prune" in printed.err
