"""What the report shows of one input: values only, so that what is kept in a file cannot become HTML."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

MOST_CHARACTERS = 2_000
"""Of a text."""


class InputPreview(BaseModel):
    """What the report shows of one input."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ImagePreview(InputPreview):
    """A thumbnail."""

    jpeg: str = Field(pattern=r"^[A-Za-z0-9+/]+={0,2}$", description="The JPEG file in base64.")
    width: int = Field(ge=1, le=1_000, description="In pixels.")
    height: int = Field(ge=1, le=1_000, description="In pixels.")


class TextPreview(InputPreview):
    """A text, or its beginning."""

    text: str = Field(max_length=MOST_CHARACTERS + 1)
    is_cut: bool = False


class SeriesPreview(InputPreview):
    """The values of a series, thinned out."""

    channels: list[list[float | None]] = Field(description="The first channels; `null`: no value.")
    n_steps: int = Field(ge=1, description="Steps of the whole series; the values are spread evenly over them.")
    n_channels: int = Field(ge=0, description="Channels of the whole series.")


class ImageWeights(InputPreview):
    """An image, and what each cell of a grid over it weighs: 1 is the heaviest, below 0 speaks against the answer."""

    image: ImagePreview
    cells: list[list[float]]


class TextWeights(InputPreview):
    """The pieces of a text in order, and what each of them weighs."""

    pieces: list[tuple[str, float]]


class SeriesWeights(InputPreview):
    """A series, and what each of its stretches of equal length weighs."""

    series: SeriesPreview
    stretches: list[float]


AnyWeights = ImageWeights | TextWeights | SeriesWeights
AnyPreview = ImagePreview | TextPreview | SeriesPreview
