"""`headstart bases fetch` and `add`, and `adapt --base` of a base that is not here: asked once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from tests.hub_server import COMMIT, FakeHub, isolate, serve_hub
from typer.testing import CliRunner, Result

from headstart.bases import CATALOGUE, BaseRequest, embedded, load_base
from headstart.bases.downloads import settings
from headstart.bases.downloads.storage import find_repository_folder, find_stored
from headstart.cli import asking
from headstart.cli.main import app
from headstart.errors import BundleError, DataError, MissingExtra

FILES = {
    "config.json": b'{"architecture": "resnet18", "pretrained_cfg": {}}',
    "model.safetensors": bytes(range(256)) * 500,
}
NAME = "tiny-net"


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    isolate(tmp_path, monkeypatch)
    record = replace(CATALOGUE["resnet-18"], name=NAME, repository="clinic/tiny", licence="mit", size_bytes=128_000)
    monkeypatch.setitem(CATALOGUE, NAME, record)
    with serve_hub(FakeHub(dict(FILES))) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


def run(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, ["bases", *arguments], input=answer)


def test_without_a_terminal_nothing_is_fetched_unless_yes_is_given(hub: FakeHub) -> None:
    refused = run("fetch", NAME)
    assert refused.exit_code == 2
    assert "nobody is there to agree" in refused.stderr and "--yes" in refused.stderr
    assert "0 MB from 127.0.0.1" in refused.stderr and "licence mit (every use is allowed)" in refused.stderr
    assert hub.count_requests("model.safetensors") == 0
    document = json.loads(run("fetch", NAME, "--yes", "--json").stdout)
    assert document["fetched_bytes"] == sum(map(len, FILES.values()))
    assert Path(document["folder"]) == find_repository_folder("clinic/tiny") / COMMIT
    assert find_stored("clinic/tiny") is not None
    assert run("fetch", NAME).exit_code == 0, "nothing is asked where nothing is to come"


@pytest.mark.parametrize(("answer", "code"), [("n\n", 2), ("\n", 2), ("y\n", 0)])
def test_a_person_is_asked_once(monkeypatch: pytest.MonkeyPatch, answer: str, code: int) -> None:
    monkeypatch.setattr(asking, "is_terminal", lambda: True)
    done = run("fetch", NAME, answer=answer)
    assert done.exit_code == code, done.stderr
    assert (find_stored("clinic/tiny") is not None) == (code == 0)


def test_a_base_goes_by_stick_from_one_home_to_another(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = tmp_path / "stick"
    assert run("fetch", NAME, "--to", str(stick), "--yes").exit_code == 0
    assert find_stored("clinic/tiny") is None
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    document = json.loads(run("add", str(stick), "--json").stdout)
    assert [(item["base"], item["new"]) for item in document["bases"]] == [(NAME, True)]
    copied = run("fetch", NAME, "--to", str(tmp_path / "second"))
    assert copied.exit_code == 0, copied.stderr
    assert (tmp_path / "second" / NAME / "model.safetensors").read_bytes() == FILES["model.safetensors"]


def test_a_folder_that_holds_something_else_is_not_replaced(tmp_path: Path) -> None:
    assert run("fetch", NAME, "--yes").exit_code == 0
    (tmp_path / "stick" / NAME).mkdir(parents=True)
    (tmp_path / "stick" / NAME / "thesis.txt").write_text("mine")
    refused = run("fetch", NAME, "--to", str(tmp_path / "stick"))
    assert refused.exit_code == 2 and "is no base that was fetched" in refused.stderr
    assert (tmp_path / "stick" / NAME / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resnet-81", "There is no base model"),
        ("all-minilm-l6-v2", "comes with the installation"),
        ("hf:clinic/nowhere", "no base model 'clinic/nowhere'"),
        ("hf:../up", "is no name of a base model"),
        ("file:/tmp", "There is no base model"),
    ],
)
def test_what_cannot_be_fetched_is_two_lines(name: str, words: str) -> None:
    refused = run("fetch", name, "--yes")
    assert refused.exit_code == 2
    assert words in refused.stderr
    assert "Traceback" not in refused.output


def test_a_mirror_that_is_no_address_is_two_lines() -> None:
    refused = run("fetch", NAME, "--mirror", "here", "--yes")
    assert refused.exit_code == 2 and "--mirror is not the address" in refused.stderr


@pytest.mark.parametrize(
    "address", ["http://[x", "http://host:port", "http://b\xfccher.example", "http://me:secret@host"]
)
def test_a_mirror_that_no_request_can_name_is_refused_before_one_is_sent(address: str) -> None:
    refused = run("fetch", NAME, "--mirror", address, "--yes")
    assert refused.exit_code == 2 and "--mirror is not the address" in refused.stderr
    assert "secret" not in refused.output


def test_a_broken_line_is_not_told_as_a_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def miss(record: object) -> None:
        raise MissingExtra("The package is not installed.", "Run: pip install")

    monkeypatch.setattr(embedded, "load_embedded", miss)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DataError, match="could not be fetched"):
        load_base("multilingual-e5-small", BaseRequest(modality="text"))
    with pytest.raises(MissingExtra):
        load_base("multilingual-e5-small", BaseRequest(modality="text", offline=True))


def test_a_gated_base_names_its_page(hub: FakeHub) -> None:
    hub.acts[""] += ["gated"]
    refused = run("fetch", NAME, "--yes")
    assert refused.exit_code == 2 and "https://huggingface.co/clinic/tiny" in refused.stderr


def test_a_licence_that_changed_on_the_hub_is_shown(hub: FakeHub) -> None:
    hub.licence = "cc-by-nc-4.0"
    refused = run("fetch", NAME)
    assert "licence cc-by-nc-4.0 (not for commercial use)" in refused.stderr
    assert "Headstart knew it as mit" in refused.stderr


def test_a_changed_file_is_refused_and_update_takes_it(hub: FakeHub) -> None:
    assert run("fetch", NAME, "--yes").exit_code == 0
    stored = find_stored("clinic/tiny")
    assert stored is not None
    (stored.folder / "model.safetensors").unlink()
    hub.files["model.safetensors"] = FILES["model.safetensors"][::-1]
    refused = run("fetch", NAME, "--yes")
    assert refused.exit_code == 2 and "--update" in refused.stderr
    assert run("fetch", NAME, "--yes", "--update").exit_code == 0


def test_without_a_command_bases_lists(hub: FakeHub) -> None:
    listed = json.loads(run("--json").stdout)
    assert NAME in {item["name"] for item in listed["bases"]}
    assert hub.requests == []


def test_adapt_asks_before_it_downloads_a_base(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    line = ["adapt", str(tmp_path / "images"), "-o", str(tmp_path / "out"), "--base", NAME]
    refused = CliRunner().invoke(app, line)
    assert refused.exit_code == 2 and "nobody is there to agree" in refused.stderr
    assert hub.count_requests("model.safetensors") == 0
    agreed = CliRunner().invoke(app, [*line, "--yes"])
    assert agreed.exit_code == 2 and find_stored("clinic/tiny") is not None, "the empty folder is refused afterwards"


@pytest.mark.parametrize(
    "line",
    [
        ["check", "images", "--base", NAME],
        ["bases", "--for", "images", "--candidate", NAME],
        ["adapt-language", "images", "-o", "new", "--base", NAME],
        ["evaluate-language", NAME, "images"],
    ],
    ids=lambda line: line[0],
)
def test_every_command_that_takes_a_base_asks_before_it_downloads(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(8):
        folder = tmp_path / "images" / ("dark" if number % 2 else "light")
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 9), (number, 100 * (number % 2), 0)).save(folder / f"{number}.png")
    refused = CliRunner().invoke(app, line)
    assert refused.exit_code == 2 and "nobody is there to agree" in refused.stderr, refused.output
    assert hub.count_requests("model.safetensors") == 0


def test_a_size_that_the_server_does_not_state_is_no_reason_not_to_ask(hub: FakeHub) -> None:
    hub.states_sizes = False
    refused = run("fetch", NAME)
    assert refused.exit_code == 2 and "at least 0 MB" in refused.stderr
    assert hub.count_requests("model.safetensors") == 0


def test_offline_names_the_missing_files_and_opens_no_connection(hub: FakeHub) -> None:
    with pytest.raises(DataError, match=r"'tiny-net' is not on this machine: .*model\.safetensors") as caught:
        load_base(NAME, BaseRequest(modality="image", offline=True))
    assert "headstart bases fetch tiny-net --to DIR" in caught.value.hint
    assert hub.requests == []


def test_weights_that_a_disk_damaged_are_noticed_when_they_are_loaded(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.test_bases import tiny_resnet

    monkeypatch.setattr(settings, "SETTINGS", settings.DownloadSettings())
    tiny_resnet(tmp_path / "model")
    for name in ("config.json", "model.safetensors"):
        hub.files[name] = (tmp_path / "model" / name).read_bytes()
    need = BaseRequest(modality="image")
    loaded = load_base(NAME, need)
    stored = find_stored("clinic/tiny")
    assert stored is not None and loaded.record.name == NAME
    weights = stored.folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(BundleError, match="is damaged: it is not the file that was fetched"):
        load_base(NAME, need)
