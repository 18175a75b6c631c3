"""A real browser for tests of pages: headless Chromium, driven over a pipe (Chrome DevTools Protocol)."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe", "about:blank")


class Browser:
    """One tab."""

    def __init__(self, write: int, read: int) -> None:
        self.write, self.read = write, read
        self.number, self.left, self.session = 0, b"", ""
        self.events: list[dict[str, Any]] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "DOM", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        message |= {"sessionId": self.session} if self.session else {}
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            reply = self._receive()
            if reply.get("id") == self.number:
                assert "error" not in reply, reply
                result: dict[str, Any] = reply["result"]
                return result
            self.events.append(reply)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self.left:
            piece = os.read(self.read, 1 << 16)
            assert piece, "the browser has gone"
            self.left += piece
        line, _, self.left = self.left.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def size(self, width: int, height: int) -> None:
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def open(self, address: str) -> None:
        self.send("Page.navigate", url=address)

    def run(self, code: str) -> Any:
        reply = self.send("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in reply, reply
        return reply["result"].get("value")

    def until(self, code: str, seconds: float = 30.0) -> Any:
        """Wait until an expression is true; gives its value."""
        stop = time.monotonic() + seconds
        while time.monotonic() < stop:
            with suppress(AssertionError):  # The page may be on its way.
                if value := self.run(code):
                    return value
            time.sleep(0.05)
        raise AssertionError(f"{code} did not become true: {self.troubles()}")

    def files(self, selector: str, *paths: Path) -> None:
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=node, files=[str(path) for path in paths])

    def key(self, name: str, code: int, text: str = "") -> None:
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code,
                      **({"text": text} if text and kind == "keyDown" else {}))  # fmt: skip

    def picture(self, path: Path) -> None:
        screenshot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(screenshot["data"]))

    def troubles(self) -> list[str]:
        """Return the errors of the page: exceptions, and what its policy refused."""
        problems = []
        for event in self.events:
            if event.get("method") == "Runtime.exceptionThrown":
                problems.append(json.dumps(event["params"])[:500])
            if event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
                problems.append(event["params"]["entry"]["text"])
        return problems

    def list_addresses(self) -> list[str]:
        """Return every address that was requested."""
        requests = [event for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in requests]


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Start a browser whose profile lies in a folder."""
    command_end, write = os.pipe()
    read, reply_end = os.pipe()

    def connect() -> None:
        os.dup2(os.dup(command_end), 3)
        os.dup2(os.dup(reply_end), 4)

    process = subprocess.Popen(
        [CHROMIUM, f"--user-data-dir={folder}", *ARGUMENTS], close_fds=False,
        preexec_fn=connect,  # noqa: PLW1509 - it only moves the two ends of the pipe
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for end in (command_end, reply_end):
        os.close(end)
    try:
        yield Browser(write, read)
    finally:
        for end in (write, read):
            os.close(end)
        process.terminate()
        process.wait(20)
