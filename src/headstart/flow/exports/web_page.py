"""Write a bundle as a folder that any file host can serve: a page that answers on the device, without a server.

Of the training rows it holds what the out-of-distribution detector needs: shortened features, no names.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from headstart import data
from headstart.bundle import Bundle
from headstart.bundle.row_names import describe_row, make_row_keys
from headstart.bundle.runtime.session import PortableModel
from headstart.errors import OptionError, list_offenders
from headstart.flow.exports.web_runtime import ENGINE, TOKENIZERS, Package, find_package, format_licences
from headstart.flow.inference.predict_memory import SAMPLE_INPUTS, open_predictor
from headstart.flow.model_names import name_model
from headstart.home import move_into_place, write_json, write_text
from headstart.modalities.previews import make_thumbnail
from headstart.options import ExportOptions, ReadOptions, parse
from headstart.projects import read_rows
from headstart.report.readiness_texts import read_readiness_texts
from headstart.task_types import TASK_TYPES

FORMAT = 1
LISTED = "files.js"
PAGE = (
    "page.js", "answers.js", "dom.js", "history.js", "i18n.js", "inputs.js", "tables.js", "style.css", "messages.json",
    "icon.svg",
)  # fmt: skip
"""Files that the page shares with that of `headstart serve`."""
ALONE = (
    "calibration.js", "check.js", "collected.js", "content.js", "decide.js", "floats.js", "images.js", "install.js",
    "opened-as-file.js", "out-of-distribution.js", "reasons.js", "series.js", "service-worker.js", "texts.js",
)  # fmt: skip
"""Files of the page without a server only."""
ARRAYS = ("centre", "basis", "inner", "kept", "means")
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'"
)
N_CHECKED = 3
NEIGHBOURS, MOST_CHARACTERS = "neighbours.bin", 200
ICONS = (192, 512)
THUMBNAIL_PIXELS, THUMBNAIL_QUALITY = 96, 70
_WORTH = 0.9
_HEAD = """<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="referrer" content="no-referrer">
<meta name="theme-color" content="#1f5fa8">
<link rel="manifest" href="manifest.webmanifest">
<link rel="apple-touch-icon" href="icon-192.png">
<script type="module" src="install.js"></script>
<script defer src="opened-as-file.js"></script>
</head>"""
_README = """{name}: a page that answers on the device

Put this folder on any web server, with https:// (or open it at http://localhost: python -m http.server).
After the first visit it works without a network, and browsers offer to install it. Nothing that is asked leaves the
device. To see whether a device calculates as the machine that made it: add ?check=1 to the address.
"""


def require_ready(bundle: Bundle, place: Path, options: ExportOptions) -> None:
    """Refuse an export that cannot succeed, and fetch what runs models in browsers, before anything long begins.

    Parameters
    ----------
    bundle : Bundle
        In its portable form.
    place : Path
        The folder to write.
    options : ExportOptions

    Raises
    ------
    OptionError
        The folder holds something else, or what runs models in browsers cannot be had.
    """
    if place.exists() and not (place / LISTED).is_file() and (place.is_file() or any(place.iterdir())):
        raise OptionError(f"{place} exists and is not an exported page.", "Choose another folder.")
    for package in _packages(bundle):
        find_package(package, options.runtime_web, options.offline)


def write_page(bundle: Bundle, graph: Path, place: Path, options: ExportOptions) -> dict[str, Any]:
    """Make the page of a bundle.

    Parameters
    ----------
    bundle : Bundle
        In its portable form.
    graph : Path
        The graph that the page runs; it has passed the gate.
    place : Path
        The folder to write; one that holds such a page is replaced.
    options : ExportOptions

    Returns
    -------
    dict
        JSON: sizes in bytes of all files, of what travels where the host compresses, and of the graph; number of files.

    Raises
    ------
    OptionError
        As `require_ready`.
    """
    require_ready(bundle, place, options)
    assert bundle.portable_model is not None
    fresh = place.with_name(f".{place.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        (fresh / "model").mkdir(parents=True)
        packages = _copy_runtime(fresh, bundle, options)
        name = name_model(bundle.portable_model.folder)
        _copy_compressed(graph, fresh / "model" / "model.bin")
        _write_model_document(fresh, bundle, bundle.portable_model, name)
        if options.thumbnails is not None:
            _write_neighbours(fresh, bundle, options.thumbnails, options.encoding)
        _write_page_files(fresh, name, packages)
        write_json(fresh / "check.json", _make_check_rows(bundle))
        _write_file_list(fresh)
        if place.exists():
            shutil.rmtree(place)
        move_into_place(fresh, place)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return _measure_sizes(place)


def _packages(bundle: Bundle) -> list[Package]:
    assert bundle.portable_model is not None
    kinds = {item["kind"] for item in bundle.portable_model.config["inputs"]}
    return [ENGINE, *([TOKENIZERS] if "tokens" in kinds else [])]


def _copy_runtime(fresh: Path, bundle: Bundle, options: ExportOptions) -> list[Package]:
    """Copy what runs models and cuts texts; the large file compressed, which pages undo themselves."""
    packages, target = _packages(bundle), fresh / "runtime"
    target.mkdir()
    for package in packages:
        folder = find_package(package, options.runtime_web, options.offline)
        for name in package.files:
            source = folder / name
            if name.endswith(".wasm"):
                _copy_compressed(source, target / source.with_suffix(".bin").name)
            else:
                shutil.copyfile(source, target / source.name)
    return packages


def _copy_compressed(source: Path, target: Path) -> None:
    """Copy a file, compressed where that saves enough (the page sees which it is)."""
    content = source.read_bytes()
    small = gzip.compress(content, 9, mtime=0)
    target.write_bytes(small if len(small) < _WORTH * len(content) else content)


def _write_model_document(fresh: Path, bundle: Bundle, portable: PortableModel, name: str) -> None:
    """Write what the page must know of the model."""
    policy = bundle.decision_policy.as_dict()
    if policy["novelty"]:
        policy["novelty"].pop("ids")
        assert bundle.decision_policy.out_of_distribution is not None
        arrays = bundle.decision_policy.out_of_distribution.arrays()
        content = b"".join(np.ascontiguousarray(arrays[part], dtype=np.float16).tobytes() for part in ARRAYS)
        (fresh / "model" / "novelty.bin").write_bytes(content)
        listed = [{"name": part, "shape": list(arrays[part].shape)} for part in ARRAYS]
    else:
        listed = []
    for item in portable.config["inputs"]:
        for key, value in item["spec"].items():
            if key.endswith("_file"):
                small = json.dumps(json.loads((portable.folder / value).read_text("utf-8")), ensure_ascii=False)
                (fresh / "model" / value).write_bytes(gzip.compress(small.encode(), 9, mtime=0))
    document = {
        "format": FORMAT, "name": name, "modality": bundle.modality, "task": bundle.task,
        "classes": list(bundle.classes), "thresholds": list(bundle.thresholds),
        "n_channels": int(bundle.spec.get("n_channels", 1)),
        "input_columns": bundle.input_columns.as_dict() if bundle.input_columns else None,
        "columns": dict(bundle.columns),
        "inputs": portable.config["inputs"],
        "decision": policy, "novelty_arrays": listed,
        "readiness": read_readiness_texts(portable.folder.parent / "result.json", bundle.modality),
    }  # fmt: skip
    write_json(fresh / "model" / "model.json", document)


def _write_neighbours(fresh: Path, bundle: Bundle, path: Path, encoding: str | None) -> None:
    """Write small copies of the remembered training rows into the page, as `--thumbnails` asks."""
    ood_check = bundle.decision_policy.out_of_distribution
    if ood_check is None:
        raise OptionError("--thumbnails: the bundle stores no training rows.", "Leave it out.")
    roles = [name for role, name in bundle.columns.items() if role == "label" or role.startswith("label ")]
    read_options = parse(
        ReadOptions,
        task=bundle.task,
        label=tuple(roles),
        text=data.list_text_columns(bundle.columns),
        encoding=encoding,
    )
    table = read_rows(path, read_options, bundle.columns, inputs=bundle.known_input_columns)
    place = {str(name): row for row, name in enumerate(table.ids)}  # Bundles of older versions store names.
    place |= {str(key): row for row, key in enumerate(make_row_keys(table))}
    lost = [describe_row(str(name), bundle.row_names) for name in ood_check.ids if str(name) not in place]
    if lost or table.modality != bundle.modality:
        raise OptionError(
            f"--thumbnails: {path} lacks {len(lost)} of the training rows that the bundle stores "
            f"({list_offenders(lost)}).",
            "Name its training data.",
        )
    named = bundle.classes if TASK_TYPES[bundle.task].has_one_class else ("",)
    rows = [
        {"label": named[code] if len(named) > code else "", **_SHOWN[bundle.modality](table.inputs[place[str(name)]])}
        for name, code in zip(ood_check.ids, ood_check.codes, strict=True)
    ]
    content = gzip.compress(json.dumps(rows, ensure_ascii=False).encode(), 9, mtime=0)
    (fresh / "model" / NEIGHBOURS).write_bytes(content)
    document = json.loads((fresh / "model" / "model.json").read_text("utf-8"))
    write_json(fresh / "model" / "model.json", {**document, "neighbours_file": NEIGHBOURS})


def _make_thumbnail(source: Any) -> dict[str, str]:
    """Return an image of at most 96 pixels, as an address that holds it."""
    thumbnail = make_thumbnail(source, THUMBNAIL_PIXELS, THUMBNAIL_QUALITY)
    return {"picture": f"data:image/jpeg;base64,{thumbnail.jpeg}"} if thumbnail else {}


_SHOWN: dict[str, Callable[[Any], dict[str, str]]] = {
    "image": _make_thumbnail, "text": lambda text: {"text": str(text)[:MOST_CHARACTERS]}, "series": lambda values: {},
}  # fmt: skip
"""Fields that the page shows of a training row beside its class."""


def _write_page_files(fresh: Path, name: str, packages: Sequence[Package]) -> None:
    """Write the page's own files."""
    static = files("headstart") / "web" / "static"
    for one in PAGE:
        (fresh / one).write_bytes((static / one).read_bytes())
    for one in ALONE:
        (fresh / one).write_bytes((static / "offline" / one).read_bytes())
    (fresh / "api.js").write_bytes((static / "offline" / "api-onnx.js").read_bytes())
    write_text(fresh / "index.html", make_offline_page((static / "index.html").read_text("utf-8")))
    write_json(fresh / "manifest.webmanifest", _make_manifest(name))
    for size in ICONS:
        _draw_icon(size).save(fresh / f"icon-{size}.png", "PNG", optimize=True)
    write_text(fresh / "licences.txt", format_licences(packages))
    write_text(fresh / "README.txt", _README.format(name=name))


def make_offline_page(page: str) -> str:
    """Turn the page of the server into one that lies beside its files, with a policy that names no other place."""
    html = page.replace('="static/', '="').replace("</head>", _HEAD.format(policy=POLICY))
    return re.sub(r"<noscript>.*?</noscript>", "<noscript>This page needs JavaScript.</noscript>", html)


def _make_manifest(name: str) -> Mapping[str, Any]:
    icons = [{"src": f"icon-{size}.png", "sizes": f"{size}x{size}", "type": "image/png"} for size in ICONS]
    return {
        "name": name, "short_name": name[:12], "start_url": "./index.html", "scope": "./", "display": "standalone",
        "background_color": "#ffffff", "theme_color": "#1f5fa8",
        "icons": [{"src": "icon.svg", "sizes": "any", "type": "image/svg+xml"}, *icons],
    }  # fmt: skip


def _draw_icon(size: int) -> Image.Image:
    """Draw the icon: as icon.svg, on its grid of 64."""
    icon = Image.new("RGB", (256, 256), "#1f5fa8")
    pen = ImageDraw.Draw(icon)
    for line in (((18, 46), (18, 18)), ((18, 34), (38, 34)), ((38, 46), (38, 26))):
        pen.line([(4 * x, 4 * y) for x, y in line], "#ffffff", 28)
        for x, y in line:
            pen.ellipse((4 * x - 14, 4 * y - 14, 4 * x + 14, 4 * y + 14), "#ffffff")
    pen.ellipse((164, 52, 204, 92), "#ffd166")
    return icon.resize((size, size), Image.Resampling.BICUBIC)


_AS_SENT: dict[str, Callable[[Any], Any]] = {
    "image": lambda content: base64.b64encode(content).decode("ascii"),
    "text": str,
    "series": lambda values: [[float(value) for value in channel] for channel in values],
}


def _make_check_rows(bundle: Bundle) -> dict[str, Any]:
    """Return as JSON synthetic inputs and the answers of the model here, for the page to repeat."""
    inputs = SAMPLE_INPUTS[bundle.modality](bundle.spec)[:N_CHECKED]
    expected = open_predictor(bundle)(inputs)
    sent = _AS_SENT[bundle.modality]
    return {"format": FORMAT, "modality": bundle.modality, "rows": [
        {"input": sent(item), "expected": document} for item, document in zip(inputs, expected, strict=True)
    ]}  # fmt: skip


def _write_file_list(fresh: Path) -> None:
    """List all files with their hashes, for the service worker."""
    left_out = {"README.txt", "licences.txt", "service-worker.js", LISTED}
    paths = sorted(path for path in fresh.rglob("*") if path.is_file())
    listed = {path.relative_to(fresh).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    hashes = {name: digest for name, digest in listed.items() if name not in left_out}
    write_text(fresh / LISTED, f"self.FILES = {json.dumps(hashes, indent=1)};\n")


def _measure_sizes(folder: Path) -> dict[str, Any]:
    """Return as JSON the sizes of a page."""
    contents = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    return {
        "size_bytes": sum(map(len, contents.values())),
        "gzip_bytes": sum(min(len(content), len(gzip.compress(content, 6))) for content in contents.values()),
        "model_bytes": (folder / "model" / "model.bin").stat().st_size,
        "n_files": len(contents),
    }
