"""Jobs of Studio: one at a time, never twice, and none lost, whatever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from headstart import progress
from headstart.flow.projects.adding import add_data
from headstart.flow.projects.copying import delete_project, restore_project
from headstart.options import StudioOptions
from headstart.projects import Job, Project
from headstart.report.live_progress import Terminal
from headstart.studio import app
from headstart.studio.app import create_app
from headstart.studio.context import StudioContext
from headstart.studio.jobs.child import JobListener
from headstart.studio.jobs.events import EventReader, EventWriter, find_end, parse_events, read_last_events
from headstart.studio.jobs.places import find_job_files
from headstart.studio.jobs.power import is_on_battery
from headstart.studio.jobs.runner import JobRunner
from headstart.studio.server import make_policy
from headstart.studio.settings import StudioSettings

PROGRAM = (sys.executable, str(Path(__file__).with_name("slow_job.py")))
pytestmark = pytest.mark.usefixtures("fresh_home")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "projects" / "farm", "Farm") as made:
        yield made


@pytest.fixture
def runner(project: Project) -> Iterator[JobRunner]:
    made = JobRunner(lambda: [project], program=PROGRAM, detect_battery=lambda: False)
    made.start()
    yield made
    made.stop()
    for job in project.list_jobs(("running",)):
        if job.pid:
            os.kill(job.pid, signal.SIGKILL)


def wait_for(condition: Callable[[], object], seconds: float = 90.0) -> None:
    stop = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < stop
        time.sleep(0.02)


def state(project: Project, job: int) -> str:
    return project.get_job(job).state


def read(log: Path) -> list[str]:
    return log.read_text().split() if log.exists() else []


def test_two_tabs_start_one_job_and_the_next_waits(project: Project, runner: JobRunner, tmp_path: Path) -> None:
    log = tmp_path / "log"
    first = runner.submit(project, "adapt", [str(log), "0.3"])
    assert runner.submit(project, "adapt", [str(log), "0.2"]) == first
    second = runner.submit(project, "embed", [str(log), "0.1"])
    wait_for(lambda: state(project, second) == "done")
    assert read(log) == ["begin", "end", "begin", "end"] and state(project, first) == "done"
    assert find_end(find_job_files(project.folder, first).events) == 0


def test_a_job_that_comes_while_a_project_is_looked_at_does_not_wait(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = JobRunner(lambda: [project])
    submit = threading.Thread(target=runner.submit, args=(project, "adapt", ["x"]))

    def list_jobs(states: Sequence[str]) -> list[Job]:
        jobs = Project.list_jobs(project, states)
        monkeypatch.undo()
        submit.start()
        submit.join(0.2)
        return jobs

    monkeypatch.setattr(project, "list_jobs", list_jobs)
    runner._find_open_jobs()
    submit.join()
    assert project.folder in runner._active


def test_a_killed_job_starts_again(project: Project, runner: JobRunner, tmp_path: Path) -> None:
    log = tmp_path / "log"
    job = runner.submit(project, "adapt", [str(log), "0.4"])
    wait_for(lambda: read(log) == ["begin"])
    os.kill(project.get_job(job).pid or 0, signal.SIGKILL)
    wait_for(lambda: state(project, job) == "done")
    assert read(log) == ["begin", "begin", "end"]
    assert project.get_job(job).facts["n_restarts"] == 1


def test_a_stopped_job_keeps_what_it_has(project: Project, runner: JobRunner, tmp_path: Path) -> None:
    log = tmp_path / "log"
    job = runner.submit(project, "adapt", [str(log), "60"])
    waiting = runner.submit(project, "embed", [str(log), "60"])
    wait_for(lambda: read(log) == ["begin"])
    runner.cancel(project, waiting)
    runner.cancel(project, job)
    wait_for(lambda: state(project, job) == "cancelled")
    assert read(log) == ["begin", "stopped"] and state(project, waiting) == "cancelled"


def test_a_job_outlives_its_server_and_a_new_one_takes_it_up(project: Project, tmp_path: Path) -> None:
    log = tmp_path / "log"
    lost = project.add_job("embed", [str(log), "0.1"])
    assert project.claim_job(2**22 - 1, lost) is not None  # Its server and its process went in a power cut.
    job = project.add_job("adapt", [str(log), "1.5"])
    server = subprocess.Popen([sys.executable, str(Path(__file__).with_name("job_server.py")), str(project.folder)])
    wait_for(lambda: read(log) == ["begin", "end", "begin"])
    server.kill()
    server.wait()
    runner = JobRunner(lambda: [project], program=PROGRAM, detect_battery=lambda: False)
    runner.start()
    wait_for(lambda: state(project, job) == "done")
    runner.stop()
    assert read(log) == ["begin", "end", "begin", "end"] and state(project, lost) == "done"


def test_a_project_that_is_gone_holds_up_no_other(project: Project, runner: JobRunner, tmp_path: Path) -> None:
    other = Project.create(tmp_path / "projects" / "clinic", "Clinic")
    first = runner.submit(project, "adapt", [str(tmp_path / "log"), "0.3"])
    runner.submit(other, "adapt", [str(tmp_path / "log"), "0.1"])
    deleted = delete_project(other)
    second = runner.submit(project, "embed", [str(tmp_path / "log"), "0.1"])
    wait_for(lambda: state(project, second) == "done")
    assert state(project, first) == "done" and read(tmp_path / "log") == ["begin", "end"] * 2
    with restore_project(tmp_path / "projects", deleted.id) as back:
        assert [job.state for job in back.list_jobs()] == ["cancelled"]


def test_two_servers_do_one_job_at_a_time(project: Project, tmp_path: Path) -> None:
    other = Project.create(tmp_path / "elsewhere" / "clinic", "Clinic")
    log = tmp_path / "log"
    runners = [JobRunner(lambda p=p: [p], program=PROGRAM, detect_battery=lambda: False) for p in (project, other)]
    jobs = [runner.submit(p, "adapt", [str(log), "0.4"]) for runner, p in zip(runners, (project, other), strict=True)]
    for runner in runners:
        runner.start()
    wait_for(lambda: all(state(p, job) == "done" for p, job in zip((project, other), jobs, strict=True)))
    for runner in runners:
        runner.stop()
    assert read(log) == ["begin", "end", "begin", "end"]


def test_jobs_stand_still_on_battery(project: Project, tmp_path: Path) -> None:
    battery = [False]
    log = tmp_path / "log"
    runner = JobRunner(lambda: [project], program=PROGRAM, detect_battery=lambda: battery[0])
    runner.start()
    job = runner.submit(project, "adapt", [str(log), "60"])
    wait_for(lambda: read(log) == ["begin"])
    battery[0] = True
    wait_for(lambda: project.get_job(job).facts.get("is_paused"))
    (tmp_path / "log.go").touch()
    time.sleep(0.3)
    assert read(log) == ["begin"] and state(project, job) == "running"
    battery[0] = False
    wait_for(lambda: state(project, job) == "done")
    runner.stop()
    assert read(log) == ["begin", "end"]


def test_the_battery_is_seen_where_the_system_tells(tmp_path: Path) -> None:
    def put(name: str, **values: str) -> None:
        (tmp_path / name).mkdir(exist_ok=True)
        for file, value in values.items():
            (tmp_path / name / file).write_text(f"{value}\n")

    assert not is_on_battery(tmp_path / "none")
    put("mouse", type="Battery", scope="Device", status="Discharging")
    assert not is_on_battery(tmp_path)
    put("AC", type="Mains", online="0")
    put("BAT0", type="Battery", status="Discharging")
    assert is_on_battery(tmp_path)
    put("AC", type="Mains", online="1")
    assert not is_on_battery(tmp_path)


def test_the_file_of_events_stays_small_and_is_read_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "headstart.studio.jobs.events.SETTINGS", StudioSettings(most_event_lines=3, most_event_characters=5)
    )
    path = tmp_path / "1.jsonl"
    reader = EventReader(path)
    assert reader.read_new() == []
    with EventWriter(path) as writer:
        for number in range(10):
            writer.write("say", words=f"line {number}")
        assert [number for number, _ in reader.read_new()] == [1, 2, 3]
        writer.write("begin")
        writer.write("end", code=0)
    with path.open("a") as file:
        file.write('{"half')
    assert [number for number, _ in reader.read_new()] == [4, 5]
    assert [event["event"] for event in read_last_events(path)] == ["begin", "end"]


def test_a_page_follows_a_command_and_comes_back_to_it(project: Project) -> None:
    context = StudioContext(options=StudioOptions(folder=project.folder.parent), policy=make_policy(None, 8765))
    with TestClient(create_app(context), base_url="http://127.0.0.1", headers={"X-Headstart": "1"}) as client:
        project = context.open("farm")
        job = context.jobs.submit(project, "check", ["check", str(project.folder / "nothing.csv")])
        path = f"/api/p/farm/jobs/{job}"
        text = client.get(f"{path}/events").text
        again = client.get(f"{path}/events", headers={"Last-Event-ID": "2"}).text
        assert "id: 1\n" in text and '"event": "begin"' in text and "There is nothing at" in text
        assert "id: 1\n" not in again and "id: 3\n" in again
        document = client.get(path).json()
        assert (document["state"], document["command"].split()[:2]) == ("failed", ["headstart", "check"])
        assert document["error"]["problem"].startswith("There is nothing at")
        assert "There is nothing at" in client.get(f"{path}/log").text
        assert client.get("/api/p/farm/jobs/99").status_code == 422
        assert client.get("/api/machine/jobs").json() == []


def test_a_page_knows_the_bar_of_adding_by_its_code(tmp_path: Path) -> None:
    (tmp_path / "texts.csv").write_text("text,label\nmy well is dry,water\nno books,school\n", "utf-8")
    events = tmp_path / "events.jsonl"
    with EventWriter(events) as writer, Project.create(tmp_path / "p") as project:
        writer.is_due = lambda: True  # type: ignore[method-assign]
        with progress.listen(JobListener(Terminal(quiet=True), writer)):
            add_data(project, tmp_path / "texts.csv")
    bars = [event for event in parse_events(events.read_text("utf-8").splitlines()) if event["event"] == "progress"]
    script = (Path(app.__file__).parent / "static" / "examples.js").read_text("utf-8")
    assert f'const ADDING = "{bars[0]["bar"]}";' in script and bars[0]["n"] == 2 and "words" not in bars[0]
