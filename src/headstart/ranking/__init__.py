"""Room: which base model suits the user's rows - candidates, their scores on features, and an order with ties.

Works on features, class codes and out-of-fold probabilities that others made; it runs no model and never imports torch.
"""

from headstart.ranking.listing import Candidate, Wanted, candidates
from headstart.ranking.ordering import Measured, Ranking, cheapest, order, sample, sizes, survivors, why
from headstart.ranking.scores import h_score, knn_accuracy, logme
from headstart.ranking.vocabulary import Coverage, coverage

__all__ = [
    "Candidate", "Coverage", "Measured", "Ranking", "Wanted", "candidates", "cheapest", "coverage", "h_score",
    "knn_accuracy", "logme", "order", "sample", "sizes", "survivors", "why",
]  # fmt: skip
