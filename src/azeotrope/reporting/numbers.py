"""What a comparison shows, as plain numbers: small frozen records that are drawn, and stored in `compare.json`.

They hold no logic beyond reading themselves back; `summary.py` builds them from runs. Errors are fractions in
[0, 1] (of what, `record.kinds` says), `seconds` are means over an arm's finished runs, and what is unknown is None,
never zero.
"""

from __future__ import annotations

from typing import ClassVar

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, JsonValue, PrivateAttr

from azeotrope.diagnosis.records import Diagnosis
from azeotrope.errors import InputError
from azeotrope.labels import KindName
from azeotrope.record.facts import EnvironmentFacts, SearchFacts
from azeotrope.record.kinds import measure_of
from azeotrope.record.resizes import Resizes
from azeotrope.record.result import Result
from azeotrope.tables.training_curves import epochs_frame
from azeotrope.terms import Weight
from azeotrope.verdicts.verdict import Call


class Shown(BaseModel):
    """Base of all records here: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Estimate(Shown):
    """A fraction with its 95 % interval. One seed knows no spread: its interval is all that is possible."""

    value: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether the interval says anything: not when it covers 0 to 1, as it does with one seed."""
        return self.low > 0 or self.high < 1

    def negated(self) -> Estimate:
        """The same seen from the other side: a difference a − b as b − a."""
        return Estimate(value=-self.value, low=-self.high, high=-self.low)


class FailedRun(Shown):
    """A run that was tried and did not finish, with its reason."""

    run_id: str
    arm: str
    seed: int
    reason: str


class ArmSummary(Shown):
    """One way of training, over its seeds. `seconds` are charged in full, `seconds_amortised` divide what is shared."""

    name: str
    strategy: str
    init: str
    losses: dict[str, Weight] = Field(default_factory=dict)
    search: SearchFacts | None = Field(default=None, description="how the losses were chosen, where they were")
    test_error: Estimate | None
    val_error: float | None
    metrics: dict[str, float] = Field(default_factory=dict, description="further measures on test, mean over seeds")
    seeds: tuple[int, ...]
    seed_errors: dict[int, float] = Field(default_factory=dict, description="test error of each seed")
    seconds: dict[str, float] = Field(default_factory=dict, description="by phase, mean of the runs, nothing shared")
    seconds_amortised: dict[str, float] = Field(default_factory=dict, description="the same, shared phases divided")
    joules: dict[str, float] = Field(
        default_factory=dict, description="energy by phase, where every run has all phases"
    )
    flops: float | None = None
    pretrained: bool = Field(default=False, description="starts from weights whose pre-training was paid elsewhere")
    run_ids: tuple[str, ...] = Field(default=(), description="of its records, by seed and then by fold")


class VerdictSummary(Shown):
    """Does arm `a` beat arm `b`? `difference` is test error of a minus that of b: negative when a is better.

    `verdict` is that of the pair alone, at `level`; `page_verdict` what is left of it when the probability of any wrong
    call among the verdicts of this size is to be 1 - `level` (Holm), with the error rates `p` and `p_page`.
    `seeds_needed`: paired seeds in all that would probably settle it; None where it is settled, or none within reach.
    """

    a: str
    b: str
    verdict: Call
    difference: Estimate | None
    seeds: tuple[int, ...]
    folds: int | None = Field(default=None, description="parts of the images, each the test set once a seed")
    reason: str = ""
    level: float = 0.95
    p: float | None = None
    p_page: float | None = None
    page_verdict: Call | None = None
    seeds_needed: int | None = None


class DeployedArm(Shown):
    """An arm as the files of one export target, over its seeds. `lost` is the files' test error less that of their own
    networks; latency (one image, one thread, ms) and size (MB) are medians. `missing`: why seeds have no file.
    """

    name: str
    seeds: tuple[int, ...]
    test_error: Estimate | None
    val_error: float | None
    lost: Estimate | None
    latency_ms: float | None
    size_mb: float | None
    int8_share: float | None
    missing: tuple[str, ...] = ()


class DeployedSummary(Shown):
    """All arms as the files of one export target: what is asked of the networks, asked of these."""

    target: str
    arms: tuple[DeployedArm, ...]
    winner: str | None = Field(description="lowest mean validation error of the files")
    verdicts: tuple[VerdictSummary, ...]

    def verdict(self, a: str, b: str) -> VerdictSummary | None:
        """The verdict on that ordered pair, if it was asked."""
        return next((verdict for verdict in self.verdicts if (verdict.a, verdict.b) == (a, b)), None)


class NotTested(Shown):
    """An arm that was possible in principle and left out, with the reason."""

    arm: str
    reason: str


class TeacherSummary(Shown):
    """The teacher and how well its head does on this task, mean over seeds."""

    name: str
    head_accuracy: float | None = Field(default=None, description="on validation; what the gate reads")
    head_error: float | None = Field(default=None, description="on test, beside the students'")


class PretrainingCost(Shown):
    """Pre-training the student here: the published `images` × `epochs` at the `images_per_second` measured here, at the
    published `image_size`.
    """

    source: str
    images: int
    epochs: float
    images_per_second: float
    image_size: int | None = None
    reference: str | None = None

    @property
    def seconds(self) -> float:
        """Time for one pre-training, in seconds."""
        return self.images * self.epochs / self.images_per_second


class Faster(Shown):
    """How much less time an arm took than pre-training the student and fine-tuning it, and what that is made of.

    `less` is 1 − seconds / (pretraining_seconds + finetuning_seconds), negative for an arm that took longer; seconds
    are those of a run alone, its shared work in full.
    """

    arm: str
    baseline: str
    less: float
    seconds: float
    finetuning_seconds: float
    pretraining_seconds: float


class Comparison(Result, Shown):
    """Arms side by side at one number of training images: everything the table, the page and `compare.json` say."""

    shown_as: ClassVar[str] = "comparison"

    task: str
    fingerprint: str
    classes: tuple[str, ...]
    kind: KindName = "single"
    metric: str = Field(default="error", description="what `--metric` named: chose, and is judged")
    unit: str | None = None
    common_class: str | None = Field(default=None, description="the largest class in training")
    common_error: float | None = Field(default=None, description="test error of always naming it")
    train_images: int
    val_images: int | None
    test_images: int | None
    folds: int | None = Field(
        default=None, description="parts that the images were cut into; each was the test set once a seed"
    )
    student: str
    parameters: int | None
    macs: int | None
    image_size: int | None
    resize: Resizes | None = Field(
        default=None, exclude_if=lambda resize: resize is None, description="as in the records"
    )
    teacher: TeacherSummary | None
    reference: str = Field(description="the arm every other is compared with")
    winner: str | None = Field(description="lowest mean validation error; test images take no part in this choice")
    arms: tuple[ArmSummary, ...]
    verdicts: tuple[VerdictSummary, ...]
    deployed: tuple[DeployedSummary, ...] = Field(
        default=(), description="the arms as files for a device, where these were asked for"
    )
    looks: tuple[int, ...] = Field(
        default=(), description="seeds at which verdicts were looked at; empty: fixed before"
    )
    failed: tuple[FailedRun, ...] = ()
    not_tested: tuple[NotTested, ...] = ()
    pretraining: PretrainingCost | None = None
    faster: tuple[Faster, ...] = Field(
        default=(), description="than pre-training and fine-tuning, an arm that needs none"
    )
    faster_missing: str | None = Field(default=None, description="why `faster` is empty")
    warnings: tuple[str, ...] = ()
    recipe: dict[str, JsonValue] = Field(default_factory=dict)
    environment: EnvironmentFacts | None = None
    diagnosis: Diagnosis | None = Field(
        default=None, description="what each arm gets right and wrong, where answers are stored"
    )
    plan: dict[str, JsonValue] | None = None
    _store: str | None = PrivateAttr(default=None)

    def kept_in(self, store: str) -> Comparison:
        """The same, knowing the folder or URL of its records, which no document says."""
        known = self.model_copy()
        known._store = store
        return known

    def curves(self) -> pl.DataFrame:
        """How its runs trained, a row a run and epoch: see `azeotrope.training_curves`.

        Raises InputError where no run left a curve, and of a comparison that `azeotrope.compare` did not return.
        """
        if self._store is None:
            raise InputError(
                "The training curves of a comparison are in the folder of its runs",
                found="a comparison that was read and not made here",
                next_step="call azeotrope.training_curves(folder)",
            )
        own = [run_id for arm in self.arms for run_id in arm.run_ids]
        return epochs_frame([self._store]).filter(pl.col("run_id").is_in(own))

    @property
    def measure(self) -> str:
        """What the errors are: a key of `record.kinds.words_of`."""
        return measure_of(self.kind, self.metric)

    def arm(self, name: str) -> ArmSummary:
        """The arm of that name. Raises KeyError when there is none."""
        return {arm.name: arm for arm in self.arms}[name]

    def runs_of(self, arm: ArmSummary) -> dict[int, tuple[str, ...]]:
        """The ids of an arm's runs by seed: one, or one a fold."""
        each = self.folds or 1
        return {seed: arm.run_ids[place * each : (place + 1) * each] for place, seed in enumerate(arm.seeds)}

    def verdict(self, a: str, b: str) -> VerdictSummary | None:
        """The verdict on that ordered pair, if it was asked."""
        return next((verdict for verdict in self.verdicts if (verdict.a, verdict.b) == (a, b)), None)
