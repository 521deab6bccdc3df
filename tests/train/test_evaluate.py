"""Who may look at the test split, and what is read there."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, log_loss, top_k_accuracy_score
from torch import nn

import azeotrope
from azeotrope.devices.device import Device
from azeotrope.models.network import Network
from azeotrope.train.evaluate import Score, batch_images, final_test, validate

SOURCE = Path(azeotrope.__file__).parent
CPU = Device("cpu", "fp32")


def readers(path):
    """Functions of a file that read `….splits.test` (`<module>` outside of any); `len(…)` of it tells no secrets."""
    found = set()

    def visit(node, function):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "len":
            return
        if isinstance(node, ast.FunctionDef):
            function = node.name
        if isinstance(node, ast.Attribute) and node.attr == "test" and "splits" in ast.unparse(node.value):
            found.add(function)
        for child in ast.iter_child_nodes(node):
            visit(child, function)

    visit(ast.parse(path.read_text(encoding="utf-8")), "<module>")
    return found


def test_the_test_split_has_one_reader():
    """Beside `final_test` only what chooses nothing: no other function of these looks at a prediction."""
    found = {str(path.relative_to(SOURCE)): readers(path) for path in SOURCE.rglob("*.py")}
    assert {file: functions for file, functions in found.items() if functions} == {
        "train/evaluate.py": {"final_test"},
        "session/exports/export_images.py": {"images_of"},  # for the card of an export: they decide nothing
        "session/findings/pictures.py": {
            "tested_rows"
        },  # of all folds: pictures for the report, classes that an arm never names
        "session/findings/about_folds.py": {"_fewest_units"},  # how many folds a class allows, from labels alone
        "sweeping/plans/cache_budget.py": {"_images"},  # how many bytes their embeddings take
        "data/auditing/told.py": {"group_words"},  # how many groups each split has, from names alone
        "data/division/split.py": {"torn_copies"},  # how many of them are near copies of an earlier split's
        "data/auditing/audit.py": {"_rows_by_split"},  # which groups the splits tear
        "data/task.py": {
            "commonest",
            "commonest_over_classes",
        },  # what always naming the commonest class would score, from labels alone
        "data/unlabelled.py": {"held_out_rows"},  # to keep pictures like them out
        "sweeping/forecast.py": {"_embeddings"},  # how many of them the teacher has yet to see
    }


class Mean(nn.Module):
    """Feature: the mean of the normalised image."""

    def forward(self, images):
        return images.mean(dim=(1, 2, 3))[:, None].repeat(1, 4)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Network(Mean(), nn.Linear(4, 10))


def test_validation_is_error_and_cross_entropy_of_the_plain_images(network, data, rows, digits, made):
    score = validate(network, data, rows.val, CPU)
    with torch.inference_mode():
        logits = torch.cat([network(made(data, host).images).logits for host in data.plain(rows.val)]).double().numpy()
    labels = digits.labels[rows.val]
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    assert score.error == pytest.approx((logits.argmax(1) != labels).mean())
    assert score.cross_entropy == pytest.approx(-log_p[np.arange(len(labels)), labels].mean(), rel=1e-5)


def test_validation_leaves_batch_norm_alone(data, rows):
    network = Network(nn.Sequential(nn.BatchNorm2d(3), Mean()), nn.Linear(4, 10)).train()
    validate(network, data, rows.val, CPU)
    assert network.backbone[0].num_batches_tracked == 0


def test_error_comes_first_and_cross_entropy_breaks_ties():
    assert Score(0.1, 9.0) < Score(0.2, 0.1)
    assert Score(0.1, 0.5) < Score(0.1, 0.6)
    assert not Score(float("nan"), 0.0) < Score(float("inf"), float("inf"))


def test_the_final_test_is_of_every_test_image_in_manifest_order(network, data, digits, made):
    test = final_test(network, data, None, CPU)
    rows = digits.splits.test
    assert test.answers.said.shape == test.correct.shape == rows.shape
    hosts = [data.images.batch(rows[[place]], -1) for place in (0, 100, len(rows) - 1)]
    alone = [network(made(data, host).images).logits.argmax().item() for host in hosts]
    assert [test.answers.said[place] for place in (0, 100, -1)] == alone
    np.testing.assert_array_equal(test.correct, test.answers.said == digits.labels[rows])
    assert test.teacher_error is None


def test_log_loss_and_calibration_are_those_of_what_the_network_says(network, data, digits, made):
    test = final_test(network, data, None, CPU)
    rows = digits.splits.test
    with torch.inference_mode():
        logits = torch.cat([network.eval()(made(data, host).images).logits for host in data.plain(rows, 50)])
    expected = log_loss(digits.labels[rows], logits.double().softmax(1).numpy(), labels=range(10))
    assert test.log_loss == pytest.approx(expected, rel=1e-4)
    assert 0 <= test.calibration_error <= 1


def test_the_teachers_error_stands_beside(network, data, targets, digits):
    test = final_test(network, data, targets, CPU)
    rows = digits.splits.test
    said = targets.head.logits(targets.cache.read(rows, -1)).argmax(1).numpy()
    assert test.teacher_error == pytest.approx((said != digits.labels[rows]).mean())
    assert 0 < test.teacher_error < 0.9


@pytest.mark.parametrize("metric", ["balanced_error", "top5_error"])
def test_another_measure_chooses_and_is_judged(network, data, targets, digits, made, metric):
    """Validation, test and the teacher beside it, against scikit-learn; the loss that breaks ties stays."""
    judged, labels = replace(data, metric=metric), digits.labels[digits.splits.test]
    with torch.inference_mode():
        logits = torch.cat([network.eval()(made(data, host).images).logits for host in data.plain(digits.splits.test)])
    teacher = targets.head.logits(targets.cache.read(digits.splits.test, -1)).numpy()

    def error(scores):
        if metric == "top5_error":
            return 1 - top_k_accuracy_score(labels, scores, k=5)
        return 1 - balanced_accuracy_score(labels, scores.argmax(1))

    test = final_test(network, judged, targets, CPU)
    assert test.error == pytest.approx(error(logits.numpy()))
    assert test.teacher_error == pytest.approx(error(teacher))
    assert test.metrics["image_error"] == pytest.approx((logits.numpy().argmax(1) != labels).mean())
    rows = digits.splits.test  # stand in for validation: the same reader
    assert validate(network, judged, rows, CPU).error == pytest.approx(test.error)
    assert validate(network, judged, rows, CPU).cross_entropy == validate(network, data, rows, CPU).cross_entropy


def test_large_images_are_judged_fewer_at_a_time():
    """2²¹ pixels: a batch of 256 images of 224 pixels would take more memory than training on 16 does."""
    assert [batch_images(size) for size in (32, 64, 90, 224, 2000)] == [256, 256, 256, 41, 1]
