"""Which distance tells rows of a class that was left out of training? Scores of the literature beside the product's.

`python benchmarks/none_of_these.py [--data FOLDER] [--rows FOLDER] [--sets NAME ...] [--results FOLDER]`
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import machine
import material
import numpy as np
from tables import keep, table

from headstart import bases, data, features
from headstart.decisions import out_of_distribution as ood
from headstart.flow.base_choice.choose import state_need
from headstart.options import AdaptOptions
from headstart.records import TEST, TRAIN

CHOSEN = {
    "image": ("potato_leaf", "natural_scenes", "omniglot_small"),
    "text": ("masakhanews/lug.csv", "masakhanews/ibo.csv"),
    "series": tuple(f"ucr/{name}.parquet" for name in (
        "SyntheticControl", "DistalPhalanxOutlineAgeGroup", "Plane", "Trace", "InsectEPGRegularTrain",
    )),
}  # fmt: skip
JUDGED = {
    "image": ("sign_digits", "corn_leaf", "butterflies"),
    "text": tuple(f"masakhanews/{language}.csv" for language in ("eng", "swa", "yor", "hau")),
    "series": tuple(f"ucr/{name}.parquet" for name in (
        "SwedishLeaf", "MedicalImages", "ArrowHead", "ECG5000", "CBF", "FaceFour", "Lightning7", "Crop",
    )),
}  # fmt: skip
LIMITS = {"text": (600, 400), "image": (900, 600), "series": (900, 600)}
MORE = {"butterflies": (1200, 600), "omniglot_small": (1200, 600), "ucr/Crop.parquet": (1200, 800)}
N_ROWS, N_DRAWS, MOST_CLASSES, MOST_LEFT_OUT, MOST_DIMS, SHRINKAGE = (20, 100, 400), 3, 16, 8, 128, 0.3
Row = tuple[str, int, str, int, str, float]
"""Set, draw, class left out, training rows, score, AUROC."""
CELLS = {
    "current": "product (angle)", "maha0.3": "Mahalanobis, shrunken", "rmaha0.3": "relative Mahalanobis",
    "knn3": "3 nearest rows", "energy": "energy", "energy_cc": "energy, scaled by class", "vim": "ViM",
    "msp": "largest probability", "ms_last2": "angle, three stages", "current+maha0.3": "ranks: angle + Mahalanobis",
    "current+vim": "ranks: angle + ViM",
}  # fmt: skip


def auroc(ordinary: np.ndarray, foreign: np.ndarray) -> float:
    """Give the share of pairs in which the foreign row scores higher."""
    return float(((foreign[:, None] > ordinary) + 0.5 * (foreign[:, None] == ordinary)).mean())


def read(path: Path, name: str, modality: str) -> dict[str, np.ndarray]:
    """Read features of all stages, labels, and which rows are test rows, of some rows of each side."""
    options = AdaptOptions(offline=True)
    whole = data.assign_splits(data.read_table(path / name, options), options)
    rng, limits = np.random.default_rng(0), MORE.get(name, LIMITS[modality])
    sides = zip((TRAIN, TEST), limits, strict=True)
    parts = [np.sort(rng.permutation(np.flatnonzero(whole.splits == side))[:most]) for side, most in sides]
    some, wanted = whole.take(np.concatenate(parts)), frozenset({"features", "stages"})
    made = features.extract_features(some, bases.load_base("default", state_need(some, options)), uses=wanted)
    kept = some.take(made.readable_rows)
    stages = {stage: values.astype(np.float16).astype(np.float32) for stage, values in made.features.stages.items()}
    return {"final": made.features.final, "labels": kept.labels.astype(str), "test": kept.splits == TEST, **stages}


def angle(learnt: np.ndarray, codes: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Give the product's distance."""
    space = ood._fit_space(learnt, codes)
    return ood._distances(space.project(asked), *ood._places_and_means(space, learnt, codes))


def squared(rows: np.ndarray, means: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """Give squared Mahalanobis distances (n_rows, n_means)."""
    return np.stack([np.einsum("ij,jk,ik->i", rows - mean, inverse, rows - mean) for mean in means], 1)


def energy(logits: np.ndarray) -> np.ndarray:
    """Give the free energy (Liu et al. 2020): high where no class fits."""
    top = logits.max(1)
    return np.asarray(-np.log(np.exp(logits - top[:, None]).sum(1)) - top)


def gaussian_scores(learnt: np.ndarray, codes: np.ndarray, asked: np.ndarray) -> dict[str, np.ndarray]:
    """Give scores of shrunken Gaussian classes on rows of length one, in at most 128 principal directions."""
    known, new = (ood.normalize_rows(rows).astype(float) for rows in (learnt, asked))
    centre = known.mean(0)
    known, new = known - centre, new - centre
    _, strengths, directions = np.linalg.svd(known, full_matrices=False)
    n_dims = min(int((strengths > 1e-4 * strengths[0]).sum()), MOST_DIMS)
    basis = directions[:n_dims].T
    inside, asked_inside = known @ basis, new @ basis
    rest = np.sqrt(np.maximum(np.square(new).sum(1) - np.square(asked_inside).sum(1), 0))
    names, numbers = np.unique(codes, return_inverse=True)
    means = np.stack([inside[codes == name].mean(0) for name in names])
    within = inside - means[numbers]
    within = within if np.square(within).sum() > 1e-9 else inside
    inverses = []
    for rows in (within, inside):
        spread = rows.T @ rows / len(rows)
        even = np.trace(spread) / n_dims * np.eye(n_dims)
        inverses.append(np.linalg.inv((1 - SHRINKAGE) * spread + SHRINKAGE * even))
    to_means = squared(asked_inside, means, inverses[0])
    background = squared(asked_inside, np.zeros((1, n_dims)), inverses[1])[:, 0]
    scale = float(np.std(-0.5 * to_means)) or 1.0
    logits = (to_means.mean(1, keepdims=True) - to_means) / scale
    own = squared(inside, means, inverses[0])
    counts = np.bincount(numbers)
    typical = np.array([own[numbers == code, code].mean() for code in range(len(names))])
    typical = (typical * counts + 5 * typical.mean()) / (counts + 5)
    main = max(1, n_dims // 2)
    outside = np.sqrt(np.square(asked_inside[:, main:]).sum(1) + rest**2)
    typical_outside = max(float(np.sqrt(np.square(inside[:, main:]).sum(1)).mean()), 1e-9)
    own_logits = (own.mean(1, keepdims=True) - own) / scale
    probabilities = np.exp(logits - logits.max(1, keepdims=True))
    cosines = np.sort(ood.normalize_rows(new) @ ood.normalize_rows(known).T, 1)
    return {
        "maha0.3": to_means.min(1), "rmaha0.3": to_means.min(1) - background, "energy": energy(logits),
        "energy_cc": energy(-to_means / typical / 2), "knn3": 1 - cosines[:, -3:].mean(1),
        "msp": -(probabilities.max(1) / probabilities.sum(1)),
        "vim": own_logits.max(1).mean() / typical_outside * outside + energy(logits),
    }  # fmt: skip


def ranks(scores: np.ndarray) -> np.ndarray:
    """Give ranks."""
    return np.argsort(np.argsort(scores, kind="stable"), kind="stable")


def all_scores(
    read_rows: Mapping[str, np.ndarray], learnt: np.ndarray, asked: np.ndarray, codes: np.ndarray
) -> dict[str, np.ndarray]:
    """Give every score of the rows `asked`; higher is farther."""
    found = {"current": angle(read_rows["final"][learnt], codes, read_rows["final"][asked])}
    found |= gaussian_scores(read_rows["final"][learnt], codes, read_rows["final"][asked])
    stages = sorted((name for name in read_rows if name.startswith("stage-")), key=lambda name: int(name[6:]))[-2:]
    if stages:
        parts = [angle(read_rows[stage][learnt], codes, read_rows[stage][asked]) for stage in stages]
        found["ms_last2"] = found["current"] + sum(parts)
    for other in ("maha0.3", "vim"):
        found[f"current+{other}"] = ranks(found["current"]) + ranks(found[other])
    return found


def measure(name: str, read_rows: Mapping[str, np.ndarray]) -> list[Row]:
    """Leave classes out in turn, three draws of each number of training rows."""
    labels, is_test, found = read_rows["labels"], read_rows["test"], list[Row]()
    for draw in range(N_DRAWS):
        rng = np.random.default_rng(draw)
        names = np.unique(labels[~is_test])
        names = np.sort(rng.choice(names, MOST_CLASSES, replace=False)) if len(names) > MOST_CLASSES else names
        used = np.isin(labels, names)
        left_out = names if len(names) <= MOST_LEFT_OUT else rng.choice(names, MOST_LEFT_OUT, replace=False)
        for left, n_rows in product(left_out, N_ROWS):
            learnt = rng.permutation(np.flatnonzero(used & ~is_test & (labels != left)))[:n_rows]
            asked = np.flatnonzero(used & is_test)
            codes, foreign = np.unique(labels[learnt], return_inverse=True)[1], labels[asked] == left
            if codes.max() < 1 or foreign.sum() < 2 or (n_rows > 100 and len(learnt) <= 100):
                continue
            for score, values in all_scores(read_rows, learnt, asked, codes).items():
                found.append((name, draw, str(left), n_rows, score, auroc(values[~foreign], values[foreign])))
    return found


def summarise(rows: Sequence[Row], names: Sequence[str]) -> list[dict[str, object]]:
    """Give a row a score: mean AUROC over sets, and the difference to the product's with its interval over sets."""
    product_of = {row[:4]: row[5] for row in rows if row[4] == "current"}
    lines = []
    for score, title in CELLS.items():
        of_score = [row for row in rows if row[4] == score]
        by_set = {
            name: [(row[5], row[5] - product_of[row[:4]]) for row in of_score if row[0] == name] for name in names
        }
        means = np.array([np.mean(pairs, axis=0) for pairs in by_set.values() if pairs])
        if not len(means):
            continue
        rng = np.random.default_rng(0)
        draws = means[rng.integers(0, len(means), (2000, len(means))), 1].mean(1)
        low, high = np.quantile(draws, [0.025, 0.975])
        lines.append({
            "score": title, "AUROC": f"{means[:, 0].mean():.3f}",
            "minus product": f"{means[:, 1].mean():+.3f} ({low:+.3f} to {high:+.3f})",
            "worst set": f"{means[:, 1].min():+.3f}",
            **{f"{n} rows": f"{np.mean([row[5] - product_of[row[:4]] for row in of_score if row[3] == n]):+.3f}"
               for n in N_ROWS if any(row[3] == n for row in of_score)},
        })  # fmt: skip
    return lines


LEGEND = (
    "Each class (at most 8 a draw) is left out of training in turn. AUROC: share of pairs in which a test row of that "
    "class scores higher than one of the others; mean over classes, three draws and 20, 100 and 400 training rows, "
    "then over sets. The difference to the product's score has a bootstrap interval over sets; with few sets it may "
    "be narrow by chance. Sums of ranks use ranks among the test rows. Sets with more than 16 classes: 16 drawn."
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure; what `--rows` holds already is not measured again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--rows", type=Path, default=Path(".none-of-these"))
    parser.add_argument("--sets", nargs="*", help="only these")
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    given = parser.parse_args(arguments)
    given.rows.mkdir(parents=True, exist_ok=True)
    for role, sets in (("sets that chose", CHOSEN), ("sets that judge", JUDGED)):
        for modality, names in sets.items():
            rows, measured = list[Row](), list[str]()
            for name in names:
                file = given.rows / f"{name.replace('/', '_').split('.')[0]}.json"
                wanted = (given.data / name).exists() and (not given.sets or name in given.sets)
                if not file.exists() and wanted:
                    file.write_text(json.dumps(measure(name, read(given.data, name, modality))), "utf-8")
                if file.exists():
                    measured.append(name)
                    rows += [(name, *row[1:]) for row in json.loads(file.read_text("utf-8"))]
            if rows:
                listed = ", ".join(name.split(".")[0] for name in measured)
                body = f"{machine.describe()}\n\n{LEGEND}\n\nSets: {listed}.\n\n{table(summarise(rows, measured))}"
                keep(given.results, f"A class left out: {modality}, {role}", body)


if __name__ == "__main__":
    main()
