"""The project's own demo data: images, texts and series that every installation has.

This room writes the three data sets into a folder and does nothing else: it reads no user data and trains nothing.
"""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile

__all__ = ["write_demo_data"]


def write_demo_data(folder: Path) -> dict[str, Path]:
    """Write the three demo data sets, the same bytes every time.

    Parameters
    ----------
    folder : Path
        Made if it does not exist; receives `digits/`, `feedback.csv` and `crops.csv`, and nothing else.

    Returns
    -------
    dict of str to Path
        Modality ("image", "text", "series") to what `headstart adapt` can be given.

    Raises
    ------
    MissingExtra
        Without scikit-learn, which ships the handwritten digits.
    """
    from headstart.demo import digits, series

    folder.mkdir(parents=True, exist_ok=True)
    text = folder / "feedback.csv"
    copyfile(Path(__file__).with_name("feedback.csv"), text)
    return {
        "image": digits.write_digits(folder / "digits"),
        "text": text,
        "series": series.write_crops(folder / "crops.csv"),
    }
