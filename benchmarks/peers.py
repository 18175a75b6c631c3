"""Other tools on the same rows and the same weights, used as their own documentation shows.

One tool a process; prints one JSON document with accuracy, macro-F1 and the seconds of loading, learning and predicting
(imports aside; the caller measures the whole process). No choice is made by test rows.
Usage: `python benchmarks/peers.py fastai|sentence-transformers|aeon PATH [EPOCHS]`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import material
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score


def fastai(path: Path, epochs: int) -> tuple[Sequence[str], Sequence[str]]:
    """`vision_learner(...).fine_tune(10)` with the documented augmentations; a fifth of the training rows validates."""
    from weights import lite0  # first: it makes torchvision importable everywhere

    from fastai.vision.all import (  # isort: skip
        ImageDataLoaders,
        Normalize,
        Resize,
        aug_transforms,
        set_seed,
        vision_learner,
    )

    set_seed(0, reproducible=True)
    split = material.images(path)
    loaders = ImageDataLoaders.from_path_func(
        path,
        split.train,
        lambda file: file.parent.name,
        valid_pct=0.2,
        seed=0,
        bs=min(64, max(2, len(split.train) // 4)),
        num_workers=0,
        item_tfms=Resize(224),
        batch_tfms=[*aug_transforms(), Normalize.from_stats([0.5] * 3, [0.5] * 3)],
    )
    learner = vision_learner(loaders, lite0)
    with learner.no_bar(), learner.no_logging():
        learner.fine_tune(epochs)
        told, _ = learner.get_preds(dl=loaders.test_dl(split.test))
    return split.test_labels, [loaders.vocab[code] for code in told.argmax(1).tolist()]


def sentence_transformers(path: Path, epochs: int) -> tuple[Sequence[str], Sequence[str]]:
    """all-MiniLM-L6-v2 sentence vectors and scikit-learn's logistic regression."""
    from weights import minilm_folder  # first: it makes torchvision importable everywhere

    from sentence_transformers import SentenceTransformer  # isort: skip

    split = material.texts(path)
    encoder = SentenceTransformer(minilm_folder(), device="cpu")
    train, test = (encoder.encode(part, show_progress_bar=False) for part in (split.train, split.test))
    model = LogisticRegression(max_iter=1000).fit(train, split.train_labels)
    return split.test_labels, list(model.predict(test))


def aeon(path: Path, epochs: int) -> tuple[Sequence[str], Sequence[str]]:
    """MiniRocketClassifier with its defaults; series must have one length and no gaps."""
    from aeon.classification.convolution_based import MiniRocketClassifier

    split = material.series(path)
    train, test = np.stack(split.train), np.stack(split.test)
    model = MiniRocketClassifier(random_state=0).fit(train, np.array(split.train_labels))
    return split.test_labels, list(model.predict(test))


PEERS: dict[str, Callable[[Path, int], tuple[Sequence[str], Sequence[str]]]] = {
    "fastai": fastai,
    "sentence-transformers": sentence_transformers,
    "aeon": aeon,
}


def main(name: str, path: str, epochs: str = "10") -> None:
    """Measure one tool on one set and print."""
    began = time.perf_counter()
    truth, told = PEERS[name](Path(path), int(epochs))
    document = {
        "peer": name,
        "accuracy": accuracy_score(truth, told),
        "macro_f1": f1_score(truth, told, average="macro"),
        "seconds": time.perf_counter() - began,
        "n_test": len(truth),
    }
    print(json.dumps(document))


if __name__ == "__main__":
    main(*sys.argv[1:])
