"""False calls and power of verdicts over folds, beside one hold-out with the same number of trainings.

Each world is a labelled set of 300 (or other) images of three classes and two arms that differ in which features they
see; the two sets of features are exchangeable where the arms are equal, so equality holds exactly. An arm is a real
learner, ridge regression on the features or on random ReLU features whose weights are drawn for each fold
and seed, as in a training here, so overlap of training sets, shared test images and shared seeds come from the data and
not from a formula. Judged are the program's verdict over folds, Nadeau & Bengio's corrected t over K folds and over all
K x S runs (Bouckaert & Frank 2004), and one hold-out of 1/K with K x S seeds by the program's verdict for those.

`python benchmarks/fold_verdicts.py`: percent of worlds in which the arms are called different, and the mean half width
in points; 2,000 worlds with equal arms, 500 with a gain.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from azeotrope.record.clusters import pack_clusters
from azeotrope.record.facts import FoldFacts, StudentFacts, TaskFacts
from azeotrope.record.folds import pooled
from azeotrope.record.run import RunRecord, pack_correctness
from azeotrope.verdicts.verdict import verdict

CLASSES = 3
EQUAL, APART = (2.0, 2.0), (1.7, 2.5)
"""How far class means lie apart along the features that only one arm sees."""
GROUP_SHIFT = 0.7
SHARED = 1.5  # the same along those that both see
FIRST_SEED = 90_600  # of the worlds: `WIDER` was chosen on the 600 before, of the kinds 4 and 6
Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class Kind:
    """A learner: `hidden` random features (0: the features themselves), the `ridge`, `dims` features of each sort.

    `train`: it takes so many images, of each class alike, drawn by the seed and for all folds alike but for their test
    images, as `data.division.subset` does; 0: all. `collapse`: the share of trainings that answer one class for half of
    the images. `groups`: images come in so many groups, whose features are shifted together, whole groups to a fold; 0:
    each for itself.
    """

    name: str
    hidden: int
    ridge: float
    dims: int = 8
    images: int = 300
    folds: int = 5
    train: int = 0
    collapse: float = 0.0
    groups: int = 0


KINDS = (
    Kind("linear", 0, 0.05),
    Kind("linear, 100 images", 0, 0.05, images=100),
    Kind("64 random features", 64, 0.05),
    Kind("16 random features: seeds differ much", 16, 0.05),
    Kind("100 random features of 60", 100, 0.01, dims=30),
    Kind("64 random features, 10 folds", 64, 0.05, folds=10),
    Kind("200 random features: nearly as many as images", 200, 0.005),
    Kind("linear, 15 of 240 images", 0, 0.05, train=15),
    Kind("linear, 30 of 240 images", 0, 0.05, train=30),
    Kind("linear, 60 of 240 images", 0, 0.05, train=60),
    Kind("linear, 120 of 240 images", 0, 0.05, train=120),
    Kind("64 random features, 15 of 240 images", 64, 0.05, train=15),
    Kind("linear, a third of trainings collapse", 0, 0.05, collapse=1 / 3),
    Kind("64 random features, a third collapse, 3 folds", 64, 0.05, folds=3, collapse=1 / 3),
    Kind("64 random features, one in ten collapses", 64, 0.05, collapse=0.1),
    Kind("linear, one group a fold", 0, 0.05, groups=5),
    Kind("linear, 3 groups in 3 folds", 0, 0.05, folds=3, groups=3),
    Kind("linear, two groups a fold", 0, 0.05, groups=10),
    Kind("linear, three groups a fold", 0, 0.05, groups=15),
    Kind("linear, six groups a fold", 0, 0.05, groups=30),
)


class World:
    """One labelled set and its two arms."""

    def __init__(self, kind: Kind, apart: tuple[float, float], seed: int) -> None:
        self.kind, self.seed = kind, seed
        rng = np.random.default_rng(seed)
        self.labels = rng.integers(CLASSES, size=kind.images)
        base, own = (_directions(rng, kind.dims) for _ in range(2))
        means = np.concatenate([SHARED * base, apart[0] * own, apart[1] * own], axis=1)
        self.features = means[self.labels] + rng.normal(size=(kind.images, means.shape[1]))
        self.group = None
        if kind.groups:
            self.group = np.arange(kind.images) % kind.groups
            self.features += GROUP_SHIFT * rng.normal(size=(kind.groups, means.shape[1]))[self.group]
            self.fold = self.group % kind.folds
            return
        self.fold = np.empty(kind.images, np.int64)
        for label in range(CLASSES):
            rows = rng.permutation(np.flatnonzero(self.labels == label))
            self.fold[rows] = (np.arange(len(rows)) + rng.integers(kind.folds)) % kind.folds

    def right(self, arm: int, fold: int, seed: int) -> Bits:
        """Which test images of a fold a training of one seed has right."""
        dims, test = self.kind.dims, self.fold == fold
        columns = np.r_[0:dims, (1 + arm) * dims : (2 + arm) * dims]
        inputs = self._seen(self.features[:, columns], arm, fold, seed)
        chosen = self._chosen(fold, seed)
        inputs = inputs - inputs[chosen].mean(axis=0)
        train, wanted = inputs[chosen], np.eye(CLASSES)[self.labels[chosen]]
        gram = train.T @ train + self.kind.ridge * len(train) * np.eye(train.shape[1])
        answers = inputs[test] @ np.linalg.solve(gram, train.T @ (wanted - wanted.mean(axis=0))) + wanted.mean(axis=0)
        said = answers.argmax(axis=1)
        luck = np.random.default_rng((self.seed, 1 + seed, arm, fold, 7))
        if luck.random() < self.kind.collapse:
            said[luck.random(len(said)) < 0.5] = luck.integers(CLASSES)
        return np.asarray(said == self.labels[test])

    def _chosen(self, fold: int, seed: int) -> NDArray[np.int64]:
        """The images that train: all outside the fold, or the first `train` of the seed's order."""
        left = np.flatnonzero(self.fold != fold)
        if not self.kind.train:
            return left
        order = np.random.default_rng((self.seed, 1 + seed, 5)).permutation(self.kind.images)
        first = left[np.argsort(order[left])]
        each = [first[self.labels[first] == label][: self.kind.train // CLASSES] for label in range(CLASSES)]
        return np.concatenate(each)

    def _seen(self, inputs: NDArray[np.float64], arm: int, fold: int, seed: int) -> NDArray[np.float64]:
        if not self.kind.hidden:
            return inputs
        rng = np.random.default_rng((self.seed, 1 + seed, arm, fold))
        weights = rng.normal(size=(inputs.shape[1], self.kind.hidden)) / inputs.shape[1] ** 0.5
        return np.maximum(inputs @ weights + rng.normal(size=self.kind.hidden), 0)


def _directions(rng: np.random.Generator, dims: int) -> NDArray[np.float64]:
    drawn = rng.normal(size=(CLASSES, dims))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


def record(world: World, arm: int, seed: int, right: Bits, fold: FoldFacts | None = None, tested: int = 0) -> RunRecord:
    """A run with this outcome on fold `tested`."""
    kind = world.kind
    groups = None if world.group is None else pack_clusters(world.group[world.fold == tested])
    return RunRecord(
        run_id=f"{arm}-{seed}-{fold}",
        state="done",
        task=TaskFacts(name="made up", fingerprint="f", classes=("a", "b", "c")),
        strategy="scratch",
        arm=str(arm),
        student=StudentFacts(name="ridge", parameters=1),
        init="random",
        train_images=kind.train or kind.images - kind.images // kind.folds,
        seed=seed,
        fold=fold,
        test_error=float(1 - right.mean()),
        test_images=len(right),
        correct=pack_correctness(right),
        clusters=groups,
    )


def over_folds(world: World, seeds: int) -> list[list[RunRecord]]:
    """The runs of both arms over all folds, pooled."""
    folds = world.kind.folds
    return [
        pooled(
            record(
                world,
                arm,
                seed,
                world.right(arm, fold, seed),
                FoldFacts(number=fold + 1, of=folds, over_folds=f"{arm}-{seed}"),
                fold,
            )
            for seed in range(seeds)
            for fold in range(folds)
        )
        for arm in (0, 1)
    ]


def held_out(world: World, seeds: int) -> list[list[RunRecord]]:
    """As many trainings, all of them tested on one fold."""
    runs = range(seeds * world.kind.folds)
    return [[record(world, arm, seed, world.right(arm, 0, seed)) for seed in runs] for arm in (0, 1)]


def calls(world: World, seeds: int) -> dict[str, tuple[bool, float]]:
    """Whether each rule calls the arms different, and the half width of its interval."""
    folded, held = over_folds(world, seeds), held_out(world, seeds)
    found = {}
    for name, (a, b) in {"folds": folded, "hold-out": held}.items():
        one = verdict(a, b)
        assert one.difference is not None
        found[name] = (one.verdict != "INCONCLUSIVE", (one.difference.high - one.difference.low) / 2)
    errors = np.array([[[part.test_error for part in run.parts] for run in arm] for arm in folded])  # type: ignore[attr-defined]
    gaps = errors[0] - errors[1]
    found["Nadeau & Bengio, K folds"] = corrected(gaps.mean(axis=0), world.kind.folds)
    found["the same, K x S runs"] = corrected(gaps.ravel(), world.kind.folds)
    return found


def corrected(values: NDArray[np.float64], folds: int) -> tuple[bool, float]:
    """Nadeau & Bengio 2003, eq. 9, with n_test / n_train = 1 / (K - 1)."""
    variance = float(values.var(ddof=1)) * (1 / len(values) + 1 / (folds - 1))
    half = float(special.stdtrit(len(values) - 1, 0.975)) * variance**0.5
    return abs(float(values.mean())) > half, half


def rows(equal: int, gain: int, kinds: tuple[Kind, ...]) -> Iterator[str]:
    """A line a kind of world and number of seeds."""
    for kind in kinds:
        for seeds in (1, 3):
            said = []
            for what, apart, worlds in (("equal", EQUAL, equal), ("gain", APART, gain)):
                every = [calls(World(kind, apart, seed), seeds) for seed in range(FIRST_SEED, FIRST_SEED + worlds)]
                for rule in every[0]:
                    share = 100 * float(np.mean([one[rule][0] for one in every]))
                    half = 100 * float(np.mean([one[rule][1] for one in every]))
                    said.append(f"{rule} {share:.1f} % (± {half:.1f})")
                yield f"{kind.name}, {seeds} seed(s), {what}: {'; '.join(said)}"
                said = []


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--equal", type=int, default=2000, help="worlds with equal arms")
    parser.add_argument("--gain", type=int, default=500, help="worlds in which one arm is better")
    parser.add_argument("--kind", type=int, default=None, help="only this one, from 0")
    asked = parser.parse_args()
    for row in rows(asked.equal, asked.gain, KINDS if asked.kind is None else (KINDS[asked.kind],)):
        print(row, flush=True)


if __name__ == "__main__":
    main()
