"""Downloads over a line that stalls, cuts, lies and refuses: resumed, checked and pinned, or nothing is there."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.hub_server import COMMIT, FakeHub, isolate, serve_hub

from headstart import progress
from headstart.bases.downloads import settings
from headstart.bases.downloads.carrying import add_base, export_stored, find_travelling
from headstart.bases.downloads.fetching import FetchRequest, plan_fetch, run_fetch
from headstart.bases.downloads.storage import find_repository_folder, find_stored, read_pin
from headstart.bases.hub import fetch_base, fetch_repository, require_pinned_weights
from headstart.errors import BundleError, DataError, HeadstartError, UnknownName
from headstart.file_locks import lock_file
from headstart.home import lock_path

WEIGHTS = bytes(range(256)) * 800
FILES = {
    "README.md": b"---\nlicense: mit\n---\n",
    "config.json": b'{"model_type": "resnet"}',
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": b"never fetched",
    "modeling_tiny.py": b"never fetched",
    "onnx/model.json": b"never fetched",
}
REQUEST = FetchRequest(repository="clinic/tiny", reference="hf:clinic/tiny")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(tmp_path, monkeypatch)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with serve_hub(FakeHub(dict(FILES))) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def assert_whole(folder: Path) -> None:
    assert list_names(folder) == ["README.md", "config.json", "model.safetensors"]
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS


def test_a_base_is_fetched_once_with_data_files_only_and_then_read_without_a_request(hub: FakeHub) -> None:
    folder = fetch_repository("clinic/tiny", offline=False)
    assert_whole(folder)
    n_requests = len(hub.requests)
    assert fetch_repository("clinic/tiny", offline=False) == folder
    assert fetch_repository("clinic/tiny", offline=True) == folder
    assert len(hub.requests) == n_requests == 4


def test_licence_and_size_are_known_before_a_byte_of_the_weights_is_fetched(hub: FakeHub) -> None:
    plan = plan_fetch(REQUEST)
    assert plan.licence == "mit"
    assert plan.missing_bytes == sum(len(FILES[name]) for name in ("README.md", "config.json", "model.safetensors"))
    assert hub.count_requests("model.safetensors") == 0


@pytest.mark.parametrize(
    "acts",
    [
        ["cut:50000", "cut:50000", "cut:50000", "cut:50000", "cut:3"],
        ["stall:60000", "cut:10"],
        ["500", "503", "cut:1"],
        ["wait:1"],
        ["cut:100000", "ignore-range"],
        ["wrong-length", "cut:70000"],
    ],
    ids=lambda acts: "-".join(acts).replace(":", ""),
)
def test_a_bad_line_is_survived(hub: FakeHub, acts: list[str]) -> None:
    hub.acts["model.safetensors"] += acts
    assert_whole(fetch_repository("clinic/tiny", offline=False))


def test_what_came_before_a_cut_is_not_sent_again(hub: FakeHub) -> None:
    hub.acts["model.safetensors"] += ["cut:50000", "cut:60000", "stall:70000"]
    assert_whole(fetch_repository("clinic/tiny", offline=False))
    assert hub.sent["model.safetensors"] == len(WEIGHTS)


def test_a_wait_that_the_server_asks_for_is_kept(hub: FakeHub) -> None:
    hub.acts[""] += ["wait:1"]
    began = time.monotonic()
    fetch_repository("clinic/tiny", offline=False)
    assert time.monotonic() - began >= 1.0


def test_a_wait_that_is_too_long_ends_the_command_and_is_named(hub: FakeHub) -> None:
    hub.acts["model.safetensors"] += ["cut:1000", "wait:3600"]
    with pytest.raises(DataError, match="asks to wait 60 minutes"):
        fetch_repository("clinic/tiny", offline=False)
    assert_whole(fetch_repository("clinic/tiny", offline=False))
    assert hub.sent["model.safetensors"] == len(WEIGHTS)


def test_giving_up_states_the_attempts_and_the_next_command_goes_on(hub: FakeHub) -> None:
    hub.acts["model.safetensors"] += ["cut:100000", *["503"] * 4]
    with pytest.raises(DataError, match=r"at 0\.1 of 0\.2 MB: .* answers 503 \(4 attempts\)") as caught:
        fetch_repository("clinic/tiny", offline=False)
    assert "goes on where it stopped" in caught.value.hint
    folder = find_repository_folder("clinic/tiny") / COMMIT
    assert not (folder / "model.safetensors").exists()
    assert find_stored("clinic/tiny") is None
    assert_whole(fetch_repository("clinic/tiny", offline=False))
    assert hub.sent["model.safetensors"] == len(WEIGHTS)


def test_a_range_that_is_refused_starts_the_file_again(hub: FakeHub) -> None:
    hub.acts["model.safetensors"] += ["cut:100000", "416"]
    assert_whole(fetch_repository("clinic/tiny", offline=False))
    assert hub.sent["model.safetensors"] == len(WEIGHTS) + 100_000


@pytest.mark.parametrize("act", ["416", "cut:0", "wrong-length", "stall:0"])
def test_a_server_that_never_gives_a_file_is_given_up(hub: FakeHub, act: str) -> None:
    hub.acts["model.safetensors"] += [act] * 40
    with pytest.raises(DataError, match="4 attempts"):
        fetch_repository("clinic/tiny", offline=False)
    assert hub.count_requests("model.safetensors") == 4


def test_a_server_that_always_cuts_at_the_same_byte_and_ignores_ranges_is_given_up(hub: FakeHub) -> None:
    hub.acts["model.safetensors"] += ["cut:90000", "416"] * 20
    with pytest.raises(DataError, match="attempts"):
        fetch_repository("clinic/tiny", offline=False)
    assert hub.count_requests("model.safetensors") < 12


def test_wrong_bytes_are_fetched_again_and_then_refused_with_nothing_left(hub: FakeHub) -> None:
    hub.acts["model.safetensors"] += ["wrong-bytes"]
    assert_whole(fetch_repository("clinic/tiny", offline=False))
    for path in (find_repository_folder("clinic/tiny") / COMMIT).iterdir():
        path.unlink()
    hub.acts["config.json"] += ["wrong-bytes"] * 2
    with pytest.raises(DataError, match=r"config\.json of 'clinic/tiny' has a wrong hash \(fetched 2 times"):
        fetch_repository("clinic/tiny", offline=False)
    assert [name for name in list_names(find_repository_folder("clinic/tiny") / COMMIT) if "config" in name] == []


def test_a_file_that_changes_between_two_ranges_is_refused_where_its_hash_is_known(hub: FakeHub) -> None:
    hub.acts["model.safetensors"] += ["cut:100000", "change"]
    with pytest.raises(DataError, match="wrong hash"):
        fetch_repository("clinic/tiny", offline=False)
    assert not (find_repository_folder("clinic/tiny") / COMMIT / "model.safetensors").exists()


@pytest.mark.parametrize(("states_sizes", "heeds_if_range"), [(True, True), (False, True), (True, False)])
def test_a_file_that_changes_between_two_ranges_is_taken_whole_where_no_hash_is_known(
    hub: FakeHub, states_sizes: bool, heeds_if_range: bool
) -> None:
    hub.states_hashes, hub.states_sizes, hub.heeds_if_range = False, states_sizes, heeds_if_range
    hub.acts["model.safetensors"] += ["cut:100000", "change"]
    folder = fetch_repository("clinic/tiny", offline=False)
    assert (folder / "model.safetensors").read_bytes() == hub.files["model.safetensors"] == WEIGHTS[::-1]


def test_redirects_are_followed_and_the_token_stays_with_its_host(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with serve_hub(FakeHub(dict(FILES))) as other:
        hub.acts["model.safetensors"] += [f"redirect:{other.url}/elsewhere/model.safetensors"] * 2
        hub.acts["config.json"] += ["redirect:/elsewhere/config.json"]
        other.acts["model.safetensors"] += ["cut:1000"]
        assert_whole(fetch_repository("clinic/tiny", offline=False))
        assert all("Authorization" not in headers for _, headers in other.requests)
        assert other.requests[1][1]["Range"] == "bytes=1000-"
    assert all(headers["Authorization"] == "Bearer hf_secret" for _, headers in hub.requests)


def test_a_mirror_gets_no_token(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    fetch_base(replace(REQUEST, mirror=hub.url), offline=False)
    assert all("Authorization" not in headers for _, headers in hub.requests)


@pytest.mark.parametrize(
    "address", ["file:///etc/hosts", "ftp://127.0.0.1/x", "http://[x", "http://a:b/", "/b\xfc", "loop"]
)
def test_an_unsafe_or_endless_redirect_is_refused(hub: FakeHub, address: str) -> None:
    target = f"{hub.url}/clinic/tiny/resolve/{COMMIT}/model.safetensors" if address == "loop" else address
    hub.acts["model.safetensors"] += [f"redirect:{target}"] * 20
    with pytest.raises(DataError, match="without end" if address == "loop" else "not safe"):
        fetch_repository("clinic/tiny", offline=False)


def test_an_expired_address_elsewhere_is_asked_for_again(hub: FakeHub) -> None:
    with serve_hub(FakeHub(dict(FILES))) as other:
        hub.acts["model.safetensors"] += [f"redirect:{other.url}/elsewhere/model.safetensors"]
        other.acts["model.safetensors"] += ["403"]
        assert_whole(fetch_repository("clinic/tiny", offline=False))


@pytest.mark.parametrize("token", ["", "hf_secret"])
def test_a_gated_base_names_the_page_and_the_token(hub: FakeHub, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    hub.acts["model.safetensors"] += ["gated"]
    with pytest.raises(DataError) as caught:
        fetch_repository("clinic/tiny", offline=False)
    assert "https://huggingface.co/clinic/tiny" in caught.value.hint
    assert "HF_TOKEN" in str(caught.value)
    assert "hf_secret" not in str(caught.value)


def test_a_repository_that_is_not_there_is_an_unknown_name(hub: FakeHub) -> None:
    with pytest.raises(UnknownName, match="clinic/nowhere"):
        fetch_repository("clinic/nowhere", offline=False)


@pytest.mark.parametrize("name", ["../up", "a/b/c", "a--b/c", "-x/y", "a/..", ""])
def test_a_name_that_could_lead_out_of_the_home_is_refused(name: str) -> None:
    with pytest.raises(UnknownName):
        fetch_repository(name, offline=False)


def test_a_network_that_asks_for_a_login_is_named(hub: FakeHub) -> None:
    hub.acts[""] += ["html"]
    with pytest.raises(DataError, match="does not answer as the hub does") as caught:
        fetch_repository("clinic/tiny", offline=False)
    assert "login" in caught.value.hint


def test_a_repository_without_safetensors_is_refused_before_the_download(hub: FakeHub) -> None:
    del hub.files["model.safetensors"]
    with pytest.raises(DataError, match="no weights in safetensors"):
        fetch_repository("clinic/tiny", offline=False)
    assert len(hub.requests) == 1


def test_no_connection_at_all_ends_after_the_stated_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(DataError, match=r"no connection to 127\.0\.0\.1.*3 attempts"):
            fetch_repository("clinic/tiny", offline=False)


def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "huggingface.co")
    with pytest.raises(HeadstartError, match="HF_ENDPOINT is not the address"):
        fetch_repository("clinic/tiny", offline=False)


def test_offline_opens_no_socket_and_names_the_file_and_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    with pytest.raises(DataError, match=r"config\.json, model\.safetensors is missing in .*clinic--tiny") as caught:
        fetch_repository("clinic/tiny", offline=True)
    assert "headstart bases fetch hf:clinic/tiny --to DIR" in caught.value.hint
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DataError, match="nothing may be downloaded"):
        fetch_repository("clinic/tiny", offline=False)


def test_offline_after_a_broken_fetch_names_the_file_that_is_missing(hub: FakeHub) -> None:
    hub.acts["model.safetensors"] += ["404"]
    with pytest.raises(DataError, match=r"no file model\.safetensors"):
        fetch_repository("clinic/tiny", offline=False)
    with pytest.raises(DataError, match=rf": model\.safetensors is missing in .*{COMMIT}"):
        fetch_repository("clinic/tiny", offline=True)


def test_the_first_fetch_pins_the_revision_and_the_hashes(hub: FakeHub) -> None:
    folder = fetch_repository("clinic/tiny", offline=False)
    pinned = read_pin("clinic/tiny")
    assert pinned is not None and pinned.is_pinned and pinned.remote.revision == COMMIT
    (folder / "model.safetensors").unlink()
    hub.files["model.safetensors"] = WEIGHTS[::-1]
    with pytest.raises(DataError, match="wrong hash") as caught:
        fetch_repository("clinic/tiny", offline=False)
    assert "--update" in caught.value.hint
    fetched = run_fetch(plan_fetch(replace(REQUEST, takes_changes=True)))
    assert (fetched / "model.safetensors").read_bytes() == WEIGHTS[::-1]
    assert fetch_repository("clinic/tiny", offline=True) == fetched


def test_a_new_revision_of_the_hub_is_not_taken_unasked(hub: FakeHub) -> None:
    first = fetch_repository("clinic/tiny", offline=False)
    hub.commit = "d" * 40
    hub.files["model.safetensors"] = WEIGHTS[::-1]
    assert fetch_repository("clinic/tiny", offline=False) == first
    second = run_fetch(plan_fetch(replace(REQUEST, takes_changes=True)))
    assert second.name == "d" * 40
    assert fetch_repository("clinic/tiny", offline=True) == second


def test_weights_other_than_those_of_the_catalogue_are_refused_before_the_download(hub: FakeHub) -> None:
    with pytest.raises(DataError, match="is not the file that Headstart knows"):
        plan_fetch(replace(REQUEST, sha256="0" * 64))
    hub.states_hashes = False
    with pytest.raises(DataError, match="wrong hash"):
        fetch_base(replace(REQUEST, sha256="0" * 64), offline=False)


def test_the_cache_of_huggingface_hub_is_read_where_it_is_complete(hub: FakeHub, tmp_path: Path) -> None:
    root = tmp_path / "hf" / "hub" / "models--clinic--tiny"
    snapshot = root / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text(COMMIT)
    (snapshot / "config.json").write_bytes(FILES["config.json"])
    with pytest.raises(DataError, match="not on this machine"):
        fetch_repository("clinic/tiny", offline=True)
    (snapshot / "model.safetensors").write_bytes(WEIGHTS)
    assert fetch_repository("clinic/tiny", offline=False) == snapshot
    assert hub.requests == []
    assert list_names(root) == ["config.json", "main", "model.safetensors"]


CHILD = """
import sys
from headstart.bases.downloads import settings
settings.SETTINGS = settings.DownloadSettings(sync_seconds=0.02, block_bytes=4096)
from headstart.bases.hub import fetch_repository
fetch_repository("clinic/tiny", offline=False)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="SIGKILL is of Unix")
def test_a_killed_process_leaves_no_half_file_and_the_next_one_goes_on(hub: FakeHub) -> None:
    hub.acts["model.safetensors"] += ["slow:0.03"]
    child = subprocess.Popen([sys.executable, "-c", CHILD])
    deadline = time.monotonic() + 30
    while hub.sent["model.safetensors"] < 90_000 and time.monotonic() < deadline:
        time.sleep(0.01)
    child.kill()
    assert child.wait() == -signal.SIGKILL
    folder = find_repository_folder("clinic/tiny") / COMMIT
    assert not (folder / "model.safetensors").exists()
    before = hub.sent["model.safetensors"]
    assert 90_000 <= before < len(WEIGHTS)
    assert_whole(fetch_repository("clinic/tiny", offline=False))
    resent = hub.sent["model.safetensors"] - len(WEIGHTS)
    assert resent < 60_000, f"{resent} bytes were sent twice"
    assert hub.count_requests("config.json") == 1


def test_a_part_whose_journal_is_damaged_is_not_trusted(hub: FakeHub) -> None:
    hub.acts["model.safetensors"] += ["cut:100000", *["503"] * 4]
    with pytest.raises(DataError):
        fetch_repository("clinic/tiny", offline=False)
    folder = find_repository_folder("clinic/tiny") / COMMIT
    (folder / ".model.safetensors.journal").write_text("{")
    assert_whole(fetch_repository("clinic/tiny", offline=False))
    assert hub.sent["model.safetensors"] == len(WEIGHTS) + 100_000


def test_bytes_that_the_journal_does_not_vouch_for_are_fetched_again(hub: FakeHub) -> None:
    hub.acts["model.safetensors"] += ["cut:100000", *["503"] * 4]
    with pytest.raises(DataError):
        fetch_repository("clinic/tiny", offline=False)
    part = find_repository_folder("clinic/tiny") / COMMIT / ".model.safetensors.part"
    part.write_bytes(part.read_bytes() + b"\0" * 5000)  # What a file system may show after a loss of power.
    assert_whole(fetch_repository("clinic/tiny", offline=False))
    assert hub.sent["model.safetensors"] == len(WEIGHTS)


def test_a_disk_that_gets_full_keeps_what_came_and_says_so(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    from headstart.bases.downloads.partial_files import PartialFile

    append = PartialFile.append

    def fill(self: PartialFile, block: bytes) -> None:
        if self.target.name == "model.safetensors" and self.n_bytes > 100_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        append(self, block)

    monkeypatch.setattr(PartialFile, "append", fill)
    with pytest.raises(HeadstartError, match="no space left"):
        fetch_repository("clinic/tiny", offline=False)
    monkeypatch.setattr(PartialFile, "append", append)
    sent = hub.sent["model.safetensors"]
    assert_whole(fetch_repository("clinic/tiny", offline=False))
    assert hub.sent["model.safetensors"] - sent < len(WEIGHTS) - 90_000


def test_a_disk_that_is_too_small_is_named_before_the_first_byte(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(DataError, match="MB are needed in"):
        fetch_repository("clinic/tiny", offline=False)
    assert hub.count_requests("model.safetensors") == 0


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_is_read_only_is_two_lines(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "home" / "bases").mkdir(parents=True)
    (tmp_path / "home" / "bases").chmod(0o500)
    with pytest.raises(HeadstartError, match="cannot be written"):
        fetch_repository("clinic/tiny", offline=False)


def test_bytes_are_counted_forwards_only_as_they_come(hub: FakeHub) -> None:
    class Counter(progress.Silent):
        n, total, unit = 0, 0, ""

        def advance(self, n: int = 1) -> None:
            self.n += n

        def open(self, name: str, total: int, unit: str) -> progress.ProgressBar:
            self.total, self.unit = total, unit
            return self

        def close(self, bar: progress.ProgressBar) -> None: ...
        def say(self, text: str) -> None: ...
        def warn(self, text: str) -> None: ...

    hub.acts["model.safetensors"] += ["cut:100000", "416", "cut:500", "wrong-bytes"]
    counter = Counter()
    with progress.listen(counter):
        fetch_repository("clinic/tiny", offline=False)
    assert counter.unit == "bytes"
    assert counter.n == counter.total > len(WEIGHTS)


# A folder that travels.


def test_a_base_travels_on_a_stick(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stick = tmp_path / "stick" / "tiny"
    run_fetch(plan_fetch(REQUEST, stick))
    assert find_stored("clinic/tiny") is None
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    (source,) = find_travelling(tmp_path / "stick")
    added = add_base(source, {})
    assert added.is_new and added.reference == "hf:clinic/tiny"
    assert_whole(fetch_repository("clinic/tiny", offline=True))
    assert not add_base(source, {}).is_new
    again = export_stored(find_stored("clinic/tiny"), REQUEST.reference, tmp_path / "other" / "tiny")  # type: ignore[arg-type]
    assert (again / "model.safetensors").read_bytes() == WEIGHTS


def test_a_fetch_into_a_folder_goes_on_there_and_is_not_added_before_it_is_complete(
    hub: FakeHub, tmp_path: Path
) -> None:
    stick = tmp_path / "stick" / "tiny"
    hub.acts["model.safetensors"] += ["cut:100000", *["503"] * 4]
    with pytest.raises(DataError, match="attempts"):
        run_fetch(plan_fetch(REQUEST, stick))
    with pytest.raises(DataError, match="is not complete: "):
        add_base(stick, {})
    run_fetch(plan_fetch(REQUEST, stick))
    assert hub.sent["model.safetensors"] == len(WEIGHTS)
    assert add_base(stick, {}).is_new


def test_a_damaged_stick_adds_nothing(hub: FakeHub, tmp_path: Path) -> None:
    stick = run_fetch(plan_fetch(REQUEST, tmp_path / "stick" / "tiny"))
    (stick / "model.safetensors").write_bytes(WEIGHTS[:-1] + b"x")
    with pytest.raises(DataError, match="is damaged"):
        add_base(stick, {})
    assert find_stored("clinic/tiny") is None
    assert list_names(find_repository_folder("clinic/tiny")) == []


def test_a_stick_that_differs_from_what_is_pinned_is_refused(hub: FakeHub, tmp_path: Path) -> None:
    fetch_repository("clinic/tiny", offline=False)
    stick = run_fetch(plan_fetch(REQUEST, tmp_path / "stick" / "tiny"))
    document = json.loads((stick / "headstart-base.json").read_text())
    document["revision"] = "e" * 40
    (stick / "headstart-base.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match="is pinned here to revision cccccccccccc") as caught:
        add_base(stick, {})
    assert "--update" in caught.value.hint
    assert add_base(stick, {}, takes_changes=True).is_new
    assert fetch_repository("clinic/tiny", offline=True).name == "e" * 40
    with pytest.raises(DataError, match="not the file that Headstart knows"):
        add_base(stick, {"clinic/tiny": "0" * 64})


@pytest.mark.parametrize("change", ["../../x.json", "x.py", "nothing", "screen"])
def test_a_manifest_from_a_stranger_leads_nowhere(hub: FakeHub, tmp_path: Path, change: str) -> None:
    stick = run_fetch(plan_fetch(REQUEST, tmp_path / "stick" / "tiny"))
    document = json.loads((stick / "headstart-base.json").read_text())
    document["files"][change] = document["files"].pop("config.json")
    if change == "nothing":
        document["repository"] = "../../up"
    if change == "screen":
        document["files"]["config.json"] = document["files"].pop(change)
        document["reference"] = "tiny\x1b[2J"
    (stick / "headstart-base.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match="is damaged"):
        add_base(stick, {})


def test_adding_waits_for_a_fetch_of_the_same_base_and_looks_for_room_first(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = run_fetch(plan_fetch(REQUEST, tmp_path / "stick" / "tiny"))
    monkeypatch.setattr(settings, "SETTINGS", replace(settings.SETTINGS, lock_seconds=0.05))
    with lock_file(lock_path(find_repository_folder("clinic/tiny") / COMMIT)) as acquired:
        assert acquired
        with pytest.raises(DataError, match="Another process is still writing"):
            add_base(stick, {})
    usage = shutil.disk_usage(tmp_path)
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=1000))
        with pytest.raises(DataError, match="MB are needed in"):
            add_base(stick, {})
    assert list_names(find_repository_folder("clinic/tiny")) == []
    assert add_base(stick, {}).is_new


def test_weights_of_another_name_are_compared_with_their_pinned_hash(hub: FakeHub) -> None:
    name = "open_clip_model.safetensors"
    hub.files[name] = WEIGHTS
    hub.files["open_clip_config.json"] = b"{}"
    folder = fetch_base(replace(REQUEST, files=("open_clip_config.json", name), weights_file=name), offline=False)
    require_pinned_weights(folder, "clinic/tiny", hashlib.sha256(WEIGHTS).hexdigest(), name)
    with pytest.raises(BundleError, match=rf"{name} is damaged"):
        require_pinned_weights(folder, "clinic/tiny", "0" * 64, name)


def test_an_empty_folder_is_no_stick(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no base"):
        find_travelling(tmp_path)


def test_an_update_over_a_line_that_breaks_leaves_the_old_revision_in_use(hub: FakeHub) -> None:
    first = fetch_repository("clinic/tiny", offline=False)
    hub.commit = "d" * 40
    hub.files["model.safetensors"] = WEIGHTS[::-1]
    hub.acts["model.safetensors"] += ["cut:100000", *["503"] * 4]
    update = replace(REQUEST, takes_changes=True)
    with pytest.raises(DataError, match="could not be fetched"):
        run_fetch(plan_fetch(update))
    assert fetch_repository("clinic/tiny", offline=True) == first
    before = hub.sent["model.safetensors"]
    second = run_fetch(plan_fetch(update))
    assert second.name == "d" * 40 and fetch_repository("clinic/tiny", offline=True) == second
    assert hub.sent["model.safetensors"] - before == len(WEIGHTS) - 100_000, "it went on where it stopped"


def test_nothing_is_asked_of_the_hub_where_its_own_variable_forbids_it(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DataError, match="HF_HUB_OFFLINE is set"):
        plan_fetch(REQUEST)
    assert hub.requests == []
