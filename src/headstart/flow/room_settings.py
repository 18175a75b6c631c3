"""The tunable numbers of all rooms in one table: what a run and a bundle store of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headstart.bases.downloads.settings import SETTINGS as DOWNLOAD_SETTINGS
from headstart.bases.rocket import SETTINGS as ROCKET_SETTINGS
from headstart.bundle.settings import SETTINGS as BUNDLE_SETTINGS
from headstart.checks.settings import SETTINGS as CHECK_SETTINGS
from headstart.data.columns.column_rules import COLUMN_RULES
from headstart.data.grouping.settings import SETTINGS as GROUPING_SETTINGS
from headstart.data.images.image_rules import IMAGE_RULES
from headstart.data.reading.table_limits import LIMITS
from headstart.data.settings import SETTINGS as DATA_SETTINGS
from headstart.decisions.config import CONFIG as DECISION_CONFIG
from headstart.evaluation.settings import SETTINGS as EVALUATION_SETTINGS
from headstart.features.settings import SETTINGS as FEATURE_SETTINGS
from headstart.flow.active_learning.settings import SETTINGS as LABEL_NEXT_SETTINGS
from headstart.flow.adaptation.settings import SETTINGS as ADAPTATION_SETTINGS
from headstart.flow.audit.settings import SETTINGS as AUDIT_SETTINGS
from headstart.flow.base_choice.settings import SETTINGS as BASE_CHOICE_SETTINGS
from headstart.flow.exports.settings import SETTINGS as EXPORT_SETTINGS
from headstart.flow.external_validation.settings import SETTINGS as SITE_SETTINGS
from headstart.flow.labelling.settings import SETTINGS as LABELLING_SETTINGS
from headstart.flow.scoring.settings import READINESS
from headstart.flow.scoring.settings import SETTINGS as SCORING_SETTINGS
from headstart.index.settings import SETTINGS as INDEX_SETTINGS
from headstart.ladder.settings import SETTINGS as LADDER_SETTINGS
from headstart.language.settings import SETTINGS as LANGUAGE_SETTINGS
from headstart.modalities.languages import SETTINGS as TEXT_LANGUAGE_SETTINGS
from headstart.modalities.settings import SETTINGS as CONTENT_SETTINGS
from headstart.pretraining.settings import SETTINGS as PRETRAINING_SETTINGS
from headstart.ranking.settings import SETTINGS as RANKING_SETTINGS
from headstart.results import Setting
from headstart.shared_settings import SHARED_SETTINGS
from headstart.spans.settings import SETTINGS as SPAN_SETTINGS
from headstart.strategies.baselines.scratch_sizes import SETTINGS as SCRATCH_SETTINGS
from headstart.strategies.baselines.settings import CLASSIC_SERIES, CLASSIC_TEXT, QUANT
from headstart.strategies.fine_tuning.records import SETTINGS as FINE_TUNING_SETTINGS
from headstart.strategies.linear.config import LINEAR_CONFIG
from headstart.strategies.probes.config import PROBE_CONFIG
from headstart.strategies.settings import SETTINGS as STRATEGY_SETTINGS
from headstart.training.settings import SETTINGS as TRAINING_SETTINGS

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MODEL_SETTINGS: Mapping[str, DataclassInstance] = {
    "reading": LIMITS,
    "columns": COLUMN_RULES,
    "images": IMAGE_RULES,
    "data": DATA_SETTINGS,
    "decisions": DECISION_CONFIG,
    "content": CONTENT_SETTINGS,
    "linear": LINEAR_CONFIG,
    "probes": PROBE_CONFIG,
    "fine_tuning": FINE_TUNING_SETTINGS,
    "scratch": SCRATCH_SETTINGS,
    "classic_text": CLASSIC_TEXT,
    "classic_series": CLASSIC_SERIES,
    "quant": QUANT,
    "strategies": STRATEGY_SETTINGS,
    "features": FEATURE_SETTINGS,
    "rocket": ROCKET_SETTINGS,
    "training": TRAINING_SETTINGS,
    "shared": SHARED_SETTINGS,
}
"""Records that the predictions of a model rest on, by the name under which they are stored."""
RUN_SETTINGS: Mapping[str, DataclassInstance] = {
    **MODEL_SETTINGS,
    "evaluation": EVALUATION_SETTINGS,
    "grouping": GROUPING_SETTINGS,
    "languages": TEXT_LANGUAGE_SETTINGS,
    "checks": CHECK_SETTINGS,
    "ladder": LADDER_SETTINGS,
    "adaptation": ADAPTATION_SETTINGS,
    "audit": AUDIT_SETTINGS,
    "base_choice": BASE_CHOICE_SETTINGS,
    "scoring": SCORING_SETTINGS,
    "readiness": READINESS,
    "export": EXPORT_SETTINGS,
    "bundle": BUNDLE_SETTINGS,
    "ranking": RANKING_SETTINGS,
}
"""Records that the result of a run rests on."""
SETTINGS: Mapping[str, DataclassInstance] = {
    **RUN_SETTINGS,
    "site": SITE_SETTINGS,
    "label_next": LABEL_NEXT_SETTINGS,
    "labelling": LABELLING_SETTINGS,
    "language": LANGUAGE_SETTINGS,
    "pretraining": PRETRAINING_SETTINGS,
    "downloads": DOWNLOAD_SETTINGS,
    "index": INDEX_SETTINGS,
    "spans": SPAN_SETTINGS,
}
"""All records: those of other commands (`evaluate`, `label-next`, `label`, `adapt-language`, `pretrain`), of
downloads and of indexes are stored nowhere; those of spans are in the result of a run on spans."""


def collect_settings(records: Mapping[str, DataclassInstance]) -> dict[str, dict[str, Setting]]:
    """Return the numbers of records as they are stored in JSON.

    Parameters
    ----------
    records : mapping of str to record
        `MODEL_SETTINGS`, `RUN_SETTINGS` or `SETTINGS`.
    """
    return {
        name: {field.name: _as_json(getattr(record, field.name)) for field in dataclasses.fields(record)}
        for name, record in records.items()
    }


def _as_json(value: Any) -> Any:
    return [_as_json(item) for item in value] if isinstance(value, tuple) else value
