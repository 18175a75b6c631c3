"""Pictures are decoded in one way: turned once, scaled alike, and odd files are set aside within bounds."""

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from headstart import checks, data
from headstart.bundle.standalone import image as standalone
from headstart.errors import DataError
from headstart.modalities import image
from headstart.modalities.image_values import BY_CONTENT, LARGE_PIXELS
from headstart.modalities.row_facts import collect_image_facts

SPEC = {"resize": 32}
PREDICT = {"size": 32, "resize": 32, "fit": "squash", "interpolation": "bilinear"}


def halves(width: int = 60, height: int = 40) -> Image.Image:
    picture = Image.new("RGB", (width, height), "red")
    picture.paste((0, 0, 255), (width // 2, 0, width, height // 3))
    return picture


def grey(path: Path, values: np.ndarray, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, **options)
    return path


def level(path: Path, **spec: object) -> float:
    return float(np.asarray(image.load_image(path, {**SPEC, **spec})).mean())


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "webp"])
@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8])
def test_a_picture_is_turned_upright_once_in_every_format(tmp_path: Path, suffix: str, orientation: int) -> None:
    upright = halves()
    turns = {2: 0, 3: 1 + 2, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # What undoes each turn, as Pillow numbers them.
    stored = upright.transpose(Image.Transpose(turns[orientation])) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned.{suffix}"
    if suffix == "tif":
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags[0x0112] = orientation
        stored.save(path, tiffinfo=tags)
    else:
        stored.save(path, exif=exif, **({"lossless": True} if suffix == "webp" else {}))
    expected = np.asarray(upright).astype(int)
    tolerance = 60 if suffix == "jpg" else 0
    seen = np.asarray(image.load_image(path, SPEC)).astype(int)
    assert seen.shape == expected.shape and np.abs(seen - expected).mean() <= tolerance / 10
    theirs = np.asarray(standalone._open_image(path.read_bytes(), SPEC))
    assert (theirs == np.asarray(image.load_image(path, SPEC))).all()


def test_a_turned_photo_that_is_decoded_small_is_upright_too(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    halves(600, 400).transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.jpg", exif=exif)
    assert image.load_image(tmp_path / "a.jpg", SPEC).size[0] > image.load_image(tmp_path / "a.jpg", SPEC).size[1]


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_equal_values_of_sixteen_bits_look_equal_in_every_picture(tmp_path: Path, suffix: str) -> None:
    brightest = (200, 3_900, 4_300, 15_000, 65_535)
    levels = [level(grey(tmp_path / f"{n}.{suffix}", np.full((20, 20), n, np.uint16))) for n in brightest]
    assert levels == sorted(levels) and levels[-1] == 255
    assert levels[2] == pytest.approx(4_300 / 257, abs=1)


def test_the_depth_that_a_tiff_states_is_white(tmp_path: Path) -> None:
    values = np.full((20, 20), 1_000, np.uint16)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[281] = 4095
    grey(tmp_path / "a.tif", values, tiffinfo=tags)
    assert level(tmp_path / "a.tif") == pytest.approx(1_000 / 4_095 * 255, abs=1)


def test_ranges_of_the_data_set_are_used_by_every_reader(tmp_path: Path) -> None:
    path = grey(tmp_path / "a.png", np.full((40, 40), 3_000, np.uint16))
    spec = {**PREDICT, "value_ranges": {"integer": [1_000.0, 5_000.0]}}
    assert level(path, value_ranges=spec["value_ranges"]) == pytest.approx(127.5, abs=1)
    [ours] = standalone.prepare_input("pixels", path, spec)
    assert (ours == image.resize_image(image.load_image(path, spec), spec)).all() and abs(int(ours[0, 0, 0]) - 128) <= 1


def test_a_float_picture_is_scaled_by_the_range_of_the_data_set(tmp_path: Path) -> None:
    path = grey(tmp_path / "a.tif", np.array([[-2.0, np.nan, 6.0]] * 40, np.float32))
    pixels = np.asarray(image.load_image(path, {**SPEC, "value_ranges": {"float": [-2.0, 6.0]}}))
    assert pixels[0, 0, 0] == 0 and pixels[0, -1, 0] == 255
    theirs = standalone._open_image(path.read_bytes(), {**SPEC, "value_ranges": {"float": [-2.0, 6.0]}})
    assert (np.asarray(theirs) == pixels).all()


def test_to_look_at_a_picture_its_own_values_count(tmp_path: Path) -> None:
    path = grey(tmp_path / "a.png", np.full((40, 40), 255, np.uint16))
    assert level(path, **BY_CONTENT) == 255


def deep_data(root: Path, **brightness: int) -> Path:
    for name, value in brightness.items():
        for number in range(4):
            values = np.full((24, 24), value, np.uint16)
            values[:2, :2] = 40 * number
            grey(root / name / f"{number}.png", values)
    return root


def test_check_states_the_common_scale_and_learns_it_from_training_rows_only(tmp_path: Path) -> None:
    root = deep_data(tmp_path / "data", dark=3_900, bright=15_000)
    table = data.read_table(root)
    [finding] = [item for item in checks.check_table(table) if item.kind == "value-range"]
    assert (
        finding.severity == "note" and "15,000 is white" in finding.summary and finding.summary.startswith("8 images")
    )
    splits = np.array(["test" if "bright" in name else "train" for name in table.ids], dtype=object)
    from dataclasses import replace

    assert data.measure_value_ranges(replace(table, splits=splits)) == {"integer": [0.0, 3_900.0]}
    assert data.measure_value_ranges(data.read_table(tmp_path / "data/dark")) == {"integer": [0.0, 3_900.0]}


def test_check_warns_where_most_pictures_are_nearly_black(tmp_path: Path) -> None:
    root = deep_data(tmp_path / "data", a=200, b=300, c=65_000)
    [finding] = [item for item in checks.check_table(data.read_table(root)) if item.kind == "value-range"]
    assert finding.severity == "warn" and "nearly black" in finding.summary


def test_pictures_of_eight_bits_have_no_ranges(tmp_path: Path) -> None:
    for name in ("a/1.png", "b/2.png"):
        (tmp_path / name).parent.mkdir()
        halves().save(tmp_path / name)
    table = data.read_table(tmp_path)
    assert data.measure_value_ranges(table) == {} and not [
        item for item in checks.check_table(table) if item.kind == "value-range"
    ]


def png(width: int, height: int, colour: int, bits: int, bytes_a_line: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    packed = zlib.compressobj(1)
    body = b"".join([*(packed.compress(bytes(bytes_a_line + 1)) for _ in range(height)), packed.flush()])
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("colour", "bits", "n_bytes"), [(6, 8, 4.0), (0, 16, 2.0), (3, 1, 0.125), (2, 8, 3.0), (4, 8, 2.0)]
)
def test_a_large_picture_of_any_kind_is_brought_near_the_size_that_is_needed(
    tmp_path: Path, colour: int, bits: int, n_bytes: float
) -> None:
    side = 4_096
    content = png(side, side, colour, bits, int(side * n_bytes))
    if colour == 3:
        content = png(side, side, 0, 1, side // 8)
    (tmp_path / "a.png").write_bytes(content)
    assert side * side > LARGE_PIXELS
    made = image.load_image(tmp_path / "a.png", SPEC)
    assert max(made.size) == 64 and made.mode == "RGB"
    assert (np.asarray(standalone._open_image(content, SPEC)) == np.asarray(made)).all()


def test_a_picture_in_strips_is_the_picture_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (301, 203, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    whole = np.asarray(image.load_image(tmp_path / "a.png", {"resize": 30}))
    monkeypatch.setattr(image, "LARGE_PIXELS", 20_000)
    assert (np.asarray(image.load_image(tmp_path / "a.png", {"resize": 30})) == whole).all()


def odd_entries(folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")
    (folder / "zero.png").symlink_to("/dev/zero")
    (folder / "gone.png").symlink_to(folder / "nothing.png")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    (folder / "line.png").write_bytes(png(200_000, 1, 2, 8, 600_000))
    with (folder / "sparse.png").open("wb") as handle:
        handle.truncate(1 << 30)


REASONS = {
    "pipe.png": "no plain file but a pipe",
    "zero.png": "no plain file but a device",
    "gone.png": "not there",
    "loop.png": "cannot be read",
    "line.png": "are the most a side",
    "sparse.png": "more than 537 MB",
}


def test_entries_that_are_no_plain_files_are_set_aside_with_the_reason(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        halves().save(tmp_path / name / "1.png")
    odd_entries(tmp_path / "one")
    (tmp_path / "two/folder.png").mkdir()
    table = data.read_table(tmp_path)
    assert table.ids.tolist() == ["one/1.png", "two/1.png"]
    reasons = {Path(item.id).name: item.reason for item in table.set_aside}
    assert set(reasons) == set(REASONS) and all(REASONS[name] in reason for name, reason in reasons.items())
    inputs = data.read_ordered_inputs([tmp_path], "image", {}, {})
    assert len(inputs.order) == 8 and len(inputs.table) == 2


@pytest.mark.parametrize("name", list(REASONS))
def test_nothing_that_opens_a_picture_waits_for_a_pipe_or_a_device(tmp_path: Path, name: str) -> None:
    odd_entries(tmp_path)
    with pytest.raises(DataError, match=REASONS[name]):
        image.load_image(tmp_path / name, SPEC)
    with pytest.raises(ValueError, match=r"plain file|not there|cannot be read|the most a side|more than 537 MB"):
        standalone.prepare_input("pixels", tmp_path / name, PREDICT)
    facts = collect_image_facts(tmp_path / name)
    assert facts.extremes is None and not facts.fingerprint.vectors.any() and "brightness" in facts.properties


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".xlsx", ".npz", ".ts", ".zip", ".txt"])
def test_a_pipe_is_no_data_whatever_its_ending(tmp_path: Path, suffix: str) -> None:
    os.mkfifo(tmp_path / f"a{suffix}")
    with pytest.raises(DataError, match="a pipe"):
        data.read_table(tmp_path / f"a{suffix}")
    for modality in ("text", "series", "image"):
        with pytest.raises(DataError):
            data.read_ordered_inputs([tmp_path / f"a{suffix}"], modality, {}, {})


def test_pipes_among_tables_and_series_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t/data.csv").write_text("text,label\na,x\nb,y\n")
    os.mkfifo(tmp_path / "t/more.csv")
    table = data.read_table(tmp_path / "t")
    assert len(table) == 2 and [item.id for item in table.set_aside] == ["more.csv"]
    for name in ("x", "y"):
        (tmp_path / "s" / name).mkdir(parents=True)
        (tmp_path / "s" / name / "1.csv").write_text("value\n" + "1\n2\n" * 10)
    os.mkfifo(tmp_path / "s/x/2.csv")
    table = data.read_table(tmp_path / "s")
    assert len(table) == 2 and [item.id for item in table.set_aside] == ["x/2.csv"]


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "I", "F", "I;16"]
)
def test_every_mode_becomes_rgb_or_is_refused(tmp_path: Path, mode: str) -> None:
    try:
        Image.new(mode, (40, 30)).save(tmp_path / "a.tif")
    except (OSError, KeyError):
        pytest.skip("Pillow writes no such TIFF")
    assert image.load_image(tmp_path / "a.tif", SPEC).mode == "RGB"


@pytest.mark.parametrize("size", [(1, 1), (1, 5_000), (5_000, 1)])
def test_a_picture_of_one_pixel_a_side_can_be_used(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size, "red").save(tmp_path / "a.png")
    for fit in ("crop", "squash"):
        spec = {**PREDICT, "fit": fit}
        assert (
            image.resize_image(image.load_image(tmp_path / "a.png", spec), spec)
            == standalone.prepare_input("pixels", tmp_path / "a.png", spec)[0]
        ).all()
