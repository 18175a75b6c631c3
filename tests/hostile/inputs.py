"""Tables, pictures and series that people, programs or strangers make: odd in form, in size or in what they claim."""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from tests.hostile.case import Case, Command, Random, Seeds

_CONTENT_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)


def _write(name: str, content: bytes | str | Callable[[], bytes | str]) -> Callable[[Path, Random], Path]:
    """Return what writes a file; a large content is made when it is written."""

    def make(folder: Path, random: Random) -> Path:
        path = folder / name
        value = content() if callable(content) else content
        path.write_bytes(value.encode() if isinstance(value, str) else value)
        return path

    return make


def _zip(name: str, parts: Mapping[str, bytes | str]) -> Callable[[Path, Random], Path]:
    def content() -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for part, text in parts.items():
                archive.writestr(part, text)
        return buffer.getvalue()

    return _write(name, content)


def _bomb(name: str, inside: str) -> Callable[[Path, Random], Path]:
    def make(folder: Path, random: Random) -> Path:
        path = folder / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(inside, "w") as part:
            for _ in range(600):
                part.write(b" " * 2**20)
        return path

    return make


def _workbook(change: str) -> Callable[[Path, Random], Path]:
    def make(folder: Path, random: Random) -> Path:
        import openpyxl

        path = folder / "book.xlsx"
        book = openpyxl.Workbook()
        sheet = book.active
        for row in [("text", "label"), *[(f"words number {n}", "ab"[n % 2]) for n in range(30)]]:
            sheet.append(row)
        book.save(path)
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        sheet_name = "xl/worksheets/sheet1.xml"
        entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "ha"}">' for n in range(9))
        changes: dict[str, Callable[[], object]] = {
            "broken-sheet": lambda: parts.update({sheet_name: parts[sheet_name][:200]}),
            "no-sheet": lambda: parts.pop(sheet_name),
            "no-workbook": lambda: parts.pop("xl/workbook.xml"),
            "no-strings": lambda: parts.pop("xl/sharedStrings.xml", None),
            "broken-styles": lambda: parts.update({"xl/styles.xml": b"<x"}),
            "entities": lambda: parts.update({
                sheet_name: f'<?xml version="1.0"?><!DOCTYPE x [{entities}]><worksheet>&a8;</worksheet>'.encode()
            }),
            "external": lambda: parts.update({
                sheet_name: b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet>&e;</worksheet>'
            }),
            "far-cell": lambda: parts.update({
                sheet_name: b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
                b'<row r="1048576"><c r="XFD1048576" t="n"><v>1</v></c></row></sheetData></worksheet>'
            }),
            "bad-cell": lambda: parts.update({
                sheet_name: b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
                b'<row r="x"><c r="?" t="s"><v>99999</v></c></row></sheetData></worksheet>'
            }),
            "empty-parts": lambda: parts.update(dict.fromkeys(parts, b"")),
            "types-only": lambda: [parts.pop(name) for name in list(parts) if name != "[Content_Types].xml"],
        }  # fmt: skip
        changes[change]()
        return _zip("book.xlsx", parts)(folder, random)

    return make


def _parquet(change: str) -> Callable[[Path, Random], Path]:
    def make(folder: Path, random: Random) -> Path:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = folder / "rows.parquet"
        n_rows = 50_000_000 if change == "run-length" else 30
        columns: dict[str, object] = {"label": np.zeros(n_rows, np.int8)} if change == "run-length" else {
            "text": [f"words {n}" for n in range(n_rows)], "label": ["ab"[n % 2] for n in range(n_rows)],
        }  # fmt: skip
        if change == "nested":
            columns["text"] = [{"a": [{"b": [1, 2]}]}] * n_rows
        if change == "columns":
            columns |= {f"column{n}": [0] * n_rows for n in range(3_000)}
        pq.write_table(pa.table(columns), path)
        content = bytearray(path.read_bytes())
        if change == "cut":
            content = content[: len(content) // 2]
        elif change == "footer":
            content[-8:-4] = struct.pack("<I", 2**31 - 1)
        elif change == "bytes":
            for place in random.integers(4, len(content) - 8, 30):
                content[int(place)] = int(random.integers(256))
        path.write_bytes(bytes(content))
        return path

    return make


def _array_file(change: str) -> Callable[[Path, Random], Path]:
    def make(folder: Path, random: Random) -> Path:
        path = folder / "series.npz"
        values = np.random.default_rng(0).normal(size=(20, 1, 30)).astype(np.float32)
        labels = np.array(["slow", "fast"] * 10)
        if change == "pickled":
            np.savez(path, x=np.array([{"a": 1}] * 20, dtype=object), y=labels)
        elif change == "no-labels":
            np.savez(path, x=values)
        elif change == "lengths":
            np.savez(path, x=values, y=labels[:7])
        elif change == "not-finite":
            np.savez(path, x=np.full_like(values, np.nan), y=labels)
        elif change == "complex":
            np.savez(path, x=values.astype(np.complex64), y=labels)
        elif change == "four-axes":
            np.savez(path, x=values[None], y=labels)
        elif change == "empty":
            np.savez(path, x=values[:0], y=labels[:0])
        elif change == "scalars":
            np.savez(path, x=np.float32(1), y=np.float32(2))
        else:
            shape = {"shape-huge": "(1000000, 1000000, 1000)", "shape-minus": "(-1, 30)", "shape-text": "('a',)",
                     "code": "(__import__('os').getpid(),)"}[change]  # fmt: skip
            header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
            header += b" " * (63 - (len(header) + 10) % 64) + b"\n"
            array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\x00" * 64
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("x.npy", array)
                archive.writestr("y.npy", array)
        return path

    return make


def _png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunk(*part) for part in chunks) + chunk(b"IEND", b"")


def _encoded(kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)).save(
        buffer, kind, **options
    )
    return buffer.getvalue()


def _blank_png(side: int) -> bytes:
    compress = zlib.compressobj(9)
    row = b"\x00" * (3 * side + 1)
    data = b"".join(compress.compress(row) for _ in range(side)) + compress.flush()
    return _png(side, side, (b"IDAT", data))


def _damaged(kind: str) -> Callable[[Path, Random], Path]:
    def make(folder: Path, random: Random) -> Path:
        content = bytearray(_encoded(kind))
        for place in random.integers(8, len(content), 12):
            content[int(place)] = int(random.integers(256))
        return _write(f"picture.{kind.lower()}", bytes(content))(folder, random)

    return make


def _special(kind: str) -> Callable[[Path, Random], Path]:
    def make(folder: Path, random: Random) -> Path:
        path = folder / "picture.png"
        if kind == "fifo":
            os.mkfifo(path)
        elif kind == "socket-name":
            path.mkdir()
        else:
            path.symlink_to(
                {"zero": "/dev/zero", "loop": str(path), "nowhere": "/no/such/file", "random": "/dev/urandom"}[kind]
            )
        return path

    return make


def _odd_number(number: str, folder: Path, random: Random) -> Path:
    steps = ",".join(f"t{step}" for step in range(12))
    rows = [f"{'slow' if n % 2 else 'fast'}," + ",".join(str((n * step) % 7) for step in range(12)) for n in range(24)]
    rows[3] = "slow," + ",".join([number] * 12)
    return _write("series.csv", f"label,{steps}\n" + "\n".join(rows) + "\n")(folder, random)


_ROWS = "\n".join(f"words number {n},{'ab'[n % 2]}" for n in range(30))
TABLES: Mapping[str, Callable[[Path, Random], Path]] = {
    "empty.csv": _write("rows.csv", b""),
    "blanks.csv": _write("rows.csv", b"\n\n\n"),
    "zeros.csv": _write("rows.csv", b"\x00" * 100_000),
    "header-only.csv": _write("rows.csv", "text,label\n"),
    "binary.csv": _write("rows.csv", bytes(range(256)) * 400),
    "one-line.csv": _write("rows.csv", "text,label," + "x" * 5_000_000),
    "open-quote.csv": _write("rows.csv", f'text,label\n"never closed\n{_ROWS}\n'),
    "quotes.csv": _write("rows.csv", 'text,label\n' + '"' * 200_001 + "\n" + _ROWS),
    "many-columns.csv": _write("rows.csv", ",".join(f"c{n}" for n in range(20_000)) + "\n" + ",".join("1" * 20_000) + "\n"),
    "equal-columns.csv": _write("rows.csv", ",".join(["text"] * 20_000) + "\n" + ",".join(["a"] * 20_000) + "\n"),
    "ragged.csv": _write("rows.csv", "text,label\n" + "\n".join("a," * (n % 50) for n in range(5_000))),
    "half-surrogate.csv": _write("rows.csv", b"text,label\n\xed\xa0\x80 word,a\n" + _ROWS.encode()),
    "utf-16-cut.csv": _write("rows.csv", f"text,label\n{_ROWS}".encode("utf-16")[:-3]),
    "utf-7.csv": _write("rows.csv", "text,label\n+ADw-script+AD4-,a\n" + _ROWS),
    "escapes.csv": _write("rows.csv", "te\x1b[31mxt,la\x07bel\n" + _ROWS),
    "labels-lines.csv": _write("rows.csv", 'text,label\n"a b","x\ny\x1b[2J"\n' + _ROWS),
    "path-labels.csv": _write("rows.csv", "text,label\n" + "\n".join(f"words {n},../../{'ab'[n % 2]}" for n in range(30))),
    "formula-labels.csv": _write("rows.csv", "text,label\n" + "\n".join(f"words {n},=cmd|{'ab'[n % 2]}" for n in range(30))),
    "one-row.csv": _write("rows.csv", "text,label\na b c,x\n"),
    "one-class.csv": _write("rows.csv", "text,label\n" + "\n".join(f"words {n},x" for n in range(30))),
    "long-digits.csv": _write("rows.csv", f"text,label\na b,{'7' * 5_000}\n{_ROWS}"),
    "long-digits.jsonl": _write("rows.jsonl", '{"text": "a b", "label": ' + "7" * 5_000 + "}\n" + '{"text": "c", "label": 1}\n' * 20),
    "deep.jsonl": _write("rows.jsonl", '{"text": ' + "[" * 100_000 + "]" * 100_000 + "}\n"),
    "many-keys.jsonl": _write("rows.jsonl", "".join(json.dumps({f"key{n}-{m}": 1 for m in range(40)}) + "\n" for n in range(500))),
    "not-a-number.jsonl": _write("rows.jsonl", '{"text": NaN, "label": Infinity}\n' * 20),
    "list.json": _write("rows.json", "[" * 5_000),
    "scalars.json": _write("rows.json", "[1, null, \"a\", [], {}]"),
    "object.json": _write("rows.json", '{"a": {"b": {"c": 1}}}'),
    "equal-keys.jsonl": _write("rows.jsonl", '{"text": "a", "text": "b", "label": "x", "label": "y"}\n' * 20),
    "lone-surrogate.jsonl": _write("rows.jsonl", '{"text": "\\ud800 a", "label": "x"}\n{"text": "b", "label": "\\udfff"}\n' * 9),
    "tabs.tsv": _write("rows.tsv", "text\tlabel\n" + "a\t" * 300 + "\n" + _ROWS.replace(",", "\t")),
    "zip-parent.zip": _zip("rows.zip", {"../outside.csv": f"text,label\n{_ROWS}"}),
    "zip-absolute.zip": _zip("rows.zip", {"/tmp/headstart-outside.csv": f"text,label\n{_ROWS}"}),
    "zip-bomb.zip": _bomb("rows.zip", "rows.csv"),
    "zip-many.zip": _zip("rows.zip", {f"f{n}.csv": "a" for n in range(12_000)}),
    "zip-cut.zip": _write("rows.zip", b"PK\x03\x04" + b"\x00" * 500),
    "zip-nested.zip": _zip("rows.zip", {"a/" * 500 + "x.csv": "text,label\n"}),
    "not-a-book.xlsx": _write("book.xlsx", b"this is no workbook"),
    "types.xlsx": _zip("book.xlsx", {"[Content_Types].xml": _CONTENT_TYPES}),
    "bomb.xlsx": _bomb("book.xlsx", "xl/worksheets/sheet1.xml"),
    **{f"{name}.xlsx": _workbook(name) for name in (
        "broken-sheet", "no-sheet", "no-workbook", "no-strings", "broken-styles", "entities", "external", "far-cell",
        "bad-cell", "empty-parts", "types-only")},
    "old.xls": _write("book.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 2_000),
    **{f"{name}.parquet": _parquet(name) for name in ("cut", "footer", "bytes", "nested", "columns", "run-length")},
    "text.parquet": _write("rows.parquet", "PAR1 no parquet PAR1"),
}  # fmt: skip

SERIES: Mapping[str, Callable[[Path, Random], Path]] = {
    **{f"{name}.npz": _array_file(name) for name in (
        "pickled", "no-labels", "lengths", "not-finite", "complex", "four-axes", "empty", "scalars", "shape-huge",
        "shape-minus", "shape-text", "code")},
    **{f"number-{name}.csv": partial(_odd_number, number) for name, number in {
        "digits": "9" * 5_000, "exponent": "1e999", "minus-zero": "-0", "hexadecimal": "0x1F", "underscores": "1_000",
        "infinite": "inf", "text": "abc", "percent": "5%", "empty": "", "arabic": "٣", "complex": "1+2j",
        "tiny": "5e-324", "large": "1e308"}.items()},
    "cut.npz": _write("series.npz", b"PK\x03\x04" + b"\x01" * 300),
    "no-array.npy": _write("series.npy", b"\x93NUMPY\x01\x00\xff\xff" + b"{" * 100),
    "steps.ts": _write("series.ts", "@problemName x\n@data\n" + ",".join("1" * 50_000) + ":a\n"),
    "broken.ts": _write("series.ts", "@data\n(((:::\n"),
    "broken.arff": _write("series.arff", "@relation x\n@attribute a {1,2\n@data\n?,?,?\n"),
}  # fmt: skip

PICTURES: Mapping[str, Callable[[Path, Random], Path]] = {
    "empty.png": _write("picture.png", b""), "text.png": _write("picture.png", "hello"),
    "cut.png": _write("picture.png", _encoded("PNG")[:300]), "cut.jpg": _write("picture.jpg", _encoded("JPEG")[:300]),
    "claims-huge.png": _write("picture.png", _png(2**31 - 1, 2**31 - 1, (b"IDAT", zlib.compress(b"\x00" * 100)))),
    "claims-wide.png": _write(
        "picture.png", lambda: _png(60_000_000, 1, (b"IDAT", zlib.compress(b"\x00" * (3 * 60_000_000 + 1))))),
    "claims-tall.png": _write("picture.png", _png(1, 60_000_000, (b"IDAT", zlib.compress(b"\x00" * 100)))),
    "zero-width.png": _write("picture.png", _png(0, 10, (b"IDAT", zlib.compress(b"\x00" * 100)))),
    "blank-12000.png": _write("picture.png", lambda: _blank_png(12_000)),
    "text-bomb.png": _write("picture.png", lambda: _png(
        8, 8, (b"zTXt", b"Comment\x00\x00" + zlib.compress(b"x" * 200_000_000, 9)),
        (b"IDAT", zlib.compress((b"\x00" * 25) * 8)))),
    "profile-bomb.png": _write("picture.png", lambda: _png(
        8, 8, (b"iCCP", b"p\x00\x00" + zlib.compress(b"x" * 200_000_000, 9)), (b"IDAT", zlib.compress((b"\x00" * 25) * 8)))),
    "no-data.png": _write("picture.png", _png(8, 8)),
    "pixel-1.png": _write("picture.png", _png(1, 1, (b"IDAT", zlib.compress(b"\x00\x01\x02\x03")))),
    "svg.png": _write("picture.png", '<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1:9/x"/></svg>'),
    "script.jpg": _write("picture.jpg", "%!PS\n(/etc/passwd) (r) file\n"),
    "gif-claims.gif": _write("picture.gif", b"GIF89a\xff\xff\xff\xff\x80\x00\x00" + b"\x00" * 6 + b"," + b"\x00" * 20),
    "bmp-claims.bmp": _write("picture.bmp", b"BM" + struct.pack("<IHHIIiiHHIIiiII", 100, 0, 0, 54, 40, 2**30, 2**30, 1, 24, 0, 0, 0, 0, 0, 0)),
    "ppm-claims.ppm": _write("picture.ppm", b"P6 1000000 1000000 255\n" + b"\x00" * 100),
    "tiff-loop.tif": _write("picture.tif", b"II*\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00"),
    "exif-odd.jpg": _write("picture.jpg", _encoded("JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff" + b"\x01\x12" * 50)),
    **{f"damaged-{kind.lower()}": _damaged(kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")},
    **{f"special-{kind}": _special(kind) for kind in ("fifo", "zero", "random", "loop", "nowhere", "socket-name")},
}  # fmt: skip


def _table(make: Callable[[Path, Random], Path], door: str, folder: Path, seeds: Seeds, random: Random) -> Command:
    path = make(folder, random)
    if door == "check":
        return Command(arguments=("check", str(path), "--deep", "off"))
    seed = "series" if door == "predict-series" else "classic-text"
    return Command(arguments=("predict", str(seeds.bundles[seed]), str(path), "-o", "answers.csv"))


def _picture(make: Callable[[Path, Random], Path], door: str, folder: Path, seeds: Seeds, random: Random) -> Command:
    inside = folder / "pictures"
    inside.mkdir()
    odd = make(inside, random)
    if door == "predict-one":
        return Command(arguments=("predict", str(seeds.bundles["image"]), str(odd), "-o", "answers.csv"))
    target = inside / "a"
    target.mkdir()
    odd.rename(target / odd.name)
    if (target / odd.name).is_symlink() and door == "check":
        (target / odd.name).unlink()
        make(target, random)
    for label in ("a", "b"):
        (inside / label).mkdir(exist_ok=True)
        for number in range(6):
            colour = (200, 30 * number, 10) if label == "a" else (10, 30 * number, 200)
            Image.new("RGB", (32, 32), colour).save(inside / label / f"{number}.png")
    if door == "check":
        return Command(arguments=("check", str(inside), "--deep", "off"))
    return Command(arguments=("predict", str(seeds.bundles["image"]), str(inside), "-o", "answers.csv"))


def list_cases() -> Iterator[Case]:
    """Return the cases of this kind."""
    for name, make in TABLES.items():
        for door in ("check", "predict"):
            yield Case(name=f"table-{door}/{name}", make=partial(_table, make, door))
    for name, make in SERIES.items():
        for door in ("check", "predict-series"):
            yield Case(name=f"series-{door}/{name}", make=partial(_table, make, door))
    for name, make in PICTURES.items():
        for door in ("check", "predict-one", "predict-folder"):
            yield Case(name=f"picture-{door}/{name}", make=partial(_picture, make, door))
