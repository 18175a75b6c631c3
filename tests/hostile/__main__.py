"""`python -m tests.hostile [NAME-PART ...] [--sample] [--show]`: run the corpus and say what ended wrongly."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.update(
    {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "0"}
)

from tests.hostile.corpus import list_cases, list_sample
from tests.hostile.known_failures import KNOWN_FAILURES
from tests.hostile.runner import import_rooms, run_cases
from tests.hostile.seeds import make_seeds_apart


def main(arguments: list[str]) -> int:
    """Run what is asked for; the exit code is 1 if anything ended wrongly."""
    parts = [argument for argument in arguments if not argument.startswith("--")]
    names = list_sample() if "--sample" in arguments else list(list_cases())
    names = [name for name in names if not parts or any(part in name for part in parts)]
    began = time.monotonic()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="headstart-hostile-") as scratch:
        seeds = make_seeds_apart(Path(os.environ.get("HOSTILE_SEEDS") or f"{scratch}/seeds"))
        print(f"{len(names)} inputs; their seeds took {time.monotonic() - began:.0f} s", flush=True)
        import_rooms()
        cases = list_cases()
        for outcome in run_cases([cases[name] for name in names], seeds, Path(scratch)):
            known = outcome.name in KNOWN_FAILURES
            if bool(outcome.problems) == known:
                word = "known  " if known else "ok     "
            else:
                word = "WRONG  "
                wrong += 1
            if "--show" in arguments or word == "WRONG  ":
                print(
                    f"{word}{outcome.name} (exit {outcome.code}, {outcome.seconds:.1f} s, {outcome.megabytes:.0f} MB)"
                )
                for problem in outcome.problems or ("it passes, but stands in KNOWN_FAILURES",) * known:
                    print(f"         {problem}", flush=True)
            if "--show" in arguments:
                print("         | " + outcome.text.replace("\n", "\n         | "), flush=True)
    print(f"{len(names)} inputs, {wrong} ended wrongly, {len(KNOWN_FAILURES)} known; {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
