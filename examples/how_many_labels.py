"""How good would the model be with fewer labels? The frozen part runs once; each further size takes seconds.

python examples/how_many_labels.py DATA 5 10 20             # any data that `headstart adapt` takes
python examples/how_many_labels.py                          # the handwritten digits of the demo
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import headstart as hs
from headstart import demo

STRATEGIES = ("majority", "classic", "linear-probe")


def main(data: Path, sizes: Sequence[int]) -> dict[int, float]:
    """Print and give the accuracy on the same test rows for each number of labels a class."""
    table = hs.read(data)
    found = {}
    for size in sizes:
        result = hs.adapt(table, labels_per_class=size, strategy=STRATEGIES).result
        figure = result.strategy("linear-probe").test.accuracy
        found[size] = figure.value
        print(f"{size} labels a class: accuracy {figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})")
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        given = Path(sys.argv[1]) if len(sys.argv) > 1 else demo.write_demo_data(Path(made))["image"]
        main(given, [int(size) for size in sys.argv[2:]] or [5, 10, 20])
