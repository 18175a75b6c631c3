"""A base for a language from raw text: reading, n-grams, what tokenizers lose, scoring, repair, training, commands."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from tests.tiny import bert, text_base
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from typer.testing import CliRunner

from headstart.bases import BaseParts, BaseRequest, assemble_backbone, load_base, write_folder
from headstart.cli.main import app
from headstart.errors import DataError, OptionError, UnknownName
from headstart.language import adaptation, card, fitness, ngram, pilots, reading, scoring, vocabulary
from headstart.language.adaptation import AdaptationRequest
from headstart.language.masked import MaskedBase, _read_head, attach_head, copy_head_arrays, open_base
from headstart.language.masked_training import (
    PARTS,
    MaskedTrainingConfig,
    draw_batches,
    mask_words,
    pair_windows,
    train_masked_net,
)
from headstart.language.settings import SETTINGS
from headstart.language.spelling import SpellingModel, measure_tokenizer_fit
from headstart.language.tokens import (
    build_corpus,
    cut_windows,
    encode_texts,
    find_special_tokens,
    join_documents,
    lay_out_rows,
    open_tokenizer,
)
from headstart.sealed_folders import hash_file

WORDS = ["moto", "ke", "thata", "go", "re", "pula", "e", "na", "kgomo", "motse", "ngwana", "rra", "tau", "letsatsi"]


FILLERS = [f"x{number}" for number in range(240)]


def sentences(n: int, seed: int = 0, words: list[str] | None = None) -> list[str]:
    """Text with something to learn: every second word follows from the one before it."""
    rng = np.random.default_rng(seed)
    known = words or WORDS
    made = []
    for _ in range(n):
        first = rng.integers(0, len(known), 6)
        made.append(" ".join(f"{known[at]} {known[(at + 3) % len(known)]}" for at in first.tolist()) + ".")
    return list(dict.fromkeys(made))


def letter_parts() -> BaseParts:
    """A tiny BERT that reads lower-case letters without accents, as English bases do, and can hide pieces."""
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [*"abcdefghijklmnopqrstuvwxyz.,", *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")]
    vocab = {piece: number for number, piece in enumerate([*specials, *letters, "moto", "ke", "##la", *FILLERS])}
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(specials)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return bert("tiny-letters", tokenizer, n_layers=2, n_places=48, max_length=64)


@pytest.fixture(scope="module")
def letters() -> MaskedBase:
    return MaskedBase(assemble_backbone(letter_parts()), None)


@pytest.fixture(scope="module")
def letters_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base") / "letters"
    write_folder(letter_parts(), folder)
    return folder


def raw_of(texts: list[str]) -> reading.RawText:
    return reading.RawText(tuple(texts), len(texts), 0, "here")


def test_text_files_part_at_empty_lines_and_tables_at_rows(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one line\nof two\n\nanother\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("first\nsecond\n", encoding="utf-8")
    with (tmp_path / "c.csv").open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([["text", "x"], ["a row,\nwith a line", "1"], ["None", "2"]])
    found = reading.read_raw_text([tmp_path])
    assert found.documents == ("one line\nof two", "another", "first", "second", "a row,\nwith a line", "None")


def test_repeats_that_differ_in_case_or_spaces_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Dumela  rra\ndumela rra\nsharp\n", encoding="utf-8")
    found = reading.read_raw_text([tmp_path / "a.txt"])
    assert found.documents == ("Dumela  rra", "sharp")
    assert found.n_repeated == 1


def test_a_longer_line_that_stands_in_an_earlier_document_goes(tmp_path: Path) -> None:
    footer = "All rights reserved by the publisher."
    (tmp_path / "a.txt").write_text(f"one\n{footer}\n\ntwo\n{footer}\n", encoding="utf-8")
    assert reading.read_raw_text([tmp_path / "a.txt"]).documents == (f"one\n{footer}", "two")


def test_an_overlong_document_is_cut_at_a_space(tmp_path: Path) -> None:
    words = [f"word{number}" for number in range(3_000)]
    (tmp_path / "a.txt").write_text(" ".join(words), encoding="utf-8")
    found = reading.read_raw_text([tmp_path / "a.txt"]).documents
    assert max(map(len, found)) <= SETTINGS.shortest_cut  # one line alone: so many that some can be held out
    assert " ".join(found).split() == words
    many = [f"{number} " + "so long " * 700 for number in range(60)]
    (tmp_path / "a.txt").write_text("\n".join(many), encoding="utf-8")
    assert 5_000 > max(map(len, reading.read_raw_text([tmp_path / "a.txt"]).documents)) > 4_900


def test_what_one_huge_line_repeats_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("abcdefghij" * 20_000, encoding="utf-8")
    found = reading.read_raw_text([tmp_path / "a.txt"])
    assert len(found.documents) == 1 and found.n_repeated > 100


def test_a_document_whose_other_lines_stand_earlier_keeps_its_new_line(tmp_path: Path) -> None:
    footer, new = "All rights reserved by the publisher.", "This sentence stands nowhere else in the text."
    (tmp_path / "a.txt").write_text(f"one\n{footer}\n\n{new}\n{footer}\n", encoding="utf-8")
    assert reading.read_raw_text([tmp_path / "a.txt"]).documents == (f"one\n{footer}", new)


def test_a_poem_of_short_lines_counts_once(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("pula\ne a na\n\n" * 5, encoding="utf-8")
    found = reading.read_raw_text([tmp_path / "a.txt"])
    assert found.documents == ("pula\ne a na",) and found.n_repeated == 4


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(np.random.default_rng(0).bytes(40_000))
    with pytest.raises(DataError, match="has no text"):
        reading.read_raw_text([tmp_path / "a.txt"])


def test_a_column_is_refused_where_there_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello", encoding="utf-8")
    with pytest.raises(OptionError, match="no table"):
        reading.read_raw_text([tmp_path / "a.txt"], "text")


def test_the_split_does_not_depend_on_the_order_and_parts_share_nothing() -> None:
    texts = sentences(200)
    one, other = reading.split_documents(raw_of(texts), 0), reading.split_documents(raw_of(texts[::-1]), 0)
    assert set(one.held) == set(other.held) and set(one.dev) == set(other.dev)
    assert not set(one.held) & set(one.train) and not set(one.dev) & set(one.train)
    assert set(reading.split_documents(raw_of(texts), 1).held) != set(one.held)
    assert 0.08 < sum(map(len, one.held)) / sum(map(len, texts)) < 0.12


@pytest.mark.parametrize("content", ["", "   \n \n"])
def test_an_empty_file_is_a_clear_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.txt").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="no text in it"):
        reading.read_raw_text([tmp_path / "a.txt"])


def test_too_little_text_says_how_much_is_needed() -> None:
    with pytest.raises(DataError, match="5 characters in 1 documents") as error:
        reading.require_enough_text(raw_of(["hello"]))
    assert "20,000 characters" in error.value.hint
    with pytest.raises(DataError, match="1 documents \\(7 repeated ones were left out\\) are too few"):
        reading.require_enough_text(reading.RawText(("hello",), 8, 7, "here"))


def test_too_little_text_is_refused_before_anything_heavy_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello\n", encoding="utf-8")
    code = (
        "import sys\nfrom headstart.cli.main import run\ntry:\n    run()\nfinally:\n"
        "    assert not {'torch', 'transformers'} & set(sys.modules)\n"
    )
    command = [sys.executable, "-c", code, "adapt-language", str(tmp_path / "a.txt"), "-o", str(tmp_path / "new")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and "too few" in done.stderr and "Traceback" not in done.stderr


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("body,x\nhello,1\nyou,2\n", encoding="utf-8")
    with pytest.raises(UnknownName, match="bodi"):
        reading.read_raw_text([tmp_path / "a.csv"], "bodi")
    found = reading.read_raw_text([tmp_path / "a.csv"], "body")
    assert found.documents == ("hello", "you") and found.source == "a.csv (column body)"


@pytest.mark.parametrize("order", [2, 3, 5])
@pytest.mark.parametrize("context", ["", "a", "ban", "zz"])
def test_probabilities_of_the_next_character_sum_to_one(order: int, context: str) -> None:
    model = ngram.fit_character_model(["abracadabra", "banana band", "cab"], order)
    base = ngram.compute_bits(model, [context])[0] if context else 0.0
    costs = [ngram.compute_bits(model, [context + mark])[0] - base for mark in [*model.alphabet, "\uffff"]]
    costs[-1] -= SETTINGS.unseen_character_bits
    assert sum(2.0**-cost for cost in costs) == pytest.approx(1.0, abs=1e-9)


def test_longer_grams_know_more_and_unseen_letters_cost_most() -> None:
    train, held = sentences(300), sentences(30, seed=9)
    model = ngram.fit_character_model(train, 6)
    figures = [ngram.compute_bits(ngram.shorten_order(model, order), held).sum() for order in (1, 2, 4, 6)]
    assert figures == sorted(figures, reverse=True)
    assert ngram.compute_bits(model, ["ሰላም"])[0] > 3 * SETTINGS.unseen_character_bits


def test_a_tokenizer_that_drops_accents_is_charged_for_them() -> None:
    parts = letter_parts()
    tokenizer = open_tokenizer(parts.tokenizer)
    marks = find_special_tokens(tokenizer, 0)
    plain, accented = ["moto ke pula"] * 40, ["mọto ké pula", "moto ke pula"] * 20

    def lost(texts: list[str]) -> float:
        spelling = SpellingModel(tokenizer, marks.unknown).fit(texts, encode_texts(tokenizer, texts))
        return sum(
            spelling.compute_bits(text, one) for text, one in zip(texts, encode_texts(tokenizer, texts), strict=True)
        )

    assert lost(accented) > lost(plain) + 40  # two letters of each second text are a coin each
    found = measure_tokenizer_fit(accented, encode_texts(tokenizer, accented), tokenizer, marks.unknown)
    assert found.changed_character_share == pytest.approx(40 / (20 * 10 * 2))
    assert found.unknown_character_share == 0.0


def test_unknown_words_are_spelled_letter_by_letter() -> None:
    parts = letter_parts()
    tokenizer = open_tokenizer(parts.tokenizer)
    marks = find_special_tokens(tokenizer, 0)
    texts = ["ሰላም ለዓለም", "moto ke"]
    spelling = SpellingModel(tokenizer, marks.unknown).fit(texts * 20, encode_texts(tokenizer, texts * 20))
    costs = [spelling.compute_bits(text, one) for text, one in zip(texts, encode_texts(tokenizer, texts), strict=True)]
    assert costs[0] > 20 > 2 > costs[1]
    found = measure_tokenizer_fit(texts, encode_texts(tokenizer, texts), tokenizer, marks.unknown)
    assert found.unknown_character_share == pytest.approx(7 / 13)
    assert "cannot see 54% of your characters" in fitness.describe_fit(found)


def test_windows_hold_every_piece_once_and_begin_at_words() -> None:
    tokenizer = open_tokenizer(letter_parts().tokenizer)
    found = build_corpus(tokenizer, sentences(20))
    cut = cut_windows(found, 10)
    assert np.concatenate([np.arange(start, end) for start, end, _ in cut]).tolist() == list(range(len(found.ids)))
    assert (cut[:, 1] - cut[:, 0]).max() <= 10
    assert found.begins[cut[:, 0]].mean() > 0.95


def _bench(opened_base: MaskedBase, texts: list[str]) -> pilots.TokenizerBench:
    return pilots.TokenizerBench(opened_base.parts, reading.split_documents(raw_of(texts), 0), 0, 10**9)


def test_a_net_that_knows_nothing_costs_what_its_vocabulary_says(letters: MaskedBase) -> None:
    texts = ["moto ke pula"] * 8
    bench = _bench(letters, texts)
    net = bench.build_net(None)
    for value in net.head.parameters():
        value.data.zero_()
    found = bench.measure(net, texts, 10**6)
    each = np.log2(bench.n_vocabulary)
    n_pieces = len(encode_texts(bench.tokenizer, texts)[0].ids)
    assert found.bits - found.lost_bits == pytest.approx([n_pieces * each] * 8, rel=1e-2)


def test_the_later_pieces_of_a_word_are_hidden_while_it_is_guessed(letters: MaskedBase) -> None:
    tokenizer = open_tokenizer(letters.parts.tokenizer)
    marks = find_special_tokens(tokenizer, 0)
    found = join_documents(encode_texts(tokenizer, ["tau"]))
    laid = lay_out_rows(found, cut_windows(found, 100), marks)
    seen: list[list[int]] = []

    class Spy(torch.nn.Module):
        def encode(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            seen.append(ids[0].tolist())
            return torch.zeros(*ids.shape, 4)

        def score_tokens(self, hidden: torch.Tensor) -> torch.Tensor:
            return torch.zeros(len(hidden), 60)

    scoring._predict_hidden_words(Spy(), marks, laid, laid.word_index >= 0)  # type: ignore[arg-type]
    t, a = found.ids[:2].tolist()
    m = marks.mask
    assert seen == [[2, m, m, m, 3], [2, t, m, m, 3], [2, t, a, m, 3]]


def test_intervals_hold_their_point_and_change_is_paired() -> None:
    rng = np.random.default_rng(0)
    characters = rng.uniform(20, 80, 60)
    old = characters * rng.uniform(2, 3, 60)
    found = scoring.compute_change(0.8 * old, old, characters, 0)
    assert found.value == pytest.approx(-0.2) and found.low == pytest.approx(-0.2, abs=1e-5)
    figure = scoring.compute_bits_per_character(old, characters, 0)
    assert figure.low < figure.value < figure.high


def test_sure_and_right_guesses_are_calibrated_and_sure_wrong_ones_are_not() -> None:
    sure, document = np.full(400, 0.75), np.arange(400) // 4
    right = np.arange(400) % 4 != 0
    assert scoring.measure_calibration(
        scoring.MaskedPredictions(sure, right, document), 0
    ).error.value == pytest.approx(0.0)
    wrong = scoring.measure_calibration(scoring.MaskedPredictions(sure, ~right, document), 0)
    assert wrong.error.value == pytest.approx(0.5) and wrong.error.low <= 0.5 <= wrong.error.high


def test_a_new_vocabulary_keeps_accents_marks_and_case_folding_and_is_the_same_each_time() -> None:
    parts = letter_parts()
    texts = sentences(200, words=[*WORDS, "mọ́tò", "ሰላም"])
    made = vocabulary.learn_tokenizer(parts.tokenizer, texts, 200)
    assert made == vocabulary.learn_tokenizer(parts.tokenizer, texts, 200)
    tokenizer = open_tokenizer(made)
    marks = find_special_tokens(tokenizer, 0)
    assert tokenizer.encode("Kgomo mọ́tò").tokens == ["[CLS]", "kgomo", "mọ́tò", "[SEP]"]
    assert (
        measure_tokenizer_fit(texts, encode_texts(tokenizer, texts), tokenizer, marks.unknown).unknown_token_share
        == 0.0
    )
    assert tokenizer.get_vocab_size() <= 200


def test_embeddings_of_shared_pieces_stay_and_the_repaired_base_runs() -> None:
    parts = letter_parts()
    made = vocabulary.repair_tokenizer(parts, sentences(200), 120, 0)
    name = vocabulary.find_embedding_name(parts)
    old, new = open_tokenizer(parts.tokenizer).get_vocab(), open_tokenizer(made.parts.tokenizer).get_vocab()
    for piece in ("[MASK]", "moto", "##a"):
        assert np.array_equal(made.parts.weights[name][new[piece]], parts.weights[name][old[piece]])
    assert made.n_kept + made.n_spelled <= made.n_vocabulary <= 120
    features = assemble_backbone(made.parts).module()(torch.tensor([[2, 7, 3]]), torch.ones(1, 3, dtype=torch.int64))[
        -1
    ]
    assert features.shape == (1, 32) and bool(features.isfinite().all())


def test_a_base_without_a_mask_is_refused() -> None:
    with pytest.raises(OptionError, match="mask token"):
        find_special_tokens(open_tokenizer(text_base().parts.tokenizer), 0)


def test_hidden_pieces_are_whole_words_from_some_piece_on(letters: MaskedBase) -> None:
    tokenizer = open_tokenizer(letters.parts.tokenizer)
    marks = find_special_tokens(tokenizer, 0)
    found = build_corpus(tokenizer, sentences(40))
    laid = lay_out_rows(found, cut_windows(found, 40), marks)
    shown, asked = mask_words(laid, marks, 60, np.random.default_rng(0))
    assert 0.05 < asked[laid.word_index >= 0].mean() < 0.3
    assert not asked[laid.word_index < 0].any() and np.array_equal(shown[~asked], laid.ids[~asked])
    for row in range(len(asked)):
        for word in range(laid.word_index[row].max() + 1):
            inside = asked[row][laid.word_index[row] == word]
            assert np.array_equal(inside, np.sort(inside))  # nothing behind a hidden piece is shown


def test_training_lowers_bits_and_is_repeatable(letters: MaskedBase) -> None:
    bench = _bench(letters, sentences(150))
    dev = sentences(20, seed=5)
    figures = []
    for _ in range(2):
        net = bench.build_net(None)
        net.head.bias.data.zero_()  # it has to find out how often each piece occurs
        before = bench.compute_bits_per_character(net, dev, 10**6)
        train_masked_net(
            net,
            bench.corpus,
            bench.special_tokens,
            MaskedTrainingConfig(part="all", seconds=1e6, steps=40, n_tokens=512, learning_rate=1e-2),
        )
        figures.append(bench.compute_bits_per_character(net, dev, 10**6))
        assert figures[-1] < 0.9 * before
    assert figures[0] == figures[1]


@pytest.mark.parametrize("part", PARTS)
def test_only_what_should_learn_learns(letters: MaskedBase, part: str) -> None:
    bench = _bench(letters, sentences(60))
    net = bench.build_net(None)
    before = {name: value.detach().clone() for name, value in net.named_parameters()}
    train_masked_net(net, bench.corpus, bench.special_tokens, MaskedTrainingConfig(part=part, seconds=1e6, steps=2))
    moved = {name for name, value in net.named_parameters() if not torch.equal(value, before[name])}
    wanted = {
        "head": lambda name: name.startswith("head."),
        "embeddings": lambda name: name.startswith(("head.", "encoder.embeddings.word")),
        "upper": lambda name: name.startswith(("head.", "encoder.encoder.layer.1.")),
        "all": lambda name: "pooler" not in name,
        "lora": lambda name: name.startswith(("head.", "encoder.embeddings.word")) or ".attention.self." in name,
    }[part]
    assert set(before) == {name for name, _ in net.named_parameters()}  # thin matrices are merged
    assert part != "lora" or any(name.endswith("query.weight") for name in moved)
    assert moved and all(wanted(name) for name in moved)
    assert {name.partition(".")[0] for name in moved} == {"head"} if part == "head" else "head.bias" in moved


def test_a_stopped_training_goes_on_bit_for_bit(
    letters: MaskedBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = _bench(letters, sentences(200))
    monkeypatch.setattr("headstart.language.masked_training.CHECKPOINT_SECONDS", 0.0)
    course = MaskedTrainingConfig(part="all", seconds=1e6, steps=8)
    whole = bench.build_net(None)
    train_masked_net(whole, bench.corpus, bench.special_tokens, course)
    calls = 0

    def stop() -> float:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KeyboardInterrupt
        return -float(calls)

    cut = replace(course, n_evaluations=8)
    with pytest.raises(KeyboardInterrupt):
        train_masked_net(
            bench.build_net(None),
            bench.corpus,
            bench.special_tokens,
            config=cut,
            evaluate=stop,
            checkpoint=tmp_path / "kept.safetensors",
        )
    resumed = bench.build_net(None)
    done = train_masked_net(
        resumed, bench.corpus, bench.special_tokens, config=cut, evaluate=stop, checkpoint=tmp_path / "kept.safetensors"
    )
    assert done.steps == 8
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))


def test_batches_hold_every_window_once_an_epoch(letters: MaskedBase) -> None:
    bench = _bench(letters, sentences(80))
    couples = pair_windows(bench.corpus, bench.special_tokens)
    feed = draw_batches(
        couples, MaskedTrainingConfig(part="all", seconds=1.0, n_tokens=256), bench.special_tokens.n_around
    )
    seen: set[int] = set()
    count = 0
    while len(seen) < len(couples):
        some = next(feed)
        count += len(some)
        seen |= {int(start) for start in some[:, 0, 0]}
    assert count == len(couples)


@pytest.fixture(scope="module")
def adapted(letters_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    folder = tmp_path_factory.mktemp("language")
    text = folder / "raw.txt"
    text.write_text("\n".join(sentences(400, words=[*WORDS, "mọ́tò", "ሰላም", "ዓለም"])), encoding="utf-8")
    run = CliRunner().invoke(
        app,
        ["adapt-language", str(text), "--base", f"file:{letters_folder}", "-o", str(folder / "new"), "--time", "8s",
         "--offline", "--json"],
    )  # fmt: skip
    assert run.exit_code == 0, run.output
    return folder, json.loads(run.stdout)


def test_the_new_base_costs_fewer_bits_and_its_card_says_so(adapted: tuple[Path, dict[str, object]]) -> None:
    folder, said = adapted
    bits = said["bits_per_character"]
    assert isinstance(bits, dict)
    assert bits["adapted"]["value"] < bits["base"]["value"]
    assert all(found["low"] <= found["value"] <= found["high"] for found in bits.values())
    text = (folder / "new" / card.CARD_FILE).read_text("utf-8")
    assert f"{bits['adapted']['value']:.3f}" in text and "From nothing" in text
    assert json.loads((folder / "new" / card.MARKER_FILE).read_text("utf-8"))["sentence"] == said["sentence"]
    words = said["words"]
    assert isinstance(words, dict) and words["sha256"] == hash_file(folder / "new" / "words.safetensors")
    assert words["sha256"] in text and f"{words['n_texts']:,} texts" in text
    assert len(load_base(f"file:{folder / 'new'}", BaseRequest(modality="text", offline=True)).parts.cooccurrence) == 7


def test_the_new_base_loads_as_a_base_and_brings_its_head(adapted: tuple[Path, dict[str, object]]) -> None:
    folder, _ = adapted
    backbone = load_base(f"file:{folder / 'new'}", BaseRequest(modality="text", offline=True))
    assert backbone.record.n_dims == 32 and len(backbone.record.sha256) == 64
    found = open_base(f"file:{folder / 'new'}", True)
    assert found.head is not None and len(found.head["bias"]) == found.parts.architecture["config"]["vocab_size"]


def test_evaluate_language_answers_with_the_documented_fields(adapted: tuple[Path, dict[str, object]]) -> None:
    folder, _ = adapted
    run = CliRunner().invoke(
        app, ["evaluate-language", f"file:{folder / 'new'}", str(folder / "raw.txt"), "--offline", "--json"]
    )
    assert run.exit_code == 0, run.output
    found = json.loads(run.stdout)
    assert set(found["bits_per_character"]) == {"value", "low", "high"}
    assert found["bits_per_character"]["low"] <= found["bits_per_character"]["value"]
    assert found["head"] == "its own" and found["unknown_token_share"] < 0.01
    assert found["calibration"]["n_guesses"] > 100 and 0 <= found["calibration"]["error"]["value"] <= 1
    assert found["n_documents"] > 100 and found["pieces_per_word"] >= 1


def test_another_folder_is_never_overwritten(letters_folder: Path, adapted: tuple[Path, dict[str, object]]) -> None:
    folder, _ = adapted
    run = CliRunner().invoke(
        app, ["adapt-language", str(folder / "raw.txt"), "--base", f"file:{letters_folder}", "-o", str(letters_folder)]
    )
    assert run.exit_code == 2
    assert "was not made by headstart adapt-language" in " ".join(run.stderr.split())


def test_a_folder_that_cannot_be_made_is_refused_before_any_work(tmp_path: Path) -> None:
    raw = tmp_path / "raw.txt"
    raw.write_text("\n".join(sentences(400)), encoding="utf-8")
    run = CliRunner().invoke(app, ["adapt-language", str(raw), "--base", "file:nowhere", "-o", str(raw / "new")])
    assert run.exit_code == 2
    assert "cannot be made" in " ".join(run.stderr.split())


def test_a_base_with_bert_head_in_its_weights_uses_it(letters: MaskedBase, tmp_path: Path) -> None:
    net = attach_head(letters.backbone.module().net, None, np.ones(297), 3)  # type: ignore[misc]
    head = copy_head_arrays(net)
    names = ("transform.dense.weight", "transform.dense.bias", "transform.LayerNorm.weight", "transform.LayerNorm.bias")
    order = ["bias", "dense.weight", "dense.bias", "norm.weight", "norm.bias"]
    theirs = {
        f"cls.predictions.{name}": head[own]
        for name, own in zip((*names, "bias"), ("dense.weight", "dense.bias", "norm.weight", "norm.bias", "bias"),
                             strict=True)
    }  # fmt: skip
    write_folder(letters.parts, tmp_path)
    save_file({**load_file(tmp_path / "model.safetensors"), **theirs}, tmp_path / "model.safetensors")
    found = _read_head(tmp_path)
    assert found is not None and all(np.array_equal(found[name], head[name]) for name in order)


def test_a_stopped_training_of_thin_matrices_goes_on_bit_for_bit(
    letters: MaskedBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = _bench(letters, sentences(200))
    monkeypatch.setattr("headstart.language.masked_training.CHECKPOINT_SECONDS", 0.0)
    course = MaskedTrainingConfig(part="lora", seconds=1e6, steps=6, n_evaluations=6, patience=9)
    figures = iter([5.0, 4.0, 3.0, 2.0, 1.5, 1.0, 0.5])

    def cut() -> float:
        figure = next(figures)
        if figure == 2.0:
            raise KeyboardInterrupt
        return figure

    whole = bench.build_net(None)
    train_masked_net(
        whole, bench.corpus, bench.special_tokens, config=course, evaluate=iter([6.0, 5.0, 4.0, 3.0, 2.0, 1.0]).__next__
    )
    with pytest.raises(KeyboardInterrupt):
        train_masked_net(
            bench.build_net(None),
            bench.corpus,
            bench.special_tokens,
            config=course,
            evaluate=cut,
            checkpoint=tmp_path / "kept.safetensors",
        )
    resumed = bench.build_net(None)
    done = train_masked_net(
        resumed,
        bench.corpus,
        bench.special_tokens,
        config=course,
        evaluate=figures.__next__,
        checkpoint=tmp_path / "kept.safetensors",
    )
    assert done.steps == 6
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def _log(letters: MaskedBase, tmp_path: Path) -> pilots.PilotLog:
    bench = _bench(letters, sentences(300))
    how = bench.fit(sentences(20))
    split = reading.split_documents(raw_of(sentences(300)), 0)
    setting = pilots.PilotSetting(
        base=letters,
        split=split,
        old=bench,
        head={},
        old_fit=how,
        seconds=1.0,
        n_tokens=512,
        n_characters=10**6,
        budget=10**4,
        seed=0,
        work=tmp_path,
    )
    return pilots.PilotLog(setting, ("a", "b"))


def test_what_learns_less_leads_only_where_it_is_clearly_better(letters: MaskedBase, tmp_path: Path) -> None:
    log = _log(letters, tmp_path)
    rng = np.random.default_rng(0)
    costs = 2.0 * log.characters
    noise = log.characters * rng.normal(0, 1, len(costs))

    def trial(part: str, bits: np.ndarray, start: str = "base") -> pilots.PilotRun:
        return pilots.PilotRun(
            tokenizer="new",
            part=part,
            start=start,
            figure=float(bits.sum() / log.characters.sum()),
            steps=1,
            seconds=1.0,
        )

    log.trials, log.bits = [trial("all", costs)], [costs]
    clear, unclear = 0.9 * costs, costs + noise - noise.mean() - 0.02 * costs
    assert log.is_better(trial("embeddings", clear), clear)
    assert not log.is_better(trial("lora", unclear), unclear)
    assert not log.is_better(trial("all", clear, "nothing"), clear)
    log.trials, log.bits, log.lead = [*log.trials, trial("embeddings", clear)], [costs, clear], 1
    assert not log.is_better(trial("lora", 0.95 * costs), 0.95 * costs)  # clearly better than "all", but not the lowest
    assert log.is_better(trial("lora", 0.8 * costs), 0.8 * costs)


def test_trials_that_were_stopped_go_on_with_the_missing_ones(
    letters: MaskedBase, monkeypatch: pytest.MonkeyPatch, fresh_home: Path
) -> None:
    raw, wish = raw_of(sentences(400)), AdaptationRequest(4.0, 0, 4.0)
    made: list[tuple[str, str, str]] = []
    run = pilots._run_pilot

    def third_stops(setting: pilots.PilotSetting, bench: pilots.TokenizerBench, what: tuple[str, str, str]) -> object:
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(what)
        return run(setting, bench, what)

    with monkeypatch.context() as patch:
        patch.setattr(pilots, "_run_pilot", third_stops)
        with pytest.raises(KeyboardInterrupt):
            adaptation.adapt_base(letters, raw, wish)
    with monkeypatch.context() as patch:
        patch.setattr(pilots, "_run_pilot", lambda *given: (made.append(given[2]), run(*given))[1])
        done = adaptation.adapt_base(letters, raw, wish)
    found = [(one["tokenizer"], one["part"], one["start"]) for one in done.document["trials"]]
    assert made == found and len(set(found)) == len(found)
    assert {part for _, part, _ in found} >= {"all", "lora"} and found[-1][2] == "nothing"


def test_a_head_of_another_vocabulary_of_the_same_size_is_not_taken(
    letters: MaskedBase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = _log(letters, tmp_path)
    head = copy_head_arrays(log.setting.old.build_net(None))
    head = {**head, "bias": head["bias"] + 100}
    began: dict[str, float] = {}

    def stop(net: object, *_: object) -> None:
        raise KeyboardInterrupt(float(net.head.bias.detach().mean()))  # type: ignore[attr-defined]

    monkeypatch.setattr(pilots, "train_masked_net", stop)
    for tokenizer in ("old", "new"):
        with pytest.raises(KeyboardInterrupt) as told:
            pilots._run_pilot(replace(log.setting, head=head), log.setting.old, (tokenizer, "all", "base"))
        began[tokenizer] = told.value.args[0]
    assert began["old"] > 50 > began["new"]


def test_a_base_that_was_cut_off_while_it_was_written_is_no_base_and_the_same_command_writes_it(
    letters_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, new = tmp_path / "raw.txt", tmp_path / "new"
    raw.write_text("\n".join(sentences(400)), encoding="utf-8")
    command = ["adapt-language", str(raw), "--base", f"file:{letters_folder}", "-o", str(new), "--time", "2s"]

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(card, "write_folder", cut)
        assert CliRunner().invoke(app, command).exit_code == 130
    with pytest.raises(DataError, match="no config"):
        load_base(f"file:{new}", BaseRequest(modality="text", offline=True))
    said = CliRunner().invoke(app, command)
    assert said.exit_code == 0 and "trials were finished earlier" in said.stderr
    assert load_base(f"file:{new}", BaseRequest(modality="text", offline=True)).record.n_dims == 32


def test_a_stopped_adaptation_needs_no_new_trials(
    letters: MaskedBase, monkeypatch: pytest.MonkeyPatch, fresh_home: Path
) -> None:
    raw = raw_of(sentences(400))
    wish = AdaptationRequest(4.0, 0, 4.0)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(adaptation, "_train_chosen", stop)
        with pytest.raises(KeyboardInterrupt):
            adaptation.adapt_base(letters, raw, wish)
    with monkeypatch.context() as patch:
        patch.setattr(pilots, "_run_pilot", stop)  # a new trial would stop it again
        made = adaptation.adapt_base(letters, raw, wish)
    assert made.document["bits_per_character"]["adapted"]["value"] < 10
    assert (made.work / "trials.json").is_file() and made.work.parent == fresh_home / "language"
