"""Learn to sort short messages, ask about a new one, keep the model and load it again.

python examples/learn_from_texts.py messages.csv            # columns text,label
python examples/learn_from_texts.py                         # the demo messages
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import headstart as hs
from headstart import demo

STRATEGIES = ("majority", "classic", "linear-probe", "blend")  # without it, also a network from scratch: minutes


def main(table: Path, folder: Path) -> list[str]:
    """Learn from `table`, keep the model in `folder`, and give the labels of two new messages."""
    model = hs.adapt(hs.read(table), strategy=STRATEGIES)
    print(model.result.verdict.sentence)
    model.save(folder / "model")
    again = hs.load(folder / "model")
    messages = ["the tap gives no water since Monday", "our teacher did not come today"]
    labels = [str(label) for label in again.predict(messages)]
    for message, label in zip(messages, labels, strict=True):
        print(f"{label}: {message}")
    return labels


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        given = Path(sys.argv[1]) if len(sys.argv) > 1 else demo.write_demo_data(Path(made, "demo"))["text"]
        main(given, Path(made))
