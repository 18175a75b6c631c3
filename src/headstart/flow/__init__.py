"""The only room that knows the whole order. Surfaces call these functions with an options record, and print.

The functions are listed here and loaded when they are first used, so that listing and checking stay quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from headstart.extras import require

if TYPE_CHECKING:
    from headstart.bundle.verification import verify_bundle as verify
    from headstart.flow.active_learning.label_next import label_next
    from headstart.flow.base_choice.choose import rank, rank_on, read_ranking_data
    from headstart.flow.base_choice.obtain import add_bases, plan_base_fetch, plan_missing_base, run_base_fetch
    from headstart.flow.base_choice.propose import propose_for
    from headstart.flow.carefulness.set_care import read_carefulness, set_care
    from headstart.flow.coding.frame_diff import diff_frames, write_touched_rows
    from headstart.flow.data_check.check import check
    from headstart.flow.exports.export import export
    from headstart.flow.external_validation.compare import compare
    from headstart.flow.external_validation.evaluate import evaluate
    from headstart.flow.inference.explain import explain
    from headstart.flow.inference.predict_files import predict, predictions
    from headstart.flow.inspection.doubtful import find_doubtful_examples
    from headstart.flow.inspection.inspect_source import inspect_source
    from headstart.flow.labelling.key_rounds import label_by_keys
    from headstart.flow.labelling.label_rounds import label
    from headstart.flow.listing import count_labels, list_bases, list_cache, run_demo
    from headstart.flow.machine.doctor import examine_machine
    from headstart.flow.projects.adapting import adapt, adapt_source
    from headstart.flow.projects.adding import add_data
    from headstart.flow.projects.splitting import assign_splits
    from headstart.flow.reporting import rewrite_report as report
    from headstart.flow.review.run_changes import compare_runs
    from headstart.flow.spans.adapt import adapt_spans
    from headstart.flow.spans.evaluate import evaluate_spans
    from headstart.flow.spans.export import export_spans
    from headstart.flow.spans.predict import format_csv as format_spans
    from headstart.flow.spans.predict import open_span_answers, predict_spans
    from headstart.flow.spans.redact import redact
    from headstart.flow.spans.sources import find_span_bundle, is_span_source, read_span_data
    from headstart.flow.vectors.embed import embed_data, embed_table
    from headstart.flow.vectors.search import search_index, write_hits
    from headstart.flow.vectors.similar import find_similar, write_groups

PLACES = {
    "add_bases": "headstart.flow.base_choice.obtain:add_bases",
    "adapt": "headstart.flow.projects.adapting:adapt",
    "adapt_source": "headstart.flow.projects.adapting:adapt_source",
    "adapt_spans": "headstart.flow.spans.adapt:adapt_spans",
    "find_doubtful_examples": "headstart.flow.inspection.doubtful:find_doubtful_examples",
    "inspect_source": "headstart.flow.inspection.inspect_source:inspect_source",
    "add_data": "headstart.flow.projects.adding:add_data",
    "assign_splits": "headstart.flow.projects.splitting:assign_splits",
    "check": "headstart.flow.data_check.check:check",
    "compare": "headstart.flow.external_validation.compare:compare",
    "compare_runs": "headstart.flow.review.run_changes:compare_runs",
    "connect_kobo": "headstart.flow.connecting.kobo:connect_kobo",
    "diff_frames": "headstart.flow.coding.frame_diff:diff_frames",
    "write_touched_rows": "headstart.flow.coding.frame_diff:write_touched_rows",
    "count_labels": "headstart.flow.listing:count_labels",
    "embed_data": "headstart.flow.vectors.embed:embed_data",
    "embed_table": "headstart.flow.vectors.embed:embed_table",
    "evaluate_spans": "headstart.flow.spans.evaluate:evaluate_spans",
    "evaluate": "headstart.flow.external_validation.evaluate:evaluate",
    "examine_machine": "headstart.flow.machine.doctor:examine_machine",
    "explain": "headstart.flow.inference.explain:explain",
    "export_spans": "headstart.flow.spans.export:export_spans",
    "export": "headstart.flow.exports.export:export",
    "find_span_bundle": "headstart.flow.spans.sources:find_span_bundle",
    "find_similar": "headstart.flow.vectors.similar:find_similar",
    "forget": "headstart.flow.forgetting.forget:forget",
    "format_spans": "headstart.flow.spans.predict:format_csv",
    "is_span_source": "headstart.flow.spans.sources:is_span_source",
    "label": "headstart.flow.labelling.label_rounds:label",
    "label_by_keys": "headstart.flow.labelling.key_rounds:label_by_keys",
    "label_next": "headstart.flow.active_learning.label_next:label_next",
    "list_bases": "headstart.flow.listing:list_bases",
    "list_cache": "headstart.flow.listing:list_cache",
    "open_span_answers": "headstart.flow.spans.predict:open_span_answers",
    "plan_base_fetch": "headstart.flow.base_choice.obtain:plan_base_fetch",
    "plan_missing_base": "headstart.flow.base_choice.obtain:plan_missing_base",
    "predict": "headstart.flow.inference.predict_files:predict",
    "predict_spans": "headstart.flow.spans.predict:predict_spans",
    "predictions": "headstart.flow.inference.predict_files:predictions",
    "propose_for": "headstart.flow.base_choice.propose:propose_for",
    "rank": "headstart.flow.base_choice.choose:rank",
    "rank_on": "headstart.flow.base_choice.choose:rank_on",
    "read_carefulness": "headstart.flow.carefulness.set_care:read_carefulness",
    "read_ranking_data": "headstart.flow.base_choice.choose:read_ranking_data",
    "read_span_data": "headstart.flow.spans.sources:read_span_data",
    "redact": "headstart.flow.spans.redact:redact",
    "report": "headstart.flow.reporting:rewrite_report",
    "run_base_fetch": "headstart.flow.base_choice.obtain:run_base_fetch",
    "run_demo": "headstart.flow.listing:run_demo",
    "set_care": "headstart.flow.carefulness.set_care:set_care",
    "search_index": "headstart.flow.vectors.search:search_index",
    "verify": "headstart.bundle.verification:verify_bundle",
    "write_groups": "headstart.flow.vectors.similar:write_groups",
    "write_hits": "headstart.flow.vectors.search:write_hits",
}
"""Function of this room -> the module that defines it and its name there."""

__all__ = [
    "PLACES", "adapt", "adapt_source", "adapt_spans", "add_bases", "add_data", "assign_splits", "check",
    "compare", "compare_runs", "connect_kobo", "count_labels", "diff_frames", "embed_data", "embed_table", "evaluate",
    "evaluate_spans", "examine_machine", "explain", "export", "export_spans", "find_doubtful_examples", "find_similar",
    "find_span_bundle", "forget", "format_spans", "inspect_source", "is_span_source", "label", "label_by_keys",
    "label_next", "list_bases", "list_cache", "open_span_answers", "plan_base_fetch", "plan_missing_base",
    "predict", "predict_spans", "predictions", "propose_for", "rank", "rank_on", "read_carefulness",
    "read_ranking_data", "read_span_data", "redact", "report", "run_base_fetch", "run_demo", "search_index",
    "set_care", "verify", "write_groups", "write_hits", "write_touched_rows",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in PLACES:
        raise AttributeError(f"module 'headstart.flow' has no attribute '{name}'")
    if name in ("adapt", "adapt_source", "adapt_spans"):
        require("adapt", "Adapting a model")
    module, function = PLACES[name].split(":")
    return getattr(import_module(module), function)


def __dir__() -> list[str]:
    return sorted(__all__)
