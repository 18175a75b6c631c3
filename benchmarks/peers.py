"""Other tools on the same rows and the same weights, used as their own documentation shows.

One tool a process; prints one JSON document with what it said for every test row, in order. Where the tool is not
installed the document says so. No choice is made by test rows. Seeds are fixed by the caller.
Usage: `python benchmarks/peers.py NAME PATH [SEED]`; the names stand in `PEERS`.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import material
import numpy as np

EPOCHS = 10
MOST_PAIRS = 800
"""SetFit's pairs: 20 iterations of two pairs a text as in its paper, fewer where that would be more than these (about
as many as it makes by itself of 5 texts of each of 6 classes)."""


def _batch(n_rows: int, most: int) -> int:
    """Give a batch size that leaves at least four steps an epoch."""
    return min(most, max(4, n_rows // 4))


def fastai(split: material.Split, seed: int) -> Sequence[str]:
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

    set_seed(seed, reproducible=True)
    loaders = ImageDataLoaders.from_path_func(
        ".",
        split.train,
        lambda file: file.parent.name,
        valid_pct=0.2,
        seed=seed,
        bs=_batch(len(split.train), 64),
        num_workers=0,
        item_tfms=Resize(224),
        batch_tfms=[*aug_transforms(), Normalize.from_stats([0.5] * 3, [0.5] * 3)],
    )
    learner = vision_learner(loaders, lite0)
    with learner.no_bar(), learner.no_logging():
        learner.fine_tune(EPOCHS)
        told, _ = learner.get_preds(dl=loaders.test_dl(split.test))
    return [loaders.vocab[code] for code in told.argmax(1).tolist()]


def full_fine_tune(split: material.Split, seed: int) -> Sequence[str]:
    """All weights by AdamW: 10 epochs, warm-up and cosine, crops, flips and colours; channels last, which is faster."""
    from weights import lite0  # first: it makes torchvision importable everywhere

    import torch  # isort: skip
    from PIL import Image
    from torchvision import transforms

    torch.manual_seed(seed)
    classes, codes = np.unique(split.train_labels, return_inverse=True)
    ends = [transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)]
    learning = transforms.Compose(
        [
            transforms.RandomResizedCrop(224, scale=(0.5, 1.0)),
            transforms.RandomHorizontalFlip(),
            transforms.ColorJitter(0.2, 0.2, 0.2),
            *ends,
        ]
    )
    testing = transforms.Compose([transforms.Resize((224, 224), transforms.InterpolationMode.BICUBIC), *ends])

    def taken(pictures: Sequence[Any], transform: Callable[[Any], Any]) -> Any:
        return torch.stack([transform(picture) for picture in pictures]).to(memory_format=torch.channels_last)

    pictures = [Image.open(path).convert("RGB") for path in split.train]
    truth, size = torch.from_numpy(codes), _batch(len(codes), 32)
    network = lite0()
    network.reset_classifier(len(classes))
    network.to(memory_format=torch.channels_last)
    starts = range(0, len(codes) - 1, size)  # A last batch of one row would upset batch normalisation.
    optimiser = torch.optim.AdamW(network.parameters(), lr=5e-4, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 5e-4, len(starts) * EPOCHS, pct_start=0.1)
    network.train()
    for _ in range(EPOCHS):
        order = torch.randperm(len(codes))
        for start in starts:
            rows = order[start : start + size]
            loss = torch.nn.functional.cross_entropy(
                network(taken([pictures[row] for row in rows.tolist()], learning)), truth[rows]
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    network.eval()
    told: list[str] = []
    with torch.inference_mode():
        for start in range(0, len(split.test), 32):
            opened = [Image.open(path).convert("RGB") for path in split.test[start : start + 32]]
            told += classes[network(taken(opened, testing)).argmax(1).numpy()].tolist()
    return told


def setfit(split: material.Split, seed: int) -> Sequence[str]:
    """SetFit's contrastive fine-tune of all-MiniLM-L6-v2, one epoch in batches of 16, and its own head."""
    from weights import minilm_folder  # first: it makes torchvision importable everywhere

    return _setfit(minilm_folder(), split, seed)


def setfit_e5(split: material.Split, seed: int) -> Sequence[str]:
    """The same of multilingual-e5-small."""
    from weights import e5_folder

    with tempfile.TemporaryDirectory() as folder:
        return _setfit(e5_folder(Path(folder)), split, seed)


def _setfit(base: str, split: material.Split, seed: int) -> Sequence[str]:
    from setfit import SetFitModel, Trainer, TrainingArguments  # isort: skip
    from datasets import Dataset

    iterations = max(1, min(20, MOST_PAIRS // (2 * len(split.train))))
    model = SetFitModel.from_pretrained(base, labels=sorted(set(split.train_labels)), device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            batch_size=16,
            num_epochs=1,
            num_iterations=iterations,
            seed=seed,
            report_to="none",
            save_strategy="no",
            show_progress_bar=False,
        )
        given = Dataset.from_dict({"text": split.train, "label": split.train_labels})
        Trainer(model=model, args=arguments, train_dataset=given).train()
    return [str(label) for label in model.predict(split.test)]


def sentence_transformers(split: material.Split, seed: int) -> Sequence[str]:
    """all-MiniLM-L6-v2 sentence vectors and scikit-learn's logistic regression."""
    from weights import minilm_folder  # first: it makes torchvision importable everywhere

    from sentence_transformers import SentenceTransformer  # isort: skip
    from sklearn.linear_model import LogisticRegression

    encoder = SentenceTransformer(minilm_folder(), device="cpu")
    train, test = (encoder.encode(part, show_progress_bar=False) for part in (split.train, split.test))
    return list(LogisticRegression(max_iter=1000).fit(train, split.train_labels).predict(test))


def tf_idf(split: material.Split, seed: int) -> Sequence[str]:
    """Words and pairs of words, pieces of 2 to 5 letters, and scikit-learn's logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    model = make_pipeline(make_union(words, pieces), LogisticRegression(C=10.0, max_iter=1000))
    return list(model.fit(split.train, split.train_labels).predict(split.test))


def _of_aeon(model: Any, split: material.Split) -> Sequence[str]:
    """Fit and predict; series must have one length and no gaps."""
    model.fit(np.stack(split.train), np.array(split.train_labels))
    return list(model.predict(np.stack(split.test)))


def minirocket(split: material.Split, seed: int) -> Sequence[str]:
    """aeon's MiniRocketClassifier with its defaults."""
    from aeon.classification.convolution_based import MiniRocketClassifier

    return _of_aeon(MiniRocketClassifier(random_state=seed, n_jobs=_threads()), split)


def multirocket_hydra(split: material.Split, seed: int) -> Sequence[str]:
    """aeon's MultiRocketHydraClassifier with its defaults."""
    from aeon.classification.convolution_based import MultiRocketHydraClassifier

    return _of_aeon(MultiRocketHydraClassifier(random_state=seed, n_jobs=_threads()), split)


def quant(split: material.Split, seed: int) -> Sequence[str]:
    """aeon's QUANTClassifier with its defaults."""
    from aeon.classification.interval_based import QUANTClassifier

    return _of_aeon(QUANTClassifier(random_state=seed), split)


def _threads() -> int:
    return int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1))


Tool = Callable[[material.Split, int], Sequence[str]]
PEERS: dict[str, tuple[Tool, Callable[[Path], material.Split], str]] = {
    "fastai": (fastai, material.images, "fastai"),
    "full-fine-tune": (full_fine_tune, material.images, "torch"),
    "setfit": (setfit, material.texts, "setfit"),
    "setfit-e5": (setfit_e5, material.texts, "setfit"),
    "sentence-transformers": (sentence_transformers, material.texts, "sentence-transformers"),
    "tf-idf": (tf_idf, material.texts, "scikit-learn"),
    "minirocket": (minirocket, material.series, "aeon"),
    "multirocket-hydra": (multirocket_hydra, material.series, "aeon"),
    "quant": (quant, material.series, "aeon"),
}
"""How each is used, how its rows are read, and the package whose version is told."""


def main(name: str, path: str, seed: str = "0") -> None:
    """Run one tool on one set and print; whatever the tool itself prints goes to standard error."""
    tool, read, package = PEERS[name]
    split = read(Path(path))
    document: dict[str, object] = {"peer": name}
    try:
        with contextlib.redirect_stdout(sys.stderr):
            told = tool(split, int(seed))
    except ModuleNotFoundError as error:
        document["missing"] = error.name
    else:
        document |= {"told": [str(label) for label in told], "truth": split.test_labels}
        with contextlib.suppress(PackageNotFoundError):
            document["version"] = f"{package} {version(package)}"
    print(json.dumps(document))


if __name__ == "__main__":
    main(*sys.argv[1:])
