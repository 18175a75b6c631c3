"""What a model tells of itself: report, confusion, mistakes, figures on new rows, explanations, rows to label.

The rooms that do this are imported when they are asked for: a model that only predicts opens sooner without them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from headstart import flow
from headstart.errors import InputTypeError, OptionError
from headstart.options import EvaluateOptions, ExplainOptions, LabelNextOptions, parse

if TYPE_CHECKING:
    from headstart.api.page import Page
    from headstart.bundle import Bundle
    from headstart.report.previews import Previews
    from headstart.results import Evaluation, Result

_NAMES_IN_REPR = 8


class Inspection(ABC):
    """The part of `Model` that shows and measures it."""

    _answering: Bundle
    _folder: Path | None
    """Where it was loaded from."""
    _run: tuple[Result | None, Previews] | None
    """What the run found, and what the report shows of rows; None until they are read from the folder."""

    @property
    def result(self) -> Result | None:
        """What the run found; None for a model loaded from a bundle without its run."""
        return self._read_run()[0]

    @property
    def previews(self) -> Previews:
        """Thumbnails, texts and values of rows that the report shows, by row."""
        return self._read_run()[1]

    def keep_previews(self, previews: Previews) -> None:
        """Set what the report shows of rows.

        Parameters
        ----------
        previews : Previews
            By row.
        """
        self._run = (self.result, previews)

    def _read_run(self) -> tuple[Result | None, Previews]:
        if self._run is None:
            self._run = (None, {})
            if self._folder is not None and (self._folder / "result.json").is_file():
                from headstart.flow.reporting import read_run

                self._run = read_run(self._folder)
        return self._run

    @abstractmethod
    def save(self, folder: str | Path) -> None:
        """Write the model as a bundle."""

    def __repr__(self) -> str:
        """Return the kind of answer, and the verdict where the run is known."""
        bundle, classes = self._answering, self._answering.classes
        more = f" and {len(classes) - _NAMES_IN_REPR} more" if len(classes) > _NAMES_IN_REPR else ""
        verdict = f". {self._render_verdict('en')[0]}" if self.result else ""
        return f"Model({bundle.task} of {bundle.modality}: {', '.join(classes[:_NAMES_IN_REPR])}{more}{verdict})"

    def _repr_html_(self) -> str:
        if self.result is None:
            return f"<p>{escape(repr(self))}</p>"
        from headstart.report import render_confusion

        return self._render_verdict("en")[1] + render_confusion(self.result)

    def _render_verdict(self, language: str) -> tuple[str, str]:
        from headstart.report import render_verdict

        return render_verdict(self._require_result(), language)

    def report(self, path: str | Path | None = None, language: str = "en") -> Page:
        """Return the report, which a notebook shows; with a path it is written there, too.

        Parameters
        ----------
        path : str, Path or None
            An .html file.
        language : str
            A code: en, fr, es, sw or ar.

        Raises
        ------
        OptionError
            The model was loaded from a bundle alone.
        """
        from headstart.api.page import Page
        from headstart.report import render_html

        html = render_html(self._require_result(), self.previews, language)
        page = Page(html, self._render_verdict(language)[0], is_whole=True)
        if path is not None:
            page.save(path)
        return page

    def plot_confusion(self, language: str = "en") -> Page:
        """Return the table of what was taken for what on the test rows, for a notebook.

        Parameters
        ----------
        language : str
            A code.

        Raises
        ------
        OptionError
            There is none: no test rows, a number, several labels, or a model loaded from a bundle alone.
        """
        from headstart.api.page import Page
        from headstart.report import render_confusion

        table = render_confusion(self._require_result(), language)
        if not table:
            raise OptionError(
                "There is no confusion matrix: no test rows, or rows without a single class.", "Call report()."
            )
        return Page(table, repr(self))

    def show_worst(self, n: int = 12, language: str = "en") -> Page:
        """Return the most confident mistakes on the test rows, for a notebook.

        Parameters
        ----------
        n : int
            Most rows.
        language : str
            A code.
        """
        from headstart.api.page import Page
        from headstart.report import render_mistakes

        result = self._require_result()
        lines = [f"{row.id}: {row.label}, taken for {row.predicted}" for row in result.worst[:n]]
        html = render_mistakes(result, self.previews, n, language)
        return Page(html, "\n".join(lines) or "No mistakes on the test rows.")

    def _require_result(self) -> Result:
        if self.result is None:
            raise OptionError(
                "This model was loaded from a bundle, which holds no report.", "Load the output folder of adapt."
            )
        return self.result

    def evaluate(self, data: Any, **options: Any) -> Evaluation:
        """Score the model on new labelled rows, beside what it was tested on; rows that it learnt from are left out.

        Parameters
        ----------
        data : str, Path or DataFrame
            As for `read`.
        **options
            Fields of `headstart.options.EvaluateOptions`: label, text, group, compare ...
        """
        with self._open_files(data) as (folder, paths):
            return flow.evaluate(folder, _take_one(paths), parse(EvaluateOptions, **options))

    def explain(self, inputs: Any, path: str | Path | None = None, **options: Any) -> dict[str, Any]:
        """Return what the answers rest on: the JSON document of `headstart explain`.

        Parameters
        ----------
        inputs : str, Path, DataFrame, or sequence of paths, texts or images
        path : str, Path or None
            An .html file to write.
        **options
            Fields of `headstart.options.ExplainOptions`: n ...
        """
        with self._open_files(inputs) as (folder, paths):
            return flow.explain(folder, paths, None if path is None else Path(path), parse(ExplainOptions, **options))

    def label_next(self, data: Any, path: str | Path | None = None, **options: Any) -> dict[str, Any]:
        """Return the rows whose labels would teach most: the JSON document of `headstart label-next`.

        Parameters
        ----------
        data : str, Path or DataFrame
            Rows without labels.
        path : str, Path or None
            A table to write, with an empty column for the labels.
        **options
            Fields of `headstart.options.LabelNextOptions`: n ...
        """
        out = None if path is None else Path(path)
        with self._open_files(data) as (folder, paths):
            return flow.label_next(folder, _take_one(paths), out, parse(LabelNextOptions, **options))

    @contextmanager
    def _open_files(self, inputs: Any) -> Iterator[tuple[Path, list[Path]]]:
        """Give the folder of the bundle and the paths of inputs; what is in memory is written for the time being."""
        from headstart.api.page import write_inputs
        from headstart.data import remove_saved_images

        with TemporaryDirectory(prefix="headstart-") as scratch, remove_saved_images():
            place = self._folder
            if place is None:
                place = Path(scratch) / "bundle"
                self.save(place)
            yield place, write_inputs(inputs, self._answering, Path(scratch))


def _take_one(paths: Sequence[Path]) -> Path:
    """Return the only path; of several the others would go unread."""
    if len(paths) != 1:
        raise InputTypeError(f"{len(paths)} files were given.", "Give their folder, or a table or DataFrame of them.")
    return paths[0]
