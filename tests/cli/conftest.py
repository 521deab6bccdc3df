"""Commands of the smallest size: 8x8 digits, a student of 0.4 million parameters, one epoch, one rate."""

import pytest
from PIL import Image

TINY = ("--student", "test_resnet", "--image-size", "32", "--epochs", "1", "--learning-rates", "1e-3", "--views", "1")


@pytest.fixture(scope="session")
def tiny():
    """Options that make a training last a fraction of a second."""
    return TINY


@pytest.fixture(scope="module", autouse=True)
def _no_trial():
    """A trial of two seconds for each rate would be most of these tests' time; one test leaves it in."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("azeotrope.session.comparisons.pretraining_cost.training_rate", lambda *_: 100.0)
        yield


@pytest.fixture(scope="session")
def picture(tmp_path_factory):
    """A handwritten digit as a PNG."""
    from sklearn.datasets import load_digits

    file = tmp_path_factory.mktemp("pictures") / "digit.png"
    Image.fromarray((load_digits().images[0] * 15).astype("uint8")).save(file)
    return file
