"""Options of `headstart serve`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from headstart.options.fields import HeadBase, Precision, Runtime, Seconds
from headstart.options.record import Options


class ServeOptions(Options):
    """How to answer over HTTP, and the limits of a request."""

    host: str = Field("127.0.0.1", description="Address to listen on. Any but this machine's own needs a token.")
    port: int = Field(8000, ge=0, le=65_535, description="Port to listen on (0: any free port).")
    phone: bool = Field(
        False, description="Answer phones in the same Wi-Fi: makes a token and shows the address as a QR code."
    )
    token_file: Path | None = Field(
        None, description="File with the access token (default: the environment variable HEADSTART_TOKEN)."
    )
    feedback: Path | None = Field(
        None,
        description="Folder for corrections, as a table that `adapt` reads; or a project, which takes them as labels.",
    )
    kobo_hook: str | None = Field(
        None,
        description="Question whose answer is coded in submissions that a REST Service of KoboToolbox sends to "
        "/hooks/kobo.",
    )
    kobo_form: str | None = Field(
        None,
        description="Also write these codes into the form: address of the server and identifier of the form, such as "
        "https://kf.kobotoolbox.org/aSAvYreNzVEkrWg5Gdcvg. The token is read from the environment variable KOBO_TOKEN.",
    )
    window_ms: float = Field(
        5.0, ge=0.0, le=1_000.0, description="How long a request may wait for others of its batch (ms)."
    )
    max_batch: int = Field(32, ge=1, le=512, description="Largest number of rows in a batch.")
    max_queue: int = Field(512, ge=1, le=100_000, description="Rows that may wait; more are refused with 503.")
    max_rows: int = Field(256, ge=1, le=100_000, description="Rows in one request.")
    max_mb: float = Field(32.0, gt=0.0, le=2_000.0, description="Size of one request (MB).")
    max_megapixels: float = Field(50.0, gt=0.0, le=178.0, description="Size of one image (million pixels).")
    max_characters: int = Field(100_000, ge=1, le=10_000_000, description="Length of one text (characters).")
    max_numbers: int = Field(100_000, ge=1, le=10_000_000, description="Length of one series (numbers, all channels).")
    timeout: Seconds = Field(30.0, description="Time limit of a request, such as 30s.")
    precision: Precision = "auto"
    runtime: Runtime = "auto"
    base: HeadBase = None
    offline: bool = Field(False, description="Open no network connection; incoming ones are accepted.")
