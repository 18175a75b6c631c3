"""What the model in use answered for the examples of the check: it stands beside the human reference."""

from __future__ import annotations

from collections import Counter

from headstart.csv_files import read_csv_rows
from headstart.projects import ExampleFilter, Project

PREDICTIONS = "test_predictions.csv"
_ID, _PREDICTED = 0, 2


def read_model_answers(project: Project) -> dict[int, str]:
    """Return the kind that the model in use predicts, by example of the check.

    Parameters
    ----------
    project : Project

    Returns
    -------
    dict of int to str
        Empty without a model. Examples are found by their names; names that occur twice are passed over.
    """
    model = project.get_current_model()
    path = model.folder / PREDICTIONS if model else None
    if path is None or not path.is_file():
        return {}
    with path.open(encoding="utf-8-sig", newline="") as handle:
        predicted = {row[_ID]: row[_PREDICTED] for row in read_csv_rows(handle)[1:] if len(row) > _PREDICTED}
    examples = list(project.iterate_examples(ExampleFilter(state="in", split="test")))
    names = Counter(example.name for example in examples)
    return {
        example.id: predicted[example.name]
        for example in examples
        if names[example.name] == 1 and example.name in predicted
    }
