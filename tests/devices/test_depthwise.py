"""Gradients of depthwise convolutions against torch's own in float64, and which way each convolution takes."""

import pytest
import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from azeotrope.devices.device import Device

BF16 = Device("cpu", "bf16")
EIGHTH_BIT = 2**-8  # bf16 keeps eight bits
CASES = [
    pytest.param({"stride": 2, "padding": 1}, 3, id="strided"),
    pytest.param({"stride": (2, 1), "padding": (1, 0)}, 3, id="strided one way"),
    pytest.param({"stride": 2, "padding": 2}, 5, id="strided and wide"),
    pytest.param({"padding": 3}, 7, id="wide"),
    pytest.param({"padding": 4, "dilation": 2}, 5, id="wide and dilated"),
    pytest.param({"padding": 1}, 3, id="neither"),
]


class Backward(TorchDispatchMode):
    """Notes the precision in which each gradient with respect to a convolution's input was asked for."""

    def __init__(self):
        super().__init__()
        self.of_input, self.of_weight = [], []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.convolution_backward.default:
            for asked, noted in zip(args[-1], (self.of_input, self.of_weight), strict=False):
                noted += [args[0].dtype] * asked
        return func(*args, **(kwargs or {}))


def pictures(channels=8, size=12):
    torch.manual_seed(0)
    made = torch.randn(4, channels, size, size).bfloat16().float().to(memory_format=torch.channels_last)
    return made.requires_grad_()


def layer(kernel, channels=8, groups=8, bias=True, **geometry):
    torch.manual_seed(1)
    made = torch.nn.Conv2d(channels, 8, kernel, groups=groups, bias=bias, **geometry)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(parameter.bfloat16())  # so that only gradients are rounded
    return made


def gradients(convolution, images, weights, autocast):
    """Of the sum of outputs times `weights`, with respect to images and parameters."""
    with autocast:
        output = convolution(images)
    output.backward(weights.to(output.dtype))
    found = [images.grad, *(parameter.grad for parameter in convolution.parameters())]
    images.grad = None
    convolution.zero_grad()
    return output, found


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("geometry", "kernel"), CASES)
def test_gradients_are_those_of_float64_up_to_rounding(geometry, kernel, bias):
    convolution, images = layer(kernel, bias=bias, **geometry), pictures()
    output = convolution(images)
    weights = torch.randn_like(output).bfloat16().float()
    shown, found = gradients(convolution, images, weights, BF16.autocast())
    exact = images.detach().double().requires_grad_()
    output, expected = gradients(convolution.double(), exact, weights.double(), torch.enable_grad())
    assert torch.allclose(shown.double(), output, rtol=EIGHTH_BIT, atol=EIGHTH_BIT)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == torch.float32
        assert (one.double() - other).norm() < EIGHTH_BIT * other.norm()


@pytest.mark.parametrize(
    ("geometry", "kernel", "of_input", "of_weight"),
    [
        ({"stride": 2, "padding": 1}, 3, torch.float32, torch.bfloat16),
        ({"stride": 2, "padding": 2}, 5, torch.float32, torch.float32),
        ({"padding": 2}, 5, torch.float32, torch.float32),
        ({"padding": 1}, 3, torch.bfloat16, torch.bfloat16),
        ({"stride": 2, "padding": 1, "groups": 1}, 3, torch.bfloat16, torch.bfloat16),
        ({"stride": 2, "padding": 1, "groups": 4}, 3, torch.bfloat16, torch.bfloat16),
        ({"padding": "same"}, 5, torch.bfloat16, torch.bfloat16),
    ],
)
def test_only_depthwise_convolutions_that_bf16_serves_ill_take_the_other_way(geometry, kernel, of_input, of_weight):
    with Backward() as seen:
        convolution = layer(kernel, **geometry)
        with BF16.autocast():
            output = convolution(pictures())
        output.backward(torch.ones_like(output))
    assert (set(seen.of_input), set(seen.of_weight)) == ({of_input}, {of_weight})


def test_what_is_not_asked_for_is_not_computed():
    convolution, images = layer(3, stride=2).requires_grad_(False), pictures()
    with Backward() as seen, BF16.autocast():
        convolution(images).sum().backward()
    assert (len(seen.of_input), len(seen.of_weight)) == (1, 0)
    assert convolution.bias.grad is None


@pytest.mark.parametrize("named", [False, True])
def test_the_output_is_that_of_plain_autocast(named):
    convolution, images = layer(3, stride=2, padding=1), pictures()
    with torch.autocast("cpu", torch.bfloat16):
        expected = convolution(images)
    rest = {"stride": 2, "padding": 1, "groups": 8}
    with BF16.autocast():
        given = {"input": images, "weight": convolution.weight, "bias": convolution.bias, **rest}
        found = functional.conv2d(**given) if named else convolution(images)
    assert torch.equal(found, expected)
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_without_gradients_nothing_is_kept_for_them():
    with torch.no_grad(), BF16.autocast():
        assert layer(3, stride=2)(pictures()).grad_fn is None


def test_fp32_is_left_as_it_is():
    convolution, images = layer(3, stride=2), pictures()
    with Device("cpu", "fp32").autocast():
        assert convolution(images).grad_fn.name() == "ConvolutionBackward0"


def test_where_autocast_is_closed_nothing_is_rounded():
    convolution, images = layer(3, stride=2, padding=1), pictures()
    with BF16.autocast(), torch.autocast("cpu", enabled=False):
        output = convolution(images)
    assert output.dtype == torch.float32
    assert output.grad_fn.name() == "ConvolutionBackward0"


def test_a_weight_used_at_two_strides_has_the_gradients_of_both():
    weight, images = layer(3).weight, pictures().detach()
    totals = []
    for strides in ((2,), (1,), (2, 1)):
        weight.grad = None
        with BF16.autocast():
            outputs = [functional.conv2d(images, weight, None, stride, 1, 1, 8) for stride in strides]
        sum(output.float().sum() for output in outputs).backward()
        totals.append(weight.grad.clone())
    torch.testing.assert_close(totals[2], totals[0] + totals[1], rtol=0.02, atol=0.5)


def test_a_weight_that_is_computed_in_bf16_has_its_gradient_in_bf16():
    weight = torch.randn(8, 1, 5, 5).bfloat16().requires_grad_()
    with BF16.autocast():
        functional.conv2d(pictures(), weight, None, (2,), 2, 1, 8).sum().backward()
    assert weight.grad.dtype == torch.bfloat16
    assert torch.isfinite(weight.grad).all()


@pytest.mark.parametrize("images", [pictures().detach()[0], pictures().detach().double()], ids=["one", "float64"])
def test_what_else_torch_takes_goes_the_way_of_torch(images):
    weight = torch.randn(8, 1, 3, 3, dtype=images.dtype, requires_grad=True)
    with BF16.autocast():
        output = functional.conv2d(images, weight, None, 2, 1, 1, 8)
    assert "Depthwise" not in output.grad_fn.name()
