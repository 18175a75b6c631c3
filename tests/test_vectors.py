"""`embed` and `search`: an index is whole or refused, search is exact, a prefix is where it belongs."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest
from tests import tiny
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from typer.testing import CliRunner

import headstart as hs
from headstart import flow
from headstart.api.keywords import EmbedKeywords, SearchKeywords
from headstart.bases import Backbone, BaseRequest
from headstart.bases.prefix import add_prefix, replace_prefix
from headstart.cli.main import app
from headstart.data.reading.content import hash_text
from headstart.errors import DataError, HeadstartError, OptionError
from headstart.features.runtimes import REFERENCE, ChosenRuntime
from headstart.flow.vectors import encoder, opened_before, search_base
from headstart.flow.vectors.search import _rank_rows, filter_rows, find_like
from headstart.index import (
    IndexDraft,
    IndexFacts,
    choose_least_score,
    exact,
    files,
    group_near_rows,
    open_index,
    order_by_likeness,
    search_vectors,
    write_index,
)
from headstart.index import groups as near_groups
from headstart.options import EmbedOptions, SearchOptions, parse
from headstart.projects import NewExample, Project

RUN = CliRunner()
NEEDS_GRAPHS = pytest.mark.skipif(find_spec("usearch") is None, reason="needs the extra search")
FACTS = IndexFacts(modality="text", base="tiny", base_name="tiny", fingerprint="f")


def rows_of_length_one(n_rows: int, n_dims: int = 16, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n_rows, n_dims)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def write_small(folder: Path) -> None:
    columns = {"district": ["Kisumu", "Siaya", "Kisumu ", "Busia"], "sex": ["f", "f", "m", "m"]}
    vectors = rows_of_length_one(4).astype(np.float16)
    draft = IndexDraft(ids=["a", "b", "c", "d"], vectors=vectors, about=FACTS, columns=columns, texts=["x" * 999] * 4)
    write_index(folder, draft)


def test_an_index_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_small(tmp_path / "i")
    index = open_index(tmp_path / "i")
    assert list(index.ids) == ["a", "b", "c", "d"] and index.find_row("c") == 2 and index.find_row("nobody") is None
    np.testing.assert_array_equal(index.vectors, rows_of_length_one(4).astype(np.float16))
    assert index.about == replace(FACTS, n_rows=4, n_dims=16, columns=("district", "sex"))
    assert len(index.texts[0]) < 999  # Only the beginning.


@pytest.mark.parametrize("name", [files.VECTORS, files.IDS, files.ABOUT])
def test_a_damaged_or_mixed_index_is_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SETTINGS", replace(files.SETTINGS, wait_seconds=0.0))
    write_small(tmp_path / "i")
    write_small(tmp_path / "other")
    content = (tmp_path / "i" / name).read_bytes()
    (tmp_path / "i" / name).write_bytes((tmp_path / "other" / name).read_bytes())
    with pytest.raises(DataError, match=r"damaged.*not of one piece"):
        open_index(tmp_path / "i")
    (tmp_path / "i" / name).write_bytes(content[:-9])
    with pytest.raises(DataError, match="damaged"):
        open_index(tmp_path / "i")
    (tmp_path / "i" / name).unlink()
    with pytest.raises(DataError, match=r"missing|no index"):
        open_index(tmp_path / "i")


def test_a_changed_value_an_unknown_format_and_repeated_ids_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SETTINGS", replace(files.SETTINGS, wait_seconds=0.0))
    write_small(tmp_path / "i")
    path = tmp_path / "i" / files.VECTORS
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="not the ones that were written"):
        open_index(tmp_path / "i")
    about = json.loads((tmp_path / "i" / files.ABOUT).read_text())
    (tmp_path / "i" / files.ABOUT).write_text(json.dumps({**about, "format": 99}))
    with pytest.raises(DataError, match="format 99"):
        open_index(tmp_path / "i")
    with pytest.raises(DataError, match="the id 'a'"):
        write_index(tmp_path / "i", IndexDraft(ids=["b", "a", "a"], vectors=np.zeros((3, 2), np.float16), about=FACTS))


@pytest.mark.parametrize("half_rows", [1, 10**9], ids=["torch-half", "numpy"])
def test_search_is_exact(half_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "SETTINGS", replace(exact.SETTINGS, half_rows=half_rows, block_rows=64))
    rows, queries = rows_of_length_one(300).astype(np.float16), rows_of_length_one(5, seed=1)
    rows[200] = rows[10]  # Equal rows come in their order.
    scores = queries @ rows.astype(np.float32).T
    for query, hits in zip(scores, search_vectors(rows, queries, 9), strict=True):
        assert [hit.row for hit in hits] == np.argsort(-query, kind="stable")[:9].tolist()
        np.testing.assert_allclose([hit.score for hit in hits], np.sort(query)[::-1][:9], atol=1e-6)
    odd = np.arange(1, 300, 2)
    hits = search_vectors(rows, queries[:1], 400, odd)[0]
    assert [hit.row for hit in hits] == odd[np.argsort(-scores[0][odd], kind="stable")].tolist()  # k above n: all.
    assert search_vectors(rows, np.zeros((1, 16), np.float32), 3) == [[]]
    assert search_vectors(rows[:0], queries[:1], 3) == [[]]


def test_filters_leave_rows_by_their_columns_and_name_what_is_not_there(tmp_path: Path) -> None:
    write_small(tmp_path / "i")
    index = open_index(tmp_path / "i")
    assert filter_rows(index, ()) is None
    assert filter_rows(index, ["district=Kisumu"]).tolist() == [0, 2]
    assert filter_rows(index, ["district=Kisumu", "district=Busia", "sex=m"]).tolist() == [2, 3]
    for wrong, words in (("district", "no condition"), ("distrct=x", "district"), ("sex=x", "No row")):
        with pytest.raises(HeadstartError, match=words) as caught:
            filter_rows(index, [wrong])
        assert caught.value.hint
    assert 1 not in [hit.row for hit in find_like(index, 1, 4)]


def test_another_prefix_replaces_the_one_in_the_tokenizer() -> None:
    words = {word: number for number, word in enumerate(["<s>", "</s>", "query:", "passage:", "water", "[UNK]"])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    asked = add_prefix(tokenizer.to_str(), "query: ")
    searched = replace_prefix(asked, "query: ", "passage: ")
    assert Tokenizer.from_str(searched).encode("water").tokens == ["<s>", "passage:", "water", "</s>"]
    assert replace_prefix(searched, "passage: ", "passage: ") == searched
    assert Tokenizer.from_str(replace_prefix(searched, "passage: ", "")).encode("water").tokens[1] == "water"


def test_near_equal_rows_are_grouped_around_the_most_typical_and_chains_are_not_joined(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    angles = np.radians([0, 5, 10, 15, 20, 25, 90, 91, 180, 200])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float16)
    least = float(np.cos(np.radians(6)))
    groups = group_near_rows(rows, least)
    assert len(groups[0].rows) == 3 and {6, 7} in [set(group.rows) for group in groups]
    assert all(max(group.rows) - min(group.rows) <= 2 for group in groups) and groups[0].scores[0] == 1.0
    assert groups[0].rows[0] in (1, 2, 3, 4)  # The middle stands for the three.
    monkeypatch.setattr(near_groups, "SETTINGS", replace(near_groups.SETTINGS, listed_rows=0, pair_values=1))
    assert group_near_rows(rows, least) == groups  # What is not listed is found again.
    assert group_near_rows(np.repeat(rows[:1], 50, axis=0), 0.99)[0].rows == tuple(range(50))
    assert group_near_rows(rows[:0], 0.9) == []
    mixed = np.random.default_rng(0).permutation(6)
    assert np.abs(np.diff(mixed[order_by_likeness(rows[mixed])])).tolist() == [1] * 5
    assert 0.9 < choose_least_score(rows[:6]) < 1.0 and choose_least_score(rows[:1]) == 1.0


def load_tiny(reference: str, need: BaseRequest) -> Backbone:
    return tiny.BASES[need.modality]()


@pytest.fixture
def tiny_bases(monkeypatch: pytest.MonkeyPatch) -> None:
    extract = search_base.features.extract_features
    monkeypatch.setattr(search_base.bases, "load_base", load_tiny)
    monkeypatch.setattr(
        search_base.features, "extract_features", lambda table, base, _, **more: extract(table, base, REFERENCE, **more)
    )
    choose = encoder.features.choose_runtime
    monkeypatch.setattr(encoder.features, "choose_runtime", lambda table, base, _: choose(table, base, REFERENCE))
    monkeypatch.setattr(encoder, "_OPEN", {})


@pytest.mark.usefixtures("tiny_bases")
@pytest.mark.parametrize("data", ["image_folder", "text_table", "series_table"])
def test_rows_of_every_modality_are_embedded_once_and_find_what_is_like_them(
    data: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    source = request.getfixturevalue(data)
    flow.embed_data(source, tmp_path / "i", parse(EmbedOptions, offline=True))
    again = flow.embed_data(source, tmp_path / "i", parse(EmbedOptions, offline=True, to="parquet"))
    assert again.n_computed == 0 and again.parquet is not None and again.parquet.stat().st_size > 0
    name = again.index.ids[0]
    answer = flow.search_index(tmp_path / "i", [], parse(SearchOptions, like=[name], k=3))
    assert [hit.rank for hit in answer.hits] == [1, 2, 3] and name not in [hit.id for hit in answer.hits]


@pytest.mark.usefixtures("tiny_bases")
def test_a_project_has_its_index_inside_with_the_ids_of_its_examples(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p") as project:
        project.set_setting("modality", "text")
        texts = ["no water", "no books", "the clinic is closed"]
        ids = project.add_examples(
            [
                NewExample(name=text, content_hash=hash_text(text), text=text, metadata={"district": "A"})
                for text in texts
            ]
        )
        project.set_state(ids[1:2], "left_out", "a copy")
    first = flow.embed_data(tmp_path / "p", None, parse(EmbedOptions))
    assert list(first.index.ids) == [str(ids[0]), str(ids[2])] and first.folder == tmp_path / "p" / "vectors"
    with Project.open(tmp_path / "p") as project:
        project.set_state(ids[1:2], "in", "")
    assert len(flow.embed_data(tmp_path / "p", None, parse(EmbedOptions)).index) == 3
    answer = flow.search_index(tmp_path / "p", ["no books"], parse(SearchOptions, filter=["district=A"]))
    assert answer.hits[0].id == str(ids[1])


@pytest.mark.usefixtures("tiny_bases")
def test_the_commands_write_hits_and_refuse_another_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "m.csv"
    data.write_text('id,text,district\nm1,no water,A\nm2,,A\nm3,no books,B\nm4,the clinic is closed today,"B"\n')
    folder = str(tmp_path / "i")
    outcome = RUN.invoke(app, ["embed", str(data), "-o", folder, "--json", "-q"])
    document = json.loads(outcome.stdout)
    assert outcome.exit_code == 0 and document["n_rows"] == 3 and document["failed"][0]["id"] == "m2"
    (tmp_path / "q.txt").write_text("no water\n\nthe clinic is closed today\n")
    asked = ["search", folder, "--queries", str(tmp_path / "q.txt"), "-k", "99", "-o", str(tmp_path / "hits.csv"), "-q"]
    assert RUN.invoke(app, asked).exit_code == 0
    lines = (tmp_path / "hits.csv").read_text().splitlines()
    assert lines[:2] == ["query,rank,id,score", f"no water,1,m1,{lines[1].rpartition(',')[2]}"] and len(lines) == 7
    assert RUN.invoke(app, ["search", folder, ""]).exit_code == 2  # Nothing is asked.
    assert RUN.invoke(app, ["search", folder]).exit_code == 2
    assert RUN.invoke(app, ["embed", str(data), "-o", str(tmp_path)]).exit_code == 2  # Holds something else.
    (tmp_path / "killed").mkdir()
    for name in (files.VECTORS, f".{files.IDS}.0123abcd.partial"):  # A process was killed while it wrote.
        (tmp_path / "killed" / name).write_bytes(b"half")
    assert RUN.invoke(app, ["embed", str(data), "-o", str(tmp_path / "killed"), "-q"]).exit_code == 0
    (tmp_path / "twice.csv").write_text("text\nno water here today\nno books\nno water here  today\n")
    document = json.loads(RUN.invoke(app, ["similar", str(tmp_path / "twice.csv"), "--json", "-q"]).stdout)
    assert document["n_rows"] == 3 and [len(group["ids"]) for group in document["groups"]] == [2]
    assert RUN.invoke(app, ["similar", folder]).exit_code == 2  # An index is no data.
    encoder._OPEN.clear()
    other = replace(tiny.text_base(), fingerprint="another")
    monkeypatch.setattr(search_base.bases, "load_base", lambda reference, need: other)
    with pytest.raises(OptionError, match="another version of tiny-bert"):
        flow.search_index(tmp_path / "i", ["water"], parse(SearchOptions))


@pytest.mark.usefixtures("tiny_bases")
def test_words_find_what_the_base_cannot_read(tmp_path: Path) -> None:
    texts = ["ߒߞߏ ߞߊ߲ ߛߓߍ", "ߖߌ ߕߍ߫ ߦߊ߲߬", "ߞߎ߲߬ߞߎ߲ ߞߊ߲߬", "no water"]  # N'Ko: none of its letters is in the vocabulary.
    (tmp_path / "m.csv").write_text("\n".join(["text", *texts]), encoding="utf-8")
    embedding = flow.embed_data(tmp_path / "m.csv", tmp_path / "i", parse(EmbedOptions, hybrid="on"))
    assert embedding.index.about.is_hybrid
    answer = flow.search_index(tmp_path / "i", ["ߖߌ ߕߍ߫", "water"], parse(SearchOptions, k=1))
    assert [hit.text for hit in answer.hits] == [texts[1], texts[3]]
    assert flow.search_index(tmp_path / "i", ["ߖߌ"], parse(SearchOptions, k=9)).hits[0].text == texts[1]
    (tmp_path / "i" / files.WORDS).unlink()
    with pytest.raises(DataError, match="damaged"):
        flow.search_index(tmp_path / "i", ["water"], parse(SearchOptions))
    again = flow.embed_data(tmp_path / "m.csv", tmp_path / "i", parse(EmbedOptions, hybrid="auto"))
    assert again.index.about.is_hybrid  # Most of it is in a script that the base does not know.


@pytest.mark.usefixtures("tiny_bases")
def test_python_embeds_and_searches_in_memory_as_in_a_folder(tmp_path: Path) -> None:
    texts = ["no water", "no books", "the clinic is closed today"]
    index = hs.embed(texts)
    assert index.vectors.shape == (3, index.about.n_dims) and index.vectors.dtype == np.float16
    hs.embed(texts, tmp_path / "i")
    (tmp_path / "q.txt").write_text("no books\n")
    for opened in (index, tmp_path / "i"):
        hits = hs.search(opened, texts[2], k=2)
        assert (hits[0].rank, hits[0].id) == (1, "2") and len(hits) == 2 and hits[0].text == texts[2]
        assert [hit.id for hit in hs.search(opened, like="1", k=9)] != [] and len(
            hs.search(opened, texts[:2], k=1)
        ) == 2
        assert [hit.id for hit in hs.search(opened, tmp_path / "q.txt", k=1)] == ["1"]
    pictures = hs.embed(np.random.default_rng(0).integers(0, 255, (3, 40, 40, 3), dtype=np.uint8))
    assert hs.search(pictures, np.zeros((1, 40, 40, 3), dtype=np.uint8), k=3)[2].rank == 3
    with pytest.raises(OptionError, match="nothing to search"):
        hs.search(index)


def test_keywords_of_embed_and_search_are_those_of_the_options() -> None:
    assert set(get_type_hints(EmbedKeywords)) == set(EmbedOptions.model_fields)
    assert set(get_type_hints(SearchKeywords)) | {"queries"} == set(SearchOptions.model_fields)


def test_a_base_that_was_opened_is_recalled_without_its_weights_while_nothing_changed(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = replace(tiny.text_base().record, sha256="f" * 64)
    monkeypatch.setattr(opened_before, "CATALOGUE", {"tiny-bert": record})
    path = fresh_home / "tokenizers" / "tokenizer.json"
    path.parent.mkdir(parents=True)
    path.write_text(tiny.text_base().parts.tokenizer)
    base = replace(tiny.text_base(), spec={**tiny.text_base().spec, "tokenizer_file": str(path)})
    compiled = ChosenRuntime("openvino-float32", "float32", 9.0)
    for runtime in (ChosenRuntime(REFERENCE, "float32", 9.0), compiled):
        assert opened_before.recall_base("tiny-bert", "auto", {}) is None  # torch keeps no network of its own.
        opened_before.remember_base("tiny-bert", "auto", {}, opened_before.RememberedBase(base, runtime))
    recalled = opened_before.recall_base("tiny-bert", "auto", {})
    assert recalled is not None and recalled.runtime == compiled and recalled.backbone.parts.weights == {}
    assert recalled.backbone.fingerprint == recalled.backbone.network_key == base.fingerprint
    with pytest.raises(opened_before.NetworkLost):  # The compiled network is not here: the base itself is loaded.
        encoder._make_encoder(recalled)
    path.write_text("another")
    assert opened_before.recall_base("tiny-bert", "auto", {}) is None
    assert opened_before.recall_base("file:tiny", "auto", {}) is None


@NEEDS_GRAPHS
def test_a_very_large_index_is_searched_by_a_graph_and_a_damaged_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SETTINGS", replace(files.SETTINGS, exact_rows=100))
    rows, facts = rows_of_length_one(400).astype(np.float16), replace(FACTS, n_dims=16)
    write_index(tmp_path / "i", IndexDraft(ids=list(map(str, range(400))), vectors=rows, about=facts))
    index, queries = open_index(tmp_path / "i"), rows_of_length_one(5, seed=1)
    exactly = search_vectors(rows, queries, 10)
    for right, hits in zip(exactly, _rank_rows(index, queries, 10, None), strict=True):
        assert len({hit.row for hit in hits} & {hit.row for hit in right}) >= 9
        assert hits[0].score == pytest.approx(right[0].score, abs=1e-6)
    assert _rank_rows(index, queries, 10, np.arange(400)) == exactly  # Among filtered rows it is exact.
    with (tmp_path / "i" / files.GRAPH).open("r+b") as handle:
        handle.seek(500)
        handle.write(b"damage")
    with pytest.raises(DataError, match=r"graph.*damaged"):
        _rank_rows(index, queries, 10, None)
    write_small(tmp_path / "i")
    assert open_index(tmp_path / "i").graph is None and not (tmp_path / "i" / files.GRAPH).exists()


@pytest.mark.usefixtures("tiny_bases")
def test_odd_rows_neither_stop_embedding_nor_get_lost(tmp_path: Path) -> None:
    cells = ["no water", "w" * 1_000_000, "", " ", "no water", "🙂", "نص عربي", "a\\nb"]
    lines = [f"m{number // 2},{cell}" for number, cell in enumerate(cells)]  # Every id twice.
    (tmp_path / "m.csv").write_text("\n".join(["id,text", *lines]) + "\n", encoding="utf-8")
    embedding = flow.embed_data(tmp_path / "m.csv", tmp_path / "i", parse(EmbedOptions))
    assert len(set(embedding.index.ids)) == 6 and len(embedding.set_aside) == 2
    assert np.isfinite(embedding.index.vectors).all() and max(map(len, embedding.index.texts)) <= 300
    hits = hs.search(tmp_path / "i", ["w" * 1_000_000, "no water"], k=99)
    assert len(hits) == 12 and len(hits[0].query) <= 200
    assert {hit.text for hit in hits if hit.query == "no water"} == {text[:300] for text in cells if text.strip()}


@NEEDS_GRAPHS
def test_models_open_after_a_graph_for_search() -> None:
    subprocess.run([sys.executable, "-c", "import headstart.index.graph, onnxruntime"], check=True)
