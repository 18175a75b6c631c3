"""Bodies of requests: JSON and forms with files, within bounds, in memory; what an uploaded image may be."""

from __future__ import annotations

import asyncio
import json
import re
import unicodedata
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from headstart.data.reading.rows import make_encodable
from headstart.errors import DataError
from headstart.flow.inference.predict_memory import UnusableInput
from headstart.http.errors import RequestRefused, make_size_error
from headstart.http.json_limits import JsonSize, require_json_size
from headstart.modalities.image import estimate_decoded_bytes, read_size
from headstart.options import ServeOptions

_LONG_BODY = 1 << 20
DECODED_PER_BODY = 2.0
"""An image may take so many times the limit of a body in memory, whatever its file takes."""
_SHORT_FILES = 1 << 16
_LONG_NAME, _LONG_PATH = 120, 4_096
_ONE_LONG = asyncio.Semaphore(1)
"""Long JSON may take many times its size in memory while it is read: one at a time."""
_MAGIC = re.compile(rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|BM|II\*\x00|MM\x00\*|RIFF....WEBP", re.DOTALL)


def read_media_type(request: Request) -> str:
    """Return the media type of the body, without its parameters.

    Parameters
    ----------
    request : Request
    """
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


async def read_json(request: Request, bound: JsonSize) -> Any:
    """Read a JSON body; NaN and Infinity, which JSON does not have, are refused.

    Parameters
    ----------
    request : Request
    bound : JsonSize
        The most that the body may hold.

    Raises
    ------
    RequestRefused
        It is no JSON, nested too deeply, or holds more than `bound`.
    """
    body = await request.body()
    if len(body) < _LONG_BODY:
        return _parse_json(body, bound)
    async with _ONE_LONG:
        return await asyncio.to_thread(_parse_json, body, bound)


def _parse_json(body: bytes, bound: JsonSize) -> Any:
    require_json_size(body, bound)
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise RequestRefused(422, "The JSON is nested too deeply.", "Send lists of texts or numbers.") from error
    except UnicodeDecodeError as error:
        raise RequestRefused(422, "The JSON is not UTF-8.", "Write it as UTF-8.") from error
    except ValueError as error:
        raise RequestRefused(422, f"The body is not valid JSON ({error}).", "Correct it.") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number; a missing value is null")


class _InMemoryParser(MultiPartParser):
    """Keeps files in memory, however large: the middleware bounds the body, and nothing of it may lie on a disk."""

    spool_max_size = 1 << 62


async def read_form(request: Request, limits: ServeOptions) -> list[tuple[str, str | tuple[str, bytes]]]:
    """Read a form: pairs of field name and text, or (file name, content).

    Parameters
    ----------
    request : Request
    limits : ServeOptions

    Raises
    ------
    RequestRefused
        It is damaged, or has more files or fields than a request may have.
    """

    async def body() -> AsyncGenerator[bytes, None]:
        yield await request.body()

    most = limits.max_rows
    parser = _InMemoryParser(Headers(raw=request.headers.raw), body(), max_files=most, max_fields=most + 16)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            raise make_size_error(
                f"The request has more than {most:,} files.", "Send them in several requests."
            ) from error
        raise RequestRefused(422, f"The form cannot be read ({error.message}).", "Send multipart/form-data.") from error
    except (KeyError, ValueError, UnicodeError) as error:
        raise RequestRefused(422, "The form cannot be read.", "Send multipart/form-data with a boundary.") from error
    try:
        return [(name, await _read_part(value)) for name, value in form.multi_items()]
    finally:
        await form.close()


async def _read_part(value: str | UploadFile) -> str | tuple[str, bytes]:
    return value if isinstance(value, str) else (value.filename or "", await value.read())


async def check_images(contents: Sequence[bytes], limits: ServeOptions) -> list[bytes | UnusableInput]:
    """Check images by their first bytes and their size; long headers are read in a thread, pixels not at all.

    Parameters
    ----------
    contents : sequence of bytes
        Files.
    limits : ServeOptions
    """
    if sum(map(len, contents)) < _SHORT_FILES:
        return [check_image(content, limits) for content in contents]
    return await asyncio.to_thread(lambda: [check_image(content, limits) for content in contents])


def check_image(content: bytes, limits: ServeOptions) -> bytes | UnusableInput:
    """Check the content of one image file.

    Parameters
    ----------
    content : bytes
    limits : ServeOptions

    Examples
    --------
    >>> check_image(b"%PDF-1.7", ServeOptions())
    UnusableInput(reason='this is no PNG, JPEG, WebP, GIF, BMP or TIFF image')
    """
    if not content:
        return UnusableInput("the file is empty")
    if _MAGIC.match(content) is None:
        return UnusableInput("this is no PNG, JPEG, WebP, GIF, BMP or TIFF image")
    try:
        width, height = read_size(content)
        decoded_mb = estimate_decoded_bytes(content) / 1e6
    except DataError as error:
        return UnusableInput(error.problem)
    if width * height > limits.max_megapixels * 1e6:
        return UnusableInput(f"the image has more than {limits.max_megapixels:g} million pixels")
    most_mb = DECODED_PER_BODY * limits.max_mb
    if decoded_mb > most_mb:
        return UnusableInput(
            f"the image takes {decoded_mb:,.0f} MB once it is decoded, and {most_mb:,.0f} MB are the most; "
            "save it as a plain JPEG, or smaller"
        )
    return content


def clean_file_name(name: str, otherwise: str) -> str:
    r"""Return a name that can be shown and written: without folders and unseen characters; it is never used as a path.

    Parameters
    ----------
    name : str
    otherwise : str
        What is returned where nothing of the name is left.

    Examples
    --------
    >>> clean_file_name("..\\..\\etc/pass\x00wd", "file 1"), clean_file_name("/", "file 1")
    ('passwd', 'file 1')
    """
    last = make_encodable(name[-_LONG_PATH:]).replace("\\", "/").rpartition("/")[2]
    seen = "".join(mark for mark in last if unicodedata.category(mark)[0] != "C").strip()
    return otherwise if seen.strip(".") == "" else seen[:_LONG_NAME]
