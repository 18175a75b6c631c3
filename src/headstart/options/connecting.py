"""Options of `headstart connect`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from headstart.options.fields import HeadBase, Precision, Runtime
from headstart.options.record import Options


def _check_variable(name: str) -> str:
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) is None:
        raise ValueError("it is the name of an environment variable, not the token itself")
    return name


class ConnectKoboOptions(Options):
    """Which submissions of a form are coded, and where the codes go."""

    url: str = Field(
        "https://kf.kobotoolbox.org",
        description="Address of the KoboToolbox server, such as https://eu.kobotoolbox.org.",
    )
    asset: str = Field(description="Identifier of the form: the part of its address that begins with a.")
    token_env: Annotated[str, AfterValidator(_check_variable)] = Field(
        "KOBO_TOKEN", description="Environment variable that holds the API token (account settings, Security)."
    )
    question: str = Field(
        description="Question whose answers are coded: its name, with its groups where two have the same (group/name)."
    )
    code_question: str = Field(
        "code",
        description="Text question of the form for the code; certainty, coded_by and coded_at beside it are filled "
        "too, where the form has them.",
    )
    since: str | None = Field(None, description="Only submissions since this day, such as 2026-05-01.")
    again: bool = Field(False, description="Also code anew what a model has coded; codes of people always stay.")
    dry_run: bool = Field(False, description="Change nothing in KoboToolbox: only write the codes to -o.")
    precision: Precision = "auto"
    runtime: Runtime = "auto"
    base: HeadBase = None
