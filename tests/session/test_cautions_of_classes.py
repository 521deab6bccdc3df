"""Whether every class is seen in training: with several labels an image, few images may show all."""

import numpy as np
import pytest
from PIL import Image

from azeotrope.data.task import load_task
from azeotrope.labels import LabelSpec
from azeotrope.reporting.summary import summarise
from azeotrope.session.cautions import cautions
from reporting.factories import three_seeds

NAMES = "abcdefgh"
SAID = "5 training images do not show all 8 classes: some are never seen in training."


@pytest.mark.parametrize(
    ("kind", "labels", "said"),
    [
        ("single", [NAMES[place % 8] for place in range(48)], (SAID,)),
        ("multi", [NAMES[place % 8] for place in range(48)], (SAID,)),
        ("multi", [";".join(NAMES) * (place % 2) for place in range(48)], ()),
        ("number", [str(place) for place in range(48)], ()),
    ],
)
def test_classes_that_are_never_seen_are_told_of(tmp_path, kind, labels, said):
    rng = np.random.default_rng(0)
    for place in range(48):
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(tmp_path / f"{place}.png")
    rows = [f"{place}.png,{label}" for place, label in enumerate(labels)]
    (tmp_path / "set.csv").write_text("\n".join(["path,label", *rows]))
    task = load_task(str(tmp_path / "set.csv"), labels=LabelSpec(kind=kind))
    comparison = summarise(three_seeds("scratch", [200] * 3, train_images=5))
    assert cautions(task, comparison, tmp_path) == said
