"""Truth: `interpolate(antialias=True)` for pixels, torchvision for colours, the policy's own bounds for the draws."""

import numpy as np
import pytest
import torch
from torch.nn import functional
from torchvision.transforms.v2 import functional as reference

from azeotrope.data.augmentation.render import Renderer
from azeotrope.data.augmentation.views import PLAIN, draw
from azeotrope.data.host_batch import Inputs
from azeotrope.recipe import ViewPolicy

POLICY = ViewPolicy()
LEVEL = 1 / 255  # pixels are rounded to 8 bits after each of the two directions
IMAGES = np.random.default_rng(0).integers(0, 2**63, 4000, dtype=np.uint64)


def pictures(count=3, channels=3, side=32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, side, side, channels), dtype=torch.uint8, generator=generator)


def planes(images):
    """As torch's own functions want them: [B, C, H, W]."""
    return images.permute(0, 3, 1, 2)


def smooth_pictures(count, side):
    coarse = torch.rand(count, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    smooth = (functional.interpolate(coarse, side, mode="bicubic").clamp(0, 1) * 255).round().to(torch.uint8)
    return smooth.permute(0, 2, 3, 1).contiguous()


def views(count=3, **changes):
    """Plain views, with some parameters changed for all of them."""
    plain = draw(POLICY, IMAGES[:count], PLAIN)
    for name, value in changes.items():
        plain.column(name)[:] = value
    return plain


def render(images, drawn, size, interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3):
    """Of arrays, as the host sends them."""
    inputs = Inputs(images.numpy(), drawn).map(torch.from_numpy)
    return Renderer(size, interpolation, mean, std)(inputs.pixels, inputs.views)


def interpolated(images, size, mode):
    """Along the width, then along the height; what overshoots is cut after each, as 8-bit pixels must."""
    pixels = planes(images) / 255
    for shape in ((pixels.shape[2], size), (size, size)):
        pixels = functional.interpolate(pixels, shape, mode=mode, antialias=True, align_corners=False).clamp(0, 1)
    return pixels


def as_rows(drawn):
    return drawn.values.astype(np.float64)


def test_a_view_depends_on_image_and_number_whatever_the_batch():
    whole = as_rows(draw(POLICY, IMAGES[:100], 5))
    order = np.random.default_rng(1).permutation(100)
    np.testing.assert_array_equal(as_rows(draw(POLICY, IMAGES[:100][order], 5)), whole[order])
    alone = np.concatenate([as_rows(draw(POLICY, IMAGES[[place]], 5)) for place in range(100)])
    np.testing.assert_array_equal(alone, whole)


def test_pixels_of_a_view_do_not_depend_on_the_batch():
    images, parameters = pictures(8), draw(POLICY, IMAGES[:8], 2)
    together = render(images, parameters, 20)
    alone = torch.cat(
        [render(images[[place]], draw(POLICY, IMAGES[[place]], 2), 20) for place in range(8)],
    )
    torch.testing.assert_close(alone, together, rtol=0, atol=1e-6)


def test_the_same_view_twice_is_the_same_to_the_bit():
    first, second = (render(pictures(8), draw(POLICY, IMAGES[:8], 2), 20) for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize("change", ["image", "view"])
def test_another_image_or_number_is_another_view(change):
    image, view = (IMAGES[1], 0) if change == "image" else (IMAGES[0], 1)
    assert (as_rows(draw(POLICY, np.array([image]), view)) != as_rows(draw(POLICY, IMAGES[:1], 0))).mean() > 0.8


def test_draws_keep_the_bounds_of_the_policy_and_reach_them():
    policy = ViewPolicy(crop_area=(0.3, 0.6), crop_aspect=(0.8, 1.25), brightness=0.1, contrast=0.3, saturation=0.5)
    drawn = draw(policy, IMAGES, 0)
    assert (drawn.column("top") >= 0).all()
    assert (drawn.column("left") >= 0).all()
    assert (drawn.column("top") + drawn.column("height")).max() <= 1 + 1e-6
    assert (drawn.column("left") + drawn.column("width")).max() <= 1 + 1e-6
    measured = {
        "area": (drawn.column("height") * drawn.column("width"), 0.3, 0.6),
        "aspect": (drawn.column("width") / drawn.column("height"), 0.8, 1.25),
        "brightness": (drawn.column("brightness"), 0.9, 1.1),
        "contrast": (drawn.column("contrast"), 0.7, 1.3),
        "saturation": (drawn.column("saturation"), 0.5, 1.5),
    }
    for name, (values, low, high) in measured.items():
        slack = 0.01 * (high - low)
        assert low - 1e-5 <= values.min() < low + slack, name
        assert high - slack < values.max() <= high + 1e-5, name
    assert drawn.column("mirror").mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(len(IMAGES)))


def test_a_policy_without_mirror_mirrors_nothing():
    assert not draw(ViewPolicy(mirror=False), IMAGES, 0).column("mirror").any()


def test_policies_share_what_they_do_not_change():
    """Arms that differ in colours would still see the same crops."""
    drawn, other = draw(POLICY, IMAGES[:50], 0), draw(ViewPolicy(brightness=0.5), IMAGES[:50], 0)
    np.testing.assert_array_equal(drawn.column("top"), other.column("top"))
    np.testing.assert_array_equal(drawn.column("height"), other.column("height"))


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [7, 20, 32, 45, 96])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_plain_view_is_an_antialiased_resize(mode, size, channels):
    images = pictures(channels=channels)
    expected = interpolated(images, size, mode).expand(-1, 3, -1, -1)
    torch.testing.assert_close(render(images, views(), size, mode), expected, rtol=0, atol=1.3 * LEVEL)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_a_plain_view_at_the_stored_size_is_the_image(mode):
    images = pictures()
    torch.testing.assert_close(render(images, views(), 32, mode), planes(images) / 255, rtol=0, atol=1e-6)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [10, 16, 40])
def test_a_crop_on_whole_pixels_is_a_resize_of_the_cropped_array(mode, size):
    """Where the kernel reaches over the crop's edge the view may look at the real pixels there, the crop cannot."""
    images = pictures()
    shown = render(images, views(top=8 / 32, left=4 / 32, height=16 / 32, width=16 / 32), size, mode)
    expected = interpolated(images[:, 8:24, 4:20], size, mode)
    reach = (1 if mode == "bilinear" else 2) * max(1, 16 / size)  # pixels of the source
    edge = int(np.ceil(reach * size / 16))
    inner = (..., slice(edge, size - edge), slice(edge, size - edge))
    assert expected[inner].numel()
    torch.testing.assert_close(shown[inner], expected[inner], rtol=0, atol=1.3 * LEVEL)


def test_a_mirrored_view_is_the_view_flipped():
    box = {"top": 0.1, "left": 0.3, "height": 0.5, "width": 0.6}
    plain, mirrored = (render(pictures(), views(mirror=mirror, **box), 20) for mirror in (False, True))
    torch.testing.assert_close(mirrored, plain.flip(-1), rtol=0, atol=0)
    assert not torch.allclose(mirrored, plain, atol=0.05)


@pytest.mark.parametrize("factor", [0.7, 0.95, 1.3])
@pytest.mark.parametrize("colour", ["brightness", "contrast", "saturation"])
def test_colours_follow_torchvision(colour, factor):
    """torchvision weighs grey by 0.2989, 0.587, 0.114, a rounding of ours: hence the tolerance."""
    images = pictures()
    expected = getattr(reference, f"adjust_{colour}")(planes(images) / 255, factor)
    torch.testing.assert_close(render(images, views(**{colour: factor}), 32), expected, rtol=0, atol=5e-4)


@pytest.mark.parametrize("channels", [2, 4, 5])
def test_other_bands_than_grey_or_colour_are_scaled_and_pulled_to_their_own_mean(channels):
    """Brightness as a factor, contrast around each band's mean; saturation has no meaning and does nothing."""
    images, none = pictures(channels=channels), ((0.0,) * channels, (1.0,) * channels)
    shares = planes(images) / 255
    torch.testing.assert_close(render(images, views(), 32, "bilinear", *none), shares)
    torch.testing.assert_close(render(images, views(saturation=0.3), 32, "bilinear", *none), shares)
    bright = render(images, views(brightness=0.7), 32, "bilinear", *none)
    torch.testing.assert_close(bright, 0.7 * shares)
    means = shares.mean((2, 3), keepdim=True)
    pulled = render(images, views(contrast=0.7), 32, "bilinear", *none)
    torch.testing.assert_close(pulled, 0.7 * shares + 0.3 * means, rtol=0, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_16_bits_show_what_their_upper_8_bits_show(channels):
    images, drawn = pictures(8, channels), draw(POLICY, IMAGES[:8], 0)
    how = ("bilinear", (0.4,) * max(channels, 3), (0.2,) * max(channels, 3))
    fine = torch.from_numpy(images.numpy().astype(np.uint16) * 257)
    torch.testing.assert_close(
        render(fine, drawn, 24, *how), render(images, drawn, 24, *how), rtol=0, atol=2 / 255 / 0.2
    )
    one = torch.from_numpy(np.full((1, 8, 8, channels), 12_345, np.uint16))
    exact = render(one, views(1), 8, "bilinear", (0.0,) * max(channels, 3), (1.0,) * max(channels, 3))
    torch.testing.assert_close(exact, torch.full_like(exact, 12_345 / 65_535))


def test_a_grey_image_and_its_three_channel_copy_look_the_same():
    grey, parameters = pictures(8, channels=1), draw(POLICY, IMAGES[:8], 0)
    torch.testing.assert_close(
        render(grey, parameters, 24), render(grey.repeat(1, 1, 1, 3), parameters, 24), rtol=0, atol=1e-5
    )


def test_teacher_and_student_see_the_same_part_of_the_world():
    """The view at 64 px, shrunk to 16, is the view at 16 px."""
    images, parameters = smooth_pictures(8, 64), draw(POLICY, IMAGES[:8], 3)
    large, small = render(images, parameters, 64), render(images, parameters, 16)
    shrunk = functional.interpolate(large, 16, mode="bilinear", antialias=True)
    assert (shrunk - small).abs().mean() < 0.005
    elsewhere = render(images, draw(POLICY, IMAGES[:8], 4), 16)
    assert (shrunk - elsewhere).abs().mean() > 0.05


def test_values_stay_in_the_unit_interval():
    drawn = draw(ViewPolicy(brightness=0.9, contrast=0.9, saturation=0.9), IMAGES[:32], 0)
    shown = render(pictures(32), drawn, 16, "bicubic")
    assert shown.min() >= 0
    assert shown.max() <= 1


def test_unknown_kernels_are_taken_as_bicubic():
    images = pictures()
    assert torch.equal(render(images, views(), 20, "lanczos"), render(images, views(), 20, "bicubic"))


def test_normalisation_is_per_channel_also_where_colours_are_clamped():
    images, drawn = pictures(16), draw(ViewPolicy(brightness=0.9, contrast=0.9), IMAGES[:16], 0)
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)
    shown = render(images, drawn, 16, "bilinear", mean, std)
    expected = reference.normalize(render(images, drawn, 16), mean, std)
    torch.testing.assert_close(shown, expected, rtol=0, atol=1e-5)
    assert shown.is_contiguous(memory_format=torch.channels_last)


def test_autocast_does_not_coarsen_pixels():
    """A training step may run in bfloat16; its pixels do not."""
    images, drawn = pictures(), draw(POLICY, IMAGES[:3], 0)
    with torch.autocast("cpu", torch.bfloat16):
        inside = render(images, drawn, 20)
    assert torch.equal(inside, render(images, drawn, 20))


@pytest.mark.parametrize("cutout", [0.25, 0.5])
def test_cutout_blanks_a_square_that_may_reach_over_the_edge(cutout):
    """Blank is the model's zero: the mean colour. The square's share is (cutout times its part inside) squared."""
    white = torch.full((400, 8, 8, 3), 255, dtype=torch.uint8)
    drawn = draw(ViewPolicy(cutout=cutout, brightness=0, contrast=0, saturation=0), IMAGES[:400], 0)
    blank = (render(white, drawn, 32, "bilinear", (0.5,) * 3, (0.5,) * 3) == 0).all(1)
    largest = round(cutout * 32)
    assert blank.any(2).sum(1).max() == blank.any(1).sum(1).max() == largest
    assert (blank.sum((1, 2)) == blank.any(2).sum(1) * blank.any(1).sum(1)).all()
    inside = 1 - cutout / 4  # mean share of a side that stays inside, its centre anywhere in the view
    assert blank.float().mean().item() == pytest.approx((cutout * inside) ** 2, rel=0.1)


def test_the_plain_view_and_the_default_policy_cut_nothing_out():
    policy = ViewPolicy(cutout=0.9)
    assert torch.equal(render(pictures(), draw(policy, IMAGES[:3], PLAIN), 32), render(pictures(), views(), 32))
    assert draw(POLICY, IMAGES[:3], 0).cutout == 0


def test_teacher_and_student_lack_the_same_square():
    drawn = draw(ViewPolicy(cutout=0.5), IMAGES[:8], 0)
    shown = [render(pictures(8), drawn, size) == 0 for size in (16, 48)]
    assert torch.equal(shown[0].all(1), shown[1].all(1)[:, 1::3, 1::3])


def test_more_threads_change_no_pixel():
    images, drawn = pictures(40, side=96), draw(POLICY, IMAGES[:40], 1)
    threads = torch.get_num_threads()
    alone = render(images, drawn, 128)
    try:
        torch.set_num_threads(2)
        torch.testing.assert_close(render(images, drawn, 128), alone, rtol=0, atol=1e-6)
    finally:
        torch.set_num_threads(threads)


def test_all_of_the_area_is_all_of_the_picture_only_in_its_own_aspect():
    whole = draw(ViewPolicy(crop_area=(1, 1), crop_aspect=(1, 1)), IMAGES, 0)
    assert (whole.column("height").min(), whole.column("width").min()) == (1, 1)
    cut = draw(ViewPolicy(crop_area=(1, 1)), IMAGES, 0)
    assert np.minimum(cut.column("height"), cut.column("width")).min() == pytest.approx(0.75**0.5, abs=1e-3)
