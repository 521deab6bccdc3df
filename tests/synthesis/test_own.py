import numpy as np
import pytest
import torch

from azeotrope.devices.device import Device
from azeotrope.errors import InputError, RunFailed
from azeotrope.synthesis.generators.own import OwnGenerator, load_own, save_own, saved
from azeotrope.synthesis.spec import Request, Training
from azeotrope.synthesis.training import OwnTraining
from azeotrope.synthesis.unet import Frame

CPU = Device("cpu", "fp32")
SPEC = Training(steps=6, batch_images=4, channels=(8, 16, 16))


@pytest.mark.parametrize(("side", "channels"), [(8, 1), (28, 1), (16, 3), (15, 3)])
def test_folding_and_padding_are_undone_exactly(side, channels):
    pictures = torch.randint(0, 256, (2, side, side, channels), dtype=torch.uint8)
    frame = Frame(side, channels)
    folded = frame.fold(pictures)
    assert folded.shape == (2, 4 * channels, frame.padded // 2, frame.padded // 2)
    assert frame.padded % 8 == 0
    assert folded.abs().max() <= 1
    assert torch.equal(frame.unfold(folded), pictures)


@pytest.fixture
def training(tmp_path):
    def make(file="checkpoint.pt", spec=SPEC):
        rng = np.random.default_rng(0)
        dark = 40 + 80 * (np.arange(9) % 3)[:, None, None, None]
        pictures = torch.from_numpy((dark + rng.integers(0, 9, (9, 8, 8, 1))).astype(np.uint8))
        return OwnTraining(pictures, np.arange(9) % 3, 3, spec, 0, True, CPU, tmp_path / file)

    return make


def equal(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_killed_it_goes_on_to_the_same_weights(training, monkeypatch):
    unbroken = training("a.pt").run()
    monkeypatch.setattr("azeotrope.synthesis.training.CHECKPOINT_SECONDS", 0.0)
    killed = training("b.pt")
    steps = []

    def advance(count):
        steps.append(count)
        if len(steps) == 4:
            raise KeyboardInterrupt

    killed.advance = advance
    with pytest.raises(KeyboardInterrupt):
        killed.run()
    again = training("b.pt")
    moved = []
    again.advance = moved.append
    assert equal(again.run(), unbroken)
    assert moved[0] == 3  # the bar starts where it stopped: the fourth step's checkpoint was not written
    assert again.seconds > 0


def test_the_average_is_not_the_network(training):
    made = training()
    assert not equal(made.run(), made.network)


def test_it_learns(training):
    """The mean squared error of v falls well below 1, that of predicting nothing for noise and image alike."""
    made = training(spec=Training(steps=40, batch_images=9, channels=(8, 16, 16), learning_rate=5e-3))
    losses = []
    real = torch.nn.functional.mse_loss
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "azeotrope.synthesis.training.functional.mse_loss", lambda *a: losses.append(real(*a)) or losses[-1]
        )
        made.run()
    assert torch.stack(losses[-10:]).mean() < 0.8 * torch.stack(losses[:5]).mean()


def test_a_loss_that_is_not_finite_ends_it(training):
    made = training()
    made.file.write_bytes(b"of an earlier step")  # must not stand in the way of another training in this folder
    with torch.no_grad():
        next(made.network.parameters()).fill_(float("nan"))
    with pytest.raises(RunFailed, match=r"not finite at step 1.*--precision fp32"):
        made.run()
    assert not made.file.exists()


@pytest.fixture
def generator(training):
    made = training()
    return OwnGenerator(made.run(), made.frame, ("a", "b", "c"), 3, 1.5, CPU, "own:x")


REQUESTS = [Request.of(name, label, 0, 0) for label, name in enumerate("abc")]


def test_the_same_requests_give_the_same_pictures_and_others_do_not(generator):
    first, again = generator.make(REQUESTS), generator.make(REQUESTS)
    assert [made.pixels.shape for made in first] == [(8, 8, 1)] * 3
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, again, strict=True))
    other = generator.make([Request.of("a", 0, 1, 0)])[0]
    assert not np.array_equal(other.pixels, first[0].pixels)


def test_a_picture_does_not_depend_on_its_batch(generator):
    together, alone = generator.make(REQUESTS), [generator.make([request])[0] for request in REQUESTS]
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_allclose(a.pixels.astype(int), b.pixels.astype(int), atol=1)  # sums in another order


def test_guidance_follows_its_formula(generator):
    values, time = torch.randn(2, 4, 4, 4), torch.tensor(500)
    labels = torch.tensor([0, 2])
    with torch.inference_mode():
        informed = generator.network(values, time, labels).sample
        plain = generator.network(values, time, torch.tensor([3, 3])).sample
        torch.testing.assert_close(generator._guided(values, time, labels), plain + 1.5 * (informed - plain))


def test_saved_and_loaded_it_draws_the_same(generator, tmp_path):
    digest = save_own(generator.network, tmp_path)
    network, found = load_own(tmp_path, CPU)
    assert found == digest
    assert equal(network, generator.network)


def test_what_a_kill_leaves_of_a_generator_is_not_taken_for_one(generator, tmp_path, monkeypatch):
    kind = type(generator.network)
    real = kind.save_pretrained

    def dies(network, folder, **options):
        real(network, folder, **options)
        (folder / "diffusion_pytorch_model.safetensors").write_bytes(b"to")
        raise KeyboardInterrupt

    monkeypatch.setattr(kind, "save_pretrained", dies)
    with pytest.raises(KeyboardInterrupt):
        save_own(generator.network, tmp_path)
    monkeypatch.undo()
    assert not saved(tmp_path)
    save_own(generator.network, tmp_path)
    assert saved(tmp_path)
    assert equal(load_own(tmp_path, CPU)[0], generator.network)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["unet"]


def test_a_damaged_generator_is_refused(generator, tmp_path):
    save_own(generator.network, tmp_path)
    (tmp_path / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"torn")
    with pytest.raises(InputError, match=r"cannot be read.*delete this folder"):
        load_own(tmp_path, CPU)
