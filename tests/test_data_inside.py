"""What leaves the house with a model is told, and rows are named by keys (see also test_flow)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from headstart.bundle.row_names import describe_row, name_rows
from headstart.flow.exports.data_inside import list_data_inside
from headstart.records import Table, make_column
from headstart.report.sentences.data_inside import describe_data_inside


def test_what_is_inside_is_told_in_words_and_old_names_are_too() -> None:
    ood_check = SimpleNamespace(ids=["patients.csv:2", "0123456789abcdef"])
    vectorizer = {"weights": {"classic": {"pieces": {"words": ["a", "b"], "characters": ["c"]}}}}
    bundle: Any = SimpleNamespace(
        seen_rows=None, reference_sample=None, decision_policy=SimpleNamespace(out_of_distribution=ood_check),
        portable_config={"n_golden": 4}, portable_model=None, classes=("x",), columns={},
        fitted=SimpleNamespace(state=lambda: SimpleNamespace(meta=vectorizer)),
    )  # fmt: skip
    counts = {item.code: item.n for item in list_data_inside(bundle, n_thumbnails=2)}
    assert counts == {"thumbnails": 2, "row-names": 1, "prepared-rows": 4, "words": 3, "features": 2, "names": 1}
    assert len(describe_data_inside(cast("dict[str, int]", counts))) == 6


def test_a_row_is_named_where_its_names_lie_and_by_a_key_elsewhere() -> None:
    table = Table(
        modality="text", ids=make_column(["a", "b"]), inputs=make_column(["x", "x"]), labels=None,
        hashes=make_column(["ab" * 32, "ab" * 32]), splits=make_column(["", ""]),
    )  # fmt: skip
    assert name_rows(table) == {"ab" * 8: "a"}
    assert describe_row("ab" * 8, {}) == "training row ababab" and describe_row("old.jpg", {}) == "old.jpg"
