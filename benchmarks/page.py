"""Whether the page of `headstart export --to web` answers as `headstart predict`, how large it is, and how fast.

`python benchmarks/page.py [--only sign_digits,...] [--models FOLDER] [--shots FOLDER] [--results FILE]`
needs a Chromium, and onnxruntime-web from npm (see docs/how-to/phones.md).
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import machine
import numpy as np
from PIL import Image
from tables import keep, table

from headstart import bundle as bundles
from headstart import data, flow
from headstart.flow.inference.predict_memory import open_predictor
from headstart.options import AdaptOptions, ExportOptions, ReadOptions

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from browser import CHROMIUM, Browser, browser

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
TITLE = "A page without a server"
N_ROWS = 50
PHOTO_PIXELS = 3_000


@dataclass(frozen=True)
class Case:
    """One set, and what its rows are turned into before both sides see them."""

    data: str
    turn: Callable[[Any], Any]
    says: str


def _as_png(content: bytes) -> bytes:
    made = io.BytesIO()
    with Image.open(io.BytesIO(content)) as picture:
        picture.convert("RGB").save(made, "PNG")
    return made.getvalue()


def _as_photo(content: bytes) -> bytes:
    """Enlarge a picture to the size of a phone's photo, as JPEG."""
    made = io.BytesIO()
    with Image.open(io.BytesIO(content)) as picture:
        scale = PHOTO_PIXELS / min(picture.size)
        size = (round(picture.width * scale), round(picture.height * scale))
        picture.convert("RGB").resize(size, Image.Resampling.BICUBIC).save(made, "JPEG", quality=90)
    return made.getvalue()


def _as_it_is(value: Any) -> Any:
    return value


CASES = (
    Case("sign_digits", _as_it_is, "pictures, JPEG as they are"),
    Case("sign_digits", _as_png, "the same as PNG"),
    Case("corn_leaf", _as_it_is, "pictures, JPEG as they are"),
    Case("corn_leaf", _as_png, "the same as PNG"),
    Case("corn_leaf", _as_photo, f"the same enlarged to {PHOTO_PIXELS:,} pixels, JPEG"),
    Case("masakhanews/eng.csv", _as_it_is, "texts"),
    Case("ucr/ECG200.parquet", _as_it_is, "series"),
)
SENT: dict[str, tuple[Callable[[Any], Any], str]] = {
    "image": (
        lambda content: base64.b64encode(content).decode(),
        "(one) => ({blob: new Blob([Uint8Array.from(atob(one), (mark) => mark.charCodeAt(0))])})",
    ),
    "text": (str, "(text) => ({text})"),
    "series": (
        lambda rows: [[float(v) if np.isfinite(v) else None for v in row] for row in rows], "(series) => ({series})",
    ),
}  # fmt: skip
"""For each modality: what is sent to the browser, and the function there that makes an input of it."""
ABOUT = f"""- {CHROMIUM.rpartition("/")[2]}, headless, without a graphics card; onnxruntime-web with one thread

{N_ROWS} test rows of each set, asked one by one; `headstart predict` in float32 beside it. First answer: since the page
was opened, by the clock and in seconds of processor (the machine was shared); first in an empty browser, then with the
host switched off."""
ASK = """(async () => {
  const api = await import("./api.js");
  const [model] = await api.listModels();
  const made = [];
  for (const one of window.rows.map(%s)) {
    const start = performance.now();
    const [found] = await api.predictInputs(model, [{...one, name: ""}]);
    made.push([found, performance.now() - start, performance.now()]);
  }
  return JSON.stringify(made);
})()"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        return None


@contextmanager
def hosted(folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """Serve a folder as any file host does; also gives what stops it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stopped: list[bool] = []

    def stop() -> None:
        if not stopped:
            stopped.append(True)
            server.shutdown()
            server.server_close()

    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", stop
    finally:
        stop()


def adapted(name: str, models: Path) -> Path:
    """Adapt a model to a set, once."""
    out = models / Path(name).stem
    if not (out / "bundle" / "manifest.json").is_file():
        flow.adapt(SHARED / name, out, AdaptOptions(strategy=("quick",), time=600, audit="none"))
    return out


def rows_of(name: str, out: Path, bundle: bundles.Bundle) -> list[Any]:
    """Draw test rows: the content of files, texts, series."""
    found = data.read_table(SHARED / name, ReadOptions(), bundle.columns)
    lines = (out / "test_predictions.csv").read_text("utf-8").splitlines()[1:]
    wanted = {line.partition(",")[0] for line in lines}
    there = [row for row, one in enumerate(found.ids) if str(one) in wanted]
    chosen = sorted(np.random.default_rng(0).permutation(there)[:N_ROWS].tolist())
    return [item.read_bytes() if isinstance(item := found.inputs[row], Path) else item for row in chosen]


def ask(tab: Browser, address: str, sent: Sequence[Any], turn: str) -> list[list[Any]]:
    """Open the page and ask it; a row each: document, milliseconds, milliseconds since the page was opened."""
    tab.open(address)
    tab.until("document.readyState !== 'loading' && location.href.startsWith('http')")
    tab.run(f"window.rows = {json.dumps(sent)}; 0")
    made: list[list[Any]] = json.loads(tab.run(ASK % turn))
    return made


def spent(tab: Browser) -> float:
    """Give the seconds of processor that the pages of a browser have used."""
    session, tab.session = tab.session, ""
    told = tab.send("SystemInfo.getProcessInfo")["processInfo"]
    tab.session = session
    return float(sum(one["cpuTime"] for one in told if one["type"] == "renderer"))


def shares(document: dict[str, Any]) -> dict[str, float]:
    """Give all probabilities of a document that it names."""
    return {one["label"]: one["probability"] for one in document["top"]}


def compared(expected: Sequence[dict[str, Any]], found: Sequence[list[Any]]) -> dict[str, Any]:
    """Hold documents against each other."""
    pairs = [(one, other[0]) for one, other in zip(expected, found, strict=True)]
    apart = [
        abs(shares(one)[name] - shares(other)[name])
        for one, other in pairs
        for name in shares(one)
        if name in shares(other)
    ]
    return {
        "rows": len(pairs),
        "same label": sum(one["label"] == other["label"] for one, other in pairs),
        "same answer": sum(one["answer"] == other["answer"] for one, other in pairs),
        "largest difference": f"{max(apart):.2g}",
        "median difference": f"{np.median(apart):.1g}",
    }


def measured(case: Case, models: Path, shots: Path | None, scratch: Path) -> dict[str, Any]:
    """Measure one case."""
    out = adapted(case.data, models)
    bundle = bundles.load_bundle(out)
    page = models / f"{out.name}-page"
    told = flow.export(out, page, ExportOptions(to="web"))
    rows = [case.turn(row) for row in rows_of(case.data, out, bundle)]
    expected = open_predictor(bundle, "float32")(rows)
    send, turn = SENT[bundle.modality]
    sent = [send(row) for row in rows]
    with hosted(page) as (address, stop), browser(scratch) as tab:
        before = spent(tab)
        first = ask(tab, address, sent[:1], turn)
        cost = spent(tab) - before
        tab.until("navigator.serviceWorker.ready.then(() => true)", 120)
        stop()
        before = spent(tab)
        again = ask(tab, address, sent[:1], turn)
        cost_again = spent(tab) - before
        before = spent(tab)
        found = ask(tab, address, sent, turn)
        cost_each = (spent(tab) - before - cost_again) / (len(sent) - 1)
        if shots is not None:
            shots.mkdir(parents=True, exist_ok=True)
            for width in (360, 1280):
                tab.size(width, 800)
                tab.picture(shots / f"{out.name}-{width}.png")
    sizes, times = told["page"], [one[1] for one in found[1:]]
    return {
        "set": Path(case.data).stem, "what": case.says, **compared(expected, found),
        "model": told["method"],
        "page MB (model MB)": f"{sizes['size_bytes'] / 1e6:.1f} ({sizes['model_bytes'] / 1e6:.1f})",
        "first visit: first answer s (processor)": f"{first[0][2] / 1e3:.1f} ({cost:.1f})",
        "host gone: first answer s (processor)": f"{again[0][2] / 1e3:.1f} ({cost_again:.1f})",
        "next answers ms: median, 95 % (processor)": (
            f"{np.median(times):.0f}, {np.quantile(times, 0.95):.0f} ({1e3 * cost_each:.0f})"
        ),
    }  # fmt: skip


def main() -> None:
    """Measure all cases and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--models", type=Path)
    parser.add_argument("--shots", type=Path)
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    asked = parser.parse_args()
    if not CHROMIUM:
        raise SystemExit("There is no Chromium on this machine.")
    head, found = machine.describe(), []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        for number, case in enumerate(CASES):
            if asked.only and Path(case.data).stem not in asked.only.split(","):
                continue
            found.append(
                measured(case, asked.models or Path(name) / "models", asked.shots, Path(name) / f"tab-{number}")
            )
            keep(asked.results, TITLE, f"{head}\n{ABOUT}\n\n{table(found)}")


if __name__ == "__main__":
    main()
