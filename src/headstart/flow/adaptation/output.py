"""The output folder of a run as it fills: a first answer early, the final one in its place, an earlier run kept aside.

At any moment the folder holds one complete bundle; what is written takes its name only when it is whole.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from headstart import progress, runs
from headstart.errors import HeadstartError
from headstart.flow.adaptation.document import assemble_result
from headstart.flow.adaptation.settings import SETTINGS
from headstart.flow.adaptation.write import describe_portable_form, write_bundle, write_first_bundle, write_result
from headstart.flow.reporting import read_result
from headstart.flow.run_records import AdaptedRun, Timings, WrittenRun
from headstart.report import choose_language, use_language
from headstart.report.sentences.terminal import (
    describe_changes,
    describe_earlier,
    describe_end,
    describe_first_answer,
    describe_kept_answer,
)
from headstart.results import Result


@dataclass(kw_only=True)
class RunOutput:
    """Writes the answers of one run.

    Parameters
    ----------
    folder : Path
        A claimed run folder.
    language : str
        Of report and news: a code, or "auto".
    began : float
        `time.monotonic()` at the start of the run.
    first : Result or None
        The first answer, once it is written.
    earlier : Path or None
        Where a finished run that lay here before was moved to.
    """

    folder: Path
    language: str
    began: float = field(default_factory=time.monotonic)
    first: Result | None = None
    earlier: Path | None = None

    def needs_first_answer(self, n_base_bytes: int, costly: Sequence[str]) -> bool:
        """Return whether the rest takes long enough for a first answer to be worth its time.

        Parameters
        ----------
        n_base_bytes : int
            Size of the base model; packing a large one takes long.
        costly : sequence of str
            Strategies that are still to be tried.
        """
        return bool(costly) or n_base_bytes > SETTINGS.small_base_bytes

    def write_first(self, run: AdaptedRun, seconds_left: float, is_searching: bool) -> None:
        """Write the model so far without its portable form, and say that it is there.

        Parameters
        ----------
        run : AdaptedRun
            Without what takes long: learning curve, checks, audit.
        seconds_left : float
            What the rest of the run is expected to take at most.
        is_searching : bool
            Whether a better model is looked for, or this one is only checked and packed.
        """
        write_first_bundle(run, self.folder, self._set_earlier_aside)
        self.first = assemble_result(run, {**run.seconds, "total": time.monotonic() - self.began}, out=str(self.folder))
        write_result(run, self.first, self.folder, self.language)
        with use_language(choose_language(self.language)):
            progress.say(describe_first_answer(self.first, self.folder / "report.html", seconds_left, is_searching))

    def write_final(self, run: AdaptedRun, timings: Timings) -> WrittenRun:
        """Write everything; what stands there of a first answer is replaced.

        Parameters
        ----------
        run : AdaptedRun
        timings : Timings
        """
        with timings.step("write"):
            graph_from = self.earlier / "bundle" if self.earlier else self.folder / "bundle"
            bundle = write_bundle(run, self.folder, graph_from, self._set_earlier_aside)
        seconds = {**timings.seconds, "total": time.monotonic() - self.began}
        result = assemble_result(run, seconds, describe_portable_form(bundle), str(self.folder))
        write_result(run, result, self.folder, self.language)
        runs.mark_finished(self.folder)
        self._report_changes(result)
        return WrittenRun(result, bundle, self.folder)

    def report_stop(self) -> None:
        """Say what a run that was stopped leaves behind."""
        with use_language(choose_language(self.language)):
            if self.first is not None:
                progress.warn(describe_kept_answer(self.first, self.folder / "report.html"))
            if self.earlier is not None:
                progress.warn(describe_earlier(self.earlier))

    def report_end(self, result: Result) -> None:
        """Say how long the run took.

        Parameters
        ----------
        result : Result
        """
        with use_language(choose_language(self.language)):
            progress.say(describe_end(result))

    def _set_earlier_aside(self) -> None:
        self.earlier = runs.set_aside_finished(self.folder) or self.earlier

    def _report_changes(self, result: Result) -> None:
        if self.earlier is None:
            return
        try:
            before = read_result(self.earlier / "result.json")
        except HeadstartError:
            return
        with use_language(choose_language(self.language)):
            for line in describe_changes(before, result, self.earlier):
                progress.say(line)
