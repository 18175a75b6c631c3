"""Which language to write in where nobody said it: that of the system, if it is one of ours."""

from __future__ import annotations

import os
from collections.abc import Mapping
from locale import getlocale

from headstart.report.messages import LANGUAGES

_SAID_IN = ("LC_ALL", "LC_MESSAGES", "LANG")
_LONG_NAMES = {"spanish": "es", "french": "fr", "arabic": "ar", "swahili": "sw", "kiswahili": "sw"}
"""How Windows names them."""


def choose_language(requested: str, environment: Mapping[str, str] | None = None) -> str:
    """Return the code of the language to write in.

    Parameters
    ----------
    requested : str
        A code, or "auto": the language of the system if it is one of ours, else English.
    environment : mapping of str to str, optional
        Environment variables, those of the process if not given; the first of LC_ALL, LC_MESSAGES and LANG counts.

    Returns
    -------
    str
        en, fr, es, sw or ar.

    Examples
    --------
    >>> choose_language("auto", {"LANG": "sw_KE.UTF-8"}), choose_language("auto", {"LANG": "de_DE"})
    ('sw', 'en')
    """
    if requested != "auto":
        return requested
    variables = os.environ if environment is None else environment
    value = next((variables[name] for name in _SAID_IN if variables.get(name)), None)
    name = (value if value is not None or environment is not None else getlocale()[0]) or ""
    first = name.replace("-", "_").split("_")[0].split(".")[0].lower()
    code = _LONG_NAMES.get(first, first)
    return code if code in LANGUAGES else "en"
