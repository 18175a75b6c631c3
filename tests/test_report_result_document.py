"""docs/reference/result.md describes the whole result document, and nothing that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from headstart import results

DOCUMENT = (Path(__file__).parents[1] / "docs" / "reference" / "result.md").read_text(encoding="utf-8")
RECORDS = {
    name: kind
    for name, kind in vars(results).items()
    if isinstance(kind, type) and issubclass(kind, results.Record) and kind is not results.Record
}
SECTIONS = {
    "RowCounts": "### Rows",
    "BaseFigures": "### Base model",
    "BaseRanking": "### Which base",
    "LeftOut": "### Which base",
    "RankedBase": "### Which base",
    "StrategyResult": "### Strategies",
    "Metrics": "### Strategies",
    "ClassFigures": "### Strategies",
    "LabelFigures": "### Strategies",
    "MultiLabelMetrics": "### Strategies",
    "ObservedPredicted": "### Fit",
    "OrdinalMetrics": "### Strategies",
    "RegressionMetrics": "### Strategies",
    "Verdict": "### Verdict",
    "GroupColumn": "### Groups",
    "GroupValue": "### Groups",
    "ClassGap": "### Groups",
    "Inherited": "### Inherited",
    "AttributeProbe": "### Inherited",
    "GapOrigin": "### Inherited",
    "Counterfactual": "### Inherited",
    "FlipShare": "### Inherited",
    "Slices": "### Slices",
    "Slice": "### Slices",
    "Mitigation": "### Mitigation",
    "MitigatedFigures": "### Mitigation",
    "MitigatedCell": "### Mitigation",
    "Calibration": "### Calibration",
    "ReliabilityBin": "### Calibration",
    "Correction": "### Calibration",
    "Uncorrected": "### Calibration",
    "Conformal": "### Conformal sets",
    "Abstention": "### Abstention",
    "CostFigures": "### Abstention",
    "Miss": "### Abstention",
    "OutOfDistributionFigures": "### Abstention",
    "RiskCoverage": "### Abstention",
    "RiskPoint": "### Abstention",
    "Confusion": "### Confusion",
    "CurveFit": "### Learning curve",
    "CurveForecast": "### Learning curve",
    "CurvePoint": "### Learning curve",
    "LearningCurve": "### Learning curve",
    "WorstRow": "### Worst rows",
    "FindingRow": "### Checks",
    "LeakageGap": "### Honest score",
    "PortableForm": "### Portable form",
    "LabelError": "### Label errors",
    "Evaluation": "## What `headstart evaluate --json` prints",
    "SiteFigures": "### At another place",
    "BesideTraining": "### At another place",
    "ClassShare": "### At another place",
    "PriorShift": "### At another place",
    "Drift": "### At another place",
    "Advice": "### At another place",
    "BeforeAfter": "### Recalibration",
    "Recalibration": "### Recalibration",
    "Comparison": "## What `headstart compare --json` prints",
    "ComparedPart": "## What `headstart compare --json` prints",
    "ChangedRow": "## What `headstart compare --json` prints",
    "Result": "## The document",
    "SkippedStrategy": "## The document",
    "SetAsideRow": "## The document",
    "Figure": "# result.json",
}


def section(heading: str) -> str:
    """The text under one heading, down to the next."""
    return re.split(r"^#+ .*\n", DOCUMENT.split(f"{heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_every_field_of_a_record_is_named_in_its_section(name: str) -> None:
    text = section(SECTIONS[name])
    assert [field for field in RECORDS[name].model_fields if f"`{field}`" not in text] == []


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_every_field_of_a_record_has_a_description(name: str) -> None:
    assert [field for field, info in RECORDS[name].model_fields.items() if not info.description] == []


def test_every_row_of_the_tables_is_a_field() -> None:
    known = {field for kind in RECORDS.values() for field in kind.model_fields}
    told = {
        field for row in re.findall(r"^\| (`.*?`) \|", DOCUMENT, re.MULTILINE) for field in re.findall(r"`(\w+)`", row)
    }
    assert told <= known


def test_the_documented_format_number_is_the_one_that_is_written() -> None:
    assert f"| `format` | Number of this format. | `{results.FORMAT}` |" in DOCUMENT
    assert next(iter(results.Result.model_fields)) == "format"
