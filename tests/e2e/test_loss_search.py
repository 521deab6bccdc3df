"""`compare --losses`: a choice of losses from the flag to the report."""

import pytest

from azeotrope.errors import InputError
from azeotrope.record.storage.store import RunStore
from azeotrope.reporting.page.files import PAGE
from azeotrope.reporting.words import described

FORM = "Allowed: --arms scratch,distill --losses kl,info_nce+kl=0.5. Next: add such an arm, or leave --losses out."


@pytest.fixture(scope="module")
def searched(compare, tmp_path_factory):
    out = tmp_path_factory.mktemp("searched") / "out"
    return compare("digits", out, losses=["kl", "feature_cosine=2"], seeds=1), out


def test_distill_searches_and_scratch_does_not(searched):
    comparison, out = searched
    arms = {arm.name: arm for arm in comparison.arms}
    assert set(arms) == {"scratch", "distill:kl/feature_cosine=2"}
    assert arms["scratch"].search is None
    found = {record.arm: record.search for record in RunStore(str(out))}
    assert arms["distill:kl/feature_cosine=2"].search == found["distill:kl/feature_cosine=2"]


def test_the_reader_is_told_that_it_is_tuning(searched):
    comparison, out = searched
    arm = comparison.arm("distill:kl/feature_cosine=2")
    (told,) = (text for text in comparison.warnings if "chose its losses" in text)
    assert told == (
        f"distill:kl/feature_cosine=2 chose its losses among 2 lists on validation and took {arm.search.chosen}. "
        "Extra trainings: 1, charged under tuning. The choice flatters its validation error, not its test error."
    )
    assert told in (out / PAGE).read_text()
    assert described(arm).endswith("(chosen among 2 on validation)")


def test_one_list_is_simply_the_losses(compare, tmp_path):
    comparison = compare("digits", tmp_path / "out", losses=["kl=1..0"], arms=["distill"], seeds=1)
    (arm,) = comparison.arms
    assert (arm.name, arm.search) == ("distill:kl=1..0", None)
    assert described(arm) == "random weights; labels + kl × 1..0"


@pytest.mark.parametrize(
    ("arms", "losses", "found"),
    [
        (["scratch"], ["kl"], "losses kl; arms scratch"),
        (["scratch", "distill:kl"], ["info_nce", "rkd"], "losses info_nce, rkd; arms scratch, distill:kl"),
        (["distill"], [], "losses none; arms distill"),
    ],
)
def test_losses_for_no_arm_are_refused(compare, tmp_path, arms, losses, found):
    with pytest.raises(InputError) as refusal:
        compare("digits", tmp_path / "out", arms=arms, losses=losses)
    assert str(refusal.value) == f"--losses is for distill arms that name no losses. Found: {found}. {FORM}"
