"""What `headstart serve` costs: against the model alone, a plain server that answers request by request, and LitServe.

`python benchmarks/serving.py [--seconds 8] [--clients 1,8,64] [--only image,text,series] [--peers PYTHON]
[--soak MINUTES | --kill TIMES] [--models FOLDER] [--results FILE]`

`--peers` names the interpreter of an environment that has litserve, python-multipart and what requirements.txt of the
bundles names; all servers then run model.onnx.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import machine
import numpy as np
import uvicorn
from fastapi import FastAPI, UploadFile
from tables import keep, table

from headstart import bundle as bundles
from headstart import demo, flow
from headstart.flow.inference.predict_memory import open_predictor
from headstart.options import AdaptOptions, ServeOptions

KINDS = ("image", "text", "series")
N_INPUTS = 64
WARM_SECONDS = 1.0
BOUNDARY = "headstart-benchmark"
TITLE, SOAK, KILLED = "Answers over HTTP", "Answers over HTTP: soak", "Answers over HTTP: killed"
PEER = Path(__file__).with_name("peer_server.py")
_TYPES = {
    "image": f"multipart/form-data; boundary={BOUNDARY}",
    "text": "application/json",
    "series": "application/json",
}


def made(folder: Path, kinds: Sequence[str]) -> dict[str, Path]:
    """Adapt to the demo data, as far as that is not there yet."""
    sources = demo.write_demo_data(folder / "data")
    for kind in kinds:
        if not (folder / kind / "bundle").is_dir():
            flow.adapt(sources[kind], folder / kind, AdaptOptions(strategy=("linear-probe",), offline=True))
    return {kind: folder / kind for kind in kinds}


def inputs_of(folder: Path, kind: str) -> list[Any]:
    """Read demo rows as a client has them: bytes, strings, lists of numbers."""
    data = folder / "data"
    if kind == "image":
        return [path.read_bytes() for path in sorted((data / "digits").rglob("*.png"))[:N_INPUTS]]
    name = {"text": "feedback.csv", "series": "crops.csv"}[kind]
    with (data / name).open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))[:N_INPUTS]
    if kind == "text":
        return [row["text"] for row in rows]
    steps = [name for name in rows[0] if name[0] == "t" and name[1:].isdigit()] or [
        name for name, value in rows[0].items() if _is_number(value)
    ]
    return [[float(row[step]) if row[step] else None for step in steps] for row in rows]


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def as_model_input(kind: str, value: Any) -> Any:
    """Give an input as `headstart.flow.inference.predict_memory` takes it."""
    return np.array([value], dtype=np.float32) if kind == "series" else value


def body_of(kind: str, value: Any) -> bytes:
    """Write the body of a request."""
    if kind == "image":
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
        return head.encode() + value + f"\r\n--{BOUNDARY}--\r\n".encode()
    return json.dumps({"texts" if kind == "text" else "series": [value]}).encode()


def request_of(kind: str, body: bytes, path: str = "/predict", type_: str = "") -> bytes:
    """Write a whole request."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {type_ or _TYPES[kind]}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@dataclass
class Heard:
    """What clients heard: seconds by request, how often each status, and what was sent without an answer."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    lost: int = 0
    refused: int = 0


async def one_client(port: int, requests: Sequence[bytes], until: float, since: float, heard: Heard) -> None:
    """Ask again and again over one connection; only what is answered after `since` is counted."""
    reader = writer = None
    at = 0
    while time.perf_counter() < until:
        sent = False
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert reader is not None
            began = time.perf_counter()
            writer.write(requests[at % len(requests)])
            sent = True
            head = await reader.readuntil(b"\r\n\r\n")
            lower = head.lower()
            await reader.readexactly(int(lower.split(b"content-length:")[1].split(b"\r\n")[0]))
            if since <= time.perf_counter() < until:
                heard.seconds.append(time.perf_counter() - began)
                heard.statuses[int(head[9:12])] += 1
            if b"connection: close" in lower:
                writer.close()
                writer = None
        except (OSError, asyncio.IncompleteReadError):
            heard.lost += sent
            heard.refused += not sent
            writer = None
            await asyncio.sleep(0 if sent else 0.1)
        at += 1
    if writer is not None:
        writer.close()


def load(port: int, requests: Sequence[bytes], n_clients: int, seconds: float) -> tuple[Heard, float]:
    """Let clients ask for so long; gives what they heard and the answers a second."""
    heard = Heard()

    async def all_of_them() -> None:
        since = time.perf_counter() + WARM_SECONDS
        turned = [[*requests[at:], *requests[:at]] for at in range(n_clients)]
        await asyncio.gather(*(one_client(port, mine, since + seconds, since, heard) for mine in turned))

    asyncio.run(all_of_them())
    return heard, sum(n for status, n in heard.statuses.items() if status == 200) / seconds


@contextmanager
def serving(command: list[str]) -> Iterator[tuple[int, int]]:
    """Start a server process; gives its port and its process id."""
    port = free_port()
    process = started(command, port)
    try:
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(60)
        with suppress(ProcessLookupError):  # LitServe leaves processes behind.
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def started(command: list[str], port: int) -> subprocess.Popen[bytes]:
    """Start a server and wait until it is ready."""
    process = subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/ready").status_code == 200:
                return process
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    raise SystemExit(f"The server did not start: {' '.join(command)}")


def free_port() -> int:
    """Find a port that is free."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def headstart(*paths: Path, more: Sequence[str] = ()) -> list[str]:
    """Give the command of our server."""
    return [sys.executable, "-m", "headstart.cli.main", "serve", *map(str, paths), "--offline", "-q", *more]


def plain(path: Path, kind: str, port: int, runtime: str) -> None:
    """Serve as people do who write it in ten lines: FastAPI, one model call a request, one at a time."""
    answer, turn = open_predictor(bundles.load_bundle(path, runtime)), threading.Lock()
    application = FastAPI()

    def asked(value: Any) -> dict[str, Any]:
        with turn:
            return answer([as_model_input(kind, value)])[0]

    if kind == "image":

        @application.post("/predict")
        def pictures(files: list[UploadFile]) -> list[dict[str, Any]]:
            return [asked(file.file.read()) for file in files]
    else:

        @application.post("/predict")
        def rows(document: dict[str, Any]) -> list[dict[str, Any]]:
            return [asked(value) for values in document.values() for value in values]

    @application.get("/ready")
    def ready() -> dict[str, bool]:
        return {"ready": True}

    uvicorn.run(application, port=port, log_level="warning", access_log=False)


def raw(answer: Any, rows: Sequence[Any], seconds: float) -> float:
    """Give the rows a second of the model alone, in batches of all these rows."""
    began, n = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        answer(rows)
        n += len(rows)
    return n / (time.perf_counter() - began)


def bound_ms(rate: float) -> float:
    """Give the window and two full batches, at so many rows a second, in milliseconds."""
    options = ServeOptions()
    return options.window_ms + 2e3 * options.max_batch / rate


@dataclass
class Round:
    """What was measured of one server: answers a second in each round, the model alone beside it, and all answers."""

    rates: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    single: list[float] = field(default_factory=list)
    heard: Heard = field(default_factory=Heard)

    def add(self, port: int, requests: Sequence[bytes], clients: int, seconds: float) -> None:
        """Measure once more."""
        heard, rate = load(port, requests, clients, seconds)
        self.rates.append(rate)
        self.heard.seconds += heard.seconds
        self.heard.statuses += heard.statuses
        self.heard.lost += heard.lost

    def row(self, kind: str, what: str, clients: int) -> dict[str, Any]:
        """Write one row of the table."""
        shares = [100 * rate / alone for rate, alone in zip(self.rates, self.alone, strict=True)]
        times = {f"p{at} ms": f"{1e3 * float(np.percentile(self.heard.seconds, at)):.0f}" for at in (50, 95, 99)}
        return {
            "model": kind, "server": what, "clients": clients, "answers a second": f"{np.median(self.rates):.0f}",
            "the model alone, full batches": f"{np.median(self.alone):.0f}",
            "row by row": f"{np.median(self.single):.0f}",
            "% of full batches": f"{np.median(shares):.0f} ({min(shares):.0f}-{max(shares):.0f})", **times,
            "window + 2 batches ms": f"{bound_ms(float(np.median(self.alone))):.0f}",
            "answers": sum(self.heard.statuses.values()),
            "not 200": sum(n for status, n in self.heard.statuses.items() if status != 200) + self.heard.lost,
        }  # fmt: skip


_LONGER = {"image": 3.0}
"""A full batch of pictures takes seconds on a busy core: more time for these."""


def measured(kind: str, path: Path, values: Sequence[Any], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure the model alone and all servers in turn, so that other work on the machine disturbs all alike."""
    requests = [request_of(kind, body_of(kind, value)) for value in values]
    answer = open_predictor(bundles.load_bundle(path, arguments.runtime))
    rows = [as_model_input(kind, value) for value in values][: ServeOptions().max_batch]
    more = ["--runtime", arguments.runtime]
    commands = {
        "headstart serve": [*headstart(path), *more],
        "plain FastAPI": [sys.executable, str(Path(__file__).resolve()), "--plain", str(path), "--kind", kind, *more],
    }
    if version := peer_version(arguments.peers):
        commands[f"LitServe {version}"] = [arguments.peers, str(PEER), str(bundles.find_bundle(path)), kind]
    seconds, told = arguments.seconds * _LONGER.get(kind, 1.0), list[dict[str, Any]]()
    with ExitStack() as stack:
        ports = {name: stack.enter_context(serving(command))[0] for name, command in commands.items()}
        for clients in map(int, arguments.clients.split(",")):
            found = {name: (port, Round()) for name, port in ports.items()}
            for _ in range(arguments.rounds):
                alone, single = raw(answer, rows, seconds), raw(answer, rows[:1], seconds / 2)
                for port, one in found.values():
                    one.alone.append(alone)
                    one.single.append(single)
                    one.add(port, requests, clients, seconds)
            told += [one.row(kind, name, clients) for name, (_, one) in found.items()]
            print(*told[-len(found) :], sep="\n", flush=True)
    return told


def peer_version(interpreter: str) -> str:
    """Give the version of LitServe in an environment; empty where there is none."""
    code = "import litserve, onnxruntime; print(litserve.__version__)"
    with suppress(OSError, subprocess.CalledProcessError):
        return subprocess.run(
            [interpreter or "", "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
    return ""


def compare(arguments: argparse.Namespace) -> str:
    """Measure everything; gives the section."""
    kinds = arguments.only.split(",")
    models = made(arguments.models, kinds)
    rows = [row for kind in kinds for row in measured(kind, models[kind], inputs_of(arguments.models, kind), arguments)]
    n_cores = len(os.sched_getaffinity(0))
    told = (
        f"Demo data, `linear-probe`, runtime {arguments.runtime}, one input a request; {arguments.rounds} rounds of "
        f"{arguments.seconds:g} s (pictures three times that) in turn, medians (smallest and largest share in "
        f"brackets). The clients run on the same {n_cores} core(s) as the server and take their part of it. "
        "The model alone is `headstart.flow.inference.predict_memory` in a loop without HTTP, in the same rounds, "
        "in rows a second. "
        "Aim: at least 85 % of its full batches at 64 clients, p99 within the window and two batches. "
        "Other work ran on the machine where its load was above 1. "
        + (
            _PEERS
            if peer_version(arguments.peers)
            else "LitServe was not compared: `--peers` names no Python that has it."
        )
    )
    return f"{machine.describe()}\n\n{told}\n\n{table(rows)}"


_PEERS = (
    "LitServe runs the same model.onnx with the same batches and window, in an environment of its own; its process "
    "for HTTP and its process for the model share the core(s) with all others."
)
_TIGHT = ("--max-queue", "48", "--max-mb", "1")


def bad_requests(kind: str) -> list[bytes]:
    """Requests that must be refused, or answered with a reason."""
    bomb = b"BM" + bytes(16) + (30_000).to_bytes(4, "little") * 2 + b"\x01\x00\x18\x00" + bytes(28)
    many = json.dumps({"texts": ["x"] * 10_000, "series": [[1]] * 10_000}).encode()
    deep = b"[" * 50_000
    nan = b'{"texts": [NaN], "series": [[NaN]]}'
    odd = body_of("image", b"\x89PNG\r\n\x1a\nrubbish")
    plain_json, form = "application/json", _TYPES["image"]
    mine = f"/predict?model={kind}"
    return [
        request_of(kind, many, mine, plain_json), request_of(kind, deep, mine, plain_json),
        request_of(kind, nan, mine, plain_json), request_of(kind, odd, mine, form),
        request_of(kind, b"rubbish", mine, form), request_of(kind, b"x" * 1_100_000, mine, plain_json),
        request_of(kind, b"", mine, "text/plain"), request_of(kind, b"{}", "/predict?model=nobody", plain_json),
        request_of(kind, body_of("image", bomb), mine, form),
        request_of(kind, b'{"inputs": [{"datatype": "FP32", "shape": [1e9], "data": []}]}', f"/v2/models/{kind}/infer"),
    ]  # fmt: skip


def memory_mb(process: int) -> float:
    """Give the resident memory of a process."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _statuses(found: Counter[int]) -> str:
    return " ".join(f"{status}:{n}" for status, n in sorted(found.items()))


_N_SLOW = 32


@contextmanager
def slow_clients(port: int) -> Iterator[None]:
    """Hold connections open that never finish a request, and open others where they are closed."""
    stop = threading.Event()

    def hold() -> None:
        held: list[socket.socket] = []
        while not stop.wait(1.0):
            held = [one for one in held if not _closed(one)]
            with suppress(OSError):
                while len(held) < _N_SLOW:
                    held.append(socket.create_connection(("127.0.0.1", port)))
                for one in held:
                    one.send(b"POST /predict HTTP/1.1\r\nx: ")
        for one in held:
            one.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _closed(one: socket.socket) -> bool:
    one.settimeout(0.0)
    try:
        gone = one.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        gone = True
    one.close()
    return gone


def soak(arguments: argparse.Namespace) -> str:
    """Ask all models for minutes, one request in five a bad one; gives the section."""
    models = made(arguments.models, KINDS)
    asked: list[bytes] = []
    for kind in KINDS:
        values = inputs_of(arguments.models, kind)
        good = [request_of(kind, body_of(kind, value), f"/predict?model={kind}") for value in values]
        bad = bad_requests(kind)
        for at in range(0, len(good), 4):
            asked += [*good[at : at + 4], bad[at // 4 % len(bad)]]
    asked = [asked[at] for at in np.random.default_rng(0).permutation(len(asked))]
    rows: list[dict[str, Any]] = []
    total: Counter[int] = Counter()
    with serving(headstart(*models.values(), more=[*_TIGHT, "--runtime", arguments.runtime])) as (port, process):
        parts = max(4, round(arguments.soak))
        for part in range(parts):
            with slow_clients(port):
                heard, rate = load(port, asked, 64, 60 * arguments.soak / parts - WARM_SECONDS)
            total += heard.statuses
            rows.append({
                "minute": f"{(part + 1) * arguments.soak / parts:.1f}", "answers a second (200)": f"{rate:.0f}",
                "statuses": _statuses(heard.statuses),
                "lost connections": heard.lost, "memory MB": f"{memory_mb(process):.0f}",
            })  # fmt: skip
            print(rows[-1], flush=True)
        counted = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    faults = [
        line for line in counted.splitlines() if line.startswith("headstart_requests_total") and 'status="500"' in line
    ]
    first, last = float(rows[0]["memory MB"]), float(rows[-1]["memory MB"])
    told = (
        f"Three models in one server, 64 clients for {arguments.soak:g} minutes, one request in five hostile or wrong, "
        f"beside them {_N_SLOW} that never finish a request. Faults (500): {len(faults)}. "
        f"All statuses: {_statuses(total)}. Memory after minute {rows[0]['minute']}: {first:.0f} MB, at the end "
        f"{last:.0f} MB ({100 * (last / first - 1):+.1f} %). "
        "Allowed besides 200 and 4xx: 503 where the queue is full (`--max-queue 48` here)."
    )
    return f"{machine.describe()}\n\n{told}\n\n{table(rows)}"


def correcting(port: int, number: int, seconds: float) -> list[str]:
    """Send corrections one after the other, whether the server is there or not; gives those that it said it keeps."""
    kept, at, until = list[str](), 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        text, at = f"correction {number}-{at}", at + 1
        try:
            reply = httpx.post(f"http://127.0.0.1:{port}/feedback", json={"text": text, "label": "a"}, timeout=60)
        except httpx.TransportError:
            time.sleep(0.1)
            continue
        kept += [text] if reply.status_code == 200 else []
    return kept


_KILL_CLIENTS = 64


def killed(arguments: argparse.Namespace) -> str:
    """Kill the server under load and start it again at once, several times; gives the section."""
    path, seconds, rows = made(arguments.models, ("text",))["text"], 4 * arguments.seconds, list[dict[str, Any]]()
    requests = [request_of("text", body_of("text", value)) for value in inputs_of(arguments.models, "text")]
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        command = headstart(path, more=["--runtime", arguments.runtime, "--feedback", folder])
        process = started(command, port)
        for number in range(arguments.kill):
            asking = pool.submit(load, port, requests, _KILL_CLIENTS, seconds)
            writing = pool.submit(correcting, port, number, seconds)
            time.sleep(seconds / 4)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            gone = time.perf_counter()
            process = started(command, port)
            away = time.perf_counter() - gone
            heard, kept = asking.result()[0], writing.result()
            with (Path(folder) / path.name / "corrections.csv").open(encoding="utf-8", newline="") as handle:
                there = {row["text"] for row in csv.DictReader(handle)}
            rows.append({
                "kill": number + 1, "statuses": _statuses(heard.statuses), "sent without an answer": heard.lost,
                "seconds until ready again": f"{away:.1f}", "attempts meanwhile": heard.refused,
                "corrections confirmed": len(kept), "of them in the table": len(there.intersection(kept)),
            })  # fmt: skip
            print(rows[-1], flush=True)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    told = (
        f"One text model, {_KILL_CLIENTS} clients with one request each at a time and one that sends corrections; "
        "`kill -9`, and a new start at the same port at once. Aim: only what was in flight is lost (one request a "
        "client, or two where one was sent while the process died), no answer but 200, every confirmed correction kept."
    )
    return f"{machine.describe()}\n\n{told}\n\n{table(rows)}"


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", default="1,8,64")
    parser.add_argument("--only", default=",".join(KINDS))
    parser.add_argument("--soak", type=float, default=0.0, help="minutes of load with bad requests instead")
    parser.add_argument("--kill", type=int, default=0, help="kill the server under load so many times instead")
    parser.add_argument("--peers", default="", help="interpreter of an environment with litserve")
    parser.add_argument("--models", type=Path, default=Path("benchmarks/served"))
    parser.add_argument("--runtime", default="auto", help="torch, onnx or auto, as for headstart serve")
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results"))
    parser.add_argument("--plain", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--kind", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.plain is not None:
        plain(arguments.plain, arguments.kind, arguments.port, arguments.runtime)
        return
    if peer_version(arguments.peers):
        arguments.runtime = "onnx"
    runs = [(KILLED, killed, arguments.kill), (SOAK, soak, arguments.soak), (TITLE, compare, True)]
    title, work, _ = next(one for one in runs if one[2])
    text = work(arguments)
    print(text)
    keep(arguments.results, title, text)


if __name__ == "__main__":
    main()
