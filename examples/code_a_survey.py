"""A survey as KoboToolbox exports it, half of it coded by a person: learn from that half, and code the rest beside it.

python examples/code_a_survey.py export.xlsx --text comment --code topic   # your own export
python examples/code_a_survey.py                                           # 300 made-up messages in English and Swahili
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

import openpyxl

import headstart as hs
from headstart import demo, flow
from headstart.options import PredictFileOptions, parse

STRATEGIES = ("majority", "classic", "linear-probe")  # more of them cost minutes
QUESTIONS = ("feedback/language", "feedback/comment", "feedback/code", "feedback/coded_by")


def make_export(messages: Path, out: Path, coded: int) -> None:
    """Write messages as an export of a form; a person has coded the first of them."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(("start", *QUESTIONS, "_uuid", "_submission_time"))
    with messages.open(encoding="utf-8", newline="") as handle:
        for number, row in enumerate(csv.DictReader(handle)):
            code, by = (row["label"], "Amina") if number < coded else (None, None)
            day = row.get("date") or "2026-05-01"
            sheet.append([day, row.get("language"), row["text"], code, by, f"uuid-{number}", f"{day}T10:00:00"])
    book.save(out)


def main(export: Path, folder: Path, text: str, code: str, base: str = "auto") -> Path:
    """Learn from the coded rows, code the others, and give the workbook with all codes."""
    model = hs.adapt(hs.read(export, text=text, label=code, unlabelled="drop"), strategy=STRATEGIES, base=base)
    print(model.result.verdict.sentence)
    model.save(folder / "model")
    out = folder / "coded.xlsx"
    flow.predict(folder / "model", [export], out, parse(PredictFileOptions, text=(text,), layout="codes"))
    print(f"Codes, certainty, and who coded what and when: {out}")
    return out


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export", nargs="?", type=Path)
    parser.add_argument("--text", default="comment")
    parser.add_argument("--code", default="code")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        if given.export is None:
            given.export = Path(made, "export.xlsx")
            make_export(demo.write_demo_data(Path(made, "demo"))["text"], given.export, coded=150)
        main(given.export, Path.cwd() / "coded-survey", given.text, given.code)
