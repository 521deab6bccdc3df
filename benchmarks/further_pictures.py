"""Do further pictures help where labelled images are few? Fashion-MNIST, ImageNet teacher, small student, paired seeds.

`python benchmarks/further_pictures.py OUT --images 250 --epochs 40 --generator-steps 400`. Arms: distill; distill on
unlabelled pictures (the rest of the training images, their labels forgotten); distill on pictures of a generator
trained on the same images; and, as the control, distill with stronger augmentation. Safe to kill and start again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import azeotrope
from azeotrope.plan import PicturesSpec, TeacherSpec
from azeotrope.record.storage.store import RunStore
from azeotrope.synthesis.spec import GeneratorSpec, SetsSpec, Training
from azeotrope.verdicts.verdict import verdict

TEACHER = TeacherSpec(model="tf_efficientnet_lite0", image_size=64)
STRONGER = {"crop_area": (0.2, 1.0), "brightness": 0.4, "contrast": 0.4}
DATA = "fashion-mnist"


def main() -> None:
    asked = _arguments()
    out, seeds = Path(asked.out), range(asked.seeds)
    if not asked.without_synth:
        made = azeotrope.synth(
            DATA,
            teacher=TEACHER,
            generator=GeneratorSpec(kind="own", training=Training(steps=asked.generator_steps)),
            out=out / "synth",
            sets=SetsSpec(multiple=asked.multiple, train_images=asked.images, seeds=tuple(seeds)),
        )
        for one in made:
            print(one.folder.name, f"{one.kept} of {one.made} kept", one.refused, _rounded(one.seconds), flush=True)
    further = [f"distill+unlabelled={multiple}x" for multiple in asked.unlabelled]
    arms = ["distill", *further, *([] if asked.without_synth else ["distill+synth"])]
    places = {"unlabelled": DATA if further else None, "synth": None if asked.without_synth else str(out / "synth")}
    pictures = PicturesSpec(**places, ratio=asked.ratio) if any(places.values()) else None
    _compare(out / "arms", asked, arms, pictures=pictures)
    _compare(out / "stronger", asked, ["distill"], policy=STRONGER)
    _report(out, arms)


def _compare(out: Path, asked: argparse.Namespace, arms: list[str], *, pictures=None, policy=None) -> None:
    recipe = {"epochs": asked.epochs, "learning_rates": [3e-3], "batch_images": asked.batch_images}
    azeotrope.compare(
        DATA,
        student="resnet10t",
        teacher=TEACHER,
        out=out,
        train_images=asked.images,
        arms=arms,
        seeds=asked.seeds,
        image_size=32,
        recipe={**recipe, **({"policy": policy} if policy else {})},
        pictures=pictures,
    )


def _report(out: Path, arms: list[str]) -> None:
    runs = list(RunStore(str(out / "arms")))
    plain = [run for run in runs if run.arm == "distill"]
    groups = {arm: [run for run in runs if run.arm == arm] for arm in arms}
    groups["stronger augmentation"] = list(RunStore(str(out / "stronger")))
    for arm, group in groups.items():
        group.sort(key=lambda run: run.seed)
        errors = ", ".join("failed" if run.test_error is None else f"{100 * run.test_error:.1f}" for run in group)
        first = group[0]
        print(f"{arm}: test error % {errors}; further {first.unlabelled_images + first.synthetic_images}")
        print("   seconds", _rounded(first.seconds), f"TFLOPs {(first.flops or 0) / 1e12:.1f}")
        if group is not groups["distill"]:
            found = verdict(group, plain)
            print("  ", found.verdict, found.reason)


def _rounded(seconds: dict[str, float]) -> dict[str, float]:
    return {phase: round(value, 1) for phase, value in seconds.items()}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("--images", type=int, default=250)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batch-images", type=int, default=None)
    parser.add_argument("--ratio", type=float, default=1.0)
    parser.add_argument("--multiple", type=float, default=2.0)
    parser.add_argument("--unlabelled", type=int, nargs="*", default=[1, 10])
    parser.add_argument("--generator-steps", type=int, default=1000)
    parser.add_argument("--without-synth", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
