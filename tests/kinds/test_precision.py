"""Average precision against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from azeotrope.kinds._precision import average_precisions, mean_average_precision


@pytest.mark.parametrize("levels", [3, 1000])
def test_every_class_is_scikit_learns_also_with_equal_scores(levels):
    rng = np.random.default_rng(levels)
    shows = rng.random((200, 6)) < [0.5, 0.3, 0.1, 0.05, 0.9, 0.02]
    scores = np.round(rng.normal(size=(200, 6)) + shows, 1 if levels == 3 else 12)
    expected = average_precision_score(shows, scores, average=None)
    np.testing.assert_allclose(average_precisions(scores, shows), expected, rtol=1e-12)
    assert mean_average_precision(scores, shows) == pytest.approx(average_precision_score(shows, scores))


def test_a_class_that_no_image_shows_is_left_out_of_the_mean():
    scores, shows = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[True, False], [False, False]])
    assert np.isnan(average_precisions(scores, shows)[1])
    assert mean_average_precision(scores, shows) == 1
