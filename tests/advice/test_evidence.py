"""What is said of evidence by another measure than the share of wrong images."""

import numpy as np
import pytest

from azeotrope.advice.evidence import read_evidence
from azeotrope.record.clusters import pack_clusters
from azeotrope.record.run import pack_correctness
from curves.worlds import TASK, power, records


def evidence_of(metric, error, wrong, **task):
    """Three sizes of one arm, each with the first `wrong` of 4,000 test images wrong: 3,000 of one class, nine others
    of 111 or so.
    """
    classes = np.sort(np.r_[np.zeros(3000, int), 1 + np.arange(1000) % 9])
    facts = {
        "test_error": error,
        "test_images": 4000,
        "correct": pack_correctness(np.arange(4000) >= wrong),
        "recipe": {"metric": metric},
        "test_classes": pack_clusters(classes) if metric == "balanced_error" else None,
        "task": TASK.model_copy(update=task),
    }
    return read_evidence(records({"scratch": power(0.1, 2.0, 0.4)}, sizes=[100, 400, 1600], **facts))


def test_an_error_in_a_large_class_is_seen_in_a_mean_over_classes():
    """1 / 3,000 / 10 x 4,001 images is less than half an answer."""
    (arm,) = evidence_of("balanced_error", 1 / 30_000, 1).contenders
    assert arm.never_wrong is None
    (arm,) = evidence_of("balanced_error", 1 - 1 / 30_000, 3999).contenders
    assert not arm.always_wrong


def test_a_share_of_images_tells_whether_any_was_wrong():
    assert evidence_of("error", 1 / 4000, 1).contenders[0].never_wrong is None
    assert evidence_of("error", 0.0, 0).contenders[0].never_wrong == 4000
    assert evidence_of("error", 1.0, 4000).contenders[0].always_wrong


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("balanced_error", "Always naming 'a', the largest class, has a balanced error of 90.0 %."),
        ("error", "Always naming 'a', the largest class, is wrong on 90.0 % of the test images."),
    ],
)
def test_what_always_naming_one_class_scores_is_said_by_the_measure(metric, said):
    found = evidence_of(metric, 0.2, 800, common_class="a", common_error=0.9)
    assert [note for note in found.notes if note.startswith("Always")] == [said]
