"""Truth: Tian et al. 2020, equations 17-19 with their constant Z, image by image in NumPy float64."""

import numpy as np
import pytest
import torch

from azeotrope.errors import RunFailed
from azeotrope.losses._contract import Setup
from azeotrope.losses.crd import LARGEST_BANK_MB, Bank, Loss
from azeotrope.testing.losses import SETUP, random_signals

IMAGES, NEGATIVES, WIDTH, TAU = 40, 30, 8, 0.07


@pytest.fixture
def loss(monkeypatch):
    """A small one, whose draws are known."""
    torch.manual_seed(0)
    made = Loss(Setup(24, 40, 10, train_images=IMAGES), width=WIDTH, negatives=NEGATIVES)
    draw = made._others

    def remembered(places, progress):
        made.drawn = draw(places, progress)
        return made.drawn

    monkeypatch.setattr(made, "_others", remembered)
    return made


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def random_units(images, seed):
    return unit(np.random.default_rng(seed).normal(size=(images, WIDTH)))


def one_direction(anchors, bank, places, drawn, partition):
    """Mean over anchors of -[log h+/(h+ + N/M) + sum log (N/M)/(h- + N/M)], and Z, fixed by the first batch."""
    raw = np.array(
        [
            [np.exp(anchor @ bank[j] / TAU) for j in (place, *others)]
            for anchor, place, others in zip(anchors, places, drawn, strict=True)
        ]
    )
    partition = raw.mean() * IMAGES if partition is None else partition
    odds = NEGATIVES / IMAGES
    values = []
    for first, *rest in raw / partition:
        values.append(-np.log(first / (first + odds)) - sum(np.log(odds / (h + odds)) for h in rest))
    return np.mean(values), partition


def test_three_batches_are_the_formula_with_a_bank_that_remembers(loss):
    banks = {name: getattr(loss, f"{name}_bank").rows.double().numpy() for name in ("student", "teacher")}
    partitions = {"student": None, "teacher": None}
    for step in range(3):
        places = np.random.default_rng(step).permutation(IMAGES)[:6]
        anchors = {"student": random_units(6, 10 + step), "teacher": random_units(6, 20 + step)}
        given = (torch.from_numpy(anchors[name]).float() for name in ("student", "teacher"))
        value = loss.value(*given, torch.from_numpy(places), (step + 1) / 3).item()
        expected = 0.0
        for name, other in (("student", "teacher"), ("teacher", "student")):
            part, partitions[other] = one_direction(
                anchors[name], banks[other], places, loss.drawn.numpy(), partitions[other]
            )
            expected += part
        assert value == pytest.approx(expected, rel=1e-4)
        for name, bank in banks.items():
            banks[name] = bank.copy()
            banks[name][places] = unit(0.5 * bank[places] + 0.5 * anchors[name])
            np.testing.assert_allclose(getattr(loss, f"{name}_bank").rows, banks[name], atol=1e-6)


def test_an_image_that_comes_twice_is_moved_once_whatever_a_device_writes_first(monkeypatch):
    """`index_copy` with repeated places leaves open which row stays; here the first does, where CPUs keep the last."""
    places, new = torch.tensor([3, 1, 3, 0, 3]), torch.from_numpy(random_units(5, 1)).float()
    torch.manual_seed(0)
    bank = Bank(6, WIDTH)
    old = bank.rows.clone()
    copy = torch.Tensor.index_copy
    monkeypatch.setattr(torch.Tensor, "index_copy", lambda a, dim, at, b: copy(a, dim, at.flip(0), b.flip(0)))
    bank.remember(places, new, 0.5)
    for place, last in ((3, 4), (1, 1), (0, 3)):
        np.testing.assert_allclose(bank.rows[place], unit((0.5 * old[place] + 0.5 * new[last]).numpy()), rtol=1e-5)


def test_negatives_are_other_images_all_of_them(loss):
    places = torch.arange(IMAGES).repeat(20)
    drawn = loss._others(places, 0.5)
    assert drawn.shape == (20 * IMAGES, NEGATIVES)
    assert not (drawn == places[:, None]).any()
    assert set(drawn.flatten().tolist()) == set(range(IMAGES))


def test_the_draw_depends_on_the_step_and_on_nothing_else(loss):
    places = torch.arange(6)
    first = loss._others(places, 0.5)
    torch.manual_seed(99)
    assert torch.equal(loss._others(places, 0.5), first)
    assert not torch.equal(loss._others(places, 0.5 + 1e-6), first)


def test_an_agreeing_pair_is_below_a_disagreeing_one(loss):
    places, teacher = torch.arange(6), torch.from_numpy(random_units(6, 1)).float()
    for _ in range(5):
        loss.value(teacher, teacher, places, 0.5)
    agreeing = loss.value(teacher, teacher, places, 0.5)
    assert agreeing < loss.value(-teacher, teacher, places, 0.5)


def test_defaults_are_those_of_the_method():
    loss = Loss(SETUP)
    assert (loss.negatives, loss.tau, loss.momentum) == (4096, 0.07, 0.5)
    assert loss.student_bank.rows.shape == (SETUP.train_images, 128)


def test_banks_and_partition_are_in_the_state_and_not_trained():
    loss = Loss(SETUP)
    loss(random_signals())
    state = loss.state_dict()
    assert {"student_bank.rows", "student_bank.partition", "teacher_bank.rows", "teacher_bank.partition"} <= set(state)
    assert state["student_bank.partition"] > 0
    assert {name.split(".")[0] for name, _ in loss.named_parameters()} == {"student_projector", "teacher_projector"}


def test_a_bank_that_is_too_large_is_refused_with_its_size():
    assert LARGEST_BANK_MB == 512
    with pytest.raises(RunFailed) as refusal:
        Loss(Setup(24, 40, 10, train_images=1_281_167))
    assert str(refusal.value) == (
        "The memory bank of crd is too large. Found: 1,281,167 training images, 1,251 MB. "
        "Allowed: 512 MB, that is 524,288 images. "
        "Next: take info_nce, whose negatives are those of the batch, or fewer --train-images."
    )


def test_one_image_has_no_negatives():
    with pytest.raises(
        RunFailed, match=r"crd contrasts an image with others\. Found: 1 training images\. Allowed: 2 or"
    ):
        Loss(Setup(24, 40, 10, train_images=1))
