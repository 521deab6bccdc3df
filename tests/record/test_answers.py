import numpy as np

from azeotrope.record.storage.answers import (
    Answers,
    TestSet,
    answers_of,
    keep_answers,
    keep_test_set,
    stored_test_set,
    validation_of,
)
from azeotrope.record.storage.store import RunStore


def test_answers_are_read_back_in_half_precision(tmp_path):
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(10), 1000)
    store = RunStore(str(tmp_path))
    said = Answers(probabilities.argmax(axis=1), probabilities.astype(np.float16))
    keep_answers(store, "r", said, Answers(np.array([1, 2])), np.array([1, 0]))
    found = answers_of(tmp_path, "r")
    np.testing.assert_array_equal(found.said, said.said)
    assert found.probabilities.dtype == np.float16
    np.testing.assert_allclose(found.probabilities, probabilities, atol=5e-4)
    validated, labels = validation_of(tmp_path, "r")
    assert (validated.said.tolist(), labels.tolist(), validated.probabilities) == ([1, 2], [1, 0], None)
    assert (tmp_path / "predictions" / "r.npz").stat().st_size < 2 * 10 * 1000 + 3000


def test_answers_of_older_stores_have_no_probabilities(tmp_path):
    (tmp_path / "predictions").mkdir()
    np.savez_compressed(tmp_path / "predictions" / "r.npz", predictions=np.array([3, 1], np.uint16))
    found = answers_of(tmp_path, "r")
    assert (found.said.tolist(), found.probabilities) == ([3, 1], None)
    assert validation_of(tmp_path, "r") is None
    assert answers_of(tmp_path, "other") is None
    assert stored_test_set(tmp_path) is None


def test_the_test_set_is_written_once(tmp_path):
    store = RunStore(str(tmp_path))
    keep_test_set(store, TestSet(("a/1.png", "ü.png"), np.array([0, 1]), np.array([0, 0])))
    keep_test_set(store, TestSet(("other",), np.array([5])))
    found = stored_test_set(tmp_path)
    assert (found.keys, found.labels.tolist(), found.clusters.tolist()) == (("a/1.png", "ü.png"), [0, 1], [0, 0])


def test_values_and_several_labels(tmp_path):
    store = RunStore(str(tmp_path))
    keep_answers(store, "n", Answers(np.array([1.5, -2.25])))
    keep_answers(store, "m", Answers(np.array([[True, False]])))
    assert answers_of(tmp_path, "n").said.tolist() == [1.5, -2.25]
    assert answers_of(tmp_path, "m").said.tolist() == [[True, False]]
