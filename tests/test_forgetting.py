"""`forget` lists what is kept of a person's rows, removes it if asked, and names the models that learnt from them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headstart import flow
from headstart.bundle import Bundle, load_bundle
from headstart.bundle.reference import ReferenceSample
from headstart.bundle.row_names import list_copies, name_rows, write_row_names
from headstart.bundle.seen import SeenRows
from headstart.bundle.settings import SETTINGS
from headstart.data import from_arrays
from headstart.data.reading.content import hash_text
from headstart.errors import OptionError
from headstart.flow.forgetting.corrections import forget_corrections
from headstart.flow.forgetting.model_rows import forget_in_bundle, remove_from_bundle
from headstart.flow.forgetting.person_rows import PersonRows
from headstart.flow.forgetting.run_files import forget_in_run
from headstart.index import IndexDraft, IndexFacts, is_index, write_index
from headstart.options import ForgetOptions, parse
from headstart.projects import NewExample, Project
from headstart.row_cache import RowCache, list_shards
from headstart.runs import MARK

BUNDLE = Path(__file__).parent / "data" / "bundle-format-3"
RUN = Path(__file__).parent / "data" / "home-0.3.0" / "run"


class ArrayCache(RowCache):
    """A cache of single numbers."""

    def add(self, *hashes: str) -> None:
        self._add_shard(hashes, {"x": np.zeros(len(hashes), dtype=np.float32)})


def test_cached_rows_go_with_their_shard_and_only_if_that_is_confirmed(fresh_home: Path, tmp_path: Path) -> None:
    (tmp_path / "person.txt").write_text("my well is dry", encoding="utf-8")
    cache = ArrayCache("ab" * 20, {"base": "x"})
    cache.add(hash_text("my well is dry"), hash_text("another"))
    cache.add(hash_text("a third"))
    options = parse(ForgetOptions, row=(tmp_path / "person.txt",))
    document = flow.forget([], options, False)
    assert [(item["what"], item["n"]) for item in document["items"]] == [("features", 1)]
    assert len(list(list_shards())) == 2
    assert flow.forget([], options, True)["applied"] and len(list(list_shards())) == 1
    assert not flow.forget([], options, True)["items"]


def test_no_row_is_no_request() -> None:
    with pytest.raises(OptionError, match="No row was named"):
        flow.forget([], parse(ForgetOptions), True)


def test_a_bundle_forgets_what_it_remembers_of_a_row_and_answers_as_before(tmp_path: Path, fresh_home: Path) -> None:
    folder = Path(shutil.copytree(BUNDLE, tmp_path / "bundle"))
    before = load_bundle(folder, "onnx")
    assert before.seen_rows is not None and before.decision_policy.out_of_distribution is not None
    key = before.seen_rows.digests[3].tobytes().hex()
    name = str(before.decision_policy.out_of_distribution.ids[0])
    person = PersonRows(frozenset({name}), frozenset({key}))
    assert forget_in_bundle(folder, person, False).n_learnt == 1
    assert load_bundle(folder, "onnx").seen_rows.digests.shape == before.seen_rows.digests.shape  # type: ignore[union-attr]
    assert forget_in_bundle(folder, person, True).n_learnt == 1
    after = load_bundle(folder, "onnx")
    assert after.seen_rows is not None and after.decision_policy.out_of_distribution is not None
    assert len(after.seen_rows.digests) == len(before.seen_rows.digests) - 1
    assert name not in after.decision_policy.out_of_distribution.ids
    assert forget_in_bundle(folder, person, True).n_learnt == 0


def test_features_of_a_second_person_do_not_stay_in_a_sample_that_lost_a_row() -> None:
    n_rows = SETTINGS.reference_rows + 100
    digests = np.arange(8 * n_rows, dtype=np.uint32).view(np.uint8).reshape(n_rows, 32)[:, :8]
    values = np.arange(n_rows, dtype=np.float32)[:, None]
    bundle = load_bundle(BUNDLE, "onnx")
    assert bundle.seen_rows is not None
    bundle = replace(
        bundle,
        seen_rows=SeenRows(digests, np.empty((0, 0), dtype=np.float32)),
        reference_sample=ReferenceSample.draw(values, "features", np.arange(n_rows), bundle.seed),
        training_facts=bundle.training_facts.model_copy(update={"labels_per_class": {"a": n_rows}}),
    )
    assert bundle.reference_sample is not None
    sampled = np.sort(np.random.default_rng(bundle.seed).permutation(n_rows)[: SETTINGS.reference_rows])
    first = int(np.setdiff1d(np.arange(n_rows), sampled)[0])
    once = forget_row(bundle, first)
    assert once.reference_sample is not None and len(once.reference_sample.values) == SETTINGS.reference_rows
    assert forget_row(once, 5).reference_sample is None
    again = forget_row(bundle, int(sampled[7]))
    assert again.reference_sample is not None
    assert np.array_equal(again.reference_sample.values, np.delete(bundle.reference_sample.values, 7, axis=0))


def forget_row(bundle: Bundle, row: int) -> Bundle:
    assert bundle.seen_rows is not None
    is_learnt = np.arange(len(bundle.seen_rows.digests)) == row
    return remove_from_bundle(bundle, PersonRows(frozenset(), frozenset()), is_learnt, np.zeros(0, dtype=bool))


def test_all_copies_of_a_content_are_one_person(tmp_path: Path, fresh_home: Path) -> None:
    table = from_arrays(["my well is dry", "no books", "my well is dry"], ["water", "school", "water"])
    write_row_names(name_rows(table), list_copies([table]), tmp_path)
    (tmp_path / MARK).write_text("{}", encoding="utf-8")
    (tmp_path / "report_rows.json").write_text('{"rows": [{"id": "0"}, {"id": "1"}, {"id": "2"}]}', encoding="utf-8")
    flow.forget([tmp_path], parse(ForgetOptions, id=("2",)), True)
    assert json.loads((tmp_path / "report_rows.json").read_text("utf-8")) == {"rows": [{"id": "1"}]}
    assert json.loads((tmp_path / "row_names.json").read_text("utf-8"))["copies"] == {}


def test_the_report_of_a_run_forgets_a_row(tmp_path: Path) -> None:
    run = Path(shutil.copytree(RUN, tmp_path / "run"))
    name = next(iter(json.loads((run / "previews.json").read_text("utf-8"))["previews"]))
    person = PersonRows(frozenset({name}), frozenset())
    assert forget_in_run(run, person, False) > 0
    assert forget_in_run(run, person, True) > 0 and forget_in_run(run, person, False) == 0
    texts = [path.read_text("utf-8") for path in (run / "previews.json", run / "result.json", run / "report.html")]
    assert not [text for text in texts if f'"{name}"' in text or f">{name}<" in text]


def test_a_run_that_was_set_aside_forgets_a_row_too(tmp_path: Path, fresh_home: Path) -> None:
    run = Path(shutil.copytree(RUN, tmp_path / "out" / "earlier" / "1"))
    shutil.copytree(BUNDLE, run / "bundle", dirs_exist_ok=True)
    (run / MARK).unlink(missing_ok=True)
    name = next(iter(json.loads((run / "previews.json").read_text("utf-8"))["previews"]))
    document = flow.forget([tmp_path], parse(ForgetOptions, id=(name,)), True)
    assert str(run) in [item["place"] for item in document["items"] if item["what"] == "run"]
    assert not flow.forget([tmp_path], parse(ForgetOptions, id=(name,)), False)["items"]


def test_corrections_of_a_row_go_with_the_journal_that_holds_them(tmp_path: Path) -> None:
    (tmp_path / "corrections.csv").write_text("text,label\nmy well is dry,water\nother,school\n", encoding="utf-8")
    change = json.dumps({"head": ["text", "label"], "rows": [["my well is dry", "water"]]})
    (tmp_path / ".journal.jsonl").write_text(f'{change}\n{{"done": true}}\n', encoding="utf-8")
    person = PersonRows(frozenset(), frozenset({hash_text("my well is dry")[:16]}))
    assert forget_corrections(tmp_path, person, True) == 1
    content = "".join(path.read_text("utf-8") for path in tmp_path.iterdir() if path.is_file())
    assert "my well" not in content and "other,school" in content


@pytest.mark.parametrize(
    ("ids", "row", "is_removed"),
    [((), "my well is dry", True), (("m.csv:2",), "", True), ((), "no such message", False), (("m.csv:9",), "", False)],
)
def test_an_index_that_holds_a_row_is_removed_whole(
    ids: tuple[str, ...], row: str, is_removed: bool, tmp_path: Path, fresh_home: Path
) -> None:
    write_texts(tmp_path / "data" / "i", ["my well is dry", "no books"])
    (tmp_path / "row.txt").write_text(row, encoding="utf-8")
    options = parse(ForgetOptions, id=ids, row=(tmp_path / "row.txt",) if row else ())
    items = flow.forget([tmp_path / "data"], options, False)["items"]
    assert [item["what"] for item in items] == (["index"] if is_removed else [])
    assert is_index(tmp_path / "data" / "i")
    flow.forget([tmp_path / "data"], options, True)
    assert is_index(tmp_path / "data" / "i") != is_removed


def test_an_index_whose_texts_are_cut_may_hold_any_row(tmp_path: Path, fresh_home: Path) -> None:
    write_texts(tmp_path / "i", ["x" * 999])
    (tmp_path / "row.txt").write_text("my well is dry", encoding="utf-8")
    flow.forget([tmp_path], parse(ForgetOptions, row=(tmp_path / "row.txt",)), True)
    assert not list((tmp_path / "i").iterdir())


def write_texts(folder: Path, texts: list[str]) -> None:
    facts = IndexFacts(modality="text", base="tiny", base_name="tiny", fingerprint="f")
    vectors = np.full((len(texts), 4), 0.5, dtype=np.float16)
    ids = [f"m.csv:{row}" for row in range(2, 2 + len(texts))]
    write_index(folder, IndexDraft(ids=ids, vectors=vectors, about=facts, texts=texts))


def test_a_row_that_a_project_names_goes_from_the_cache_and_what_is_not_searched_is_named(
    tmp_path: Path, fresh_home: Path
) -> None:
    with Project.create(tmp_path / "p") as project:
        project.add_examples([NewExample(name="Juma", content_hash=hash_text("my well is dry"), text="my well is dry")])
        folder = project.folder
    for name in ("originals/1/000001.csv", "originals/1/000002.jpg", "answers/1/data/000001.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"my well is dry")
    ArrayCache("ab" * 20, {"base": "x"}).add(hash_text("my well is dry"))
    document = flow.forget([tmp_path], parse(ForgetOptions, id=("Juma",)), True)
    assert {(item["what"], item["n"]) for item in document["items"]} == {("project", 2), ("features", 1)}
    assert not (folder / "originals/1/000002.jpg").exists(), "a photo of the same content that is no example"
    assert document["not_searched"] == [str(folder / "originals/1/000001.csv"), str(folder / "answers")]
