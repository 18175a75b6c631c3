"""Room: which base model suits the user's rows - candidates, their scores on features, and an order with ties.

Works on features, class codes and out-of-fold probabilities that others made; it runs no model and never imports torch.
"""

from headstart.ranking.listing import Candidate, CandidateFilter, list_candidates
from headstart.ranking.ordering import (
    MeasuredCandidate,
    Ranking,
    compute_lead,
    draw_stratified_sample,
    plan_sample_sizes,
    rank_candidates,
    select_smallest_tied,
    select_survivors,
)
from headstart.ranking.scores import compute_h_score, compute_logme, knn_accuracy
from headstart.ranking.text_base import TextBaseDecision, decide_text_base, needs_other_base
from headstart.ranking.vocabulary import VocabularyCoverage, judge_language, make_fit, measure_vocabulary_coverage

__all__ = [
    "Candidate",
    "CandidateFilter",
    "MeasuredCandidate",
    "Ranking",
    "TextBaseDecision",
    "VocabularyCoverage",
    "compute_h_score",
    "compute_lead",
    "compute_logme",
    "decide_text_base",
    "draw_stratified_sample",
    "judge_language",
    "knn_accuracy",
    "list_candidates",
    "make_fit",
    "measure_vocabulary_coverage",
    "needs_other_base",
    "plan_sample_sizes",
    "rank_candidates",
    "select_smallest_tied",
    "select_survivors",
]  # fmt: skip
