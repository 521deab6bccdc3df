"""Every loss in the real loop; where a loss remembers or is told the step, a killed training goes on to the same."""

import pytest
import torch

from azeotrope.lookup import members
from azeotrope.train import loop

from .conftest import RECIPE

SHORT = RECIPE.model_copy(update={"epochs": 1})


class Killed(Exception):  # noqa: N818
    """What the process would not survive."""


@pytest.mark.parametrize("key", ["crd", "decoupled_kl", "srrl"])
def test_a_killed_training_with_this_loss_goes_on_to_the_same_result(training, targets, monkeypatch, key):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    shown = []

    def killed(images):
        shown.append(images)
        if len(shown) == 8:  # in the second of three epochs of five steps
            raise Killed

    losses = {"cross_entropy": 1.0, key: (1.0, 0.5)}
    unbroken = training(losses=losses, targets=targets, file="unbroken.pt").run()
    with pytest.raises(Killed):
        training(losses=losses, targets=targets, advance=killed).run()
    resumed = training(losses=losses, targets=targets).run()
    assert resumed.best == unbroken.best
    assert all(torch.equal(value, resumed.best_weights[name]) for name, value in unbroken.best_weights.items())


@pytest.mark.parametrize("key", members("losses"))
def test_it_changes_what_the_student_learns(training, targets, key):
    def trained(losses):
        return training(losses=losses, targets=targets, recipe=SHORT, file="none.pt").run().best_weights["head.weight"]

    assert not torch.equal(trained({"cross_entropy": 1.0}), trained({"cross_entropy": 1.0, key: 3.0}))


def test_the_loop_tells_losses_how_far_it_is_and_which_images_it_shows(training, targets, monkeypatch):
    told = []
    made = training(losses={"cross_entropy": 1.0, "kl": 1.0}, targets=targets)
    forward = made.losses.forward
    monkeypatch.setattr(made.losses, "forward", lambda signals: told.append(signals) or forward(signals))
    made.run()
    assert [signals.progress for signals in told] == pytest.approx([(step + 1) / 15 for step in range(15)])
    for epoch in range(3):
        places = torch.cat([signals.places for signals in told[5 * epoch : 5 * epoch + 5]])
        assert sorted(places.tolist()) == list(range(80))
    by_place = torch.from_numpy(made.data.images.pack.task.labels[made.rows.train])
    assert all(torch.equal(signals.labels, by_place[signals.places]) for signals in told)
