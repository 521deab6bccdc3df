"""A student trained on digits for seconds, saved as `distill` saves it; several tests look at its one bundle."""

import pytest

import azeotrope

RECIPE = {"epochs": 12, "learning_rates": (3e-3,), "views": 1}


@pytest.fixture(scope="session", autouse=True)
def _shortly_and_here(tmp_path_factory):
    """A second of timing a file would be most of these tests' time; what is made once is made in the tests' cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AZEOTROPE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        patch.setattr("azeotrope.exporting.target.TIMED", (5, 0.0))
        yield


@pytest.fixture(scope="session")
def distilled(tmp_path_factory):
    """`distill(data)` of a tiny student without a teacher; returns the model's folder."""

    def run(data, *, train_images=300, student="test_resnet", **more):
        return azeotrope.distill(
            data,
            student=student,
            teacher=None,
            arm="scratch",
            train_images=train_images,
            image_size=32,
            recipe=RECIPE,
            precision="fp32",
            out=tmp_path_factory.mktemp("trained"),
            **more,
        ).model

    return run


@pytest.fixture(scope="session")
def model(distilled):
    """On digits."""
    return distilled("digits")


@pytest.fixture(scope="session")
def exported(model, tmp_path_factory):
    """All targets of the main environment."""
    return azeotrope.export(
        model, to="onnx,onnx-int8,pt2", out=tmp_path_factory.mktemp("out") / "bundle", max_drop=0.05
    )
