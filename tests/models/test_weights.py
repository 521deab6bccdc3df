import os
import pickle
import re

import pytest
import safetensors.torch
import torch
from torch import nn

from azeotrope.errors import InputError
from azeotrope.models.pretrained.weights import fingerprint, load_into, read_tensors


def body():
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


class RunsCode:
    """Unpickled without care, this makes a folder."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt"])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod."])
def test_reads_plain_files(tmp_path, suffix, prefix):
    tensors = {prefix + name: tensor for name, tensor in body().state_dict().items()}
    path = tmp_path / f"w{suffix}"
    safetensors.torch.save_file(tensors, path) if suffix == ".safetensors" else torch.save(tensors, path)
    assert fingerprint(read_tensors(path)) == fingerprint(body().state_dict())


@pytest.mark.parametrize("wrapper", ["state_dict", "model", "model_state_dict"])
def test_reads_what_training_scripts_save(tmp_path, wrapper):
    torch.save({"epoch": 3, wrapper: body().state_dict()}, tmp_path / "w.pth")
    assert fingerprint(read_tensors(tmp_path / "w.pth")) == fingerprint(body().state_dict())


def test_the_head_of_a_model_saved_here_is_left_out(tmp_path):
    saved = {f"backbone.{name}": tensor for name, tensor in body().state_dict().items()}
    torch.save({**saved, "head.weight": torch.zeros(2, 4), "head.bias": torch.zeros(2)}, tmp_path / "w.pth")
    assert set(read_tensors(tmp_path / "w.pth")) == set(body().state_dict())


@pytest.mark.parametrize("nested", [False, True])
def test_a_pickle_that_would_run_code_is_refused_and_runs_nothing(tmp_path, nested):
    trap, path = tmp_path / "made_by_the_pickle", tmp_path / "w.pth"
    content = {"state_dict": body().state_dict(), "args": RunsCode(trap)} if nested else RunsCode(trap)
    torch.save(content, path)
    with pytest.raises(InputError) as refusal:
        read_tensors(path)
    assert str(refusal.value) == (
        "w.pth is not a plain file of tensors and was not opened: loading it could run code. "
        "Found: it calls for posix.mkdir. Allowed: tensors and plain data only. "
        "Next: ask for a .safetensors file of its weights, or save its state_dict as one where it was made."
    )
    assert not trap.exists()


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_torchs_advice_to_switch_the_safety_off_is_never_quoted(tmp_path):
    class Stranger:
        pass

    program, objects = tmp_path / "program.pt", tmp_path / "objects.pth"
    torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), program)
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(globals(), "Stranger", Stranger)
        Stranger.__qualname__ = "Stranger"
        torch.save({"body": Stranger()}, objects)
    for path, held in ((program, "a TorchScript program"), (objects, "it calls for")):
        with pytest.raises(InputError, match=f"could run code. Found: {held}") as refusal:
            read_tensors(path)
        assert not any(word in str(refusal.value) for word in ("weights_only", "safe_globals", "will likely succeed"))


def test_a_bare_pickle_that_would_run_code_is_refused(tmp_path):
    trap, path = tmp_path / "made_by_the_pickle", tmp_path / "w.pth"
    path.write_bytes(pickle.dumps(RunsCode(trap)))
    with pytest.raises(InputError, match=r"could run code"):
        read_tensors(path)
    assert not trap.exists()


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("content", [b"", b"not weights at all"])
def test_a_damaged_file_is_an_input_error(tmp_path, suffix, content):
    path = tmp_path / f"w{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"w\.\w+ (cannot be read|is not a plain file of tensors)"):
        read_tensors(path)


def test_a_torn_file_is_an_input_error(tmp_path):
    path = tmp_path / "w.pth"
    torch.save(body().state_dict(), path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"w\.pth cannot be read.*copy the file again"):
        read_tensors(path)


def test_a_missing_file_and_an_unknown_kind(tmp_path):
    with pytest.raises(InputError, match=r"must exist.*gone\.pth.*check the path"):
        read_tensors(tmp_path / "gone.pth")
    (tmp_path / "w.onnx").write_bytes(b"x")
    with pytest.raises(InputError, match=r"Found: w\.onnx.*Allowed: \.safetensors, \.pth"):
        read_tensors(tmp_path / "w.onnx")


def test_a_file_without_tensors(tmp_path):
    torch.save({"epoch": 3, "best": 0.5}, tmp_path / "w.pth")
    with pytest.raises(InputError, match=r"must hold named tensors.*dict with epoch, best.*state_dict"):
        read_tensors(tmp_path / "w.pth")


def test_half_precision_is_cast_up():
    module, tensors = (
        body(),
        {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in body().state_dict().items()},
    )
    nn.init.zeros_(module[0].weight)
    load_into(module, tensors, head_names=(), source="w")
    assert module[0].weight.dtype == torch.float32
    torch.testing.assert_close(module[0].weight, body()[0].weight, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("classes", [7, 1000])
def test_a_classifier_of_any_class_count_is_left_out(classes):
    tensors = {**body().state_dict(), "fc.weight": torch.zeros(classes, 4), "fc.bias": torch.zeros(classes)}
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    load_into(module, tensors, head_names=("fc",), source="w")
    assert fingerprint(module.state_dict()) == fingerprint(body().state_dict())


def test_only_the_head_may_be_left_out():
    tensors = {**body().state_dict(), "fc2.weight": torch.zeros(7, 4, 1, 1)}
    with pytest.raises(InputError, match=r"1 only in the file \(fc2\.weight\)"):
        load_into(body(), tensors, head_names=("fc",), source="w")


def test_another_architecture_lists_both_sides_and_leaves_the_model_as_it_was():
    module = nn.Sequential(*(nn.Linear(2, 2) for _ in range(8)))
    before = fingerprint(module.state_dict())
    given = {
        "0.weight": torch.zeros(3, 2),
        "0.bias": torch.zeros(2, dtype=torch.int8),
        "1.weight": torch.ones(2, 2),
        "other": torch.zeros(1),
    }
    with pytest.raises(InputError) as caught:
        load_into(module, given, head_names=(), source="some.pth")
    assert str(caught.value) == (
        "The weights in some.pth must be those of this architecture. Found: 4 tensors in the file, 16 in the model: "
        "13 only in the model (1.bias, 2.weight, 2.bias, 3.weight, 3.bias, ...); 1 only in the file (other); "
        "2 of another form (0.weight [3, 2] in the file, [2, 2] in the model, 0.bias [2] torch.int8 in the file, "
        "[2] in the model). Next: name the architecture these weights were trained with, or other weights after @."
    )
    assert fingerprint(module.state_dict()) == before


def test_counters_missing_from_old_files_are_no_difference():
    tensors = {name: tensor for name, tensor in body().state_dict().items() if "num_batches" not in name}
    load_into(body(), tensors, head_names=(), source="w")


def test_the_fingerprint_sees_values_names_shapes_and_types_but_not_order():
    one = {"a": torch.arange(4.0), "b": torch.tensor(1)}
    assert re.fullmatch("[0-9a-f]{64}", fingerprint(one))
    assert fingerprint(dict(reversed(one.items()))) == fingerprint(one)
    others = [
        {**one, "a": one["a"] + 1e-6},
        {**one, "a": one["a"].reshape(2, 2)},
        {**one, "a": one["a"].view(torch.int32)},
        {"c": one["a"], "b": one["b"]},
    ]
    assert len({fingerprint(other) for other in [one, *others]}) == 5
