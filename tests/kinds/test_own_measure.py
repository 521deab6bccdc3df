"""A measure of one's own: tried before anything is trained, and refused where it could mislead."""

import numpy as np
import pytest
import torch

from azeotrope.errors import InputError, RunFailed
from azeotrope.kinds._kind import UNSCALED, kind_named
from azeotrope.kinds._measures import judged_by, require_metric
from azeotrope.kinds._own_measure import code_of
from azeotrope.kinds.multi import KIND as MULTI
from azeotrope.kinds.single import KIND as SINGLE
from azeotrope.recipe import Recipe
from azeotrope.record.kinds import measure_of, words_of

CODE = """
import numpy as np

def missed(labels, probabilities):
    "Share of the images of class 1 that get less than a half for it."
    labels += 0  # what a function changes is its own
    return float((probabilities[labels == 1, 1] < 0.5).mean())

def raises(labels, probabilities):
    raise KeyError("nut")

def leaves(labels, probabilities):
    raise SystemExit(3)

def nothing(labels, probabilities):
    return np.nan

def last(labels, probabilities):
    return float(probabilities[-1].argmax() != labels[-1]) if len(labels) else 0.0

def first(labels, probabilities):
    return float(probabilities[0, 0])

def single_precision(labels, probabilities):
    total = np.float32(0)
    for row in probabilities.astype(np.float32):
        total += row.max() * row.max()
    return float(total / np.float32(len(labels)))

def doubt(labels, probabilities):
    return float((1 - probabilities.max(1)).mean())

def accuracy_in_percent(labels, probabilities):
    return 100 * float((probabilities.argmax(1) == labels).mean())

def text(labels, probabilities):
    return "good"
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """`file:PATH:` of these functions."""
    path = tmp_path_factory.mktemp("own") / "metric.py"
    path.write_text(CODE)
    return f"file:{path}:"


def test_it_is_what_the_function_says_of_classes_and_probabilities(own):
    labels, logits = np.array([0, 1, 1, 1, 1]), torch.tensor([[2.0, 0], [2, 0], [0, 2], [0, 2], [0, 2]])
    require_metric(SINGLE, 2, f"{own}missed")
    judge = judged_by(SINGLE, f"{own}missed")
    assert judge.error(logits, torch.from_numpy(labels)) == pytest.approx(0.25)
    assert judge.right(logits, labels, UNSCALED) is None  # it need be no mean over images
    assert not judge.over_images
    assert SINGLE.error(logits, torch.from_numpy(labels)) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("raises", "failed|KeyError: 'nut'"),
        ("leaves", "failed|SystemExit: 3"),
        ("nothing", "it gave nan"),
        ("first", "of the same images in another order"),
        ("accuracy_in_percent", "it gave [1-9][0-9]"),
        ("text", "could not convert string to float"),
    ],
)
def test_a_function_that_could_mislead_is_refused_before_anything_is_trained(own, function, words):
    with pytest.raises(InputError, match=words) as caught:
        require_metric(SINGLE, 9, f"{own}{function}")
    assert "0 (best) to 1, whatever the order" in caught.value.allowed


@pytest.mark.parametrize("classes", [2, 3, 5, 9, 10, 20, 200])
@pytest.mark.parametrize("function", ["last", "first"])
def test_a_measure_of_one_image_is_refused_for_any_number_of_classes(own, function, classes):
    with pytest.raises(InputError, match="in another order"):
        require_metric(SINGLE, classes, f"{own}{function}")


def test_a_mean_in_single_precision_is_no_matter_of_order(own):
    for classes in (2, 10, 200):
        require_metric(SINGLE, classes, f"{own}single_precision")


def test_it_is_given_probabilities_as_sure_as_they_are(own):
    labels = torch.tensor([0, 0])
    doubts = [
        judged_by(SINGLE, f"{own}doubt").error(torch.tensor([[gap, 0.0]] * 2), labels) for gap in (9.0, 10.0, 20.0)
    ]
    assert doubts == pytest.approx([1 / (1 + np.exp(gap)) for gap in (9, 10, 20)], rel=1e-6)


def test_a_function_edited_since_is_the_one_that_runs(tmp_path):
    """As in a notebook that calls compare again: its runs are stored under the hash of the new code."""
    path = tmp_path / "cost.py"
    judge = judged_by(SINGLE, f"file:{path}:cost")
    for value in (0.5, 0.25):
        path.write_text(f"def cost(labels, said):\n    return {value}\n")
        assert judge.error(torch.zeros(2, 2), torch.tensor([0, 1])) == value


@pytest.mark.parametrize(
    ("code", "said"),
    [("import no_such_module_here", "no_such_module_here"), ("import sys; sys.exit(3)", "SystemExit: 3")],
)
def test_a_file_that_cannot_be_imported_is_called_what_it_is(tmp_path, code, said):
    (tmp_path / "bad.py").write_text(code)
    with pytest.raises(InputError, match=rf"The measure's file .*bad\.py must be importable.*{said}"):
        require_metric(SINGLE, 3, f"file:{tmp_path / 'bad.py'}:cost")


def test_what_fails_on_the_real_images_only_fails_the_run(own):
    labels = torch.zeros(4, dtype=torch.long)  # none of class 1: the mean of nothing
    with pytest.warns(RuntimeWarning, match="empty slice|invalid value"), pytest.raises(RunFailed, match="it gave nan"):
        judged_by(SINGLE, f"{own}missed").error(torch.zeros(4, 2), labels)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("file:nowhere.py:cost", "The measure's file must exist"),
        ("file:metric.py", "A local measure is named by its file and function"),
    ],
)
def test_a_name_that_leads_nowhere_is_refused(name, words):
    with pytest.raises(InputError, match=words):
        require_metric(SINGLE, 3, name)


def test_a_misspelt_function_is_answered_with_the_nearest(own):
    with pytest.raises(InputError, match="nearest: missed"):
        require_metric(SINGLE, 3, f"{own}mised")


def test_several_labels_an_image_are_judged_and_numbers_are_not(own, tmp_path):
    (tmp_path / "many.py").write_text("def cost(labels, said):\n    return float(((said > 0.5) != labels).mean())\n")
    name = f"file:{tmp_path / 'many.py'}:cost"
    require_metric(MULTI, 3, name)
    said = judged_by(MULTI, name).error(torch.tensor([[3.0, -3.0], [3.0, 3.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    assert said == pytest.approx(0.25)
    with pytest.raises(InputError, match="kind number"):
        require_metric(kind_named("number"), 1, name)


def test_changed_code_under_the_same_name_is_another_run(own, tmp_path):
    path = tmp_path / "cost.py"
    path.write_text("def cost(a, b):\n    return 0.5\n")
    before = code_of(f"file:{path}:cost")
    path.write_text("def cost(a, b):\n    return 0.25\n")
    assert code_of(f"file:{path}:cost") != before
    assert code_of("balanced_error") is None
    metric = f"file:{path}:cost"
    one, other = (Recipe.for_images(100, metric=metric, metric_code=code) for code in ("a", "b"))
    assert one.digest() != other.digest()


def test_it_is_called_by_the_name_of_its_function():
    words = words_of(measure_of("single", "file:shop/cost.py:money"))
    assert (words.error, words.meaning, words.sampled) == ("money", "what money of shop/cost.py gives", False)
