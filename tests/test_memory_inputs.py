"""What Python users hold in their hands: one input or many, images, arrays, and what is none of these."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import headstart as hs
from headstart import data
from headstart.errors import DataError, InputTypeError
from headstart.modalities import image

GRADIENT = np.linspace(0, 255, 6 * 8 * 3).reshape(6, 8, 3).astype(np.uint8)


def read_pixels(path: Path) -> np.ndarray[Any, Any]:
    return np.asarray(image.load_image(path, {"size": 8, "resize": 8}))


@pytest.mark.parametrize(
    "images",
    [
        [Image.fromarray(GRADIENT)] * 2,
        np.stack([GRADIENT] * 2),
        [GRADIENT / 255.0] * 2,
        np.moveaxis(np.stack([GRADIENT] * 2), -1, 1),
    ],
    ids=["Pillow", "NHWC", "fractions", "NCHW"],
)
def test_images_in_memory_are_rows_with_their_pixels(images: Any) -> None:
    table = hs.read(images, ["a", "b"])
    assert table.modality == "image" and list(table.ids) == ["0", "1"] and not table.set_aside
    assert np.array_equal(np.asarray(Image.open(table.inputs[1])), GRADIENT)
    assert table.hashes[0] == hs.read([Image.fromarray(GRADIENT)] * 2, ["a", "b"]).hashes[0]


def test_grey_arrays_are_images_where_that_is_said() -> None:
    grey = np.stack([GRADIENT[..., 0]] * 2)
    assert hs.read(grey, ["a", "b"], modality="image").modality == "image"
    assert hs.read(grey, ["a", "b"]).modality == "series"


@pytest.mark.parametrize("odd", [np.zeros((5, 5, 7)), np.full((4, 4), 300), np.full((4, 4), np.nan), np.zeros((0, 4))])
def test_arrays_that_are_no_images_are_refused(odd: Any) -> None:
    with pytest.raises(DataError, match=r"no image|values from"):
        hs.read([odd, odd], ["a", "b"], modality="image")


def test_one_text_path_or_image_is_one_input(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\nno water\nno books\n", encoding="utf-8")
    Image.fromarray(GRADIENT).save(tmp_path / "a.png")

    def read(inputs: Any, modality: str) -> int:
        return len(data.make_ordered_inputs(inputs, modality, {"text": "text"}).table)

    assert read("no water", "text") == read("water", "text") == read(Image.fromarray(GRADIENT), "image") == 1
    assert read(tmp_path / "a.csv", "text") == read(str(tmp_path / "a.csv"), "text") == 2
    assert read(tmp_path, "image") == read(str(tmp_path / "a.png"), "image") == 1
    assert [data.make_ordered_inputs(name, "text", {}).order[0][1] for name in ("", ".")] == [None, 0]  # No folder.


def test_files_of_images_in_memory_go_with_the_block_that_needs_them() -> None:
    with data.remove_saved_images():
        path = Path(data.make_ordered_inputs(Image.fromarray(GRADIENT), "image", {}).table.inputs[0])
        assert path.is_file()
    assert not path.exists()


@pytest.mark.parametrize("odd", [None, 3, 2.5, {"text": "no water"}, b"no water", object()])
def test_what_is_no_input_is_a_type_error(odd: Any) -> None:
    with pytest.raises(TypeError, match=r"type .* cannot be read"):
        data.make_ordered_inputs(odd, "text", {})
    with pytest.raises(InputTypeError):
        hs.read(odd)
    with pytest.raises(TypeError):
        data.make_ordered_inputs([{"text": "no water"}], "text", {})
