"""Make the pictures of README and docs from a finished demo: `python tools/pictures.py DEMO` (needs Chromium)."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 960, 1000
MODALITIES = ("image", "text", "series")


def main() -> int:
    """Take a picture of the first screen of each report of the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("demo", type=Path)
    demo = parser.parse_args().demo.absolute()
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        print("No Chromium was found.", file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    for modality in MODALITIES:
        out = FOLDER / f"report-{modality}.png"
        page = (demo / modality / "report.html").as_uri()
        subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             f"--window-size={WIDTH},{HEIGHT}",
             f"--screenshot={out}", page],
            check=True, capture_output=True,
        )  # fmt: skip
        print(out.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
