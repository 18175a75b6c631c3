"""What `redact` says: what was taken out, how much of it was found, and that this is no guarantee."""

from __future__ import annotations

from collections.abc import Mapping

from headstart.records import Interval
from headstart.report.messages import translate


def describe_redaction(
    counts: Mapping[str, int], recall: Interval | None, n_marked_texts: int, n_overlooked: int
) -> list[str]:
    """Return the sentences, one a line.

    Parameters
    ----------
    counts : mapping of str to int
        Parts that were taken out, by kind.
    recall : Interval or None
        Share of the marked characters that were taken out.
    n_marked_texts : int
    n_overlooked : int
        Marked spans of which something can still be read.
    """
    counted = ", ".join(f"{kind} {n:,}" for kind, n in counts.items()) or translate("nothing")
    lines = [translate("Taken out: {counts}.", counts=counted)]
    if recall is None:
        lines.append(
            translate("How much was overlooked is not known: none of these texts has marked spans of these kinds.")
        )
    else:
        lines.append(
            translate(
                "On {n} marked texts {share} % of what had to go is gone (95 % interval {low} to {high}); something of "
                "{m} marked spans can still be read.",
                n=n_marked_texts,
                share=round(100 * recall.value),
                low=int(100 * recall.low),
                high=round(100 * recall.high),
                m=n_overlooked,
            )
        )
    lines.append(translate("This is no guarantee: read the texts before you pass them on."))
    return lines
