"""What only a card can show: `make test-gpu` runs this on yours. Skipped where torch finds none."""

import threading

import pytest
import torch

from azeotrope.api.compare import compare
from azeotrope.api.sweep import sweep
from azeotrope.plan import TeacherSpec
from azeotrope.record.storage.store import RunStore
from azeotrope.sweeping.plans.sweep_plan import SweepPlan

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA card")]

QUICK = {"epochs": 12, "views": 2, "learning_rates": (2e-3,)}


def refused(precision):
    return precision == "bf16" and not torch.cuda.is_bf16_supported(including_emulation=False)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_comparison_on_a_card_learns_and_names_it(teacher_model, tmp_path, precision):
    if refused(precision):
        pytest.skip("this card does not multiply bf16 itself")
    out = tmp_path / "out"
    compared = compare(
        "digits",
        student="test_resnet",
        teacher=TeacherSpec(model=teacher_model, image_size=32),
        train_images=500,
        arms=["scratch", "distill"],
        seeds=1,
        image_size=32,
        recipe=QUICK,
        precision=precision,
        device="cuda",
        cache=tmp_path / "cache",
        out=out,
    )
    for arm in compared.arms:
        assert arm.test_error.value < 0.6  # a guess is wrong in nine of ten
    for record in RunStore(str(out)):
        assert record.environment.device == "cuda"
        assert record.environment.accelerator == torch.cuda.get_device_name()
        assert record.environment.precision == precision
        assert record.peak_memory_mb > 0


@pytest.fixture
def taken():
    """Bytes of each card that others took since the test began, at most; contexts of this process are there before."""
    free = [torch.cuda.mem_get_info(card)[0] for card in range(torch.cuda.device_count())]
    most, over = [0] * len(free), threading.Event()

    def watch():
        while not over.wait(0.1):
            for card, before in enumerate(free):
                most[card] = max(most[card], before - torch.cuda.mem_get_info(card)[0])

    thread = threading.Thread(target=watch)
    thread.start()
    yield most
    over.set()
    thread.join()


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="one card")
def test_two_workers_of_a_sweep_compute_on_two_cards(tmp_path, taken):
    plan = SweepPlan(
        data="digits",
        students=("test_resnet",),
        train_images=(300,),
        arms=("scratch",),
        seeds=(0, 1),
        image_size=32,
        recipe=QUICK,
        engine={"workers": 2},
    )
    made = sweep(plan, out=tmp_path / "out", cache=tmp_path / "cache", device="cuda")
    assert (made.made, made.failed) == (2, {})
    assert min(taken[:2]) > 50e6  # a process that computes on a card takes some hundred megabytes of it


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="one card")
def test_two_cards_share_a_run_and_end_where_one_does(teacher_model, tmp_path, taken):
    found = {}
    for device in ("cuda:0", "cuda:0,1"):
        out = tmp_path / device.replace(":", "-")
        compare(
            "digits",
            student="test_resnet",
            teacher=TeacherSpec(model=teacher_model, image_size=32),
            train_images=300,
            arms=["distill:kl+align_uniform"],
            seeds=1,
            image_size=32,
            recipe=QUICK | {"epochs": 2},
            precision="fp32",
            device=device,
            cache=tmp_path / "cache",
            out=out,
        )
        (found[device],) = RunStore(str(out))
    one, two = found["cuda:0"], found["cuda:0,1"]
    assert (one.state, two.state) == ("done", "done")
    assert one.run_id == two.run_id
    assert len(two.environment.cards) == 2
    assert two.test_nll == pytest.approx(one.test_nll, rel=0.01)
    assert min(taken[:2]) > 50e6
