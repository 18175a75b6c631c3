"""`headstart label`: the workbook out and back, rounds, keys; the base model is stood in for by constructed vectors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import openpyxl
import pytest
from PIL import Image
from typer.testing import CliRunner

from headstart.cli.main import app
from headstart.errors import HeadstartError
from headstart.flow.labelling import label_rounds
from headstart.flow.labelling.coding_frames import KindDescription, read_kinds
from headstart.flow.labelling.judging_file import ANSWER, read_judging_file, write_judging_file
from headstart.flow.labelling.key_rounds import KeyAnswer, KeyQuestion, label_by_keys
from headstart.flow.labelling.label_rounds import TO_JUDGE, LabelStep, label
from headstart.index import IndexFacts, VectorIndex
from headstart.options import LabelOptions, parse
from headstart.projects import NewExample, Project

KINDS = ("water", "health", "=food")
N = 90


def name_truth(text: str) -> str:
    return KINDS[int(text.split()[1]) % 3]


def embed_by_truth(project: Project, options: object) -> object:
    examples = project.list_examples(limit=None)
    rng = np.random.default_rng(0)
    codes = np.array([KINDS.index(name_truth(example.text or "")) for example in examples])
    vectors = (2.0 * np.eye(3, 16)[codes] + 0.4 * rng.normal(size=(len(codes), 16))).astype(np.float16)
    about = IndexFacts(modality="text", base="b", base_name="b", fingerprint="f")
    return SimpleNamespace(index=VectorIndex(ids=[str(one.id) for one in examples], vectors=vectors, about=about))


@pytest.fixture
def messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(label_rounds, "embed_project", embed_by_truth)
    monkeypatch.setattr(label_rounds, "embed_kinds", lambda project, index, is_offline: None)
    path = tmp_path / "messages.csv"
    path.write_text("text\n" + "".join(f"message {at} says =1+1 about something\n" for at in range(N)), "utf-8")
    yield path


def run(messages: Path, **options: object) -> LabelStep:
    defaults = {"classes": ",".join(KINDS), "who": "Amina"}
    return label(messages, messages.parent / "project", parse(LabelOptions, **{**defaults, **options}))


def fill_in(path: Path, n: int = 1_000, word: str = "") -> list[str]:
    """Write the true kind (or a word) into the first n cells, and return what the sheet holds."""
    book = openpyxl.load_workbook(path)
    sheet = book["to judge"]
    content = []
    for row in list(sheet.iter_rows(min_row=2))[:n]:
        row[2].value = word or f" {name_truth(row[1].value).upper()} "
        row[2].data_type = "s"
        content.append(f"{row[1].value}")
    book.save(path)
    return content


def test_the_workbook_goes_out_comes_back_and_the_next_round_is_written(messages: Path) -> None:
    first = run(messages)
    assert (first.round, first.n_read, first.n_asked, first.state, first.right) == (1, 0, 20, "nothing", None)
    assert first.to_judge is not None and first.to_judge.name == TO_JUDGE
    cells = [[cell.value for cell in row] for row in openpyxl.load_workbook(first.to_judge)["to judge"].iter_rows()]
    assert cells[0][2] == ANSWER and all(row[2] is None or row[2] == "" for row in cells[1:])  # No guess is shown.
    asked_first = fill_in(first.to_judge)
    second = run(messages)
    assert (second.round, second.n_read, second.n_examples) == (2, 20, N)
    assert sum(second.answers.values()) == 20 and second.state == "learnt"
    assert second.right is not None and second.right.n == 20 and second.right.n_hits >= 18
    assert sum(share.count.n_hits for share in second.shares) == 20
    assert second.to_judge is not None and not set(asked_first) & set(fill_in(second.to_judge))
    assert (messages.parent / "project" / "rounds" / "round-1.xlsx").is_file()
    with Project.open(messages.parent / "project") as project:
        events = list(project.iterate_events())
    assert {event.who for event in events} == {"Amina"} and {event.chosen for event in events} == {"random"}
    assert {event.round for event in events} == {1}


def test_cells_left_empty_are_asked_again_and_a_workbook_without_answers_is_refused(messages: Path) -> None:
    first = run(messages)
    assert first.to_judge is not None
    with pytest.raises(HeadstartError, match="no answers yet"):
        run(messages)
    fill_in(first.to_judge, 6)
    fill_in(first.to_judge, 2, "Not sure")
    second = run(messages, n=30)
    assert (second.n_read, sum(second.answers.values()), second.n_not_sure) == (6, 4, 2)
    assert second.n_asked == 30


def test_a_misspelt_kind_is_named_and_nothing_is_read(messages: Path) -> None:
    first = run(messages)
    assert first.to_judge is not None
    fill_in(first.to_judge)
    fill_in(first.to_judge, 1, "watr")
    with pytest.raises(HeadstartError, match=r"1 answer is no kind \('watr' in row 2\)") as caught:
        run(messages)
    assert "Did you mean 'water'?" in caught.value.hint
    with Project.open(messages.parent / "project") as project:
        assert project.count_labels().n_labelled == 0
    assert run(messages, classes="watr").n_read == 20  # A new kind by the same command.


def test_a_workbook_without_its_columns_is_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["id", "verdict"])
    book.active.append([1, "water"])
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(HeadstartError, match="no column 'example'"):
        read_judging_file(tmp_path / "a.xlsx", KINDS)


def test_kinds_come_from_names_or_from_a_table_in_any_language(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text("code,description\nmaji,Visima na mabomba\nafya,\n", "utf-8")
    kinds = read_kinds(["afya", "chakula"], path)
    assert [(kind.name, kind.description) for kind in kinds] == [
        ("afya", ""), ("chakula", ""), ("maji", "Visima na mabomba")
    ]  # fmt: skip
    path.write_text("code,description\nmaji,a\n,b\n", "utf-8")
    with pytest.raises(HeadstartError, match="line 3"):
        read_kinds([], path)
    with pytest.raises(HeadstartError, match="is not there"):
        read_kinds([], tmp_path / "none.csv")


def test_without_kinds_or_rows_no_project_is_left_behind(messages: Path) -> None:
    with pytest.raises(HeadstartError, match="two kinds"):
        run(messages, classes="water")
    assert not (messages.parent / "project").exists()
    messages.write_text("text\n", "utf-8")
    with pytest.raises(HeadstartError, match="no rows"):
        run(messages)
    assert not (messages.parent / "project").exists()


def test_keys_answer_go_back_and_stop(messages: Path) -> None:
    contents: list[str] = []

    def ask(question: KeyQuestion) -> KeyAnswer:
        contents.append(question.content)
        script = {2: KeyAnswer("back"), 5: KeyAnswer("not_sure"), 9: KeyAnswer("stop")}
        return script.get(len(contents), KeyAnswer("label", name_truth(question.content)))

    options = parse(LabelOptions, classes=",".join(KINDS), interactive=True)
    step = label_by_keys(messages, messages.parent / "project", options, ask)
    assert contents[2] == contents[0] and contents[3] == contents[1] and len(set(contents)) == 7
    assert (step.n_read, sum(step.answers.values()), step.n_not_sure, step.to_judge) == (6, 5, 1, None)


def test_the_command_prints_what_it_knows_and_never_an_accuracy_without_judged_examples(messages: Path) -> None:
    arguments = ["label", str(messages), "--classes", ",".join(KINDS), "-o", str(messages.parent / "project")]
    first = CliRunner().invoke(app, arguments)
    assert first.exit_code == 0 and "right" not in first.stderr and "to_judge.xlsx (20 examples)" in first.stderr
    fill_in(messages.parent / "project" / TO_JUDGE)
    second = CliRunner().invoke(app, [*arguments, "--json"])
    assert second.exit_code == 0 and '"n_read": 20' in second.stdout
    assert "20 judged: " in second.stderr and "surely between" in second.stderr


def test_photos_stand_in_the_workbook_and_a_broken_one_is_only_named(tmp_path: Path) -> None:
    Image.new("RGB", (400, 200), "green").save(tmp_path / "leaf.jpg")
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    with Project.create(tmp_path / "project") as project:
        new = [
            NewExample(name=name, content_hash=f"{at:064d}", path=tmp_path / name)
            for at, name in enumerate(("leaf.jpg", "broken.jpg"))
        ]
        project.add_examples(new)
        write_judging_file(tmp_path / "to_judge.xlsx", project.list_examples(), [KindDescription("rust")])
    sheet = openpyxl.load_workbook(tmp_path / "to_judge.xlsx")["to judge"]
    assert [picture.anchor._from.row for picture in sheet._images] == [1]
    assert sheet["B2"].hyperlink.target.endswith("leaf.jpg") and sheet["B3"].value.endswith("broken.jpg")
