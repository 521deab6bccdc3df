"""By what an export judges: the measure that chose the model."""

import pytest
from torch import nn

from azeotrope.errors import InputError
from azeotrope.kinds._own_measure import code_of
from azeotrope.models.backbone import Preprocessing
from azeotrope.models.saved import SavedModel
from azeotrope.models.spec import ModelSpec
from azeotrope.session.exports.exporting import _judge


def saved(**facts):
    look = Preprocessing(size=8, mean=(0.5,) * 3, std=(0.5,) * 3, interpolation="bilinear")
    return SavedModel(nn.Identity(), ("a", "b"), look, ModelSpec.parse("test_resnet"), facts)


def test_a_model_that_names_no_measure_is_judged_by_its_kind():
    assert _judge(saved()).over_images


def test_a_function_edited_since_the_training_is_refused(tmp_path):
    path = tmp_path / "cost.py"
    path.write_text("def cost(labels, said):\n    return 0.5\n")
    metric = f"file:{path}:cost"
    model = saved(metric=metric, metric_code=code_of(metric))
    assert not _judge(model).over_images
    path.write_text("def cost(labels, said):\n    return 0.25\n")
    with pytest.raises(InputError, match="by the measure that chose it") as caught:
        _judge(model)
    assert caught.value.next_step == "bring back the file as it was at the training"
