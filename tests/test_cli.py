"""The command line: exit codes, two-line errors, one JSON on stdout, quick help, no torch without need, no sockets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from typer.testing import CliRunner

from headstart.cli.main import COMMANDS, app
from headstart.options import AdaptOptions

HEAVY = ("torch", "timm", "transformers", "sklearn", "pandas", "openvino", "aeon", "scipy", "onnxruntime")
NAMES = [*(body.__name__.replace("_", "-") for body in COMMANDS), "bases"]


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "headstart.cli.main", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=250)


def loaded_by(code: str) -> list[str]:
    listing = f"{code}\nimport sys\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout.strip().splitlines()[-1].replace("'", '"')))


def test_importing_headstart_and_its_command_line_loads_nothing_heavy() -> None:
    assert (
        loaded_by("import headstart, headstart.cli.main, headstart.records, headstart.report, headstart.evaluation")
        == []
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"])
    assert shown.exit_code == 0
    assert "--json" in shown.output and "--quiet" in shown.output


def test_every_adapt_option_of_the_record_is_on_the_command_line() -> None:
    shown = CliRunner().invoke(app, ["adapt", "--help"], env={"COLUMNS": "200"}).output
    for name in AdaptOptions.model_fields:
        assert f"--{name.replace('_', '-')}" in shown


def test_adapt_prints_one_json_document_on_stdout(text_table: Path, tmp_path: Path) -> None:
    done = run("adapt", text_table, "-o", tmp_path / "o", "--strategy", "majority,linear-probe", "--offline", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document == json.loads((tmp_path / "o" / "result.json").read_text("utf-8"))
    assert document["format"] == 1 and next(iter(document)) == "format"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["adapt", "nowhere", "-o", "o"], "There is nothing at nowhere"),
        (["adapt", "{table}", "-o", "o", "--time", "5x"], "--time: write it like 90s"),
        (["adapt", "{table}", "-o", "o", "--seed", "-1"], "--seed"),
        (["adapt", "{table}", "-o", "o", "--strategy", "linear-prob"], "Did you mean 'linear-probe'"),
        (["adapt", "{table}", "-o", "o", "--base", "minirocket"], "is for series data"),
        (["adapt", "{table}", "-o", "o", "--label", "topic"], "topic"),
        (["predict", "{table}", "{table}"], "is not a bundle"),
        (["check", "run"], "run holds a model, no data"),
        (["export", "run"], "--to is needed: "),
    ],
)
def test_a_mistake_of_the_user_is_two_lines_and_exit_code_2(
    arguments: list[str], problem: str, text_table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run" / "bundle").mkdir(parents=True)
    (tmp_path / "run" / "bundle" / "manifest.json").write_text("{}", encoding="utf-8")
    done = run(*(item.format(table=text_table) for item in arguments))
    assert done.returncode == 2
    assert problem in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "o" / "result.json").exists()


def test_a_missing_extra_names_the_pip_line(text_table: Path, tmp_path: Path) -> None:
    code = f"""
        import sys
        from importlib import util
        real = util.find_spec
        from headstart import extras
        extras.find_spec = lambda name, *a: None if name == "torch" else real(name, *a)
        sys.argv = ["headstart", "adapt", {str(text_table)!r}, "-o", {str(tmp_path / "o")!r}]
        from headstart.cli.main import run
        run()
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'headstart[adapt]'" in done.stderr


@pytest.mark.parametrize("fixture", ["image_folder", "text_table", "series_table"])
def test_offline_opens_no_socket_at_all(fixture: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Every way of opening a connection kills the process; adapt and predict pass through unharmed."""
    data = request.getfixturevalue(fixture)
    code = f"""
        import os, socket, sys
        def hook(event, arguments):
            if event.startswith("socket.") and event not in ("socket.__new__", "socket.gethostname"):
                os._exit(77)
        sys.addaudithook(hook)
        from headstart.cli.main import app
        strategies = "quick"
        data, out, csv = {str(data)!r}, {str(tmp_path / "o")!r}, {str(tmp_path / "p.csv")!r}
        app(["adapt", data, "-o", out, "--offline", "--strategy", strategies], standalone_mode=False)
        app(["predict", out, data, "-o", csv, "--offline"], standalone_mode=False)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True,
        env={**os.environ, "HEADSTART_HOME": str(tmp_path / "home")}, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "p.csv").is_file()


def test_offline_refuses_a_connection_loudly() -> None:
    import socket

    from headstart.offline import OfflineError, offline

    with offline(True):
        with pytest.raises(OfflineError, match="--offline was given"):
            socket.create_connection(("127.0.0.1", 9), timeout=1)
        with pytest.raises(OfflineError):
            socket.getaddrinfo("example.invalid", 80)
    with offline(False), pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", 9), timeout=1)


def test_check_prints_findings_as_json(tmp_path: Path) -> None:
    rows = ["the same text,a", "the same text,b", *(f"text {i},{'ab'[i % 2]}" for i in range(30))]
    (tmp_path / "t.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    done = run("check", tmp_path / "t.csv", "--json")
    assert done.returncode == 0
    kinds = {item["kind"]: item for item in json.loads(done.stdout)["findings"]}
    assert kinds["conflicting-labels"]["n_rows"] == 2
    assert set(kinds["conflicting-labels"]) == {"kind", "severity", "n_rows", "rows", "summary", "measure", "advice"}


def test_the_list_of_bases_fits_a_terminal_and_says_what_is_here(fresh_home: Path) -> None:
    lines = run("bases", HEADSTART_HOME=str(fresh_home), COLUMNS="80").stderr.splitlines()
    assert max(map(len, lines)) <= 80
    by_name = {line.split()[0]: line for line in lines if line and not line.startswith(" ")}
    assert by_name["efficientnet-lite0"].split()[-2:] == ["~permissive", "yes"]
    assert by_name["all-minilm-l6-v2"].split()[-2:] == ["permissive", "yes"]
    assert by_name["dinov3-base"].split()[-2:] == ["~343", "restricted"]
    assert "no safetensors" in " ".join(lines)


def test_the_json_of_bases_says_of_each_fact_whether_it_was_read(fresh_home: Path) -> None:
    listed = {item["name"]: item for item in json.loads(run("bases", "--json").stdout)["bases"]}
    assert len(listed) >= 30
    item = listed["resnet-18"]
    wanted_fields = "name modality licence licence_class megabytes parameters revision embedded here good_for sources"
    assert set(wanted_fields.split()) <= set(item)
    assert (item["licence_class"], item["embedded"], item["parameters"]) == ("permissive", False, 11_176_512)
    assert (item["sources"]["licence"], item["sources"]["size_bytes"]) == ("read", "remembered")
    assert listed["efficientnet-lite0"]["embedded"] and listed["efficientnet-lite0"]["here"]
    assert [name for name, item in listed.items() if not item["parameters"]] == ["minirocket"]


def test_the_list_of_bases_marks_what_was_not_read_in_a_source(fresh_home: Path) -> None:
    lines = run("bases", HEADSTART_HOME=str(fresh_home)).stderr.splitlines()
    (read,) = [line for line in lines if line.startswith("convnext-tiny")]
    (remembered,) = [line for line in lines if line.startswith("bert-base ")]
    assert " permissive" in read and " ~178" in read
    assert "~permissive" in remembered and "~440" in remembered


def test_listing_bases_loads_nothing_heavy() -> None:
    code = "from headstart.cli.main import app\nfrom typer.testing import CliRunner\nCliRunner().invoke(app, ['bases'])"
    assert loaded_by(code) == []


def test_bases_and_cache_answer_in_json(fresh_home: Path) -> None:
    listed = json.loads(run("bases", "--json", HEADSTART_HOME=str(fresh_home)).stdout)
    assert {item["name"] for item in listed["bases"] if item["default"]} == {
        "efficientnet-lite0", "all-minilm-l6-v2", "series-encoder",
    }  # fmt: skip
    shown = json.loads(run("cache", "--json", HEADSTART_HOME=str(fresh_home)).stdout)
    assert shown["entries"] == [] and shown["folder"] == str(fresh_home)


def test_the_users_folder_is_left_as_it_was(image_folder: Path, tmp_path: Path) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in image_folder.rglob("*"))
    done = run("adapt", image_folder, "-o", tmp_path / "o", "--strategy", "majority,classic", "--offline", "-q")
    assert done.returncode == 0, done.stderr
    assert sorted((path, path.stat().st_mtime_ns) for path in image_folder.rglob("*")) == before


def test_predicting_without_the_extra_names_the_pip_line(
    text_table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headstart import bundle, extras
    from headstart.errors import MissingExtra

    assert run("adapt", text_table, "-o", tmp_path / "o", "--strategy", "linear-probe", "-q").returncode == 0
    monkeypatch.setattr(extras, "find_missing", lambda extra: ["torch"])
    with pytest.raises(MissingExtra, match=r"pip install 'headstart\[adapt\]'"):
        bundle.load_bundle(tmp_path / "o")
