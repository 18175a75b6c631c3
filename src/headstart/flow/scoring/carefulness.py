"""How careful a model may be: few wrong answers, or few questions to a person. Pure functions of scored rows.

A setting is the cost of asking a person, measured in worst mistakes. The settings are fixed numbers (`care_questions`),
so that looking at the test rows under each of them fits nothing to these rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headstart.decisions import Costs, DecisionPolicy
from headstart.decisions.costs import parse_costs
from headstart.evaluation.uncertainty.conformal import share_interval
from headstart.flow.scoring.settings import SETTINGS
from headstart.records import Index, Probabilities
from headstart.results import Figure
from headstart.results.carefulness import CareLevel
from headstart.task_types import TASK_TYPES


@dataclass(frozen=True, kw_only=True)
class DecidableRows:
    """Labelled rows on which decisions can be taken again.

    Parameters
    ----------
    codes : Index, shape (n_rows,)
        True classes.
    probabilities : Probabilities, shape (n_rows, n_classes)
        Calibrated.
    is_refused : array of bool, shape (n_rows,)
        Rows that are "none of these" whatever an answer costs.
    clusters : Index or None, shape (n_rows,)
        Rows with one number are resampled together.
    """

    codes: Index
    probabilities: Probabilities
    is_refused: NDArray[np.bool_]
    clusters: Index | None = None


def make_cost_matrix(policy: DecisionPolicy, classes: Sequence[str], task: str) -> tuple[tuple[float, ...], ...]:
    """Return the costs of mistakes that a model decides by, or would: of grades, one for each grade that it is off.

    Parameters
    ----------
    policy : DecisionPolicy
    classes : sequence of str
    task : str
        Classification or ordinal.

    Examples
    --------
    >>> make_cost_matrix(DecisionPolicy(), ("low", "middle", "high"), "ordinal")
    ((0.0, 1.0, 2.0), (1.0, 0.0, 1.0), (2.0, 1.0, 0.0))
    """
    if policy.costs is not None:
        return policy.costs.matrix
    if TASK_TYPES[task].is_ordered:
        places = np.arange(len(classes), dtype=np.float64)
        return tuple(tuple(row) for row in np.abs(places[:, None] - places).tolist())
    return parse_costs((), classes, 1.0, policy.reserved).matrix


def list_refer_costs(matrix: Sequence[Sequence[float]]) -> list[float]:
    """Return the cost of asking a person for each setting, the least careful first.

    Parameters
    ----------
    matrix : sequence of sequence of float
        Costs of mistakes.

    Examples
    --------
    >>> list_refer_costs(((0.0, 20.0), (1.0, 0.0)))[:3]
    [20.0, 16.0, 13.333333333333334]
    """
    worst = max(float(np.max(matrix)), 1e-9)
    return [worst / questions for questions in SETTINGS.care_questions]


def set_refer_cost(policy: DecisionPolicy, refer: float, classes: Sequence[str], task: str) -> DecisionPolicy:
    """Return a policy that asks a person wherever that costs less than the cheapest answer is expected to cost.

    Parameters
    ----------
    policy : DecisionPolicy
    refer : float
        Cost of asking a person.
    classes : sequence of str
    task : str
    """
    written = policy.costs.as_written if policy.costs is not None else ()
    return replace(policy, costs=Costs(make_cost_matrix(policy, classes, task), refer, written))


def decide_codes(policy: DecisionPolicy, rows: DecidableRows, classes: Sequence[str]) -> Index:
    """Return the class answered on each row (n_rows,), -1 where there is none, of a policy with costs.

    The same as `DecisionPolicy.decide`, without its reasons and sets: this is done for every setting of a slider.

    Parameters
    ----------
    policy : DecisionPolicy
        With costs.
    rows : DecidableRows
    classes : sequence of str
    """
    assert policy.costs is not None
    expected = policy.costs.expected_costs(rows.probabilities)
    cheapest = expected.argmin(axis=1)
    is_silent = expected[np.arange(len(expected)), cheapest] > policy.costs.refer
    return np.where(is_silent | rows.is_refused | policy.is_reserved(classes)[cheapest], -1, cheapest).astype(np.intp)


def measure_levels(
    rows: DecidableRows, policy: DecisionPolicy, classes: Sequence[str], task: str
) -> list[CareLevel]:  # fmt: skip
    """Return what every setting answers, gets wrong and leaves to a person; empty without rows and without classes.

    Parameters
    ----------
    rows : DecidableRows
        Test rows.
    policy : DecisionPolicy
    classes : sequence of str
    task : str
    """
    if not len(rows.codes) or not TASK_TYPES[task].has_one_class:
        return []
    levels = []
    for refer in list_refer_costs(make_cost_matrix(policy, classes, task)):
        careful = set_refer_cost(policy, refer, classes, task)
        levels.append(measure_level(rows, decide_codes(careful, rows, classes), careful))
    return levels


def measure_level(rows: DecidableRows, answers: Index, policy: DecisionPolicy) -> CareLevel:
    """Return what becomes of rows with the answers that a policy gives.

    Parameters
    ----------
    rows : DecidableRows
        At least one.
    answers : Index, shape (n_rows,)
        -1 where there is none.
    policy : DecisionPolicy

    Examples
    --------
    >>> rows = DecidableRows(
    ...     codes=np.array([0, 0, 1]), probabilities=np.zeros((3, 2)), is_refused=np.zeros(3, dtype=bool)
    ... )
    >>> level = measure_level(rows, np.array([0, 1, -1]), DecisionPolicy())
    >>> level.n_right, level.n_wrong, level.n_left, level.wrong_of_answered.value
    (1, 1, 1, 0.5)
    """
    is_answered, is_right = answers >= 0, answers == rows.codes
    is_wrong = is_answered & ~is_right
    right, wrong, left = (
        Figure.from_interval(share_interval(hits, rows.clusters)) for hits in (is_right, is_wrong, ~is_answered)
    )
    refer = policy.costs.refer if policy.costs is not None else 0.0
    inside = None if rows.clusters is None else rows.clusters[is_answered]
    return CareLevel(
        refer_cost=refer,
        questions_per_mistake=float(np.max(policy.costs.matrix)) / refer if policy.costs and refer else 0.0,
        wrong_of_answered=Figure.from_interval(share_interval(~is_right[is_answered], inside))
        if is_answered.any()
        else None,
        n_right=int(is_right.sum()),
        n_wrong=int(is_wrong.sum()),
        n_left=int((~is_answered).sum()),
        right=right,
        wrong=wrong,
        left=left,
    )


def choose_level(levels: Sequence[CareLevel], most_wrong: float) -> CareLevel | None:
    """Return the least careful setting of whose answers surely at most a share is wrong; None where there is none.

    Parameters
    ----------
    levels : sequence of CareLevel
        Measured on rows that were held out in training, the least careful first.
    most_wrong : float
        0 to 1.

    Notes
    -----
    Settings are tested from the most careful to the less careful, and the first that fails ends the search: then the
    error of the whole choice is that of one test (fixed-sequence testing in Learn then Test, Angelopoulos et al. 2021,
    arXiv:2110.01052). Settings with so few answers that none could pass are left out of the order, which does not look
    at what is right.
    """
    chosen = None
    for level in reversed(levels):
        if level.wrong_of_answered is None or not _can_pass(level.n_right + level.n_wrong, most_wrong):
            continue
        if level.wrong_of_answered.high > most_wrong:
            break
        chosen = level
    return chosen


def _can_pass(n_answered: int, most_wrong: float) -> bool:
    """Return whether so many answers, all right, would be enough."""
    return share_interval(np.zeros(n_answered, dtype=bool), None).high <= most_wrong
