"""The time against pre-training and fine-tuning, by hand; and every part whose absence leaves no number."""

import pytest

from azeotrope.record.facts import PublishedFacts
from azeotrope.reporting import words
from azeotrope.reporting.numbers import PretrainingCost
from azeotrope.reporting.summary import summarise

from .factories import run

FACTS = PublishedFacts(source="ImageNet-1k", images=1_000_000, epochs=90, image_size=224, reference="a page")


def made(arm, seconds, **more):
    strategy, _, _ = arm.partition(":")
    init = "hub" if strategy in ("finetune", "linear_probe") else "random"
    return run(arm, strategy=strategy, init=init, seconds={"train": seconds, "evaluate": 10.0}, **more)


def at(size, **more):
    """Facts of a student at so many pixels, whose runs show 1,000 images a second: 100 steps of 90 images in 9 s."""
    scratch = made("scratch", 9.0)
    student = scratch.student.model_copy(update={"image_size": size})
    common = {"student": student, "steps": 100, "recipe": {"batch_images": 90}}
    finetune = made("finetune", 9.0, published=FACTS.model_copy(update=more), **common)
    return [made("scratch", 9.0, **common), finetune, made("distill:kl", 90.0, **common)]


def test_the_share_is_that_of_the_parts():
    comparison = summarise(at(224))
    cost = comparison.pretraining
    assert (cost.images_per_second, cost.seconds) == (1000.0, 90_000.0)
    found = {each.arm: each for each in comparison.faster}
    assert set(found) == {"scratch", "distill:kl"}
    distilled = found["distill:kl"]
    assert (distilled.seconds, distilled.finetuning_seconds, distilled.pretraining_seconds) == (100.0, 19.0, 90_000.0)
    assert distilled.less == pytest.approx(1 - 100 / 90_019)
    assert comparison.faster_missing is None
    assert words.faster(distilled, cost) == (
        "distill:kl took 99.9 % less time than pre-training and finetune: 1 min 40 s against 25 h 00 min (ImageNet-1k, "
        "1,000,000 images × 90 epochs at 224 px, 1,000 images/s here) + 19.0 s"
    )


def test_an_arm_that_took_longer_is_not_called_faster():
    cost = PretrainingCost(source="x", images=100, epochs=1, images_per_second=100.0)
    comparison = summarise(at(224), pretraining=cost)
    distilled = comparison.faster[-1]
    assert distilled.less == pytest.approx(1 - 100 / 20)
    assert words.faster(distilled, cost).startswith("distill:kl took 400.0 % more time than")


def missing(comparison):
    assert (comparison.faster, comparison.pretraining if comparison.faster else None) == ((), None)
    (line,) = words.faster_lines(comparison)
    return line.removeprefix("Time against pre-training and fine-tuning is not given: ")


def test_another_resolution_has_another_rate():
    assert missing(summarise(at(64))) == (
        "the pre-training was at 224 px and these runs are at 64 px, where another rate holds"
    )


def test_facts_that_are_not_published_are_not_assumed():
    unknown = dict.fromkeys(("source", "images", "epochs", "image_size", "reference"))
    said = "nothing is known here of how many images and epochs the weights of timm:x took"
    assert missing(summarise(at(224, missing=said, **unknown))) == said


def test_without_fine_tuning_there_is_nothing_to_compare_with():
    runs = [each for each in at(224) if each.arm != "finetune"]
    assert missing(summarise(runs)) == "finetune is not among the arms, so there is nothing to compare with"


def test_fine_tuning_that_failed_is_another_reason():
    scratch, finetune, distill = at(224)
    failed = finetune.model_copy(update={"state": "failed", "reason": "full", "test_error": None, "seconds": {}})
    said = missing(summarise([scratch, failed, distill]))
    assert said == "the arm finetune was not run to its end, so there is nothing to compare with"


def test_what_rounds_to_all_of_the_time_is_not_called_all():
    """100 s against 90 million: 99.9999 %, and the arm did take time."""
    cost = PretrainingCost(source="x", images=90_000_000, epochs=1, images_per_second=1.0)
    distilled = summarise(at(224), pretraining=cost).faster[-1]
    assert words.faster(distilled, cost).startswith("distill:kl took over 99.9 % less time than")


def test_without_a_rate_there_is_no_cost():
    runs = [each.model_copy(update={"steps": None}) for each in at(224)]
    assert missing(summarise(runs)) == "no run trained the whole student without a teacher, so its rate is not known"


def test_energy_is_shown_where_every_phase_of_every_run_has_it():
    runs = [each.model_copy(update={"joules": {"train": 2000.0, "evaluate": 500.0}}) for each in at(224)]
    assert summarise(runs).arm("distill:kl").joules == {"train": 2000.0, "evaluate": 500.0}
    assert words.energy(summarise(runs).arm("distill:kl").joules) == "2.5 kJ"
    part = [each.model_copy(update={"joules": {"train": 2000.0}}) for each in at(224)]
    assert summarise(part).arm("distill:kl").joules == {}
    assert words.energy({}) == "–"
    assert words.energy({"train": 7.2e6}) == "2 kWh"
