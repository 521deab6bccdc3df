"""A run, completely determined: equal specs give bit-equal records on one machine, and the digest is the `run_id`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field

from azeotrope.arm import Arm, Pictures
from azeotrope.lookup import member
from azeotrope.losses._contract import spread_images
from azeotrope.plan import TeacherSpec
from azeotrope.recipe import Recipe
from azeotrope.record.resizes import Resizes
from azeotrope.spec import Spec
from azeotrope.terms import Weight
from azeotrope.train.stage import Stage

PROTOCOL = 3  # raise when the code's meaning changes so that old records no longer describe what a run would give


class UpstreamRun(Spec):
    """The pre-training that an `upstream` arm starts from: scratch training on `pretrain_images` of another task.
    `resize` as that of a run.
    """

    fingerprint: str
    name: str
    pretrain_images: int
    recipe: Recipe
    resize: Resizes | None = Field(default=None, exclude_if=lambda resize: resize is None)


class PoolRun(Spec):
    """Which further pictures a seed has, and how many of them teach."""

    fingerprint: str
    images: int


class ExtraRun(Spec):
    """Further pictures: `per_step` of them in every step, with the intended class as label or without any.

    `pools` is by seed, since made pictures belong to a seed's subset: those of the run's seed and of the tuning seed.
    """

    kind: Pictures
    per_step: int
    labelled: bool
    pools: dict[int, PoolRun]

    def of(self, *seeds: int) -> Self:
        """The same with the pools of these seeds only."""
        return self.model_copy(update={"pools": {seed: self.pools[seed] for seed in sorted(set(seeds))}})

    def named(self, fingerprint: str) -> Self:
        """The same with pools of this fingerprint."""
        pools = {seed: pool.model_copy(update={"fingerprint": fingerprint}) for seed, pool in self.pools.items()}
        return self.model_copy(update={"pools": pools})


def repeats_of(arm: Arm, recipe: Recipe) -> Literal["one image"] | None:
    """What an image is that comes again in a batch, where that decides what a loss is."""
    repeated = recipe.sampling == "balanced" and spread_images(key for option in arm.options for key in option)
    return "one image" if repeated else None


class RunSpec(Spec):
    """One (task, train_images, student, init, strategy, recipe, seed).

    `teacher` is set only for arms whose losses need one, so that a scratch run is the same run whatever teacher it is
    compared with. `student_weights` is the hash of the pretrained weights for init `hub`; the `code` fields are
    those of `file:` models, whose code may change under the same name. The learning rate, and the losses where the arm
    has candidates, are chosen on the validation images of `tuning_seed`. `resize` tells runs that are judged on
    pictures resized once from those of earlier versions; where both are the same there is none, and older ids stay.
    `repeats` tells runs whose losses know the views of one image in a batch as such from those of earlier versions; it
    is there where classes are shown alike and a loss pushes images apart.
    `fold` says which of several folds `task` tests ("2 of 5"); the task's fingerprint says it too.
    """

    protocol: int = PROTOCOL
    task: str
    train_images: int
    student: str
    image_size: int
    student_weights: str | None = None
    student_code: str | None = None
    arm: Arm
    teacher: TeacherSpec | None = None
    teacher_weights: str | None = None
    teacher_code: str | None = None
    upstream: UpstreamRun | None = None
    extra: ExtraRun | None = None
    recipe: Recipe
    seed: int
    tuning_seed: int
    precision: str
    resize: Resizes | None = Field(default=None, exclude_if=lambda resize: resize is None)
    repeats: Literal["one image"] | None = Field(default=None, exclude_if=lambda repeats: repeats is None)
    fold: str | None = Field(default=None, exclude_if=lambda fold: fold is None)

    def stages(self) -> list[Stage]:
        """The strategy's stages for this run."""
        strategy = member("strategies", self.arm.strategy, "strategy")
        upstream = self.upstream.recipe if self.upstream else None
        stages: list[Stage] = strategy.stages(self.arm, self.recipe, upstream)
        return stages

    def trial(self, learning_rate: float, seed: int) -> RunSpec:
        """The same run at one learning rate and seed: a single training."""
        recipe = self.recipe.model_copy(update={"learning_rates": (learning_rate,)})
        extra = self.extra.of(seed) if self.extra else None
        return self.model_copy(update={"recipe": recipe, "seed": seed, "tuning_seed": seed, "extra": extra})

    def settled(self, losses: Mapping[str, Weight]) -> RunSpec:
        """The same run with these of its arm's candidates chosen."""
        arm = self.arm.settled(losses)
        return self.model_copy(update={"arm": arm, "repeats": repeats_of(arm, self.recipe)})

    def over_folds(self, task: str, pictures: str | None) -> RunSpec:
        """The same run over all folds of the set whose fingerprint is `task`: what its folds have in common. `pictures`
        identifies the further pictures before anything of a fold left some of them out.
        """
        extra = self.extra.named(pictures) if self.extra and pictures else None
        return self.model_copy(update={"task": task, "fold": None, "extra": extra})

    @property
    def trials(self) -> int:
        """Trainings on the tuning seed: one a learning rate, and one a candidate more that is not the chosen one."""
        return len(self.recipe.learning_rates) + len(self.arm.options) - 1

    def at_seed(self, seed: int) -> RunSpec:
        """The same run with another seed, which must be its own or the tuning seed where there are further pictures."""
        extra = self.extra.of(seed, self.tuning_seed) if self.extra else None
        return self.model_copy(update={"seed": seed, "extra": extra})

    @property
    def starting_seed(self) -> int:
        """Of initial weights and the order of images. Each fold draws its own: by one draw all would err together."""
        if self.fold is None:
            return self.seed
        return int.from_bytes(hashlib.sha256(f"{self.seed} in fold {self.fold}".encode()).digest()[:4], "big")

    @property
    def pool(self) -> PoolRun | None:
        """The further pictures of the run's seed."""
        return self.extra.pools[self.seed] if self.extra else None

    def pretraining(self) -> RunSpec:
        """The run on the upstream task whose body an `upstream` arm starts from."""
        assert self.upstream is not None
        return RunSpec(
            task=self.upstream.fingerprint,
            train_images=self.upstream.pretrain_images,
            student=self.student,
            student_code=self.student_code,
            image_size=self.image_size,
            arm=Arm(strategy="scratch", init="random"),
            recipe=self.upstream.recipe,
            seed=self.seed,
            tuning_seed=self.tuning_seed,
            precision=self.precision,
            resize=self.upstream.resize,
        )
