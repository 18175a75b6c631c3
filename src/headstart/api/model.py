"""An adapted model for Python users: inputs in memory go in, answers in the same order come out."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart import bundle as bundles
from headstart import data, progress
from headstart.api.inspection import Inspection
from headstart.bundle import Bundle
from headstart.decisions import Decisions
from headstart.errors import OptionError, list_offenders, make_nothing_read
from headstart.flow.inference import answers
from headstart.flow.inference.predict_table import decide_table, open_extractors
from headstart.modalities.record import Array
from headstart.records import Index, Predictions, Probabilities
from headstart.results import Result
from headstart.task_types import TASK_TYPES

if TYPE_CHECKING:
    from headstart.bases import Backbone
    from headstart.features.extractors import Extractor
    from headstart.flow.run_records import AdaptedRun
    from headstart.report.previews import Previews


@dataclass(frozen=True, kw_only=True)
class _AnsweredRows:
    """Predictions and decisions of the rows at `places` of `n_rows`; `reasons` why the others could not be read."""

    n_rows: int
    places: Index
    predictions: Predictions
    decisions: Decisions
    reasons: dict[int, str]


def _warn_of_unread(answered: _AnsweredRows) -> None:
    """Warn where rows have no answer, with their places and the reasons."""
    unread = [f"row {row}: {reason}" for row, reason in sorted(answered.reasons.items())]
    if unread:
        warnings.warn(
            f"{len(unread)} of {answered.n_rows} inputs have no answer ({list_offenders(unread)}).", stacklevel=3
        )


class Model(Inspection):
    """An adapted model for Python users.

    Parameters
    ----------
    bundle : Bundle
    result : Result or None
        What the run found; None for a model loaded from a bundle.
    ship : (bundle, folder=) -> Bundle, or None
        Makes the portable form of a model that was fitted just now; None for a model loaded from a bundle.
    check : (folder, bundle=) -> None, or None
        Opens the files of a bundle again and compares their answers with those of the model that they come from.
    open_whole : () -> Bundle, or None
        Opens all of a bundle that was loaded in the form that answers soonest, once `bundle` is asked for.
    """

    _extractors: dict[str, Extractor] | None = None
    """What reads rows, from the first answer on: it keeps the base open as long as the model lives."""

    def __init__(
        self, bundle: Bundle, result: Result | None = None, ship: Callable[..., Bundle] | None = None,
        check: Callable[..., None] | None = None, open_whole: Callable[[], Bundle] | None = None,
    ) -> None:  # fmt: skip
        self._answering, self._open_whole = bundle, open_whole
        self._whole = bundle if open_whole is None else None
        self._run: tuple[Result | None, Previews] | None = (result, {}) if result is not None or ship else None
        self._folder: Path | None = None
        self._ship, self._check = ship, check
        self._base: Backbone | None = None

    @property
    def bundle(self) -> Bundle:
        """The model with its base, as it was adapted, where that can be; it is read when it is asked for."""
        if self._whole is None:
            assert self._open_whole is not None
            self._whole = self._open_whole()
        return self._whole

    @bundle.setter
    def bundle(self, bundle: Bundle) -> None:
        self._answering = self._whole = bundle
        self._extractors = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the columns of `predict_proba`; the name of the number for a regression."""
        return self._answering.classes

    @property
    def task(self) -> str:
        """Kind of answer: `classification`, `multi-label`, `regression` or `ordinal`."""
        return self._answering.task

    def predict_proba(self, inputs: Any) -> Probabilities:
        """Return class probabilities (n_rows, n_classes); rows sum to one, but not where a row may have several.

        Parameters
        ----------
        inputs : sequence, array, Series, DataFrame, str, Path or image
            Image paths, images of Pillow or arrays of shape (n_rows, height, width, 3), texts, or series (arrays of
            shape (time,) or (channels, time)). Of a DataFrame the columns of training are taken, else the column of
            texts or files. One text, path or image is one input; a folder, table or zip that is there is read as the
            command line reads it. Every row has its answer, in order; one that cannot be read has NaN in every column,
            and a warning counts such rows.

        Raises
        ------
        DataError
            If no input can be read, or they are of another kind.
        TypeError
            The inputs are none of these (`InputTypeError`).
        OptionError
            The model answers with a number, which has no probability.
        """
        if TASK_TYPES[self.task].is_number:
            raise OptionError(f"This model gives a number ({self.classes[0]}), no probability.", "Call predict.")
        answered = self._answer(inputs)
        _warn_of_unread(answered)
        probabilities = np.full((answered.n_rows, len(self.classes)), np.nan)
        probabilities[answered.places] = answered.predictions.probabilities
        return probabilities

    def _answer(self, inputs: Any) -> _AnsweredRows:
        """Answer what can be read, and say of every row whether it could be.

        Raises
        ------
        NothingRead
        """
        with data.remove_saved_images():
            lined_up = data.make_ordered_inputs(
                inputs, self._answering.modality, self._answering.columns, self._answering.known_input_columns
            )
            bundle, extractors = self._answering, self._extractors
            if extractors is None and len(lined_up.table):
                extractors = self._extractors = open_extractors(bundle, lined_up.table)
            predictions, decisions, failed = decide_table(bundle, lined_up.table, extractors=extractors)
        reasons = {item.id: item.reason for item in lined_up.table.set_aside}
        reasons |= {str(lined_up.table.ids[row]): reason for row, reason in failed.items()}
        order = [name for name, _ in lined_up.order]
        if len(predictions.ids) == 0:
            raise make_nothing_read([{"id": name, "reason": reasons.get(name, "it cannot be read")} for name in order])
        place_of = {name: place for place, name in enumerate(order)}
        places = np.array([place_of[str(name)] for name in predictions.ids], dtype=np.intp)
        return _AnsweredRows(
            n_rows=len(order), places=places, predictions=predictions, decisions=decisions,
            reasons={place_of[name]: reason for name, reason in reasons.items() if name in place_of},
        )  # fmt: skip

    def predict(self, inputs: Any) -> Array:
        """Return the answer for each input (n_rows,), in order.

        The most probable class by name; the middle grade; a tuple of labels, which may be empty; or a number. A row
        that cannot be read has None, or NaN for a number.

        Parameters
        ----------
        inputs : sequence, array, Series or DataFrame
            As for `predict_proba`.
        """
        answered = self._answer(inputs)
        plain = answers.to_python_values(answered.predictions)
        if answered.n_rows == len(plain):
            return plain
        _warn_of_unread(answered)
        is_number = TASK_TYPES[self.task].is_number
        whole = np.full(answered.n_rows, np.nan if is_number else None, dtype=plain.dtype if is_number else object)
        whole[answered.places] = plain
        return whole

    def answer(self, inputs: Any) -> list[dict[str, Any]]:
        """Return for each input what `headstart predict --json` gives, with the right to abstain.

        `answer` is the label, "not sure" or "none of these" (None where the row cannot be read), `set` what is likely
        enough, `reason` why.

        Parameters
        ----------
        inputs : sequence, array, Series or DataFrame
            As for `predict_proba`.
        """
        answered = self._answer(inputs)
        documents = [
            answers.make_unusable_document(self.task, answered.reasons.get(row)) for row in range(answered.n_rows)
        ]
        for place, answer in zip(
            answered.places, answers.make_answers(answered.predictions, answered.decisions), strict=True
        ):
            documents[place] = answers.make_document(answer)
        return documents

    def __getstate__(self) -> object:
        """Return what copies and joblib take along: not a base that is open, or that no answer reads."""
        return {**vars(self), "_base": None, "_extractors": None}

    def embed(self, inputs: Any) -> Array:
        """Return the embeddings of the frozen base (n_rows, n_dims), float32, from the feature cache where they are.

        A row that cannot be read has NaN in every column.

        Parameters
        ----------
        inputs : sequence, array, Series or DataFrame
            As for `predict_proba`.

        Raises
        ------
        OptionError
            The model was loaded from a bundle that holds no base.
        """
        from headstart.api.embedding import embed_inputs

        return embed_inputs(self.bundle, self._base or self.bundle.backbone, inputs)

    def save(self, folder: str | Path) -> None:
        """Write the model as a bundle, with its portable form; a bundle that is there is replaced.

        Where there can be no portable form the bundle runs with `headstart[adapt]` only, and a warning says why. A new
        model is made smaller first, where held-out rows are answered alike (weights of 16 bits, pieces of words in
        use); from then on the model in memory is the smaller one, and answers as the files do.

        Raises
        ------
        HeadstartError
            The folder holds something else, or cannot be made.
        """
        place = Path(folder)
        bundles.require_free_folder(place)
        with TemporaryDirectory(prefix="headstart-") as scratch:
            fresh = self._ship is not None and self.bundle.portable_files is None
            bundle = self._ship(self.bundle, folder=Path(scratch)) if self._ship and fresh else self.bundle
            bundles.save_bundle(bundle, place, check=partial(self._check, bundle=bundle) if self._check else None)
            if fresh and self._ship:  # Its weights are rounded: it answers as the files, and is not made smaller again.
                self.bundle = replace(bundle, portable_files=None)
                self._ship = partial(self._ship, shrunk_before=bundle.portable_config.get("weights"))
        if not bundle.portable_config["ok"]:
            reason = bundle.portable_config["reason"]
            progress.warn(f"The model in {place} runs only where headstart[adapt] is installed: {reason}.")


def load(path: str | Path, base: str | None = None) -> Model:
    """Load a bundle (or the OUT folder of `headstart adapt`) after checking every file's hash.

    Parameters
    ----------
    path : str or Path
        A bundle, the OUT folder of `headstart adapt`, or a head without its base.
    base : str or None
        Where the base model of a head lies: a name, a folder, or a bundle that holds it. None: under its own name.

    Raises
    ------
    BundleError
        If it is damaged, was changed, is of an unknown format, or is a head whose base is not on this machine.
    """
    place = Path(path)
    model = Model(
        bundles.load_bundle(place, "quickest", base), open_whole=partial(bundles.load_bundle, place, base=base)
    )
    model._folder = place
    return model


def make_model(adapted: AdaptedRun) -> Model:
    """Return the model of a run in memory; its `save` writes its portable form and compares answers.

    Parameters
    ----------
    adapted : AdaptedRun
    """
    from headstart.flow.adaptation.document import assemble_result
    from headstart.flow.adaptation.previews import make_previews
    from headstart.flow.adaptation.report_rows import gather_report_rows
    from headstart.flow.exports import portable
    from headstart.flow.exports.pruning import RunTexts
    from headstart.flow.exports.reopening import require_same_answers

    sample = portable.draw_sample(adapted.prepared, adapted.bundle.seed)
    model = Model(
        adapted.bundle,
        assemble_result(adapted, adapted.seconds),
        partial(portable.make_portable, table=sample, seen=RunTexts.of_run(adapted.prepared)),
        partial(require_same_answers, table=sample),
    )
    model._base = adapted.prepared.backbone
    if adapted.figures:  # Without test rows, as in each fit of an Adapter, there is no row to show.
        model.keep_previews(make_previews(adapted, gather_report_rows(adapted, adapted.figures.groups)))
    return model
