"""Models without a base say "none of these" too: by distances in a space of their own, in all forms alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from tests.round_trip import alike, as_files, written_by_script
from tests.tiny import BASES

from headstart import bundle as bundles
from headstart import data
from headstart.bases import write_folder
from headstart.flow.adaptation import decision_rules
from headstart.flow.adaptation.run import adapt_table
from headstart.flow.exports.portable import make_portable
from headstart.flow.forgetting.model_rows import remove_from_bundle
from headstart.flow.forgetting.person_rows import PersonRows
from headstart.flow.inference.neighbours import find_neighbours
from headstart.flow.inference.predict_table import decide_table, read_rows
from headstart.flow.run_records import AdaptedRun
from headstart.options import AdaptOptions, parse
from headstart.records import Table, make_column
from headstart.strategies.baselines.text_encoding import NgramProjection

WORDS = (("ball", "goal", "team", "match", "coach"), ("rain", "crop", "farm", "seed", "soil"), ("vote", "law", "court"))
COMMON = ("the", "of", "and", "in", "was", "here", "today")


def make_texts(n_rows: int, seed: int) -> Table:
    rng = np.random.default_rng(seed)
    codes = np.arange(n_rows) % 3
    texts = [
        " ".join(rng.permutation([*rng.choice(WORDS[code], 5), *rng.choice(COMMON, 5), f"n{number % 17}"]))
        for number, code in enumerate(codes)
    ]
    return replace(data.from_arrays(texts, None, "text"), labels=make_column([f"class {code}" for code in codes]))


OTHERS = ["мяч гол команда матч тренер", "ndi mvula yambiri lero ku munda", "zzz qqq xxx jjj kkk vvv"]


def learn(strategy: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AdaptedRun:
    """Fit one strategy whose base is too large to come along for distances alone."""
    monkeypatch.setattr(decision_rules, "SETTINGS", replace(decision_rules.SETTINGS, small_base_bytes=0))
    write_folder(BASES["text"]().parts, folder / "base")
    options = parse(
        AdaptOptions, base=f"file:{folder / 'base'}", strategy=strategy, offline=True, precision="float32", time=3600,
        audit="none",
    )  # fmt: skip
    return adapt_table(make_texts(90, 0), None, options)


def test_a_text_model_without_a_base_refuses_other_languages_in_all_forms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    adapted = learn("classic", tmp_path, monkeypatch)
    detector = adapted.bundle.decision_policy.out_of_distribution
    assert (
        detector is not None and detector.reads == "representation" and not adapted.bundle.decision_policy.not_applied
    )
    assert adapted.bundle.backbone is None and "features" not in adapted.bundle.uses
    assert adapted.bundle.reference_sample is not None and adapted.bundle.reference_sample.reads == "representation"
    ordinary = make_texts(30, 1)
    asked = data.from_arrays([*ordinary.inputs, *OTHERS], None, "text")
    made = make_portable(adapted.bundle, ordinary, tmp_path / "shipping")
    assert made.portable_files is not None and made.portable_files.config["reads"] == "representation"
    bundles.save_bundle(made, tmp_path / "bundle")
    memory = decide_table(made, asked, "float32")
    assert list(memory[1].outcomes[-3:]) == ["none_of_these"] * 3
    assert (memory[1].outcomes[:-3] == "none_of_these").mean() < 0.15
    for form in ("torch", "onnx"):
        read = bundles.load_bundle(tmp_path / "bundle", form)
        _, decided, failed = decide_table(read, asked, "float32")
        np.testing.assert_array_equal(decided.outcomes, memory[1].outcomes)
        np.testing.assert_allclose(decided.distances, memory[1].distances, atol=1e-4)
        assert failed == {} and all(find_neighbours(read, read_rows(read, ordinary)[1]))
    script_rows = written_by_script(tmp_path / "bundle", as_files(asked, tmp_path), capsys)
    alike(script_rows, memory[0], memory[1], detector.threshold)
    assert [row[-1] for row in script_rows[-3:]] == ["none_of_these"] * 3


def test_rows_that_a_text_model_remembers_can_be_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = learn("classic", tmp_path, monkeypatch).bundle
    detector = bundle.decision_policy.out_of_distribution
    assert detector is not None and bundle.seen_rows is not None
    n_learnt, n_tested = len(bundle.seen_rows.digests), len(bundle.seen_rows.test_digests)
    person = PersonRows(ids=frozenset({str(detector.ids[0])}), keys=frozenset())
    left = remove_from_bundle(bundle, person, np.zeros(n_learnt, dtype=bool), np.zeros(n_tested, dtype=bool))
    assert left.decision_policy.out_of_distribution is not None
    assert len(left.decision_policy.out_of_distribution.remembered) == len(detector.remembered) - 1


def test_a_network_from_random_weights_is_asked_by_its_final_features(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapted = learn("scratch", tmp_path, monkeypatch)
    detector = adapted.bundle.decision_policy.out_of_distribution
    assert detector is not None and detector.reads == "representation"
    assert detector.n_rows < len(adapted.prepared.train), "the threshold is that of the fold that was held out"
    ordinary = make_texts(12, 1)
    made = make_portable(adapted.bundle, ordinary, tmp_path / "shipping")
    assert made.portable_files is not None and made.portable_files.config["ok"], made.portable_files
    bundles.save_bundle(made, tmp_path / "bundle")
    memory = decide_table(made, ordinary, "float32")[1]
    light = decide_table(bundles.load_bundle(tmp_path / "bundle", "onnx"), ordinary, "float32")[1]
    np.testing.assert_allclose(light.distances, memory.distances, atol=1e-3)
    assert np.isfinite(memory.distances).all()


def test_what_lies_outside_all_directions_counts_from_the_reach_on() -> None:
    projection = NgramProjection(np.array([[1.0], [0.0]], dtype=np.float32), reach=1.0)
    inside, outside = projection.apply(csr_matrix([[1.0, 1.0], [0.0, 1.0]])).T
    np.testing.assert_allclose(inside, [1, 0])
    np.testing.assert_allclose(outside, [0, 20 * (np.sqrt(2) - 1)], rtol=1e-6)
