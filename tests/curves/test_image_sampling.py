"""The noise of test images: counted once beside that of seeds, and of clusters as of the clusters themselves."""

import numpy as np
import polars as pl
import pytest

from azeotrope.curves.cells import joint_cells
from azeotrope.curves.image_sampling import image_noise
from azeotrope.record.clusters import pack_clusters
from azeotrope.record.run import pack_correctness
from azeotrope.tables.frame import read_runs
from azeotrope.testing.worlds import CROSSING, runs


def table(wrong, clusters=None, classes=None):
    """Two sizes, one run each; `wrong` [2, images]."""
    return pl.DataFrame(
        {
            "train_images": [100, 200],
            "replicate": [0, 0],
            "test_images": [wrong.shape[1]] * 2,
            "correct_bits": [pack_correctness(~row) for row in wrong],
            "test_clusters": [clusters] * 2,
            "test_class_numbers": [classes] * 2,
        },
        schema_overrides={"test_clusters": pl.String, "test_class_numbers": pl.String},
    )


def test_ten_pictures_of_a_patient_who_is_wrong_on_all_of_them_are_one():
    wrong = np.random.default_rng(0).random((2, 2, 60)) < 0.3
    mean, sizes = np.log(wrong.mean(axis=2)), np.array([100.0, 200.0])
    clusters = pack_clusters(np.repeat(np.arange(60), 10))
    one = image_noise([table(arm) for arm in wrong], "train_images", sizes, mean, repeated=False)
    ten = image_noise(
        [table(np.repeat(arm, 10, axis=1), clusters) for arm in wrong], "train_images", sizes, mean, repeated=False
    )
    np.testing.assert_allclose(ten.covariance, one.covariance)
    assert ten.counted == one.counted == "answers"


@pytest.mark.parametrize("sizes", [[50] + [1] * 30, [50] * 5 + [1]])
def test_the_difference_of_two_arms_varies_as_over_drawn_test_sets_where_classes_have_one_image(sizes):
    """Two equal arms that answer apart, judged by the mean over classes."""
    random, classes = np.random.default_rng(1), np.repeat(np.arange(len(sizes)), sizes)
    own, packed, axis = np.array([100.0, 200.0]), pack_clusters(classes), "train_images"
    differences, said = [], []
    for _ in range(200):
        wrong = random.random((2, 2, len(classes))) < 0.4
        errors = np.mean([wrong[..., classes == each].mean(axis=-1) for each in range(len(sizes))], axis=0)
        noise = image_noise([table(arm, classes=packed) for arm in wrong], axis, own, np.log(errors), repeated=False)
        covariance = noise.covariance[:, 0, :, 0] * np.outer(errors[:, 0], errors[:, 0])  # of errors, not their logs
        differences.append(errors[0, 0] - errors[1, 0])
        said.append(np.array([1, -1]) @ covariance @ np.array([1, -1]))
    assert np.mean(said) == pytest.approx(np.var(differences), rel=0.25)


def test_what_a_class_hides_is_taken_of_each_cell_alone():
    """A class of one image beside one of 60: the cell of the larger error is the less certain."""
    wrong = np.zeros((2, 2, 61), dtype=bool)
    wrong[0, :, :3], wrong[1, :, :30] = True, True
    errors = wrong[..., :60].mean(axis=-1) / 2
    packed = pack_clusters(np.repeat([0, 1], [60, 1]))
    tables = [table(arm, classes=packed) for arm in wrong]
    noise = image_noise(tables, "train_images", np.array([100.0, 200.0]), np.log(errors), repeated=False)
    variance = np.einsum("knkn->kn", noise.covariance)[:, 0] * errors[:, 0] ** 2
    pooled = np.array([wrong[arm, 0, :60].var(ddof=1) for arm in range(2)])
    np.testing.assert_allclose(variance, (pooled / 60 + pooled) / 4, rtol=0.02)


def test_of_a_mean_over_classes_the_noise_is_that_of_each_class():
    """Cochran 1977, 5.3: the variance of log error is Σ s_c² / (C² n_c) over the error squared."""
    classes = np.repeat([0, 1], [200, 10])
    wrong = np.random.default_rng(3).random((2, 2, 210)) < np.where(classes == 0, 0.1, 0.5)
    each = np.stack([wrong[..., classes == label].mean(axis=2) for label in (0, 1)])
    error = each.mean(axis=0)
    known = sum(wrong[..., classes == label].var(axis=2, ddof=1) / (classes == label).sum() for label in (0, 1)) / 4
    tables = [table(arm, classes=pack_clusters(classes)) for arm in wrong]
    noise = image_noise(tables, "train_images", np.array([100.0, 200.0]), np.log(error), repeated=False)
    found = np.diag(noise.covariance.reshape(4, 4)).reshape(2, 2)
    np.testing.assert_allclose(found, known / error**2, rtol=0.01)
    plain = image_noise(
        [table(arm) for arm in wrong], "train_images", np.array([100.0, 200.0]), np.log(error), repeated=False
    )
    assert (found > 4 * np.diag(plain.covariance.reshape(4, 4)).reshape(2, 2)).all()


@pytest.mark.parametrize("images", [300, 1000])
def test_seeds_and_test_images_together_vary_as_cells_do_over_worlds(images):
    """What a run gets wrong alone scatters its cell's repeats: counted twice, variances are twice the truth."""
    differences, means, of_difference, of_mean = [], [], [], []
    for seed in range(120):
        table = runs(CROSSING, sizes=[1000.0, 4000.0], neighbours=0.3, test_images=images, seed=seed)
        frame = read_runs(table)
        cells = joint_cells([frame.only("distill"), frame.only("scratch")], "train_images")
        covariance = (cells.covariance() + cells.tested.covariance)[:, 1, :, 1]
        differences.append(cells.mean[0, 1] - cells.mean[1, 1])
        means.append(cells.mean[0, 1])
        of_difference.append(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
        of_mean.append(covariance[0, 0])
    assert np.mean(of_difference) == pytest.approx(np.var(differences), rel=0.35)
    assert np.mean(of_mean) == pytest.approx(np.var(means), rel=0.35)


def test_a_cell_with_one_run_gets_the_share_that_the_others_show():
    """Scratch has one run at the second size, of the seed that distill has there too: nothing differs in seed."""
    table = runs(CROSSING, sizes=[1000.0, 4000.0], test_images=2000, seed=5)
    few = table.filter((table["train_images"] == 1000) | (table["seed"] == 0))
    whole, part = (
        joint_cells([(frame := read_runs(each)).only("distill"), frame.only("scratch")], "train_images")
        for each in (table, few)
    )
    ratio = part.tested.covariance[:, 1, :, 1] / whole.tested.covariance[:, 1, :, 1]
    np.testing.assert_allclose(ratio, 1, atol=0.35)


def test_cells_without_runs_do_not_count_among_those_that_answer_alike():
    table = runs(CROSSING, test_images=2000, seed=3)
    few = table.filter((pl.col("arm") == "distill") | (pl.col("train_images") > 3000))
    whole, part = (
        joint_cells([(frame := read_runs(each)).only("distill"), frame.only("scratch")], "train_images")
        for each in (table, few)
    )
    assert part.tested.shared == pytest.approx(whole.tested.shared, abs=0.05)


def test_a_test_set_of_one_patient_is_read_as_so_many_images():
    """Nothing says how patients differ: the binomial stands in."""
    wrong = np.random.default_rng(0).random((2, 2, 40)) < 0.3
    tables = [table(arm, pack_clusters(np.zeros(40, int))) for arm in wrong]
    noise = image_noise(tables, "train_images", np.array([100.0, 200.0]), np.log(wrong.mean(axis=2)), repeated=False)
    assert noise.counted == "test_images"
    assert np.isfinite(noise.covariance).all()


def test_cells_without_a_number_of_test_images_leave_the_sampling_of_the_others_in():
    def arm(images):
        rows = {"train_images": [100, 100, 200], "test_images": images, "correct_bits": [None] * 3}
        return pl.DataFrame(rows, schema_overrides={"correct_bits": pl.String})

    sizes, mean = np.array([100.0, 200.0]), np.log([[0.3, 0.2], [0.25, 0.2]])
    whole, some = (
        image_noise([arm([500] * 3), arm(other)], "train_images", sizes, mean, repeated=False).covariance.reshape(4, 4)
        for other in ([300] * 3, [300, None, None])
    )
    np.testing.assert_allclose(some[:3, :3], whole[:3, :3])
    assert not some[3].any()
