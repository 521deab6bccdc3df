"""What helps on unequal classes? Fashion-MNIST made 50:1, trained five ways, judged by the balanced error.

The largest class has LARGEST images of the official training set, the smallest a fiftieth, the others in between by
equal ratios; a fifth of each validates. Test images are the official ones, TEST a class, so that the plain and the
balanced error are the same on test; on validation, where they choose, they are not. Every way is trained by
`azeotrope.compare` on the same seeds and subsets; verdicts are against `metric`, which changes nothing but the choice.

    OMP_NUM_THREADS=1 python benchmarks/imbalance.py --out unequal --largest 1000 --test 1000 --seeds 5
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import fmean

import numpy as np
from PIL import Image

from azeotrope.api.compare import compare
from azeotrope.data.task import open_source
from azeotrope.plan import TeacherSpec
from azeotrope.record.run import RunRecord
from azeotrope.record.storage.store import RunStore
from azeotrope.verdicts.verdict import verdict

RATIO, CLASSES, SMALLEST = 50, 10, "Ankle boot"
BALANCED = {"metric": "balanced_error"}
WAYS: dict[str, dict[str, object]] = {
    "plain": {},
    "metric": BALANCED,
    "weights": {**BALANCED, "class_weights": "auto"},
    "sampling": {**BALANCED, "sampling": "balanced"},
    "adjustment": {**BALANCED, "logit_adjustment": 1.0},
}
TEACHER = TeacherSpec(model="tf_efficientnet_lite0", image_size=64)


def write(folder: Path, largest: int, test: int) -> Path:
    """The pictures as files, and the table of them; returns the table."""
    path = folder / f"unequal-{largest}-{test}.csv"
    if path.exists():
        return path
    source = open_source("fashion-mnist")
    most = {label: round(largest * RATIO ** (-label / (CLASSES - 1))) for label in range(CLASSES)}
    left = {"train": most, "test": dict.fromkeys(range(CLASSES), test)}
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    lines = ["path,label,split"]
    for place, item in enumerate(source.items):
        label, split = int(item.label), item.split or "train"  # type: ignore[arg-type]  # one class an image
        if left[split][label] == 0:
            continue
        left[split][label] -= 1
        file = f"pictures/{place}.png"
        Image.fromarray(np.asarray(source.read(place))).save(folder / file)
        lines.append(f"{file},{source.classes[label]},{split}")
    path.write_text("\n".join(lines), "utf-8")
    return path


def trained(way: str, data: Path, asked: argparse.Namespace) -> dict[str, list[RunRecord]]:
    """The finished runs of this way, by arm, named after both."""
    recipe = {"max_steps": asked.steps} if asked.steps else {}
    out = asked.out / f"{data.stem}-{asked.steps or 'rule'}" / way
    compare(
        data,
        student=asked.student,
        teacher=TEACHER if "distill" in asked.arms else None,
        out=out,
        arms=asked.arms,
        seeds=asked.seeds,
        image_size=32,
        recipe={**recipe, **WAYS[way]},
        cache=asked.out / "cache",
    )
    done = [record for record in RunStore(str(out)) if record.state == "done"]
    arms = asked.arms.split(",")
    return {arm: [run.model_copy(update={"arm": f"{way} {arm}"}) for run in done if run.arm == arm] for arm in arms}


def by_balanced_error(run: RunRecord, like: RunRecord) -> RunRecord:
    """A run that chose by the plain error, as `like` is judged: on the same test images."""
    recipe = {**run.recipe, **BALANCED}
    changes = {"test_error": run.metrics["per_class_error"], "recipe": recipe, "test_classes": like.test_classes}
    return run.model_copy(update=changes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("unequal"))
    parser.add_argument("--largest", type=int, default=200)
    parser.add_argument("--test", type=int, default=100, help="test images a class")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=None, help="of a training; by the recipe's rule if not given")
    parser.add_argument("--student", default="test_resnet")
    parser.add_argument("--arms", default="scratch", help="scratch,distill: the second with tf_efficientnet_lite0")
    parser.add_argument("--ways", default=",".join(WAYS), help="verdicts are against metric, or the first of them")
    asked = parser.parse_args()
    ways = asked.ways.split(",")
    if not set(ways) <= set(WAYS):
        parser.error(f"--ways takes {', '.join(WAYS)}")
    if "plain" in ways and "metric" not in ways:
        parser.error("plain is judged as metric is: name both in --ways")
    against_this = "metric" if "metric" in ways else ways[0]
    data = write(asked.out / "data", asked.largest, asked.test)
    found = {way: trained(way, data, asked) for way in ways}
    print(f"| arm | way | balanced error %, seeds | smallest class, recall % | against `{against_this}`, points |")
    print("|---|---|---|---|---|")
    for arm in asked.arms.split(","):
        base = found[against_this][arm]
        for way in ways:
            runs = found[way][arm]
            judged = [by_balanced_error(run, base[0]) for run in runs] if way == "plain" else runs
            against = "" if way == against_this else _against(judged, base)
            print(f"| {arm} | {way} | {_each(judged)} | {_least(judged)} | {against} |")


def _each(runs: list[RunRecord]) -> str:
    errors = [100 * run.test_error for run in runs if run.test_error is not None]
    return f"{fmean(errors):.1f} ({', '.join(f'{error:.1f}' for error in errors)})"


def _least(runs: list[RunRecord]) -> str:
    """Recall of the class with the fewest training images."""
    recalls = []
    for run in runs:
        right, labels = run.correctness(), run.test_labels()
        assert right is not None
        assert labels is not None
        recalls.append(float(right[labels == run.task.classes.index(SMALLEST)].mean()))
    return f"{100 * fmean(recalls):.1f}"


def _against(runs: list[RunRecord], base: list[RunRecord]) -> str:
    said = verdict(runs, base)
    if said.difference is None:
        return said.verdict
    value, low, high = (100 * part for part in (said.difference.value, said.difference.low, said.difference.high))
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}] {said.verdict}"


if __name__ == "__main__":
    main()
