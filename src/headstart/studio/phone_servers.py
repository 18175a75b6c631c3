"""Pages for phones: a `headstart serve` in a child process, one a project, that ends with Studio."""

from __future__ import annotations

import atexit
import os
import secrets
import socket
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from headstart.bundle import find_bundle
from headstart.bundle.integrity import CONFIG
from headstart.home import read_json
from headstart.http.access import TOKEN_VARIABLE
from headstart.http.network_address import find_network_address, make_phone_address
from headstart.studio.jobs.processes import PROGRAM

_TOKEN_BYTES, _WAIT_SECONDS, _LOG_BYTES = 16, 0.2, 2_000


@dataclass(frozen=True)
class PhoneServer:
    """One that runs: its process, where it listens, and the address with the access code."""

    process: subprocess.Popen[bytes]
    place: tuple[str, int]
    address: str
    log: IO[bytes]

    def is_alive(self) -> bool:
        """Return whether its process runs."""
        return self.process.poll() is None

    def read_problem(self) -> str:
        """Return what its process said last, once it has ended by itself."""
        if self.is_alive():
            return ""
        self.log.seek(0)
        lines = self.log.read()[-_LOG_BYTES:].decode("utf-8", "replace").strip().splitlines()
        return " ".join(lines[-2:])

    def is_ready(self) -> bool:
        """Return whether it takes requests."""
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.settimeout(_WAIT_SECONDS)
            return probe.connect_ex(self.place) == 0


class PhoneServers:
    """The pages for phones that this Studio has opened."""

    def __init__(self) -> None:
        self._servers: dict[Path, PhoneServer] = {}
        self._turn = threading.Lock()
        atexit.register(self.stop_all)

    def find(self, project: Path) -> PhoneServer | None:
        """Return the one of a project, where it runs.

        Parameters
        ----------
        project : Path
            Its folder.
        """
        server = self._servers.get(project)
        return server if server and server.is_alive() else None

    def read_problem(self, project: Path) -> str:
        """Return why the one of a project ended, if it did by itself.

        Parameters
        ----------
        project : Path
            Its folder.
        """
        server = self._servers.get(project)
        return server.read_problem() if server else ""

    def start(self, project: Path, model: Path) -> PhoneServer:
        """Open the page of a model for the phones in the same network; one that is open stays.

        Parameters
        ----------
        project : Path
            Its folder: corrections enter it.
        model : Path
            Output folder of `adapt`.

        Raises
        ------
        OptionError
            This computer is in no network.
        """
        with self._turn:
            running = self.find(project)
            if running:
                return running
            host = find_network_address()
            port, token = _find_free_port(host), secrets.token_urlsafe(_TOKEN_BYTES)
            words = make_serve_command(model, project, host, port)
            log = TemporaryFile()  # noqa: SIM115 - it is open as long as the process runs
            process = subprocess.Popen(
                [*PROGRAM, *words],
                env={**os.environ, TOKEN_VARIABLE: token},
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
            )  # fmt: skip
            self._servers[project] = PhoneServer(process, (host, port), make_phone_address(host, port, token), log)
            return self._servers[project]

    def stop(self, project: Path) -> None:
        """Close the page of a project.

        Parameters
        ----------
        project : Path
            Its folder.
        """
        with self._turn:
            server = self._servers.pop(project, None)
            if server is not None:
                server.process.terminate()
                try:
                    server.process.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    server.process.kill()

    def stop_all(self) -> None:
        """Close all pages."""
        for project in list(self._servers):
            self.stop(project)


def make_serve_command(model: Path, project: Path, host: str, port: int) -> list[str]:
    """Return the command line that answers phones, without `headstart` in front.

    Parameters
    ----------
    model, project : Path
    host : str
    port : int
    """
    words = ["serve", str(model), "--host", host, "--port", str(port), "--feedback", str(project), "--offline"]
    return [*words, *list_quick_options(model)]


def list_quick_options(model: Path) -> list[str]:
    """Return the options by which a command opens a model soonest, where it has a form without torch.

    Parameters
    ----------
    model : Path
    """
    config = read_json(find_bundle(model) / CONFIG)
    return ["--runtime", "onnx"] if (config.get("portable") or {}).get("ok") else []


def _find_free_port(host: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
