"""Words of tables and last lines on a terminal: the results of `adapt`, what `check` noticed."""

from __future__ import annotations

from headstart.report.messages import message, translate, translate_count, translate_stored
from headstart.report.sentences.stored import translate_fact

_SEVERITIES = {"stop": message("Stop"), "warn": message("Look"), "note": message("Note")}

_ACTIONS = {
    "use": message("use"),
    "use with a person checking": message("use with a person checking"),
    "do not use": message("do not use"),
    "recalibrate": message("recalibrate"),
    "re-train": message("re-train"),
    "cannot tell": message("cannot tell"),
}
"""What an evaluation advises."""


def name_columns(metrics: tuple[str, str], is_tested: bool) -> list[str]:
    """Return the heads of the table of strategies.

    Parameters
    ----------
    metrics : (str, str)
        Names of the two figures.
    is_tested : bool
        Whether there were test rows.
    """
    figures = (
        [translate("{metric} on test rows", metric=name) for name in metrics]
        if is_tested
        else [translate("score by cross-validation, not on test rows")]
    )
    return [translate("strategy"), *figures, translate("seconds")]


def mark_chosen(name: str) -> str:
    """Return the name of the strategy that is used, marked as such.

    Parameters
    ----------
    name : str
    """
    return f"{name} ({translate('chosen')})"


def describe_not_tried(name: str, reason: str) -> str:
    """Return why a strategy was not tried.

    Parameters
    ----------
    name, reason : str
    """
    return translate("{strategy} was not tried: {reason}", strategy=name, reason=translate_fact(reason))


def describe_set_aside(n_rows: int) -> str:
    """Return how many inputs were set aside.

    Parameters
    ----------
    n_rows : int
    """
    return translate_count(
        "{n} input was set aside; the report names it.", "{n} inputs were set aside; the report names them.", n_rows
    )


def describe_places(report: str, model: str) -> str:
    """Return where report and model lie.

    Parameters
    ----------
    report, model : str
        Paths.
    """
    return translate("Report: {report}   Model: {model}", report=report, model=model)


def name_severity(severity: str) -> str:
    """Return the word before a finding.

    Parameters
    ----------
    severity : str
        "stop", "warn" or "note".
    """
    return translate_stored(_SEVERITIES[severity])


def name_advice(action: str) -> str:
    """Return what to do with a model at another place, in a word or two.

    Parameters
    ----------
    action : str
        As in the document of an evaluation.
    """
    return translate("Advice: {action}.", action=translate_stored(_ACTIONS[action]))


def summarise_findings(n_warnings: int, n_notes: int) -> str:
    """Return how much a check noticed.

    Parameters
    ----------
    n_warnings, n_notes : int
    """
    if n_warnings + n_notes == 0:
        return translate("No problems were found.")
    looked = translate_count("{n} thing to look at", "{n} things to look at", n_warnings)
    noted = translate_count("{n} note", "{n} notes", n_notes)
    return translate("In all: {looked}, {noted}.", looked=looked, noted=noted)


def describe_next(command: str) -> str:
    """Return the command that follows.

    Parameters
    ----------
    command : str
    """
    return translate("Next: {command}", command=command)
