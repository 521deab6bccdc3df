from pathlib import Path

import pytest
import torch

from azeotrope.errors import InputError
from azeotrope.models.load import load_network
from azeotrope.models.sources import source_of

TINY = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.ReLU(), nn.Conv2d(6, 9, 3, 2, 1))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.unused = nn.Linear(3, 3)
        self.last = nn.Linear(9, 5)

    def forward(self, x):
        return self.last(self.pool(self.body(x)).flatten(1))

class Softmax(Net):
    def forward(self, x):
        return super().forward(x).softmax(1)

class Dense(Net):
    def forward(self, x):
        return self.body(x)

def broken():
    raise ValueError("no such table")


def leaves():
    raise SystemExit(3)

def number():
    return 3

def one_size():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 7), nn.ReLU(), nn.Linear(7, 2))
"""

OWN = """
from azeotrope.models.backbone import Preprocessing

def own():
    net = Net()
    net.preprocessing = Preprocessing(24, (0.,) * 3, (1.,) * 3, "bilinear")
    return net
"""


@pytest.fixture
def model_py(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(TINY)
    return path


def test_the_last_linear_that_runs_is_cut_off(model_py):
    backbone = source_of("file").build(f"{model_py}:Net", image_size=16)
    assert (backbone.features, backbone.stride, backbone.head_names) == (9, 4, ("last",))
    assert backbone.module(torch.zeros(2, 3, 16, 16)).shape == (2, 9)


def test_a_model_for_one_size_only(model_py):
    backbone = source_of("file").build(f"{model_py}:one_size", image_size=8)
    assert (backbone.features, backbone.head_names) == (7, ("3",))


def test_own_normalisation_is_kept(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(TINY + OWN)
    preprocessing = source_of("file").build(f"{path}:own", image_size=None).preprocessing
    assert (preprocessing.size, preprocessing.mean, preprocessing.interpolation) == (24, (0.0, 0.0, 0.0), "bilinear")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("Softmax", r"must end in its classifier.*no torch\.nn\.Linear whose output is the model's output.*no softmax"),
        ("Dense", r"one pooled vector for each image.*output of shape \[1, 9, "),
        ("broken", r"must run without arguments.*ValueError: no such table"),
        ("leaves", r"must run without arguments.*SystemExit: 3"),
        ("number", r"must return a model.*Found: int.*torch\.nn\.Module"),
        ("Nett", r"no function in model\.py named 'Nett'.*nearest: Net"),
        ("one_size", r"must run on images of 16 x 16 pixels.*RuntimeError"),
    ],
)
def test_what_is_no_model_says_what_is_needed(model_py, function, message):
    with pytest.raises(InputError, match=message):
        source_of("file").build(f"{model_py}:{function}", image_size=16)


def test_images_below_the_stride_are_refused(model_py):
    with pytest.raises(InputError, match=r"smaller than the stride.*Found: 2 px. Allowed: 4 px"):
        load_network(f"file:{model_py}:Net", 3, image_size=2, pretrained=False, seed=0)


def test_a_missing_file_and_a_missing_function(tmp_path):
    with pytest.raises(InputError, match=r"file must exist.*gone\.py"):
        source_of("file").build(f"{tmp_path}/gone.py:build", image_size=16)
    with pytest.raises(InputError, match=r"by its file and function.*file:PATH\.py:FUNCTION"):
        source_of("file").build("model.py", image_size=16)


def test_a_file_that_does_not_run(tmp_path):
    path = tmp_path / "bad.py"
    path.write_text("import no_such_module_here")
    with pytest.raises(InputError, match=r"The model's file .*bad\.py must be importable.*ModuleNotFoundError"):
        source_of("file").build(f"{path}:build", image_size=16)


def test_weights_are_the_users_to_name(model_py):
    with pytest.raises(InputError, match=r"No pretrained weights are known for file:.*@FILE"):
        load_network(f"file:{model_py}:Net", 3, image_size=16, pretrained=True, seed=0)
    with pytest.raises(InputError, match=r"no hub has weights.*@weights\.safetensors"):
        load_network(f"file:{model_py}:Net@hub", 3, image_size=16, pretrained=True, seed=0)


def test_the_example_of_the_docs_works(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    (tmp_path / "model.py").write_text(page.partition("```python\n")[2].partition("```")[0])
    assert source_of("file").build(f"{tmp_path}/model.py:build", image_size=32).features == 32
