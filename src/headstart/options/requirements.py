"""What the user requires of a model (`--require`): a figure and the bound that it has to reach."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from headstart.options.fields import wrap_names

MIN_TEST_ROWS = 50
"""On fewer test rows nothing is ready, whatever is required."""


@dataclass(frozen=True, kw_only=True)
class RequirableFigure:
    """A figure that `--require` can name.

    Parameters
    ----------
    name : str
        As it is written.
    summary : str
        What it is, in a few words.
    is_share : bool
        Between 0 and 1; 95% may be written for 0.95.
    is_error : bool
        It has to be at most the bound, not at least.
    """

    name: str
    summary: str
    is_share: bool = True
    is_error: bool = False


REQUIRABLE: Mapping[str, RequirableFigure] = {
    figure.name: figure
    for figure in (
        RequirableFigure(name="answered right", summary="share of its answers that are right"),
        RequirableFigure(name="answered", summary="share of rows that get an answer"),
        RequirableFigure(name="worst class", summary="share of the weakest class (or label) that is recognised"),
        RequirableFigure(name="worst group", summary="share right in the worst group (several labels: row F1)"),
        RequirableFigure(name="kappa", summary="quadratic kappa of grades"),
        RequirableFigure(name="row f1", summary="F1 of the labels of a row"),
        RequirableFigure(name="exact", summary="share of rows with exactly the right labels"),
        RequirableFigure(name="explained", summary="share of the variance of the numbers that is explained (R²)"),
        RequirableFigure(
            name="worst group error", summary="mean error in the worst group / mean error of all rows",
            is_share=False, is_error=True,
        ),
        RequirableFigure(name="test rows", summary="number of test rows, 50 or more", is_share=False),
    )
}  # fmt: skip
"""By name."""
_REQUIREMENT = re.compile(r"\s*([a-z0-9 _-]+?)\s*(>=|<=|≥|≤)\s*([0-9]*\.?[0-9]+)\s*(%?)\s*", re.IGNORECASE)
_SIGNS = {"≥": ">=", "≤": "<="}


@dataclass(frozen=True)
class Requirement:
    """A figure, by its name in `REQUIRABLE`, and the bound that its cautious end has to reach."""

    figure: str
    bound: float


def parse_requirement(text: str) -> Requirement:
    """Read a requirement: the name of a figure, >= (of errors <=), and a number or a percentage.

    Parameters
    ----------
    text : str

    Raises
    ------
    ValueError
        It cannot be read, or the bound cannot be.

    Examples
    --------
    >>> parse_requirement("answered right>=95%")
    Requirement(figure='answered right', bound=0.95)
    >>> parse_requirement("Worst-Group-Error <= 1.2").bound
    1.2
    """
    match = _REQUIREMENT.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is not like 'answered right>=0.95'; figures: {', '.join(REQUIRABLE)}")
    name = re.sub(r"[ _-]+", " ", match[1].lower()).strip()
    figure = REQUIRABLE.get(name)
    if figure is None:
        raise ValueError(f"there is no figure '{name}'; write one of: {', '.join(REQUIRABLE)}")
    sign = "<=" if figure.is_error else ">="
    if _SIGNS.get(match[2], match[2]) != sign:
        raise ValueError(f"'{name}' takes {sign}")
    bound = float(match[3]) / (100 if match[4] else 1)
    if figure.is_share and not 0 <= bound <= 1:
        raise ValueError(f"'{name}' is a share: write a bound between 0 and 1, or a percentage")
    if name == "test rows" and (match[4] or bound < MIN_TEST_ROWS):
        raise ValueError(f"'test rows' takes a number of {MIN_TEST_ROWS} or more: fewer can never say that it is ready")
    if figure.is_error and bound <= 0:
        raise ValueError(f"'{name}' takes a bound above 0")
    return Requirement(name, bound)


def _check_requirements(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        parse_requirement(text)
    return texts


Requirements = Annotated[
    tuple[str, ...],
    BeforeValidator(wrap_names),
    AfterValidator(_check_requirements),
    Field(
        description="When the model counts as ready: a figure and its bound, such as 'answered right>=0.95' or 'worst "
        "group>=80%'; repeatable. It changes the verdict, not the model."
    ),
]
