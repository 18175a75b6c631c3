"""Ranking bases: scores against independent formulas, ties and halving on made rows, candidates and their filters."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from sklearn.covariance import ledoit_wolf
from sklearn.neighbors import KNeighborsClassifier

from headstart import ranking
from headstart.bases import CATALOGUE
from headstart.ranking import Candidate, CandidateFilter, MeasuredCandidate
from headstart.ranking.scores import estimate_shrinkage
from headstart.records import Interval, make_column
from headstart.report import write_sentence


def blobs(n_rows: int, n_dims: int, apart: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = np.arange(n_rows) % 3
    centres = rng.normal(size=(3, n_dims)) * apart
    return (centres[codes] + rng.normal(size=(n_rows, n_dims))).astype(np.float32), codes


@pytest.mark.parametrize(("n_rows", "n_dims"), [(40, 6), (15, 30)])
def test_logme_is_the_highest_evidence_that_a_search_finds(n_rows: int, n_dims: int) -> None:
    features, codes = blobs(n_rows, n_dims, 0.7)
    wide = features.astype(np.float64) @ features.T.astype(np.float64)

    def negative(logs: np.ndarray, target: np.ndarray) -> float:
        alpha, beta = np.exp(np.clip(logs, -12, 12))
        return -float(multivariate_normal(np.zeros(n_rows), wide / alpha + np.eye(n_rows) / beta).logpdf(target))

    best = []
    for code in range(3):
        target = (codes == code).astype(np.float64)
        starts = [np.array([a, b]) for a in (-1.0, 2.0, 5.0) for b in (0.0, 2.0, 4.0)]
        best.append(max(-minimize(negative, start, (target,), "Nelder-Mead").fun for start in starts) / n_rows)
    assert ranking.compute_logme(features, codes) == pytest.approx(np.mean(best), abs=2e-4)


def test_logme_stays_finite_on_features_that_say_nothing_or_everything() -> None:
    codes = np.arange(20) % 2
    assert np.isfinite(ranking.compute_logme(np.zeros((20, 4), dtype=np.float32), codes))
    assert np.isfinite(ranking.compute_logme(np.eye(2, dtype=np.float32)[codes], codes))


@pytest.mark.parametrize(("n_rows", "n_dims"), [(200, 8), (30, 100)])
def test_the_shrinkage_is_ledoit_and_wolfs(n_rows: int, n_dims: int) -> None:
    features = blobs(n_rows, n_dims, 0.5)[0].astype(np.float64)
    centred = features - features.mean(axis=0)
    assert estimate_shrinkage(centred) == pytest.approx(ledoit_wolf(centred, assume_centered=True)[1], abs=1e-10)


@pytest.mark.parametrize(("n_rows", "n_dims"), [(200, 8), (30, 100)])
def test_the_h_score_is_the_trace_written_out(n_rows: int, n_dims: int) -> None:
    features, codes = blobs(n_rows, n_dims, 1.0)
    shrunk, share = ledoit_wolf(features.astype(np.float64))
    means = np.stack([features[codes == code].mean(axis=0) for code in range(3)])[codes]
    expected = (1 - share) * np.trace(np.linalg.solve(shrunk, np.cov(means.T, bias=True)))
    assert ranking.compute_h_score(features, codes) == pytest.approx(expected, rel=1e-4)


def test_the_h_score_of_gaussian_classes_nears_its_value_for_endless_rows() -> None:
    rng = np.random.default_rng(0)
    codes = np.arange(20_000) % 2
    features = rng.normal(size=(20_000, 2)) + np.stack([codes * 2.0, codes * 0.0], axis=1)
    # Means -1 and 1 around the middle: 1 between classes, 1 within, so half of the variance.
    assert ranking.compute_h_score(features.astype(np.float32), codes) == pytest.approx(0.5, abs=0.02)


def test_neighbours_agree_with_scikit_learn() -> None:
    features, codes = blobs(60, 5, 0.6)
    right = []
    for row in range(60):
        others = np.arange(60) != row
        model = KNeighborsClassifier(5, metric="cosine").fit(features[others], codes[others])
        right.append(model.predict(features[[row]])[0] == codes[row])
    assert ranking.knn_accuracy(features, codes) == pytest.approx(np.mean(right))


def test_copies_are_no_neighbours_of_each_other() -> None:
    features, _ = blobs(30, 5, 0.0)
    codes = np.random.default_rng(1).integers(0, 2, 30)
    twice, both = np.concatenate([features, features]), np.concatenate([codes, codes])
    assert ranking.knn_accuracy(twice, both, k=1) == 1.0
    kept_apart = ranking.knn_accuracy(twice, both, k=1, clusters=np.tile(np.arange(30), 2))
    assert kept_apart == ranking.knn_accuracy(features, codes, k=1)


def test_coverage_counts_unknown_tokens_and_pieces() -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = {"[UNK]": 0, "water": 1, "road": 2, "##s": 3}
    tokenizer = Tokenizer(models.WordPiece(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    found = ranking.measure_vocabulary_coverage(tokenizer.to_str(), ["water roads", "maji road"])
    assert found.unknown_share == pytest.approx(1 / 5)  # water, road, ##s, [UNK], road
    assert found.pieces_per_word == pytest.approx(5 / 4)


def measured(name: str, hits: np.ndarray, size: int = 10, turn: int = 0) -> MeasuredCandidate:
    n = len(hits)
    share = float(hits.mean())
    return MeasuredCandidate(
        candidate=Candidate(name, "given", "mit", size),
        probe=Interval(share, share, share),
        log_loss=1.0,
        logme=0.0,
        hscore=0.0,
        knn=0.0,
        seconds=1.0,
        ids=make_column([str(i) for i in range(n)]),
        gains=hits.astype(np.float64),
        clusters=np.arange(n),
        stage=turn,
    )


def test_a_lead_of_a_few_rows_is_a_tie_and_a_large_one_is_not() -> None:
    row = np.arange(100)
    found = ranking.rank_candidates(
        [measured("a", row < 80), measured("b", row < 78), measured("c", row < 50)], {}, "classification", seed=0
    )
    assert [item.candidate.reference for item in found.measured] == ["a", "b", "c"]
    assert found.ties == {"a", "b"}
    assert "tie" in write_sentence(found.to_record()) and "b" in write_sentence(found.to_record())


def test_without_a_tie_the_sentence_names_the_second() -> None:
    row = np.arange(100)
    found = ranking.rank_candidates(
        [measured("weak", row < 50), measured("strong", row < 80)], {}, "classification", seed=0
    )
    assert found.ties == frozenset() and found.taken == "strong"
    assert "strong is the best" in write_sentence(found.to_record()) and "weak (50.0%)" in write_sentence(
        found.to_record()
    )


def test_the_smaller_one_is_taken_only_if_it_ties_within_a_point() -> None:
    row = np.arange(200)
    large = measured("large", row < 160, size=100)
    near = measured("near", row < 158, size=20)
    far = measured("far", ((row >= 3) & (row < 158)) | (row == 199), size=5)
    found = ranking.rank_candidates([large, near, far], {}, "classification", seed=0)
    assert found.ties == {"large", "near", "far"}
    assert found.taken == "near" and "near is taken, because it is smaller" in write_sentence(found.to_record())
    assert [entry.taken for entry in found.to_record().ranking] == [False, True, False]


def test_a_smaller_one_that_is_less_sure_of_the_truth_is_not_taken() -> None:
    row = np.arange(200)
    large, near = measured("large", row < 160, size=100), measured("near", row < 159, size=20)
    worse = replace(near, log_loss=large.log_loss + 0.01)
    assert ranking.rank_candidates([large, near], {}, "classification", seed=0).taken == "near"
    found = ranking.rank_candidates([large, worse], {}, "classification", seed=0)
    assert (
        found.ties == {"large", "near"}
        and found.taken == "large"
        and "smaller" not in write_sentence(found.to_record())
    )


def test_a_lead_inside_one_cluster_is_chance() -> None:
    row = np.arange(100)
    best, other = measured("a", row < 80), measured("b", row < 60)
    together = np.where((row >= 60) & (row < 80), 1_000, row)
    assert not ranking.rank_candidates([best, other], {}, "classification", seed=0).ties
    dependent = replace(best, clusters=together)
    assert ranking.rank_candidates([dependent, other], {}, "classification", seed=0).ties == {"a", "b"}


def test_halving_keeps_the_better_half_and_every_tie() -> None:
    row = np.arange(100)
    clear = [measured(name, row < right) for name, right in (("a", 90), ("b", 60), ("c", 40), ("d", 20))]
    assert [item.reference for item in ranking.select_survivors(clear, 0)] == ["a", "b"]
    tied = [measured(name, row < right) for name, right in (("a", 90), ("b", 89), ("c", 89), ("d", 20))]
    assert [item.reference for item in ranking.select_survivors(tied, 0)] == ["a", "b", "c"]


def test_those_with_more_rows_stand_above_those_that_went_out() -> None:
    row = np.arange(100)
    found = ranking.rank_candidates(
        [measured("out", row < 90), measured("in", row < 80, turn=1)], {}, "classification", seed=0
    )
    assert [item.candidate.reference for item in found.measured] == ["in", "out"]
    assert not found.ties


def test_a_smaller_sample_is_a_part_of_a_larger_one_and_keeps_five_of_each_class() -> None:
    codes = np.repeat([0, 1, 2], [900, 90, 7])
    small, large = ranking.draw_stratified_sample(codes, 50, 3), ranking.draw_stratified_sample(codes, 200, 3)
    assert set(small) <= set(large)
    assert np.bincount(codes[small]).tolist() == [45, 5, 5]
    assert (ranking.draw_stratified_sample(codes, 50, 3) == small).all()


def test_with_very_many_classes_some_are_drawn_whole_and_the_smaller_draw_stays_a_part_of_the_larger() -> None:
    codes = np.arange(4_000) % 500
    small, large = ranking.draw_stratified_sample(codes, 50, 3), ranking.draw_stratified_sample(codes, 200, 3)
    assert np.unique(np.bincount(codes[small], minlength=500), return_counts=True)[1].tolist() == [490, 10]
    assert len(small) == 50 and len(large) == 200 and set(small) <= set(large)


def test_logme_of_numbers_does_not_depend_on_their_unit_and_prefers_features_that_hold_them() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 5)).astype(np.float32)
    numbers = features[:, :1] * 3 + rng.normal(size=(60, 1)).astype(np.float32)
    right = ranking.compute_logme(features, numbers)
    assert ranking.compute_logme(features, 1_000 * numbers - 7) == pytest.approx(right, abs=1e-4)
    assert ranking.compute_logme(rng.normal(size=(60, 5)).astype(np.float32), numbers) < right


def test_without_classes_the_sentence_speaks_of_error_taken_away() -> None:
    row = np.arange(100)
    first, second = measured("strong", row < 80), measured("weak", row < 50)
    found = ranking.rank_candidates([first, second], {}, "regression", seed=0)
    assert (
        "takes away 80.0% (80%-80%) of the error of always saying the average, on 100 training rows"
        in write_sentence(found.to_record())
    )


def test_what_cannot_be_computed_is_null_and_not_a_number_that_json_lacks() -> None:
    item = replace(measured("a", np.ones(1)), knn=float("nan"))
    (entry,) = ranking.rank_candidates([item], {}, "classification", 0).to_record().ranking
    assert entry.knn is None and entry.logme == 0.0
    json.dumps(entry.model_dump(mode="json"), allow_nan=False)


def test_candidates_are_filtered_by_kind_licence_and_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    models = {
        "clinic/free": ({"model_type": "bert", "vocab_size": 9}, "mit", 10),
        "clinic/closed": ({"model_type": "bert", "vocab_size": 9}, "cc-by-nc-4.0", 10),
        "clinic/silent": ({"model_type": "bert", "vocab_size": 9}, None, 10),
        "clinic/huge": ({"model_type": "bert", "vocab_size": 9}, "mit", 5_000),
        "clinic/pictures": ({"pretrained_cfg": {}, "architecture": "resnet18"}, "mit", 10),
    }
    for name, (config, licence, size) in models.items():
        snapshot = tmp_path / f"models--{name.replace('/', '--')}" / "snapshots" / ("0" * 40)
        snapshot.mkdir(parents=True)
        refs = snapshot.parents[1] / "refs"
        refs.mkdir()
        (refs / "main").write_text("0" * 40)
        (snapshot / "config.json").write_text(json.dumps(config))
        (snapshot / "tokenizer.json").write_text("{}")
        (snapshot / "model.safetensors").write_bytes(b"x" * size)
        (snapshot / "README.md").write_text(f"---\nlicense: {licence}\n---\n" if licence else "hello")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    wanted = CandidateFilter("text", max_bytes=1_000)
    monkeypatch.setitem(CATALOGUE, "all-minilm-l6-v2", replace(CATALOGUE["all-minilm-l6-v2"], size_bytes=900))
    kept, left_out = ranking.list_candidates(wanted)
    assert [item.reference for item in kept] == ["all-minilm-l6-v2", "hf:clinic/free"]
    assert set(left_out) - set(CATALOGUE) == {"hf:clinic/closed", "hf:clinic/silent", "hf:clinic/huge"}
    assert "cc-by-nc-4.0" in left_out["hf:clinic/closed"] and "unknown" in left_out["hf:clinic/silent"]
    kept, left_out = ranking.list_candidates(replace(wanted, licence="any"))
    assert set(left_out) - set(CATALOGUE) == {"hf:clinic/huge"}
    kept, left_out = ranking.list_candidates(replace(wanted, requested=("hf:clinic/closed",)))
    assert ("hf:clinic/closed", "cc-by-nc-4.0") in [(item.reference, item.licence) for item in kept]


def test_without_a_hub_cache_the_catalogue_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "nowhere"))
    assert [item.reference for item in ranking.list_candidates(CandidateFilter("image"))[0]] == ["efficientnet-lite0"]
    shutil.rmtree(tmp_path)
    assert [item.reference for item in ranking.list_candidates(CandidateFilter("series"))[0]] == [
        "series-encoder",
        "minirocket",
    ]


def test_the_room_loads_nothing_heavy() -> None:
    heavy = ("torch", "timm", "transformers", "sklearn")
    code = f"import sys, headstart.ranking; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
