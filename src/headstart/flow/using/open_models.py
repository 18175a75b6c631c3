"""Models that stay open in this process, in the form that answers soonest: what `serve` does, for one asker."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headstart import bundle as bundles
from headstart import data
from headstart.bundle import Bundle
from headstart.bundle.integrity import MANIFEST
from headstart.data.reading.content import compose_text, hash_series, hash_text
from headstart.errors import DataError
from headstart.flow.inference.lining_up import order_inputs
from headstart.flow.inference.predict_memory import AnswerInputs, Documents, open_predictor
from headstart.flow.using.pasted_series import parse_series
from headstart.flow.using.settings import SETTINGS
from headstart.modalities.series import Series
from headstart.options import ColumnOptions, parse


@dataclass(frozen=True, kw_only=True)
class ReadInput:
    """An input as a model reads it.

    Parameters
    ----------
    name : str
    value : bytes, str or float32 array, shape (n_channels, n_steps)
        Content of an image file, text or series.
    content_hash : str
        sha256 (hex), as of the examples of a project.
    """

    name: str
    value: Any
    content_hash: str


@dataclass(frozen=True)
class OpenModel:
    """A model that is open; several threads may ask it, one after the other."""

    bundle: Bundle
    predictor: AnswerInputs
    turn: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, inputs: Sequence[ReadInput]) -> Documents:
        """Return one document an input, as `headstart predict --json` has it.

        Parameters
        ----------
        inputs : sequence of ReadInput
        """
        with self.turn:
            return self.predictor([item.value for item in inputs])

    def read_file(self, path: Path, options: ColumnOptions | None = None) -> data.OrderedInputs:
        """Read a file or folder as `headstart predict` does.

        Parameters
        ----------
        path : Path
        options : ColumnOptions, optional
            Columns that the user named.

        Raises
        ------
        HeadstartError
            It cannot be used.
        """
        return order_inputs(self.bundle, [path], options or parse(ColumnOptions), {})

    def read_image(self, path: Path, name: str) -> ReadInput:
        """Read one photo.

        Parameters
        ----------
        path : Path
        name : str
            What people call it.
        """
        content = path.read_bytes()
        return ReadInput(name=name, value=content, content_hash=hashlib.sha256(content).hexdigest())

    def read_text(self, text: str) -> ReadInput:
        """Read one text.

        Parameters
        ----------
        text : str
        """
        composed = compose_text(text)
        return ReadInput(name="", value=composed, content_hash=hash_text(composed))

    def read_series(self, path: Path) -> ReadInput:
        """Read the first series of a table.

        Parameters
        ----------
        path : Path

        Raises
        ------
        HeadstartError
            It holds no series of the model's channels.
        """
        pasted = self._read_pasted(path)
        if pasted is not None:
            return ReadInput(name="", value=pasted, content_hash=hash_series(pasted))
        table = self.read_file(path).table
        if not len(table):
            reason = table.set_aside[0].reason if table.set_aside else "it is empty"
            raise DataError(f"No series can be read ({reason}).", "Paste one number a line, or one column a channel.")
        values = table.inputs[0]
        return ReadInput(name=str(table.ids[0]), value=values, content_hash=hash_series(values))

    def _read_pasted(self, path: Path) -> Series | None:
        """Return the numbers of a small plain text; None where it is another file, or a table with names."""
        if path.suffix != ".csv" or path.stat().st_size > SETTINGS.pasted_bytes:
            return None
        text = path.read_text("utf-8-sig", errors="replace")
        return parse_series(text, int(self.bundle.input_spec.get("n_channels", 1)))


class OpenModels:
    """The models that were asked last, by folder; one that was written again is opened again."""

    def __init__(self) -> None:
        self._models: OrderedDict[tuple[Path, int], OpenModel] = OrderedDict()
        self._turn = threading.Lock()

    def get(self, folder: Path) -> OpenModel:
        """Return a model, opened and tried at the first call.

        Parameters
        ----------
        folder : Path
            A bundle, or the output folder of `adapt`.

        Raises
        ------
        HeadstartError
            It cannot be loaded.
        """
        key = _make_key(folder)
        with self._turn:
            if key not in self._models:
                bundle = bundles.load_bundle(folder, "quickest")
                self._models[key] = OpenModel(bundle, open_predictor(bundle))
            self._models.move_to_end(key)
            while len(self._models) > SETTINGS.open_models:
                self._models.popitem(last=False)
            return self._models[key]

    def is_open(self, folder: Path) -> bool:
        """Return whether a model answers at once.

        Parameters
        ----------
        folder : Path
        """
        return _make_key(folder) in self._models


def _make_key(folder: Path) -> tuple[Path, int]:
    place = bundles.find_bundle(folder)
    return place, (place / MANIFEST).stat().st_mtime_ns


READERS: Mapping[str, Callable[[OpenModel, Path, str], ReadInput]] = {
    "image": lambda model, path, name: model.read_image(path, name),
    "text": lambda model, path, name: model.read_text(path.read_text("utf-8", errors="replace")),
    "series": lambda model, path, name: model.read_series(path),
}
"""How a file with one input is read, by modality."""
