"""`run_id` is the hash of what determines a run: no more, no less."""

import pytest

from azeotrope.arm import Arm
from azeotrope.plan import TeacherSpec
from azeotrope.recipe import Recipe
from azeotrope.sweeping.spec import ExtraRun, PoolRun, RunSpec, UpstreamRun, repeats_of

RECIPE = Recipe.for_images(60, learning_rates=(1e-3, 2e-3))
UPSTREAM = UpstreamRun(fingerprint="f1", name="shapes", pretrain_images=20, recipe=RECIPE)
POOLS = {seed: PoolRun(fingerprint=f"p{seed}", images=120) for seed in range(10)}
EXTRA = ExtraRun(kind="unlabelled", per_step=4, labelled=False, pools=POOLS)
SPEC = RunSpec(
    task="f0",
    train_images=60,
    student="test_resnet",
    image_size=32,
    student_weights="w0",
    student_code="c0",
    arm=Arm.parse("distill@upstream"),
    teacher=TeacherSpec(model="t", image_size=64),
    teacher_weights="w1",
    teacher_code="c1",
    upstream=UPSTREAM,
    recipe=RECIPE,
    seed=1,
    tuning_seed=0,
    extra=EXTRA,
    precision="fp32",
)
CHANGES = {
    "fold": "2 of 5",
    "protocol": 99,
    "task": "f2",
    "train_images": 61,
    "student": "test_vit",
    "image_size": 64,
    "student_weights": "w2",
    "student_code": "c2",
    "arm": Arm.parse("distill@upstream:kl"),
    "teacher": TeacherSpec(model="t", image_size=32),
    "teacher_weights": "w3",
    "teacher_code": "c3",
    "upstream": UPSTREAM.model_copy(update={"pretrain_images": 21}),
    "recipe": RECIPE.model_copy(update={"weight_decay": 0.06}),
    "extra": EXTRA.model_copy(update={"per_step": 5}),
    "seed": 2,
    "tuning_seed": 1,
    "precision": "bf16",
    "resize": "once",
    "repeats": "one image",
}


@pytest.mark.parametrize("field", RunSpec.model_fields)
def test_every_field_changes_the_id(field):
    assert SPEC.model_copy(update={field: CHANGES[field]}).digest() != SPEC.digest()


def test_without_the_mark_of_one_resize_ids_stay():
    """What is hashed does not name it, so a store of small pictures is read on."""
    assert "resize" not in SPEC.model_dump_json() + SPEC.pretraining().model_dump_json()
    marked = SPEC.model_copy(update={"upstream": UPSTREAM.model_copy(update={"resize": "once"})})
    assert marked.pretraining().resize == "once"
    assert SPEC.pretraining().digest() != marked.pretraining().digest()


@pytest.mark.parametrize(
    ("arm", "sampling", "repeats"),
    [
        ("distill", "balanced", "one image"),
        ("distill:kl/info_nce(tau=0.1)", "balanced", "one image"),
        ("distill:kl+rkd", "balanced", None),
        ("scratch", "balanced", None),
        ("distill", "shuffled", None),
    ],
)
def test_runs_whose_loss_was_another_for_repeated_images_have_an_id_of_their_own(arm, sampling, repeats):
    """All other ids stay."""
    assert repeats_of(Arm.parse(arm), RECIPE.model_copy(update={"sampling": sampling})) == repeats
    assert "repeats" not in SPEC.model_dump_json()


def test_a_settled_choice_of_losses_is_the_run_of_that_list():
    recipe = RECIPE.model_copy(update={"sampling": "balanced"})
    chosen = {"recipe": recipe, "arm": Arm.parse("distill:kl/info_nce"), "repeats": "one image"}
    settled = SPEC.model_copy(update=chosen).settled({"kl": 1.0})
    assert settled == SPEC.model_copy(update={"recipe": recipe, "arm": Arm.parse("distill:kl")})


def test_the_id_survives_the_journey_through_json():
    assert RunSpec.model_validate_json(SPEC.model_dump_json()).digest() == SPEC.digest()


def test_a_trial_has_one_rate_and_is_its_own_tuning():
    trial = SPEC.trial(2e-3, seed=5)
    assert trial.recipe.learning_rates == (2e-3,)
    assert (trial.seed, trial.tuning_seed) == (5, 5)
    assert trial.trial(2e-3, seed=5) == trial


def test_pretraining_is_a_scratch_run_on_the_other_source():
    before = SPEC.pretraining()
    assert (before.task, before.train_images, before.arm.name) == ("f1", 20, "scratch")
    assert before.teacher is before.upstream is before.student_weights is None
    assert (before.seed, before.tuning_seed, before.image_size) == (1, 0, 32)


class TestOfAPlan:
    def test_scratch_does_not_depend_on_the_teacher(self, specs, teacher):
        with_teacher = specs("scratch", "distill")
        without = specs("scratch", teacher=None)
        larger = specs("scratch", "distill", teacher=teacher.model_copy(update={"image_size": 64}))
        scratch, distill = ("scratch", 0), ("distill", 0)
        assert with_teacher[scratch].digest() == without[scratch].digest() == larger[scratch].digest()
        assert with_teacher[distill].digest() != larger[distill].digest()

    def test_pictures_that_are_stored_as_they_are_have_no_mark(self, specs):
        """Digits have 8 pixels; pictures of 12 x 16 are squeezed first."""
        assert specs("scratch")["scratch", 0].resize is None
        assert specs("finetune@upstream")["finetune@upstream", 0].upstream.resize == "once"

    def test_more_seeds_and_arms_leave_earlier_runs_as_they_are(self, specs):
        few, many = specs("scratch"), specs("scratch", "distill:kl", seeds=[0, 1, 2])
        assert len(many) == 6
        assert many["scratch", 0] == few["scratch", 0]

    def test_another_size_of_the_plan_leaves_this_size_as_it_is(self, specs):
        assert specs("scratch", train_images=[60, 80])["scratch", 0] == specs("scratch")["scratch", 0]

    def test_only_pretrained_arms_name_weights(self, specs, teacher_model):
        found = specs("scratch", "finetune", student=teacher_model)
        assert found["scratch", 0].student_weights is None
        assert len(found["finetune", 0].student_weights) == 64

    def test_only_upstream_arms_name_the_upstream(self, specs, shapes):
        found = specs("scratch", "finetune@upstream")
        assert found["scratch", 0].upstream is None
        assert found["finetune@upstream", 0].upstream.fingerprint == shapes.fingerprint


def test_each_fold_of_a_seed_starts_from_weights_and_order_of_its_own():
    """And a run without folds from its seed's, as ever; arms of a seed and fold start alike."""
    folds = [
        SPEC.model_copy(update={"fold": f"{number} of 5", "seed": seed}) for number in (1, 2, 3) for seed in (0, 1)
    ]
    assert SPEC.starting_seed == SPEC.seed
    assert len({fold.starting_seed for fold in folds}) == 6
    other = folds[0].model_copy(update={"arm": Arm.parse("scratch")})
    assert other.starting_seed == folds[0].starting_seed
