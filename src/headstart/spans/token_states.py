"""Token states: what a frozen base model says of each word, kept on disk in half precision and mapped from there.

The words go to the tokenizer as words, so no offset is lost in any script. Long texts are cut into overlapping windows;
each word takes its state from the window in which it has most context. Nothing is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from headstart import progress
from headstart.bases import Backbone
from headstart.errors import OptionError
from headstart.features.activations import ActivationCache
from headstart.features.cache import round_to_half
from headstart.modalities.text import load_text
from headstart.modalities.tokenizer_files import read_tokenizer_file
from headstart.spans.records import SpanText
from headstart.spans.settings import SETTINGS

Array = NDArray[Any]
STATES_VERSION = 1
JOINED = "+"
"""Between the names of mixes whose states lie side by side."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """A piece of a text that fits the base.

    Parameters
    ----------
    ids : int64, shape (n_tokens,)
        With the special tokens of the tokenizer.
    words : int64, shape (n_tokens,)
        Number of the word in its text that each token belongs to; -1 for special tokens.
    own : (int, int)
        First word whose state is taken from here, and the one behind the last.
    """

    ids: Array
    words: Array
    own: tuple[int, int]


def open_word_tokenizer(backbone: Backbone) -> Tokenizer:
    """Return the tokenizer of a base, without truncation.

    Parameters
    ----------
    backbone : Backbone
    """
    return read_tokenizer_file(str(backbone.spec["tokenizer_file"]))


def cut_windows(words: Sequence[str], tokenizer: Tokenizer, max_length: int) -> list[Window]:
    """Return the windows of a text; together they own every word once.

    Parameters
    ----------
    words : sequence of str
    tokenizer : Tokenizer
    max_length : int
        Tokens of a window, special ones included.
    """
    if not words:
        return []
    clean = [load_text(word[: SETTINGS.most_word_characters], {}) or " " for word in words]
    encoding = tokenizer.encode(clean, is_pretokenized=True)
    ids = np.asarray(encoding.ids, dtype=np.int64)
    owners = np.array([-1 if word is None else word for word in encoding.word_ids], dtype=np.int64)
    inside = np.flatnonzero(owners >= 0)
    first, last = (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (len(ids), len(ids))
    head, tail = ids[:first], ids[last:]
    room = max(max_length - len(head) - len(tail), 1)
    windows = []
    for begin, end in _list_ranges(last - first, room):
        pieces = owners[first + begin : first + end]
        edge = np.full(len(head), -1, np.int64), np.full(len(tail), -1, np.int64)
        windows.append(
            Window(
                ids=np.concatenate([head, ids[first + begin : first + end], tail]),
                words=np.concatenate([edge[0], pieces, edge[1]]),
                own=(0, 0),
            )
        )
    return _share_words(windows, len(words))


def _list_ranges(n_pieces: int, room: int) -> list[tuple[int, int]]:
    """Return overlapping ranges of pieces, each at most `room` long; half of a window is the next one's, too."""
    if n_pieces <= room:
        return [(0, n_pieces)]
    step = max(room // 2, 1)
    return [(begin, min(begin + room, n_pieces)) for begin in range(0, n_pieces - room + step, step)]


def _share_words(windows: Sequence[Window], n_words: int) -> list[Window]:
    """Give each word to one window: borders lie in the middle of what two windows share."""
    borders = [0]
    for before, after in pairwise(windows):
        borders.append(max(int(before.words.max() + after.words[after.words >= 0].min() + 1) // 2, borders[-1]))
    borders.append(n_words)
    return [
        Window(ids=window.ids, words=window.words, own=(begin, end))
        for window, begin, end in zip(windows, borders, borders[1:], strict=False)
    ]


def list_mixes(n_layers: int) -> dict[str, tuple[int, ...]]:
    """Return the mixes of layers that are kept, each as the numbers of the layers (1: the first block).

    Parameters
    ----------
    n_layers : int

    Examples
    --------
    >>> list_mixes(12)
    {'middle': (5, 6, 7, 8), 'upper': (9, 10, 11, 12), 'last': (12,)}
    """
    third = max(n_layers // 3, 1)
    upper = tuple(range(n_layers - third + 1, n_layers + 1))
    middle = tuple(range(max(n_layers - 2 * third, 0) + 1, n_layers - third + 1)) or upper
    return {"middle": middle, "upper": upper, "last": (n_layers,)}


@dataclass(frozen=True)
class TokenStates:
    """States of texts.

    Parameters
    ----------
    rows : list of float16 arrays
        One a text, (n_words, n_mixes, n_dims), mapped from disk.
    mixes : tuple of str
        Names along the second axis.
    """

    rows: list[Array]
    mixes: tuple[str, ...]

    def take_mix(self, mix: str) -> Array:
        """Return the states of all words (n_words, n_mixes x n_dims), float16.

        Parameters
        ----------
        mix : str
            Name of a mix, or several joined by `JOINED`.
        """
        numbers = [self.mixes.index(name) for name in mix.split(JOINED)]
        return np.concatenate([row[:, numbers].reshape(len(row), -1) for row in self.rows])


class TokenEncoder:
    """A base that gives token states.

    Parameters
    ----------
    backbone : Backbone
        Of texts, a transformer.
    mixes : mapping of str to layers, optional
        By default `list_mixes`.
    """

    def __init__(self, backbone: Backbone, mixes: dict[str, tuple[int, ...]] | None = None) -> None:
        if backbone.module is None or backbone.parts.architecture["library"] != "transformers":
            raise OptionError(
                f"The base model {backbone.record.name} has no states of single words.",
                "Choose a transformer for texts, such as --base multilingual-e5-small.",
            )
        self.backbone = backbone
        module: Any = backbone.module()
        self.net: Any = module.net
        self.tokenizer = open_word_tokenizer(backbone)
        self.max_length = int(backbone.spec["max_length"])
        n_layers = int(self.net.config.num_hidden_layers)
        self.mixes = list_mixes(n_layers) if mixes is None else mixes
        self.n_dims = int(self.net.config.hidden_size)

    def cut_text(self, text: SpanText) -> list[Window]:
        """Return the windows of a text.

        Parameters
        ----------
        text : SpanText
        """
        return cut_windows(text.list_words(), self.tokenizer, self.max_length)

    def compute_states(
        self, texts: Sequence[SpanText], title: str = "Token states", *, is_kept: bool = True
    ) -> TokenStates:
        """Return the states of texts; what is in the cache is not computed again.

        Parameters
        ----------
        texts : sequence of SpanText
        title : str
            Of the progress bar.
        is_kept : bool
            Whether states go into the cache; those of texts that are only answered do not.
        """
        if not is_kept:
            return TokenStates(self._run_texts(texts), tuple(self.mixes))
        key = f"{self.backbone.fingerprint}|tokens|{sorted(self.mixes.items())}|{STATES_VERSION}"
        about = {"base": f"{self.backbone.record.name}, states of words"}
        cache = ActivationCache(hashlib.sha256(key.encode()).hexdigest(), about)
        hashes = [_hash_words(text) for text in texts]
        missing = set(cache.find_missing(hashes))
        first = {item: number for number, item in reversed(list(enumerate(hashes))) if item in missing}
        todo = sorted(first.values())
        with progress.open_bar(title, len(todo), "texts") as bar:
            waiting: list[tuple[str, Array]] = []
            n_bytes = 0
            for start in range(0, len(todo), SETTINGS.texts_at_once):
                part = todo[start : start + SETTINGS.texts_at_once]
                for number, states in zip(part, self._run_texts([texts[item] for item in part]), strict=True):
                    waiting.append((hashes[number], states))
                    n_bytes += states.nbytes
                if n_bytes > SETTINGS.shard_bytes:
                    cache.add_rows([item for item, _ in waiting], [states for _, states in waiting])
                    waiting, n_bytes = [], 0
                bar.advance(len(part))
            if waiting:
                cache.add_rows([item for item, _ in waiting], [states for _, states in waiting])
        return TokenStates(cache.read_rows(hashes), tuple(self.mixes))

    def _run_texts(self, texts: Sequence[SpanText]) -> list[Array]:
        """Run the windows of some texts in batches of similar length."""
        cut = [(number, window) for number, text in enumerate(texts) for window in self.cut_text(text)]
        states = [np.zeros((len(text.words), len(self.mixes), self.n_dims), dtype=np.float16) for text in texts]
        for batch in batch_windows([window for _, window in cut]):
            hidden = self._run_windows([cut[item][1] for item in batch])
            for row, item in enumerate(batch):
                number, window = cut[item]
                begin, end = window.own
                values = pool_words(hidden[row], window)
                states[number][begin:end] = round_to_half(values.numpy())
        return states

    def _run_windows(self, windows: Sequence[Window]) -> torch.Tensor:
        """Return the mixed states of the tokens of a batch (n_windows, n_tokens, n_mixes, n_dims)."""
        ids, mask = pad_windows(windows, int(self.backbone.spec["pad_id"]))
        with torch.inference_mode():
            layers = self.net(input_ids=ids, attention_mask=mask, output_hidden_states=True, return_dict=True)
            mixed = [
                torch.stack([layers.hidden_states[number] for number in numbers]).mean(0)
                for numbers in self.mixes.values()
            ]
            return torch.stack(mixed, dim=2)


def pool_words(states: torch.Tensor, window: Window) -> torch.Tensor:
    """Return the mean over the tokens of each word that a window owns; zeros for a word without tokens.

    Parameters
    ----------
    states : Tensor, shape (at least n_tokens, ...)
    window : Window
    """
    begin, end = window.own
    words = torch.from_numpy(window.words)
    rows = torch.nonzero((words >= begin) & (words < end)).flatten()
    places = words[rows] - begin
    total = states.new_zeros((end - begin, *states.shape[1:])).index_add(0, places, states[rows])
    counts = torch.bincount(places, minlength=end - begin).clamp(min=1).to(states.dtype)
    return total / counts.reshape(-1, *([1] * (states.ndim - 1)))


def batch_windows(windows: Sequence[Window]) -> Iterator[list[int]]:
    """Yield the numbers of windows in batches of similar length, at most `SETTINGS.batch_tokens` with their padding.

    Parameters
    ----------
    windows : sequence of Window
    """
    order = sorted(range(len(windows)), key=lambda number: len(windows[number].ids))
    batch: list[int] = []
    for number in order:
        if batch and (len(batch) + 1) * len(windows[number].ids) > SETTINGS.batch_tokens:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def pad_windows(windows: Sequence[Window], pad_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids and mask of a batch (n_windows, n_tokens), int64.

    Parameters
    ----------
    windows : sequence of Window
    pad_id : int
    """
    width = max(len(window.ids) for window in windows)
    ids = np.full((len(windows), width), pad_id, dtype=np.int64)
    mask = np.zeros((len(windows), width), dtype=np.int64)
    for row, window in enumerate(windows):
        ids[row, : len(window.ids)] = window.ids
        mask[row, : len(window.ids)] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask)


def _hash_words(text: SpanText) -> str:
    joined = "\x00".join(text.list_words())
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()
