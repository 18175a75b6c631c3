"""Errors of rooms below that people meet in Studio, so that they are translated; an unknown one is shown as it is."""

from __future__ import annotations

from headstart.report.messages import message, translate_stored

KNOWN = (
    message("There is no such project here."),
    message("Look for it on the first page."),
    message("There is nothing at this address."),
    message("Go to the first page."),
    message("The project has no name."),
    message("Give it one, such as: Maize leaves."),
    message("Stop that first."),
    message("There is no such project in the bin."),
    message("This zip holds no project."),
    message("Choose a zip that Studio exported; data is added on Examples."),
    message("This zip is damaged."),
    message("Export the project once more."),
    message("Studio is set to stay offline."),
    message("Switch that off first, where there is a connection."),
    message("This export was downloaded already."),
    message("Studio was started again meanwhile."),
    message("This is a fault in Headstart."),
    message("Try again."),
)


def translate_error(problem: str, hint: str) -> dict[str, str]:
    """Return problem and hint of an error in the language spoken, as JSON.

    Parameters
    ----------
    problem, hint : str
        In English.
    """
    return {"problem": translate_stored(problem), "hint": translate_stored(hint)}
