"""Thumbnails of examples: made once, upright, small, without anything of the file but its pixels."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from headstart import home
from headstart.studio import pictures

HASH = "ab" * 32


def _write_photo(path: Path, size: tuple[int, int] = (800, 400), orientation: int = 1) -> Path:
    image = Image.new("RGB", size, (20, 120, 40))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "the farm of a person"
    image.save(path, "JPEG", exif=exif)
    return path


def test_a_thumbnail_is_upright_small_and_holds_no_exif(tmp_path: Path) -> None:
    photo = _write_photo(tmp_path / "photo.jpg", orientation=6)
    jpeg = pictures.read_thumbnail(tmp_path / "project", HASH, photo)
    assert jpeg is not None and b"farm" not in jpeg
    with Image.open(io.BytesIO(jpeg)) as image:
        assert image.size == (160, 320) and not image.getexif()


def test_a_thumbnail_is_made_once_and_outlives_the_original(tmp_path: Path) -> None:
    photo = _write_photo(tmp_path / "photo.jpg")
    first = pictures.read_thumbnail(tmp_path / "project", HASH, photo)
    photo.unlink()
    assert pictures.read_thumbnail(tmp_path / "project", HASH, photo) == first
    assert not list((tmp_path / "project").rglob("*.partial"))


def test_a_thumbnail_cut_off_by_a_power_cut_is_made_again(tmp_path: Path) -> None:
    photo = _write_photo(tmp_path / "photo.jpg")
    whole = pictures.read_thumbnail(tmp_path / "project", HASH, photo)
    (stored,) = (tmp_path / "project").rglob("*.jpg")
    stored.write_bytes(b"")
    assert pictures.read_thumbnail(tmp_path / "project", HASH, photo) == whole == stored.read_bytes()


def test_what_is_no_image_has_no_thumbnail(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    for content in (b"", b"%PDF-1.7", _write_photo(tmp_path / "whole.jpg").read_bytes()[:200]):
        broken.write_bytes(content)
        assert pictures.read_thumbnail(tmp_path / "project", HASH, broken) is None
        assert pictures.draw_large(broken) is None


def test_a_full_disk_still_shows_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(place: Path, jpeg: bytes) -> None:
        raise OSError(next(iter(home.NO_SPACE)), "No space left on device", str(place))

    monkeypatch.setattr(pictures, "_write", refuse)
    monkeypatch.setattr(home, "_warn_not_kept", lambda folder, reason: None)
    assert pictures.read_thumbnail(tmp_path, HASH, _write_photo(tmp_path / "photo.jpg")) is not None


def test_a_large_view_is_no_larger_than_the_screen_needs(tmp_path: Path) -> None:
    jpeg = pictures.draw_large(_write_photo(tmp_path / "photo.jpg", size=(4000, 3000)))
    assert jpeg is not None
    with Image.open(io.BytesIO(jpeg)) as image:
        assert image.size == (1280, 960)
