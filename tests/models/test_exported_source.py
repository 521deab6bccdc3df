"""Programs written by the real exporters of torch and ONNX, held against the model they were made from."""

import io
import zipfile

import onnx
import pytest
import torch
from torch import nn

from azeotrope.devices.device import Device
from azeotrope.errors import InputError
from azeotrope.models.cost import macs
from azeotrope.models.load import load_backbone, load_network, weights_available
from azeotrope.plan import TeacherSpec
from azeotrope.teacher.ensemble import Ensemble
from azeotrope.teacher.teacher import load_teacher

pytest.importorskip("onnxruntime")

SIDECAR = "image_size: 16\nmean: [0.4, 0.5, 0.6]\nstd: [0.2, 0.2, 0.3]\nlicence: mit\n"
ANY = torch.export.Dim.DYNAMIC


class Tiny(nn.Module):
    def __init__(self, outputs=1):
        super().__init__()
        self.convolution, self.outputs = nn.Conv2d(3, 8, 3, stride=2), outputs

    def forward(self, images):
        cells = self.convolution(images).relu()
        pooled = cells.mean((2, 3))
        return pooled if self.outputs == 1 else (cells, pooled)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Tiny().eval()


def export(model, path, batch=2, dynamic=True):
    shapes = ({0: ANY} if dynamic else None,)
    program = torch.export.export(model, (torch.zeros(batch, 3, 16, 16),), dynamic_shapes=shapes)
    if path.suffix == ".pt2":
        torch.export.save(program, path)
    else:
        _write_onnx(model, path, batch, dynamic)
    path.with_suffix(".yaml").write_text(SIDECAR)
    return f"exported:{path}"


def _write_onnx(model, path, batch, dynamic):
    """By hand: torch's exporter to ONNX takes seconds to start."""
    outputs = ["cells", "pooled"] if model.outputs == 2 else ["pooled"]
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    weights = {"weight": model.convolution.weight, "bias": model.convolution.bias}
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["images", "weight", "bias"], ["linear"], strides=[2, 2]),
            helper.make_node("Relu", ["linear"], ["cells"]),
            helper.make_node("ReduceMean", ["cells"], ["pooled"], axes=[2, 3], keepdims=0),
        ],
        "tiny",
        [helper.make_tensor_value_info("images", floats, ["n" if dynamic else batch, 3, 16, 16])],
        [helper.make_tensor_value_info(name, floats, None) for name in outputs],
        [onnx.numpy_helper.from_array(value.detach().numpy(), name) for name, value in weights.items()],
    )
    whole = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(whole, path, save_as_external_data=True, location="weights.bin", size_threshold=0)


@pytest.mark.parametrize("suffix", ["onnx", "pt2"])
@pytest.mark.parametrize(("batch", "dynamic"), [(2, True), (1, False), (2, False)])
def test_any_number_of_images_gives_the_models_embeddings(suffix, batch, dynamic, model, tmp_path):
    backbone = load_backbone(export(model, tmp_path / f"t.{suffix}", batch, dynamic))
    for count in (1, 5):
        images = torch.randn(count, 3, 16, 16)
        with torch.no_grad():
            torch.testing.assert_close(backbone.module(images), model(images))
    preparation = backbone.preprocessing
    assert (preparation.size, preparation.mean, preparation.std) == (16, (0.4, 0.5, 0.6), (0.2, 0.2, 0.3))
    assert (backbone.features, backbone.weights.licence) == (8, "mit")


@pytest.mark.parametrize("suffix", ["onnx", "pt2"])
def test_it_teaches_frozen_and_in_half_precision(suffix, model, tmp_path):
    teacher = load_teacher(TeacherSpec(model=export(model, tmp_path / f"t.{suffix}")), Device("cpu", "bf16"))
    teacher.module.train()
    with teacher.device.autocast():
        assert teacher.module(torch.randn(2, 3, 16, 16)).dtype == torch.float32


def test_what_torch_does_not_run_is_not_known_to_cost_nothing(model, tmp_path):
    """onnxruntime computes where torch's counter cannot see."""
    device = Device("cpu", "fp32")
    specs = [TeacherSpec(model=export(model, tmp_path / name)) for name in ("t.onnx", "t.pt2")]
    hidden, seen = (load_teacher(spec, device) for spec in specs)
    assert (hidden.macs, seen.macs) == (None, macs(model, 16))
    assert Ensemble((seen, seen), "both").macs == 2 * macs(model, 16)
    assert Ensemble((seen, hidden), "both").macs is None


def test_the_hash_covers_weights_in_other_files(model, tmp_path):
    spec = export(model, tmp_path / "t.onnx")
    before = load_backbone(spec).weights.sha256
    weights = tmp_path / "weights.bin"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x3f")
    assert load_backbone(spec).weights.sha256 != before


@pytest.mark.parametrize("suffix", ["onnx", "pt2"])
def test_of_several_outputs_one_must_be_named(suffix, tmp_path):
    torch.manual_seed(0)
    two = Tiny(outputs=2).eval()
    path = tmp_path / f"t.{suffix}"
    spec = export(two, path)
    with pytest.raises(InputError, match=r"Which output of exported:.*2 outputs: 0 is .*1 is .*`output: PLACE`"):
        load_backbone(spec)
    path.with_suffix(".yaml").write_text(SIDECAR + "output: 1\n")
    images = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(load_backbone(spec).module(images), two(images)[1])
    path.with_suffix(".yaml").write_text(SIDECAR + "output: 0\n")
    with pytest.raises(InputError, match=r"one pooled vector for each image. Found: an output of shape \[1, 8, 7, 7\]"):
        load_backbone(spec)


def test_how_images_are_prepared_must_be_said(model, tmp_path):
    spec = export(model, tmp_path / "t.pt2")
    (tmp_path / "t.yaml").unlink()
    with pytest.raises(InputError, match=r"must stand beside it. Found: no t\.yaml.*image_size: 224, mean:.*write"):
        load_backbone(spec)
    (tmp_path / "t.yaml").write_text("image_size: 16\nmeans: [0.5]\n")
    with pytest.raises(InputError, match=r"t\.yaml is not valid.*mean: Field required; std: Field required; means"):
        load_backbone(spec)


def test_a_size_that_the_program_cannot_take(model, tmp_path):
    with pytest.raises(InputError, match=r"must run on images of 32 x 32 pixels"):
        load_backbone(export(model, tmp_path / "t.onnx"), image_size=32)


def test_a_program_is_never_a_student(model, tmp_path):
    with pytest.raises(InputError, match=r"can only teach.*take a student of timm:, torchvision: or file:"):
        load_network(export(model, tmp_path / "t.onnx"), 5, image_size=16, pretrained=False, seed=0)


def test_only_programs_that_are_there(tmp_path):
    with pytest.raises(InputError, match=r"An exported program is a file.*gone\.onnx.*FILE\.pt2"):
        load_backbone(f"exported:{tmp_path}/gone.onnx")
    with pytest.raises(InputError, match=r"An exported program is a file"):
        weights_available("exported:no_such_model")


@pytest.mark.parametrize("suffix", ["onnx", "pt2"])
def test_a_torn_file(suffix, tmp_path):
    path = tmp_path / f"t.{suffix}"
    path.write_bytes(b"\x00torn")
    path.with_suffix(".yaml").write_text(SIDECAR)
    with pytest.raises(InputError, match=rf"The program t\.{suffix} cannot be read.*export it again"):
        load_backbone(f"exported:{path}")


class Evil:
    def __reduce__(self):
        return (print, ("this ran",))


def _with(path, name, content):
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"t/{name}", content)


def _pickled():
    buffer = io.BytesIO()
    torch.save(Evil(), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("data/constants/opaque_obj_0", b"", "data/constants/opaque_obj_0"),
        ("data/weights/model.pt", b"", "data/weights/model.pt"),
        ("data/aotinductor/model/code.so", b"", "aotinductor"),
        ("data/weights/other_weights_config.json", b'{"use_pickle":  true}', "other_weights_config"),
        ("data/sample_inputs/other.pt", _pickled(), "sample inputs that are not tensors"),
    ],
)
def test_an_archive_that_could_run_code_is_not_opened(name, content, said, model, tmp_path, capsys):
    spec = export(model, tmp_path / "t.pt2")
    _with(tmp_path / "t.pt2", name, content)
    with pytest.raises(InputError, match=rf"could run code. Found: .*{said}.*export it to ONNX"):
        load_backbone(spec)
    assert "this ran" not in capsys.readouterr().out
