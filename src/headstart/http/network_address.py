"""Addresses that a phone in the same network opens, and their QR codes. Nothing is sent."""

from __future__ import annotations

import socket
import sys
from importlib.util import find_spec

from headstart import progress
from headstart.errors import OptionError
from headstart.http.access import is_loopback_host


def find_network_address() -> str:
    """Return the address of this machine in its network, such as 192.168.1.20; nothing is sent.

    Raises
    ------
    OptionError
        It is in no network.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # An address of RFC 5737, for documentation: only the route is looked up.
            address = str(probe.getsockname()[0])
        except OSError:
            address = "127.0.0.1"
    if is_loopback_host(address) or address == "0.0.0.0":
        raise OptionError(
            "This computer is in no network, so no phone can reach it.",
            "Join the Wi-Fi of the phone, or give the address of this computer as --host.",
        )
    return address


def make_phone_address(host: str, port: int, token: str) -> str:
    """Return the address that opens the page with its token; what follows # stays in the browser and in no log.

    Parameters
    ----------
    host : str
        0.0.0.0 and :: stand for every address of this machine: one that a phone can open takes its place.
    port : int
    token : str

    Examples
    --------
    >>> make_phone_address("192.168.1.20", 8000, "a-b_c")
    'http://192.168.1.20:8000/#token=a-b_c'
    """
    name = find_network_address() if host in ("0.0.0.0", "::") else host
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/#token={token}"


def show_phone_address(address: str, allows: str = "ask the model") -> None:
    """Write the address and its QR code to standard error.

    Parameters
    ----------
    address : str
    allows : str
        What whoever has the address can do.
    """
    progress.say("Scan this code with the phone's camera. Phone and computer must be in the same Wi-Fi.")
    if find_spec("segno") is None:
        progress.say("The QR code needs: pip install 'headstart[serve]'")
    elif (sys.stderr.encoding or "").lower().startswith("utf"):
        import segno

        segno.make(address, error="m", micro=False).terminal(out=sys.stderr, border=2, compact=True)
    sys.stderr.write(f"On the phone: {address}\n")
    sys.stderr.flush()
    progress.say(f"Whoever has this address can {allows} while this runs; what is sent is not encrypted.")
