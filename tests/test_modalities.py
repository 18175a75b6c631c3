"""Pictures, texts and series as people have them become the arrays that a base model wants."""

import base64
import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from headstart.errors import DataError
from headstart.modalities import MODALITIES, image, previews, series, text
from headstart.modalities.descriptors import N_DESCRIPTORS, describe_image
from headstart.report import draw_preview

SPEC = {"size": 32, "resize": 40, "fit": "crop", "interpolation": "bicubic", "mean": [0.5] * 3, "std": [0.5] * 3}


def two_halves(size: tuple[int, int] = (80, 60)) -> Image.Image:
    """Red left, blue right."""
    picture = Image.new("RGB", size, (255, 0, 0))
    picture.paste((0, 0, 255), (size[0] // 2, 0, size[0], size[1]))
    return picture


def loaded(path: Path) -> np.ndarray:
    return np.asarray(image.load_image(path, SPEC)).astype(int)


def is_red(pixel: np.ndarray) -> bool:
    return bool(pixel[0] > 200 and pixel[1] < 60 and pixel[2] < 60)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "gif", "tif"])
def test_every_usual_format_gives_an_rgb_picture(tmp_path: Path, suffix: str) -> None:
    two_halves().save(tmp_path / f"a.{suffix}")
    pixels = loaded(tmp_path / f"a.{suffix}")
    assert pixels.shape[2] == 3 and is_red(pixels[30, 5]) and not is_red(pixels[30, -5])


def test_the_exif_rotation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    two_halves().save(tmp_path / "a.jpg", exif=exif)
    pixels = loaded(tmp_path / "a.jpg")
    assert pixels.shape[:2] == (80, 60), "the camera was held upright"
    assert is_red(pixels[5, 30]) and not is_red(pixels[-5, 30])


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    two_halves().convert("CMYK").save(tmp_path / "a.jpg")
    assert is_red(loaded(tmp_path / "a.jpg")[30, 5])


def test_transparent_parts_are_white_also_in_a_palette(tmp_path: Path) -> None:
    seen = two_halves().convert("RGBA")
    seen.putalpha(Image.new("L", seen.size, 0))
    seen.save(tmp_path / "a.png")
    assert (loaded(tmp_path / "a.png") == 255).all()
    palette = two_halves().convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    clear = int(np.asarray(palette)[30, -5])
    palette.save(tmp_path / "b.png", transparency=clear)
    pixels = loaded(tmp_path / "b.png")
    assert is_red(pixels[30, 5]) and (pixels[30, -5] == 255).all()


def test_the_first_frame_of_an_animation_counts(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (50, 50), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert is_red(loaded(tmp_path / "a.gif")[25, 25])


@pytest.mark.parametrize("fault", ["empty", "truncated", "text", "header only"])
def test_a_damaged_file_is_named_with_the_reason(tmp_path: Path, fault: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 90, 3), dtype=np.uint8)).save(buffer, "PNG")
    whole = buffer.getvalue()
    content = {"empty": b"", "truncated": whole[: len(whole) // 2], "text": b"hello", "header only": whole[:20]}[fault]
    (tmp_path / "leaf.png").write_bytes(content)
    with pytest.raises(DataError, match=r"leaf\.png: (the file is empty|the image is damaged|this is not an image)"):
        image.load_image(tmp_path / "leaf.png", SPEC)


def test_a_decompression_bomb_is_refused_and_a_large_picture_makes_no_noise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_halves((300, 200)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40_000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert image.load_image(tmp_path / "a.png", SPEC).mode == "RGB"
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    with pytest.raises(DataError, match=r"more than .* million pixels"):
        image.load_image(tmp_path / "a.png", SPEC)


def test_a_large_photo_is_decoded_small_but_not_smaller_than_wanted(tmp_path: Path) -> None:
    two_halves((2000, 1000)).save(tmp_path / "a.jpg")
    two_halves((2000, 1000)).save(tmp_path / "a.png")
    for name in ("a.jpg", "a.png"):
        size = image.load_image(tmp_path / name, SPEC).size
        assert 40 <= min(size) <= 125, size


def test_prepare_crops_the_centre_and_squash_keeps_the_edges() -> None:
    striped = Image.new("RGB", (100, 50), (0, 0, 0))
    striped.paste((255, 255, 255), (0, 0, 20, 50))
    (cropped,) = image.prepare_image(striped, SPEC)
    (squashed,) = image.prepare_image(striped, {**SPEC, "fit": "squash"})
    assert cropped.shape == squashed.shape == (3, 32, 32) and cropped.dtype == np.float32
    assert cropped.max() < -0.99, "the white stripe lies outside of the centre"
    assert squashed[0, 16, 1] > 0.99 and squashed[0, 16, -1] < -0.99
    assert cropped.flags.c_contiguous


def test_a_preview_is_a_small_jpeg_without_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Secret Camera"
    two_halves((900, 600)).save(tmp_path / 'a"<b>.jpg', exif=exif)
    preview = previews.preview_image(tmp_path / 'a"<b>.jpg', 40_000)
    assert preview is not None
    inside = base64.b64decode(preview.jpeg)
    assert b"Secret" not in inside and b"Exif" not in inside
    assert max(Image.open(io.BytesIO(inside)).size) == preview.width == 320
    (tmp_path / "bad.jpg").write_bytes(b"")
    assert previews.preview_image(tmp_path / "bad.jpg", 40_000) is None


def test_a_preview_of_a_busy_image_becomes_smaller_until_it_fits(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    sizes = [previews.preview_image(tmp_path / "noise.png", n_bytes) for n_bytes in (10**6, 20_000, 100)]
    assert [preview and preview.width for preview in sizes] == [320, 240, 112]
    assert sizes[1] is not None and len(sizes[1].jpeg) <= 20_000


def test_descriptors_are_finite_and_tell_pictures_apart() -> None:
    one = describe_image(two_halves())
    other = describe_image(two_halves().rotate(90, expand=True))
    assert one.shape == (N_DESCRIPTORS,) and one.dtype == np.float32
    assert np.isfinite(one).all() and np.abs(one - other).max() > 0.1
    assert np.array_equal(one, describe_image(two_halves()))


@pytest.fixture(scope="module")
def tokenizer_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "day"]
    made = Tokenizer(models.WordLevel({word: code for code, word in enumerate(words)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    made.enable_padding(length=99)
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    made.save(str(path))
    return str(path)


def test_truncation_keeps_the_special_tokens_and_padding_is_ours(tokenizer_file: str) -> None:
    spec = {"tokenizer_file": tokenizer_file, "max_length": 5, "pad_id": 0}
    short, long = text.prepare_text("good day", spec), text.prepare_text("good bad " * 50, spec)
    assert short[0].tolist() == [2, 4, 6, 3] and long[0].tolist() == [2, 4, 5, 4, 3]
    ids, mask = text.pad_tokens([short, long], spec)
    assert ids.shape == (2, 5) and mask.sum(axis=1).tolist() == [4, 5] and ids.dtype == np.int64


@pytest.mark.parametrize("written", ["", "\ud800", "\x00\x07", "ኢትዮጵያ", "👩\u200d🌾"])
def test_any_string_becomes_at_least_one_token(tokenizer_file: str, written: str) -> None:
    spec = {"tokenizer_file": tokenizer_file, "max_length": 5, "pad_id": 0}
    ids, mask = text.prepare_text(text.load_text(written, spec), spec)
    assert len(ids) == len(mask) >= 1


def test_scripts_and_joiners_stay_and_control_characters_go() -> None:
    assert text.load_text("می\u200cخواهم\x07 \ufeffé", {}) == "می\u200cخواهم é"


def test_a_text_preview_is_whole_up_to_a_bound() -> None:
    assert previews.preview_text("no water\u0000 " * 50, 4_000).text == "no water " * 49 + "no water"
    long = previews.preview_text("word " * 5_000, 10_000)
    assert long.is_cut and len(long.text) == 2_000 and long.text.endswith("word…")


def test_gaps_padding_and_length_are_treated() -> None:
    raw = np.array([[np.nan, 1, np.nan, 3, np.nan, np.nan], [np.nan] * 6], dtype=np.float32)
    spec = {"length": 7, "n_channels": 2}
    values = series.load_series(raw, spec)
    assert values.tolist() == [[1, 1, 2, 3], [0, 0, 0, 0]]
    (made,) = series.prepare_series(values, spec)
    assert made.shape == (2, 7) and made.dtype == np.float32 and made[0, -1] == 3


def test_another_number_of_channels_is_an_error() -> None:
    with pytest.raises(DataError, match="has 1 channels; the model was made for 3"):
        series.load_series(np.zeros((1, 5), dtype=np.float32), {"length": 5, "n_channels": 3})


@pytest.mark.parametrize(("lengths", "expected"), [((20, 20), 20), ((3, 4), 9), ((30, 9999), 2048)])
def test_the_length_is_that_of_the_longest_within_bounds(lengths: tuple[int, int], expected: int) -> None:
    inputs = [np.pad(np.ones((1, n), np.float32), ((0, 0), (0, 7)), constant_values=np.nan) for n in lengths]
    assert series.derive_spec(inputs) == {"length": expected, "n_channels": 1}


def test_series_of_different_channels_are_refused() -> None:
    with pytest.raises(DataError, match="different numbers of channels"):
        series.derive_spec([np.zeros((1, 9)), np.zeros((2, 9))])


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.one_of(st.floats(-1e6, 1e6, width=32), st.just(float("nan")), st.just(float("inf"))), min_size=1),
    st.integers(1, 40),
)
def test_a_prepared_series_is_always_finite_and_within_its_range(values: list[float], length: int) -> None:
    raw = np.array([values], dtype=np.float32)
    spec = {"length": length, "n_channels": 1}
    (made,) = series.prepare_series(series.load_series(raw, spec), spec)
    assert made.shape == (1, length) and np.isfinite(made).all()
    known = raw[np.isfinite(raw)]
    if len(known):
        assert known.min() <= made.min() and made.max() <= known.max()


def test_a_series_preview_leaves_gaps() -> None:
    preview = previews.preview_series(np.array([[1, 2, np.nan, 4, 5]], dtype=np.float32), 2_000)
    drawn = draw_preview(preview, "a")
    assert drawn.count("<polyline") == 2 and 'aria-label="A recording of 5 steps"' in drawn and ">time step<" in drawn
    empty = previews.preview_series(np.full((2, 3), np.nan, dtype=np.float32), 2_000)
    assert "nan" not in draw_preview(empty, "b") and "polyline" not in draw_preview(empty, "b")
    many = previews.preview_series(np.ones((9, 5_000), dtype=np.float32), 4_000)
    assert len(many.channels) == 6 and len(many.channels[0]) < 100 and "3 channels more" in draw_preview(many, "c")


def test_every_modality_fills_the_same_fields() -> None:
    assert list(MODALITIES) == ["image", "text", "series"]
    assert all(name == each.name for name, each in MODALITIES.items())
