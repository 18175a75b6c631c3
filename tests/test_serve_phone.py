"""`serve --phone`: an address that a phone can open, a token without asking, and a code to scan."""

from __future__ import annotations

import pytest

from headstart.errors import OptionError
from headstart.http import network_address
from headstart.http.access import MIN_TOKEN_CHARACTERS
from headstart.http.network_address import show_phone_address
from headstart.options import ServeOptions
from headstart.web import phone


@pytest.fixture(autouse=True)
def in_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEADSTART_TOKEN", raising=False)
    for place in (phone, network_address):
        monkeypatch.setattr(place, "find_network_address", lambda: "192.168.1.20")


def test_a_phone_gets_a_new_token_at_the_address_of_the_network() -> None:
    options = ServeOptions(phone=True)
    host, token = phone.choose_access(options)
    assert host == "192.168.1.20" and token is not None and len(token) >= MIN_TOKEN_CHARACTERS
    assert phone.choose_access(options)[1] != token
    assert phone.choose_access(ServeOptions()) == ("127.0.0.1", None)


def test_a_token_of_the_user_is_taken_and_a_weak_one_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_TOKEN", "a-token-of-the-user")
    assert phone.choose_access(ServeOptions(phone=True, host="0.0.0.0")) == ("0.0.0.0", "a-token-of-the-user")
    monkeypatch.setenv("HEADSTART_TOKEN", "abc")
    with pytest.raises(OptionError, match="at least 16"):
        phone.choose_access(ServeOptions(phone=True))


def test_the_address_names_this_machine_and_is_shown_with_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    address = network_address.make_phone_address("0.0.0.0", 8000, "a-token")
    assert address == "http://192.168.1.20:8000/#token=a-token"
    show_phone_address(address)
    shown_text = capsys.readouterr().err
    assert address in shown_text and "▄▄▄" in shown_text
